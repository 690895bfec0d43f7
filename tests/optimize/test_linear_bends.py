"""Molecules with angles of 180 degrees relax, free or held, in as few gradients as others do."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as ase_molecule

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Angle, Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame, QuasiNewton
from qcdriver.optimize.relax import relax
from qcdriver.units import ANGSTROM

TIGHT = Convergence(max_force=2e-4, energy_change=1e-5, max_steps=60)


def gfn1(molecule: Molecule) -> Calculation:
    engine = find("xtb")
    if lack := engine.missing():
        pytest.skip(lack)
    return engine.prepare(molecule, engine.level(Model(method="GFN1-xTB")), Resources(), lambda line: None)


def from_g2(name: str) -> Molecule:
    atoms = ase_molecule(name)
    return Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)


def silver_acetonitrile() -> Molecule:
    """[Ag(NCMe)2]+ along z, bond lengths in Angstrom typical of the parts."""
    line = [("C", -4.72), ("C", -3.26), ("N", -2.1), ("Ag", 0.0), ("N", 2.1), ("C", 3.26), ("C", 4.72)]
    places, symbols = [(0.0, 0.0, z) for _, z in line], [symbol for symbol, _ in line]
    for end, first_deg in ((-5.08, 0.0), (5.08, 60.0)):
        for turn in np.radians(first_deg + np.array([0.0, 120.0, 240.0])):
            places.append((1.03 * np.cos(turn), 1.03 * np.sin(turn), end))
            symbols.append("H")
    return Molecule(symbols=tuple(symbols), geometry=np.array(places) / ANGSTROM, molecular_charge=1)


def distorted(molecule: Molecule, by_angstrom: float, seed: int = 0) -> Molecule:
    shift = np.random.default_rng(seed).normal(0.0, by_angstrom / ANGSTROM, molecule.geometry.shape)
    return molecule.moved(molecule.geometry + shift)


def bent(symbols: tuple[str, str, str], lengths: tuple[float, float], angle_deg: float) -> Molecule:
    """Three atoms with an angle at the middle one; lengths in Angstrom."""
    turn = np.radians(angle_deg)
    last = lengths[1] * np.array([np.cos(turn), np.sin(turn), 0.0])
    return Molecule(symbols=symbols, geometry=np.array([[lengths[0], 0.0, 0.0], [0.0, 0.0, 0.0], last]) / ANGSTROM)


# At most what geomeTRIC 1.1.1 takes from the same start in its own coordinates, tests/benchmarks/relaxation.py
# (GFN1-xTB, xtb 22.1). Without linear bends: 26, 441, 99, 123, 25, 182.
@pytest.mark.parametrize(
    ("name", "most"),
    [("C2H2", 7), ("C3H4_D2d", 9), ("C3H4_C3v", 10), ("2-butyne", 10), ("CH3CN", 8), ("[Ag(NCMe)2]+", 13)],
)
def test_a_molecule_with_straight_parts_relaxes_in_no_more_gradients_than_others_take(name: str, most: int) -> None:
    molecule = silver_acetonitrile() if name.startswith("[") else from_g2(name)
    start = distorted(molecule, 0.08)
    assert relax(start, gfn1(start), TIGHT).n_gradients <= most


@pytest.mark.parametrize(
    ("start", "angle_deg"),
    [
        (bent(("H", "C", "N"), (1.07, 1.16), 125.0), 180.0),
        (bent(("H", "O", "H"), (0.96, 0.96), 178.0), 107.0),
    ],
    ids=["straightens", "bends"],
)
def test_an_angle_that_becomes_or_stops_being_straight_on_the_walk_costs_no_more(
    start: Molecule, angle_deg: float
) -> None:
    done = relax(start, gfn1(start), TIGHT)
    assert measured(Angle(atoms=(0, 1, 2)), done.molecule.geometry) == pytest.approx(angle_deg, abs=1.0)
    assert done.n_gradients <= 14


def test_what_was_learnt_while_a_chain_was_bent_is_known_when_it_is_straight() -> None:
    """The curvature of a C-N bond, twice the model's, learnt beside an angle of 150 degrees."""
    stiff = 1.5

    def chain(angle_deg: float, second: float) -> Molecule:
        return bent(("N", "C", "N"), (second, 1.16), angle_deg)

    before, after, straight = chain(150.0, 1.36), chain(150.0, 1.38), chain(180.0, 1.36)
    internals, free = InternalCoordinates(before), np.arange(9)
    frames = [Frame(internals, molecule.geometry, free) for molecule in (before, after, straight)]
    along = [(m.geometry[0] - m.geometry[1]) / np.linalg.norm(m.geometry[0] - m.geometry[1]) for m in (before, after)]
    pulls = [
        stiff * stretch / ANGSTROM * np.concatenate([unit, -unit, np.zeros(3)])
        for stretch, unit in zip((0.0, 0.02), along, strict=True)
    ]
    model = QuasiNewton()
    model.learn(*frames[:2], *pulls)
    stretch = np.concatenate([[1.0, 0.0, 0.0], np.zeros(6)])
    assert stretch @ frames[2].hessian @ stretch < 0.6 * stiff
    assert stretch @ model.model(frames[2]).product(stretch) == pytest.approx(stiff, rel=0.05)


def test_a_straight_molecule_bends_against_the_same_stiffness_in_both_directions() -> None:
    molecule = from_g2("CO2")
    curvatures = np.linalg.eigvalsh(
        Frame(InternalCoordinates(molecule), molecule.geometry, np.arange(9)).hessian.toarray()
    )
    rigid, bends, stretches = np.split(curvatures, [5, 7])
    assert (rigid < 0.002).all()
    assert bends[0] == pytest.approx(bends[1], rel=1e-9)
    assert bends[0] > 0.05
    assert (stretches > 0.5).all()


def test_the_dihedral_between_the_ends_of_a_straight_chain_is_one_of_the_coordinates() -> None:
    """Turning one CH2 of allene against the other is no rigid motion: the model gives it a stiffness."""
    allene = from_g2("C3H4_D2d")
    axis = next(i for i in range(7) if allene.symbols[i] == "C" and not allene.geometry[i].any())
    ends = [i for i in range(7) if allene.symbols[i] == "C" and i != axis]
    along = allene.geometry[ends[0]] / np.linalg.norm(allene.geometry[ends[0]])
    turn = np.zeros_like(allene.geometry)
    for i in range(7):
        if allene.symbols[i] == "H" and allene.geometry[i] @ along > 0:
            turn[i] = np.cross(along, allene.geometry[i])
    turn /= np.linalg.norm(turn)
    hessian = Frame(InternalCoordinates(allene), allene.geometry, np.arange(21)).hessian
    assert turn.ravel() @ hessian @ turn.ravel() > 0.01


def test_a_dihedral_over_a_straight_chain_is_held() -> None:
    butyne = from_g2("2-butyne")
    hydrogens = [i for i, symbol in enumerate(butyne.symbols) if symbol == "H"]
    carbons = sorted((i for i in range(10) if butyne.symbols[i] == "C"), key=lambda i: butyne.geometry[i, 2])
    near = [i for i in hydrogens if np.linalg.norm(butyne.geometry[i] - butyne.geometry[carbons[0]]) < 2.5]
    far = [i for i in hydrogens if i not in near]
    dihedral = Torsion(kind="dihedral", quadruples=((near[0], carbons[0], carbons[-1], far[0]),))
    start = distorted(butyne, 0.05)
    value = measured(dihedral, start.geometry) + 8.0
    done = relax(start, gfn1(start), TIGHT, targets=[held(dihedral, value)])
    assert done.reached == pytest.approx((value,), abs=1e-6)
    assert done.n_gradients <= 10
