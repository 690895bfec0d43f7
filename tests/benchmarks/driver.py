"""Print what the driver itself costs: whole processes, the driver against bare library calls, in turn.

    python tests/benchmarks/driver.py [--pairs N]

The work is one PBE-D3(BJ)/def2-SVP single point of a piece of the cluster (triphenylphosphine), first by a hand-written
PySCF script, then as a task with worker, record and index. Seconds are of CPU, on one thread, all child processes
included: other work on the machine changes them less. What the driver adds is what is not its calculation; the ratio
to the script also has what the engine saves.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MOLECULE = """
from qcdriver.models.molecule import Molecule
from qcdriver.models.verdicts import Purpose
from qcdriver.systems.au13ag12.model import RodModel, build_rod
rod = build_rod(RodModel(phosphine="PPh3"))
first = rod.symbols.index("P")
ligand = slice(first, first + 34)
molecule = Molecule(symbols=rod.symbols[ligand], geometry=rod.geometry[ligand])
assert molecule.formula == "C18H15P"
"""

BARE = (
    MOLECULE
    + """
from pyscf import dft, gto
mol = gto.M(atom=list(zip(molecule.symbols, molecule.geometry.tolist())), unit="Bohr", basis="def2-svp", verbose=0)
mf = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
mf.disp, mf.init_guess, mf.conv_tol, mf.diis_space = "d3bj", "atom", 1e-8, 12
mf.kernel()
assert mf.converged
print(mf.e_tot, mf.cycles)
"""
)

DRIVEN = (
    MOLECULE
    + """
import sys
from pathlib import Path
from qcdriver.workflow.resources import Machine, StageResources
from qcdriver.engines import find
from qcdriver.execution.local.runner import LocalRunner
from qcdriver.execution.progress import Display
from qcdriver.models.level import Model
from qcdriver.models.tasks import SinglePoint
from qcdriver.store import Records
from qcdriver.workflow.base import Job, alone
folder = Path(sys.argv[1])
level = find("pyscf").level(Model(method="pbe", basis="def2-svp"), {"dispersion": "d3bj"})
machine = Machine(threads=1)
with Display() as display, LocalRunner(Records(folder), folder / "workers.log", machine, None, display) as runner:
    runner.begin("dft", StageResources())
    (record,) = runner([alone(Job("PPh3", SinglePoint(molecule=molecule, level=level), Purpose.SINGLE_POINT))])
cycles = sum(attempt.cycles for attempt in record.outcome.scf)
print(record.outcome.energy, cycles, record.provenance.cpu_s)
"""
)


def timed(code: str, *arguments: str) -> tuple[float, str]:
    """Run Python code in a process of its own; seconds of CPU, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.stdout.strip()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    pairs = parser.parse_args().pairs
    ratios, added = [], []
    for pair in range(pairs):
        bare, bare_said = timed(BARE)
        with tempfile.TemporaryDirectory() as folder:
            driven, driven_said = timed(DRIVEN, str(Path(folder)))
        energy, cycles, calculation = driven_said.split()
        ratios.append(driven / bare)
        added.append((driven - float(calculation)) / bare)
        print(
            f"pair {pair + 1}: bare {bare:.1f} s ({bare_said}), driven {driven:.1f} s ({energy} {cycles}), "
            f"of which the calculation {float(calculation):.1f} s",
            flush=True,
        )
    print(f"driven/bare: median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"added by the driver, of the bare script's time: median {statistics.median(added):.1%}")
    helps = [
        timed("import sys; sys.argv = ['qcdriver', '--help']; from qcdriver.cli import main; main()")[0]
        for _ in "12345"
    ]
    print(f"qcdriver --help: median {statistics.median(helps):.2f} s of CPU, {len(helps)} runs")


if __name__ == "__main__":
    main()
