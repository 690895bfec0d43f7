"""An input -> its records and findings: chains prescreen, scan, interconversion and DFT; nothing else does.

Each stage leaves one stage record with a verdict on all it tried, and the next stage reads only that. So a stage can
run alone (`only`) on another machine, from a results folder that travelled there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from qcdriver.findings import Summary
from qcdriver.interconversion import Minimum, interconversion
from qcdriver.mirror import mirror
from qcdriver.plan import check, scanned_coordinate
from qcdriver.prescreen import prescreen
from qcdriver.records import Records, content_key
from qcdriver.relaxation.coordinates import value_deg
from qcdriver.scan import REACHED_WITHIN_DEG, Seed, apart_deg, scan
from qcdriver.schema import Coordinate, Molecule, Relaxed, StageRecord, Verdict
from qcdriver.stage import RunRound, Stage, follow
from qcdriver.summary import (
    Stages,
    isomer_of,
    level_of,
    molecule_of,
    result_of,
    summarize,
    task_record,
    write_summary,
)
from qcdriver.units import EV_PER_ANGSTROM, KCAL_MOL

STAGES = ("prescreen", "scan", "interconversion", "dft", "mirror")


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
        # Only what differs from the defaults: a new option must not make a finished run unfinished.
        table = getattr(settings, stage).model_dump(
            mode="json", exclude_defaults=True, exclude={"device", "dft_points"}
        )
        content: dict[str, object] = {"stage": stage, "settings": table}
        if stage == "prescreen":
            content["candidates"] = [[each.label, each.key] for each in self.candidates]
        else:
            content["survivors"] = self._kept("prescreen")
        if stage == "scan":
            content["hold_metal"] = settings.prescreen.hold_metal
        if stage == "dft" and settings.scan and settings.scan.dft_points != "none":
            content["points"] = [self._kept("scan"), settings.scan.dft_points]
        if stage == "mirror":
            content["energies"] = self._kept("dft")
        return content_key(content)

    def _kept(self, stage: str) -> list[str]:
        return [each.key for each in self.verdicts(stage) or () if each.kept]

    def verdicts(self, stage: str) -> tuple[Verdict, ...] | None:
        """Give what a stage decided, None if it has not run with these settings, or is not asked for."""
        if getattr(self.settings, stage) is None:
            return None
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
    wanted = wanted_stages(this.settings)
    if only is not None and only not in wanted:
        raise InputError(f"--only {only}: the input has {' and '.join(f'[{stage}]' for stage in wanted)}")
    sha256 = hashlib.sha256(this.input_path.read_bytes()).hexdigest()
    log = this.directory / "workers.log"
    with LocalRunner(this.records, log, this.settings.resources, jobs, display, sha256) as runner:
        now = wanted if only is None else [only]
        refuse_now(this, now)
        for stage in now:
            verdicts = run_stage(this, stage, runner, display)
            if stage == "prescreen":
                refuse_nothing(verdicts)
    return write_findings(this), runner.tally


def wanted_stages(settings: Settings) -> list[str]:
    """List the stages an input asks for."""
    return [stage for stage in STAGES if getattr(settings, stage) is not None]


def run_stage(this: Run, stage: str, runner: LocalRunner, display: Display) -> tuple[Verdict, ...]:
    """Run one stage here; its verdicts are in the records when this returns."""
    planned = planned_stage(this, stage)
    display.say(f"{stage}: {planned.said}")
    runner.begin(stage, planned.device, planned.expected)
    return finish_stage(this, stage, planned, runner)


def refuse_nothing(verdicts: Sequence[Verdict]) -> None:
    """Refuse to go on from a prescreen that nothing survived.

    Raises
    ------
    ConvergenceError
    """
    if not any(verdict.kept for verdict in verdicts):
        reasons = "; ".join(f"{verdict.label}: {verdict.reason}" for verdict in verdicts)
        raise ConvergenceError(f"no candidate survived the prescreen ({reasons})")


def finish_stage(this: Run, stage: str, planned: PlannedStage, run_round: RunRound) -> tuple[Verdict, ...]:
    """Follow a stage to its end, and record its verdicts."""
    verdicts = tuple(follow(planned.stage, run_round))
    if this.verdicts(stage) != verdicts:
        this.records.append(_stage_record(this, stage, verdicts))
    return verdicts


def write_findings(this: Run) -> Summary:
    """Sum up the stages that have run, and write `summary.json`."""
    summary = summarize(this.settings, this.stages(), this.records)
    write_summary(summary, this.directory / "summary.json")
    return summary


def _stage_record(this: Run, stage: str, verdicts: tuple[Verdict, ...]) -> StageRecord:
    return StageRecord(
        key=this.stage_key(stage),
        stage=stage,
        verdicts=verdicts,
        program_version=__version__,
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def refuse_now(this: Run, now: list[str]) -> None:
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
    stages = {
        "prescreen": _prescreen,
        "scan": _scan,
        "interconversion": _interconversion,
        "dft": _dft,
        "mirror": _mirror,
    }
    return stages[stage](this)


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


def _interconversion(this: Run) -> PlannedStage:
    settings = this.settings.interconversion
    assert settings is not None
    level, said = levels.relaxation_level(this.settings.prescreen)
    minima = [Minimum(verdict.label, verdict.key, molecule) for verdict, molecule in _survivors(this)]
    force = settings.max_force_ev_angstrom / EV_PER_ANGSTROM
    return PlannedStage(interconversion(minima, level, settings.images, force, settings.max_steps), said)


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


def _mirror(this: Run) -> PlannedStage:
    assert this.settings.mirror is not None
    survivors = {verdict.label: verdict.key for verdict, _ in _survivors(this)}
    ranking = this.verdicts("dft" if this.settings.dft else "prescreen")
    if ranking is None:
        raise InputError(f"{this.directory}: the DFT has not finished with this input; run it first (--only dft)")
    records = [task_record(this.records, each.key) for each in ranking if each.kept and each.label in survivors]
    found = [(result.energy, record) for record in records if (result := result_of(record))]
    if not found:
        raise InputError(f"{this.directory}: no conformer has an energy to compare its mirror image with")
    energy, lowest = min(found, key=lambda pair: pair[0])
    label = next(each.label for each in ranking if each.key == lowest.key)
    device, said = resolve_device(this.settings.dft.device) if this.settings.dft else ("cpu", "")
    stage = mirror(
        label, lowest.key, molecule_of(lowest), energy, level_of(lowest), this.settings.mirror.tolerance_hartree
    )
    return PlannedStage(stage, ". ".join(filter(None, (level_of(lowest).title, said))), device)


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
