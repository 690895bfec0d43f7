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
from qcdriver.candidates import Candidate, built_target
from qcdriver.config.settings import PrescreenSettings
from qcdriver.relaxation.coordinates import measured
from qcdriver.schema import AngularTarget, Built, Level, Molecule, Relaxation, Relaxed, TaskRecord, Verdict
from qcdriver.stage import Job, Line, Stage
from qcdriver.structures.bonds import bond_matrix, broken, metal_atoms, opened
from qcdriver.structures.similarity import likeness


@dataclass(frozen=True)
class _Relaxing:
    candidate: Candidate
    built: Molecule
    target: AngularTarget | None
    molecule: Molecule
    key: str
    relaxed: Relaxed | None = None
    dropped: str | None = None
    before: _Relaxing | None = None
    """Where it was before it drifted."""
    note: str | None = None

    @property
    def energy(self) -> float:
        assert self.relaxed is not None
        return self.relaxed.result.energy


@dataclass(frozen=True)
class _Passes:
    """Makes the lines of the prescreen: what is relaxed how, one pass after another."""

    settings: PrescreenSettings
    level: Level
    preoptimization: Level | None

    def first(self, candidate: Candidate) -> Line[_Relaxing | Verdict]:
        """Build, settle the ligands around the held core, relax cheaply with the isomer's coordinate held."""
        each = yield from _built(candidate)
        if isinstance(each, Verdict):
            return each
        if self.preoptimization is not None:
            each = yield from self._settled(each, self.preoptimization)
        return (yield from self.relaxed(each, "cheap"))

    def _settled(self, each: _Relaxing, level: Level) -> Line[_Relaxing]:
        """Relax the ligands with a force field; a candidate that fails here goes on as it was built."""
        task = Relaxation(
            molecule=each.molecule,
            level=level,
            convergence=self.settings.cheap.convergence,
            frozen_atoms=held_core(each.molecule),
        )
        record = yield Job(f"{each.candidate.label} {level.model.method}", task, _parents(each))
        if not isinstance(record.outcome, Relaxed):
            return each
        return replace(each, molecule=record.outcome.molecule, key=record.key)

    def relaxed(self, each: _Relaxing, which: Literal["cheap", "tight", "tight, held"]) -> Line[_Relaxing]:
        """Relax at the level that ranks; drop what did not converge or fell apart."""
        task = Relaxation(
            molecule=each.molecule,
            level=self.level,
            convergence=(self.settings.cheap if which == "cheap" else self.settings.tight).convergence,
            frozen_atoms=metal_atoms(each.molecule) if self.settings.hold_metal else (),
            targets=(each.target,) if which != "tight" and each.target else (),
        )
        record = yield Job(f"{each.candidate.label} {self.level.model.method} {which}", task, _parents(each))
        return _judged(each, record, self.settings)


def prescreen(
    candidates: Sequence[Candidate], settings: PrescreenSettings, level: Level, preoptimization: Level | None
) -> Stage:
    """Relax every candidate, keep the best.

    Parameters
    ----------
    candidates
        Each isomer's best is tightened, and kept, even outside the window when it is its only one: comparing the
        isomers is what a run is for, unless `keep_each_isomer` says that it is a search.
    level, preoptimization
        The level that ranks, and the force field that settles the ligands around the held core first (None: not).

    Returns
    -------
    A verdict on every candidate, the kept ones first, by rising energy.
    """
    passes = _Passes(settings, level, preoptimization)
    tried = yield [passes.first(candidate) for candidate in candidates]
    not_built = [each for each in tried if isinstance(each, Verdict)]
    those = _only_the_best([each for each in tried if isinstance(each, _Relaxing)], settings)
    going = [each for each in those if not each.dropped]
    those = _updated(those, (yield [passes.relaxed(each, "tight") for each in going]))
    if back := _drifted_away(those):
        those = _updated(those, (yield [passes.relaxed(each, "tight, held") for each in back]))
    those = _without_duplicates(those, settings)
    those = _selected(those, settings)
    return [*_verdicts(those), *not_built]


def held_core(molecule: Molecule) -> tuple[int, ...]:
    """List the metal atoms and what binds them: a force field knows little of these, and much of the ligands."""
    metals = metal_atoms(molecule)
    bonded = bond_matrix(molecule)[list(metals)].nonzero()[1] if metals else ()
    return tuple(sorted({*metals, *(int(atom) for atom in bonded)}))


def _built(candidate: Candidate) -> Line[_Relaxing | Verdict]:
    """Give a candidate its geometry, and the coordinate that makes it its isomer."""
    origin = candidate.origin
    if isinstance(origin, Molecule):
        return _Relaxing(candidate, origin, candidate.target, origin, candidate.key)
    record = yield Job(candidate.label, origin)
    if not isinstance(record.outcome, Built):
        reason = f"not built: {getattr(record.outcome, 'message', 'no geometry')}"
        return Verdict(label=candidate.label, key=record.key, kept=False, reason=reason)
    molecule = record.outcome.molecule
    return _Relaxing(candidate, molecule, built_target(origin, molecule), molecule, record.key)


def _parents(each: _Relaxing) -> tuple[str, ...]:
    """Name the record the geometry comes from; a file is none."""
    from_file = isinstance(each.candidate.origin, Molecule) and each.key == each.candidate.key
    return () if from_file else (each.key,)


def _updated(those: list[_Relaxing], newer: list[_Relaxing]) -> list[_Relaxing]:
    by_label = {each.candidate.label: each for each in newer}
    return [by_label.get(each.candidate.label, each) for each in those]


def _judged(each: _Relaxing, record: TaskRecord, settings: PrescreenSettings) -> _Relaxing:
    if not isinstance(record.outcome, Relaxed):
        kind = getattr(record.outcome, "error_type", "")
        message = getattr(record.outcome, "message", "no relaxation")
        reason = f"not converged: {message}" if kind == "ConvergenceError" else f"failed: {message}"
        return replace(each, key=record.key, relaxed=None, dropped=reason)
    relaxed = record.outcome
    damage = broken(each.built, relaxed.molecule)
    drift = _drift(each, relaxed.molecule, settings.max_drift_deg)
    return replace(
        each,
        molecule=relaxed.molecule,
        key=record.key,
        relaxed=relaxed,
        dropped=f"fell apart: {damage}" if damage else drift,
        before=None if damage or not drift else each,
    )


def _drift(each: _Relaxing, molecule: Molecule, limit_deg: float) -> str | None:
    """Say when a candidate is no longer the isomer it was."""
    if each.target is None:
        return None
    asked = each.target.value_deg
    value = measured(each.target.coordinate, molecule.geometry, near=asked)
    if abs(value - asked) <= limit_deg:
        return None
    return f"turned from {asked:g} to {value:.1f} deg: no longer {each.candidate.isomer}"


def _drifted_away(those: list[_Relaxing]) -> list[_Relaxing]:
    """Give the best start of each isomer of which every start drifted, as it was before that."""
    there = {each.candidate.isomer for each in those if not each.dropped}
    best: dict[str, _Relaxing] = {}
    for each in those:
        isomer, before = each.candidate.isomer, each.before
        if before and isomer not in there and (isomer not in best or before.energy < best[isomer].energy):
            best[isomer] = replace(before, note=f"held: set free it {each.dropped}")
    return list(best.values())


def _ranked(those: list[_Relaxing]) -> list[_Relaxing]:
    return sorted((each for each in those if each.relaxed), key=lambda each: each.energy)


def _rival(each: _Relaxing, settings: PrescreenSettings) -> str:
    """Name the group in which a candidate competes: its isomer, or all."""
    return each.candidate.isomer if settings.keep_each_isomer else "all"


def _only_the_best(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Drop, before the tight pass, what lies far above and what is beyond `max_tight` of its group."""
    going = [each for each in _ranked(those) if not each.dropped]
    if not going:
        return those
    lowest, seen, reasons = going[0].energy, dict[str, int](), dict[int, str]()
    for each in going:
        group = _rival(each, settings)
        above = (each.energy - lowest) * units.KCAL_MOL
        if group in seen and above > settings.window_kcal_mol:
            reasons[id(each)] = f"{above:.1f} kcal/mol above the lowest after the cheap pass"
        elif seen.get(group, 0) >= settings.max_tight:
            reasons[id(each)] = f"behind the {settings.max_tight} best of {group} after the cheap pass"
        else:
            seen[group] = seen.get(group, 0) + 1
    return [replace(each, dropped=reasons[id(each)]) if id(each) in reasons else each for each in those]


def _without_duplicates(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Drop what relaxed to a structure that is there already, or to its mirror image, whatever the order of atoms."""
    kept: list[_Relaxing] = []
    reasons: dict[int, str] = {}
    for each in (each for each in _ranked(those) if not each.dropped):
        twin = next((found for other in kept if (found := _twin(each, other, settings))), None)
        if twin is None:
            kept.append(each)
        else:
            reasons[id(each)] = twin
    return [replace(each, dropped=reasons[id(each)]) if id(each) in reasons else each for each in those]


def _twin(each: _Relaxing, other: _Relaxing, settings: PrescreenSettings) -> str | None:
    """Say what a candidate is to one that lies no higher, if it is the same to this accuracy."""
    if (each.energy - other.energy) * units.KCAL_MOL > settings.duplicate_kcal_mol:
        return None
    found = likeness(each.molecule, other.molecule, settings.duplicate_angstrom)
    words = {"same": "the same structure as", "mirror image": "the mirror image of"}
    return f"{words[found]} {other.candidate.label}" if found else None


def _selected(those: list[_Relaxing], settings: PrescreenSettings) -> list[_Relaxing]:
    """Keep each group's best, then by energy inside the window, at most `max_kept`."""
    going = [each for each in _ranked(those) if not each.dropped]
    if not going:
        return those
    lowest = going[0].energy
    best = {_rival(each, settings): each for each in reversed(going)}
    order = sorted(going, key=lambda each: (best[_rival(each, settings)] is not each, each.energy))
    reasons = {}
    for place, each in enumerate(order):
        above = (each.energy - lowest) * units.KCAL_MOL
        if place >= settings.max_kept:
            reasons[id(each)] = f"beyond max_kept = {settings.max_kept}"
        elif above > settings.window_kcal_mol and best[_rival(each, settings)] is not each:
            reasons[id(each)] = f"{above:.1f} kcal/mol above the lowest"
    return [replace(each, dropped=reasons[id(each)]) if id(each) in reasons else each for each in those]


def _verdicts(those: list[_Relaxing]) -> list[Verdict]:
    order = sorted(those, key=lambda each: (each.dropped is not None, each.energy if each.relaxed else 0.0))
    return [
        Verdict(
            label=each.candidate.label,
            key=each.key,
            kept=not each.dropped,
            reason=each.dropped or "; ".join(filter(None, (each.note, opened(each.built, each.molecule)))) or None,
        )
        for each in order
    ]
