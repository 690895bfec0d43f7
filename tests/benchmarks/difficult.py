"""Print which difficult SCFs PySCF converges by itself, and which the ladder does, in how many cycles, how low.

    python tests/benchmarks/difficult.py [--only WORD] [--all] [--json FILE]

Metal clusters bare and ligated, open-shell complexes, stretched bonds, anions, radicals; small basis sets, so that the
whole table takes less than 25 minutes of one core; --all adds the clusters of twenty metal atoms and the rod.
"Alone" is PySCF with its own guess, DIIS and limits (minao, space 8, 50 cycles) on the same functional, basis set,
fit and grid. The ladder is what an input without [dft.keywords] does, but for two kinds of rows:

- "unrestricted": the singlet of parted spins, made stable. F2 at 2.4 A, LiF at 4 A and tetrahedral Cu4Cl4 have no
  closed shell to converge to: as the Fermi width goes down, their frontier levels meet and stay fractionally filled (F2
  at 0.0005 hartree: 1.62, 1.62 and 0.76 electrons within 0.001 hartree; Cu4Cl4: four electrons in three degenerate
  levels), and stationary states with whole electrons have an empty level below a full one. Their plain rows fail.
- "stable": with `stability = true`. These open shells have several states within 1e-3 hartree, on any grid (CuCl2: two,
  9e-6 hartree apart at levels 3 and 5 alike, which of them is hit is chance); only the test of the orbital Hessian
  leads to the lowest.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

Atoms = list[tuple[str, tuple[float, float, float]]]
SAME = 1e-6
"""Hartree; two SCFs that agree this far found the same state."""


@dataclass(frozen=True)
class Case:
    """One SCF: positions in Angstrom."""

    name: str
    atoms: Callable[[], Atoms]
    charge: int = 0
    multiplicity: int = 1
    basis: str = "LANL2DZ"
    method: str = "pbe"
    grid_level: int = 1
    long: bool = False
    unrestricted: bool = False
    stability: bool = False

    @property
    def molecule(self) -> Molecule:
        """In bohr."""
        symbols, positions = zip(*self.atoms(), strict=True)
        return Molecule(
            symbols=symbols,
            geometry=np.array(positions) / ANGSTROM,
            molecular_charge=self.charge,
            molecular_multiplicity=self.multiplicity,
        )


def line(text: str) -> Callable[[], Atoms]:
    """Read "Au 0 0 0; H 0 0 1.5"."""

    def atoms() -> Atoms:
        return [(words[0], tuple(map(float, words[1:]))) for words in (each.split() for each in text.split(";"))]

    return atoms


def diatomic(first: str, second: str, distance: float) -> Callable[[], Atoms]:
    """Two atoms at a distance."""
    return line(f"{first} 0 0 0; {second} 0 0 {distance}")


def icosahedron(metal: str, radius: float, ligand: str | None = None, bond: float = 0.0) -> Callable[[], Atoms]:
    """Thirteen metal atoms, with a ligand on each of the outer twelve if asked."""
    golden = (1 + 5**0.5) / 2
    vertices = np.array([v for a in (-1, 1) for b in (-golden, golden) for v in ((0, a, b), (a, b, 0), (b, 0, a))])
    vertices /= np.linalg.norm(vertices[0])

    def atoms() -> Atoms:
        found = [(metal, (0.0, 0.0, 0.0)), *((metal, tuple(radius * v)) for v in vertices)]
        if ligand is not None:
            found += [(ligand, tuple((radius + bond) * v)) for v in vertices]
        return found

    return atoms


def octahedron(metal: str, edge: float) -> Callable[[], Atoms]:
    """Six metal atoms."""
    half = edge / 2**0.5
    return lambda: [
        (metal, tuple(sign * half * (axis == i) for i in range(3))) for axis in range(3) for sign in (-1.0, 1.0)
    ]


def triangle(metal: str, edge: float) -> Callable[[], Atoms]:
    """Six metal atoms in the plane, three on corners and three on edges."""
    steps = [(i, j) for i in range(3) for j in range(3 - i)]
    return lambda: [(metal, (edge * (i + j / 2), edge * j * 3**0.5 / 2, 0.0)) for i, j in steps]


def tetrahedron(metal: str, edge: float, ligand: str | None = None, bond: float = 0.0) -> Callable[[], Atoms]:
    """Four metal atoms, with a phosphine or a halide on each if asked."""
    corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / 3**0.5
    radius = edge * (3 / 8) ** 0.5

    def atoms() -> Atoms:
        found = [(metal, tuple(radius * corner)) for corner in corners]
        for corner in corners if ligand else ():
            at = (radius + bond) * corner
            found.append(("P" if ligand == "PH3" else str(ligand), tuple(at)))
            if ligand == "PH3":
                found += [("H", tuple(h)) for h in phosphine_hydrogens(at, corner)]
        return found

    return atoms


def phosphine_hydrogens(phosphorus: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """Three H, 1.42 A from P, 62 deg off the axis that points away from the metal."""
    side = np.cross(outward, [0.3, 0.5, 0.81])
    side /= np.linalg.norm(side)
    angles = 2 * np.pi * np.arange(3) / 3
    around = np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * np.cross(outward, side)
    return phosphorus + 1.42 * (np.cos(np.radians(62)) * outward + np.sin(np.radians(62)) * around)


def twenty(metal: str, edge: float) -> Callable[[], Atoms]:
    """The tetrahedron of twenty atoms, a piece of the face-centred lattice."""
    basis = edge / 2**0.5 * np.array([(1, 1, 0), (1, 0, 1), (0, 1, 1)])
    steps = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    return lambda: [(metal, tuple(np.array(step) @ basis)) for step in steps]


def rod() -> Atoms:
    """The Au13Ag12 rod with PH3, as built."""
    model = build_rod(RodModel(phosphine="PH3"))
    return [(s, tuple(p * ANGSTROM)) for s, p in zip(model.symbols, model.geometry, strict=True)]


def complex_of(metal: str, ligand: str, bond: float, inner: float = 0.0) -> Callable[[], Atoms]:
    """Tetrahedral ML4; "CO" needs the C-O distance `inner`."""
    corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / 3**0.5

    def atoms() -> Atoms:
        found: Atoms = [(metal, (0.0, 0.0, 0.0))]
        for corner in corners:
            found.append((ligand[0] if ligand == "CO" else ligand, tuple(bond * corner)))
            if ligand == "CO":
                found.append(("O", tuple((bond + inner) * corner)))
        return found

    return atoms


CASES = (
    Case("Ag6, triangle", triangle("Ag", 2.73)),
    Case("Au6, triangle", triangle("Au", 2.70)),
    Case("Cu6 2-, octahedron", octahedron("Cu", 2.45), charge=-2),
    Case("Cu13 5+, icosahedron", icosahedron("Cu", 2.40), charge=5, grid_level=0),
    Case("Cu13, doublet", icosahedron("Cu", 2.40), multiplicity=2, grid_level=0, long=True),
    Case("Ag13 5+, icosahedron", icosahedron("Ag", 2.78), charge=5, grid_level=0, long=True),
    Case("Au13 5+, icosahedron", icosahedron("Au", 2.76), charge=5, grid_level=0),
    Case("Au13Cl12 7-, icosahedron", icosahedron("Au", 2.76, "Cl", 2.35), charge=-7, grid_level=0, long=True),
    Case("Au20, tetrahedron", twenty("Au", 2.80), grid_level=0, long=True),
    Case("Au4(PH3)4 2+", tetrahedron("Au", 2.75, "PH3", 2.30), charge=2),
    Case("Ag4(PH3)4 2+", tetrahedron("Ag", 2.80, "PH3", 2.45), charge=2),
    Case("Cu4Cl4 on corners", tetrahedron("Cu", 2.60, "Cl", 2.15)),
    Case("Cu4Cl4, unrestricted", tetrahedron("Cu", 2.60, "Cl", 2.15), unrestricted=True, stability=True),
    Case("Au2-, doublet", diatomic("Au", "Au", 2.60), charge=-1, multiplicity=2),
    Case("AuCl, stretched", diatomic("Au", "Cl", 3.20)),
    Case("Ag3+, triangle", line("Ag 0 0 0; Ag 2.7 0 0; Ag 1.35 2.338 0"), charge=1),
    Case("NiCO", line("Ni 0 0 0; C 0 0 1.67; O 0 0 2.83")),
    Case("Ni(CO)4", complex_of("Ni", "CO", 1.82, 1.15)),
    Case("NiO, triplet", diatomic("Ni", "O", 1.63), multiplicity=3),
    Case("FeO, quintet", diatomic("Fe", "O", 1.61), multiplicity=5),
    Case("FeO, quintet, stable", diatomic("Fe", "O", 1.61), multiplicity=5, stability=True),
    Case("CoO, quartet", diatomic("Co", "O", 1.63), multiplicity=4),
    Case("CoO, quartet, stable", diatomic("Co", "O", 1.63), multiplicity=4, stability=True),
    Case("CrO, quintet", diatomic("Cr", "O", 1.62), multiplicity=5),
    Case("CrO, quintet, stable", diatomic("Cr", "O", 1.62), multiplicity=5, stability=True),
    Case("MnO, sextet", diatomic("Mn", "O", 1.65), multiplicity=6),
    Case("Cr2, singlet", diatomic("Cr", "Cr", 1.68)),
    Case("Cr2, unrestricted", diatomic("Cr", "Cr", 1.68), unrestricted=True, stability=True),
    Case("Fe2, septet", diatomic("Fe", "Fe", 2.02), multiplicity=7),
    Case("FeCl4-, sextet", complex_of("Fe", "Cl", 2.20), charge=-1, multiplicity=6),
    Case("CoCl4 2-, quartet", complex_of("Co", "Cl", 2.28), charge=-2, multiplicity=4),
    Case("MnO4-", complex_of("Mn", "O", 1.62), charge=-1),
    Case("CuCl2, doublet", line("Cu 0 0 0; Cl 0 0 2.05; Cl 0 0 -2.05"), multiplicity=2),
    Case("CuCl2, stable", line("Cu 0 0 0; Cl 0 0 2.05; Cl 0 0 -2.05"), multiplicity=2, stability=True),
    Case("N2 at 2.2 A", diatomic("N", "N", 2.2), basis="def2-SVP"),
    Case("N2 unrestricted", diatomic("N", "N", 2.2), basis="def2-SVP", unrestricted=True, stability=True),
    Case("F2 at 2.4 A", diatomic("F", "F", 2.4), basis="def2-SVP"),
    Case("F2 unrestricted", diatomic("F", "F", 2.4), basis="def2-SVP", unrestricted=True, stability=True),
    Case("LiF at 4 A", diatomic("Li", "F", 4.0), basis="def2-SVP"),
    Case("LiF unrestricted", diatomic("Li", "F", 4.0), basis="def2-SVP", unrestricted=True, stability=True),
    Case("C2, singlet", diatomic("C", "C", 1.24), basis="def2-SVP"),
    Case("C2 unrestricted", diatomic("C", "C", 1.24), basis="def2-SVP", unrestricted=True, stability=True),
    Case("O3", line("O 0 0 0; O 1.08 0.67 0; O -1.08 0.67 0"), basis="def2-SVP"),
    Case("NO2, radical", line("N 0 0 0; O 1.1 0.47 0; O -1.1 0.47 0"), multiplicity=2, basis="def2-SVP"),
    Case("CN, radical, PBE0", diatomic("C", "N", 1.17), multiplicity=2, basis="def2-SVP", method="pbe0"),
    Case("OH-(H2O)", line("O 0 0 0; H 0.96 0 0; O -2.5 0 0; H -1.5 0 0; H -2.8 0.9 0"), charge=-1, basis="def2-SVP"),
    Case("rod Au13Ag12 with PH3", rod, charge=1, long=True),
)


@dataclass(frozen=True)
class Outcome:
    """What an SCF came to; energy None: it did not converge."""

    energy: float | None
    cycles: int
    how: str
    cpu_s: float


def alone(case: Case) -> Outcome:
    """PySCF with its defaults."""
    from pyscf import dft, gto

    from qcdriver.engines.pyscf.basis_sets import load_basis_set

    molecule = case.molecule
    basis = load_basis_set(case.basis, molecule.symbols)
    mol = gto.M(
        atom=list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis=basis.functions,
        ecp=basis.potentials,
        charge=case.charge,
        spin=case.multiplicity - 1,
        verbose=0,
    )
    mf = (dft.UKS if mol.spin or case.unrestricted else dft.RKS)(mol, xc=case.method)
    mf = mf.density_fit(auxbasis="def2-universal-jkfit" if case.method == "pbe0" else "def2-universal-jfit")
    mf.grids.level = case.grid_level
    mf.with_df.build()  # spares time, changes nothing
    started = time.process_time()
    mf.kernel()
    return Outcome(float(mf.e_tot) if mf.converged else None, mf.cycles, "", time.process_time() - started)


def by_the_ladder(case: Case) -> Outcome:
    """What an input would do."""
    engine = find("pyscf")
    model = Model(method=case.method, basis=case.basis)
    keywords = {"grid_level": case.grid_level, "unrestricted": case.unrestricted, "stability": case.stability}
    level = engine.level(model, keywords)
    molecule = case.molecule
    started = time.process_time()
    calculation = engine.prepare(molecule, level, Resources(memory_mb=16000), lambda _line: None)
    try:
        result = calculation.compute(molecule.geometry, "energy")
        energy, attempts = result.energy, [(each.strategy, each.cycles) for each in result.scf]
    except ConvergenceError as error:
        energy, attempts = None, [(each["strategy"], each["cycles"]) for each in error.history]
    cycles = sum(count for _, count in attempts)
    return Outcome(energy, cycles, f"{len(attempts)}: {attempts[-1][0]}", time.process_time() - started)


def main() -> None:
    """Parse, compute, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--all", action="store_true", help="the long ones too")
    parser.add_argument("--json", type=Path, help="append a line a case to this file")
    options = parser.parse_args()
    print(
        f"{'case':28s}{'alone':>8s}{'hartree':>16s}{'ladder':>8s}{'hartree':>16s}{'lower by':>11s}  attempts: the last"
    )
    for case in CASES:
        if options.only.lower() not in case.name.lower() or (case.long and not options.all):
            continue
        bare, ours = alone(case), by_the_ladder(case)
        energies = ["-" if each.energy is None else f"{each.energy:.6f}" for each in (bare, ours)]
        lower = "" if bare.energy is None or ours.energy is None else f"{bare.energy - ours.energy:.6f}"
        if bare.energy is not None and ours.energy is not None and abs(bare.energy - ours.energy) < SAME:
            lower = "same"
        print(
            f"{case.name:28s}{bare.cycles:8d}{energies[0]:>16s}{ours.cycles:8d}{energies[1]:>16s}{lower:>11s}"
            f"  {ours.how}",
            flush=True,
        )
        if options.json:
            with options.json.open("a") as file:
                file.write(json.dumps({"case": case.name, "alone": vars(bare), "ladder": vars(ours)}) + "\n")


if __name__ == "__main__":
    main()
