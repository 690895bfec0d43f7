"""The text that sbatch gets, and which tasks are sent: no Slurm needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.execution.slurm.pieces import read_entries, read_piece, read_pieces, write_pieces
from qcdriver.execution.slurm.script import Array, ranges, render
from qcdriver.execution.slurm.steps import Step, plan_steps
from qcdriver.execution.slurm.submit import chunks, to_send
from qcdriver.execution.slurm.survey import StepState, TaskState
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.resources import StageResources

ARRAY = Array("dft.0", 1000, (0, 1, 2, 7), "qcdriver:1:2:dft.0+1000", ("11", "12"))


def directives(script: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH ")]


def test_what_the_input_asks_for_is_what_the_script_asks_for():
    resources = StageResources(
        partition="gpu,gpu2",
        account="chem",
        qos="long",
        cpus=8,
        memory_mb=64000,
        time="1-12:00:00",
        gpus=2,
        modules=("CUDA/12.4", "it's"),
        container='apptainer exec --nv --bind "$SCRATCH" qc.sif',
        sbatch=("--exclusive", "--constraint=a100"),
        max_requeues=5,
    )
    script = render(ARRAY, resources, Path("/run"))
    assert set(directives(script)) >= {
        "--array=0-2,7",
        "--partition=gpu,gpu2",
        "--account=chem",
        "--qos=long",
        "--cpus-per-task=8",
        "--mem=64000M",
        "--time=1-12:00:00",
        "--gres=gpu:2",
        "--exclusive",
        "--constraint=a100",
        "--dependency=afterany:11:12",
        "--kill-on-invalid-dep=yes",
        "--signal=B:USR1@60",
        "--requeue",
    }
    assert "module load CUDA/12.4\n" in script
    assert "module load 'it'\"'\"'s'\n" in script
    assert (
        'apptainer exec --nv --bind "$SCRATCH" qc.sif qcdriver task "$campaign" dft.0 "$index" --max-requeues 5 &'
        in script
    )


def test_what_the_input_leaves_open_is_left_to_the_site():
    options = " ".join(directives(render(ARRAY, StageResources(max_requeues=0), Path("/run"))))
    for absent in ("--partition", "--account", "--qos", "--mem", "--time", "--gres"):
        assert absent not in options
    assert "--no-requeue" in options


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_no_path_becomes_a_command(path):
    script = render(ARRAY, StageResources(), Path("/") / path)
    assignment = script[script.index("campaign=") : script.index("# Slurm's warning")]
    body = assignment.split("\nexec >>", 1)[0].split("\nindex=", 1)[0]
    said = subprocess.run(
        [str(shutil.which("bash")), "-c", body + '\nprintf %s "$campaign"'],
        capture_output=True,
        check=True,
        env={"PATH": "/nowhere"},
    )
    assert said.stdout.decode() == str(Path("/") / path)
    assert not said.stderr


@given(st.sets(st.integers(0, 5000)), st.integers(1, 2000))
def test_every_index_is_in_one_array_and_no_id_reaches_the_limit(indices, size):
    arrays = list(chunks(sorted(indices), size))
    assert sorted(offset + id_ for offset, ids in arrays for id_ in ids) == sorted(indices)
    assert all(id_ < size for _, ids in arrays for id_ in ids)
    assert len({offset for offset, _ in arrays}) == len(arrays)


@given(st.sets(st.integers(0, 300)))
def test_ranges_name_the_indices_and_no_others(indices):
    text = ranges(sorted(indices))
    named = set[int]()
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        named |= set(range(int(first), int(last or first) + 1))
    assert named == indices


@given(st.lists(st.binary(max_size=50)))
def test_a_file_of_pieces_gives_back_each_piece_alone(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("pieces") / "pieces"
    write_pieces(path, [(f"key{k}", f"läbel {k}\n", piece) for k, piece in enumerate(pieces)])
    assert read_pieces(path) == pieces
    assert [read_piece(path, k) for k in range(len(pieces))] == pieces
    assert [entry.label for entry in read_entries(path)] == [f"läbel {k}\n" for k in range(len(pieces))]


def state(step: Step, *states: str) -> StepState:
    again = ("lost", "unsent", "failed")
    return StepState(step, True, [TaskState(k, "", each, again=each in again) for k, each in enumerate(states)])


FIRST = Step(stage="prescreen", round=0, width=3, work="candidate", resources="prescreen")
TIGHT = Step(stage="prescreen", round=1, width=2, work="job", resources="prescreen", after=("prescreen.0",))
DFT = Step(stage="dft", width=4, work="job", resources="dft", after=("prescreen.0", "prescreen.1"))


def test_only_what_is_missing_is_sent():
    states = [
        state(FIRST, "done", "done", "done"),
        state(TIGHT, "done", "running"),
        state(DFT, "done", "lost", "pending"),
    ]
    assert [(each.step.name, each.indices, each.anew) for each in to_send(states)] == [("dft.0", [1], False)]


def test_what_comes_after_a_task_that_is_sent_again_is_sent_anew_but_for_what_lives():
    states = [state(FIRST, "done", "lost", "done"), state(TIGHT, "done", "pending"), state(DFT, "done", "failed")]
    sent = [(each.step.name, each.indices, each.anew) for each in to_send(states)]
    assert sent == [("prescreen.0", [1], False), ("prescreen.1", [0], True), ("dft.0", [0, 1, 2, 3], True)]


def test_nothing_is_sent_when_all_is_done():
    states = [state(FIRST, "done", "done", "done"), state(TIGHT, "done", "done"), state(DFT, "done")]
    assert to_send(states) == []


@pytest.mark.parametrize(
    ("time", "seconds"), [(90, 5400), ("00:10:00", 600), ("2-00:00:30", 2 * 86400 + 30), ("36:00:00", 36 * 3600)]
)
def test_times_are_minutes_or_a_clock(time, seconds):
    assert StageResources(time=time).time_s == seconds


ROTOR = """
title = "rotor"
[structure]
source = "au13ag12"
[structure.isomers.E]
twist_deg = 0
[structure.isomers.S]
twist_deg = 36
[prescreen]
starts = 5
max_tight = 3
max_kept = 4
[scan]
dft_points = {points}
[[scan.coordinate]]
kind = "twist"
start_deg = 0
stop_deg = 72
step_deg = 6
[dft]
method = "pbe"
basis = "lanl2dz"
"""


@pytest.mark.parametrize(
    ("points", "width"), [('"top"', 4 + 1), ('"all"', 4 + 13), ('"none"', 4), ("[0, 36, 72.0]", 4 + 3)]
)
def test_arrays_are_as_wide_as_the_settings_allow(tmp_path, points, width):
    path = tmp_path / "rotor.toml"
    path.write_text(ROTOR.format(points=points))
    steps = {step.name: step for step in plan_steps(open_run(read_input(path), path, tmp_path))}
    widths = {name: each.width for name, each in steps.items()}
    assert widths == {"prescreen.0": 10, "prescreen.1": 6, "prescreen.2": 2, "scan.0": 1, "dft.0": width}
    assert ("scan.0" in steps["dft.0"].after) == (points != '"none"')
