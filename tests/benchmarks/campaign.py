"""Print what a campaign of thousands of tasks costs: planning and submitting, asking, and what each task adds.

    python tests/benchmarks/campaign.py [--isomers N] [--max-array-size N]

Against a real Slurm on loopback whose node is held, so that nothing runs: N isomers of the rotor with 1000 ligand
placements each. Then one task alone, among as many records as the campaign has tasks (synthetic copies of one real
record): what it takes beside its calculation. Needs Debian's munge, slurmctld, slurmd and slurm-client.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "execution" / "slurm"))
from loopback import Slurm, missing

from qcdriver.models.records import TaskRecord
from qcdriver.store import Records
from qcdriver.store.record_lines import to_line

STARTS = 1000


def timed(slurm: Slurm, *words: object) -> tuple[float, float, str]:
    """Run qcdriver in a process of its own; wall and CPU seconds, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "qcdriver.cli", *map(str, words)]
    run = subprocess.run(command, env=slurm.environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        sys.exit(run.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.stdout


def campaign(folder: Path, isomers: int) -> Path:
    """Write the input."""
    tables = "".join(f"[structure.isomers.T{k}]\ntwist_deg = {72 * k / isomers}\n" for k in range(isomers))
    path = folder / "many.toml"
    path.write_text(
        f'title = "many"\n[structure]\nsource = "au13ag12"\n{tables}'
        f'[prescreen]\nstarts = {STARTS}\npreoptimize = "none"\n'
    )
    return path


def copies(record: TaskRecord, count: int) -> bytes:
    """Write one record under many keys."""
    return b"".join(to_line(record.model_copy(update={"key": f"{k:032x}"})) for k in range(count))


def measure(slurm: Slurm, folder: Path, isomers: int) -> None:
    """Print the figures."""
    path, run = campaign(folder, isomers), folder / "results" / "many"
    results = ("--results", folder / "results")
    wall, cpu, said = timed(slurm, "submit", path, *results)
    print(f"{isomers * STARTS} candidates planned and submitted in {wall:.1f} s ({cpu:.1f} s CPU of this program):")
    print("".join(f"  {line}\n" for line in said.splitlines()), end="")
    print(f"  tasks in the queue: {len(slurm.ask('squeue', '-h', '-r', '-o', '%i').splitlines())}")
    print("submit again, nothing to send: {:.1f} s ({:.1f} s CPU)".format(*timed(slurm, "submit", path, *results)))
    print("status: {:.1f} s ({:.1f} s CPU)".format(*timed(slurm, "status", run)))
    print("cancel: {:.1f} s ({:.1f} s CPU)".format(*timed(slurm, "cancel", run)))
    # One small real task, alone and among many records: the difference is what they cost it.
    (folder / "water.xyz").write_text("3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n")
    water = folder / "water.toml"
    water.write_text(
        'title = "w"\n[structure]\nsource = "xyz"\n[structure.isomers.w]\nfile = "water.xyz"\n[prescreen]\n'
        'preoptimize = "none"\n'
    )
    timed(slurm, "submit", water, *results)
    run = folder / "results" / "water"
    step = (next(run.glob("slurm/*/campaign.json")).parent, "prescreen.0", 0)
    wall, cpu, _ = timed(slurm, "task", *step)
    (record,) = Records(run, only_read=True)
    spent = record.provenance.wall_s
    print(f"a task: {wall:.2f} s ({cpu:.2f} s CPU), of which its calculation {spent:.2f} s")
    print("the same again, found in the records: {:.2f} s ({:.2f} s CPU)".format(*timed(slurm, "task", *step)))
    (run / "records.jsonl").write_bytes(copies(record, isomers * STARTS))
    size = (run / "records.jsonl").stat().st_size >> 20
    print(
        f"the same among {isomers * STARTS} records ({size} MB), not in the index of any: "
        "{:.2f} s ({:.2f} s CPU)".format(*timed(slurm, "task", *step))
    )
    next(run.glob("tasks/*.json")).unlink()
    wall, cpu, _ = timed(slurm, "task", *step)
    print(f"computed anew among them: {wall:.2f} s ({cpu:.2f} s CPU)")


def main() -> None:
    """Start Slurm, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--isomers", type=int, default=10)
    parser.add_argument("--max-array-size", type=int, default=1001)
    options = parser.parse_args()
    if lack := missing():
        sys.exit(lack)
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        slurm = Slurm(Path(folder) / "slurm", options.max_array_size)
        slurm.start()
        try:
            slurm.hold()
            measure(slurm, Path(folder), options.isomers)
        finally:
            slurm.stop()


if __name__ == "__main__":
    main()
