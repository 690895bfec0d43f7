"""What a run of an input would do on this machine, stage by stage; refused now if anything could not work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SerializeAsAny

from qcdriver import engines
from qcdriver.engines import Needs
from qcdriver.engines.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.models.base import Frozen
from qcdriver.models.level import Resources
from qcdriver.models.molecule import Molecule
from qcdriver.systems.registry import descriptions, geometry_of, unplaced
from qcdriver.workflow.base import Stage
from qcdriver.workflow.open_run import Run


class PlannedStage(Frozen):
    """One stage: its level, how many basis functions the molecule has there, how many calculations at most or least.

    `needs`: of a stage that computes by DFT, sizes, memory and time of one calculation.
    """

    stage: str
    level: str
    engine_version: str
    n_basis_functions: int | None
    calculations: str
    needs: SerializeAsAny[Needs] | None = None


class RunPlan(Frozen):
    """What a run would do; `notes` say what is otherwise on the machine where its jobs will run."""

    title: str
    formula: str
    n_atoms: int
    n_electrons: int
    candidates: tuple[str, ...]
    molecules: tuple[str, ...]
    stages: tuple[PlannedStage, ...]
    notes: tuple[str, ...] = ()


def plan_run(run: Run, notes: tuple[str, ...] = ()) -> RunPlan:
    """Build the candidates, check them against every level, and say what would be computed; computes no energy.

    Raises
    ------
    InputError, MissingError
        As a run would.
    """
    _check_levels(run, run.stages)
    molecules = [geometry_of(candidate) for candidate in run.candidates]
    _check(run, run.stages, molecules)
    first = molecules[0]
    return RunPlan(
        title=run.input.title,
        formula=first.formula,
        n_atoms=len(first.symbols),
        n_electrons=first.n_electrons,
        candidates=tuple(candidate.label for candidate in run.candidates),
        molecules=tuple(descriptions(run.candidates)),
        stages=tuple(_planned(run, stage) for stage in run.stages),
        notes=notes,
    )


def refuse_impossible(run: Run, stages: Sequence[Stage[Any]]) -> None:
    """Refuse, before hours are spent, what these stages could not do; nothing to refuse when all are done.

    Raises
    ------
    InputError, MissingError
    """
    if all(run.verdicts(type(stage)) is not None for stage in stages):
        return
    _check_levels(run, stages)
    molecules = [run.molecule]  # models of one input differ in geometry alone
    molecules += [candidate.origin for candidate in run.candidates[1:] if isinstance(candidate.origin, Molecule)]
    _check(run, stages, molecules)


def _check_levels(run: Run, stages: Sequence[Stage[Any]]) -> None:
    """Refuse levels that cannot compute the candidates; nothing is built for that.

    Raises
    ------
    InputError, MissingError
    """
    alike = {
        (molecule.symbols, molecule.molecular_charge, molecule.molecular_multiplicity): molecule
        for molecule in map(unplaced, run.candidates)
    }
    for stage in stages:
        stage.check_levels(run, list(alike.values()))


def _check(run: Run, stages: Sequence[Stage[Any]], molecules: Sequence[Molecule]) -> None:
    for stage in stages:
        stage.check_levels(run, molecules)
        stage.check(run, molecules)


def needs_of(run: Run, stage: Stage[Any]) -> Needs:
    """Return what one calculation of a stage needs on this machine.

    Raises
    ------
    InputError
    """
    machine, plan = run.input.resources, run.plan(type(stage))
    resources = Resources(
        threads=machine.threads or threads_of_this_machine(),
        memory_mb=machine.memory_mb or int(0.8 * memory_of_this_machine_mb()),
        device=plan.device,
    )
    return stage.needs(run, plan, resources)


def _planned(run: Run, stage: Stage[Any]) -> PlannedStage:
    plan, needs = run.plan(type(stage)), needs_of(run, stage)
    level = plan.levels[0]
    return PlannedStage(
        stage=stage.name,
        level=engines.title(level),
        engine_version=level.engine_version,
        n_basis_functions=needs.n_basis_functions,
        calculations=plan.calculations,
        needs=needs if needs.lines() else None,
    )
