"""Wavenumbers: as another program finds them, and as many imaginary ones as the point on the surface has ways down."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.models.tasks import Vibrations
from qcdriver.optimize.relax import relax
from qcdriver.optimize.vibrations import NOISE_CM, vibrations
from qcdriver.units import ANGSTROM, DALTON, WAVENUMBER

TIGHT = Convergence(max_force=2e-5, energy_change=1e-9, max_steps=200)


class Gfn1:
    """GFN1-xTB by tblite, as a task's worker would use it."""

    def __init__(self):
        self.engine = find("tblite")
        self.level = self.engine.level(Model(method="GFN1-xTB"))

    def calculation(self, molecule):
        return self.engine.prepare(molecule, self.level, Resources(), lambda line: None)

    def relaxed(self, molecule, *targets):
        return relax(molecule, self.calculation(molecule), TIGHT, targets=targets).molecule

    def vibrations(self, molecule, *atoms):
        task = Vibrations(molecule=molecule, level=self.level, atoms=atoms)
        return vibrations(task, self.calculation(molecule), lambda line: None)


@pytest.fixture(scope="module")
def gfn1():
    if missing := find("tblite").missing():
        pytest.skip(missing)
    return Gfn1()


def peroxide(torsion_deg):
    turn = np.radians(torsion_deg)
    far = [3.1, 1.8 * np.cos(turn), 1.8 * np.sin(turn)]
    return Molecule(symbols=("O", "O", "H", "H"), geometry=[[0, 0, 0], [2.7, 0, 0], [-0.4, 1.8, 0], far])


def ethane(torsion_deg):
    symbols, places = ["C", "C"], [[0.0, 0.0, 0.0], [2.9, 0.0, 0.0]]
    for x, first in ((-0.7, 0), (3.6, torsion_deg)):
        for turn in np.radians(first + np.array([0, 120, 240])):
            symbols.append("H")
            places.append([x, 1.95 * np.cos(turn), 1.95 * np.sin(turn)])
    return Molecule(symbols=tuple(symbols), geometry=places)


WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.8, 0, 0], [-0.4, 1.75, 0]])


@pytest.mark.parametrize("start", [WATER, peroxide(110)], ids=["water", "hydrogen peroxide"])
def test_wavenumbers_are_those_of_ase_with_the_same_method(gfn1, start, tmp_path):
    """ASE 3 by finite differences too, and tblite's own calculator; it projects nothing out."""
    from ase import Atoms
    from ase.vibrations import Vibrations as AseVibrations

    calculator = pytest.importorskip("tblite.ase").TBLite(method="GFN1-xTB", verbosity=0)
    molecule = gfn1.relaxed(start)
    atoms = Atoms(molecule.symbols, molecule.geometry * ANGSTROM, calculator=calculator)
    theirs = AseVibrations(atoms, name=str(tmp_path / "ase"), delta=0.005 * ANGSTROM)
    theirs.run()
    ours = gfn1.vibrations(molecule)
    internal = 3 * len(molecule.symbols) - 6
    assert ours.wavenumbers_cm == pytest.approx(np.sort(theirs.get_frequencies().real)[-internal:], abs=1.5)
    assert ours.n_imaginary == 0
    assert ours.n_gradients == 6 * len(molecule.symbols) + 1
    assert ours.max_force < TIGHT.max_force
    assert ours.result.energy == pytest.approx(gfn1.calculation(molecule).compute(molecule.geometry, "energy").energy)


def test_cis_hydrogen_peroxide_is_a_saddle_that_turns_out_of_its_plane_and_trans_is_none(gfn1):
    """GFN1-xTB has one minimum, at 180 degrees, where nature has a low saddle between two at 112."""
    torsion = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
    assert gfn1.vibrations(gfn1.relaxed(peroxide(180), held(torsion, 180.0))).n_imaginary == 0
    found = gfn1.vibrations(gfn1.relaxed(peroxide(0), held(torsion, 0.0)))
    assert found.n_imaginary == 1
    assert found.wavenumbers_cm[0] < -NOISE_CM
    assert np.abs(found.mode[:, 2]).max() > 10 * np.abs(found.mode[:, :2]).max()
    assert np.linalg.norm(found.mode) == pytest.approx(1)


def test_planar_disulfane_is_a_saddle_at_either_end_of_its_torsion(gfn1):
    torsion = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
    for angle in (0.0, 180.0):
        sulfur = Molecule(symbols=("S", "S", "H", "H"), geometry=peroxide(angle).geometry * 1.4)
        assert gfn1.vibrations(gfn1.relaxed(sulfur, held(torsion, angle))).n_imaginary == 1


def test_eclipsed_ethane_is_a_saddle_and_staggered_ethane_a_minimum(gfn1):
    torsion = Torsion(kind="dihedral", quadruples=((2, 0, 1, 5),))
    eclipsed = gfn1.vibrations(gfn1.relaxed(ethane(0), held(torsion, 0.0)))
    assert eclipsed.n_imaginary == 1
    assert len(eclipsed.wavenumbers_cm) == 18
    assert gfn1.vibrations(gfn1.relaxed(ethane(60))).n_imaginary == 0


class Springs:
    """Between all atoms, of one strength: an exact Hessian for a molecule of any shape."""

    def __init__(self, molecule, strength=0.3):
        self.rest, self.strength = molecule.geometry, strength

    def compute(self, geometry, driver):
        apart, rest = (x[:, None] - x for x in (geometry, self.rest))
        length, wanted = (np.linalg.norm(x, axis=-1) + np.eye(len(x)) for x in (apart, rest))
        pull = self.strength * (1 - wanted / length)
        energy = float((self.strength * (length - wanted) ** 2).sum() / 4)
        return Result(energy=energy, gradient=(pull[..., None] * apart).sum(axis=1))


def spring_vibrations(molecule, *atoms, strength=0.3):
    level = find("tblite").level(Model(method="GFN1-xTB"))
    return vibrations(
        Vibrations(molecule=molecule, level=level, atoms=atoms), Springs(molecule, strength), lambda line: None
    )


def test_a_spring_between_two_atoms_has_the_wavenumber_of_its_formula():
    """Reduced mass of N2 with nitrogen's standard atomic weight, 14.007."""
    found = spring_vibrations(Molecule(symbols=("N", "N"), geometry=[[0, 0, 0], [0, 0, 2.1]]))
    assert found.wavenumbers_cm == pytest.approx([np.sqrt(0.3 / (14.007 / 2 / DALTON)) * WAVENUMBER], rel=1e-6)
    assert found.mode == pytest.approx(np.array([[0, 0, 1], [0, 0, -1]]) * found.mode[0, 2])


@pytest.mark.parametrize(("wavenumber_cm", "counted"), [(NOISE_CM - 1, 0), (NOISE_CM + 1, 1)])
def test_an_imaginary_wavenumber_below_the_noise_is_shown_and_not_counted(wavenumber_cm, counted):
    strength = -14.007 / 2 / DALTON * (wavenumber_cm / WAVENUMBER) ** 2
    found = spring_vibrations(Molecule(symbols=("N", "N"), geometry=[[0, 0, 0], [0, 0, 2.1]]), strength=strength)
    assert found.wavenumbers_cm == pytest.approx([-wavenumber_cm], rel=1e-3)
    assert found.n_imaginary == counted


LINE = Molecule(symbols=("O", "C", "O"), geometry=[[0, 0, 0], [2.2, 0, 0], [4.4, 0, 0]])
RING = Molecule(symbols=("O", "C", "H", "H"), geometry=[[0, 0, 0], [2.3, 0, 0], [3.4, 1.8, 0], [3.4, -1.8, 0.2]])


@pytest.mark.parametrize(
    ("molecule", "atoms", "count"),
    [
        (RING, (), 12 - 6),
        (LINE, (), 9 - 5),
        (RING, (0, 1, 2, 3), 12 - 6),
        (RING, (0, 1, 2), 9 - 3),  # turns about the one that stands still
        (RING, (2, 3), 6 - 1),  # turns about the axis of the two that stand still
        (RING, (3,), 3),
        (RING, (3, 3), 3),
    ],
)
def test_only_what_moves_nothing_else_as_one_piece_is_left_out(molecule, atoms, count):
    assert len(spring_vibrations(molecule, *atoms).wavenumbers_cm) == count


def test_atoms_that_stand_still_have_no_part_in_the_mode():
    found = spring_vibrations(RING, 0, 2)
    assert not found.mode[[1, 3]].any()
    assert found.n_gradients == 13


def test_a_single_atom_does_not_vibrate():
    with pytest.raises(InputError, match="a single atom does not vibrate"):
        spring_vibrations(Molecule(symbols=("Ar",), geometry=[[0, 0, 0]]))


def test_an_atom_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="atom 4 does not exist: there are 4, counted from 0"):
        Vibrations(molecule=RING, level=find("tblite").level(Model(method="GFN1-xTB")), atoms=(4,))
