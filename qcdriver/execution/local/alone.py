"""One calculation that belongs to no stage: found in the records of a run directory, or computed there."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from qcdriver import engines
from qcdriver.engines import Device
from qcdriver.engines.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.errors import ResourceError
from qcdriver.execution.local.runner import LocalRunner, error_of, is_answer
from qcdriver.execution.progress import Display
from qcdriver.models.level import Level, Resources
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation, SinglePoint
from qcdriver.store import Records, task_key
from qcdriver.store.checkpoints import remove_checkpoints
from qcdriver.workflow.base import Job, alone
from qcdriver.workflow.resources import Machine, StageResources


def compute_alone(job: Job, store: Path | None, machine: Machine, display: Display) -> TaskRecord:
    """Compute one task as a stage would: in a worker process, checked, and kept as a record.

    Parameters
    ----------
    job
        A single point or a relaxation.
    store
        The run directory that keeps the record, and in which it is looked for first. None: nothing is kept.
    machine
        Threads and memory it may use.

    Raises
    ------
    QcdriverError
        There is no number; the class of the error says why.
    """
    task = job.task
    assert isinstance(task, SinglePoint | Relaxation)
    device = _device_of(task.level)
    with ExitStack() as stack:
        directory = store or Path(stack.enter_context(TemporaryDirectory(prefix="qcdriver-")))
        records = Records(directory)
        stack.callback(records.close)
        found = records.find(task_key(task))
        if not isinstance(found, TaskRecord) or not is_answer(found.outcome):
            _refuse_impossible(task, device, machine)
        runner = stack.enter_context(LocalRunner(records, directory / "workers.log", machine, None, display))
        runner.begin(task.kind, StageResources(), device)
        record: TaskRecord
        (record,) = runner([alone(job)])
        if is_answer(record.outcome):
            remove_checkpoints(directory, [record.key])
    if isinstance(record.outcome, Failure):
        raise error_of(record.outcome, job.label)
    return record


def _device_of(level: Level) -> Device:
    """Return the device that a level was made for, which its engine's version tells."""
    engine = engines.of(level)
    fitting = (
        device
        for device in engine.devices
        if engine.missing(device) is None and engine.version(device) == level.engine_version
    )
    return next(fitting, engine.devices[0])


def _refuse_impossible(task: SinglePoint | Relaxation, device: Device, machine: Machine) -> None:
    """Refuse what the engine cannot compute, and what does not fit this machine."""
    engines.check(task.molecule, task.level, task.driver if isinstance(task, SinglePoint) else "gradient")
    resources = Resources(
        threads=machine.threads or threads_of_this_machine(),
        memory_mb=machine.memory_mb or int(0.8 * memory_of_this_machine_mb()),
        device=device,
    )
    if too_large := engines.estimate(task.molecule, task.level, resources).too_large:
        raise ResourceError(too_large)
