"""A run and the name of a stage in, the stage out, ready to be followed: what it starts from is in the records."""

from __future__ import annotations

from dataclasses import dataclass

from qcdriver import levels
from qcdriver.config import ScanSettings
from qcdriver.dft import Geometry, single_points
from qcdriver.engines.base import Device
from qcdriver.engines.gpu import resolve_device
from qcdriver.errors import InputError
from qcdriver.interconversion import Minimum, interconversion
from qcdriver.mirror import mirror
from qcdriver.plan import scanned_coordinate
from qcdriver.prescreen import prescreen
from qcdriver.relaxation.coordinates import value_deg
from qcdriver.run import Run
from qcdriver.scan import REACHED_WITHIN_DEG, Seed, apart_deg, scan
from qcdriver.schema import Coordinate, Molecule, Relaxed, Verdict
from qcdriver.stage import Stage
from qcdriver.summary import isomer_of, level_of, molecule_of, result_of, task_record
from qcdriver.units import EV_PER_ANGSTROM, KCAL_MOL


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
