"""Two run directories -> what differs in their inputs, levels, versions and results.

Runs are compared by what they left: `input.json` leads to the input, the records have levels and versions,
`summary.json` the findings. Energies are subtracted where two levels are equal in engine, version, method, basis and
every keyword, and nowhere else; at different levels the order of the conformers is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.geometry.superposition import superpose
from qcdriver.io.run_summary import RunSummary, ToldConformer, ToldProfile, read_run_summary
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.records import TaskRecord
from qcdriver.report.provenance import all_used, levels_used
from qcdriver.store import Records
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.input import read_input
from qcdriver.workflow.ownership import input_of


class KeyDiffers(Frozen):
    """A key of the inputs, "dft.keywords.grid_level", and its two values; None: not there."""

    key: str
    a: JsonValue
    b: JsonValue


class LevelsDiffer(Frozen):
    """A level that either run has computed at, how often, and what differs from the other run's of the same title."""

    title: str
    engine_version: str
    calculations_a: int
    calculations_b: int
    differs_in: tuple[str, ...] = ()


class VersionDiffers(Frozen):
    """A program or library of which the runs had other versions; nothing: it was not used."""

    name: str
    a: tuple[str, ...]
    b: tuple[str, ...]


class ConformerPair(Frozen):
    """A conformer in both runs, or in one.

    Attributes
    ----------
    a, b
        Its label in each run; None: that has no such conformer. Where labels differ, both are the lowest of an isomer
        among those that the other run has not.
    a_kcal_mol, b_kcal_mol
        Above the reference in the same run at the same level; None where it, or the reference, has no energy there.
    difference_kcal_mol
        Energy in B minus energy in A, at one level; None where the levels differ, or the molecules in composition,
        charge or multiplicity.
    rmsd_angstrom
        Of all atoms, B laid on A; None where the two have not the same atoms in the same order.
    """

    a: str | None
    b: str | None
    a_kcal_mol: float | None
    b_kcal_mol: float | None
    difference_kcal_mol: float | None
    rmsd_angstrom: float | None
    family_a: str | None
    family_b: str | None


class ConformersCompared(Frozen):
    """The conformers at one level that both runs have, or at one level of each.

    Attributes
    ----------
    level_a, level_b
        Titles; None: that run has no such level.
    one_level
        Whether it is the same level, so that energies of the two runs may be subtracted.
    reference
        The conformer from which energies are counted: the lowest in A of those that both runs have.
    turned_round
        Pairs of labels whose first lies lower in A and higher in B.
    """

    level_a: str | None
    level_b: str | None
    one_level: bool
    reference: str | None
    conformers: tuple[ConformerPair, ...]
    turned_round: tuple[tuple[str, str], ...]


class ProfilesCompared(Frozen):
    """The highest point of a profile in each run, kcal/mol from its lowest, and where.

    `most_apart_kcal_mol`: of one level, by how much the energies at a value that both have differ most, each counted
    from the same value.
    """

    coordinates: tuple[str, ...]
    level_a: str | None
    level_b: str | None
    top_a_kcal_mol: float | None
    top_b_kcal_mol: float | None
    top_a_at: tuple[float, ...] | None
    top_b_at: tuple[float, ...] | None
    n_common: int
    most_apart_kcal_mol: float | None


class RunComparison(Frozen):
    """What differs between two runs; what is equal is not listed, but for levels and results.

    `input_notes`: why inputs could not be compared, or what to know about them.
    """

    a: str
    b: str
    title_a: str
    title_b: str
    inputs: tuple[KeyDiffers, ...] | None
    input_notes: tuple[str, ...]
    levels: tuple[LevelsDiffer, ...]
    versions: tuple[VersionDiffers, ...]
    conformers: tuple[ConformersCompared, ...]
    profiles: tuple[ProfilesCompared, ...]


class _Side(NamedTuple):
    directory: Path
    store: Records
    summary: RunSummary
    used: list[TaskRecord]


class _At(NamedTuple):
    """A level of one run, the stage that computed at it, and its findings by label, or its profile."""

    level: Level
    stage: str
    found: Any


class _Pair(NamedTuple):
    """What is the same conformer in the two runs."""

    a: ToldConformer | None
    b: ToldConformer | None

    @property
    def label(self) -> str:
        """The label, of both where they differ: "E = E#1"."""
        return " = ".join(dict.fromkeys(conformer.label for conformer in (self.a, self.b) if conformer))


def compare_runs(a: Path, b: Path) -> RunComparison:
    """Compare two run directories.

    Raises
    ------
    InputError
        One of them is no run directory, or none of its stages has finished.
    """
    one, other = _side(a), _side(b)
    inputs, notes = _inputs(a, b)
    return RunComparison(
        a=str(a),
        b=str(b),
        title_a=one.summary.title,
        title_b=other.summary.title,
        inputs=inputs,
        input_notes=tuple(notes),
        levels=tuple(_levels(one, other)),
        versions=tuple(_versions(one, other)),
        conformers=tuple(_conformers(one, other, *pair) for pair in _paired(_levels_of(one), _levels_of(other))),
        profiles=tuple(_profiles(one, other)),
    )


def _side(directory: Path) -> _Side:
    summary = read_run_summary(directory)
    store = Records(directory, only_read=True)
    return _Side(directory, store, summary, all_used(store))


def _inputs(a: Path, b: Path) -> tuple[tuple[KeyDiffers, ...] | None, list[str]]:
    """Compare the inputs as they are read, defaults filled in: a default that is written out is no difference."""
    read: list[dict[str, JsonValue]] = []
    notes = []
    for directory in (a, b):
        known = input_of(directory)
        if known is None:
            notes.append(f"{directory}: its input is not known, or is gone")
            continue
        if not known.unchanged:
            notes.append(f"{known.path} was changed after the last run of {directory}; shown is what it says now")
        try:
            read.append(dict(_flat(read_input(known.path).model_dump(mode="json", exclude={"title"}))))
        except InputError as error:
            notes.append(f"{directory}: its input is not read any more: {error}")
    if len(read) < 2:
        return None, notes
    one, other = read
    keys = (key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key))
    return tuple(KeyDiffers(key=key, a=one.get(key), b=other.get(key)) for key in keys), notes


def _flat(value: JsonValue, key: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Give every single value by its key; tables of a list are counted from 0."""
    if isinstance(value, dict):
        inner: Iterable[tuple[str, JsonValue]] = value.items()
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        inner = ((str(count), entry) for count, entry in enumerate(value))
    else:
        yield key, value
        return
    for name, entry in inner:
        yield from _flat(entry, f"{key}.{name}" if key else name)


def _levels(one: _Side, other: _Side) -> Iterator[LevelsDiffer]:
    counts = [{used.level: used.calculations for used in levels_used(side.used)} for side in (one, other)]
    every = list(dict.fromkeys([*counts[0], *counts[1]]))
    for level in every:
        alone = [level in count for count in counts] != [True, True]
        twins = [other for other in every if other != level and engines.title(other) == engines.title(level)]
        yield LevelsDiffer(
            title=engines.title(level),
            engine_version=level.engine_version,
            calculations_a=counts[0].get(level, 0),
            calculations_b=counts[1].get(level, 0),
            differs_in=tuple(dict.fromkeys(line for twin in twins for line in _difference(level, twin)))
            if alone
            else (),
        )


def _difference(level: Level, other: Level) -> Iterator[str]:
    """Say what a level has that another of the same title has otherwise."""
    if level.engine_version != other.engine_version:
        yield f"{level.engine} {level.engine_version}"
    for name in dict.fromkeys([*level.keywords, *other.keywords]):
        value = level.keywords.get(name)
        if value != other.keywords.get(name):
            yield f"{name} = {value}"


def _versions(one: _Side, other: _Side) -> Iterator[VersionDiffers]:
    found = [_versions_of(side.used) for side in (one, other)]
    for name in dict.fromkeys([*found[0], *found[1]]):
        a, b = (tuple(versions.get(name, ())) for versions in found)
        if a != b:
            yield VersionDiffers(name=name, a=a, b=b)


def _versions_of(records: Iterable[TaskRecord]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        if record.provenance:
            found.setdefault(record.provenance.program, set()).add(record.provenance.program_version)
            for name, version in record.provenance.libraries.items():
                found.setdefault(name, set()).add(version)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _levels_of(side: _Side) -> list[_At]:
    """List the levels of a run's conformers, and these by label."""
    found: dict[Level, tuple[str, dict[str, ToldConformer]]] = {}
    for conformer in side.summary.conformers:
        record = _record(side, conformer.key)
        if record is not None:
            found.setdefault(record.level, (record.stage, {}))[1][conformer.label] = conformer
    return [_At(level, stage, conformers) for level, (stage, conformers) in found.items()]


def _record(side: _Side, key: str) -> TaskRecord | None:
    record = side.store.find(key)
    return record if isinstance(record, TaskRecord) else None


def _paired(one: list[_At], other: list[_At]) -> Iterator[tuple[_At | None, _At | None]]:
    """Pair what is of one level, then what is left by the stage that computed it."""
    left = list(other)
    for a in one:
        same = next((b for b in left if b.level == a.level), None)
        elsewhere = [conformer.level for conformer in one]
        if same is None:
            same = next((b for b in left if b.stage == a.stage and b.level not in elsewhere), None)
        if same is not None:
            left.remove(same)
        yield a, same
    yield from ((None, b) for b in left)


def _conformers(one: _Side, other: _Side, a: _At | None, b: _At | None) -> ConformersCompared:
    pairs = list(_matched(a.found if a else {}, b.found if b else {}))
    one_level = a is not None and b is not None and a.level == b.level
    both = [pair for pair in pairs if _energy(pair.a) is not None and _energy(pair.b) is not None]
    # Without one that both have, each run counts from its own lowest of the first that it has.
    reference = min(both or pairs, key=_sorted_by, default=None)
    zeros = (_energy(reference.a), _energy(reference.b)) if reference else (None, None)
    ends = [(_molecule(one, pair.a), _molecule(other, pair.b)) for pair in pairs]
    order = sorted(both, key=_sorted_by)
    return ConformersCompared(
        level_a=engines.title(a.level) if a else None,
        level_b=engines.title(b.level) if b else None,
        one_level=one_level,
        reference=reference.label if reference else None,
        conformers=tuple(
            ConformerPair(
                a=pair.a.label if pair.a else None,
                b=pair.b.label if pair.b else None,
                a_kcal_mol=_above(_energy(pair.a), zeros[0]),
                b_kcal_mol=_above(_energy(pair.b), zeros[1]),
                difference_kcal_mol=_difference_of(pair, end) if one_level else None,
                rmsd_angstrom=_rmsd(*end),
                family_a=pair.a.family.name if pair.a and pair.a.family else None,
                family_b=pair.b.family.name if pair.b and pair.b.family else None,
            )
            for pair, end in sorted(zip(pairs, ends, strict=True), key=lambda found: _sorted_by(found[0]))
        ),
        turned_round=tuple(
            (lower.label, higher.label)
            for lower, higher in combinations(order, 2)
            if (_energy(lower.b) or 0.0) > (_energy(higher.b) or 0.0)
        ),
    )


def _matched(a: Mapping[str, ToldConformer], b: Mapping[str, ToldConformer]) -> Iterator[_Pair]:
    """Match conformers by label, then those that are left of an isomer, the lowest with the lowest."""
    yield from (_Pair(a[label], b[label]) for label in a if label in b)
    left = [
        [conformer for label, conformer in side.items() if label not in elsewhere]
        for side, elsewhere in ((a, b), (b, a))
    ]
    for isomer in dict.fromkeys(conformer.isomer for side in left for conformer in side):
        mine, theirs = (
            sorted((conformer for conformer in side if conformer.isomer == isomer), key=_energy_or_last)
            for side in left
        )
        yield from (_Pair(*pair) for pair in zip_longest(mine, theirs))


def _energy(conformer: ToldConformer | None) -> float | None:
    return conformer.energy_hartree if conformer else None


def _energy_or_last(conformer: ToldConformer) -> float:
    return float("inf") if conformer.energy_hartree is None else conformer.energy_hartree


def _sorted_by(pair: _Pair) -> tuple[int, float]:
    """Put first, by rising energy, what A has an energy of, then what only B has, then the rest."""
    for place, energy in enumerate((_energy(pair.a), _energy(pair.b))):
        if energy is not None:
            return place, energy
    return 2, 0.0


def _above(energy: float | None, zero: float | None) -> float | None:
    return None if energy is None or zero is None else (energy - zero) * KCAL_MOL


def _molecule(side: _Side, told: ToldConformer | None) -> Molecule | None:
    record = _record(side, told.key) if told else None
    return record.molecule if record else None


def _difference_of(pair: _Pair, ends: tuple[Molecule | None, Molecule | None]) -> float | None:
    """Subtract two energies of one level, unless they are of molecules of another composition, charge or spin."""
    if ends[0] is None or ends[1] is None or _composition(ends[0]) != _composition(ends[1]):
        return None
    return _above(_energy(pair.b), _energy(pair.a))


def _composition(molecule: Molecule) -> tuple[str, int, int]:
    return molecule.formula, molecule.molecular_charge, molecule.molecular_multiplicity


def _rmsd(a: Molecule | None, b: Molecule | None) -> float | None:
    if a is None or b is None or a.symbols != b.symbols:
        return None
    return superpose(a.geometry, b.geometry).rmsd * ANGSTROM


def _profiles(one: _Side, other: _Side) -> Iterator[ProfilesCompared]:
    for coordinates in dict.fromkeys(profile.coordinates for side in (one, other) for profile in side.summary.profiles):
        mine, theirs = (list(_profiles_of(side, coordinates)) for side in (one, other))
        for a, b in _paired(mine, theirs):
            tops = [_top(at.found) if at else None for at in (a, b)]
            by_target = [_by_target(at.found) if at else {} for at in (a, b)]
            common = [target for target in by_target[0] if target in by_target[1]]
            one_level = a is not None and b is not None and a.level == b.level
            yield ProfilesCompared(
                coordinates=coordinates,
                level_a=engines.title(a.level) if a else None,
                level_b=engines.title(b.level) if b else None,
                top_a_kcal_mol=tops[0][1] if tops[0] else None,
                top_b_kcal_mol=tops[1][1] if tops[1] else None,
                top_a_at=tops[0][0] if tops[0] else None,
                top_b_at=tops[1][0] if tops[1] else None,
                n_common=len(common),
                most_apart_kcal_mol=_most_apart(by_target[0], by_target[1], common) if one_level and common else None,
            )


def _profiles_of(side: _Side, coordinates: tuple[str, ...]) -> Iterator[_At]:
    for profile in side.summary.profiles:
        record = _record(side, profile.points[0].key) if profile.points else None
        if profile.coordinates == coordinates and record is not None:
            yield _At(record.level, record.stage, profile)


def _top(profile: ToldProfile) -> tuple[tuple[float, ...], float] | None:
    known = _by_target(profile)
    return max(known.items(), key=lambda point: point[1], default=None)


def _by_target(profile: ToldProfile) -> dict[tuple[float, ...], float]:
    return {point.target: point.relative_energy_kcal_mol for point in profile.points if point.target is not None}


def _most_apart(
    a: Mapping[tuple[float, ...], float], b: Mapping[tuple[float, ...], float], common: list[tuple[float, ...]]
) -> float:
    reference = min(common, key=a.__getitem__)
    return max(abs((b[target] - b[reference]) - (a[target] - a[reference])) for target in common)
