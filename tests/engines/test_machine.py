"""What a job was given is what a run takes: memory as Slurm allots it, GPUs as they are visible."""

from __future__ import annotations

import pytest

from qcdriver.engines import find
from qcdriver.engines.machine import gpu_shares, memory_of_this_machine_mb
from qcdriver.errors import InputError


@pytest.mark.parametrize(
    ("visible", "each", "shares"),
    [("0,1,2,3", 1, ["0", "1", "2", "3"]), ("0,1,2,3", 2, ["0,1", "2,3"]), ("5,GPU-a,7", 2, ["5,GPU-a"])],
)
def test_visible_gpus_are_shared_out(monkeypatch, visible, each, shares):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_shares(find("pyscf"), each) == shares


def test_more_gpus_a_task_than_there_are_is_refused(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(InputError, match=r"resources\.dft\.gpus = 4: this machine has 2"):
        gpu_shares(find("pyscf"), 4)


@pytest.mark.parametrize(
    ("variables", "memory_mb"),
    [
        ({"SLURM_MEM_PER_NODE": "321"}, 321),
        ({"SLURM_MEM_PER_CPU": "150", "SLURM_CPUS_PER_TASK": "2"}, 300),
    ],
)
def test_memory_is_what_slurm_allots(monkeypatch, variables, memory_mb):
    for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    whole = memory_of_this_machine_mb()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert memory_of_this_machine_mb() == memory_mb
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "0")  # Slurm's word for all of it
    assert memory_of_this_machine_mb() == whole
