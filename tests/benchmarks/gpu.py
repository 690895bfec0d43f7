"""Check a GPU part by part, the cheap ones first. Prints a log line by line; no failure ends it.

    python tests/benchmarks/gpu.py [--folder DIR] [PART ...]

Parts, each in a process of its own (none named: all, in this order):

numbers           small molecules against the CPU: energy to 1e-6 hartree, gap and gradient to 1e-5; closed and open
                  shells, pure, meta, hybrid and range-separated functionals, core potentials, dispersion, solvents, a
                  temperature, a state that is not stable, a coarse grid first
rungs             every rung of the SCF ladder alone ends at the CPU's energy
checkpoints       an SCF goes on from what the same or the other device left
rod               [Au13Ag12(PH3)10Cl8]+ as built, PBE-D3(BJ)/def2-SVP (73 atoms): energy and gradient at two geometries
cluster           [Au13Ag12(PPh3)10Cl8]+ (373 atoms, 4382 functions): energy
cluster-gradient  its gradient

The last three tell cycles as they come, the seconds a cycle of each attempt and the GPU's memory, and go on from
checkpoints in DIR, so a part that was cut short is called again. Findings also go to DIR/findings.jsonl. Ends with 1
if anything disagreed or failed. No run of this file on a GPU was seen when it was written.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.engines.dft.gpu import gpu_missing, gpus
from qcdriver.engines.dft.gpu_agreement import deviation_from_cpu
from qcdriver.engines.dft.keywords import PyscfKeywords
from qcdriver.engines.dft.mean_field import build_mean_field
from qcdriver.engines.dft.memory_plan import plan_calculation
from qcdriver.engines.dft.scf_ladder import Start, converge
from qcdriver.engines.dft.scf_strategies import ladder
from qcdriver.execution.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.schema import Model, Molecule, Resources, Result, ScfAttempt
from qcdriver.structures.au13ag12 import RodModel, build_rod

LINED_UP = [[0, 0, 0], [1.43, 1.1, 0], [-1.43, 1.1, 0]]
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
WATERS = Molecule(
    symbols=WATER.symbols * 6,
    geometry=[[x + 5.5 * (i % 2), y + 5.5 * (i // 2), z] for i in range(6) for x, y, z in LINED_UP],
)
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
TORN = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0.2, 0.1, 6.0]])
DICARBON = Molecule(symbols=("C", "C"), geometry=[[0, 0, 0], [0, 0, 2.36]])
GOLD_CHLORIDE = Molecule(symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0.3, 0.4, 4.2]])
COPPER_HYDRIDE = Molecule(symbols=("Cu", "H"), geometry=[[0, 0, 0], [0.1, 0.2, 2.77]])
NUMBERS = (
    ("RKS, PBE-D3(BJ)", WATER, "pbe", "def2-SVP", {"dispersion": "d3bj"}),
    ("UKS, PBE-D4", OXYGEN, "pbe", "def2-SVP", {"dispersion": "d4"}),
    ("core potential, LANL2DZ", GOLD_CHLORIDE, "pbe", "LANL2DZ", {"dispersion": "d3bj"}),
    ("core potential, def2-SVP", GOLD_CHLORIDE, "pbe", "def2-SVP", {}),
    ("meta-GGA, r2SCAN", COPPER_HYDRIDE, "r2scan", "def2-SVP", {}),
    ("hybrid PBE0, fitted", COPPER_HYDRIDE, "pbe0", "def2-SVP", {}),
    ("hybrid B3LYP, nothing fitted", WATER, "b3lyp", "def2-SVP", {"density_fit": False}),
    ("UKS hybrid PBE0, fitted", OXYGEN, "pbe0", "def2-SVP", {}),
    ("UKS hybrid PBE0, nothing fitted", OXYGEN, "pbe0", "def2-SVP", {"density_fit": False}),
    ("range-separated with VV10, wB97X-V", WATER, "wb97x-v", "def2-SVP", {}),
    ("UKS, range-separated with VV10", OXYGEN, "wb97x-v", "def2-SVP", {}),
    ("IEF-PCM, dichloromethane", WATER, "pbe", "def2-SVP", {"solvent": "dichloromethane"}),
    ("C-PCM, UKS", OXYGEN, "pbe", "def2-SVP", {"solvent": "water", "solvent_model": "cpcm"}),
    ("SMD, water", WATER, "pbe", "def2-SVP", {"solvent": "water", "solvent_model": "smd"}),
    ("5000 K", COPPER_HYDRIDE, "pbe", "def2-SVP", {"electronic_temperature_k": 5000.0, "dispersion": "d3bj"}),
    ("5000 K in a solvent, UKS", OXYGEN, "pbe", "def2-SVP", {"electronic_temperature_k": 5000.0, "solvent": "water"}),
    ("a stable state", COPPER_HYDRIDE, "pbe", "def2-SVP", {"stability": True}),
    ("an unstable state", DICARBON, "0.95*HF + 0.05*LDA", "6-31G", {"stability": True, "density_fit": False}),
    ("a torn bond, UKS", TORN, "pbe", "def2-SVP", {"unrestricted": True}),
    ("a torn bond in a solvent, UKS", TORN, "pbe", "def2-SVP", {"unrestricted": True, "solvent": "water"}),
    ("from a smaller basis set", GOLD_CHLORIDE, "pbe", "def2-TZVP", {"guess_basis": "def2-SVP"}),
    ("coarse grid first", WATERS, "pbe", "def2-SVP", {"dispersion": "d3bj"}),
)
TOLERANCES = {"energy": 1e-6, "gap": 1e-5, "gradient": 1e-5}
"""Hartree, hartree, hartree/bohr."""


class Log:
    """Prints findings, keeps them as JSON too, and counts what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.wrong = folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def case(self, title: str) -> Iterator[dict]:
        """Tell what a case puts into the dictionary; `good` false, or any exception, and it counts as wrong."""
        found: dict = {"good": True}
        started = time.perf_counter()
        try:
            yield found
        except Exception as error:
            lines = str(error).splitlines() or [""]
            found |= {"good": False, "error": f"{type(error).__name__}: {lines[0][:300]}"}
        found["wall_s"] = time.perf_counter() - started
        good = found.pop("good")
        self.wrong += not good
        words = (
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in found.items()
        )
        print(f"{'ok   ' if good else 'WRONG'} {title}: {', '.join(words)}", flush=True)
        with (self.folder / "findings.jsonl").open("a") as file:
            file.write(json.dumps({"title": title, "good": good, **found}) + "\n")


class Cycles:
    """Prints progress as it comes, and knows how long each attempt's cycles took."""

    def __init__(self) -> None:
        self._moments: list[list[float]] = []

    def __call__(self, line: str) -> None:
        print(f"      {time.strftime('%H:%M:%S')} {line}", flush=True)
        if "SCF cycle 1 " in line:
            self._moments.append([])
        if "SCF cycle " in line:
            self._moments[-1].append(time.perf_counter())

    def since(self, attempts: tuple[ScfAttempt, ...]) -> str:
        """Say of the attempts since the last call how many cycles each took, and the seconds of the usual one."""
        words, those, self._moments = [], self._moments, []
        for attempt, moments in zip(attempts, those, strict=False):
            usual = f" of {np.median(np.diff(moments)):.2f} s" if len(moments) > 1 else ""
            words.append(f"{attempt.strategy} {attempt.cycles}{usual}")
        return " > ".join(words)


def silent(_line: str) -> None:
    """Print nothing."""


def prepare(
    molecule: Molecule,
    method: str,
    basis: str,
    keywords: dict,
    device: str,
    told: Callable[[str], None],
    **kept: object,
) -> Calculation:
    """Set up a calculation with all the threads and most of the memory there is."""
    level = find("pyscf").level(Model(method=method, basis=basis), keywords, device)
    memory_mb = int(0.8 * memory_of_this_machine_mb())
    resources = Resources(threads=threads_of_this_machine(), memory_mb=memory_mb, device=device, **kept)
    return find("pyscf").prepare(molecule, level, resources, told)


def compute(molecule: Molecule, method: str, basis: str, keywords: dict, device: str, **kept: object) -> Result:
    """One energy and gradient."""
    return prepare(molecule, method, basis, keywords, device, silent, **kept).compute(molecule.geometry, "gradient")


def compare(found: dict, gpu: Result, cpu: Result) -> None:
    """Note how far the two are apart, and whether that is too far."""
    for name, tolerance in TOLERANCES.items():
        here, there = getattr(cpu, name), getattr(gpu, name)
        found[f"{name}_off"] = float(np.abs(np.subtract(there, here)).max())
        found["good"] &= found[f"{name}_off"] <= tolerance
    found["good"] &= gpu.stable == cpu.stable
    found["cycles"] = f"{sum(each.cycles for each in gpu.scf)} (CPU {sum(each.cycles for each in cpu.scf)})"


def numbers(log: Log) -> None:
    """Every kind of calculation on both devices."""
    for title, *case in NUMBERS:
        with log.case(title) as found:
            compare(found, compute(*case, "gpu"), compute(*case, "cpu"))


def rungs(log: Log) -> None:
    """Each rung of the ladder by itself, of a closed and an open shell; and second order from converged orbitals."""
    from pyscf import gto

    for molecule, basis in ((GOLD_CHLORIDE, "lanl2dz"), (OXYGEN, "def2-svp")):
        settings = PyscfKeywords(dispersion="d3bj", grid_level=1)
        plan = plan_calculation(molecule, Model(method="pbe", basis=basis), settings, Resources())
        atoms = list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True))
        spin = molecule.molecular_multiplicity - 1
        mol = gto.M(atom=atoms, unit="Bohr", basis=basis, ecp=basis, spin=spin, verbose=0)
        build = functools.partial(build_mean_field, mol, "pbe", settings, plan=plan)
        reference, _ = converge(build(device="cpu"), None, ladder(settings), silent)
        start = None
        for rung in ("diis", "damping", "level_shift", "smearing", "second_order", "second_order"):
            begun = "" if start is None else " from orbitals"
            with log.case(f"{molecule.formula}: {rung}{begun}") as found:
                strategies = ladder(PyscfKeywords(scf_ladder=(rung,)))
                state, attempts = converge(build(device="gpu"), start, strategies, silent)
                found["energy_off"] = float(state.e_tot) - float(reference.e_tot)
                found["good"] = abs(found["energy_off"]) <= TOLERANCES["energy"]
                found["attempts"] = " > ".join(f"{each.strategy} {each.cycles}" for each in attempts)
                if rung == "second_order":
                    start = Start(state.make_rdm1(), "converged orbitals")


def checkpoints(log: Log) -> None:
    """Written on one device, read on the same or the other."""
    path = str(log.folder / "small.chk")
    for molecule in (GOLD_CHLORIDE, OXYGEN):
        for writer, reader in (("gpu", "gpu"), ("cpu", "gpu"), ("gpu", "cpu")):
            with log.case(f"{molecule.formula}: checkpoint of the {writer.upper()} on the {reader.upper()}") as found:
                case = (molecule, "pbe", "def2-SVP", {})
                first = compute(*case, writer, checkpoint=path, keep_checkpoint=True)
                again = compute(*case, reader, checkpoint=path)
                found["energy_off"] = abs(again.energy - first.energy)
                found["cycles"] = f"{again.scf[0].cycles} after {first.scf[0].cycles}"
                begun = again.scf[0].strategy.endswith("from its checkpoint") and len(again.scf) == 1
                found["good"] = begun and found["energy_off"] <= TOLERANCES["energy"]


def rod(log: Log, phosphine: str, driver: str, geometries: int = 1) -> None:
    """PBE-D3(BJ)/def2-SVP on the rod as built, with what it cost; the next geometry is a little larger."""
    molecule = build_rod(RodModel(phosphine=phosphine))
    keywords = {"dispersion": "d3bj", "grid_level": 2, "conv_tol": 1e-7}
    kept = {"checkpoint": str(log.folder / f"{phosphine}.chk"), "keep_checkpoint": True}
    told, calculation = Cycles(), None
    for scale in 1.0 + 0.001 * np.arange(geometries):
        with log.case(f"rod with {phosphine}, {driver}, scaled by {scale:g}") as found, watched_memory(found):
            calculation = calculation or prepare(molecule, "pbe", "def2-SVP", keywords, "gpu", told, **kept)
            result = calculation.compute(scale * molecule.geometry, driver)
            found |= {"functions": result.n_basis_functions, "energy": f"{result.energy:.7f}", "gap": result.gap}
            found |= {"attempts": told.since(result.scf), "gpu_memory_after_mb": round(used_mb())}


@contextmanager
def watched_memory(found: dict) -> Iterator[None]:
    """Note the most that was in use on the GPU, looked at ten times a second: large arrays are not CuPy's pool's."""
    most, done = [used_mb()], threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            most.append(max(most.pop(), used_mb()))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        found["gpu_memory_mb"] = round(most[-1])


def used_mb() -> float:
    """What is in use on the first GPU, by any process."""
    import cupy

    free, total = cupy.cuda.runtime.memGetInfo()
    return (total - free) / 2**20


PARTS: dict[str, Callable[[Log], None]] = {
    "numbers": numbers,
    "rungs": rungs,
    "checkpoints": checkpoints,
    "rod": functools.partial(rod, phosphine="PH3", driver="gradient", geometries=2),
    "cluster": functools.partial(rod, phosphine="PPh3", driver="energy"),
    "cluster-gradient": functools.partial(rod, phosphine="PPh3", driver="gradient"),
}


def main() -> None:
    """Check, print, end with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--folder", type=Path, default=Path("results/gpu-check"), help="for checkpoints and findings")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if lack := gpu_missing():
        sys.exit(lack)
    if len(options.parts) != 1:  # an illegal access in one part leaves its CUDA context unusable
        command = [sys.executable, __file__, "--folder", str(options.folder)]
        codes = [subprocess.run([*command, part], check=False).returncode for part in options.parts or PARTS]
        sys.exit(any(codes))
    (part,) = options.parts
    print(
        f"== {part}: {'; '.join(f'{gpu.name}, {gpu.free_mb} of {gpu.total_mb} MB free' for gpu in gpus())}", flush=True
    )
    print(f"   {find('pyscf').version('gpu')}", flush=True)
    print(f"   kernels compiled into {os.environ.get('CUPY_CACHE_DIR', '~/.cupy/kernel_cache')}", flush=True)
    log = Log(options.folder)
    with log.case("AuCl against the CPU, before each run") as found:
        found["energy_off"] = deviation_from_cpu()
    PARTS[part](log)
    sys.exit(log.wrong > 0)


if __name__ == "__main__":
    main()
