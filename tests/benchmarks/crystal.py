"""Time the reading of crystals of growing size: `python tests/benchmarks/crystal.py`.

Each cell holds clusters like [Cu14(SMe)3(PH3)8H10]+ in P-1, each with a disordered BF4-: listed in full but for the
inversion, so that the atom list grows with the cell. Goals: 1,500 atoms in 2 s, 10,000 in 20 s, time linear in the
atoms.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "io" / "cif"))

from crystal_models import TETRAFLUOROBORATE, MadeUp, copper_cluster, rotation

from qcdriver.io.cif import read_crystal

SPACING_ANGSTROM = 17.0


def cell_of(n_clusters: int) -> MadeUp:
    """Make a cell with twice this many clusters."""
    side = int(np.ceil((2 * n_clusters) ** (1 / 3) / 2)) * 2
    depth = int(np.ceil(2 * n_clusters / side**2 / 2)) * 2
    edges = (side * SPACING_ANGSTROM, side * SPACING_ANGSTROM, depth * SPACING_ANGSTROM)
    made = MadeUp((*edges, 90.0, 90.0, 90.0), ["x,y,z", "-x,-y,-z"])
    symbols, positions, _ = copper_cluster(5.0)
    places = [(x, y, z) for z in range(depth // 2) for y in range(side) for x in range(side)]
    for number, place in enumerate(places[:n_clusters]):
        at = (np.array(place) + 0.5) * SPACING_ANGSTROM
        made.add(symbols, positions @ rotation([1, 2, 3], 37 * number) + at)
        names, body = TETRAFLUOROBORATE
        for group, turn, occupancy in (("1", 0, "0.6"), ("2", 50, "0.4")):
            ion = body @ rotation([1, 0, 1], turn) + at + [SPACING_ANGSTROM / 2, SPACING_ANGSTROM / 2, 0]
            made.add(names, ion, occupancy=occupancy, group=group)
    return made


def main() -> None:
    """Print atoms, seconds and seconds per thousand atoms."""
    read_crystal_once = cell_of(1)
    with TemporaryDirectory() as folder:
        read_crystal(read_crystal_once.write(Path(folder)))  # imports are not what is timed
        for n_clusters in (9, 19, 37, 62, 125):
            path = cell_of(n_clusters).write(Path(folder))
            start, start_cpu = time.perf_counter(), time.process_time()
            crystal = read_crystal(path)
            seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
            atoms = len(crystal.cell)
            found = sum(m.per_cell for m in crystal.molecules)
            assert found == 4 * n_clusters, found
            print(
                f"{atoms:6d} atoms  {found:4d} molecules  {seconds:7.2f} s  {cpu:7.2f} s CPU  "
                f"{1000 * cpu / atoms:6.3f} s CPU per 1000 atoms"
            )


if __name__ == "__main__":
    main()
