"""Read and write chemical formulas, and compare compositions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcdriver.models.base import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

Composition = dict[str, float]
"""Atoms of each element; fractions where sites are partly occupied."""

_NUMBER = r"[0-9]{1,6}\.?[0-9]{0,6}|\.[0-9]{1,6}"
_EQUAL = 0.1


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
            add(stack[-1], last, 1)
        elif re.fullmatch(_NUMBER, token):
            if not last:
                return None
            add(stack[-1], last, float(token) - 1)
            last = {}
        else:
            symbol = "H" if token == "D" else token
            if symbol not in ATOMIC_NUMBER:
                return None
            last = {symbol: 1.0}
            add(stack[-1], last, 1)
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
        inner = re.sub(r"^1/([2-9])(?=\D)", lambda half: f"{1 / int(half[1]):.6f}", inner)
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


def add(total: Composition, part: Mapping[str, float], times: float) -> None:
    """Add a composition to another, so many times."""
    for symbol, n in part.items():
        total[symbol] = total.get(symbol, 0) + n * times
