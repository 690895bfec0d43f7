"""Records -> findings: what the stages of a run decided, with its numbers, energies subtracted within one level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from qcdriver import units
from qcdriver.comparison.cu14 import glance_at_cu14
from qcdriver.config import Settings
from qcdriver.errors import InputError
from qcdriver.findings import Conformer, Dropped, MirrorCheck, PathFound, Profile, ProfilePoint, Spread, Summary
from qcdriver.records import Records
from qcdriver.schema import (
    Band,
    Build,
    Failure,
    Level,
    Molecule,
    Relaxation,
    Relaxed,
    Result,
    SinglePoint,
    TaskRecord,
    Verdict,
)
from qcdriver.structures.bonds import metal_atoms
from qcdriver.structures.fragment_charges import charges_by_fragment
from qcdriver.structures.rod import RodMeasures, find_rod, measure_rod

Stages = dict[str, tuple[Verdict, ...]]
"""The verdicts of the stages that have run, by the stage's name."""


def summarize(settings: Settings, stages: Stages, records: Records) -> Summary:
    """Collect the findings of the stages that have run."""
    prescreened = stages.get("prescreen", ())
    survivors = [verdict for verdict in prescreened if verdict.kept]
    notes = {verdict.label: verdict.reason for verdict in survivors}
    relaxed = _conformers(survivors, notes, records, settings)
    single = _conformers([each for each in stages.get("dft", ()) if each.label in notes], notes, records, settings)
    name = settings.scan.coordinate if settings.scan else ""
    scanned = _located(stages.get("scan", ()), records)
    with_dft = _located(stages.get("dft", ()), records)
    return Summary(
        title=settings.title,
        formula=molecule_of(task_record(records, survivors[0].key)).formula if survivors else "",
        conformers=(*relaxed, *single),
        profiles=(*_profiles(name, scanned), *_profiles(name, with_dft)),
        paths=tuple(_paths(stages.get("interconversion", ()), records)),
        mirror_checks=tuple(
            MirrorCheck(
                label=each.label,
                key=each.key,
                level=level_of(task_record(records, each.key)).title,
                passed=each.kept,
                finding=str(each.reason),
            )
            for each in stages.get("mirror", ())
        ),
        spreads=tuple(_spreads(prescreened, records)),
        dropped=tuple(
            Dropped(stage=stage, label=verdict.label, reason=verdict.reason)
            for stage in ("prescreen", "scan")
            for verdict in stages.get(stage, ())
            if verdict.reason and not verdict.kept
        ),
        failed=(*_died(stages, records), *_holes(settings, stages), *_unconverged(stages)),
        experiment_source=settings.experiment.source if settings.experiment else None,
    )


def _holes(settings: Settings, stages: Stages) -> list[Dropped]:
    """List the grid values of a finished scan at which no structure was kept, with the last reason why not."""
    if settings.scan is None or "scan" not in stages:
        return []
    holes = []
    for value in settings.scan.grid_deg:
        at_value = [each for each in stages["scan"] if each.label.startswith(f"{value:g} deg ")]
        if not any(each.kept for each in at_value):
            reason = at_value[-1].reason if at_value else "no neighbour has a structure to start from"
            holes.append(Dropped(stage="scan", label=f"{value:g} deg", reason=str(reason)))
    return holes


def _died(stages: Stages, records: Records) -> list[Dropped]:
    """List candidates whose worker was killed: no verdict on them, and the same command tries again."""
    return [
        Dropped(stage="prescreen", label=verdict.label, reason=str(verdict.reason))
        for verdict in stages.get("prescreen", ())
        if not verdict.kept and _was_killed(task_record(records, verdict.key))
    ]


def _was_killed(record: TaskRecord) -> bool:
    return isinstance(record.outcome, Failure) and record.outcome.error_type == "WorkerDied"


def _unconverged(stages: Stages) -> list[Dropped]:
    return [
        Dropped(stage=stage, label=verdict.label, reason=str(verdict.reason))
        for stage in ("interconversion", "dft", "mirror")
        for verdict in stages.get(stage, ())
        if not verdict.kept
    ]


def _paths(verdicts: Iterable[Verdict], records: Records) -> list[PathFound]:
    found = []
    for verdict in verdicts:
        record = task_record(records, verdict.key)
        band = record.outcome
        if not isinstance(band, Band):
            continue
        relative = [(energy - band.energies[0]) * units.KCAL_MOL for energy in band.energies]
        found.append(
            PathFound(
                label=verdict.label,
                key=verdict.key,
                level=level_of(record).title,
                barrier_kcal_mol=max(relative),
                reverse_barrier_kcal_mol=max(relative) - relative[-1],
                images_kcal_mol=tuple(relative),
                gap_at_top_ev=band.result.gap * units.EV if band.result.gap is not None else None,
                note=verdict.reason,
            )
        )
    return found


def write_summary(summary: Summary, path: Path) -> None:
    """Write `summary.json`, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def task_record(records: Records, key: str) -> TaskRecord:
    """Give the record of a task that a verdict names.

    Raises
    ------
    InputError
        It is damaged or gone.
    """
    record = records.find(key)
    if not isinstance(record, TaskRecord):
        raise InputError(f"{records.path}: record {key} is damaged or gone; qcdriver run computes it again")
    return record


def molecule_of(record: TaskRecord) -> Molecule:
    """Give the geometry a record ends with: relaxed, built, or the one its single point was computed at."""
    if isinstance(record.outcome, Relaxed):
        return record.outcome.molecule
    if isinstance(record.task, SinglePoint | Relaxation):
        return record.task.molecule
    return record.outcome.molecule  # type: ignore[union-attr]  # a build that failed ends the run


def isomer_of(label: str) -> str:
    """Give the isomer in a conformer's label."""
    return label.partition("#")[0]


def level_of(record: TaskRecord) -> Level:
    """Give the level a record's energy was computed at."""
    assert not isinstance(record.task, Build)
    return record.task.level


def result_of(record: TaskRecord) -> Result | None:
    """Give the engine's result at the geometry a record ends with; None when it failed."""
    outcome = record.outcome
    if isinstance(outcome, Relaxed):
        return outcome.result
    return outcome if isinstance(outcome, Result) else None


def _measures(molecule: Molecule) -> RodMeasures | None:
    return None if find_rod(molecule) is None else measure_rod(molecule)


def _fragment_charges(record: TaskRecord, result: Result | None) -> dict[str, float] | None:
    """Sum the charges over core and ligands; a molecule without metal has neither."""
    molecule = molecule_of(record)
    if result is None or result.hirshfeld_charges is None or not metal_atoms(molecule):
        return None
    return charges_by_fragment(molecule, result.hirshfeld_charges)


def _conformers(
    verdicts: Iterable[Verdict], notes: dict[str, str | None], records: Records, settings: Settings
) -> list[Conformer]:
    found = [(verdict, task_record(records, verdict.key)) for verdict in verdicts]
    energies = [result.energy for _, record in found if (result := result_of(record))]
    lowest = min(energies, default=None)
    conformers = []
    for verdict, record in found:
        result, isomer = result_of(record), isomer_of(verdict.label)
        conformers.append(
            Conformer(
                label=verdict.label,
                isomer=isomer,
                level=level_of(record).title,
                key=verdict.key,
                energy_hartree=result.energy if result else None,
                relative_energy_kcal_mol=(result.energy - lowest) * units.KCAL_MOL
                if result and lowest is not None
                else None,
                gap_ev=result.gap * units.EV if result and result.gap is not None else None,
                converged=result is not None,
                reason=record.outcome.message if isinstance(record.outcome, Failure) else None,
                note=notes[verdict.label],
                experimental_gap_ev=settings.experiment.gap_ev.get(isomer) if settings.experiment else None,
                measures=_measures(molecule_of(record)),
                cu14=glance_at_cu14(molecule_of(record)) if result else None,
                fragment_charges=_fragment_charges(record, result),
            )
        )
    return conformers


def _located(verdicts: Iterable[Verdict], records: Records) -> list[tuple[Verdict, TaskRecord]]:
    """Give what was kept and lies on the coordinate."""
    return [(each, task_record(records, each.key)) for each in verdicts if each.kept and each.value_deg is not None]


def _profiles(name: str, found: Sequence[tuple[Verdict, TaskRecord]]) -> list[Profile]:
    """Make one profile of the points of one level, by rising coordinate."""
    if not found:
        return []
    levels = [level_of(record) for _, record in found]
    assert all(level == levels[0] for level in levels), "energies of two levels in one profile"
    energies = [result.energy for _, record in found if (result := result_of(record))]
    points = []
    for verdict, record in found:
        result = result_of(record)
        if result is None or verdict.value_deg is None:
            continue
        measures = _measures(molecule_of(record))
        points.append(
            ProfilePoint(
                label=verdict.label,
                key=verdict.key,
                value_deg=verdict.value_deg,
                energy_hartree=result.energy,
                relative_energy_kcal_mol=(result.energy - min(energies)) * units.KCAL_MOL,
                gap_ev=result.gap * units.EV if result.gap is not None else None,
                belt=measures.belt if measures else None,
            )
        )
    points.sort(key=lambda point: point.value_deg)
    return [Profile(coordinate=name, level=levels[0].title, points=tuple(points))]


def _spreads(verdicts: Iterable[Verdict], records: Records) -> list[Spread]:
    """Compare the starts of an isomer that got the tight relaxation and stayed that isomer."""
    tight: dict[str, list[TaskRecord]] = {}
    for verdict in verdicts:
        record = task_record(records, verdict.key)
        lost = (verdict.reason or "").startswith(("fell apart", "turned"))
        if record.label.endswith(" tight") and isinstance(record.outcome, Relaxed) and not lost:
            tight.setdefault(isomer_of(verdict.label), []).append(record)
    spreads = []
    for isomer, of_isomer in tight.items():
        energies = [record.outcome.result.energy for record in of_isomer if isinstance(record.outcome, Relaxed)]
        spreads.append(
            Spread(
                isomer=isomer,
                level=level_of(of_isomer[0]).title,
                n_starts=len(energies),
                kcal_mol=(max(energies) - min(energies)) * units.KCAL_MOL,
            )
        )
    return spreads
