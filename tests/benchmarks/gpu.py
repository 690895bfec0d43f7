"""Check a GPU in one go: small molecules against the CPU, then the rod with PH3, then the full cluster. Prints a log.

    python tests/benchmarks/gpu.py [--small] [--json FILE]

Small molecules must agree with the CPU to 1e-6 hartree (gradients to 1e-5 hartree/bohr): closed and open shells, pure,
meta and hybrid functionals, core potentials, dispersion, solvent. Then PBE-D3(BJ)/def2-SVP on [Au13Ag12(PH3)10Cl8]+ (73
atoms) and, but for --small, on [Au13Ag12(PPh3)10Cl8]+ (373 atoms, 4382 functions), as built: SCF cycles, seconds a
cycle, memory of the GPU. Ends with code 1 if anything disagreed or failed. A quarter of an hour on an H200 is a guess:
no run of this file was seen when it was written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from qcdriver.engines import find
from qcdriver.engines.gpu import gpu_missing, gpus
from qcdriver.engines.gpu_agreement import deviation_from_cpu
from qcdriver.errors import QcdriverError
from qcdriver.execution.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.schema import Model, Molecule, Resources, Result
from qcdriver.structures.au13ag12 import RodModel, build_rod

WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
GOLD_CHLORIDE = Molecule(symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0.3, 0.4, 4.2]])
COPPER_HYDRIDE = Molecule(symbols=("Cu", "H"), geometry=[[0, 0, 0], [0.1, 0.2, 2.77]])
SMALL = (
    ("RKS, PBE-D3(BJ)", WATER, "pbe", "def2-SVP", {"dispersion": "d3bj"}),
    ("UKS, PBE-D4", OXYGEN, "pbe", "def2-SVP", {"dispersion": "d4"}),
    ("core potential, LANL2DZ", GOLD_CHLORIDE, "pbe", "LANL2DZ", {"dispersion": "d3bj"}),
    ("core potential, def2-SVP", GOLD_CHLORIDE, "pbe", "def2-SVP", {}),
    ("meta-GGA, r2SCAN", COPPER_HYDRIDE, "r2scan", "def2-SVP", {}),
    ("hybrid PBE0, fitted", COPPER_HYDRIDE, "pbe0", "def2-SVP", {}),
    ("hybrid B3LYP, direct", WATER, "b3lyp", "def2-SVP", {"density_fit": False}),
    ("UKS hybrid PBE0, fitted", OXYGEN, "pbe0", "def2-SVP", {}),
    ("range-separated with VV10, wB97X-V", WATER, "wb97x-v", "def2-SVP", {}),
    ("PCM, dichloromethane", WATER, "pbe", "def2-SVP", {"solvent": "dichloromethane"}),
    ("SMD, water", WATER, "pbe", "def2-SVP", {"solvent": "water", "solvent_model": "smd"}),
)
ENERGY, GRADIENT = 1e-6, 1e-5
"""Hartree, hartree/bohr."""


class Log:
    """Prints lines, keeps them as JSON too, and counts what went wrong."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.wrong = path, 0

    def tell(self, title: str, good: bool, **values: object) -> None:
        """Print one finding."""
        self.wrong += not good
        words = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
        )
        print(f"{'ok   ' if good else 'WRONG'} {title}: {words}", flush=True)
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"title": title, "good": good, **values}) + "\n")


def compute(
    molecule: Molecule, method: str, basis: str, keywords: dict, device: str, driver: str
) -> tuple[Result, float]:
    """One calculation; the result and its wall time."""
    engine = find("pyscf")
    level = engine.level(Model(method=method, basis=basis), keywords, device)
    resources = Resources(
        threads=threads_of_this_machine(), memory_mb=int(0.8 * memory_of_this_machine_mb()), device=device
    )
    started = time.perf_counter()
    result = engine.prepare(molecule, level, resources, lambda _line: None).compute(molecule.geometry, driver)
    return result, time.perf_counter() - started


def compare(log: Log, title: str, molecule: Molecule, method: str, basis: str, keywords: dict) -> None:
    """Energy, gap and gradient on both devices."""
    try:
        (cpu, _), (gpu, wall_s) = (
            compute(molecule, method, basis, keywords, device, "gradient") for device in ("cpu", "gpu")
        )
    except QcdriverError as error:
        log.tell(title, False, error=str(error))
        return
    energy = abs(gpu.energy - cpu.energy)
    gradient = float(np.abs(gpu.gradient - cpu.gradient).max())
    good = energy <= ENERGY and gradient <= GRADIENT
    log.tell(title, good, energy_off=energy, gradient_off=gradient, gpu_wall_s=wall_s)


def cluster(log: Log, phosphine: str) -> None:
    """PBE-D3(BJ)/def2-SVP on the rod as built, with what it cost."""
    import cupy

    molecule = build_rod(RodModel(phosphine=phosphine))
    keywords = {"dispersion": "d3bj", "grid_level": 2, "conv_tol": 1e-7}
    pool = cupy.get_default_memory_pool()
    try:
        result, wall_s = compute(molecule, "pbe", "def2-SVP", keywords, "gpu", "energy")
    except QcdriverError as error:
        log.tell(f"rod with {phosphine}", False, error=str(error))
        return
    cycles = sum(attempt.cycles for attempt in result.scf)
    log.tell(
        f"rod with {phosphine}",
        True,
        functions=result.n_basis_functions,
        energy=f"{result.energy:.7f}",
        attempts=" > ".join(f"{attempt.strategy} {attempt.cycles}" for attempt in result.scf),
        wall_s=wall_s,
        s_per_cycle=wall_s / cycles,
        gpu_memory_mb=pool.total_bytes() / 2**20,
    )


def main() -> None:
    """Check, print, end with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="leave out the full cluster")
    parser.add_argument("--json", type=Path, help="append every finding to this file")
    options = parser.parse_args()
    if lack := gpu_missing():
        sys.exit(lack)
    log = Log(options.json)
    log.tell("machine", True, gpus="; ".join(f"{gpu.name} {gpu.total_mb} MB" for gpu in gpus()))
    log.tell("versions", True, engine=find("pyscf").version("gpu"))
    try:
        log.tell("AuCl against the CPU", True, off=deviation_from_cpu())
    except QcdriverError as error:
        log.tell("AuCl against the CPU", False, error=str(error))
    for case in SMALL:
        compare(log, *case)
    cluster(log, "PH3")
    if not options.small:
        cluster(log, "PPh3")
    sys.exit(log.wrong > 0)


if __name__ == "__main__":
    main()
