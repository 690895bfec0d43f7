"""Molecules -> relaxed, deduplicated, ranked survivors.

Every candidate gets a cheap relaxation, the best a tight one; a soft surface (phosphines librate) moves energies by
more than the isomers differ, so only tightly relaxed ones are compared. A rough start would turn a rod before its
ligands have settled, so the cheap pass holds the twist and the tight one sets it free. An isomer that does not stay
what it is when free is no minimum at this level; it goes on held at its coordinate, and says so. Nothing is dropped
without a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qcdriver import units
from qcdriver.geometry.bonds import bond_matrix, broken, metal_atoms, opened
from qcdriver.geometry.coordinates import measured
from qcdriver.geometry.likeness import likeness
from qcdriver.models.coordinates import AngularTarget
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Built, Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Above, Code, Drift, Limit, Note, Purpose, Twin, Verdict, failure
from qcdriver.systems.base import Candidate
from qcdriver.systems.registry import built_target, conformer_family
from qcdriver.workflow.base import Job, Line, Rounds
from qcdriver.workflow.prescreen.settings import PrescreenSettings

_PASSES = {Purpose.CHEAP: "cheap", Purpose.TIGHT: "tight", Purpose.TIGHT_HELD: "tight, held"}
"""The passes at the level that ranks, as a person knows them."""

_PREPARATIONS = {
    "GFN-FF": (Purpose.SETTLE_LIGANDS,),
    "hydrogens": (Purpose.SETTLE_HYDROGENS,),
    "stepwise": (Purpose.SETTLE_HYDROGENS, Purpose.SETTLE_LIGANDS),
}
"""What is relaxed before the first pass, by the word of the input."""


@dataclass(frozen=True)
class _Relaxing:
    candidate: Candidate
    built: Molecule
    target: AngularTarget | None
    molecule: Molecule
    key: str
    purpose: Purpose | None = None
    """Of the last relaxation."""
    relaxed: Relaxed | None = None
    dropped: Note | None = None
    before: _Relaxing | None = None
    """Where it was before it drifted."""
    held: Drift | None = None
    """How it drifted when it was set free, if it goes on held."""

    @property
    def energy(self) -> float:
        assert self.relaxed is not None
        return self.relaxed.result.energy


@dataclass(frozen=True)
class Passes:
    """Makes the lines of the prescreen: what is relaxed how, one pass after another.

    `level` ranks; at `preoptimization` hydrogen atoms or ligands are settled first (None: they are not).
    """

    settings: PrescreenSettings
    level: Level
    preoptimization: Level | None

    def first(self, candidate: Candidate) -> Line[_Relaxing | Verdict]:
        """Build, settle hydrogen atoms and ligands, relax cheaply with the isomer's coordinate held."""
        relaxing = yield from _built(candidate)
        if isinstance(relaxing, Verdict):
            return relaxing
        if self.preoptimization is not None:
            for purpose in _PREPARATIONS[self.settings.preoptimize]:
                relaxing = yield from self._settled(relaxing, purpose, self.preoptimization)
        return (yield from self.relaxed(relaxing, Purpose.CHEAP))

    def _settled(self, relaxing: _Relaxing, purpose: Purpose, level: Level) -> Line[_Relaxing]:
        """Relax the hydrogen atoms, or the ligands; a candidate that fails here goes on as it was.

        So does one that has none: there is nothing to settle.
        """
        held = heavy_atoms(relaxing.molecule) if purpose is Purpose.SETTLE_HYDROGENS else held_core(relaxing.molecule)
        if len(held) == len(relaxing.molecule.symbols):
            return relaxing
        task = Relaxation(
            molecule=relaxing.molecule,
            level=level,
            convergence=self.settings.cheap.convergence,
            frozen_atoms=held,
        )
        what = {Purpose.SETTLE_HYDROGENS: " hydrogens"}.get(purpose, " ligands" if level == self.level else "")
        label = f"{relaxing.candidate.label} {level.model.method}{what}"
        record = yield Job(label, task, purpose, _parents(relaxing))
        if not isinstance(record.outcome, Relaxed):
            return relaxing
        return replace(relaxing, molecule=record.outcome.molecule, key=record.key)

    def relaxed(self, relaxing: _Relaxing, purpose: Purpose) -> Line[_Relaxing]:
        """Relax at the level that ranks; drop what did not converge or fell apart."""
        task = Relaxation(
            molecule=relaxing.molecule,
            level=self.level,
            convergence=(self.settings.cheap if purpose is Purpose.CHEAP else self.settings.tight).convergence,
            frozen_atoms=metal_atoms(relaxing.molecule) if self.settings.hold_metal else (),
            targets=(relaxing.target,) if purpose is not Purpose.TIGHT and relaxing.target else (),
        )
        label = f"{relaxing.candidate.label} {self.level.model.method} {_PASSES[purpose]}"
        record = yield Job(label, task, purpose, _parents(relaxing))
        return _judged(replace(relaxing, purpose=purpose), record, self.settings)


def prescreen(candidates: Sequence[Candidate], passes: Passes) -> Rounds:
    """Relax every candidate, keep the best.

    Parameters
    ----------
    candidates
        Each isomer's best is tightened, and kept, even outside the window when it is its only one: comparing the
        isomers is what a run is for, unless `keep_each_isomer` says that it is a search. A bent or opened structure
        is not an isomer's best unless all are.

    Returns
    -------
    A verdict on every candidate, the kept ones first, by rising energy.
    """
    settings = passes.settings
    tried = yield [passes.first(candidate) for candidate in candidates]
    not_built = [relaxing for relaxing in tried if isinstance(relaxing, Verdict)]
    those = _only_the_best([relaxing for relaxing in tried if isinstance(relaxing, _Relaxing)], settings)
    going = [relaxing for relaxing in those if not relaxing.dropped]
    those = _updated(those, (yield [passes.relaxed(relaxing, Purpose.TIGHT) for relaxing in going]))
    if back := _drifted_away(those):
        those = _updated(those, (yield [passes.relaxed(relaxing, Purpose.TIGHT_HELD) for relaxing in back]))
    those = _without_duplicates(those, settings)
    those = _selected(those, settings)
    return [*_verdicts(those), *not_built]


def heavy_atoms(molecule: Molecule) -> tuple[int, ...]:
    """List the atoms that are not hydrogen."""
    return tuple(index for index, symbol in enumerate(molecule.symbols) if symbol != "H")


def held_core(molecule: Molecule) -> tuple[int, ...]:
    """List the metal atoms and what binds them: a force field knows little of these, and much of the ligands."""
    metals = metal_atoms(molecule)
    bonded = bond_matrix(molecule)[list(metals)].nonzero()[1] if metals else ()
    return tuple(sorted({*metals, *(int(atom) for atom in bonded)}))


def all_core(molecule: Molecule) -> bool:
    """Say whether a molecule has no atom beyond its metal and what binds that, as a bare cluster."""
    return len(held_core(molecule)) == len(molecule.symbols)


def _built(candidate: Candidate) -> Line[_Relaxing | Verdict]:
    """Give a candidate its geometry, and the coordinate that makes it its isomer."""
    origin = candidate.origin
    if isinstance(origin, Molecule):
        return _Relaxing(candidate, origin, target_of(candidate, origin), origin, candidate.key)
    record = yield Job(candidate.label, origin, Purpose.BUILD)
    if not isinstance(record.outcome, Built):
        found = failure(record.outcome)
        return Verdict(
            label=candidate.label,
            key=record.key,
            kept=False,
            code=Code.KILLED if found.code is Code.KILLED else Code.NOT_BUILT,
            facts=found.facts,
            purpose=Purpose.BUILD,
            isomer=candidate.isomer,
        )
    molecule = record.outcome.molecule
    return _Relaxing(candidate, molecule, target_of(candidate, molecule), molecule, record.key)


def _parents(relaxing: _Relaxing) -> tuple[str, ...]:
    """Name the record the geometry comes from, in this run or another; a file is none."""
    if isinstance(relaxing.candidate.origin, Molecule) and relaxing.key == relaxing.candidate.key:
        return (relaxing.candidate.taken_from.key,) if relaxing.candidate.taken_from else ()
    return (relaxing.key,)


def _updated(those: list[_Relaxing], newer: list[_Relaxing]) -> list[_Relaxing]:
    by_label = {relaxing.candidate.label: relaxing for relaxing in newer}
    return [by_label.get(relaxing.candidate.label, relaxing) for relaxing in those]


def _judged(relaxing: _Relaxing, record: TaskRecord, settings: PrescreenSettings) -> _Relaxing:
    if not isinstance(record.outcome, Relaxed):
        return replace(relaxing, key=record.key, relaxed=None, dropped=failure(record.outcome))
    relaxed = record.outcome
    damage = broken(relaxing.built, relaxed.molecule, settings.metal_bonds_to_lose)
    turned = None
    if not damage:
        turned = drift(relaxing.target, relaxing.candidate.isomer, relaxed.molecule, settings.max_drift_deg)
    dropped = None
    if damage:
        dropped = Note(code=Code.FELL_APART, facts=damage)
    elif turned:
        dropped = Note(code=Code.TURNED, facts=turned)
    return replace(
        relaxing,
        molecule=relaxed.molecule,
        key=record.key,
        relaxed=relaxed,
        dropped=dropped,
        before=relaxing if turned else None,
    )


def target_of(candidate: Candidate, built: Molecule) -> AngularTarget | None:
    """Return the coordinate that makes a candidate its isomer, at its value; `built`: where a model was built."""
    origin = candidate.origin
    return candidate.target if isinstance(origin, Molecule) else built_target(origin, built)


def drift(target: AngularTarget | None, isomer: str, molecule: Molecule, limit_deg: float) -> Drift | None:
    """Measure how far a structure turned away from its isomer's coordinate, if it is no longer that isomer."""
    if target is None:
        return None
    asked = target.value_deg
    value = measured(target.coordinate, molecule.geometry, near=asked)
    if abs(value - asked) <= limit_deg:
        return None
    return Drift(asked_deg=asked, reached_deg=value, isomer=isomer)


def _drifted_away(those: list[_Relaxing]) -> list[_Relaxing]:
    """Give the best start of each isomer of which every start drifted, as it was before that."""
    there = {relaxing.candidate.isomer for relaxing in those if not relaxing.dropped}
    best: dict[str, _Relaxing] = {}
    for relaxing in those:
        isomer, before = relaxing.candidate.isomer, relaxing.before
        if before and isomer not in there and (isomer not in best or before.energy < best[isomer].energy):
            assert relaxing.dropped is not None
            assert isinstance(relaxing.dropped.facts, Drift)
            best[isomer] = replace(before, held=relaxing.dropped.facts)
    return list(best.values())


def _ranked(those: list[_Relaxing]) -> list[_Relaxing]:
    return sorted((relaxing for relaxing in those if relaxing.relaxed), key=lambda relaxing: relaxing.energy)


def _rival(relaxing: _Relaxing, settings: PrescreenSettings) -> str:
    """Name the group in which a candidate competes: its isomer, or all."""
    return relaxing.candidate.isomer if settings.keep_each_isomer else "all"


def _only_the_best(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Drop, before the tight pass, what lies far above and what is beyond `max_tight` of its group."""
    going = [relaxing for relaxing in _ranked(those) if not relaxing.dropped]
    if not going:
        return those
    lowest, seen, reasons = going[0].energy, dict[str, int](), dict[int, Note]()
    representing = _representing(going, settings)
    for relaxing in sorted(going, key=lambda relaxing: (id(relaxing) not in representing, relaxing.energy)):
        group = _rival(relaxing, settings)
        above = relaxing.energy - lowest
        if id(relaxing) in representing:
            seen[group] = seen.get(group, 0) + 1
        elif above * units.KCAL_MOL > settings.window_kcal_mol:
            reasons[id(relaxing)] = Note(code=Code.ABOVE_WINDOW, facts=Above(hartree=above, after=Purpose.CHEAP))
        elif seen.get(group, 0) >= settings.max_tight:
            limit = Limit(setting="max_tight", value=settings.max_tight, group=group)
            reasons[id(relaxing)] = Note(code=Code.BEYOND_LIMIT, facts=limit)
        else:
            seen[group] = seen.get(group, 0) + 1
    return [
        replace(relaxing, dropped=reasons[id(relaxing)]) if id(relaxing) in reasons else relaxing for relaxing in those
    ]


def _without_duplicates(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Drop what relaxed to a structure that is there already, or to its mirror image, whatever the order of atoms."""
    kept: list[_Relaxing] = []
    reasons: dict[int, Note] = {}
    for relaxing in (relaxing for relaxing in _ranked(those) if not relaxing.dropped):
        twin = next((found for other in kept if (found := _twin(relaxing, other, settings))), None)
        if twin is None:
            kept.append(relaxing)
        else:
            reasons[id(relaxing)] = twin
    return [
        replace(relaxing, dropped=reasons[id(relaxing)]) if id(relaxing) in reasons else relaxing for relaxing in those
    ]


def _twin(relaxing: _Relaxing, other: _Relaxing, settings: PrescreenSettings) -> Note | None:
    """Compare a candidate with one that lies no higher: None if they differ to this accuracy."""
    assert relaxing.relaxed is not None
    assert other.relaxed is not None
    code = same_structure(relaxing.relaxed, other.relaxed, settings)
    return None if code is None else Note(code=code, facts=Twin(label=other.candidate.label, key=other.key))


def same_structure(
    relaxed: Relaxed, other: Relaxed, settings: PrescreenSettings
) -> Literal[Code.DUPLICATE, Code.MIRROR_IMAGE] | None:
    """Tell whether a structure is one that lies no higher, or its mirror image, whatever the order of atoms."""
    if (relaxed.result.energy - other.result.energy) * units.KCAL_MOL > settings.duplicate_kcal_mol:
        return None
    found = likeness(relaxed.molecule, other.molecule, settings.duplicate_angstrom)
    if found is None:
        return None
    return Code.MIRROR_IMAGE if found == "mirror image" else Code.DUPLICATE


def _selected(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Keep what stands for its group, then by energy inside the window, at most `max_kept`.

    What stands for its family is not counted against `max_kept` where the input asks for every family.
    """
    going = [relaxing for relaxing in _ranked(those) if not relaxing.dropped]
    if not going:
        return those
    lowest = going[0].energy
    representing = _representing(going, settings)
    order = sorted(going, key=lambda relaxing: (id(relaxing) not in representing, relaxing.energy))
    reasons = {}
    for place, relaxing in enumerate(order):
        above = relaxing.energy - lowest
        stands = id(relaxing) in representing
        if place >= settings.max_kept and not (stands and settings.every_family):
            limit = Limit(setting="max_kept", value=settings.max_kept)
            reasons[id(relaxing)] = Note(code=Code.BEYOND_LIMIT, facts=limit)
        elif above * units.KCAL_MOL > settings.window_kcal_mol and not stands:
            reasons[id(relaxing)] = Note(code=Code.ABOVE_WINDOW, facts=Above(hartree=above))
    return [
        replace(relaxing, dropped=reasons[id(relaxing)]) if id(relaxing) in reasons else relaxing for relaxing in those
    ]


def _representing(going: list[_Relaxing], settings: PrescreenSettings) -> set[int]:
    """Find what stands for its group and, where the input asks for it, for its family; `going`: by rising energy.

    For a group the lowest within the bounds stands; where none is within them, the lowest.
    """
    families = [conformer_family(relaxing.molecule, relaxing.built, settings.bounds) for relaxing in going]
    best: dict[tuple[str, ...], _Relaxing] = {}
    of_families: dict[tuple[str, ...], _Relaxing] = {}
    for relaxing, family in zip(going, families, strict=True):
        group = (_rival(relaxing, settings),)
        if family is None or family.within_bounds:
            best.setdefault(group, relaxing)
        of_families.setdefault(group + (family.words if family else ()), relaxing)
    for relaxing in going:
        best.setdefault((_rival(relaxing, settings),), relaxing)
    if settings.every_family:
        best |= of_families
    return {id(relaxing) for relaxing in best.values()}


def _verdicts(those: list[_Relaxing]) -> list[Verdict]:
    order = sorted(
        those, key=lambda relaxing: (relaxing.dropped is not None, relaxing.energy if relaxing.relaxed else 0.0)
    )
    return [
        Verdict(
            label=relaxing.candidate.label,
            key=relaxing.key,
            kept=relaxing.dropped is None,
            code=relaxing.dropped.code if relaxing.dropped else Code.KEPT,
            facts=relaxing.dropped.facts if relaxing.dropped else None,
            notes=() if relaxing.dropped else _notes(relaxing),
            purpose=relaxing.purpose,
            isomer=relaxing.candidate.isomer,
        )
        for relaxing in order
    ]


def _notes(relaxing: _Relaxing) -> tuple[Note, ...]:
    """Collect what to know about a candidate that was kept."""
    notes = [Note(code=Code.HELD, facts=relaxing.held)] if relaxing.held else []
    if bonds := opened(relaxing.built, relaxing.molecule):
        notes.append(Note(code=Code.OPENED, facts=bonds))
    return tuple(notes)
