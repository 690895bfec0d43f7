"""Kill processes that write, merge, index, migrate and repair records, at random instants, and look what is left.

    python tests/store/kills.py [--kills N] [--seed N] [--directory DIR]

A child says on a pipe which record it has written, only after the call that wrote it returned; then SIGKILL comes.
After every kill: each record said is there, equal to the last bit; none is there twice; what nobody finished is no
record; and the index that lies there answers like one built anew. One line a kind of work; exit code 1 if anything was
amiss.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

from specimens import VERSION_1, made

from qcdriver.store import Records, TaskFiles, content_key
from qcdriver.store.damage import check, repair

APPENDS_A_CHILD = 30
"""So many fit into the longest life of a child, on the disk that is tried."""
TURNS_A_DIRECTORY = 5

Work = Callable[[Path, int, Callable[[int], None]], None]
"""What a child does for ever: in a directory, with numbers from here on, saying what is done."""


def appends(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Append one record after another."""
    records = Records(directory)
    for number in count(first):
        records.append(made(number))
        say(number)


def appends_many(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Append seven records with one wait for the disk."""
    records = Records(directory)
    for number in count(first, 7):
        records.extend([made(each) for each in range(number, number + 7)])
        for each in range(number, number + 7):
            say(each)


def writes_task_files(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Write task files; every fourth a second time, as a task does that was started twice."""
    files = TaskFiles(directory)
    for number in count(first):
        for _ in range(1 + (number % 4 == 0)):
            files.write(made(number))
        say(number)


def merges(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Write five task files, merge whatever there is, and so on."""
    records, files = Records(directory), TaskFiles(directory)
    for number in count(first, 5):
        for each in range(number, number + 5):
            files.write(made(each))
            say(each)
        records.merge()


def indexes(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Build the index anew, append, look up, and so on."""
    for number in count(first):
        if number % 3 == 0:
            (directory / "index.sqlite").unlink(missing_ok=True)
        with closing(Records(directory)) as records:
            records.append(made(number))
            say(number)
            assert records.find(made(number).key) is not None


def repairs(directory: Path, first: int, say: Callable[[int], None]) -> None:
    """Put garbage between the records, and move it aside again."""
    while True:
        with (directory / "records.jsonl").open("ab") as file:
            file.write(b"\xff garbage \x00\n")
        repair(directory)


WORKS: dict[str, tuple[Work, ...]] = {
    "append": (appends,),
    "append many at once": (appends_many,),
    "two writers": (appends, appends),
    "task files": (writes_task_files, writes_task_files),
    "merge": (merges,),
    "two merges at once": (merges, merges),
    "index": (indexes,),
    "index, beside a writer": (indexes, appends),
    "migrate from version 1": (indexes,),
    "repair, beside a writer": (repairs, appends),
}
"""The children of each trial run side by side, and each is killed at an instant of its own."""


def start(work: Work, directory: Path, first: int) -> tuple[int, int]:
    """Fork a child; give its process number and the end of the pipe on which it says what is done."""
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    try:
        work(directory, first, lambda number: os.write(writes, b"%d\n" % number) and None)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def longest_life_s(where: Path | None) -> float:
    """Measure how long a child may live."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        records = Records(Path(folder))
        began = time.monotonic()
        for number in range(APPENDS_A_CHILD):
            records.append(made(number))
        return min(0.2, max(0.05, time.monotonic() - began))


def killed(works: tuple[Work, ...], directory: Path, first: int, longest_s: float, rng: random.Random) -> set[int]:
    """Run the works side by side, kill each at a random instant, and give the numbers that were said to be done."""
    children = [start(work, directory, first + 100_000 * place) for place, work in enumerate(works)]
    instants = sorted((rng.uniform(0, longest_s), child, reads) for child, reads in children)
    began = time.monotonic()
    said: set[int] = set()
    for instant, child, reads in instants:
        time.sleep(max(0.0, instant - (time.monotonic() - began)))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            raise SystemExit("a child failed by itself; see above")
        with os.fdopen(reads) as pipe:
            said |= {int(line) for line in pipe.read().splitlines(keepends=True) if line.endswith("\n")}
    return said


def amiss(directory: Path, said: set[int], old: set[str]) -> Counter[str]:
    """Count what is lost, torn, doubled, and where the index that is there differs from a new one."""
    found: Counter[str] = Counter()
    with closing(Records(directory, only_read=True)) as records:
        there = records._index._ask("SELECT * FROM lines ORDER BY offset")
    with closing(Records(directory, only_read=True, index="memory")) as records:
        found["index differs"] = there != records._index._ask("SELECT * FROM lines ORDER BY offset")
        answers = list(records)
    keys = [record.key for record in answers]
    found["doubled"] = len(keys) - len(set(keys))
    found["lost"] = len(({made(number).key for number in said} | old) - set(keys))
    mine = [record for record in answers if record.key not in old]
    found["torn"] = sum(record != made(int(record.label.split()[1])) for record in mine)
    return found


def old_lines(directory: Path) -> set[str]:
    """Fill `records.jsonl` with lines of version 1 and give their keys."""
    lines = VERSION_1.read_text().splitlines()
    keys = []
    with (directory / "records.jsonl").open("w") as file:
        for number in range(20 * len(lines)):
            line = lines[number % len(lines)]
            start_of_key = line.index('"key":"') + 7
            keys.append(content_key(f"old {number}"))
            file.write(line[:start_of_key] + keys[-1] + line[start_of_key + 32 :] + "\n")
    return set(keys)


def trial(name: str, kills: int, rng: random.Random, where: Path | None) -> tuple[int, int, Counter[str]]:
    """Kill `kills` times at one kind of work; how often really, how many records were said, what was amiss."""
    works, longest_s = WORKS[name], longest_life_s(where)
    done, n_said, total = 0, 0, Counter[str]()
    while done < kills:
        with tempfile.TemporaryDirectory(dir=where) as folder:
            directory = Path(folder)
            old = old_lines(directory) if name.startswith("migrate") else set()
            Records(directory).close()
            said: set[int] = set()
            for turn in range(TURNS_A_DIRECTORY):
                said |= killed(works, directory, 1_000_000 * turn, longest_s, rng)
                total += amiss(directory, said, old)
                done += len(works)
                if done >= kills:
                    break
            n_said += len(said)
            total["stepped over"] += len(check(directory).damaged_lines)
    return done, n_said, total


def main() -> None:
    """Print a line for each kind of work; exit code 1 if anything was amiss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--directory", type=Path, help="on the file system to be tried; the default is that of temporary files"
    )
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    bad = 0
    all_kills = 0
    for name in WORKS:
        kills, said, found = trial(name, -(-arguments.kills // len(WORKS)), rng, arguments.directory)
        harm = {what: found[what] for what in ("lost", "torn", "doubled", "index differs")}
        bad += sum(harm.values())
        all_kills += kills
        told = ", ".join(f"{what} {number}" for what, number in harm.items())
        torn = f"{found['stepped over']} lines nobody finished were stepped over"
        print(f"{name}: {kills} kills, {said} records reported as done: {told}; {torn}", flush=True)
    print(f"{all_kills} kills, {bad} amiss")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
