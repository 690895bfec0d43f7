"""Print how many gradients a relaxation takes, here and by other programs from the same start.

    python tests/benchmarks/relaxation.py g2 [--peers ase sella geometric]
    python tests/benchmarks/relaxation.py linear [--peers ...]
    python tests/benchmarks/relaxation.py rod [--phosphine PPh3]

GFN1-xTB on one thread, to a largest force component of 2e-4 hartree/bohr and an energy change of 1e-5 hartree. A
gradient is a whole SCF: counts are what costs. `g2` are the closed-shell molecules of 6 to 16 atoms, distorted by
0.08 Angstrom; `linear` have angles of 180 degrees; `rod` is the Au13Ag12 rod free from its model, whose ligands GFN-FF
has arranged around the core, and with the twist held 6 deg from where that ended.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from importlib import metadata

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_STACKSIZE", "2G")

import numpy as np
import relaxation_molecules as starts
from relaxation_peers import PEERS, Counted, ase_lbfgs, count, versions

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.errors import ConvergenceError
from qcdriver.geometry.bonds import ligands
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Target, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.optimize.driving import driven
from qcdriver.optimize.relax import relax
from qcdriver.systems.au13ag12.measures import twist_coordinate
from qcdriver.systems.au13ag12.model import RodModel, build_rod


def prepare(molecule: Molecule, method: str) -> Calculation:
    """One thread: the count is what matters."""
    engine = find("xtb")
    return engine.prepare(molecule, engine.level(Model(method=method)), Resources(), lambda line: None)


def cases(which: str) -> Iterator[tuple[str, Molecule]]:
    """Names and starts of a set."""
    if which == "g2":
        for name in starts.g2_names():
            yield name, starts.distorted(starts.from_g2(name), 0.08)
        return
    molecules = {name: starts.from_g2(name) for name in (*starts.LINEAR, *starts.LINEAR_PARTS)} | starts.constructed()
    for name, molecule in molecules.items():
        for by in (0.03, 0.08):
            yield f"{name} {by:.2f}", starts.distorted(molecule, by)


def compare(which: str, peers: Sequence[str], until: Convergence) -> None:
    """Print a line a molecule: gradients by ours and by the peers, and the energies where they differ."""
    print("xtb", metadata.version("xtb"), *(f"{name} {version}" for name, version in versions().items()))
    print(f"{'':24s}{'ours':>8s}", *(f"{name:>10s}" for name in peers), f"{'ours/best':>10s}")
    totals = np.zeros(1 + len(peers))
    for name, start in cases(which):
        try:
            done = relax(start, prepare(start, "GFN1-xTB"), until)
            counts, energies = [done.n_gradients], [done.result.energy]
        except ConvergenceError:
            counts, energies = [None], [np.nan]
        for peer in peers:
            counted = Counted(prepare(start, "GFN1-xTB"), until)
            counts.append(count(PEERS[peer], start, counted))
            energies.append(counted.energies[-1])
        totals += [np.nan if n is None else n for n in counts]
        best = min((n for n in counts[1:] if n is not None), default=None)
        ratio = "" if best is None or counts[0] is None else f"{counts[0] / best:10.2f}"
        spread = np.ptp(energies)
        apart = f"  energies differ by {spread:.1e}" if spread > until.energy_change else ""
        print(f"{name:24s}{counts[0]!s:>8s}", *(f"{n!s:>10s}" for n in counts[1:]), ratio, apart, flush=True)
    print(f"{'total':24s}{totals[0]:8.0f}", *(f"{n:10.0f}" for n in totals[1:]))


def compare_held(name: str, start: Molecule, until: Convergence, targets: Sequence[Target] = ()) -> Relaxed:
    """Print a line of the rod's table."""
    ours = relax(start, prepare(start, "GFN1-xTB"), until, targets=targets)
    counted = Counted(prepare(start, "GFN1-xTB"), until, targets)
    n = count(lambda molecule, calculation: ase_lbfgs(molecule, calculation, targets), start, counted)
    print(
        f"{name:28s}{ours.n_gradients:8d}{ours.result.energy:16.6f}{n!s:>12s}{counted.energies[-1]:16.6f}", flush=True
    )
    return ours


def rod(phosphine: str, until: Convergence) -> None:
    """Print the rod's table."""
    model = build_rod(RodModel(phosphine=phosphine, twist_deg=36.0))
    moving = {atom for ligand in ligands(model) if len(ligand) > 1 for atom in ligand if model.symbols[atom] != "P"}
    core = sorted(set(range(len(model.symbols))) - moving)
    start = relax(model, prepare(model, "GFN-FF"), until, frozen_atoms=core).molecule

    print(f"{phosphine + ' rod':28s}{'ours':>8s}{'hartree':>16s}{'ASE LBFGS':>12s}{'hartree':>16s}")
    free = compare_held("free, from the model", start, until).molecule
    twist = twist_coordinate(model)
    targets = [held(twist, measured(twist, free.geometry) + 6.0)]
    compare_held("twist held 6 deg away", driven(free, targets), until, targets)


def main() -> None:
    """Parse, relax, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["g2", "linear", "rod"])
    parser.add_argument("--peers", nargs="*", default=list(versions()), choices=list(PEERS))
    parser.add_argument("--phosphine", default="PH3", choices=["PH3", "PMe3", "PPh3"])
    parser.add_argument("--limit", type=int, default=500, help="steps after which a relaxation is given up")
    options = parser.parse_args()
    until = Convergence(max_force=2e-4, energy_change=1e-5, max_steps=options.limit)
    if options.set == "rod":
        rod(options.phosphine, until)
    else:
        compare(options.set, options.peers, until)


if __name__ == "__main__":
    main()
