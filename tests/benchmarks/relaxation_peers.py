"""Relaxations by other programs from the same start, counted in gradients to the same criteria.

ASE's LBFGS, Sella (internal coordinates) and geomeTRIC (translation-rotation-internal coordinates), each with its own
defaults and its own convergence out of reach: the count ends with the first gradient that meets ours. Sella and
geomeTRIC are optional: `pip install sella geometric`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import LBFGS

from qcdriver.engines.base import Calculation
from qcdriver.geometry.coordinates import gradient
from qcdriver.models.coordinates import Target
from qcdriver.models.level import Convergence
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.optimize.driving import onto_targets
from qcdriver.units import ANGSTROM, EV, EV_PER_ANGSTROM


class CriteriaMet(Exception):  # noqa: N818
    """The last gradient met the criteria: nothing more is computed."""


class Counted(Calculation):
    """Counts the gradients of a calculation; raises `CriteriaMet` at the first that meets the criteria.

    Attributes
    ----------
    energies
        Of every geometry computed, hartree.
    """

    def __init__(self, calculation: Calculation, until: Convergence, targets: Sequence[Target] = ()) -> None:
        self._calculation, self._until, self._targets = calculation, until, targets
        self.energies: list[float] = []

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        result = self._calculation.compute(geometry, "gradient")
        assert result.gradient is not None
        self.energies.append(result.energy)
        force = np.abs(relaxed_gradient(result.gradient, geometry, self._targets)).max()
        quiet = len(self.energies) > 1 and abs(self.energies[-1] - self.energies[-2]) <= self._until.energy_change
        if force <= self._until.max_force and quiet:
            raise CriteriaMet
        if len(self.energies) > self._until.max_steps:
            raise RuntimeError("more gradients than allowed")
        return result


def relaxed_gradient(slope: np.ndarray, geometry: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
    """Subtract from a gradient, (natoms, 3), what held coordinates take up."""
    if not targets:
        return slope
    slopes = np.array([gradient(t.coordinate, geometry).ravel() for t in targets])
    taken_up = np.linalg.lstsq(slopes.T, slope.ravel(), rcond=None)[0]
    return slope - (taken_up @ slopes).reshape(-1, 3)


class Engine(Calculator):
    """A `Calculation` as an ASE calculator."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, calculation: Calculation) -> None:
        super().__init__()
        self.calculation = calculation

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        result = self.calculation.compute(atoms.positions / ANGSTROM, "gradient")
        self.results = {"energy": result.energy * EV, "forces": -result.gradient * EV_PER_ANGSTROM}


class Held:
    """Targets as an ASE constraint: forces projected, positions corrected."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets

    def adjust_positions(self, atoms: Atoms, new: np.ndarray) -> None:
        new[:] = onto_targets(new / ANGSTROM, self.targets) * ANGSTROM

    def adjust_forces(self, atoms: Atoms, forces: np.ndarray) -> None:
        forces[:] = relaxed_gradient(forces, atoms.positions / ANGSTROM, self.targets)


def as_atoms(molecule: Molecule, calculation: Calculation) -> Atoms:
    """With the calculation as calculator."""
    return Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM, calculator=Engine(calculation))


def ase_lbfgs(molecule: Molecule, calculation: Calculation, targets: Sequence[Target] = ()) -> None:
    """Relax with ASE's LBFGS."""
    atoms = as_atoms(molecule, calculation)
    if targets:
        atoms.set_constraint(Held(targets))
    LBFGS(atoms, logfile=None).run(fmax=0.0, steps=10000)


def sella(molecule: Molecule, calculation: Calculation) -> None:
    """Relax with Sella in internal coordinates; parts of a molecule without bonds between them are allowed."""
    from sella import Sella

    atoms = as_atoms(molecule, calculation)
    Sella(atoms, order=0, internal=True, logfile=None, allow_fragments=True).run(fmax=0.0, steps=10000)


def geometric(molecule: Molecule, calculation: Calculation) -> None:
    """Relax with geomeTRIC in translation-rotation-internal coordinates, its default."""
    import geometric.engine
    import geometric.internal
    import geometric.molecule
    import geometric.optimize
    import geometric.params

    class Behind(geometric.engine.Engine):
        def calc_new(self, coords: np.ndarray, dirname: str) -> dict[str, object]:
            result = calculation.compute(coords.reshape(-1, 3), "gradient")
            return {"energy": result.energy, "gradient": result.gradient.ravel()}

    topology = geometric.molecule.Molecule()
    topology.elem = list(molecule.symbols)
    topology.xyzs = [molecule.geometry * ANGSTROM]
    topology.build_topology()
    internals = geometric.internal.DelocalizedInternalCoordinates(topology, build=True, connect=False, addcart=False)
    never = ("energy", "grms", "gmax", "drms", "dmax")
    params = geometric.params.OptParams(maxiter=10000, **{f"convergence_{name}": 1e-14 for name in never})
    with tempfile.TemporaryDirectory() as folder:
        geometric.optimize.Optimize(
            molecule.geometry.ravel(), topology, internals, Behind(topology), folder, params, print_info=False
        )


PEERS: dict[str, Callable[[Molecule, Calculation], None]] = {"ase": ase_lbfgs, "sella": sella, "geometric": geometric}


def versions() -> dict[str, str]:
    """Versions of the peers that are installed."""
    found = {}
    for name in PEERS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def count(peer: Callable[[Molecule, Calculation], None], molecule: Molecule, counted: Counted) -> int | None:
    """Count the gradients of a relaxation; None if the program gives up or takes too many."""
    logging.getLogger("geometric").setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            peer(molecule, counted)
    except CriteriaMet:
        return len(counted.energies)
    except Exception as error:
        logging.getLogger(__name__).warning("%s: %s", molecule.formula, error)
    return None
