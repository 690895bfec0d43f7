"""What every kept run says today, held word for word: a change that was meant to change nothing shows here.

The runs in results/kept/ were computed once, some by older versions of this program. Their records are copied, and the
program answers from them; nothing is computed. Beside this file a folder of each run's name holds the answers:

    stages.json     the key of every stage that the input asks for, and whether the records have it
    report.txt      what `qcdriver report` prints, 100 columns wide
    summary.json    what `qcdriver report --json` prints, and `qcdriver run` writes into the run directory
    run.txt         what `qcdriver run` says on the way: it finds every calculation in the records
    check.txt       `qcdriver records RUN --check`: how many records there are, and that all can be read
    records.txt, records.csv, why.txt
                    of some runs: the list of `qcdriver records`, its `--export csv`, and `--why` of one path

Texts are compared exactly. Numbers of a summary may differ by 1e-9: angles and RMSDs come from linear algebra, whose
last digits are not the same on every machine.

Today's input does not find the scan of au13ag12-full-gas, whose key was made before `[[scan.coordinate]]` was there:
its 17 relaxations are only listed. Its DFT and that of cu14-full, and the mirror image of the latter, never ran. So of
these two runs only the prescreen is run again.

An answer that has changed for a reason is replaced by hand, one named file after another; without a name nothing is:

    python tests/golden/test_kept_runs.py                       shows what differs, and changes nothing
    python tests/golden/test_kept_runs.py hooh/report.txt ...   replaces these files
"""

from __future__ import annotations

import contextlib
import difflib
import gzip
import io
import json
import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = Path("results")

KEPT = {
    "hooh": ("hooh",),
    "au13ag12": ("au13ag12",),
    "au13ag12-map": ("au13ag12-map",),
    "au13ag12-halides": ("au13ag12-halides/Cl", "au13ag12-halides/Br"),
    "au13ag12-full-gas": ("au13ag12-full-gas",),
    "cu14": ("cu14",),
    "cu14-hydrides": ("cu14-hydrides",),
    "cu14-full": ("cu14-full",),
}
"""The inputs, and the run directories of each."""

ONLY = {"au13ag12-full-gas": ("--only", "prescreen"), "cu14-full": ("--only", "prescreen")}
"""Where later stages are not in the records, and would be computed."""

VERSIONS = {"xtb": "22.1", "pyscf": "2.14.0", "pyscf-dispersion": "1.5.0"}
"""Of the engines that computed the kept records. A version is part of a record's key."""

CLOSE = 1e-9


# ---- The only names from inside the program; where one is renamed, it is changed here. -------------------------------


def program() -> None:
    """Do what the command `qcdriver` does."""
    from qcdriver.cli import main

    main()


def key_of_task(line: bytes) -> str | None:
    """Compute the key of the task in a line of the records, None of a stage."""
    from qcdriver.models.records import TaskRecord
    from qcdriver.store import task_key
    from qcdriver.store.record_lines import parse_record

    record = parse_record(line, "here")
    return task_key(record.task) if isinstance(record, TaskRecord) else None


def keys_of_stages(input_file: Path) -> dict[str, dict[str, str]]:
    """Compute the key of every stage an input asks for, by run directory."""
    from qcdriver.workflow.input import read_input
    from qcdriver.workflow.open_run import open_run
    from qcdriver.workflow.variants import run_name, variants

    found = {}
    for path in variants(input_file):
        run = open_run(read_input(path), path, RESULTS, only_read=True)
        found[str(run_name(path))] = {stage.name: stage.key(run) for stage in run.stages}
    return found


# ---- The program, in a folder of its own. ----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    prepare(tmp_path, monkeypatch)


def prepare(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Go to a folder with copies of the inputs, where the engines have the versions of the records and none can start.

    The engines' metadata there says so, in front of what is installed: as nothing is computed, it does not matter which
    versions these are, or whether there are any. The inputs ask for the CPU, as there may be a GPU here. Pictures are
    laid out but left empty, since their pixels are half of the time.
    """
    (folder / "inputs").mkdir()
    for path in (ROOT / "inputs").iterdir():
        text = path.read_text(encoding="utf-8").replace('device = "auto"', 'device = "cpu"')
        (folder / "inputs" / path.name).write_text(text, encoding="utf-8")
    for name, version in VERSIONS.items():
        metadata = folder / "engines" / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    patch.chdir(folder)
    patch.syspath_prepend(str(folder / "engines"))
    patch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        patch.delenv(name, raising=False)
    # First: on a new machine the import of matplotlib asks fontconfig for its fonts, which is a process.
    patch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path, **how: Path(path).touch())
    patch.setattr(subprocess, "Popen", _refuse)


def _refuse(*words: object, **how: object) -> None:
    raise AssertionError("a process is started: something is to be computed that was found in the records before")


def copied(name: str) -> None:
    """Copy the records of a kept run, and nothing else of it."""
    for run in KEPT[name]:
        kept, copy = ROOT / "results" / "kept" / run / "records.jsonl", RESULTS / run / "records.jsonl"
        packed = kept.with_name("records.jsonl.gz")
        copy.parent.mkdir(parents=True)
        copy.write_bytes(gzip.decompress(packed.read_bytes()) if packed.exists() else kept.read_bytes())


def input_of(name: str) -> Path:
    return Path("inputs") / f"{name}.toml"


def qcdriver(*words: object) -> tuple[str, str]:
    """Do a command, and give what it wrote to standard output and standard error."""
    out, err, code = io.StringIO(), io.StringIO(), None
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["qcdriver", *map(str, words)])
        try:
            program()
        except SystemExit as end:
            code = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    assert not code, err.getvalue()
    return out.getvalue(), err.getvalue()


# ---- The answers. ----------------------------------------------------------------------------------------------------


def stages(name: str) -> str:
    """Give the key of every stage, and whether a line of the records has it."""
    copied(name)
    found = {
        run: {stage: {"key": key, "found": key in stage_keys_in(run)} for stage, key in of_run.items()}
        for run, of_run in keys_of_stages(input_of(name)).items()
    }
    return json.dumps(found, indent=1) + "\n"


def stage_keys_in(run: str) -> set[str]:
    records = map(json.loads, (RESULTS / run / "records.jsonl").read_bytes().splitlines())
    return {record["key"] for record in records if record["schema_name"] == "qcdriver_stage"}


def report(name: str, *words: str) -> str:
    copied(name)
    printed, complaints = qcdriver("report", input_of(name), "--results", RESULTS, *words)
    assert complaints == ""
    return printed


def summary(name: str) -> str:
    return report(name, "--json")


def run(name: str) -> tuple[str, str]:
    copied(name)
    return qcdriver("run", input_of(name), "--results", RESULTS, *ONLY.get(name, ()))


def progress(name: str) -> str:
    return run(name)[1]


def records(name: str, *words: str) -> str:
    copied(name)
    return "".join(qcdriver("records", RESULTS / each, *words)[0] for each in KEPT[name])


def check(name: str) -> str:
    return records(name, "--check")


def exported(name: str) -> str:
    return records(name, "--export", "csv")


def why(name: str) -> str:
    return records(name, "--why", "1daceca2")


ANSWERS: dict[str, Callable[[str], str]] = {
    "stages.json": stages,
    "report.txt": report,
    "summary.json": summary,
    "run.txt": progress,
    "check.txt": check,
    "records.txt": records,
    "records.csv": exported,
    "why.txt": why,
}
LISTED = {
    "hooh": ("records.txt", "records.csv"),
    "au13ag12-full-gas": ("records.csv",),  # of schema version 1 and 2
    "cu14": ("records.txt", "why.txt"),  # models and paths; records of other inputs
}
"""Which of the last three are held of which run; the others are of all."""


def expected(name: str, file: str) -> str:
    return (HERE / name / file).read_bytes().decode()


# ---- The tests. ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEPT)
def test_the_stages_have_the_keys_they_had(name):
    assert stages(name) == expected(name, "stages.json")


@pytest.mark.parametrize("name", KEPT)
def test_the_key_of_every_calculation_is_the_one_it_was_recorded_with(name):
    copied(name)
    for each in KEPT[name]:
        lines = (RESULTS / each / "records.jsonl").read_bytes().splitlines(keepends=True)
        found = {json.loads(line)["key"]: key for line in lines if (key := key_of_task(line)) is not None}
        assert found
        assert [(recorded, key) for recorded, key in found.items() if recorded != key] == []


@pytest.mark.parametrize("name", KEPT)
def test_the_report_is_the_same(name):
    assert report(name) == expected(name, "report.txt")


@pytest.mark.parametrize("name", KEPT)
def test_a_run_finds_all_in_the_records_and_sums_it_up_the_same(name):
    """The stages ask for the calculations they asked for then, and decide the same.

    What they decided then was recorded in words; it is recorded once more with codes, and a second run adds nothing.
    """
    copied(name)
    files = [RESULTS / each / "records.jsonl" for each in KEPT[name]]
    before = [path.read_bytes() for path in files]
    printed, said = qcdriver("run", input_of(name), "--results", RESULTS, *ONLY.get(name, ()))
    assert said == expected(name, "run.txt")
    assert said.count("nothing to compute") == len(files)
    after = [path.read_bytes() for path in files]
    for old, new in zip(before, after, strict=True):
        assert new.startswith(old)
        added = [json.loads(line) for line in new.removeprefix(old).splitlines()]
        assert {record["schema_name"] for record in added} <= {"qcdriver_stage"}
    qcdriver("run", input_of(name), "--results", RESULTS, *ONLY.get(name, ()))
    assert [path.read_bytes() for path in files] == after
    assert printed == expected(name, "report.txt")
    found = json.loads(expected(name, "summary.json"))
    for path, known in zip(files, found if len(files) > 1 else [found], strict=True):
        assert differences(json.loads(path.with_name("summary.json").read_bytes()), known) == []
        if known["networks"]:
            assert differences(json.loads(path.with_name("network.json").read_bytes()), known["networks"][-1]) == []


@pytest.mark.parametrize("name", ["hooh", "au13ag12", "au13ag12-halides", "au13ag12-full-gas"])
def test_the_report_as_json_is_the_same(name):
    """Of some, as `run` has written the same from the same records; the others take their time."""
    assert differences(json.loads(summary(name)), json.loads(expected(name, "summary.json"))) == []


@pytest.mark.parametrize(("place", "label"), [(0, "Cl"), (1, "Br")])
def test_a_variant_alone_is_what_it_is_among_all(place, label):
    copied("au13ag12-halides")
    alone, _ = qcdriver("report", f"inputs/au13ag12-halides.toml@{label}", "--results", RESULTS, "--json")
    known = json.loads(expected("au13ag12-halides", "summary.json"))[place]
    assert differences(json.loads(alone), known) == []


@pytest.mark.parametrize("name", KEPT)
def test_all_records_can_be_read(name):
    assert check(name) == expected(name, "check.txt")


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in LISTED.items() for file in files])
def test_the_records_are_listed_and_exported_the_same(name, file):
    assert ANSWERS[file](name) == expected(name, file)


def test_no_answer_lies_about_unasked():
    known = {f"{name}/{file}" for name, file in all_answers()}
    there = {path.relative_to(HERE) for path in HERE.glob("*/*") if path.parent.name != "__pycache__"}
    assert {path.as_posix() for path in there} == known


def differences(found: object, known: object, where: str = "") -> list[str]:
    """Say where two JSON contents differ: numbers by more than `CLOSE`, all else, the order of keys too, at all."""
    if isinstance(found, dict) and isinstance(known, dict):
        if list(found) != list(known):
            return [f"{where}: the keys {list(found)}, not {list(known)}"]
        return [line for key in known for line in differences(found[key], known[key], f"{where}.{key}")]
    if isinstance(found, list) and isinstance(known, list):
        if len(found) != len(known):
            return [f"{where}: {len(found)} entries, not {len(known)}"]
        pairs = zip(found, known, strict=True)
        return [line for place, pair in enumerate(pairs) for line in differences(*pair, f"{where}[{place}]")]
    same = type(found) is type(known) and found == known
    if isinstance(found, float) and isinstance(known, float):
        same = math.isclose(found, known, rel_tol=CLOSE, abs_tol=CLOSE)
    return [] if same else [f"{where}: {found!r}, not {known!r}"]


# ---- How an answer is replaced. --------------------------------------------------------------------------------------


def all_answers() -> Iterator[tuple[str, str]]:
    for name in KEPT:
        for file in ANSWERS:
            if file in ("stages.json", "report.txt", "summary.json", "run.txt", "check.txt", *LISTED.get(name, ())):
                yield name, file


def replace(wanted: set[str]) -> None:
    """Show how the answers differ from the files, and write those that are named."""
    unknown = wanted - {f"{name}/{file}" for name, file in all_answers()}
    if unknown:
        sys.exit(f"no answer is called {', '.join(sorted(unknown))}; NAME/FILE is asked for, as hooh/report.txt")
    for name, file in all_answers():
        path = HERE / name / file
        if wanted and f"{name}/{file}" not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            prepare(Path(folder), patch)
            new = ANSWERS[file](name)
        old = expected(name, file) if path.exists() else ""
        sys.stdout.writelines(
            difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"{name}/{file}", "today", n=1)
        )
        if wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(new.encode())


if __name__ == "__main__":
    replace(set(sys.argv[1:]))
