"""Formula tags of a CIF in, compositions out, and how what a file claims differs from what its atoms give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcdriver.schema import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qcdriver.structures.crystal.cif import CifStructure

Composition = dict[str, float]
"""Atoms of each element; fractions where sites are partly occupied."""

_NUMBER = r"[0-9]{1,6}\.?[0-9]{0,6}|\.[0-9]{1,6}"
_EQUAL = 0.1
_MOST_FORMULA_UNITS = 192


@dataclass(frozen=True)
class Moiety:
    """One part of `_chemical_formula_moiety`: composition, how many a formula unit, charge if it is written."""

    composition: Composition
    count: float
    charge: int | None


def parse_formula(text: str) -> Composition | None:
    """Read "C148 H170 Au25 O2 S36" or "W6 S8 (PC12H27)6"; deuterium counts as hydrogen. None when it is no formula."""
    tokens = re.findall(rf"[A-Z][a-z]?|{_NUMBER}|[()\[\]]|\S", text)
    stack: list[Composition] = [{}]
    last: Composition = {}
    for token in tokens:
        if token in "([":
            stack.append({})
            last = {}
        elif token in ")]":
            if len(stack) == 1:
                return None
            last = stack.pop()
            _add(stack[-1], last, 1)
        elif re.fullmatch(_NUMBER, token):
            if not last:
                return None
            _add(stack[-1], last, float(token) - 1)
            last = {}
        else:
            symbol = "H" if token == "D" else token
            if symbol not in ATOMIC_NUMBER:
                return None
            last = {symbol: 1.0}
            _add(stack[-1], last, 1)
    whole = {symbol: n for symbol, n in stack[0].items() if n > 0}
    return whole if len(stack) == 1 and whole else None


def parse_moieties(text: str) -> list[Moiety] | None:
    """Read "C180 H150 Ag12 Au13 Cl8 P10 1+, F6 Sb 1-, 2(C H2 Cl2)"; None when any part is no formula."""
    found = []
    for part in text.split(","):
        inner, charge = part.strip(), None
        ion = re.fullmatch(r"(.*?)\s+([0-9]{0,2})([+-])|(.*?)([+-])", inner)
        if ion:
            sign = ion[3] or ion[5]
            inner, charge = ion[1] or ion[4], int(ion[2] or 1) * (1 if sign == "+" else -1)
        many = re.fullmatch(rf"({_NUMBER})\s*[x*]?\s*[(\[]?(.*?)[)\]]?", inner)
        if many and not re.fullmatch(r"[(\[].*[)\]]\d.*", inner):
            inner, count = many[2], float(many[1])
            nested = re.fullmatch(r"(.*?)\s+([0-9]{0,2})([+-])", inner)
            if nested:
                inner, charge = nested[1], int(nested[2] or 1) * (1 if nested[3] == "+" else -1)
        else:
            count = 1.0
        composition = parse_formula(inner)
        if composition is None:
            return None
        found.append(Moiety(composition, count, charge))
    return found


def hill(composition: Mapping[str, float]) -> str:
    """Write a composition in Hill order, fractions with at most two decimals."""
    first = ["C", "H"] if "C" in composition else []
    order = first + sorted(set(composition) - set(first))
    numbers = {s: f"{composition.get(s, 0):.2f}".rstrip("0").rstrip(".") for s in order}
    return "".join(f"{s}{'' if n == '1' else n}" for s, n in numbers.items() if n != "0")


def difference(composition: Mapping[str, float], reference: Mapping[str, float]) -> str:
    """List what a composition has more or less than a reference, "C +10, O -2"; empty when they are equal."""
    parts = []
    for symbol in sorted({*composition, *reference}, key=lambda s: (s != "C", s != "H", s)):
        more = composition.get(symbol, 0) - reference.get(symbol, 0)
        if abs(more) > _EQUAL:
            parts.append(f"{symbol} {more:+.3g}")
    return ", ".join(parts)


def compare_formulas(structure: CifStructure, built: Sequence[tuple[Composition, float]]) -> list[str]:
    """Hold the file's formula tags against the molecules.

    Parameters
    ----------
    built
        Composition of each kind of molecule and how many there are in a cell (a fraction when it is not always there).

    Returns
    -------
    list
        One warning for each tag that says something else.
    """
    return [*_compare_sum(structure, built), *_compare_moieties(structure, [kind for kind, _ in built])]


def _compare_sum(structure: CifStructure, built: Sequence[tuple[Composition, float]]) -> list[str]:
    if structure.formula_sum is None:
        return []
    stated = parse_formula(structure.formula_sum)
    if stated is None:
        return [f"_chemical_formula_sum {structure.formula_sum[:60]!r} is no formula: not compared"]
    cell: Composition = {}
    for composition, count in built:
        _add(cell, composition, count)
    units = structure.formula_units or _formula_units(cell, stated)
    unit = {symbol: n / units for symbol, n in cell.items()}
    if not difference(unit, stated):
        return []
    where = f"_chemical_formula_sum {hill(stated)} (Z = {units:g})"
    other = _formula_units(cell, stated)
    if not difference({symbol: n / other for symbol, n in cell.items()}, stated):
        return [f"{where} fits the atoms with Z = {other:g} instead"]
    if all(abs(unit.get(s, 0) - stated.get(s, 0)) <= _EQUAL for s in {*unit, *stated} - {"H"}):
        lack = stated.get("H", 0) - unit.get("H", 0)
        if lack > 0:
            return [f"{where}: {lack:g} H of each formula unit are missing from the atom list"]
    return [f"{where} is wrong or incomplete: the atoms give {hill(unit)} ({difference(unit, stated)})"]


def _formula_units(cell: Composition, stated: Composition) -> float:
    """Guess Z from the heaviest element that both have."""
    common = [symbol for symbol in stated if symbol in cell]
    if not common:
        return 1.0
    heaviest = max(common, key=ATOMIC_NUMBER.__getitem__)
    return float(round(min(max(cell[heaviest] / stated[heaviest], 1.0), _MOST_FORMULA_UNITS)))


def _compare_moieties(structure: CifStructure, built: list[Composition]) -> list[str]:
    if structure.formula_moiety is None:
        return []
    moieties = parse_moieties(structure.formula_moiety)
    if moieties is None:
        return [f"_chemical_formula_moiety {structure.formula_moiety[:60]!r} cannot be read: not compared"]
    warnings = []
    unnamed = [kind for kind in built if all(difference(kind, m.composition) for m in moieties)]
    for moiety in moieties:
        if any(not difference(kind, moiety.composition) for kind in built):
            continue
        nearest = min(unnamed, key=lambda kind: _distance(kind, moiety.composition), default=None)
        said = f"_chemical_formula_moiety {hill(moiety.composition)} is wrong or incomplete: no molecule has it"
        if nearest is not None:
            unnamed.remove(nearest)
            said += f", the nearest is {hill(nearest)} ({difference(nearest, moiety.composition)})"
        warnings.append(said)
    if unnamed:
        names = ", ".join(dict.fromkeys(hill(kind) for kind in unnamed))
        warnings.append(f"_chemical_formula_moiety does not name {names}")
    return warnings


def _distance(a: Composition, b: Composition) -> float:
    return sum(abs(a.get(s, 0) - b.get(s, 0)) for s in {*a, *b})


def _add(total: Composition, part: Composition, times: float) -> None:
    for symbol, n in part.items():
        total[symbol] = total.get(symbol, 0) + n * times
