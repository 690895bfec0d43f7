"""Two inputs of one name do not share a run directory; what is moved, copied or renamed goes on as one would think."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from qcdriver.errors import InputError
from qcdriver.workflow.ownership import refuse_input_of_same_name, take

WATER = 'title = "{title}"\n[structure]\nsource = "xyz"\nfiles = ["water.xyz"]\n[prescreen]\npreoptimize = "none"\n'


@pytest.fixture
def project(tmp_path):
    """A folder with an input, and a run directory that belongs to it."""
    folder = tmp_path / "project"
    (folder / "results" / "water").mkdir(parents=True)
    (folder / "water.toml").write_text(WATER.format(title="one"))
    assert take(folder / "results" / "water", folder / "water.toml") == []
    return folder


def test_another_input_of_the_same_name_is_refused_and_both_are_named(project):
    other = project / "other" / "water.toml"
    other.parent.mkdir()
    other.write_text(WATER.format(title="two"))
    with pytest.raises(InputError) as refusal:
        take(project / "results" / "water", other)
    assert str(project / "water.toml") in str(refusal.value)
    assert f"{other} is another input of that name" in str(refusal.value)
    assert take(project / "results" / "water", project / "water.toml") == []


@pytest.mark.parametrize("verb", [["run"], ["submit", "--dry-run"]])
def test_the_command_refuses_it_in_one_line(project, verb):
    other = project / "other" / "water.toml"
    other.parent.mkdir()
    other.write_text(WATER.format(title="two"))
    (other.parent / "water.xyz").write_text("3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n")
    command = [sys.executable, "-m", "qcdriver.cli", *verb, str(other), "--results", str(project / "results")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "another input of that name: rename it, or choose another --results" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert [path.name for path in (project / "results" / "water").iterdir()] == ["input.json"]


def test_an_edited_input_is_the_same_input(project):
    (project / "water.toml").write_text(WATER.format(title="edited"))
    assert take(project / "results" / "water", project / "water.toml") == []


def test_a_copied_or_moved_project_goes_on_in_its_own_folder(project, tmp_path):
    shutil.copytree(project, tmp_path / "copy")
    (tmp_path / "copy" / "water.toml").write_text(WATER.format(title="copy"))
    assert take(tmp_path / "copy" / "results" / "water", tmp_path / "copy" / "water.toml") == []
    project.rename(tmp_path / "moved")
    assert take(tmp_path / "moved" / "results" / "water", tmp_path / "moved" / "water.toml") == []


def test_an_input_that_moved_alone_takes_its_results_along_and_says_so(project):
    (project / "inputs").mkdir()
    moved = (project / "water.toml").rename(project / "inputs" / "water.toml")
    (line,) = take(project / "results" / "water", moved)
    assert "had its input at" in line
    assert take(project / "results" / "water", moved) == []


def test_an_input_under_a_new_name_is_shown_its_old_results(project):
    renamed = (project / "water.toml").rename(project / "ice.toml")
    (project / "results" / "ice").mkdir()
    (line,) = take(project / "results" / "ice", renamed)
    assert line.startswith(f"{project / 'results' / 'water'} has the results of this input under its old name")


def test_results_kept_elsewhere_go_with_the_input_that_asks_for_them(project, tmp_path):
    shutil.copytree(project / "results", tmp_path / "backup" / "of" / "results")
    (line,) = take(tmp_path / "backup" / "of" / "results" / "water", project / "water.toml")
    assert "had its input at" in line


def test_a_copy_word_for_word_shares_them_until_it_is_edited(project):
    other = project / "other" / "water.toml"
    other.parent.mkdir()
    shutil.copy(project / "water.toml", other)
    assert take(project / "results" / "water", other) == []
    other.write_text(WATER.format(title="two"))
    with pytest.raises(InputError):
        refuse_input_of_same_name(project / "results" / "water", other)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"path": 3}', b'{"path": "\\u0000", "sha256": ""}'])
def test_a_run_directory_that_does_not_know_its_input_takes_the_next(project, content):
    (project / "results" / "water" / "input.json").write_bytes(content)
    refuse_input_of_same_name(project / "results" / "water", project / "water.toml")
    take(project / "results" / "water", project / "water.toml")
