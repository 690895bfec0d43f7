"""Records -> findings: what the stages of a run decided, with its numbers, energies subtracted within one level."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qcdriver import units
from qcdriver.comparison.cu14 import glance_at_cu14
from qcdriver.config.settings import Settings
from qcdriver.errors import InputError
from qcdriver.findings import Conformer, Dropped, MirrorCheck, Network, PathFound, Profile, Spread, Summary
from qcdriver.landscape.connections import failed_points, grid_connections, merged_points, refined_connections
from qcdriver.landscape.points import Landscape, read_landscape
from qcdriver.landscape.profiles import Located, dft_profile, holes, scan_checks, scan_profile
from qcdriver.records import Records
from qcdriver.scan.setup import scan_grid
from qcdriver.scan.stage import MIRROR_LABEL
from qcdriver.schema import (
    Band,
    Build,
    Failure,
    Frozen,
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
    landscape = landscape_of(settings, stages, records)
    return Summary(
        title=settings.title,
        formula=molecule_of(task_record(records, survivors[0].key)).formula if survivors else "",
        conformers=(*relaxed, *single),
        profiles=_profiles(settings, landscape, _located(stages.get("dft", ()), records)),
        networks=_networks(landscape, stages, records),
        paths=tuple(_paths(stages.get("interconversion", ()), records)),
        mirror_checks=(
            *scan_checks(stages.get("scan", ()), records),
            *(
                MirrorCheck(
                    label=each.label,
                    key=each.key,
                    level=level_of(task_record(records, each.key)).title,
                    passed=each.kept,
                    finding=str(each.reason),
                )
                for each in stages.get("mirror", ())
            ),
        ),
        spreads=tuple(_spreads(prescreened, records)),
        dropped=(
            *(
                Dropped(stage=stage, label=verdict.label, reason=verdict.reason)
                for stage in ("prescreen", "scan")
                for verdict in stages.get(stage, ())
                if verdict.reason and not verdict.kept
            ),
            *merged_points(stages.get("stationary", ())),
        ),
        failed=(
            *_died(stages, records),
            *(holes(landscape, stages["scan"]) if landscape else ()),
            *failed_points(stages.get("stationary", ())),
            *_unconverged(stages),
        ),
        experiment_source=settings.experiment.source if settings.experiment else None,
    )


def landscape_of(settings: Settings, stages: Stages, records: Records) -> Landscape | None:
    """Read a finished scan."""
    survivors = [each for each in stages.get("prescreen", ()) if each.kept]
    if settings.scan is None or "scan" not in stages or not survivors:
        return None
    grid = scan_grid(settings.scan, molecule_of(task_record(records, survivors[0].key)))
    return read_landscape(grid, stages["scan"], records)


def _networks(landscape: Landscape | None, stages: Stages, records: Records) -> tuple[Network, ...]:
    if landscape is None:
        return ()
    found = (grid_connections(landscape), refined_connections(landscape, stages.get("stationary", ()), records))
    return tuple(each for each in found if each)


def _profiles(settings: Settings, landscape: Landscape | None, located: Located) -> tuple[Profile, ...]:
    if settings.scan is None or landscape is None:
        return ()
    targets = {point.record.key: index for index, point in landscape.points.items()}
    found = (scan_profile(settings.scan, landscape), dft_profile(settings.scan, landscape.grid, located, targets))
    return tuple(profile for profile in found if profile)


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
    ] + [
        Dropped(stage="scan", label=verdict.label, reason=str(verdict.reason))
        for verdict in stages.get("scan", ())
        if verdict.label.startswith(MIRROR_LABEL) and not verdict.kept
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


def write_finding(finding: Frozen, path: Path) -> None:
    """Write a JSON file, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(finding.model_dump_json(indent=1) + "\n", encoding="utf-8")
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
    return [(each, task_record(records, each.key)) for each in verdicts if each.kept and each.reached is not None]


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
