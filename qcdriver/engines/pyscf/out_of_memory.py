"""Tell too little memory from other failures, and say what would help."""

from __future__ import annotations

import traceback
from pathlib import Path

ASSERTED = ("blksize", "batch_size", "word_avail")
"""What gpu4pyscf 1.9 asserts to be more than nothing, where no memory is left for a block of work."""
SAID = ("cudaErrorMemoryAllocation", "_STATUS_ALLOC_FAILED", "GPU memory", "memory for storing intermediates")
"""What CUDA's libraries and gpu4pyscf say, with an error of any kind: large arrays are not CuPy's pool's."""
HELP = (
    "a smaller basis set or grid_level, density_fit = false for a hybrid, no solvent, or a GPU with more memory; "
    "`qcdriver check INPUT --gpu GIB` estimates what is needed"
)
"""What takes less of a GPU's memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the host or on the GPU."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in SAID):
        return True
    if not isinstance(error, AssertionError):
        return False
    where = traceback.extract_tb(error.__traceback__)[-1]
    return "gpu4pyscf" in Path(where.filename).parts and any(name in (where.line or "") for name in ASSERTED)
