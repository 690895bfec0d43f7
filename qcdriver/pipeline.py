"""An input -> its records and findings: chains build, prescreen, scan and DFT; nothing else does.

Each stage leaves one stage record with a verdict on all it tried, and the next stage reads only that. So a stage can
run alone (`only`) on another machine, from a results folder that travelled there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qcdriver import __version__, levels
from qcdriver.candidates import Candidate, candidates, geometry_of
from qcdriver.config import ScanSettings, Settings
from qcdriver.dft import Geometry, single_points
from qcdriver.engines.base import Device
from qcdriver.engines.gpu import resolve_device
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.execution.local import LocalRunner, Tally
from qcdriver.execution.progress import Display
from qcdriver.plan import check, scanned_coordinate
from qcdriver.prescreen import prescreen
from qcdriver.records import Records, content_key
from qcdriver.relaxation.coordinates import value_deg
from qcdriver.scan import REACHED_WITHIN_DEG, Seed, apart_deg, scan
from qcdriver.schema import Coordinate, Molecule, Relaxed, StageRecord, Verdict
from qcdriver.stage import Stage, follow
from qcdriver.summary import Stages, Summary, isomer_of, molecule_of, summarize, task_record, write_summary
from qcdriver.units import KCAL_MOL

STAGES = ("prescreen", "scan", "dft")


@dataclass(frozen=True)
class Run:
    """One input and its run directory; what was computed lives in `records`."""

    settings: Settings
    candidates: list[Candidate]
    records: Records
    directory: Path
    input_path: Path

    def stage_key(self, stage: str) -> str:
        """Hash what a stage starts from and the settings it runs with; the machine is none of them."""
        settings = self.settings
        content: dict[str, object] = {"stage": stage}
        if stage == "prescreen":
            content["models"] = [[each.label, each.key] for each in self.candidates]
            content["prescreen"] = settings.prescreen.model_dump(mode="json")
        else:
            content["survivors"] = self._kept("prescreen")
        if stage == "scan" and settings.scan:
            content["scan"] = settings.scan.model_dump(mode="json", exclude={"dft_points"})
            content["hold_metal"] = settings.prescreen.hold_metal
        if stage == "dft" and settings.dft:
            content["dft"] = settings.dft.model_dump(mode="json", exclude={"device"})
            if settings.scan and settings.scan.dft_points != "none":
                content["points"] = [self._kept("scan"), settings.scan.dft_points]
        return content_key(content)

    def _kept(self, stage: str) -> list[str]:
        return [each.key for each in self.verdicts(stage) or () if each.kept]

    def verdicts(self, stage: str) -> tuple[Verdict, ...] | None:
        """Give what a stage decided, None if it has not run with these settings."""
        record = self.records.find(self.stage_key(stage))
        return record.verdicts if isinstance(record, StageRecord) else None

    def stages(self) -> Stages:
        """Give the verdicts of all stages that have run."""
        return {stage: found for stage in STAGES if (found := self.verdicts(stage)) is not None}


def open_run(settings: Settings, input_path: Path, results: Path, only_read: bool = False) -> Run:
    """Open, or make, the run directory of an input: `results` / the input's name.

    Raises
    ------
    InputError
        The directory cannot be written, or a structure file is broken.
    """
    directory = results / input_path.stem
    records = Records(directory, only_read)
    return Run(settings, candidates(settings, input_path.parent), records, directory, input_path)


def run(this: Run, jobs: int | None, only: str | None, display: Display) -> tuple[Summary, Tally]:
    """Run the stages the input asks for, or `only` one, and write the summary.

    Raises
    ------
    QcdriverError
        Bad input, something missing on this machine, or nothing left to go on with.
    """
    wanted = [stage for stage in STAGES if stage == "prescreen" or getattr(this.settings, stage) is not None]
    if only is not None and only not in wanted:
        raise InputError(f"--only {only}: the input has {' and '.join(f'[{stage}]' for stage in wanted)}")
    sha256 = hashlib.sha256(this.input_path.read_bytes()).hexdigest()
    with LocalRunner(this.records, this.directory, this.settings.resources, jobs, display, sha256) as runner:
        now = wanted if only is None else [only]
        _refuse_now(this, now)
        for stage in now:
            planned = planned_stage(this, stage)
            display.say(f"{stage}: {planned.said}")
            runner.begin(stage, planned.device, planned.expected)
            verdicts = tuple(follow(planned.stage, runner))
            if this.verdicts(stage) != verdicts:
                this.records.append(_stage_record(this, stage, verdicts))
            if stage == "prescreen" and not any(verdict.kept for verdict in verdicts):
                reasons = "; ".join(f"{verdict.label}: {verdict.reason}" for verdict in verdicts)
                raise ConvergenceError(f"no candidate survived the prescreen ({reasons})")
    summary = summarize(this.settings, this.stages(), this.records)
    write_summary(summary, this.directory / "summary.json")
    return summary, runner.tally


def _stage_record(this: Run, stage: str, verdicts: tuple[Verdict, ...]) -> StageRecord:
    return StageRecord(
        key=this.stage_key(stage),
        stage=stage,
        verdicts=verdicts,
        program_version=__version__,
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _refuse_now(this: Run, now: list[str]) -> None:
    """Refuse before hours are spent what the stages of this call could not do; nothing to refuse when all are done."""
    if all(this.verdicts(stage) is not None for stage in now):
        return
    first = this.candidates[0]
    molecules = [geometry_of(first)]  # models of one input differ in geometry alone
    molecules += [each.origin for each in this.candidates[1:] if isinstance(each.origin, Molecule)]
    try:
        check(this.settings, molecules, now)
    except InputError as error:
        raise InputError(f"{this.input_path}: {error}") from None


@dataclass(frozen=True)
class PlannedStage:
    """A stage ready to be followed: what to tell a person, the device, and how many lines to expect (0: unknown)."""

    stage: Stage
    said: str
    device: Device = "cpu"
    expected: int = 0


def planned_stage(this: Run, stage: str) -> PlannedStage:
    """Make a stage from the input, and from what the stages before it left in the records.

    Raises
    ------
    InputError
        An earlier stage has not finished.
    MissingError
        An engine or a device is not on this machine.
    """
    return {"prescreen": _prescreen, "scan": _scan, "dft": _dft}[stage](this)


def _prescreen(this: Run) -> PlannedStage:
    settings = this.settings.prescreen
    level, said = levels.relaxation_level(settings)
    preoptimization, also_said = levels.preoptimization_level(settings)
    return PlannedStage(prescreen(this.candidates, settings, level, preoptimization), f"{also_said}, {said}")


def _scan(this: Run) -> PlannedStage:
    settings = this.settings.scan
    assert settings is not None
    level, said = levels.relaxation_level(this.settings.prescreen)
    stage = scan(
        _seeds(this, settings),
        settings.grid_deg,
        level,
        settings.threshold.convergence,
        settings.improvement_kcal_mol / KCAL_MOL,
        this.settings.prescreen.hold_metal,
    )
    return PlannedStage(stage, said, expected=len(settings.grid_deg))


def _survivors(this: Run) -> list[tuple[Verdict, Molecule]]:
    """Give the prescreen's kept conformers, lowest first."""
    verdicts = this.verdicts("prescreen")
    if verdicts is None:
        raise InputError(
            f"{this.directory}: the prescreen has not finished with this input; run it first (--only prescreen)"
        )
    return [(each, molecule_of(task_record(this.records, each.key))) for each in verdicts if each.kept]


def _seeds(this: Run, settings: ScanSettings) -> list[Seed]:
    """Start from the lowest conformer of each isomer, wherever on the grid its symmetry puts it."""
    best: dict[str, tuple[Verdict, Molecule]] = {}
    for verdict, molecule in _survivors(this):
        best.setdefault(isomer_of(verdict.label), (verdict, molecule))
    return [
        Seed(verdict.label, verdict.key, molecule, coordinate, value)
        for verdict, molecule in best.values()
        for coordinate, value in _places(settings, molecule)
    ]


def _places(settings: ScanSettings, molecule: Molecule) -> list[tuple[Coordinate, float]]:
    """Find a conformer on the grid, at every value that the coordinate's period makes equivalent."""
    first = scanned_coordinate(settings, molecule, settings.start_deg)
    period = first.period_deg or 360.0
    lowest = settings.start_deg - settings.step_deg / 2
    value = lowest + (value_deg(first, molecule.geometry) - lowest) % period
    places = [(scanned_coordinate(settings, molecule, value), value)]
    while (value := value + period) < settings.stop_deg + settings.step_deg / 2:
        places.append((scanned_coordinate(settings, molecule, value), value))
    return places


def _dft(this: Run) -> PlannedStage:
    settings = this.settings.dft
    assert settings is not None
    device, said = resolve_device(settings.device)
    level = levels.dft_level(settings, device)
    stage = single_points(_geometries(this), level)
    return PlannedStage(stage, f"{level.title} {level.engine_version}. {said}", device)


def _geometries(this: Run) -> list[Geometry]:
    """List the conformers, and the points of the profile that the input chooses."""
    scan_settings = this.settings.scan
    geometries = []
    for verdict, molecule in _survivors(this):
        places = _places(scan_settings, molecule) if scan_settings else []
        geometries.append(Geometry(verdict.label, molecule, verdict.key, places[0][1] if places else None))
    if scan_settings and scan_settings.dft_points != "none":
        geometries += _chosen_points(this, scan_settings)
    return geometries


def _chosen_points(this: Run, settings: ScanSettings) -> list[Geometry]:
    verdicts = this.verdicts("scan")
    if verdicts is None:
        raise InputError(f"{this.directory}: the scan has not finished with this input; run it first (--only scan)")
    points = []
    for verdict in (each for each in verdicts if each.kept):
        record = task_record(this.records, verdict.key)
        assert isinstance(record.outcome, Relaxed)
        points.append((record.outcome.result.energy, verdict, record.outcome.molecule))
    if settings.dft_points == "top":
        points = [max(points, key=lambda point: point[0])] if points else []
    elif isinstance(settings.dft_points, tuple):
        wanted = settings.dft_points
        points = [
            point
            for point in points
            if any(apart_deg(point[1].value_deg or 0.0, value) <= REACHED_WITHIN_DEG for value in wanted)
        ]
    return [Geometry(verdict.label, molecule, verdict.key, verdict.value_deg) for _, verdict, molecule in points]
