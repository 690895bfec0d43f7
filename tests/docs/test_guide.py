"""The guide: its reference is made from the code, its links lead somewhere, its inputs are read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qcdriver.cli import app
from qcdriver.systems.registry import sources
from qcdriver.workflow.registry import stages

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])


def printed(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_reference_is_what_the_code_says():
    """Renewed by `qcdriver reference > docs/reference.md`."""
    assert (ROOT / "docs" / "reference.md").read_text() == printed("reference")


def test_every_stage_and_every_source_is_in_the_reference():
    text = printed("reference")
    for stage in stages():
        assert f"## `[{stage.name}]`" in text
        assert all(f"| `{key}` |" in text for key in stage.Settings.model_fields)
    for source in sources():
        assert f'with source = "{source}"' in text


def test_an_editor_gets_a_schema_that_knows_every_table():
    schema = json.loads(printed("schema"))
    assert set(schema["properties"]) >= {"title", "structure", "resources", *(stage.name for stage in stages())}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_inputs_are_toml(page):
    for example in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL):
        tomllib.loads(example)
