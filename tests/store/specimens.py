"""Records to write, and ways to run code where a fault is: in another process, on a tiny or read-only file system."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Result
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Code, Purpose, Verdict
from qcdriver.store import task_key
from qcdriver.store.migrations import SCHEMA_VERSION

HERE = Path(__file__).parent
VERSION_1 = HERE / "version1.jsonl"
"""Lines that qcdriver 0.1.0 wrote: a model, relaxations, points, two stages, a failure. Never to be changed."""

HYDROGEN = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]])
LEVEL = Level(engine="xtb", engine_version="22.1", model=Model(method="GFN1-xTB"))
POINT = SinglePoint(molecule=HYDROGEN, level=LEVEL)


def record(key: str, energy: float = -1.0, parents: tuple[str, ...] = (), stage: str = "dft") -> TaskRecord:
    """Give a success."""
    return TaskRecord(
        key=key,
        stage=stage,
        label=f"label of {key}",
        purpose=Purpose.SINGLE_POINT,
        task=POINT,
        outcome=Result(energy=energy),
        provenance=None,
        parents=parents,
        input_sha256="0" * 64,
    )


def sound(name: str, energy: float = -1.0, parents: tuple[str, ...] = (), stage: str = "dft") -> TaskRecord:
    """Give a success whose key is that of its task; the name makes it another task."""
    task = POINT.model_copy(update={"level": LEVEL.model_copy(update={"keywords": {"note": name}})})
    return record(name, energy, parents, stage).model_copy(update={"task": task, "key": task_key(task)})


def key_of(name: str) -> str:
    """Give the key of `sound(name)`."""
    return sound(name).key


def failed(key: str, message: str = "no") -> TaskRecord:
    """Give a failure."""
    return record(key).model_copy(update={"outcome": Failure(error_type="EngineError", message=message)})


def stage_record(key: str, *kept: str) -> StageRecord:
    """Give what a stage decided: all of these are kept."""
    verdicts = tuple(Verdict(label=each, key=each, kept=True, code=Code.KEPT) for each in kept)
    return StageRecord(key=key, stage="dft", verdicts=verdicts, program_version="0.1.0", finished_utc="")


def made(number: int) -> TaskRecord:
    """Give record `number`: half a kilobyte, now and then several hundred; a tenth are failures."""
    note = f"{number} " + "x" * (0 if number % 50 else number % 13 * 40_000)
    changes: dict[str, object] = {"label": f"number {number}"}
    if number % 10 == 9:
        changes["outcome"] = Failure(error_type="ConvergenceError", message="no")
    return sound(note, -1.0 - number * 1e-7).model_copy(update=changes)


def of_version(line: bytes, version: int) -> bytes:
    """Give a line with another schema version written on it."""
    now = b'"schema_version":%d' % SCHEMA_VERSION
    assert now in line
    return line.replace(now, b'"schema_version":%d' % version)


def resealed(line: bytes) -> bytes:
    """Give a line that was changed the checksum that fits it, as if a program had written it so."""
    content = re.sub(rb',"checksum":"[0-9a-f]{16}"\}\s*$', b"", line)
    return content + b',"checksum":"%s"}\n' % hashlib.sha256(content).hexdigest()[:16].encode()


def python(code: str, *arguments: object) -> list[str]:
    """Give the command that runs code with these specimens and `directory`, its first argument, at hand."""
    head = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); directory = Path(sys.argv[2])\n"
        "from specimens import *; from qcdriver.store import *\n"
    )
    return [sys.executable, "-c", head + textwrap.dedent(code), str(HERE), *map(str, arguments)]


def on_tiny_disk(directory: Path, code: str) -> str:
    """Run code in a file system of 256 kB that is mounted on `directory`, for this process alone; give what it says.

    `mount -o remount,ro` makes it read-only from inside.
    """
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(directory)]
    if subprocess.run([*unshare, *mount], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    script = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
    ran = subprocess.run(
        [*unshare, "sh", "-c", script, str(directory), *python(code, directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
