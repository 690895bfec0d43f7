"""Print what many records cost: append, open, query, rebuild the index, merge task files, memory.

    python tests/benchmarks/records.py [--records N] [--directory DIR]

Records as the funnel writes them: relaxations of 20 to 60 atoms, 3 to 10 kB a line. Each question is asked in a process
of its own, so nothing is warm but the disk's cache; its memory is what it took on top of its imports. Appending one by
one waits for the disk each time; the same lines with as many waits, and nothing of this program, stand beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from qcdriver.models.level import Convergence, Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Relaxed, Result
from qcdriver.models.records import Provenance, TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.store import Records, TaskFiles, task_key
from qcdriver.store.damage import check
from qcdriver.store.record_lines import to_line

LEVEL = Level(engine="xtb", engine_version="22.1", model=Model(method="GFN1-xTB"), keywords={"accuracy": 1.0})
RNG = np.random.default_rng(7)
PROVENANCE = Provenance(
    program_version="0.1.0",
    libraries={"numpy": "2.4.6", "scipy": "1.17.0", "xtb": "22.1", "pyscf": "2.14.0"},
    host="node017",
    python="3.11.2",
    threads=2,
    device="cpu",
    started_utc="2026-01-01T00:00:00+00:00",
    wall_s=12.3456789,
    cpu_s=24.3456789,
    peak_memory_mb=345.6,
)
BATCH = 500


def shape(n_atoms: int) -> TaskRecord:
    """Make a relaxation of so many atoms."""
    molecule = Molecule(symbols=("H",) * n_atoms, geometry=RNG.uniform(-9, 9, (n_atoms, 3)))
    charges = RNG.uniform(-1, 1, n_atoms)
    energies = tuple(np.sort(RNG.uniform(-0.6, -0.5, 20) * n_atoms)[::-1])
    result = Result(energy=energies[-1], gap=0.1, mulliken_charges=charges - charges.mean(), dipole=[0, 0, 1])
    relaxed = Relaxed(molecule=molecule, result=result, energies=energies, n_gradients=20, max_force=1e-4)
    convergence = Convergence(max_force=1e-3, energy_change=1e-6, max_steps=500)
    task = Relaxation(molecule=molecule, level=LEVEL, convergence=convergence)
    return TaskRecord(
        key="", stage="scan", label="", task=task, outcome=relaxed, provenance=PROVENANCE, input_sha256="0" * 64
    )


SHAPES = [shape(n_atoms) for n_atoms in range(20, 61, 2)]


def made(number: int) -> TaskRecord:
    """Give record `number`; one in a hundred failed."""
    record = SHAPES[number % len(SHAPES)]
    task = record.task.model_copy(update={"level": LEVEL.model_copy(update={"keywords": {"number": number}})})
    changed = {"task": task, "key": task_key(task), "label": f"{number % 72} deg from S#{number // 72}"}
    if number % 100 == 99:
        changed["outcome"] = Failure(error_type="ConvergenceError", message="no minimum in 500 steps")
    return record.model_copy(update=changed)


def timed(directory: Path, code: str) -> tuple[float, str, float]:
    """Run code in a process of its own; seconds of the code alone, what it printed, MB at its peak over its imports."""
    whole = (
        "import re, time\nfrom pathlib import Path\nfrom qcdriver.store import Records, Selection\n"
        "peak = lambda: int(re.search('VmHWM:(.*)kB', Path('/proc/self/status').read_text())[1]) / 1024\n"
        f"directory = Path({str(directory)!r})\nbefore, started = peak(), time.perf_counter()\n{code}\n"
        "print(time.perf_counter() - started, peak() - before)"
    )
    said = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True).stdout.split("\n")
    seconds, megabytes = map(float, said[-2].split())
    return seconds, " ".join(said[:-2]), megabytes


def bare_rate(directory: Path, number: int) -> float:
    """Append the same lines with `write` and `fsync` alone; lines a second."""
    lines = [to_line(made(each)) for each in range(number)]
    descriptor = os.open(directory / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started = time.perf_counter()
    for line in lines:
        os.write(descriptor, line)
        os.fsync(descriptor)
    return number / (time.perf_counter() - started)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--directory", type=Path, help="on the file system to be measured")
    arguments = parser.parse_args()
    total, singly = arguments.records, min(5000, arguments.records // 4)
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name:
        directory = Path(name)
        print(f"bare write and fsync: {bare_rate(directory, singly):.0f} lines a second")
        records = Records(directory)
        started, cpu = time.perf_counter(), time.process_time()
        for number in range(singly):
            records.append(made(number))
        rate = singly / (time.perf_counter() - started)
        spent = (time.process_time() - cpu) / singly * 1e3
        print(f"append, one by one: {rate:.0f} records a second, {spent:.3f} ms of CPU each")
        started = time.perf_counter()
        for number in range(singly, total, BATCH):
            records.extend([made(each) for each in range(number, min(number + BATCH, total))])
        print(f"append, {BATCH} at a time: {(total - singly) / (time.perf_counter() - started):.0f} records a second")
        size = records.path.stat().st_size
        print(f"{total} records, {size / 2**20:.0f} MiB, {size / total / 1000:.1f} kB each")
        print(f"memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        records.close()
        (directory / "index.sqlite").unlink(missing_ok=True)
        key, label = made(total // 2).key, made(total // 3).label
        opened = "records = Records(directory, only_read=True)"
        for what, code in {
            "rebuild the index": opened,
            "open and find one key": f"{opened}; print(records.find({key!r}).label)",
            "open and query a label": f"{opened}; print(len(list(records.query(Selection(label={label!r})))))",
            "open and select all that failed": f"{opened}; print(len(records._index.select(Selection(success=False))))",
            "read every record": f"{opened}; print(sum(1 for _ in records))",
            "find one key with the index in memory": (
                f"records = Records(directory, only_read=True, index='memory'); print(records.find({key!r}).label)"
            ),
        }.items():
            seconds, said, megabytes = timed(directory, code)
            print(f"{what}: {seconds:.3f} s, {megabytes:.0f} MB ({said})")
        started = time.perf_counter()
        report = check(directory)
        print(f"check every record: {time.perf_counter() - started:.1f} s ({report.lines_for_person()[-1]})")
        files = TaskFiles(directory)
        waiting = min(10_000, total // 10)
        started = time.perf_counter()
        for number in range(total, total + waiting):
            files.write(made(number))
        print(f"task files: {waiting / (time.perf_counter() - started):.0f} written a second")
        started = time.perf_counter()
        records = Records(directory)  # merges
        print(f"merge {waiting} of them: {time.perf_counter() - started:.1f} s")
        print(f"records at the end: {len(records._index.keys())}")


if __name__ == "__main__":
    main()
