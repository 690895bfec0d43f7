"""What an input's DFT would take on a GPU is estimated without one, and nothing is promised that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from qcdriver.engines.pyscf.gpu import gpu_missing
from qcdriver.engines.pyscf.gpu_cards import CARDS, card_named
from qcdriver.errors import InputError, MissingError
from qcdriver.workflow.gpu_plan import anywhere, on_this_machine, plan_for_gpu
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import plan_run

INPUTS = Path(__file__).parents[2] / "inputs"


@pytest.fixture
def plan(tmp_path):
    """Plan an input, its [dft] changed, for a GPU."""

    def planned(gpu, name="au13ag12.toml", **dft):
        settings = read_input(INPUTS / name)
        table = settings.dft.model_copy(update={"device": "gpu", **dft})
        settings = settings.model_copy(update={"dft": table})
        return plan_for_gpu(open_run(anywhere(settings), INPUTS / name, tmp_path), gpu)

    return planned


@pytest.fixture
def estimate(plan):
    """Estimate one single point of an input."""
    return lambda *arguments, **dft: plan(*arguments, **dft).stages[0].estimate


def test_the_full_cluster_fits_a_large_gpu_and_takes_minutes_there(plan):
    # The plan's own first estimate: 7 s a cycle for the XC of PBE/def2-SVP on an H200, before sparsity.
    found = plan("h200", "au13ag12-full-gas.toml")
    (stage,) = found.stages
    assert stage.estimate.too_large is None
    assert 10_000 < stage.estimate.gpu_memory_mb < 60_000
    assert 30 < stage.estimate.next_s < stage.estimate.first_s < 1800
    assert (stage.stage, stage.count) == ("dft", 5)
    assert stage.run_s == pytest.approx(stage.estimate.first_s + 4 * stage.estimate.next_s)
    assert "estimated" in found.lines()[0]


def test_a_slower_gpu_takes_longer_and_a_small_one_is_refused_with_what_would_fit(plan, estimate):
    fast, slow = estimate("h100"), estimate("a100")
    assert slow.next_s > fast.next_s
    assert slow.gpu_memory_mb == fast.gpu_memory_mb
    assert "which has 2048 MB" in estimate("2").too_large
    assert any(line.strip().startswith("does not fit") for line in plan("2").lines())


def test_a_larger_basis_set_and_exact_exchange_take_longer(estimate):
    small, large = estimate("h100"), estimate("h100", basis="def2-TZVP")
    assert large.next_s > small.next_s
    assert large.gpu_memory_mb > small.gpu_memory_mb
    exact = estimate("h100", method="PBE0", keywords={"density_fit": "coulomb"})
    assert exact.next_s > small.next_s
    assert exact.forces_s / exact.next_s > small.forces_s / small.next_s


def test_a_hybrid_s_tensor_goes_to_the_host_where_the_gpu_is_too_small_for_it(estimate):
    settings = {"method": "PBE0", "keywords": {"density_fit": True}}
    kept, spilled = estimate("h100", **settings), estimate("8", **settings)
    assert kept.gpu_memory_mb > spilled.gpu_memory_mb
    assert spilled.memory_mb - kept.memory_mb == pytest.approx(kept.gpu_memory_mb - spilled.gpu_memory_mb, abs=2)


@pytest.mark.parametrize("words", [*CARDS, "H100", "48", "79.5"])
def test_a_gpu_is_named_or_given_by_its_memory(words):
    assert card_named(words).total_mb >= 20_000


@pytest.mark.parametrize("words", ["h1000", "", "-3", "0.5", "nan", "1e9"])
def test_what_is_no_gpu_is_one_line_that_lists_them(words):
    with pytest.raises(InputError, match="there are v100, a100"):
        card_named(words)


def test_an_input_without_dft_has_nothing_for_a_gpu(tmp_path):
    settings = read_input(INPUTS / "au13ag12.toml").model_copy(update={"dft": None, "mirror": None})
    with pytest.raises(InputError, match="no stage of the input computes by DFT"):
        plan_for_gpu(open_run(anywhere(settings), INPUTS / "au13ag12.toml", tmp_path), "h100")


@pytest.mark.skipif(gpu_missing() is None, reason="this machine has a GPU")
def test_a_login_node_checks_an_input_whose_jobs_get_the_gpu_and_no_other(tmp_path):
    text = (
        'title = "rod"\n[structure]\nsource = "au13ag12"\n[structure.isomers.E]\ntwist_deg = 0\n[prescreen]\n'
        '[dft]\nmethod = "PBE"\nbasis = "LANL2DZ"\ndevice = "gpu"\n[resources]\nmemory_mb = 8000\n'
    )
    path = tmp_path / "rod.toml"
    path.write_text(text + "[resources.dft]\ngpus = 1\n")
    settings, notes = on_this_machine(read_input(path))
    found = plan_run(open_run(settings, path, tmp_path), notes)
    (note,) = found.notes
    assert note.startswith("dft: planned for the CPU here (")
    assert "resources.dft.gpus = 1" in note
    path.write_text(text)
    settings, notes = on_this_machine(read_input(path))
    assert not notes
    with pytest.raises(MissingError):
        plan_run(open_run(settings, path, tmp_path), notes)
