"""A level of theory, and what a calculation at it may use: all that fixes a number but the molecule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from qcdriver.models.base import Frozen


class Model(Frozen):
    """A level of theory: `method` (GFN1-xTB, pbe, ...) and, for DFT, a `basis`."""

    method: str
    basis: str | None = None


class Level(Frozen):
    """All that fixes an energy but the molecule: engine, its version, model, keywords.

    Two energies may be subtracted if, and only if, their levels are equal. `keywords` are the engine's own,
    validated by its `Keywords` class.
    """

    engine: str
    engine_version: str
    model: Model
    keywords: dict[str, JsonValue] = Field(default_factory=dict)


class Convergence(Frozen):
    """When a relaxation is done: every condition must hold.

    `max_force`: largest atomic force component free to act, hartree/bohr. `energy_change`: change over the last
    step, hartree. `max_steps`: accepted steps before it is a failure.
    """

    max_force: float = Field(gt=0)
    energy_change: float = Field(gt=0)
    max_steps: int = Field(gt=0)


class Resources(Frozen):
    """What a calculation may use. It must not change the number.

    `checkpoint`: file in which an SCF saves itself while it runs, and from which a killed one goes on; removed when
    done, but for `keep_checkpoint`. `start_from`: folder of kept checkpoints; that of the same molecule at the nearest
    geometry gives the first density.
    """

    threads: int = Field(default=1, ge=1)
    memory_mb: int = Field(default=4000, ge=1)
    device: Literal["cpu", "gpu"] = "cpu"
    checkpoint: str | None = None
    keep_checkpoint: bool = False
    start_from: str | None = None
