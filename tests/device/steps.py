"""The steps of the device check: each returns what it found, and whether that is as it should be."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from watch import Cycles, watched_gpu

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.engines.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.engines.pyscf import engine as pyscf_engine
from qcdriver.engines.pyscf.gpu import gpu_missing, gpus
from qcdriver.engines.pyscf.gpu_agreement import deviation_from_cpu
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.store.record_lines import parse_record
from qcdriver.systems.au13ag12.model import RodModel, build_rod

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "results" / "kept" / "au13ag12" / "records.jsonl"
GOLD_CHLORIDE = Molecule(symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0.3, 0.4, 4.2]])
SMALL = Model(method="pbe", basis="LANL2DZ")
CLUSTER = Model(method="pbe", basis="def2-SVP")
KEYWORDS = {"dispersion": "d3bj", "grid_level": 2, "conv_tol": 1e-7}
STEP_BOHR = 0.02
"""Along the gradient, for its slope from two energies."""
VERBOSE = 6
"""PySCF's level at which gpu4pyscf prints the time of each part of a cycle."""


@dataclass(frozen=True)
class Options:
    """What all steps are given: a folder to write to, and whether small molecules do."""

    folder: Path
    small: bool
    reference: Path | None


@dataclass(frozen=True)
class Step:
    """What is done, and the seconds that it may take."""

    run: Callable[[Options], dict]
    limit_s: float


def run_step(name: str, options: Options) -> dict:
    """Run a step in this process; no error leaves it."""
    if lack := gpu_missing():
        return {"good": False, "error": lack}
    print(f"== {name}: {'; '.join(f'{gpu.name}, {gpu.free_mb} of {gpu.total_mb} MB free' for gpu in gpus())}")
    print(f"   {find('pyscf').version('gpu')}", flush=True)
    found: dict = {}
    try:
        with watched_gpu(found):
            found |= STEPS[name].run(options)
    except Exception as error:
        lines = str(error).splitlines() or [""]
        found |= {"good": False, "error": f"{type(error).__name__}: {lines[0][:300]}"}
    return found


def prepare(
    molecule: Molecule, model: Model, keywords: dict, device: str, progress: Cycles, **kept: object
) -> Calculation:
    """Set up a calculation with all the threads and most of the memory there is, and with gpu4pyscf's own timings."""
    plain = pyscf_engine._pyscf_molecule

    def talkative(*arguments: object) -> object:
        mol = plain(*arguments)
        mol.verbose = VERBOSE
        return mol

    level = find("pyscf").level(model, keywords, device)
    memory_mb = int(0.8 * memory_of_this_machine_mb())
    resources = Resources(threads=threads_of_this_machine(), memory_mb=memory_mb, device=device, **kept)
    pyscf_engine._pyscf_molecule = talkative
    try:
        return find("pyscf").prepare(molecule, level, resources, progress)
    finally:
        pyscf_engine._pyscf_molecule = plain


def agreement(options: Options) -> dict:
    """Compute AuCl on both devices."""
    started = time.perf_counter()
    deviation = deviation_from_cpu()
    return {"good": True, "energy_off": deviation, "first_use_s": round(time.perf_counter() - started, 1)}


def model_energy(options: Options) -> dict:
    """Compute a kept geometry again, at its level, and compare everything that is kept of it."""
    molecule, model, keywords, expected = of_the_model(options)
    progress = Cycles()
    result = prepare(molecule, model, keywords, "gpu", progress).compute(molecule.geometry, "energy")
    off = {
        name: float(np.abs(np.subtract(getattr(result, name), getattr(expected, name))).max())
        for name in ("energy", "gap", "dipole", "mulliken_charges", "hirshfeld_charges")
    }
    # Both are converged to the record's own criterion only.
    good = off["energy"] < 10 * keywords["conv_tol"] and off["gap"] < 1e-4 and off["hirshfeld_charges"] < 1e-3
    return {"good": good, "off": off, **described(result), **progress.found()}


def of_the_model(options: Options) -> tuple[Molecule, Model, dict, Result]:
    """Return the molecule, its level and the CPU's result: of a kept record, or of a small molecule computed here."""
    if options.small:
        keywords = {**KEYWORDS, "grid_level": 1}
        result = prepare(GOLD_CHLORIDE, SMALL, keywords, "cpu", Cycles()).compute(GOLD_CHLORIDE.geometry, "energy")
        return GOLD_CHLORIDE, SMALL, keywords, result
    for line in KEPT.read_bytes().splitlines():
        record = parse_record(line, str(KEPT))
        if getattr(record, "stage", None) == "dft" and isinstance(getattr(record, "outcome", None), Result):
            task = record.task
            return task.molecule, task.level.model, dict(task.level.keywords), record.outcome
    raise LookupError(f"{KEPT} has no single point")


def model_gradient(options: Options) -> dict:
    """Compute a gradient, and hold it to two energies along it; to the CPU's gradient, where there is one."""
    molecule, model = the_model(options)
    progress = Cycles()
    keywords = {**KEYWORDS, "conv_tol": 1e-9}
    calculation = prepare(molecule, model, keywords, "gpu", progress)
    result = calculation.compute(molecule.geometry, "gradient")
    assert result.gradient is not None
    steepness = float(np.linalg.norm(result.gradient))
    step = STEP_BOHR * result.gradient / steepness
    ahead, behind = (calculation.compute(molecule.geometry + sign * step, "energy").energy for sign in (1, -1))
    off = {"slope": abs((ahead - behind) / (2 * STEP_BOHR) - steepness)}
    off["net_force"] = float(np.abs(result.gradient.sum(axis=0)).max())
    if options.reference is not None:
        there = json.loads(options.reference.read_text())
        off["energy"] = abs(result.energy - there["energy"])
        off["gradient"] = float(np.abs(result.gradient - np.array(there["gradient"])).max())
    good = off["slope"] < 1e-3 * max(1.0, steepness) and off.get("energy", 0.0) < 1e-6
    good &= off.get("gradient", 0.0) < 2e-5
    return {"good": good, "off": off, "against_the_cpu": options.reference is not None, **described(result)}


def the_model(options: Options) -> tuple[Molecule, Model]:
    """Return the molecule whose gradient is compared, and its model."""
    return (GOLD_CHLORIDE, SMALL) if options.small else (build_rod(RodModel(phosphine="PH3")), CLUSTER)


def cluster(options: Options, driver: str) -> dict:
    """Compute the whole cluster, going on from the checkpoint that a step before left."""
    molecule = GOLD_CHLORIDE if options.small else build_rod(RodModel(phosphine="PPh3"))
    kept = {"checkpoint": str(options.folder / "cluster.chk"), "keep_checkpoint": True}
    progress = Cycles()
    calculation = prepare(molecule, SMALL if options.small else CLUSTER, KEYWORDS, "gpu", progress, **kept)
    started = time.perf_counter()
    result = calculation.compute(molecule.geometry, driver)
    found = {"good": True, "compute_s": round(time.perf_counter() - started, 1), **described(result)}
    if driver == "gradient":
        assert result.gradient is not None
        found["net_force"] = float(np.abs(result.gradient.sum(axis=0)).max())
    return found | progress.found()


def described(result: Result) -> dict:
    """Say what a result is."""
    attempts = " > ".join(f"{attempt.strategy} {attempt.cycles}" for attempt in result.scf)
    assert result.hirshfeld_charges is not None
    charges = f"{result.hirshfeld_charges.min():.3f} to {result.hirshfeld_charges.max():.3f}"
    return {
        "functions": result.n_basis_functions,
        "energy": result.energy,
        "gap": result.gap,
        "attempts": attempts,
        "hirshfeld_charges": charges,
    }


def tests(options: Options) -> dict:
    """Run the tests for a GPU."""
    if importlib.util.find_spec("pytest") is None:
        return {"good": True, "skipped": "pytest is not installed"}
    path = HERE.parent / "engines" / "pyscf" / "test_on_the_gpu.py"
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", str(path)]
    command += ["-k", "checkpoint or goes_on"] if options.small else []
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    print(run.stdout, flush=True)
    return {"good": run.returncode == 0, "pytest": run.stdout.strip().splitlines()[-1]}


def write_reference(path: Path, options: Options) -> None:
    """Compute on the CPU what `model_gradient` is held to."""
    molecule, model = the_model(options)
    keywords = {**KEYWORDS, "conv_tol": 1e-9}
    result = prepare(molecule, model, keywords, "cpu", Cycles()).compute(molecule.geometry, "gradient")
    assert result.gradient is not None
    version = find("pyscf").version()
    content = {"engine": version, "energy": result.energy, "gradient": result.gradient.tolist()}
    path.write_text(json.dumps(content) + "\n")


STEPS = {
    "agreement": Step(agreement, 180),
    "model-energy": Step(model_energy, 150),
    "model-gradient": Step(model_gradient, 240),
    "cluster-energy": Step(lambda options: cluster(options, "energy"), 420),
    "cluster-gradient": Step(lambda options: cluster(options, "gradient"), 300),
    "tests": Step(tests, 300),
}
