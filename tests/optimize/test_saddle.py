"""From near the top of a path to the saddle itself, also where the way up is flat."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError
from qcdriver.geometry.coordinates import gradient, measured
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SaddleSearch
from qcdriver.optimize.relax import relax
from qcdriver.optimize.saddle import find_saddle
from qcdriver.units import ANGSTROM

TIGHT = Convergence(max_force=2e-5, energy_change=1e-8, max_steps=60)
TORSION = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))


def disulfane(torsion_deg):
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


def search(gfn1, start, **changed):
    settings = {"level": gfn1[0], "along": gradient(TORSION, start.geometry), "convergence": TIGHT}
    return find_saddle(SaddleSearch(molecule=start, **settings | changed), gfn1[1](), lambda line: None)


@pytest.mark.parametrize(("planar", "start"), [(0.0, 12.0), (0.0, -25.0), (180.0, 150.0)])
def test_the_saddle_is_the_planar_form_with_its_energy(gfn1, planar, start):
    """Started off the plane and with bonds that are not relaxed."""
    found = search(gfn1, disulfane(start))
    assert abs(measured(TORSION, found.molecule.geometry)) == pytest.approx(planar, abs=0.1)
    direct = relax(disulfane(planar), gfn1[1](), TIGHT, targets=[held(TORSION, planar)])
    assert found.result.energy == pytest.approx(direct.result.energy, abs=1e-8)
    assert found.max_force <= 2e-5
    assert found.n_gradients == len(found.energies) <= 14


def methyl_thiocyanate(torsion_deg):
    """CH3-S-C#N; the torsion is that of one hydrogen against the nitrile, 0 where they eclipse."""
    outward = np.radians(99.0)
    direction = np.array([-np.cos(outward), np.sin(outward), 0.0])
    sulfur = np.array([1.81, 0.0, 0.0])
    turns = np.radians(torsion_deg + np.array([0.0, 120.0, 240.0]))
    hydrogens = [(-0.36, 1.03 * np.cos(turn), 1.03 * np.sin(turn)) for turn in turns]
    places = [(0.0, 0.0, 0.0), sulfur, sulfur + 1.69 * direction, sulfur + 2.85 * direction, *hydrogens]
    return Molecule(symbols=("C", "S", "C", "N", "H", "H", "H"), geometry=np.array(places) / ANGSTROM)


@pytest.mark.parametrize("start_deg", [-20.0, 12.0, 25.0])
def test_the_saddle_of_a_methyl_group_beside_a_nitrile_is_found(start_deg):
    start = methyl_thiocyanate(start_deg)
    torsions = [Torsion(kind="dihedral", quadruples=((hydrogen, 0, 1, 2),)) for hydrogen in (4, 5, 6)]
    engine = find("tblite")
    if missing := engine.missing():
        pytest.skip(missing)
    level = engine.level(Model(method="GFN1-xTB"))
    along = sum(gradient(torsion, start.geometry) for torsion in torsions)
    task = SaddleSearch(molecule=start, level=level, along=along, convergence=TIGHT)
    found = find_saddle(task, engine.prepare(start, level, Resources(), lambda line: None), lambda line: None)
    assert measured(torsions[0], found.molecule.geometry) == pytest.approx(0.0, abs=0.5)
    assert found.n_gradients <= 16


def test_a_search_that_runs_out_of_steps_is_an_error_with_its_history(gfn1):
    few = TIGHT.model_copy(update={"max_steps": 2})
    with pytest.raises(ConvergenceError, match="saddle: not converged in 2 steps; the largest force is") as error:
        search(gfn1, disulfane(12.0), convergence=few)
    assert len(error.value.history) == 3


@pytest.mark.parametrize("along", [np.zeros((4, 3)), np.ones((3, 3))])
def test_a_direction_that_is_none_is_refused(gfn1, along):
    with pytest.raises(ValueError, match="no direction for H2S2"):
        search(gfn1, disulfane(10.0), along=along)
