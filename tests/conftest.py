"""What holds for all tests."""

import os
from pathlib import Path

import pytest

# Tests share the cores with one another: threads that wait for each other sleep, as in the workers of a run. Two tests
# of disulfane side by side on two cores: 28 s, spinning 143.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture
def rehearsal():
    """Give the environment of a process for which this machine has a GPU: gpu4pyscf's own Python, on a stand-in.

    QCDRIVER_TEST_GPU4PYSCF names the folder where gpu4pyscf's wheel is unpacked; without it the test skips.
    """
    wheel = os.environ.get("QCDRIVER_TEST_GPU4PYSCF")
    if wheel is None:
        pytest.skip("QCDRIVER_TEST_GPU4PYSCF names no folder with gpu4pyscf's wheel unpacked")
    here = Path(__file__).parent
    folders = (here / "engines/pyscf/rehearsal/card", wheel, here.parent, os.environ.get("PYTHONPATH"))
    return os.environ | {"PYTHONPATH": os.pathsep.join(str(folder) for folder in folders if folder)}
