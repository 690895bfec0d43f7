"""What an input's DFT would take on a GPU that need not be here: memory, and time for a point and a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcdriver import engines
from qcdriver.engines.base import Gpu, GpuEstimate
from qcdriver.engines.machine import memory_of_this_machine_mb
from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level, Resources
from qcdriver.workflow.base import Stage
from qcdriver.workflow.dft import dft_engine
from qcdriver.workflow.single_points import SinglePoints

if TYPE_CHECKING:
    from qcdriver.workflow.open_run import Run
    from qcdriver.workflow.tables import Input

GRADIENTS_A_POINT = 30
"""Of a relaxation at a scan point, from its neighbour's structure: 18 to 46 in a prototype on the rod with PH3."""
MINUTE, HOUR, DAY = 60, 3600, 86400


class StageOnGpu(Frozen):
    """A stage by DFT: its level, what one calculation takes, and the whole of it on one GPU.

    `calculations` for a person; `count` of them at most, each an energy or a relaxation of `GRADIENTS_A_POINT`
    gradients; `run_s` the seconds they take one after another. None where that depends on what is found.
    """

    stage: str
    level: str
    calculations: str
    estimate: GpuEstimate
    count: int | None = None
    run_s: float | None = None

    def lines(self) -> list[str]:
        """Return the lines that a person reads."""
        one = self.estimate
        total = "" if self.run_s is None else f"; all of them, on one GPU: {_time(self.run_s)}"
        lines = [
            f"{self.stage}: {self.level}, {self.calculations}{total}",
            f"  a point: about {one.gpu_memory_mb} MB on the GPU, {one.memory_mb} MB on the host; an energy "
            f"{_time(one.first_s)}, from a neighbour's density {_time(one.next_s)}, forces {_time(one.forces_s)} more",
        ]
        return lines if one.too_large is None else [*lines, f"  does not fit: {one.too_large}"]


class GpuPlan(Frozen):
    """The stages of an input that would run on a GPU."""

    gpu: str
    total_mb: int
    stages: tuple[StageOnGpu, ...]

    def lines(self) -> list[str]:
        """Return the lines that a person reads."""
        title = f"on one GPU, {self.gpu} ({self.total_mb} MB), estimated from published speeds, not measured:"
        return [title, *(line for stage in self.stages for line in stage.lines())]


def anywhere(settings: Input) -> Input:
    """Return the input with no GPU asked for, so that it can be planned on a machine without one."""
    table = settings.table(SinglePoints.Settings)
    if table is None:
        return settings
    return settings.model_copy(update={SinglePoints.name: table.model_copy(update={"device": "auto"})})


def on_this_machine(settings: Input) -> tuple[Input, tuple[str, ...]]:
    """Return the input as this machine can plan it, and a line where its jobs on Slurm get a GPU that is not here.

    Only an input whose `[resources]` ask for GPUs has its GPU elsewhere; another that wants one is refused by its plan.
    """
    table, gpus = settings.table(SinglePoints.Settings), settings.resources.of(SinglePoints.name).gpus
    if table is None or table.device != "gpu" or not gpus:
        return settings, ()
    missing = dft_engine(table).missing("gpu")
    if missing is None:
        return settings, ()
    line = (
        f"{SinglePoints.name}: planned for the CPU here ({missing}); its jobs on Slurm ask for a GPU "
        f"(resources.{SinglePoints.name}.gpus = {gpus})"
    )
    return anywhere(settings), (line,)


def plan_for_gpu(run: Run, gpu: str) -> GpuPlan:
    """Estimate what a run's stages take on a GPU, given by name or memory in GiB; computes nothing.

    Raises
    ------
    InputError
        No stage computes by an engine that uses GPUs, or no GPU has the name.
    """
    planned, found = [], None
    for stage in run.stages:
        level = run.plan(type(stage)).levels[0]
        engine = engines.of(level)
        if "gpu" in engine.devices:
            found = engine.gpu_named(gpu)
            planned.append(_on_gpu(run, stage, level, found))
    if found is None:
        raise InputError("no stage of the input computes by DFT, so none runs on a GPU")
    return GpuPlan(gpu=found.name, total_mb=found.total_mb, stages=tuple(planned))


def _on_gpu(run: Run, stage: Stage[Any], level: Level, gpu: Gpu) -> StageOnGpu:
    engine, plan = engines.of(level), run.plan(type(stage))
    resources = Resources(memory_mb=run.input.resources.memory_mb or int(0.8 * memory_of_this_machine_mb()))
    one = engine.estimate_on_gpu(run.molecule, level.model, engine.keywords(level.keywords), resources, gpu)
    energies = isinstance(stage, SinglePoints)
    count = sum(array.width for array in stage.job_arrays(run)) if energies else plan.expected
    seconds = one.next_s if energies else GRADIENTS_A_POINT * (one.next_s + one.forces_s)
    return StageOnGpu(
        stage=stage.name,
        level=engines.title(level),
        calculations=plan.calculations,
        estimate=one,
        count=count,
        run_s=None if count is None else one.first_s - one.next_s + count * seconds,
    )


def _time(seconds: float) -> str:
    for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.2g} {word}" if seconds < 100 * unit else f"{seconds / unit:.0f} {word}"
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds:.0f} s"
