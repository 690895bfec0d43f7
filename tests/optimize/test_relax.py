"""Relaxation: known minima, what is held or frozen, what is refused, and how many gradients it takes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule as ase_molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.cluster import Icosahedron
from ase.optimize import LBFGS
from scipy.optimize import minimize

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.errors import ConvergenceError, InputError, UnphysicalError
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Angle, Combination, Coordinate, Distance, Term, Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.optimize.driving import driven
from qcdriver.optimize.relax import relax
from qcdriver.systems.au13ag12.measures import belt_coordinate, twist_coordinate
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM, EV, EV_PER_ANGSTROM

TIGHT = Convergence(max_force=2e-4, energy_change=1e-5, max_steps=200)
DIHEDRAL = Torsion(kind="dihedral", quadruples=((0, 1, 2, 3),))


class AseCalculation(Calculation):
    """An ASE calculator behind the contract; keeps every geometry asked for."""

    def __init__(self, symbols: tuple[str, ...], calculator: Calculator) -> None:
        self.atoms = Atoms(symbols, calculator=calculator)
        self.seen: list[np.ndarray] = []

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        self.seen.append(geometry.copy())
        self.atoms.positions = geometry * ANGSTROM
        return Result(
            energy=self.atoms.get_potential_energy() / EV, gradient=-self.atoms.get_forces() / EV_PER_ANGSTROM
        )


class Recorded(Calculation):
    """Keeps every geometry asked for."""

    def __init__(self, calculation: Calculation) -> None:
        self.calculation, self.seen = calculation, []

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        self.seen.append(geometry.copy())
        return self.calculation.compute(geometry, driver)


def gfn1(molecule: Molecule) -> Recorded:
    engine = find("xtb")
    if lack := engine.missing():
        pytest.skip(lack)
    level = engine.level(Model(method="GFN1-xTB"))
    return Recorded(engine.prepare(molecule, level, Resources(), lambda line: None))


def as_molecule(atoms: Atoms, rattle: float = 0.0, seed: int = 0) -> Molecule:
    """Rattle in bohr."""
    shift = np.random.default_rng(seed).normal(0, rattle, atoms.positions.shape)
    charge_that_pairs_all = int(atoms.numbers.sum()) % 2
    return Molecule(
        symbols=tuple(atoms.symbols),
        geometry=atoms.positions / ANGSTROM + shift,
        molecular_charge=charge_that_pairs_all,
    )


def hydrogen_peroxide(internals: tuple[float, ...]) -> Molecule:
    """H-O-O-H from O-H, O-O, O-H (Angstrom), two angles and the dihedral (deg)."""
    oh, oo, ho, first, second, dihedral = internals
    first, second, dihedral = np.radians((first, second, dihedral))
    sine, cosine = ho * np.sin(second), ho * np.cos(second)
    geometry = [
        (oh * np.sin(first), 0.0, oh * np.cos(first)),
        (0.0, 0.0, 0.0),
        (0.0, 0.0, oo),
        (sine * np.cos(dihedral), sine * np.sin(dihedral), oo - cosine),
    ]
    return Molecule(symbols=("H", "O", "O", "H"), geometry=np.array(geometry) / ANGSTROM)


def lbfgs_gradients(molecule: Molecule, calculator: Calculator) -> int:
    """Count what ASE's LBFGS needs to the same criteria."""
    atoms = Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM, calculator=calculator)
    optimizer = LBFGS(atoms, logfile=None)
    energies: list[float] = []
    for _ in optimizer.irun(fmax=0.0, steps=1000):
        energies.append(atoms.get_potential_energy() / EV)
        quiet = np.abs(atoms.get_forces()).max() / EV_PER_ANGSTROM <= TIGHT.max_force
        if quiet and len(energies) > 1 and abs(energies[-1] - energies[-2]) <= TIGHT.energy_change:
            break
    return len(energies)


def test_a_lennard_jones_cluster_finds_its_known_minimum() -> None:
    # 13 atoms: -44.326801 epsilon (Wales and Doye 1997, doi:10.1021/jp970984n).
    epsilon, sigma = 0.1, 3.4
    atoms = Icosahedron("Ar", 2, latticeconstant=sigma * 2 ** (1 / 6) * np.sqrt(2))
    molecule = as_molecule(atoms, rattle=0.5)
    calculation = AseCalculation(molecule.symbols, LennardJones(epsilon=epsilon, sigma=sigma, rc=1000.0))
    done = relax(molecule, calculation, Convergence(max_force=1e-6, energy_change=1e-9, max_steps=300))
    assert done.result.energy * EV / epsilon == pytest.approx(-44.326801, abs=1e-5)
    assert done.max_force <= 1e-6
    assert done.n_gradients == len(calculation.seen)
    np.testing.assert_array_equal(done.molecule.geometry, calculation.seen[-1])


@pytest.mark.parametrize("metal", ["Au", "Cu"])
def test_a_metal_cluster_takes_at_most_half_the_gradients_of_lbfgs(metal: str) -> None:
    molecule = as_molecule(Icosahedron(metal, 3), rattle=0.3)
    done = relax(molecule, AseCalculation(molecule.symbols, EMT()), TIGHT)
    assert done.n_gradients <= lbfgs_gradients(molecule, EMT()) / 2


ROUGH = (1.05, 1.60, 0.95, 95.0, 110.0, 100.0)


def test_a_scan_point_of_hydrogen_peroxide_is_that_of_a_direct_search() -> None:
    start = hydrogen_peroxide(ROUGH)
    calculation = gfn1(start)
    for dihedral in (60.0, 180.0):
        targets = [held(DIHEDRAL, dihedral)]
        point = relax(driven(start, targets), gfn1(start), TIGHT, targets=targets)

        def energy(free: np.ndarray, dihedral: float = dihedral) -> float:
            geometry = hydrogen_peroxide((*free, dihedral)).geometry
            return calculation.compute(geometry, "energy").energy

        search = minimize(
            energy, ROUGH[:5], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2000}
        )
        assert search.success
        assert point.result.energy == pytest.approx(search.fun, abs=2e-6)
        assert point.reached == pytest.approx((dihedral,), abs=1e-6)


def test_a_held_coordinate_holds_at_every_geometry_computed() -> None:
    start = hydrogen_peroxide(ROUGH)
    for value in (93.0, 107.0):
        calculation = gfn1(start)
        relax(start, calculation, TIGHT, targets=[held(DIHEDRAL, value)])
        reached = [measured(DIHEDRAL, geometry) for geometry in calculation.seen]
        assert reached == pytest.approx([value] * len(reached), abs=1e-3)


def test_what_a_held_coordinate_takes_up_is_no_force() -> None:
    targets = [held(DIHEDRAL, 60.0)]
    start = driven(hydrogen_peroxide(ROUGH), targets)
    point = relax(start, gfn1(start), TIGHT, targets=targets)
    free = relax(start, gfn1(start), TIGHT)
    assert point.max_force <= TIGHT.max_force
    assert np.abs(point.result.gradient).max() > 10 * TIGHT.max_force
    assert point.result.energy > free.result.energy + 1e-3


DIFFERENCE = Combination(
    terms=(
        Term(weight=1.0, coordinate=Distance(atoms=(1, 2))),
        Term(weight=-1.0, coordinate=Distance(atoms=(0, 1))),
    )
)


@pytest.mark.parametrize(
    ("coordinate", "by"),
    [(Distance(atoms=(1, 2)), 0.2), (Angle(atoms=(0, 1, 2)), 8.0), (DIHEDRAL, 30.0), (DIFFERENCE, 0.2)],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_any_coordinate_is_held_and_costs_least_at_the_free_minimum(coordinate: Coordinate, by: float) -> None:
    start = hydrogen_peroxide(ROUGH)
    free = relax(start, gfn1(start), TIGHT)
    rest = measured(coordinate, free.molecule.geometry)
    energies = []
    for value in (rest - by, rest, rest + by):
        targets = [held(coordinate, value)]
        calculation = gfn1(start)
        point = relax(driven(free.molecule, targets), calculation, TIGHT, targets=targets)
        reached = [measured(coordinate, geometry, value) for geometry in calculation.seen]
        assert reached == pytest.approx([value] * len(reached), abs=1e-6)
        assert point.reached == pytest.approx((value,), abs=1e-6)
        energies.append(point.result.energy)
    assert energies[1] == pytest.approx(free.result.energy, abs=2e-6)
    assert min(energies[0], energies[2]) > energies[1] + 1e-4


def test_twist_and_belt_of_the_rod_are_held_together() -> None:
    rod = build_rod(RodModel())
    coordinates = twist_coordinate(rod), belt_coordinate(rod)
    targets = [held(each, value) for each, value in zip(coordinates, (6.0, 3.0), strict=True)]
    engine = find("xtb")
    if lack := engine.missing():
        pytest.skip(lack)
    calculation = Recorded(engine.prepare(rod, engine.level(Model(method="GFN-FF")), Resources(), lambda line: None))
    rough = Convergence(max_force=5e-3, energy_change=1e-3, max_steps=60)
    point = relax(driven(rod, targets), calculation, rough, targets=targets)
    assert point.reached == pytest.approx((6.0, 3.0), abs=1e-6)
    for geometry in calculation.seen:
        values = [measured(each, geometry) for each in coordinates]
        assert values == pytest.approx([6.0, 3.0], abs=1e-6)


def test_frozen_atoms_do_not_move_at_all() -> None:
    molecule = as_molecule(Icosahedron("Cu", 2), rattle=0.2)
    calculation = AseCalculation(molecule.symbols, EMT())
    frozen = (0, 3, 7)
    done = relax(molecule, calculation, TIGHT, frozen_atoms=frozen)
    for geometry in (*calculation.seen, done.molecule.geometry):
        np.testing.assert_array_equal(geometry[list(frozen)], molecule.geometry[list(frozen)])
    moved = np.linalg.norm(done.molecule.geometry - molecule.geometry, axis=1)
    assert (np.delete(moved, frozen) > 1e-3).all()
    free = np.delete(done.result.gradient, frozen, axis=0)
    assert np.abs(free).max() == pytest.approx(done.max_force)


def test_the_input_is_left_as_it_was() -> None:
    molecule = hydrogen_peroxide(ROUGH)
    before = molecule.geometry.copy()
    done = relax(molecule, gfn1(molecule), TIGHT)
    np.testing.assert_array_equal(molecule.geometry, before)
    assert done.molecule.symbols == molecule.symbols


@pytest.mark.parametrize("seed", range(3))
def test_from_a_rough_start_the_energy_falls_at_every_accepted_step(seed: int) -> None:
    molecule = as_molecule(Icosahedron("Au", 2), rattle=1.0, seed=seed)
    done = relax(molecule, AseCalculation(molecule.symbols, EMT()), TIGHT)
    assert (np.diff(done.energies) <= TIGHT.energy_change).all()
    assert done.energies[-1] == done.result.energy


def test_a_relaxed_structure_is_confirmed_by_two_gradients() -> None:
    molecule = as_molecule(Icosahedron("Cu", 2))
    once = relax(molecule, AseCalculation(molecule.symbols, EMT()), TIGHT)
    again = relax(once.molecule, AseCalculation(molecule.symbols, EMT()), TIGHT)
    assert again.n_gradients == 2


def test_unconverged_is_an_error_with_its_history() -> None:
    molecule = as_molecule(Icosahedron("Cu", 2), rattle=0.5)
    few = Convergence(max_force=1e-6, energy_change=1e-9, max_steps=3)
    with pytest.raises(ConvergenceError, match="not converged in 3 steps") as caught:
        relax(molecule, AseCalculation(molecule.symbols, EMT()), few)
    assert len(caught.value.history) == 4
    assert set(caught.value.history[0]) == {"energy", "max_force"}


def test_an_scf_that_fails_is_the_error_that_comes_out() -> None:
    class Failing(Calculation):
        def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
            raise ConvergenceError("SCF not converged in 100 cycles")

    with pytest.raises(ConvergenceError, match="SCF not converged"):
        relax(hydrogen_peroxide(ROUGH), Failing(), TIGHT)


def test_a_surface_with_a_jump_is_crossed() -> None:
    """A force field's energy jumps where a term is switched; a step that only sees the jump must not be the end."""

    class Jump(AseCalculation):
        def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
            result = super().compute(geometry, driver)
            beyond = len(self.seen) > 8  # when a step lowers the energy by 1e-4
            return result.model_copy(update={"energy": result.energy + 1e-3 * beyond})

    molecule = as_molecule(Icosahedron("Cu", 2), rattle=0.5)
    done = relax(molecule, Jump(molecule.symbols, EMT()), TIGHT)
    assert done.max_force <= TIGHT.max_force


@pytest.mark.parametrize("error", [ConvergenceError, UnphysicalError])
def test_a_step_to_where_the_engine_fails_is_taken_shorter(error: type[Exception]) -> None:
    """As where libxtb's gradient is infinite, on the way to a minimum where it is not."""

    class Failing(AseCalculation):
        last: np.ndarray | None = None

        def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
            if self.last is not None and np.linalg.norm(geometry - self.last, axis=1).max() > 0.2:
                raise error("no number here")
            self.last = geometry.copy()
            return super().compute(geometry, driver)

    molecule = as_molecule(Icosahedron("Cu", 2), rattle=0.5)
    done = relax(molecule, Failing(molecule.symbols, EMT()), TIGHT)
    free = relax(molecule, AseCalculation(molecule.symbols, EMT()), TIGHT)
    assert done.result.energy == pytest.approx(free.result.energy, abs=1e-5)


@pytest.mark.parametrize(
    ("frozen", "message"), [((4,), "frozen atom 4 does not exist"), (range(4), "every atom is frozen")]
)
def test_impossible_frozen_atoms_are_refused(frozen: tuple[int, ...], message: str) -> None:
    molecule = hydrogen_peroxide(ROUGH)
    with pytest.raises(InputError, match=message):
        relax(molecule, AseCalculation(molecule.symbols, EMT()), TIGHT, frozen_atoms=frozen)


def test_a_target_that_only_frozen_atoms_could_meet_is_refused() -> None:
    peroxide = hydrogen_peroxide(ROUGH)
    molecule = Molecule(symbols=(*peroxide.symbols, "He"), geometry=np.vstack([peroxide.geometry, [9.0, 9.0, 9.0]]))
    calculation, target = AseCalculation(molecule.symbols, EMT()), held(DIHEDRAL, 95.0)
    with pytest.raises(InputError, match="cannot be met"):
        relax(molecule, calculation, TIGHT, frozen_atoms=range(4), targets=[target])


def test_a_start_far_from_its_target_is_refused() -> None:
    molecule = hydrogen_peroxide(ROUGH)
    calculation, target = AseCalculation(molecule.symbols, EMT()), held(DIHEDRAL, -100.0)
    with pytest.raises(InputError, match="too far from -100: drive it there first"):
        relax(molecule, calculation, TIGHT, targets=[target])


@pytest.mark.parametrize(
    ("coordinate", "value", "message"),
    [
        (Distance(atoms=(1, 2)), 4.0, r"distance \[1, 2\] = 3.02 bohr, too far from 4: drive it there first"),
        (Angle(atoms=(0, 1, 2)), 120.0, r"angle \[0, 1, 2\] = 95.0 deg, too far from 120"),
    ],
    ids=["length", "angle"],
)
def test_what_is_too_far_is_said_in_its_unit(coordinate: Coordinate, value: float, message: str) -> None:
    molecule = hydrogen_peroxide(ROUGH)
    calculation = AseCalculation(molecule.symbols, EMT())
    with pytest.raises(InputError, match=message):
        relax(molecule, calculation, TIGHT, targets=[held(coordinate, value)])


def test_a_chain_of_stiff_bonds_and_soft_turns_takes_few_gradients() -> None:
    # 8 when written (GFN1-xTB, xtb 22.1; ASE 3.29 LBFGS 27).
    molecule = as_molecule(ase_molecule("trans-butane"), rattle=0.15)
    assert relax(molecule, gfn1(molecule), TIGHT).n_gradients <= 15


class Colliding(Calculation):
    """Refuses, as an engine does, every geometry but the first."""

    def __init__(self):
        self.calls = 0

    def compute(self, geometry, driver):
        self.calls += 1
        if self.calls > 1:
            raise InputError("atoms 0 and 1 are 0.1 Angstrom apart")
        return Result(energy=0.0, gradient=np.ones_like(geometry))


def test_a_step_into_a_collision_fails_this_relaxation_and_is_no_mistake_of_the_user():
    molecule = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]])
    with pytest.raises(ConvergenceError, match="a step led where nothing can be computed"):
        relax(molecule, Colliding(), Convergence(max_force=1e-4, energy_change=1e-6, max_steps=5))
