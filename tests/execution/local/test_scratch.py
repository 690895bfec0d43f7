"""Scratch folders: gone at the end; what a killed driver left is removed by the next of its run, and only that."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from qcdriver.execution.local.pool import Pool
from qcdriver.execution.local.scratch import scratch_folder
from qcdriver.models.level import Resources
from qcdriver.models.outcomes import Built
from qcdriver.models.tasks import Build

HOLDER = """
    import sys; from pathlib import Path
    from qcdriver.execution.local.scratch import scratch_folder
    with scratch_folder(Path(sys.argv[1])) as folder:
        (folder / "worker").mkdir()
        (folder / "worker" / "wavefunction").write_bytes(bytes(1000))
        print(folder, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Give a folder that stands for /tmp, in this process and in its children."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    monkeypatch.undo()
    tempfile.tempdir = None


def holder(run: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that holds a scratch folder of a run."""
    run.mkdir(exist_ok=True)
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(run)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_gone_at_the_end_and_after_an_error(tmp_path, temporary):
    with pytest.raises(ValueError, match="stop"), scratch_folder(tmp_path) as folder:  # noqa: PT012
        assert folder.parent == temporary
        (folder / "file").write_bytes(b"1")
        raise ValueError("stop")
    assert list(temporary.iterdir()) == []


def test_what_killed_drivers_left_is_removed_by_the_next_of_their_run_and_nothing_else(tmp_path, temporary):
    one, other = tmp_path / "one", tmp_path / "other"
    killed = [holder(one) for _ in range(3)] + [holder(other)]
    for process, _ in killed:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = [folder for _, folder in killed]
    living, held = holder(one)  # removes what the three left
    assert [folder.exists() for folder in left] == [False, False, False, True]
    elses = temporary / "qcdriver-of-somebody-else"
    elses.mkdir()
    link = temporary / f"{held.name[:-8]}aaaaaaaa"
    link.symlink_to(elses)
    with scratch_folder(one) as mine:
        assert sorted(temporary.iterdir()) == sorted([mine, held, left[3], elses, link])
    assert (held / "worker" / "wavefunction").exists()
    living.communicate("")
    assert sorted(temporary.iterdir()) == sorted([left[3], elses, link])
    with scratch_folder(other):
        assert not left[3].exists()


def test_many_drivers_of_one_run_that_begin_at_once_keep_their_folders(tmp_path, temporary):
    drivers = [holder(tmp_path / "run") for _ in range(4)]
    assert all((folder / "worker" / "wavefunction").exists() for _, folder in drivers)
    for process, _ in drivers:
        process.communicate("")
    assert list(temporary.iterdir()) == []


def test_a_worker_stands_in_the_scratch_folder_with_its_temporary_files(tmp_path, temporary):
    with scratch_folder(tmp_path) as scratch, Pool(1, Resources(), tmp_path / "log", scratch) as pool:
        pool.submit(0, Build(source="au13ag12", settings={"phosphine": "PH3"}, program_version="test"), print)
        assert isinstance(pool.answer()[1], Built)
        (child,) = (path.read_text().strip() for path in Path("/proc/self/task").glob("*/children") if path.read_text())
        there = Path(f"/proc/{child}/cwd").resolve()
        assert there.parent == scratch
        assert f"TMPDIR={there}" in Path(f"/proc/{child}/environ").read_text().split("\0")
    assert list(temporary.iterdir()) == []


def test_a_run_that_was_killed_leaves_nothing_after_the_next(tmp_path, temporary):
    """The whole command: killed in the middle, then run again."""
    (tmp_path / "water.xyz").write_text("3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n")
    (tmp_path / "water.toml").write_text(
        'title = "w"\n[structure]\nsource = "xyz"\n[structure.isomers.w]\nfile = "water.xyz"\n'
        '[prescreen]\npreoptimize = "none"\n'
    )
    command = [sys.executable, "-m", "qcdriver.cli", "run", "water.toml"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(temporary.glob("qcdriver-*/*")) and first.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    first.kill()
    first.wait()
    assert list(temporary.glob("qcdriver-*"))
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert list(temporary.glob("qcdriver-*")) == []
