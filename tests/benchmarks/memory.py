"""Print the memory that a DFT calculation was foretold to need against what its process took, for five sizes.

    python tests/benchmarks/memory.py [--only WORD]

Each is a whole single point in a process of its own: DIIS and its memory fill as it goes on. The rods take long.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

CHILD = """
import json, resource, sys
from qcdriver.engines import find
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod

what, method, basis, memory_mb = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
rod = build_rod(RodModel(phosphine="PPh3" if what == "PPh3" else "PH3"))
if what == "rod":
    molecule = rod
elif what == "PPh3":
    first = rod.symbols.index("P")
    molecule = Molecule(symbols=rod.symbols[first : first + 34], geometry=rod.geometry[first : first + 34])
else:
    water = [("O", 0, 0, 0), ("H", 1.43, 1.1, 0), ("H", -1.43, 1.1, 0)]
    sites = [(5.5 * (i % 3), 5.5 * (i // 3), 0) for i in range(int(what))]
    symbols = [atom[0] for _ in sites for atom in water]
    geometry = [[a + s for a, s in zip(atom[1:], site)] for site in sites for atom in water]
    molecule = Molecule(symbols=symbols, geometry=geometry)
engine = find("pyscf")
level = engine.level(
    Model(method=method, basis=basis), {"conv_tol": 1e-6, "grid_level": 1 if what == "rod" else 3}
)
resources = Resources(memory_mb=memory_mb)
plan = engine.estimate(molecule, level.model, engine.keywords(level.keywords), resources)
engine.prepare(molecule, level, resources, lambda line: None).compute(molecule.geometry, "energy")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found = {"basis": plan.n_basis_functions, "foretold": plan.memory_mb, "stored": plan.stores_tensor, "peak": peak}
print(json.dumps(found))
"""

CASES = (
    ("2", "pbe", "def2-SVP", 8000),
    ("6", "pbe0", "def2-SVP", 8000),
    ("9", "pbe", "def2-TZVP", 8000),
    ("9", "pbe0", "def2-TZVP", 8000),
    ("PPh3", "pbe", "def2-SVP", 8000),
    ("PPh3", "pbe", "def2-SVP", 900),
    ("rod", "pbe", "LANL2DZ", 14000),
    ("rod", "pbe", "def2-SVP", 6000),
)
"""Waters, a ligand or the rod with PH3; functional; basis set; memory allowed, MB."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose words hold this one")
    only = parser.parse_args().only
    print(f"{'system':30s}{'functions':>10s}{'stored':>8s}{'foretold MB':>13s}{'peak MB':>9s}{'ratio':>7s}")
    for case in CASES:
        words = [str(word) for word in case]
        if only not in " ".join(words):
            continue
        run = subprocess.run([sys.executable, "-c", CHILD, *words], capture_output=True, text=True, check=True)
        found = json.loads(run.stdout)
        print(
            f"{' '.join(words[:3]):30s}{found['basis']:10d}{found['stored']!s:>8s}{found['foretold']:13d}"
            f"{found['peak']:9.0f}{found['foretold'] / found['peak']:7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
