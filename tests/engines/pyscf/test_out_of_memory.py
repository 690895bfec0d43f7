"""Too little memory is told from a broken program, in whatever words it comes."""

from __future__ import annotations

import pytest

from qcdriver.engines.pyscf.out_of_memory import is_out_of_memory


def raised(folder, code):
    """Run a line in a file of a package, and return the error."""
    folder.mkdir()
    path = folder / "df_jk.py"
    path.write_text(code)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        exec(compile(code, str(path), "exec"), {"blksize": 0, "dm_batch_size": 0, "nao": 3})
    return caught.value


@pytest.mark.parametrize(
    "code",
    [
        "assert blksize > 0",
        "assert dm_batch_size > 0",
        "raise MemoryError('Not enough GPU memory. cderi size = 900.00 GB')",
        "raise RuntimeError('cudaErrorMemoryAllocation: out of memory')",
        "raise Exception('Available GPU memory (0.1 GB) is too small for the 3 center integral')",
    ],
)
def test_gpu4pyscf_s_own_words_for_too_little_memory_are_known(tmp_path, code):
    assert is_out_of_memory(raised(tmp_path / "gpu4pyscf", code))


@pytest.mark.parametrize(("package", "code"), [("gpu4pyscf", "assert nao == 4"), ("elsewhere", "assert blksize > 0")])
def test_any_other_assertion_is_a_broken_program(tmp_path, package, code):
    assert not is_out_of_memory(raised(tmp_path / package, code))
