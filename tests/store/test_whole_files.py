"""A file that is written whole is never seen torn or missing, whoever writes it and whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qcdriver.store.files import append_line, is_temporary, remove_whole, whole_file, write_whole

THREADS, WRITES = 16, 4

WRITER = """
import json, sys, threading
from pathlib import Path
from qcdriver.store.files import write_whole
path, failed = Path(sys.argv[1]), []
def write(number):
    try:
        for turn in range(int(sys.argv[3])):
            write_whole(path, json.dumps([number, turn, "x" * 20_000 * (number % 3)]).encode())
    except OSError as error:
        failed.append(error)
threads = [threading.Thread(target=write, args=(number,)) for number in range(int(sys.argv[2]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(str(failed[0]) if failed else 0)
"""


def test_two_processes_of_sixteen_threads_that_write_one_file_never_leave_a_torn_or_missing_one(tmp_path):
    path = tmp_path / "summary.json"
    write_whole(path, b"[]")
    command = [sys.executable, "-c", WRITER, str(path), str(THREADS), str(WRITES)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    read = 0
    while any(writer.poll() is None for writer in writers):
        json.loads(path.read_bytes())
        read += 1
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert read > 10
    assert len(json.loads(path.read_bytes())) == 3
    assert [each.name for each in tmp_path.iterdir()] == ["summary.json"]


def test_a_kill_while_a_file_is_written_leaves_the_old_one_and_a_temporary_file_that_removing_takes_along(tmp_path):
    path = tmp_path / "a.chk"
    write_whole(path, b"old")
    code = (
        "import sys, time; from pathlib import Path; from qcdriver.store.files import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as path:\n"
        "    path.write_bytes(b'half'); print(flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert path.read_bytes() == b"old"
    (left,) = (each for each in tmp_path.iterdir() if each != path)
    assert is_temporary(left.name)
    assert left.suffix == ".chk"
    others = [
        tmp_path / name for name in (".a.b.0123456789abcdef.chk", ".a.chk", "a.b.chk", ".a.0123456789abcdef.json")
    ]
    for other in others:
        other.write_bytes(b"of another file")
    remove_whole(path)
    remove_whole(tmp_path / "no folder" / "a.chk")
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, b"old")
    with pytest.raises(ValueError, match="stop"), whole_file(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise ValueError("stop")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    for path in (tmp_path / "no" / "folder.json", tmp_path):
        with pytest.raises(OSError) as error:  # noqa: PT011
            write_whole(path, b"")
        assert error.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_not_replaced_and_a_link_is_followed(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no ordinary file"):
        write_whole(pipe, b"")
    assert pipe.is_fifo()
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_long_name_can_be_written(tmp_path):
    path = tmp_path / ("å" * 120 + ".xyz")
    write_whole(path, b"")
    assert path.exists()


def test_what_is_durable_is_on_disk_before_its_name_is_and_the_name_before_the_call_returns(tmp_path, monkeypatch):
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "content")  # noqa: PTH112
        sync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        done.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_whole(tmp_path / "a", b"a")
    assert done == ["content", "name", "folder"]
    done.clear()
    write_whole(tmp_path / "a", b"a", durable=False)
    assert done == ["name"]


def test_a_line_stands_alone_after_one_that_was_torn(tmp_path):
    path = tmp_path / "sent.jsonl"
    append_line(path, b'{"a": 1}\n')
    with path.open("ab") as file:
        file.write(b'{"a": ')
    append_line(path, b'{"a": 2}\n')
    lines = path.read_bytes().splitlines()
    assert [json.loads(lines[0]), lines[1], json.loads(lines[2])] == [{"a": 1}, b'{"a": ', {"a": 2}]
