"""Landscapes whose structures and energies are known by formula: hydrogen peroxide's torsion, a rod's twist, a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qcdriver.models.level import Convergence, Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Code, Verdict
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.findings import Profile, ScanPoint
from qcdriver.workflow.scan.grid import Grid, Index, Operation
from qcdriver.workflow.scan.landscape import Landscape, ScannedPoint

KEY = "0" * 32
LEVEL = Level(engine="xtb", engine_version="1", model=Model(method="GFN1-xTB"))


def peroxide(torsion_deg: float) -> Molecule:
    angle = np.radians(torsion_deg)
    xyz = [[0, 0, 0], [1.45, 0, 0], [-0.2, 0.95, 0], [1.65, 0.95 * np.cos(angle), 0.95 * np.sin(angle)]]
    return Molecule(symbols=("O", "O", "H", "H"), geometry=np.array(xyz) / ANGSTROM)


def rod(twist_deg: float) -> Molecule:
    return build_rod(RodModel(phosphine="PH3", twist_deg=twist_deg))


def disturbed(molecule: Molecule, seed: int) -> Molecule:
    """Give the same structure elsewhere, turned, and with its atoms in another order."""
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    order = random.permutation(len(molecule.symbols))
    return Molecule(
        symbols=tuple(molecule.symbols[k] for k in order),
        geometry=molecule.geometry[order] @ rotation.T + random.normal(size=3),
        molecular_charge=molecule.molecular_charge,
    )


def point(molecule: Molecule, energy: float, values: Sequence[float]) -> ScannedPoint:
    relaxed = Relaxed(
        molecule=molecule,
        result=Result(energy=energy, gap=0.05),
        energies=(energy,),
        n_gradients=1,
        max_force=0.0,
        reached=tuple(values),
    )
    task = Relaxation(
        molecule=molecule, level=LEVEL, convergence=Convergence(max_force=1e-3, energy_change=1e-5, max_steps=9)
    )
    record = TaskRecord(key=KEY, stage="scan", label="", task=task, outcome=relaxed, provenance=None)
    return ScannedPoint(Verdict(label="", key=KEY, kept=True, code=Code.KEPT, reached=tuple(values)), record, relaxed)


def landscape(
    grid: Grid, structure: Callable[..., Molecule], energy: Callable[..., float], holes: Sequence[Index] = ()
) -> Landscape:
    """Make the landscape of functions of the values; every point has its own order of atoms and orientation."""
    points = {
        index: point(disturbed(structure(*grid.values(index)), number), energy(*grid.values(index)), grid.values(index))
        for number, index in enumerate(grid.unique)
        if index not in holes
    }
    return Landscape(grid, points, {})


MIRROR = (Operation((1,)), Operation((-1,), mirrored=True))


def twist_landscape() -> Landscape:
    """Give the whole turn of a rod in steps of 6 deg, of which 36 to 72 deg are mirror images."""
    grid = Grid((tuple(6.0 * k for k in range(13)),), (72.0,), (False,), MIRROR)
    return landscape(grid, rod, lambda twist: -0.01 * (1 - np.cos(np.radians(5 * twist))))


def map_landscape(holes: Sequence[Index] = (), belt_stop: int = 12) -> Landscape:
    """Give twist and belt on a formula: a valley aslant, E at (0, 0), S at (36, 6) 2 kcal/mol higher."""
    axes = (tuple(6.0 * k for k in range(13)), tuple(2.0 * k for k in range(belt_stop // 2 + 1)))
    operations = (
        Operation((1, 1)),
        Operation((-1, -1), mirrored=True),
        Operation((-1, 1), mirrored=True, flipped=True),
        Operation((1, -1), flipped=True),
    )
    return landscape(
        Grid(axes, (72.0, 12.0), (False, False), operations),
        lambda _twist, _belt: peroxide(90.0),
        map_energy,
        holes,
    )


def map_energy(twist: float, belt: float) -> float:
    along, across = np.radians(5 * twist), np.radians(30 * (belt - twist / 6))
    return float(1.0 - np.cos(along) + 3 * (1 - np.cos(across)) + 0.9 * (1 - np.cos(2 * along))) / KCAL_MOL


def profile(*points: ScanPoint, coordinates: tuple[str, ...] = ("twist_deg",), **more: object) -> Profile:
    return Profile(coordinates=coordinates, level="GFN1-xTB (xtb)", points=points, **more)


def scan_point(*target: float, energy: float = 0.0, **more: object) -> ScanPoint:
    facts = {"label": f"{target[0]:g} deg from E", "key": KEY, "gap_ev": 0.8, "belt": None} | more
    return ScanPoint(
        target=target, reached=target, energy_hartree=energy / KCAL_MOL, relative_energy_kcal_mol=energy, **facts
    )
