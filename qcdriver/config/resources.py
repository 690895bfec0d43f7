"""`[resources]` of an input: what a run may use on this machine, and what a task of each stage asks of Slurm."""

from __future__ import annotations

import re

from pydantic import Field, ValidationInfo, field_validator

from qcdriver.schema import Frozen

_OURS = r"--(array|dependency|job-name|signal|output|error|chdir|requeue|no-requeue)\b|-[aJdoeD](?![a-z-])"


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
        for each in (value,) if isinstance(value, str) else value or ():
            if not each.strip() or not each.isprintable():
                raise ValueError(f"{each!r} is not one line of text")
            if info.field_name == "sbatch" and not re.match(r"--?[A-Za-z]", each):
                raise ValueError(f'{each!r} is no option of sbatch; one looks like "--exclusive"')
            if info.field_name == "sbatch" and (ours := re.match(_OURS, each)):
                raise ValueError(f"{ours[0]} is what qcdriver submit sets itself")
        return value

    @property
    def time_s(self) -> int | None:
        """The time in seconds."""
        if self.time is None or isinstance(self.time, int):
            return None if self.time is None else self.time * 60
        days, _, clock = self.time.rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


class Machine(Frozen):
    """`[resources]`: what a run on this machine may use, None being what it has; and a table for each stage."""

    threads: int | None = Field(default=None, ge=1)
    memory_mb: int | None = Field(default=None, ge=100)
    prescreen: StageResources = StageResources()
    scan: StageResources = StageResources()
    stationary: StageResources = StageResources()
    interconversion: StageResources = StageResources()
    dft: StageResources = StageResources()

    def of(self, stage: str) -> StageResources:
        """Give the table of a stage; the mirror image is one more single point."""
        table: StageResources = getattr(self, "dft" if stage == "mirror" else stage)
        return table
