"""Print how much of a relaxation's CPU time is the relaxer's own, and how that grows with the number of atoms.

    python tests/benchmarks/relaxer_cost.py [--steps 10] [--atoms 101 374 1001 3002]

GFN-FF on one thread, whose gradients cost least. Alkanes of any length are distorted by 0.1 Angstrom and relaxed for a
few steps; `rotor` is Au13Ag12 with PPh3 (373 atoms). Seconds are CPU time a gradient, and the exponent is that of the
relaxer's own between one size and the next.
"""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from time import process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_STACKSIZE", "2G")

import numpy as np

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.optimize.relax import relax
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM


class Timed:
    """A calculation whose CPU time is counted."""

    def __init__(self, molecule: Molecule) -> None:
        engine = find("xtb")
        level = engine.level(Model(method="GFN-FF"))
        self._calculation = engine.prepare(molecule, level, Resources(), lambda line: None)
        self.seconds, self.calls = 0.0, 0

    def compute(self, geometry: np.ndarray, driver: str) -> Result:
        """Compute as the calculation does."""
        begun = process_time()
        result = self._calculation.compute(geometry, driver)
        self.seconds += process_time() - begun
        self.calls += 1
        return result


def alkane(n_atoms: int) -> Molecule:
    """A zigzag alkane of about so many atoms, distorted."""
    n_carbon = max(1, (n_atoms - 2) // 3)
    symbols, places = [], []
    for k in range(n_carbon):
        side = 1 if k % 2 else -1
        carbon = np.array([1.27 * k, 0.43 * side, 0.0])
        symbols += ["C", "H", "H"]
        places += [carbon, carbon + [0.0, 0.63 * side, 0.89], carbon + [0.0, 0.63 * side, -0.89]]
    for end, out in ((0, -0.95), (n_carbon - 1, 0.95)):
        side = 1 if end % 2 else -1
        symbols.append("H")
        places.append(np.array([1.27 * end + out, 0.43 * side - 0.55 * side, 0.0]))
    moved = np.array(places) + np.random.default_rng(1).normal(scale=0.1, size=(len(places), 3))
    return Molecule(symbols=tuple(symbols), geometry=moved / ANGSTROM)


def measure(molecule: Molecule, steps: int) -> tuple[float, float]:
    """CPU seconds a gradient: of the engine, and of all else."""
    timed = Timed(molecule)
    never = Convergence(max_force=1e-12, energy_change=1e-15, max_steps=steps)
    begun = process_time()
    with suppress(ConvergenceError):
        relax(molecule, timed, never)
    total = process_time() - begun
    return timed.seconds / timed.calls, (total - timed.seconds) / timed.calls


def main() -> None:
    """Print a line a molecule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--atoms", type=int, nargs="*", default=[101, 374, 1001, 3002])
    asked = parser.parse_args()
    print(f"{'':12s}{'atoms':>7s}{'engine s':>10s}{'own s':>10s}{'own share':>11s}{'exponent':>10s}")
    rotor = build_rod(RodModel(twist_deg=36.0, phosphine="PPh3"))
    last: tuple[int, float] | None = None
    for name, molecule in [("rotor", rotor), *(("alkane", alkane(n)) for n in asked.atoms)]:
        engine, own = measure(molecule, asked.steps)
        atoms = len(molecule.symbols)
        exponent = "" if last is None else f"{np.log(own / last[1]) / np.log(atoms / last[0]):10.2f}"
        print(f"{name:12s}{atoms:7d}{engine:10.3f}{own:10.3f}{own / (own + engine):11.0%}{exponent}", flush=True)
        last = None if name == "rotor" else (atoms, own)


if __name__ == "__main__":
    main()
