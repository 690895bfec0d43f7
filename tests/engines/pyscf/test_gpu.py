"""Finding a GPU: whatever is broken gives one line, never an exception."""

from __future__ import annotations

import pytest

from qcdriver.engines import find
from qcdriver.engines.pyscf import gpu
from qcdriver.errors import MissingError

BROKEN = {
    "cupy is missing": "import no_such_package",
    "the driver crashes": "import os; os.abort()",
    "the driver hangs": "import time; time.sleep(60)",
    "the kernel compiler is missing": "raise RuntimeError('nvrtc: not found')",
    "it talks nonsense": "print('hello')",
    "no GPU is visible": "print('GPUS []')",
}


@pytest.fixture
def machine(monkeypatch):
    """A machine with a CUDA 13 driver and gpu4pyscf installed, as far as their metadata say."""
    monkeypatch.setattr(gpu, "_driver_cuda_version", lambda: 13)
    monkeypatch.setattr(gpu, "gpu4pyscf_version", lambda: "1.9.0")
    monkeypatch.setattr("qcdriver.engines.pyscf.engine.gpu4pyscf_version", lambda: "1.9.0")
    monkeypatch.setattr(gpu, "PROBE_TIMEOUT_S", 5)
    gpu._probe.cache_clear()
    yield monkeypatch
    gpu._probe.cache_clear()


@pytest.mark.parametrize("probe", BROKEN.values(), ids=BROKEN)
def test_a_broken_installation_is_one_line_and_auto_falls_back_to_the_cpu(machine, probe):
    machine.setattr(gpu, "PROBE", probe)
    if "sleep" in probe:
        machine.setattr(gpu, "PROBE_TIMEOUT_S", 0.2)
    lack = gpu.gpu_missing()
    assert lack
    assert "\n" not in lack
    assert gpu.gpus() == ()
    device, sentence = gpu.choose_device("auto")
    assert device == "cpu"
    assert lack in sentence
    with pytest.raises(MissingError):
        gpu.choose_device("gpu")


def test_a_machine_without_a_driver_says_so_and_is_not_probed(machine):
    machine.setattr(gpu, "_driver_cuda_version", lambda: None)
    machine.setattr(gpu, "PROBE", "raise SystemExit('probed')")
    assert "no NVIDIA driver" in gpu.gpu_missing()


@pytest.mark.parametrize(("cuda", "extra"), [(12, "gpu-cuda12"), (13, "gpu-cuda13")])
def test_the_extra_to_install_fits_the_driver(machine, cuda, extra):
    machine.setattr(gpu, "_driver_cuda_version", lambda: cuda)
    machine.setattr(gpu, "gpu4pyscf_version", lambda: None)
    assert extra in gpu.gpu_missing()


def test_a_working_gpu_is_found_with_its_memory_and_named_in_the_version(machine):
    machine.setattr(gpu, "PROBE", f"print('GPUS', '[[\"NVIDIA H200\", {140 << 30}, {141 << 30}]]')")
    assert gpu.gpu_missing() is None
    assert gpu.gpus() == (gpu.Gpu("NVIDIA H200", 140 << 10, 141 << 10),)
    assert gpu.choose_device("auto") == ("gpu", "DFT runs on the GPU (NVIDIA H200).")
    assert find("pyscf").version("gpu").endswith("gpu4pyscf 1.9.0")
    assert find("pyscf").version("gpu") != find("pyscf").version("cpu")


def test_the_cpu_is_taken_when_asked_for(machine):
    machine.setattr(gpu, "PROBE", "print('GPUS', '[[\"NVIDIA H200\", 1, 1]]')")
    assert gpu.choose_device("cpu")[0] == "cpu"
