"""GPUs that a calculation can be planned for without having one: their memory, and how fast gpu4pyscf is on them.

The speed is published for the A100: gpu4pyscf's own benchmark of density-fitted SCF, version 1.0
(https://github.com/pyscf/gpu4pyscf/tree/master/benchmarks/df/organic; doi:10.48550/arXiv.2404.09452). Taxol and
valinomycin, PBE/def2-TZVPP and B3LYP/def2-SVP, 1123 to 3678 functions on 3.5 and 5.2 million points, took 29 to 357 s.
With 12 to 15 cycles that is 9e12 to 15e12 multiplications a second, counted as `estimate` counts them, whole cycles
included. Other cards are taken to be as much faster or slower as their makers' double precision is (matrix units for
the grid, vector units for the rest).
"""

from __future__ import annotations

from typing import NamedTuple

from qcdriver.engines.base import Gpu
from qcdriver.errors import InputError

MULTIPLICATIONS_PER_S = 1.0e13
"""On an A100, of the work on the grid; a factor of two either way."""
CYCLE_S = 0.3
"""Of a cycle, whatever the molecule: vitamin C takes 6 to 7 s there, with 208 functions as with 484."""
EXACT_S = 3e-6
"""Seconds per squared number of functions, on an A100, for exact Coulomb and exchange matrices: 37 s of a cycle of 76
waters with 4484 functions (B3LYP/def2-TZVPP, benchmarks/scf/water_clusters there), half as much again for metals."""


class Card(NamedTuple):
    """A GPU's memory in MB as its driver has it, and double precision in TFLOP/s: by matrix and by vector units."""

    memory_mb: int
    matrix_tflops: float
    vector_tflops: float


CARDS = {
    "v100": Card(32_768, 7.8, 7.8),
    "a100": Card(81_920, 19.5, 9.7),
    "a100-40": Card(40_960, 19.5, 9.7),
    "h100": Card(81_559, 66.9, 33.5),
    "h200": Card(143_771, 66.9, 33.5),
    "l40s": Card(46_068, 1.4, 1.4),
    "rtx4090": Card(24_564, 1.3, 1.3),
}
"""As NVIDIA's data sheets have them (SXM where there are two kinds)."""
REFERENCE = CARDS["a100"]


def card_named(words: str) -> Gpu:
    """Return the GPU that a name, or a number of GiB, stands for; with all its memory free.

    Raises
    ------
    InputError
        It is neither.
    """
    if (name := words.lower()) in CARDS:
        total = CARDS[name].memory_mb
    else:
        try:
            total = round(float(words) * 1024)
        except ValueError:
            total = 0
        if not 1024 <= total <= 2**20:
            raise InputError(f"no GPU named {words!r}; there are {', '.join(CARDS)}, or a memory in GiB: --gpu 48")
        name = f"GPU of {words} GiB, as fast as an A100"
    return Gpu(name, total, total)


def speeds(gpu: Gpu) -> tuple[float, float]:
    """Return how fast a GPU is against an A100: on the grid, and in the rest. An unknown one is as fast."""
    card = CARDS.get(gpu.name, REFERENCE)
    return card.matrix_tflops / REFERENCE.matrix_tflops, card.vector_tflops / REFERENCE.vector_tflops
