"""The steps file of a relaxation: what is saved, when, and what becomes of a damaged or foreign one."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.optimize import steps_file
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame, QuasiNewton
from qcdriver.optimize.relax import relax
from qcdriver.optimize.vibrations import derivatives

PEROXIDE = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0, 0, 1.37], [0, 0, -1.37], [-0.6, 1.7, 1.7], [1.8, 0.0, -1.7]],
)
UNTIL = Convergence(max_force=1e-4, energy_change=1e-7, max_steps=50)


class Killed(BaseException):
    """Stands for SIGKILL."""


class Counted(Calculation):
    """Counts gradients of GFN1-xTB, and is killed instead of one of them."""

    def __init__(self, killed_at=None):
        engine = find("tblite")
        self._inner = engine.prepare(PEROXIDE, engine.level(Model(method="GFN1-xTB")), Resources(), lambda _: None)
        self.killed_at, self.geometries = killed_at, []

    def compute(self, geometry, driver):
        if len(self.geometries) + 1 == self.killed_at:
            raise Killed
        self.geometries.append(np.array(geometry))
        return self._inner.compute(geometry, driver)


@pytest.fixture
def every_gradient_is_worth_it(monkeypatch):
    monkeypatch.setattr(steps_file, "WORTH_S", -1.0)


@pytest.mark.usefixtures("every_gradient_is_worth_it")
@pytest.mark.parametrize("killed_at", [2, 3, 5])
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, killed_at):
    whole = Counted()
    expected = relax(PEROXIDE, whole, UNTIL)
    assert expected.n_gradients > 5

    path, first, lines = tmp_path / "a.steps", Counted(killed_at), []
    with pytest.raises(Killed):
        relax(PEROXIDE, first, UNTIL, steps_file=path)
    second = Counted()
    found = relax(PEROXIDE, second, UNTIL, steps_file=path, progress=lines.append)
    assert len(first.geometries) + len(second.geometries) == len(whole.geometries)
    for one, other in zip([*first.geometries, *second.geometries], whole.geometries, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert found.resumed_after == killed_at - 1
    assert found.n_gradients == expected.n_gradients
    assert found.energies == pytest.approx(expected.energies, abs=1e-7)
    assert lines[0] == f"goes on after {killed_at - 1} gradients of an earlier try"


@pytest.mark.usefixtures("every_gradient_is_worth_it")
def test_what_was_converged_when_it_was_killed_needs_no_gradient(tmp_path):
    path = tmp_path / "a.steps"
    expected = relax(PEROXIDE, Counted(), UNTIL, steps_file=path)
    assert relax(PEROXIDE, Counted(1), UNTIL, steps_file=path).energies == expected.energies


def test_gradients_that_cost_nothing_are_not_written(tmp_path):
    relax(PEROXIDE, Counted(), UNTIL, steps_file=tmp_path / "folder" / "a.steps")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("every_gradient_is_worth_it")
@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "another molecule"])
def test_a_file_that_does_not_fit_is_told_and_stepped_over(tmp_path, damage):
    path, lines = tmp_path / "a.steps", []
    relax(PEROXIDE, Counted(), UNTIL, steps_file=path)
    whole = path.read_bytes()
    if damage == "another molecule":
        with np.load(path) as saved:
            content = dict(saved)
        content["geometry"] = content["geometry"][:3]
        with path.open("wb") as file:
            np.savez(file, **content)
    else:
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "garbage": b"no numbers"}[damage])
    found = relax(PEROXIDE, Counted(), UNTIL, steps_file=path, progress=lines.append)
    assert (found.resumed_after, lines[0][:12]) == (0, "begins anew:")


@pytest.mark.usefixtures("every_gradient_is_worth_it")
def test_a_disk_that_refuses_the_file_costs_the_restart_and_not_the_relaxation(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    lines = []
    found = relax(PEROXIDE, Counted(), UNTIL, steps_file=tmp_path / "file" / "a.steps", progress=lines.append)
    assert found.max_force <= UNTIL.max_force
    assert sum(line.startswith("cannot go on from here after a kill") for line in lines) == 1


def hessian_of(molecule):
    return derivatives(Counted(), molecule.geometry, np.arange(len(molecule.symbols)), 0.005, lambda _: None)[0]


def test_a_taught_hessian_is_the_models_own_at_its_geometry():
    minimum = relax(PEROXIDE, Counted(), UNTIL).molecule
    hessian = hessian_of(minimum)
    frame = Frame(InternalCoordinates(minimum), minimum.geometry, np.arange(hessian.shape[0]))
    model = QuasiNewton()
    model.teach(frame, hessian)
    vibrating = np.linalg.eigh(hessian)[1][:, 6:]  # the others move and turn the whole
    product = np.array([model.model(frame).product(vector) for vector in vibrating.T]).T
    assert vibrating.T @ product == pytest.approx(vibrating.T @ hessian @ vibrating, abs=1e-8)


@pytest.mark.usefixtures("every_gradient_is_worth_it")
def test_with_its_own_hessian_it_takes_fewer_gradients_and_a_killed_one_keeps_it(tmp_path):
    without, path, first = relax(PEROXIDE, Counted(), UNTIL), tmp_path / "a.steps", Counted(3)
    with pytest.raises(Killed):
        relax(PEROXIDE, first, UNTIL, steps_file=path, start_hessian=lambda: hessian_of(PEROXIDE))
    found = relax(PEROXIDE, Counted(), UNTIL, steps_file=path, start_hessian=lambda: pytest.fail("computed again"))
    whole = relax(PEROXIDE, Counted(), UNTIL, start_hessian=lambda: hessian_of(PEROXIDE))
    assert found.n_gradients == whole.n_gradients < without.n_gradients
    assert (found.began_with_hessian, without.began_with_hessian) == (True, False)
    assert found.result.energy == pytest.approx(without.result.energy, abs=1e-6)


def test_where_the_hessian_cannot_be_computed_the_model_hessian_stays():
    found = relax(PEROXIDE, Counted(), UNTIL, start_hessian=lambda: None)
    assert not found.began_with_hessian
