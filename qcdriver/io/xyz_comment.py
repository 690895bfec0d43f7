"""What the comment line of an XYZ frame says about charge, spin and periodicity; all else in it is for people.

Programs write the same fact under many names, as `key=value` or `key: value`, and people write it in words. Everything
that speaks of charge, spin or a lattice is either understood here or named as not understood; nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_CHARGE = {"charge", "total_charge", "totalcharge", "molecular_charge", "net_charge", "netcharge", "chrg", "q"}
_MULTIPLICITY = {"multiplicity", "molecular_multiplicity", "spin_multiplicity", "spinmultiplicity", "mult", "2s+1"}
_UNPAIRED = {"uhf", "unpaired", "nunpaired", "n_unpaired", "unpaired_electrons", "2s"}
_SPIN = {"spin", "total_spin", "totalspin"}
_CELL = {"lattice", "cell", "box", "unit_cell", "unitcell", "tv", "periodic", "cellpar"}
_QUOTED = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\{[^}]*\}|\[[^\]]*\]"""
_PAIR = re.compile(
    rf"""(?<![^\s,;])(?P<key>[^\s=:"'{{}}\[\],;]+)
    (?: (?:=|:(?![:/=])) (?P<near>{_QUOTED}|\S+) | \s*(?:=|:(?![:/=]))\s* (?P<far>{_QUOTED}|[^\s=]+(?!\S*=)) )""",
    re.VERBOSE,
)
_IN_WORDS = re.compile(
    r"(?<![\w.=-])(?P<key>charge|multiplicity|mult)\s+(?:is\s+|of\s+)?(?P<value>[+-]?\d+[+-]?)(?![\w.])", re.IGNORECASE
)
_NAMES = re.compile(
    r"(?<![\w-])(?P<value>(?:di|tri|tetra)?(?:cation|anion)|singlet|doublet|triplet|quartet|quintet|sextet|septet)"
    r"(?![\w-])",
    re.IGNORECASE,
)
_TWO_NUMBERS = re.compile(r"\s*(?P<charge>[+-]?\d{1,2})\s+(?P<multiplicity>\d{1,2})\s*")
_SIZES = {"": 1, "di": 2, "tri": 3, "tetra": 4}
_MULTIPLETS = ("singlet", "doublet", "triplet", "quartet", "quintet", "sextet", "septet")


@dataclass(frozen=True)
class Statement:
    """One thing that a comment line says: the words, the column they begin at (from 1), and the number they mean.

    `number` is None where the words name no whole number.
    """

    words: str
    column: int
    number: int | None


@dataclass(frozen=True)
class CommentLine:
    """A comment line, read for what it says about charge, spin and periodicity."""

    text: str

    @property
    def properties(self) -> Statement | None:
        """Where it says which columns the atom lines have (`Properties=...` of extended XYZ); `words` is the value."""
        found = next((pair for pair in self._pairs if pair["key"] == "Properties"), None)
        return None if found is None else Statement(_value(found), found.start() + 1, None)

    @property
    def charge(self) -> list[Statement]:
        """What it says about the charge; words such as "cation" only where no number is given."""
        said = self._numbers(_CHARGE, self._in_words("charge"))
        return (
            said or [_named(found) for found in self._names if found["value"].lower().endswith("ion")] or self._two(0)
        )

    @property
    def multiplicity(self) -> list[Statement]:
        """What it says about the multiplicity, also as unpaired electrons; "triplet" only where no number is given."""
        said = self._numbers(_MULTIPLICITY, self._in_words("mult"))
        for statement in self._numbers(_UNPAIRED, []):
            number = None if statement.number is None or statement.number < 0 else statement.number + 1
            said.append(Statement(statement.words, statement.column, number))
        named = [_named(found) for found in self._names if not found["value"].lower().endswith("ion")]
        return said or named or self._two(1)

    @property
    def spin(self) -> list[Statement]:
        """What it calls the spin: S, 2S or 2S + 1, as the program that wrote it pleases."""
        return self._numbers(_SPIN, [])

    @property
    def periodic(self) -> Statement | None:
        """Where it says that the structure repeats in space; None if it does not."""
        if (found := self._pair({"pbc"})) is not None:
            return _stated(found) if re.search(r"\b(T|true|[1-9]\d*)\b", _value(found), re.IGNORECASE) else None
        found = self._pair(_CELL)
        none = found is None or re.fullmatch(r"[\s0.,+-]*|f|false|no|none", _value(found), re.IGNORECASE)
        return None if found is None or none else _stated(found)

    @cached_property
    def _pairs(self) -> list[re.Match[str]]:
        return list(_PAIR.finditer(self.text))

    @cached_property
    def _free_text(self) -> str:
        """The text with every pair blanked out, so that columns stay."""
        return _PAIR.sub(lambda found: " " * len(found[0]), self.text)

    @property
    def _names(self) -> Iterator[re.Match[str]]:
        return _NAMES.finditer(self._free_text)

    def _pair(self, keys: set[str]) -> re.Match[str] | None:
        return next((pair for pair in self._pairs if pair["key"].lower() in keys), None)

    def _numbers(self, keys: set[str], more: list[Statement]) -> list[Statement]:
        return [_stated(pair) for pair in self._pairs if pair["key"].lower() in keys] + more

    def _in_words(self, key: str) -> list[Statement]:
        found = _IN_WORDS.finditer(self._free_text)
        return [
            Statement(each[0], each.start() + 1, _whole(each["value"]))
            for each in found
            if each["key"].lower().startswith(key)
        ]

    def _two(self, which: int) -> list[Statement]:
        """Read a line of two numbers, which may be charge and multiplicity; 0 and 1, the defaults, say nothing."""
        found = _TWO_NUMBERS.fullmatch(self.text)
        if found is None or (int(found["charge"]), int(found["multiplicity"])) == (0, 1):
            return []
        return [Statement(self.text.strip(), found.start(which + 1) + 1, None)]


def _stated(pair: re.Match[str]) -> Statement:
    return Statement(pair[0].rstrip(",;"), pair.start() + 1, _whole(_value(pair)))


def _named(found: re.Match[str]) -> Statement:
    name = found["value"].lower()
    if name in _MULTIPLETS:
        return Statement(found[0], found.start() + 1, _MULTIPLETS.index(name) + 1)
    kind = "cation" if name.endswith("cation") else "anion"
    size = _SIZES[name.removesuffix(kind)]
    return Statement(found[0], found.start() + 1, size if kind == "cation" else -size)


def _value(pair: re.Match[str]) -> str:
    value: str = pair["near"] if pair["near"] is not None else pair["far"]
    value = value.rstrip(",;")
    return value[1:-1].strip() if len(value) > 1 and value[0] + value[-1] in ('""', "''", "{}", "[]") else value


def _whole(value: str) -> int | None:
    """Read a whole number as people write it: 1, +1, 1+, 2-, 1.0; None for anything else."""
    found = re.fullmatch(r"(?P<before>[+-]?)(?P<digits>\d{1,6})(?:\.0*)?(?P<after>[+-]?)", value)
    if found is None or (found["before"] and found["after"]):
        return None
    return int((found["before"] or found["after"]) + found["digits"])
