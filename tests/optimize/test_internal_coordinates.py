"""Internal coordinates and the quadratic model in them: exact derivatives, complete, convex, curved steps."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as ase_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from qcdriver.models.molecule import Molecule
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame, Quadratic, QuasiNewton, bounded_step, longest
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM


def butane() -> Molecule:
    atoms = ase_molecule("trans-butane")
    return Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)


def everything(molecule: Molecule) -> np.ndarray:
    return np.arange(molecule.geometry.size)


def test_derivatives_are_those_of_the_values() -> None:
    molecule = butane()
    internals = InternalCoordinates(molecule)
    _, derivatives, _ = internals.measure(molecule.geometry)
    direction = np.random.default_rng(0).normal(size=molecule.geometry.shape)
    h = 1e-5
    up, down = (internals.measure(molecule.geometry + sign * h * direction)[0] for sign in (1, -1))
    expected = internals.difference(up, down) / (2 * h)
    np.testing.assert_allclose(derivatives @ direction.ravel(), expected, atol=1e-7)


def test_the_model_hessian_of_the_rod_is_convex_and_knows_stiff_from_soft() -> None:
    rod = build_rod(RodModel())
    curvatures = np.linalg.eigvalsh(Frame(InternalCoordinates(rod), rod.geometry, everything(rod)).hessian.toarray())
    assert 0 < curvatures[0] < 2e-3
    assert 0.3 < curvatures[-1] < 3.0


def test_an_internal_gradient_is_the_cartesian_one_in_other_words() -> None:
    molecule = butane()
    frame = Frame(InternalCoordinates(molecule), molecule.geometry, everything(molecule))
    gradient = np.random.default_rng(1).normal(size=molecule.geometry.size)
    nothing = np.zeros_like(frame.internal_gradient(gradient))
    np.testing.assert_allclose(frame.images(nothing, frame.internal_gradient(gradient))[1], gradient, atol=1e-10)


def test_a_step_turns_a_methyl_group_without_stretching_it() -> None:
    molecule = butane()
    end = next(i for i, s in enumerate(molecule.symbols) if s == "C")
    to_others = np.linalg.norm(molecule.geometry - molecule.geometry[end], axis=1)
    group = [i for i, s in enumerate(molecule.symbols) if s == "H" and to_others[i] < 2.3]
    neighbour = next(i for i, s in enumerate(molecule.symbols) if s == "C" and 0 < to_others[i] < 3.2)
    axis = molecule.geometry[end] - molecule.geometry[neighbour]
    step = np.zeros_like(molecule.geometry)
    arms = molecule.geometry[group] - molecule.geometry[end]
    step[group] = np.radians(25.0) * np.cross(axis / np.linalg.norm(axis), arms)

    frame = Frame(InternalCoordinates(molecule), molecule.geometry, everything(molecule))
    moved = frame.moved(step.ravel())
    bonds = np.linalg.norm(moved[group] - moved[end], axis=1)
    straight = np.linalg.norm(arms + step[group], axis=1)
    before = np.linalg.norm(arms, axis=1)
    assert (np.abs(bonds - before) < 0.1 * np.abs(straight - before)).all()
    assert longest((moved - molecule.geometry).ravel()) > 0.5


def test_what_one_gradient_difference_taught_is_in_the_hessian() -> None:
    molecule = butane()
    internals, free = InternalCoordinates(molecule), everything(molecule)
    rng = np.random.default_rng(2)
    # A quadratic surface: the gradient is stiffness times displacement.
    root = rng.normal(size=(len(free), len(free)))
    stiffness = 0.01 * root @ root.T + 0.1 * np.eye(len(free))
    step = 0.001 * rng.normal(size=len(free))
    before = Frame(internals, molecule.geometry, free)
    after = Frame(internals, molecule.geometry + step.reshape(-1, 3), free)
    memory = QuasiNewton()
    memory.learn(before, after, np.zeros(len(free)), stiffness @ step)
    model = memory.model(after)
    np.testing.assert_allclose(model.product(step), stiffness @ step, rtol=0.05, atol=1e-5)
    assert np.linalg.eigvalsh(dense(model, len(free)))[0] > 0


def dense(model: Quadratic, n: int) -> np.ndarray:
    return np.array([model.product(unit) for unit in np.eye(n)])


def test_what_many_gradient_differences_taught_is_solved_as_a_dense_matrix_would_be() -> None:
    molecule = butane()
    internals, free = InternalCoordinates(molecule), everything(molecule)
    rng = np.random.default_rng(4)
    root = rng.normal(size=(len(free), len(free)))
    stiffness = 0.01 * root @ root.T + 0.1 * np.eye(len(free))
    memory, geometry = QuasiNewton(), molecule.geometry
    frames = [Frame(internals, geometry, free)]
    gradients = [np.zeros(len(free))]
    for _ in range(12):
        step = 0.02 * rng.normal(size=len(free))
        geometry = geometry + step.reshape(-1, 3)
        frames.append(Frame(internals, geometry, free))
        gradients.append(gradients[-1] + stiffness @ step)
        memory.learn(*frames[-2:], *gradients[-2:])
    model = memory.model(frames[-1])
    whole = dense(model, len(free))
    np.testing.assert_allclose(whole, whole.T, atol=1e-12)
    assert np.linalg.eigvalsh(whole)[0] > 0
    forces = rng.normal(size=(len(free), 3))
    for shift in (0.0, 0.3):
        expected = np.linalg.solve(whole + shift * np.eye(len(free)), forces)
        np.testing.assert_allclose(model.solver(shift)(forces), expected, rtol=1e-7, atol=1e-9)


def exactly(hessian: np.ndarray) -> Quadratic:
    """A model whose Hessian is this, with a part of it in columns."""
    column = np.linspace(0.1, 0.4, len(hessian))
    return Quadratic(csc_array(hessian - np.outer(column, column)), column[None], np.ones(1))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), trust=st.floats(0.01, 100.0))
def test_a_step_stays_within_trust_and_leaves_held_coordinates_alone(seed: int, trust: float) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(12, 12))
    hessian, gradient, slopes = root @ root.T + 0.1 * np.eye(12), rng.normal(size=12), rng.normal(size=(2, 12))
    step = bounded_step(exactly(hessian), gradient, slopes, trust)
    assert longest(step) <= 1.1 * trust
    np.testing.assert_allclose(slopes @ step, 0.0, atol=1e-8)
    assert gradient @ step < 0


def test_an_unbounded_step_is_the_minimum_of_the_model() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(12, 12))
    hessian, gradient = root @ root.T + np.eye(12), rng.normal(size=12)
    step = bounded_step(exactly(hessian), gradient, np.zeros((0, 12)), trust=1e3)
    assert hessian @ step == pytest.approx(-gradient)
