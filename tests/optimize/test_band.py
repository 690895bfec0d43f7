"""Paths between minima: disulfane turns into its mirror image over the planar cis form."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import PathSearch
from qcdriver.optimize.band import find_path
from qcdriver.optimize.relax import relax
from qcdriver.units import KCAL_MOL

TIGHT = Convergence(max_force=1e-4, energy_change=1e-8, max_steps=100)
TORSION = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))


def disulfane(torsion_deg: float) -> Molecule:
    turn = np.radians(torsion_deg)
    far = [4.2, 2.5 * np.cos(turn), 2.5 * np.sin(turn)]
    return Molecule(symbols=("S", "S", "H", "H"), geometry=[[0, 0, 0], [3.9, 0, 0], [-0.3, 2.5, 0], far])


@pytest.fixture(scope="module")
def gfn1():
    engine = find("tblite")
    if missing := engine.missing():
        pytest.skip(missing)
    level = engine.level(Model(method="GFN1-xTB"))
    return level, lambda: engine.prepare(disulfane(90), level, Resources(), lambda line: None)


@pytest.fixture(scope="module")
def minimum(gfn1):
    return relax(disulfane(90), gfn1[1](), TIGHT)


def path(gfn1, minimum, **changed):
    ends = {"molecule": minimum.molecule, "end": minimum.molecule.moved(minimum.molecule.geometry * [1, 1, -1])}
    settings = {"level": gfn1[0], "n_images": 7, "max_force": 1e-3, "max_steps": 200}
    return find_path(PathSearch(**ends | settings | changed), gfn1[1], lambda line: None)


def test_the_barrier_is_that_of_the_planar_form_on_the_way(gfn1, minimum):
    found = path(gfn1, minimum)
    top = found.images[found.highest]
    torsion = measured(TORSION, top.geometry)
    assert torsion == pytest.approx(0, abs=0.5)
    planar = relax(disulfane(0), gfn1[1](), TIGHT, targets=[held(TORSION, 0.0)])
    barrier = (planar.result.energy - minimum.result.energy) * KCAL_MOL
    assert (max(found.energies) - found.energies[0]) * KCAL_MOL == pytest.approx(barrier, abs=0.02)
    assert found.result.energy == max(found.energies)
    assert found.max_force <= 1e-3


def test_mirror_images_have_the_energy_of_the_minimum_and_the_path_is_symmetric(gfn1, minimum):
    found = path(gfn1, minimum)
    assert found.energies[0] == pytest.approx(minimum.result.energy, abs=1e-7)
    assert found.energies == pytest.approx(found.energies[::-1], abs=1e-4)


def test_a_path_goes_the_way_its_first_guess_does(gfn1, minimum):
    """The direct way is over cis; through trans it comes over the other barrier."""
    trans = relax(disulfane(180), gfn1[1](), TIGHT, targets=[held(TORSION, 180.0)])
    found = path(gfn1, minimum, through=[disulfane(angle) for angle in (120, 150, 180, 210, 240)])
    top = found.images[found.highest]
    assert abs(measured(TORSION, top.geometry)) == pytest.approx(180, abs=0.5)
    barrier = (trans.result.energy - minimum.result.energy) * KCAL_MOL
    assert (max(found.energies) - found.energies[0]) * KCAL_MOL == pytest.approx(barrier, abs=0.02)
    assert len(found.images) == 9


def test_a_full_turn_is_a_path_though_its_ends_are_one_geometry(gfn1, minimum):
    turned = [minimum.molecule, *(disulfane(angle) for angle in range(120, 450, 30)), minimum.molecule]
    found = path(gfn1, minimum, end=minimum.molecule, through=turned, max_force=2e-4)
    cis = relax(disulfane(0), gfn1[1](), TIGHT, targets=[held(TORSION, 0.0)])
    assert max(found.energies) == pytest.approx(cis.result.energy, abs=3e-5)
    assert found.energies[-1] == pytest.approx(found.energies[0], abs=1e-7)


def test_the_first_guess_is_spread_evenly_through_what_it_leads_through(gfn1, minimum):
    """However unevenly that lies on the way, and however it is turned and shifted."""
    turned = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    through = [disulfane(angle) for angle in (100, 105, 180)]
    through = [each.moved(each.geometry @ turned + 3.0) for each in through]
    guess = PathSearch(
        molecule=disulfane(90),
        end=disulfane(270),
        through=through,
        level=gfn1[0],
        n_images=5,
        max_force=1.0,
        max_steps=1,
    )
    angles = [measured(TORSION, each.geometry, 180) for each in find_path(guess, gfn1[1], lambda line: None).images]
    assert angles == pytest.approx([90, 120, 150, 180, 210, 240, 270], abs=3)


def test_a_band_that_does_not_converge_is_an_error_with_its_history(gfn1, minimum):
    with pytest.raises(ConvergenceError, match="not converged in 3 steps of the band") as error:
        path(gfn1, minimum, max_steps=3)
    assert error.value.history


def test_there_is_no_path_between_one_geometry_and_itself(gfn1, minimum):
    with pytest.raises(InputError, match="the same geometry"):
        path(gfn1, minimum, end=minimum.molecule)


def test_the_ends_must_list_the_same_atoms(gfn1, minimum):
    other = Molecule(symbols=("H", "S", "S", "H"), geometry=minimum.molecule.geometry)
    with pytest.raises(ValueError, match="differ in their atoms"):
        path(gfn1, minimum, end=other)
