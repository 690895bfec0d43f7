"""Compare the formulas of a file with the molecules assembled from its atoms.

Either may be wrong: a formula that was not updated, atoms that were not found, or an assembly here that took the wrong
alternatives. So a disagreement states both, and a guess at the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcdriver.io.cif.formula import Composition, add, difference, hill, parse_formula, parse_moieties
from qcdriver.io.cif.species import named_species
from qcdriver.models.base import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from qcdriver.io.cif.cif import CifStructure

_EQUAL = 0.1
_MOST_FORMULA_UNITS = 192
_SHARES = (1, 2, 3, 4, 6)
"""A moiety may be written as half a molecule, a third, a quarter or a sixth of one on a symmetry element."""


@dataclass(frozen=True)
class Built:
    """One kind of molecule: composition, copies in a cell, and how often each is there."""

    composition: Composition
    per_cell: int
    presence: float


@dataclass(frozen=True)
class Disagreement:
    """A formula of the file that the assembled atoms do not have.

    Attributes
    ----------
    tag
        Of the formula.
    stated, assembled
        Hill formulas. None where the file names no such molecule, or no molecule comes near.
    message
        Both, and a guess at the reason.
    """

    tag: str
    stated: str | None
    assembled: str | None
    message: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return what `qcdriver crystal --json` prints."""
        return {"tag": self.tag, "stated": self.stated, "assembled": self.assembled, "message": self.message}


def compare_formulas(
    structure: CifStructure, built: Sequence[Built], assemblies: Sequence[str], listed: Composition
) -> tuple[list[Disagreement], list[str]]:
    """Compare the file's formulas with the molecules.

    Parameters
    ----------
    built
        All kinds of molecule.
    assemblies
        Names of the disorder assemblies in which alternatives were left out.
    listed
        Atoms of each element in a cell, every alternative as often as the file says.

    Returns
    -------
    tuple
        The disagreements, and warnings of formulas that cannot be read.
    """
    disagreements: list[Disagreement] = []
    unread = []
    if structure.formula_sum is not None:
        stated = parse_formula(structure.formula_sum)
        if stated is None:
            unread.append(f"_chemical_formula_sum {structure.formula_sum[:60]!r} is no formula: not compared")
        else:
            disagreements += _compare_sum(structure, stated, built, assemblies, listed)
    if structure.formula_moiety is not None:
        moieties = parse_moieties(structure.formula_moiety)
        if moieties is None:
            unread.append(f"_chemical_formula_moiety {structure.formula_moiety[:60]!r} cannot be read: not compared")
        else:
            disagreements += _compare_moieties([m.composition for m in moieties], [b.composition for b in built])
    return disagreements, unread


def _compare_sum(
    structure: CifStructure,
    stated: Composition,
    built: Sequence[Built],
    assemblies: Sequence[str],
    listed: Composition,
) -> Iterator[Disagreement]:
    cell = _contents(built, always=False)
    units = structure.formula_units or _formula_units(cell, stated)
    unit = _share(cell, units)
    if not difference(unit, stated):
        return
    where = f"_chemical_formula_sum {hill(stated)} (Z = {units:g})"
    other = _formula_units(cell, stated)
    hydrogen = stated.get("H", 0) - unit.get("H", 0)
    only_hydrogen = all(abs(unit.get(s, 0) - stated.get(s, 0)) <= _EQUAL for s in {*unit, *stated} - {"H"})
    if not difference(_share(cell, other), stated):
        message = f"{where} fits the atoms with Z = {other:g} instead"
    elif only_hydrogen and hydrogen > 0:
        message = f"{where}: {hydrogen:g} H of each formula unit are missing from the atom list"
    else:
        if difference(_share(listed, units), stated):
            guess = _guess(structure, stated, built, units, assemblies)
        else:
            guess = "the formula is the average over all that the file lists, also over what was left out here"
        message = (
            f"{where} and the atoms as assembled here disagree: these give {hill(unit)} ({difference(unit, stated)}); "
            f"a guess: {guess}"
        )
    yield Disagreement("_chemical_formula_sum", hill(stated), hill(unit), message)


def _guess(
    structure: CifStructure, stated: Composition, built: Sequence[Built], units: float, assemblies: Sequence[str]
) -> str:
    rare = [f"{hill(b.composition)} ({100 * b.presence:.0f} %)" for b in built if b.presence < 1]
    if rare and not difference(_share(_contents(built, always=True), units), stated):
        return f"the formula counts as always there what is not: {', '.join(dict.fromkeys(rare))}"
    unit = _share(_contents(built, always=False), units)
    for more, less, what in ((stated, unit, "lacks"), (unit, stated, "has beside the formula")):
        surplus = {s: more.get(s, 0) - less.get(s, 0) for s in {*more, *less}}
        for name, composition in named_species():
            count = max(round(4 * surplus.get(s, 0) / n) / 4 for s, n in composition.items())
            if count > 0 and not difference(surplus, {s: count * n for s, n in composition.items()}):
                return f"the atom list {what} {count:g} {name} a formula unit"
    if structure.masked:
        return "the formula counts what the authors masked"
    if assemblies:
        some = ", ".join(assemblies[:4]) + (" ..." if len(assemblies) > 4 else "")
        return f"other alternatives are meant to be together than those taken here (disorder {some})"
    return "atoms are missing from the list, or the formula is that of another state of the refinement"


def _contents(built: Sequence[Built], *, always: bool) -> Composition:
    """Atoms of each element in a cell, on average or with all molecules always there."""
    cell: Composition = {}
    for kind in built:
        add(cell, kind.composition, kind.per_cell * (1.0 if always else kind.presence))
    return cell


def _share(cell: Composition, units: float) -> Composition:
    return {symbol: n / units for symbol, n in cell.items()}


def _formula_units(cell: Composition, stated: Composition) -> float:
    """Guess Z from the heaviest element that both have."""
    common = [symbol for symbol in stated if symbol in cell]
    if not common:
        return 1.0
    heaviest = max(common, key=ATOMIC_NUMBER.__getitem__)
    return float(round(min(max(cell[heaviest] / stated[heaviest], 1.0), _MOST_FORMULA_UNITS)))


def _compare_moieties(moieties: Sequence[Composition], built: Sequence[Composition]) -> Iterator[Disagreement]:
    tag = "_chemical_formula_moiety"
    unnamed = [kind for kind in built if not any(_is_moiety(kind, m) for m in moieties)]
    for moiety in moieties:
        if any(_is_moiety(kind, moiety) for kind in built):
            continue
        nearest = min(unnamed, key=lambda kind: _distance(kind, moiety), default=None)
        said = f"{tag} {hill(moiety)} and the molecules as assembled here disagree: none has it"
        if nearest is not None:
            unnamed.remove(nearest)
            said += f", the nearest is {hill(nearest)} ({difference(nearest, moiety)})"
        yield Disagreement(tag, hill(moiety), None if nearest is None else hill(nearest), said)
    for name in dict.fromkeys(hill(kind) for kind in unnamed):
        yield Disagreement(tag, None, name, f"{tag} does not name {name}")


def _is_moiety(kind: Composition, moiety: Composition) -> bool:
    return any(not difference(kind, {s: k * n for s, n in moiety.items()}) for k in _SHARES)


def _distance(a: Composition, b: Composition) -> float:
    return sum(abs(a.get(s, 0) - b.get(s, 0)) for s in {*a, *b})
