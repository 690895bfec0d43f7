"""The prescreen as a stage: every candidate of the input, relaxed by xTB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcdriver import engines, units
from qcdriver.errors import InputError, input_errors_of
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import BondChange, Code, Purpose, Verdict
from qcdriver.systems.base import Candidate
from qcdriver.systems.registry import candidates, conformer_family, has_target, sources
from qcdriver.workflow.base import JobArray, Line, Plan, Rounds, RunView, Stage
from qcdriver.workflow.conformers import conformers, family_of, representatives
from qcdriver.workflow.findings import Dropped, Findings, Spread
from qcdriver.workflow.prescreen.levels import preoptimization_level, relaxation_level
from qcdriver.workflow.prescreen.rounds import Passes, all_core, prescreen
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.steps import stepwise

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input


class Prescreen(Stage[PrescreenSettings]):
    """Candidates, relaxed and ranked; the best go on."""

    name = "prescreen"
    Settings = PrescreenSettings
    runs_without_table = True
    stops_run_when_empty = True

    def check_tables(self, tables: Input) -> None:
        """Refuse several starts of what has one."""
        table = tables.table(PrescreenSettings)
        if table and table.starts != 1 and not sources()[tables.structure.source].draws_starts:
            raise ValueError("prescreen.starts: geometries from files have one start; leave it out")

    def settle(self, table: PrescreenSettings, tables: Input, molecule: Callable[[], Molecule]) -> PrescreenSettings:  # noqa: ARG002
        """Leave out the force field before the first pass where the structures were relaxed already."""
        if "preoptimize" in table.model_fields_set or not sources()[tables.structure.source].relaxed:
            return table
        return table.model_copy(update={"preoptimize": "none"})

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            level, _ = relaxation_level(self.settings(run))
            for molecule in molecules:
                engines.check(molecule, level, "gradient")

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Refuse a bound on what these molecules do not have, and bounds that all of them are beyond for good."""
        settings = self.settings(run)
        families = [conformer_family(molecule, molecule, settings.bounds) for molecule in molecules]
        known = [family for family in families if family is not None]
        if settings.max_bend_deg is not None and not any(family.trait("bend") for family in known):
            formula = molecules[0].formula
            raise InputError(f"[{self.name}] max_bend_deg: {formula} is no rod that could bend; leave it out")
        if settings.hold_metal and known == families and not any(family.within_bounds for family in known):
            raise InputError(
                f"[{self.name}] max_bend_deg: hold_metal = true keeps all candidates beyond it ({known[0]}); raise it"
            )

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the candidates."""
        return {"candidates": [[candidate.label, candidate.key] for candidate in run.candidates]}

    def plan(self, run: RunView) -> Plan:
        """Name the level that ranks and the force field before it."""
        level, sentence = relaxation_level(self.settings(run))
        preoptimization, before = preoptimization_level(self.settings(run))
        if preoptimization and (bare := [candidate.label for candidate in run.candidates if _is_bare(candidate)]):
            some = f"{before} (nothing to settle around the core of {', '.join(bare)})"
            before = some if len(bare) < len(run.candidates) else "no preoptimization (no ligands around a core)"
        if preoptimization is None and sources()[run.input.structure.source].relaxed:
            before = "no preoptimization (the structures are relaxed already)"
        return Plan(
            levels=(level,) if preoptimization is None else (level, preoptimization),
            sentence=f"{before}, {sentence}",
            calculations=f"{len(run.candidates)} candidates",
        )

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Relax every candidate cheaply, the best tightly."""
        return prescreen(run.candidates, self._passes(run, plan))

    def first_line(self, run: RunView, plan: Plan, index: int) -> Line[Any]:
        """Return the line of one candidate; no other is read."""
        return self._passes(run, plan).first(run.candidates[index])

    def _passes(self, run: RunView, plan: Plan) -> Passes:
        level, *preoptimization = plan.levels
        return Passes(self.settings(run), level, next(iter(preoptimization), None))

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return its rounds: all candidates; the best, tightly; those that moved away when set free, held."""
        settings = self.settings(run)
        starts = Counter(candidate.isomer for candidate in run.candidates)
        tight = sum(min(count, settings.max_tight) for count in starts.values())
        if not settings.keep_each_isomer:
            tight = min(tight, settings.max_tight)
        if settings.every_family:  # how many there are is known when they are relaxed
            tight = len(run.candidates)
        held = len({candidate.isomer for candidate in run.candidates if has_target(candidate)})
        later = (JobArray(width=width, work="job") for width in (tight, held) if width)
        return (JobArray(width=len(run.candidates), work="line"), *later)

    def advice(self, verdicts: Sequence[Verdict]) -> str:
        """Name the setting that decides when a metal skeleton has fallen apart."""
        changes = {verdict.facts.change for verdict in verdicts if isinstance(verdict.facts, BondChange)}
        if not changes & {"skeleton_lost", "skeleton_formed"}:
            return ""
        return "prescreen.metal_bonds_to_lose sets what part of its metal bonds an atom may lose, at 1 all of them"

    def findings(self, run: RunView) -> Findings | None:
        """Return the conformers that go on, and why the others do not."""
        verdicts = run.verdicts(Prescreen)
        if verdicts is None:
            return None
        kept = [verdict for verdict in verdicts if verdict.kept]
        found = conformers(kept, {verdict.label: verdict for verdict in kept}, run)
        return Findings(
            conformers=tuple(found),
            representatives=tuple(representatives(found)),
            spreads=tuple(_spreads(verdicts, run)),
            own=stepwise(kept, run) if kept and self.settings(run).preoptimize == "stepwise" else None,
            dropped=tuple(_dropped(verdict) for verdict in verdicts if not verdict.kept),
            # No verdict on them: the same command tries again.
            failed=tuple(_dropped(verdict) for verdict in verdicts if verdict.code is Code.KILLED),
        )


def _is_bare(candidate: Candidate) -> bool:
    return isinstance(candidate.origin, Molecule) and all_core(candidate.origin)


def candidates_of(tables: Input, folder: Path) -> list[Candidate]:
    """List the molecules that a run starts from; paths are relative to `folder`, that of the input file.

    Raises
    ------
    InputError
        As `qcdriver.systems.registry.candidates`.
    """
    table = tables.table(PrescreenSettings)
    assert table is not None
    return candidates(tables.structure, folder, table.starts, table.seed)


def most_survivors(run: RunView) -> int:
    """Count the conformers that go on, at most; known before any is relaxed."""
    prescreen = run.table(PrescreenSettings)
    assert prescreen is not None
    return len(run.candidates) if prescreen.every_family else prescreen.max_kept


def survivors(run: RunView) -> list[tuple[Verdict, Molecule]]:
    """Return the kept conformers and their geometries, the lowest first.

    Raises
    ------
    InputError
        The prescreen has not finished with this input.
    """
    kept = [verdict for verdict in run.require(Prescreen) if verdict.kept]
    return [(verdict, molecule) for verdict in kept if (molecule := run.record(verdict.key).molecule)]


def survivors_for_isomers(run: RunView) -> list[tuple[Verdict, Molecule]]:
    """Return the conformer that stands for each isomer, and its geometry: what lies beyond a bound only if all do.

    Raises
    ------
    InputError
        The prescreen has not finished with this input.
    """
    best: dict[str, tuple[Verdict, Molecule]] = {}
    bent: dict[str, tuple[Verdict, Molecule]] = {}
    for verdict, molecule in survivors(run):
        family = family_of(verdict.label, molecule, run)
        fit = best if family is None or family.within_bounds else bent
        fit.setdefault(verdict.isomer or verdict.label, (verdict, molecule))
    return [best.get(isomer, bent.get(isomer)) for isomer in dict.fromkeys((*best, *bent))]  # type: ignore[misc]


def _dropped(verdict: Verdict) -> Dropped:
    return Dropped(stage=Prescreen.name, label=verdict.label, verdict=verdict)


def _spreads(verdicts: Iterable[Verdict], run: RunView) -> list[Spread]:
    """Compare the starts of an isomer that got the tight relaxation and stayed that isomer."""
    tight: dict[str, list[TaskRecord]] = {}
    for verdict in verdicts:
        record = run.record(verdict.key)
        purpose = verdict.purpose or record.purpose  # an older verdict of the prescreen names none
        lost = verdict.code in (Code.FELL_APART, Code.TURNED)
        if purpose is Purpose.TIGHT and isinstance(record.outcome, Relaxed) and not lost:
            tight.setdefault(verdict.isomer or verdict.label, []).append(record)
    spreads = []
    for isomer, records in tight.items():
        energies = [record.result.energy for record in records if record.result]
        spreads.append(
            Spread(
                isomer=isomer,
                level=engines.title(records[0].level),
                n_starts=len(energies),
                kcal_mol=(max(energies) - min(energies)) * units.KCAL_MOL,
            )
        )
    return spreads
