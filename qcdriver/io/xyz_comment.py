"""What the comment line of an XYZ frame says about charge, spin and periodicity; all else in it is for people.

Programs write the same fact under many names, as `key=value`, `key: value` or JSON, and people write it in words.
Everything that speaks of charge, spin or a lattice is either understood here or named as not understood; nothing is
dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from qcdriver.io.xyz_pairs import Pair, find_pairs

# Keys, with hyphens, underscores and blanks left out.
_CHARGE = {"charge", "chrg", "q", "fcharge"} | {
    f"{word}charge" for word in ("total", "net", "molecular", "molecule", "mol", "formal", "system", "overall")
}
_MULTIPLICITY = {"multiplicity", "mult", "2s+1"} | {
    f"{word}{name}" for word in ("spin", "molecular", "mol", "total") for name in ("mult", "multiplicity")
}
_UNPAIRED = {"uhf", "unpaired", "nunpaired", "unpairedelectrons", "unpairedelectron", "nopen", "nopenshell", "2s"}
_SPIN = {"spin", "totalspin"}
_HALVES = re.compile(r"\d{1,3}/2")
"""A spin written as 3/2 is S."""
_CELL = {"lattice", "cell", "box", "unitcell", "tv", "periodic", "cellpar", "latticevectors", "cellvectors"}

_NUMBER = r"(?P<value>[+-]?\d+[+-]?)(?![\w.])"
_IN_WORDS = re.compile(
    rf"""(?<![\w.=-])-{{0,2}}(?P<key>charge|chrg|q|multiplicity|mult|uhf|spin|unpaired)
    (?:\s+state)? (?:\s+(?:of|on)\s+(?:[^\W\d]\w*\s+){{1,4}}?)? \s*(?<!\S)(?:(?:is|of)\s+)? {_NUMBER}""",
    re.IGNORECASE | re.VERBOSE,
)
_FLAGS = re.compile(rf"(?<!\S)-(?P<key>[cu])\s+{_NUMBER}")
"""xtb's short ones for charge and unpaired electrons."""
_COUNTED = re.compile(r"(?<![\w.-])(?P<value>\d+)\s+(?P<key>unpaired)\s+electron", re.IGNORECASE)
_SIGNED = re.compile(r"(?<![\w.])(?P<value>\d[+-]|[+-]\d)[\s-]+(?:ion|charged?|cation|anion)(?!\w)", re.IGNORECASE)
_FORMULA = re.compile(r"\[[^\]\s]*[A-Z][^\]]*\]\s?\^?\(?(?P<value>\d?[+-]|[+-]\d)\)?(?![\w.+-])")
"""A complex in brackets with its charge: [Cu(NH3)4]2+."""
_NAMES = re.compile(
    r"(?<![\w-])(?P<value>(?:di|tri|tetra|penta|hexa)?-?(?:cation|anion)|"
    r"singlet|doublet|triplet|quartet|quintet|sextet|septet)(?:s|ic)?(?![\w-])",
    re.IGNORECASE,
)
_UNCLEAR_CHARGE = re.compile(
    r"(?<!\w)(?:singly|doubly|triply|multiply)[\s-]+(?:charged|(?:de)?protonated|ioni[sz]ed|oxidi[sz]ed|reduced)(?!\w)",
    re.IGNORECASE,
)
_UNCLEAR_SPIN = re.compile(
    r"(?<!\w)(?:(?:di|bi|tri)-?radical(?:oid)?|(?:high|intermediate)[\s-]spin|open[\s-]shell)(?!\w)", re.IGNORECASE
)
_CELL_IN_WORDS = re.compile(
    r"(?<!\w)(?:lattice|unit[\s_-]?cell|cell|box|pbc)\b(?:\s+(?:vectors?|parameters?|lengths?))?"
    r"(?P<value>(?:[\s,;:=\[\](){}\"']+(?:[+-]?\d[\d.eE+-]*|T|F|true|false)(?!\w)){3,9})",
    re.IGNORECASE,
)
_TWO_NUMBERS = re.compile(r"\s*(?P<charge>[+-]?\d{1,2})(?:\s+|\s*,\s*)(?P<multiplicity>\d{1,2})\s*")
_SIZES = {"": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6}
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
        found = next((pair for pair in self._pairs if pair.key == "Properties"), None)
        return None if found is None else Statement(found.value, found.start + 1, None)

    @property
    def charge(self) -> list[Statement]:
        """What it says about the charge; formulas and words such as "cation" only where no number is given."""
        said = self._numbers(_CHARGE, self._in_words("charge", "chrg", "q", "c"))
        said += [_matched(found) for found in _SIGNED.finditer(self._free_text)]
        named = [_named(found) for found in self._names if not _is_multiplet(found)]
        formulas = [_matched(found) for found in _FORMULA.finditer(self._free_text)]
        return said or named or formulas or self._unclear(_UNCLEAR_CHARGE) or self._odd("charge", 0) or self._two(0)

    @property
    def multiplicity(self) -> list[Statement]:
        """What it says about the multiplicity, also as unpaired electrons; "triplet" only where no number is given."""
        said = self._numbers(_MULTIPLICITY, self._in_words("multiplicity", "mult"))
        counted = [_matched(found) for found in _COUNTED.finditer(self._free_text)]
        for statement in self._numbers(_UNPAIRED, self._in_words("uhf", "unpaired", "u") + counted):
            number = None if statement.number is None or statement.number < 0 else statement.number + 1
            said.append(Statement(statement.words, statement.column, number))
        said += [
            Statement(pair.words, pair.start + 1, int(pair.value.removesuffix("/2")) + 1)
            for pair in self._pairs
            if _HALVES.fullmatch(pair.value) and _plain(pair.key) in {"s", *_SPIN}
        ]
        named = [_named(found) for found in self._names if _is_multiplet(found)]
        return said or named or self._unclear(_UNCLEAR_SPIN) or self._odd("multiplicity", 1) or self._two(1)

    @property
    def spin(self) -> list[Statement]:
        """What it calls the spin: S, 2S or 2S + 1, as the program that wrote it pleases."""
        pairs = [pair for pair in self._pairs if _plain(pair.key) in _SPIN and not _HALVES.fullmatch(pair.value)]
        return [*map(_stated, pairs), *self._in_words("spin")]

    @property
    def periodic(self) -> Statement | None:
        """Where it says that the structure repeats in space; None if it does not."""
        if (found := self._pair({"pbc"})) is not None:
            return _stated(found) if re.search(r"\b(T|true|[1-9]\d*)\b", found.value, re.IGNORECASE) else None
        if (found := self._pair(_CELL)) is not None:
            none = re.fullmatch(r"[\s0.,+-]*|f|false|no|none", found.value, re.IGNORECASE)
            return None if none else _stated(found)
        words = _CELL_IN_WORDS.search(self._free_text)
        if words is None or not re.search(r"[1-9]|T", words["value"].upper()):
            return None
        return Statement(words[0], words.start() + 1, None)

    @cached_property
    def _found(self) -> tuple[list[Pair], str]:
        return find_pairs(self.text)

    @property
    def _pairs(self) -> list[Pair]:
        return self._found[0]

    @property
    def _free_text(self) -> str:
        return self._found[1]

    @property
    def _names(self) -> Iterator[re.Match[str]]:
        return _NAMES.finditer(self._free_text)

    def _pair(self, keys: set[str]) -> Pair | None:
        return next((pair for pair in self._pairs if _plain(pair.key) in keys), None)

    def _numbers(self, keys: set[str], more: Sequence[Statement]) -> list[Statement]:
        return [_stated(pair) for pair in self._pairs if _plain(pair.key) in keys] + list(more)

    def _in_words(self, *keys: str) -> list[Statement]:
        found = (*_IN_WORDS.finditer(self._free_text), *_FLAGS.finditer(self._free_text))
        return [_matched(match) for match in found if match["key"].lower() in keys]

    def _unclear(self, words: re.Pattern[str]) -> list[Statement]:
        return [Statement(found[0], found.start() + 1, None) for found in words.finditer(self._free_text)]

    def _odd(self, part: str, default: int) -> list[Statement]:
        """Find keys, none of the known ones, that may speak of a charge or a multiplicity other than the default."""
        return [
            Statement(pair.words, pair.start + 1, None)
            for pair in self._pairs
            if (part in _plain(pair.key) and _whole(pair.value) not in (None, default))
            or (part == "multiplicity" and pair.key == "S" and re.fullmatch(r"[1-9](\.0+)?", pair.value))
        ]

    def _two(self, which: int) -> list[Statement]:
        """Read a line of two numbers, which may be charge and multiplicity; 0 and 1, the defaults, say nothing."""
        found = _TWO_NUMBERS.fullmatch(self.text)
        if found is None or (int(found["charge"]), int(found["multiplicity"])) == (0, 1):
            return []
        return [Statement(self.text.strip(), found.start(which + 1) + 1, None)]


def meant_by_spin(spin: Statement) -> set[int]:
    """Return the multiplicities that a number called spin can mean: it is S, 2S or 2S + 1."""
    if spin.number is None or spin.number < 0:
        return set()
    return {spin.number, spin.number + 1, 2 * spin.number + 1} - {0}


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key.lower())


def _stated(pair: Pair) -> Statement:
    return Statement(pair.words, pair.start + 1, _whole(pair.value))


def _matched(found: re.Match[str]) -> Statement:
    value = found["value"]
    return Statement(found[0], found.start() + 1, _whole(value if any(map(str.isdigit, value)) else f"1{value}"))


def _is_multiplet(found: re.Match[str]) -> bool:
    return found["value"].lower() in _MULTIPLETS


def _named(found: re.Match[str]) -> Statement:
    name = found["value"].lower()
    if name in _MULTIPLETS:
        return Statement(found[0], found.start() + 1, _MULTIPLETS.index(name) + 1)
    kind = "cation" if name.endswith("cation") else "anion"
    size = _SIZES[name.removesuffix(kind).rstrip("-")]
    return Statement(found[0], found.start() + 1, size if kind == "cation" else -size)


def _whole(value: str) -> int | None:
    """Read a whole number as people write it: 1, +1, 1+, 2-, 1.0; None for anything else."""
    found = re.fullmatch(r"(?P<before>[+-]?)(?P<digits>\d{1,6})(?:\.0*)?(?P<after>[+-]?)", value, re.ASCII)
    if found is None or (found["before"] and found["after"]):
        return None
    return int((found["before"] or found["after"]) + found["digits"])
