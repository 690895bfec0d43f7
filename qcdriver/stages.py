"""A run and the name of a stage in, the stage out, ready to be followed: what it starts from is in the records."""

from __future__ import annotations

from dataclasses import dataclass

from qcdriver import levels
from qcdriver.config.scan import ScanSettings
from qcdriver.dft import Geometry, single_points
from qcdriver.engines.base import Device
from qcdriver.engines.dft.gpu import resolve_device
from qcdriver.errors import InputError
from qcdriver.interconversion import Minimum, interconversion
from qcdriver.landscape.points import Landscape, chosen_for_dft, read_landscape
from qcdriver.landscape.ways import minima_of, ways_of
from qcdriver.mirror import mirror
from qcdriver.prescreen import prescreen
from qcdriver.run import Run
from qcdriver.scan import Grid, How, Seed, scan
from qcdriver.scan.setup import scan_grid, seeds_of
from qcdriver.schema import Level, Molecule, Verdict
from qcdriver.stage import Stage
from qcdriver.stationary import Search, stationary
from qcdriver.summary import isomer_of, level_of, molecule_of, result_of, task_record
from qcdriver.units import EV_PER_ANGSTROM, KCAL_MOL


@dataclass(frozen=True)
class PlannedStage:
    """A stage ready to be followed: what to tell a person, the device, and how many lines to expect (0: unknown).

    `width`: about how many of them side by side.
    """

    stage: Stage
    said: str
    device: Device = "cpu"
    expected: int = 0
    width: int = 0


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
        "stationary": _stationary,
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
    grid, seeds = _scanned(this, settings)
    level, device, said = _scan_level(this)
    stage = scan(
        seeds,
        grid,
        How(level, settings.threshold.convergence, this.settings.prescreen.hold_metal),
        settings.improvement_kcal_mol / KCAL_MOL,
        None if settings.ceiling_kcal_mol is None else settings.ceiling_kcal_mol / KCAL_MOL,
    )
    # A front is two points wide on a profile; on a map it grows to the shorter side of the grid.
    width = 2 * len(seeds) * (min(map(len, grid.axes)) if len(grid.axes) > 1 else 1)
    return PlannedStage(stage, said, device, expected=len(grid.unique), width=width)


def _scan_level(this: Run) -> tuple[Level, Device, str]:
    """Give the level at which the scan relaxes, on what device, and a sentence that says both."""
    assert this.settings.scan is not None
    if this.settings.scan.relax == "xtb":
        level, said = levels.relaxation_level(this.settings.prescreen)
        return level, "cpu", said
    assert this.settings.dft is not None
    device, said = resolve_device(this.settings.dft.device)
    level = levels.dft_level(this.settings.dft, device)
    return level, device, f"{level.title} {level.engine_version}. {said}"


def _stationary(this: Run) -> PlannedStage:
    settings, landscape = this.settings.stationary, _landscape(this)
    assert settings is not None
    level, device, said = _scan_level(this)
    search = Search(
        level=level,
        convergence=settings.threshold.convergence,
        n_images=settings.images,
        max_force=settings.max_force_ev_angstrom / EV_PER_ANGSTROM,
        max_steps=settings.max_steps,
        core_only=settings.core_only,
        duplicate=settings.duplicate_kcal_mol / KCAL_MOL,
        duplicate_angstrom=settings.duplicate_angstrom,
    )
    stage = stationary(minima_of(landscape), ways_of(landscape), search)
    return PlannedStage(stage, said, device)


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


def _scanned(this: Run, settings: ScanSettings) -> tuple[Grid, list[Seed]]:
    """Make the grid, and start from the lowest conformer of each isomer, wherever on it symmetry puts it."""
    best: dict[str, tuple[Verdict, Molecule]] = {}
    for verdict, molecule in _survivors(this):
        best.setdefault(isomer_of(verdict.label), (verdict, molecule))
    if not best:
        raise InputError(f"{this.directory}: no conformer survived the prescreen, so the scan has nowhere to start")
    grid = scan_grid(settings, next(iter(best.values()))[1])
    seeds = [
        seed
        for verdict, molecule in best.values()
        for seed in seeds_of(settings, grid, verdict.label, verdict.key, molecule)
    ]
    return grid, seeds


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
    """List the conformers, and the points of the scan that the input chooses."""
    settings = this.settings.scan
    geometries = []
    for verdict, molecule in _survivors(this):
        place = None
        if settings:
            grid = scan_grid(settings, molecule)
            place = seeds_of(settings, grid, verdict.label, verdict.key, molecule)[0].values
        geometries.append(Geometry(verdict.label, molecule, verdict.key, place))
    if settings and settings.dft_points != "none":
        geometries += _chosen_points(this, settings)
    return geometries


def _landscape(this: Run) -> Landscape:
    """Read what the scan left."""
    verdicts = this.verdicts("scan")
    if verdicts is None:
        raise InputError(f"{this.directory}: the scan has not finished with this input; run it first (--only scan)")
    assert this.settings.scan is not None
    grid = scan_grid(this.settings.scan, _survivors(this)[0][1])
    return read_landscape(grid, verdicts, this.records)


def _chosen_points(this: Run, settings: ScanSettings) -> list[Geometry]:
    points = chosen_for_dft(settings, _landscape(this))
    return [Geometry(each.verdict.label, each.molecule, each.verdict.key, each.verdict.reached) for each in points]
