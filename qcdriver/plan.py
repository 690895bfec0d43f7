"""An input -> what a run of it would do on this machine, refused now if anything could not work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from qcdriver import engines, levels
from qcdriver.candidates import Candidate, candidates, geometry_of
from qcdriver.comparison.conformers import require_same_bonds
from qcdriver.config.settings import Settings
from qcdriver.engines.dft.gpu import resolve_device
from qcdriver.engines.dft.memory_plan import DftPlan
from qcdriver.errors import InputError
from qcdriver.execution.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.relaxation.coordinates import measured
from qcdriver.relaxation.driving import driven
from qcdriver.scan.setup import scan_grid, scanned_coordinates
from qcdriver.schema import Frozen, Level, Molecule, Resources, held
from qcdriver.stationary import core_atoms
from qcdriver.structures.topology import find_topology, stereocentres

_LITTLE = 0.1
"""Degrees or bohr, by which a coordinate must be drivable."""


class PlannedStage(Frozen):
    """One stage: its level, how many basis functions the molecule has there, how many calculations at most or least.

    `needs`: of a stage that computes by DFT, sizes, memory and time of one calculation.
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
    refuse_strangers(settings, those)
    molecules = [geometry_of(each) for each in those]
    settings = levels.settled(settings, lambda: molecules[0])
    check(settings, molecules, ("prescreen", "scan", "stationary", "interconversion", "dft", "mirror"))
    level, _ = levels.relaxation_level(settings.prescreen)
    first = molecules[0]
    needs = needs_of_dft(settings, first)
    stages = [_planned("prescreen", level, first, f"{len(those)} candidates")]
    if settings.scan:
        points = f"{len(scan_grid(settings.scan, first).unique)} points or more"
        stages.append(_planned("scan", _scan_level(settings), first, points))
    if settings.stationary:
        bands = f"a band of {settings.stationary.images} images over each pass of the scan, and vibrations"
        stages.append(_planned("stationary", _scan_level(settings), first, bands))
    if settings.interconversion:
        paths = f"up to {2 * settings.prescreen.max_kept - 1} path(s) of {settings.interconversion.images} images"
        stages.append(_planned("interconversion", level, first, paths))
    said = None
    if settings.dft:
        device, said = resolve_device(settings.dft.device)
        stages.append(_planned("dft", levels.dft_level(settings.dft, device), first, _single_points(settings)))
    by_dft = stages_by_dft(settings)
    return Plan(
        title=settings.title,
        formula=first.formula,
        n_atoms=len(first.symbols),
        n_electrons=first.n_electrons,
        candidates=tuple(each.label for each in those),
        stages=tuple(each.model_copy(update={"needs": needs}) if each.stage in by_dft else each for each in stages),
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
                level = _scan_level(settings)
                engines.find(level.engine).check(molecule, level)
            _refuse_undrivable(settings, molecule)
            _refuse_other_hand(settings, molecule)
        if "stationary" in stages and settings.stationary and settings.stationary.core_only:
            with _naming("stationary"):
                core_atoms(molecule)
        if {"dft", "mirror"} & set(stages) and settings.dft:
            with _naming("dft"):
                level = levels.dft_level(settings.dft, resolve_device(settings.dft.device)[0])
                engines.find(level.engine).check(molecule, level)


def refuse_strangers(settings: Settings, those: Sequence[Candidate]) -> None:
    """Refuse a scan over molecules that are no conformers of one another: their energies make no profile.

    Where the scan counts atoms, their order has to be one, too.

    Raises
    ------
    InputError
    """
    read = [(f"structure.isomers.{each.isomer}", each.origin) for each in those if isinstance(each.origin, Molecule)]
    if settings.scan is None or not read:
        return
    first, known = read[0]
    bonds = find_topology(known)
    for name, molecule in read[1:]:
        others = find_topology(molecule)
        try:
            require_same_bonds((known, molecule), (bonds, others), (first, name))
        except InputError as error:
            raise InputError(f"{error}; [scan] takes conformers of one molecule") from None
        if settings.scan.counts_atoms and (strange := np.flatnonzero(bonds.classes != others.classes)).size:
            raise InputError(
                f"{name}: atom {strange[0]} is not the same as in {first}; scan.coordinate counts atoms, "
                "so all files have them in one order"
            )


def stages_by_dft(settings: Settings) -> set[str]:
    """Name the stages of an input that compute by DFT, single points or relaxations: all need the same memory."""
    if settings.dft is None:
        return set()
    relaxing = {"scan", "stationary"} if settings.scan and settings.scan.relax == "dft" else set()
    return {"dft", "mirror"} | relaxing


def needs_of_dft(settings: Settings, molecule: Molecule) -> DftPlan | None:
    """Foretell what a calculation by DFT needs on this machine; None without a `[dft]` table.

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


def _refuse_undrivable(settings: Settings, molecule: Molecule) -> None:
    assert settings.scan is not None
    near = [each.grid[0] for each in settings.scan.coordinate]
    coordinates = scanned_coordinates(settings.scan, molecule, near)
    for number, each in enumerate(coordinates):
        try:
            driven(molecule, [held(each, measured(each, molecule.geometry) + _LITTLE)])
        except InputError as error:
            raise InputError(f"scan.coordinate.{number}: {error}") from None


def _refuse_other_hand(settings: Settings, molecule: Molecule) -> None:
    """Refuse to take the mirror image of a molecule with a stereocentre for the same molecule."""
    assert settings.scan is not None
    if settings.scan.mirror and (centres := stereocentres(find_topology(molecule))):
        raise InputError(
            f"scan.mirror = true: atom {centres[0]} has four different neighbours, so the mirror image may be another "
            "molecule; leave mirror out, and every point is computed"
        )


def _planned(stage: str, level: Level, molecule: Molecule, calculations: str) -> PlannedStage:
    return PlannedStage(
        stage=stage,
        level=level.title,
        engine_version=level.engine_version,
        n_basis_functions=engines.find(level.engine).n_basis_functions(molecule, level.model),
        calculations=calculations,
    )


def _scan_level(settings: Settings) -> Level:
    if settings.scan is None or settings.scan.relax == "xtb":
        return levels.relaxation_level(settings.prescreen)[0]
    assert settings.dft is not None
    level = levels.dft_level(settings.dft, resolve_device(settings.dft.device)[0])
    if level.keywords.get("grid_level") == 0:  # hydrogen peroxide: 0.012 hartree/bohr of net force, and no convergence
        raise InputError('relax = "dft" needs dft.keywords.grid_level = 1 or more: the forces of level 0 are too rough')
    return level


def _single_points(settings: Settings) -> str:
    conformers = f"up to {settings.prescreen.max_kept} conformer(s)"
    if settings.scan is None or settings.scan.dft_points == "none":
        return conformers
    chosen = settings.scan.dft_points
    if chosen == "stationary":
        return f"{conformers} and the minima and passes of the grid"
    count = {"top": 1, "all": settings.scan.n_points}[chosen] if isinstance(chosen, str) else len(chosen)
    return f"{conformers} and up to {count} point{'s' * (count != 1)} of the scan"
