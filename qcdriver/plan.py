"""An input -> what a run of it would do on this machine, refused now if anything could not work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qcdriver import engines, levels
from qcdriver.candidates import candidates, geometry_of
from qcdriver.config import ScanSettings, Settings
from qcdriver.engines.gpu import resolve_device
from qcdriver.engines.memory_plan import DftPlan
from qcdriver.errors import InputError
from qcdriver.execution.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.relaxation.coordinates import driven, value_deg
from qcdriver.schema import Coordinate, Frozen, Level, Molecule, Resources
from qcdriver.structures.rod import twist_coordinate


class PlannedStage(Frozen):
    """One stage: its level, how many basis functions the molecule has there, how many calculations at most or least.

    `needs`: of a DFT stage, sizes, memory and time of one calculation.
    """

    stage: str
    level: str
    engine_version: str
    n_basis_functions: int | None
    calculations: str
    needs: DftPlan | None = None


class Plan(Frozen):
    """What a run would do."""

    title: str
    formula: str
    n_atoms: int
    n_electrons: int
    candidates: tuple[str, ...]
    stages: tuple[PlannedStage, ...]
    device: str | None


def plan(settings: Settings, folder: Path) -> Plan:
    """Build the candidates, check them against every level, and say what would be computed; computes no energy.

    Raises
    ------
    InputError, MissingError
        As a run would.
    """
    those = candidates(settings, folder)
    molecules = [geometry_of(each) for each in those]
    check(settings, molecules, ("prescreen", "scan", "interconversion", "dft", "mirror"))
    level, _ = levels.relaxation_level(settings.prescreen)
    first = molecules[0]
    stages = [_planned("prescreen", level, first, f"{len(those)} candidates")]
    if settings.scan:
        stages.append(_planned("scan", level, first, f"{len(settings.scan.grid_deg)} points or more"))
    if settings.interconversion:
        paths = f"up to {2 * settings.prescreen.max_kept - 1} path(s) of {settings.interconversion.images} images"
        stages.append(_planned("interconversion", level, first, paths))
    said = None
    if settings.dft:
        device, said = resolve_device(settings.dft.device)
        level = levels.dft_level(settings.dft, device)
        needs = needs_of_dft(settings, first)
        stages.append(_planned("dft", level, first, _single_points(settings)).model_copy(update={"needs": needs}))
    return Plan(
        title=settings.title,
        formula=first.formula,
        n_atoms=len(first.symbols),
        n_electrons=first.n_electrons,
        candidates=tuple(each.label for each in those),
        stages=tuple(stages),
        device=said,
    )


def check(settings: Settings, molecules: Iterable[Molecule], stages: Sequence[str]) -> None:
    """Let the engines refuse now what they would refuse after hours; only for the `stages` that are to run.

    Raises
    ------
    InputError, MissingError
        An input error names the table it comes from.
    """
    for molecule in molecules:
        if {"prescreen", "scan", "interconversion"} & set(stages):
            with _naming("prescreen"):
                level, _ = levels.relaxation_level(settings.prescreen)
                engines.find(level.engine).check(molecule, level)
        if "scan" in stages and settings.scan:
            with _naming("scan"):
                coordinate = scanned_coordinate(settings.scan, molecule, settings.scan.start_deg)
                driven(molecule, coordinate, value_deg(coordinate, molecule.geometry) + 1.0)
        if {"dft", "mirror"} & set(stages) and settings.dft:
            with _naming("dft"):
                level = levels.dft_level(settings.dft, resolve_device(settings.dft.device)[0])
                engines.find(level.engine).check(molecule, level)


def needs_of_dft(settings: Settings, molecule: Molecule) -> DftPlan | None:
    """Foretell what a single point of the input needs on this machine; None without a `[dft]` table.

    Raises
    ------
    InputError, MissingError
    """
    if settings.dft is None:
        return None
    device, _ = resolve_device(settings.dft.device)
    level = levels.dft_level(settings.dft, device)
    resources = Resources(
        threads=settings.resources.threads or threads_of_this_machine(),
        memory_mb=settings.resources.memory_mb or int(0.8 * memory_of_this_machine_mb()),
        device=device,
    )
    return engines.find(level.engine).expect(molecule, level, resources)


@contextmanager
def _naming(table: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"[{table}] {error}") from None


def scanned_coordinate(settings: ScanSettings, molecule: Molecule, near_deg: float) -> Coordinate:
    """Find the coordinate of a scan in a molecule; of a twist's equivalent pairings, the one with a value near this.

    Raises
    ------
    InputError
        It has none: it is no rod, or the atoms do not exist or lie on a line.
    """
    if settings.coordinate == "twist":
        return twist_coordinate(molecule, near_deg)
    assert settings.atoms is not None
    coordinate = Coordinate(kind="dihedral", quadruples=(settings.atoms,))
    value_deg(coordinate, molecule.geometry)
    return coordinate


def _planned(stage: str, level: Level, molecule: Molecule, calculations: str) -> PlannedStage:
    return PlannedStage(
        stage=stage,
        level=level.title,
        engine_version=level.engine_version,
        n_basis_functions=engines.find(level.engine).n_basis_functions(molecule, level.model),
        calculations=calculations,
    )


def _single_points(settings: Settings) -> str:
    conformers = f"up to {settings.prescreen.max_kept} conformer(s)"
    if settings.scan is None or settings.scan.dft_points == "none":
        return conformers
    chosen = settings.scan.dft_points
    count = {"top": 1, "all": len(settings.scan.grid_deg)}[chosen] if isinstance(chosen, str) else len(chosen)
    return f"{conformers} and {count} point{'s' * (count != 1)} of the profile"
