"""Print how many gradients a relaxation takes, and how many ASE's LBFGS takes on the same problem.

    python tests/benchmarks/relaxation.py [--phosphine PPh3] [--limit N]

The rod at GFN1-xTB, to 2e-4 hartree/bohr (0.01 eV/Angstrom): free from the model, whose ligands GFN-FF has arranged
around the core; and with the twist held 6 deg from where that ended. A gradient is a whole SCF: counts are what costs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_STACKSIZE", "2G")

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import LBFGS

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.relaxation.coordinates import gradient, measured
from qcdriver.relaxation.driving import driven, onto_targets
from qcdriver.relaxation.relax import relax
from qcdriver.schema import Convergence, Model, Molecule, Relaxed, Resources, Target, held
from qcdriver.structures.au13ag12 import RodModel, build_rod
from qcdriver.structures.bonds import ligands
from qcdriver.structures.rod import twist_coordinate
from qcdriver.units import ANGSTROM, EV, EV_PER_ANGSTROM


class Engine(Calculator):
    """A `Calculation` as an ASE calculator."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, calculation: Calculation) -> None:
        super().__init__()
        self.calculation = calculation
        self.calls = 0

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        result = self.calculation.compute(atoms.positions / ANGSTROM, "gradient")
        self.results = {"energy": result.energy * EV, "forces": -result.gradient * EV_PER_ANGSTROM}


class Held:
    """Targets as an ASE constraint: forces projected, positions corrected."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets

    def adjust_positions(self, atoms: Atoms, new: np.ndarray) -> None:
        new[:] = onto_targets(new / ANGSTROM, self.targets) * ANGSTROM

    def adjust_forces(self, atoms: Atoms, forces: np.ndarray) -> None:
        slopes = np.array([gradient(t.coordinate, atoms.positions / ANGSTROM).ravel() for t in self.targets])
        taken_up = np.linalg.lstsq(slopes.T, forces.ravel(), rcond=None)[0]
        forces -= (taken_up @ slopes).reshape(-1, 3)


def lbfgs(
    molecule: Molecule, calculation: Calculation, until: Convergence, targets: Sequence[Target]
) -> tuple[str, float]:
    """Relax with ASE to the same criteria; the number of gradients and the energy."""
    engine = Engine(calculation)
    atoms = Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM, calculator=engine)
    if targets:
        atoms.set_constraint(Held(targets))
    energy, last = np.nan, np.nan
    for _ in LBFGS(atoms, logfile=None).irun(fmax=0.0, steps=until.max_steps):
        last, energy = energy, atoms.get_potential_energy() / EV
        quiet = np.abs(atoms.get_forces()).max() / EV_PER_ANGSTROM <= until.max_force
        if quiet and abs(energy - last) <= until.energy_change:
            return str(engine.calls), energy
    return f">{engine.calls}", energy


def prepare(molecule: Molecule, method: str) -> Calculation:
    """One thread: the count is what matters."""
    engine = find("xtb")
    return engine.prepare(molecule, engine.level(Model(method=method)), Resources(), lambda line: None)


def compare(name: str, start: Molecule, until: Convergence, targets: Sequence[Target] = ()) -> Relaxed:
    """Print a line of the table."""
    ours = relax(start, prepare(start, "GFN1-xTB"), until, targets=targets)
    count, energy = lbfgs(start, prepare(start, "GFN1-xTB"), until, targets)
    print(f"{name:28s}{ours.n_gradients:8d}{ours.result.energy:16.6f}{count:>12s}{energy:16.6f}", flush=True)
    return ours


def main() -> None:
    """Parse, relax, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phosphine", default="PH3", choices=["PH3", "PMe3", "PPh3"])
    parser.add_argument("--limit", type=int, default=500, help="steps after which a relaxation is given up")
    options = parser.parse_args()
    until = Convergence(max_force=2e-4, energy_change=1e-5, max_steps=options.limit)

    model = build_rod(RodModel(phosphine=options.phosphine, twist_deg=36.0))
    moving = {atom for ligand in ligands(model) if len(ligand) > 1 for atom in ligand if model.symbols[atom] != "P"}
    core = sorted(set(range(len(model.symbols))) - moving)
    start = relax(model, prepare(model, "GFN-FF"), until, frozen_atoms=core).molecule

    print(f"{options.phosphine + ' rod':28s}{'ours':>8s}{'hartree':>16s}{'ASE LBFGS':>12s}{'hartree':>16s}")
    free = compare("free, from the model", start, until).molecule
    twist = twist_coordinate(model)
    targets = [held(twist, measured(twist, free.geometry) + 6.0)]
    compare("twist held 6 deg away", driven(free, targets), until, targets)


if __name__ == "__main__":
    main()
