"""Finding a GPU: whatever is broken gives one line, never an exception; and the GPU's numbers are the CPU's."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.dft import gpu
from qcdriver.errors import MissingError, ResourceError
from qcdriver.execution.pool import Pool
from qcdriver.schema import Model, Molecule, Resources, SinglePoint

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
    monkeypatch.setattr("qcdriver.engines.dft.engine.gpu4pyscf_version", lambda: "1.9.0")
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
    device, sentence = gpu.resolve_device("auto")
    assert device == "cpu"
    assert lack in sentence
    with pytest.raises(MissingError):
        gpu.resolve_device("gpu")


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
    assert gpu.resolve_device("auto") == ("gpu", "DFT runs on the GPU (NVIDIA H200).")
    assert find("pyscf").version("gpu").endswith("gpu4pyscf 1.9.0")
    assert find("pyscf").version("gpu") != find("pyscf").version("cpu")


def test_the_cpu_is_taken_when_asked_for(machine):
    machine.setattr(gpu, "PROBE", "print('GPUS', '[[\"NVIDIA H200\", 1, 1]]')")
    assert gpu.resolve_device("cpu")[0] == "cpu"


@pytest.fixture
def real_gpu():
    """Skip where there is none; what a GPU computes, `tests/benchmarks/gpu.py` checks in breadth."""
    gpu._probe.cache_clear()
    if lack := find("pyscf").missing("gpu"):
        pytest.skip(lack)


def single_point(method="pbe", basis="LANL2DZ", keywords=None, multiplicity=1, device="gpu"):
    molecule = Molecule(
        symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0.3, 0.4, 4.2]], molecular_multiplicity=multiplicity
    )
    level = find("pyscf").level(Model(method=method, basis=basis), keywords or {}, device)
    return SinglePoint(molecule=molecule, level=level)


def compute(task, device="gpu", driver="gradient"):
    calculation = find("pyscf").prepare(task.molecule, task.level, Resources(device=device), lambda _: None)
    return calculation.compute(task.molecule.geometry, driver)


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
@pytest.mark.parametrize(
    ("method", "basis", "keywords", "multiplicity"),
    [
        ("pbe", "LANL2DZ", {"dispersion": "d3bj"}, 1),
        ("r2scan", "def2-SVP", {}, 1),
        ("pbe0", "def2-SVP", {"dispersion": "d4"}, 3),
        ("b3lyp", "def2-SVP", {"density_fit": False}, 1),
    ],
)
def test_the_gpu_gives_the_numbers_of_the_cpu(method, basis, keywords, multiplicity):
    there, here = (
        compute(single_point(method, basis, keywords, multiplicity, device), device) for device in ("gpu", "cpu")
    )
    assert (there.device, here.device) == ("gpu", "cpu")
    assert there.energy == pytest.approx(here.energy, abs=1e-6)
    assert there.gap == pytest.approx(here.gap, abs=1e-5)
    np.testing.assert_allclose(there.gradient, here.gradient, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
def test_a_worker_names_its_gpu_and_how_far_that_is_off_the_cpu(tmp_path):
    with Pool(1, Resources(device="gpu"), tmp_path / "log", gpus=["0"]) as pool:
        pool.submit(0, single_point(), lambda _position, _line: None)
        _, result, provenance = pool.answer()
    assert abs(result.gpu_deviation) < 1e-6
    assert provenance.gpu == gpu.gpus()[0].name


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
def test_a_gpu_without_memory_left_is_no_broken_program():
    import cupy

    compute(single_point(), driver="energy")  # what is compiled and loaded once is not what runs short
    cupy.get_default_memory_pool().free_all_blocks()
    taken = [cupy.cuda.memory.Memory(cupy.cuda.runtime.memGetInfo()[0] - (8 << 20))]
    with pytest.raises(ResourceError, match="ran out of memory on the GPU"):
        compute(single_point(basis="def2-QZVP"), driver="energy")
    taken.clear()
