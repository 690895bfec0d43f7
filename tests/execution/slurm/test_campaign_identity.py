"""An input goes on with its campaign: neither a newer program nor a word that changes no number makes another of it."""

from __future__ import annotations

import json
import shutil

import pytest
from peroxide import DFT, INPUTS, PRESCREEN

from qcdriver.execution.slurm.campaign import make_campaign
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.execution.slurm.submit import _key, _versions, for_slurm
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run


@pytest.fixture
def opened(tmp_path):
    """Open the run of an input with this text."""
    for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / each, tmp_path / each)

    def of(text):
        path = tmp_path / "hooh.toml"
        path.write_text(text)
        return for_slurm(open_run(read_input(path), path, tmp_path / "results"))[0]

    return of


def key_of(run):
    return _key(run, _versions(run), plan_steps(run))


def submitted(run, versions=None):
    """Submit from a program that named its campaigns otherwise, as every new setting with a default once did."""
    return make_campaign(run, "0123abcd", plan_steps(run), _versions(run) if versions is None else versions)


def test_a_program_that_would_name_it_otherwise_goes_on_with_the_campaign_that_is_there(opened):
    run = opened(PRESCREEN + DFT)
    new = key_of(run)
    submitted(run)
    assert key_of(opened(PRESCREEN + DFT)) == "0123abcd" != new


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"HOOH"', '"another title"', True),
        ("threads = 2", "threads = 1", True),
        ('method = "pbe"', 'method = "pbe"\ndevice = "auto"\nkeep_checkpoints = true', True),
        ("[prescreen]", "[prescreen]\nmax_kept = 4  # the default, said", True),
        ("[prescreen]", "[prescreen]\nmax_kept = 5", False),
        ('"sto-3g"', '"def2-svp"', False),
        ("hooh-twisted.xyz", "hooh-gauche.xyz", False),
    ],
)
def test_only_what_changes_a_number_makes_another_campaign(opened, old, new, same):
    submitted(opened(PRESCREEN + DFT))
    changed = (PRESCREEN + DFT).replace(old, new)
    assert changed != PRESCREEN + DFT
    assert (key_of(opened(changed)) == "0123abcd") is same


def test_another_version_of_what_computes_makes_another_campaign(opened):
    run = opened(PRESCREEN)
    submitted(run, [each.replace('"engine_version":"', '"engine_version":"0') for each in _versions(run)])
    assert key_of(opened(PRESCREEN)) != "0123abcd"


def test_a_campaign_of_a_program_that_kept_no_versions_goes_on_with_that_program_alone(opened):
    run = opened(PRESCREEN)
    file = submitted(run, ()).folder / "campaign.json"
    assert key_of(opened(PRESCREEN)) == "0123abcd"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"program_version": "0.0.9"}))
    assert key_of(opened(PRESCREEN)) != "0123abcd"


def test_an_input_that_cannot_be_read_any_more_is_another(opened):
    folder = submitted(opened(PRESCREEN)).folder
    (folder / "input.toml").write_text("[prescreen]\nno_longer = 1\n")
    assert key_of(opened(PRESCREEN)) != "0123abcd"
