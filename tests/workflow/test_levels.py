"""A run's level is explicit before anything is computed: which exchange a hybrid has is settled from its memory."""

from __future__ import annotations

import pytest

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.execution.slurm.campaign import make_campaign
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.models.molecule import Molecule
from qcdriver.systems.base import Candidate
from qcdriver.workflow.dft import dft_level
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run, settled

WATERS = Molecule(
    symbols=("O", "H", "H") * 3,
    geometry=[[x + 5.5 * i, y, 0] for i in range(3) for x, y in ((0, 0), (1.43, 1.1), (-1.43, 1.1))],
)
INPUT = """
title = "waters"
[structure]
source = "xyz"
[structure.isomers.w]
file = "waters.xyz"
[prescreen]
preoptimize = "none"
[dft]
method = "pbe0"
basis = "def2-SVP"
device = "cpu"
[dft.keywords]
density_fit = "auto"
"""


@pytest.fixture
def told(tmp_path):
    """Write an input with some [resources]; its path."""
    rows = [f"{s} {x} {y} {z}" for s, (x, y, z) in zip(WATERS.symbols, 0.529177 * WATERS.geometry, strict=True)]
    (tmp_path / "waters.xyz").write_text("\n".join(["9", "", *rows]) + "\n")

    def write(resources: str = "", text: str = INPUT):
        path = tmp_path / "waters.toml"
        path.write_text(text + resources)
        return path

    return write


def fit(settings):
    return settled(settings, [Candidate("w", 0, WATERS)]).dft.keywords["density_fit"]


def test_a_hybrids_exchange_is_fitted_where_the_tensor_fits_and_exact_where_not(told):
    ample, scarce = (read_input(told(f"[resources]\nmemory_mb = {mb}\n")) for mb in (2000, 150))
    assert fit(ample) is True
    assert fit(scarce) == "coulomb"
    level, _, _ = dft_level(settled(scarce, [Candidate("w", 0, WATERS)]).dft)
    assert engines.title(level) == "pbe0/def2-SVP, exact exchange (pyscf)"


def test_without_memory_in_the_input_machines_could_choose_differently_so_it_is_refused(told):
    with pytest.raises(InputError, match=r"density_fit = 'auto' needs \[resources\] memory_mb"):
        fit(read_input(told()))


def test_what_a_cluster_allots_counts_too(told):
    least = "[resources]\nmemory_mb = 8000\n[resources.dft]\nmemory_mb = 180\n"
    assert fit(read_input(told(least))) == "coulomb"


def test_a_pure_functional_has_no_exchange_to_choose(told):
    pure = INPUT.replace("pbe0", "pbe")
    assert fit(read_input(told("[resources]\nmemory_mb = 150\n", pure))) is True


def test_a_run_here_and_its_tasks_on_a_cluster_have_the_same_explicit_level(told, tmp_path):
    path = told("[resources]\nmemory_mb = 150\n")
    here = open_run(read_input(path), path, tmp_path / "results")
    there = make_campaign(here, "12345678", plan_steps(here))
    assert here.input.dft.keywords == there.input.dft.keywords == {"density_fit": "coulomb"}


def test_an_unsettled_choice_is_no_level(told):
    level, _, _ = dft_level(read_input(told()).dft)
    with pytest.raises(InputError, match="density_fit = 'auto' is for the input of a run"):
        engines.check(WATERS, level)
