"""`[resources]` of an input: what a run may use on this machine, and what a task of each stage asks of Slurm."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from pydantic import Field, ValidationInfo, create_model, field_validator

from qcdriver.models.base import Frozen

_OURS = (
    *("array", "dependency", "kill-on-invalid-dep", "job-name", "signal", "output", "error", "open-mode", "chdir"),
    *("requeue", "no-requeue", "wrap", "test-only"),
)
_OURS_SHORT = re.compile(r"-[hHIkOQsuvVW]*([aJdoeD])")
"""Short options of sbatch that take no argument may stand together, before one that does."""


class StageResources(Frozen):
    """`[resources.STAGE]`: what one task of a stage asks for; None leaves it to the site.

    `time` (minutes, "HH:MM:SS" or "D-HH:MM:SS") limits Slurm's job, and a calculation of a run on this machine; `gpus`
    are those of a task, in both places. `modules` are loaded first; `container` is the command, as a shell reads it,
    that runs another inside; `sbatch` are more options, word for word. A job whose time is up is queued again,
    `max_requeues` times at most.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    cpus: int = Field(default=1, ge=1)
    memory_mb: int | None = Field(default=None, ge=100)
    time: str | int | None = None
    gpus: int = Field(default=0, ge=0)
    modules: tuple[str, ...] = ()
    container: str | None = None
    sbatch: tuple[str, ...] = ()
    max_requeues: int = Field(default=3, ge=0)

    @field_validator("partition", "account", "qos")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.,:@/+-]+", value):
            raise ValueError(f"{value!r} is no name: letters, digits and _ . , : @ / + - belong here")
        return value

    @field_validator("time", mode="before")
    @classmethod
    def _a_time(cls, value: object) -> object:
        minutes = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        clock = isinstance(value, str) and re.fullmatch(r"(\d+-)?\d{1,2}:[0-5]\d:[0-5]\d", value) and value.strip("0:-")
        if value is not None and not minutes and not clock:
            raise ValueError(f'{value!r} is no time: minutes, "HH:MM:SS" or "D-HH:MM:SS" belong here')
        return value

    @field_validator("modules", "container", "sbatch")
    @classmethod
    def _one_line_each(cls, value: str | tuple[str, ...] | None, info: ValidationInfo) -> str | tuple[str, ...] | None:
        for word in (value,) if isinstance(value, str) else value or ():
            if not word.strip() or not word.isprintable():
                raise ValueError(f"{word!r} is not one line of text")
            if info.field_name == "sbatch" and not re.match(r"--?[A-Za-z]", word):
                raise ValueError(f'{word!r} is no option of sbatch; one looks like "--exclusive"')
            words = [] if info.field_name == "modules" else _words(word)
            for word in words if info.field_name == "sbatch" else ():
                if ours := _ours(word):
                    raise ValueError(f"{ours} is what qcdriver submit sets itself")
        return value

    @property
    def time_s(self) -> int | None:
        """The time in seconds."""
        if self.time is None or isinstance(self.time, int):
            return None if self.time is None else self.time * 60
        days, _, clock = self.time.rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def _words(text: str) -> list[str]:
    """Split what a shell will read into its words."""
    try:
        return shlex.split(text)
    except ValueError:
        raise ValueError(f"{text!r} has a quote without its other end, or ends in a backslash") from None


def _ours(word: str) -> str | None:
    """Name the option that a word sets and that is not the user's to set; sbatch takes any abbreviation of a name."""
    if long := re.match(r"--([A-Za-z][A-Za-z-]*)", word):
        return next((f"--{name}" for name in _OURS if name.startswith(long[1])), None)
    short = _OURS_SHORT.match(word)
    return f"-{short[1]}" if short else None


class Machine(Frozen):
    """`[resources]`: what a run may use on this machine, None being what it has; and a table for each stage."""

    threads: int | None = Field(default=None, ge=1)
    memory_mb: int | None = Field(default=None, ge=100)

    def of(self, stage: str) -> StageResources:
        """Return the table of a stage; of one that has none, the defaults."""
        table: StageResources = getattr(self, stage, StageResources())
        return table


def machine_of(stages: Iterable[str]) -> type[Machine]:
    """Make the class of `[resources]` with a table for each of these stages."""
    tables: dict[str, Any] = {stage: (StageResources, StageResources()) for stage in stages}
    return create_model("Machine", __base__=Machine, **tables)
