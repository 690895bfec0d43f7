"""Whether this machine has a GPU that PySCF can use, which ones, and what is missing when not."""

from __future__ import annotations

import ctypes
import functools
import json
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Literal

from qcdriver.engines.base import Gpu
from qcdriver.errors import MissingError

if TYPE_CHECKING:
    from qcdriver.engines.base import Device

PROBE = """
import json
import cupy
assert float((cupy.arange(4.0) + 1).sum()) == 10.0  # compiles a kernel: needs driver, runtime and compiler
from gpu4pyscf import dft
gpus = []
for i in range(cupy.cuda.runtime.getDeviceCount()):
    properties = cupy.cuda.runtime.getDeviceProperties(i)
    with cupy.cuda.Device(i):
        free, total = cupy.cuda.runtime.memGetInfo()
    gpus.append([properties["name"].decode(), free, total])
print("GPUS", json.dumps(gpus))
"""
"""Run in a process of its own: a broken driver may crash or hang, and a CUDA context costs memory for life."""
PROBE_TIMEOUT_S = 120


def gpu_missing() -> str | None:
    """Return what keeps PySCF from a GPU here, with the command that installs it; None when one is usable."""
    return _probe()[1]


def gpus() -> tuple[Gpu, ...]:
    """List the usable GPUs."""
    return _probe()[0]


def gpu4pyscf_version() -> str | None:
    """Return the version of the installed gpu4pyscf, of whichever CUDA; loads nothing."""
    for wheel in ("gpu4pyscf-cuda13x", "gpu4pyscf-cuda12x", "gpu4pyscf-cuda11x", "gpu4pyscf"):
        try:
            return metadata.version(wheel)
        except metadata.PackageNotFoundError:
            continue
    return None


def choose_device(requested: Literal["auto", "cpu", "gpu"]) -> tuple[Device, str]:
    """Choose where to compute; returns the device and a sentence that says which and why.

    Raises
    ------
    MissingError
        "gpu" is requested, and none is usable.
    """
    if requested == "cpu":
        return "cpu", "DFT runs on the CPU, as asked."
    missing = gpu_missing()
    if missing is None:
        names = ", ".join(gpu.name for gpu in gpus())
        return "gpu", f"DFT runs on the GPU ({names})."
    if requested == "gpu":
        raise MissingError(missing)
    return "cpu", f"DFT runs on the CPU: {missing}"


@functools.cache
def _probe() -> tuple[tuple[Gpu, ...], str | None]:
    cuda = _driver_cuda_version()
    if cuda is None:
        return (), "no NVIDIA driver is loaded (libcuda.so.1): a GPU machine with its driver is needed"
    install = f"pip install '.[gpu-cuda{13 if cuda >= 13 else 12}]' in qcdriver's folder"
    if gpu4pyscf_version() is None:
        return (), f"gpu4pyscf is not installed: {install}"
    try:
        run = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return (), f"gpu4pyscf did not answer within {PROBE_TIMEOUT_S} s: look at nvidia-smi"
    except OSError as error:
        return (), f"the GPU could not be probed: {error}"
    for line in run.stdout.splitlines():
        if line.startswith("GPUS "):
            found = tuple(Gpu(n, free >> 20, total >> 20) for n, free, total in json.loads(line[5:]))
            return found, None if found else "the NVIDIA driver shows no GPU: look at nvidia-smi"
    last = (run.stderr.strip().splitlines() or [f"the probe ended with code {run.returncode}"])[-1]
    return (), f"gpu4pyscf does not work here ({last[:200]}); for CUDA {cuda}: {install}"


def _driver_cuda_version() -> int | None:
    """Ask the driver for the newest CUDA it can run (12, 13, ...); None without a driver."""
    version = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        if driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
            return None
    except (OSError, AttributeError):
        return None
    return version.value // 1000 or None
