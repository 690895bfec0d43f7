"""Conformers of a finished stage, as findings: energies from the lowest, gaps, what was measured on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qcdriver import engines, units
from qcdriver.geometry.bonds import metal_atoms
from qcdriver.geometry.fragment_charges import charges_by_fragment
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Built, Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.models.verdicts import Verdict
from qcdriver.store import task_key
from qcdriver.systems.conformer_family import Bounds, ConformerFamily
from qcdriver.systems.registry import conformer_family, recognise
from qcdriver.workflow.base import RunView
from qcdriver.workflow.findings import Conformer, Representative
from qcdriver.workflow.prescreen.settings import PrescreenSettings


def conformers(verdicts: Iterable[Verdict], relaxed: Mapping[str, Verdict], run: RunView) -> list[Conformer]:
    """Return the conformers of verdicts on records of one level.

    Parameters
    ----------
    relaxed
        The verdict on the relaxation of each conformer, by its label: it says what to know about the geometry.
    """
    found = [(verdict, run.record(verdict.key)) for verdict in verdicts]
    lowest = min((record.result.energy for _, record in found if record.result), default=None)
    return [_conformer(verdict, record, lowest, relaxed[verdict.label], run) for verdict, record in found]


def _conformer(verdict: Verdict, record: TaskRecord, lowest: float | None, relaxed: Verdict, run: RunView) -> Conformer:
    result, isomer, molecule = record.result, verdict.isomer or verdict.label, computed_at(record)
    relative = (result.energy - lowest) * units.KCAL_MOL if result and lowest is not None else None
    experiment = run.input.experiment
    return Conformer(
        label=verdict.label,
        isomer=isomer,
        level=engines.title(record.level),
        key=verdict.key,
        energy_hartree=result.energy if result else None,
        relative_energy_kcal_mol=relative,
        gap_ev=result.gap * units.EV if result and result.gap is not None else None,
        converged=result is not None,
        reason=record.outcome.message if isinstance(record.outcome, Failure) else None,
        verdict=relaxed,
        experimental_gap_ev=experiment.gap_ev.get(isomer) if experiment else None,
        family=family_of(verdict.label, molecule, run),
        measured=_measured(molecule),
        fragment_charges=_fragment_charges(record, molecule),
        warnings=result.warnings if result else (),
        gap_of=result.orbitals_of if result else None,
    )


def computed_at(record: TaskRecord) -> Molecule:
    """Return the geometry a record ends with; of one that failed, that of its task."""
    molecule = record.molecule or getattr(record.task, "molecule", None)
    assert isinstance(molecule, Molecule)  # a build that failed has no conformer
    return molecule


def family_of(label: str, molecule: Molecule, run: RunView) -> ConformerFamily | None:
    """Return the family that a relaxed candidate belongs to, by the bounds of the input."""
    prescreen = run.table(PrescreenSettings)
    bounds = prescreen.bounds if prescreen else Bounds()
    return conformer_family(molecule, start_of(label, run), bounds)


def representatives(found: Sequence[Conformer]) -> list[Representative]:
    """Find what stands for each isomer, of conformers at one level; nothing where no families are told apart."""
    chosen = []
    for isomer in dict.fromkeys(conformer.isomer for conformer in found):
        rivals = [(rival.energy_hartree, rival, rival.family) for rival in found if rival.isomer == isomer]
        known = [
            (energy, rival, family) for energy, rival, family in rivals if energy is not None and family is not None
        ]
        if not known:
            continue
        lowest, first, folded = min(known, key=lambda rival: rival[0])
        within = [rival for rival in known if rival[2].within_bounds] or [(lowest, first, folded)]
        energy, best, family = min(within, key=lambda rival: rival[0])
        chosen.append(
            Representative(
                isomer=isomer,
                label=best.label,
                family=family,
                lowest=first.label,
                family_of_lowest=folded,
                above_kcal_mol=(energy - lowest) * units.KCAL_MOL,
                beyond=tuple(trait.beyond for trait in folded.traits if trait.beyond),
            )
        )
    return chosen


def start_of(label: str, run: RunView) -> Molecule | None:
    """Return what a candidate was relaxed from; None for a model whose record is gone."""
    origin = next((candidate.origin for candidate in run.candidates if candidate.label == label), None)
    if not isinstance(origin, Build):
        return origin
    record = run.records.find(task_key(origin))
    return record.outcome.molecule if isinstance(record, TaskRecord) and isinstance(record.outcome, Built) else None


def _measured(molecule: Molecule) -> dict[str, Frozen]:
    """Return what the family of a known cluster says about a conformer, by the family's name."""
    known = recognise(molecule)
    return {known.family.name: known.family.glance(molecule, known.found)} if known else {}


def _fragment_charges(record: TaskRecord, molecule: Molecule) -> dict[str, float] | None:
    """Sum the charges over core and ligands; a molecule without metal has neither."""
    result = record.result
    if result is None or result.hirshfeld_charges is None or not metal_atoms(molecule):
        return None
    return charges_by_fragment(molecule, result.hirshfeld_charges)
