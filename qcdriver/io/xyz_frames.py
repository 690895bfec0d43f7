"""Frames of XYZ and extended XYZ files as they are written, and the molecule that each one means.

A file is read by its own rules and no library's: its name is only a name, its comment line is read by `xyz_comment`,
and what is not understood is refused with the line and the column.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from qcdriver.errors import InputError
from qcdriver.io.xyz_comment import CommentLine, Statement, meant_by_spin
from qcdriver.models.base import ATOMIC_NUMBER, ELEMENTS
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
_DEFAULTS = {"charge": 0, "multiplicity": 1}


@dataclass(frozen=True, eq=False)
class XyzFrame:
    """One frame of an XYZ file, before it is decided which charge and multiplicity it has.

    Attributes
    ----------
    path, line
        The file, and the line of the comment, from 1.
    symbols, positions_angstrom
        Elements, and positions (natoms, 3).
    comment
        The comment line.
    sums
        Sums over the atoms of the columns that the comment line names beyond symbols and positions, by their names.
    """

    path: Path
    line: int
    symbols: tuple[str, ...]
    positions_angstrom: np.ndarray
    comment: CommentLine
    sums: Mapping[str, float]

    def molecule(self, charge: int | None = None, multiplicity: int | None = None) -> tuple[Molecule, tuple[str, ...]]:
        """Return the molecule, and a line for each thing that a careful reader should know about its charge and spin.

        Parameters
        ----------
        charge, multiplicity
            Taken whatever the file says. None: as the file says; 0 and 1 where it says nothing.

        Raises
        ------
        InputError
            The file is periodic, or says something about charge or spin that is not understood and not given here, or
            the two do not fit the electrons; the message names file, line and column.
        """
        if (cell := self.comment.periodic) is not None:
            raise self._error(
                cell,
                f"{cell.words[:40]!r} makes it a periodic structure, and only molecules are computed; "
                'take the molecule out of it (of a CIF: source = "cif"), or write pbc="F F F"',
            )
        notes = []
        stated = self.stated_charge() if charge is None else charge
        if charge is not None:
            notes += self._overruled("charge", charge, self.comment.charge)
        total = _DEFAULTS["charge"] if stated is None else stated
        spin = self.stated_multiplicity(total) if multiplicity is None else multiplicity
        if multiplicity is not None:
            said = [word for word in self.comment.spin if multiplicity not in self._readings(word, total)]
            notes += self._overruled("multiplicity", multiplicity, self.comment.multiplicity + said)
        if silent := [word for word, value in (("charge", stated), ("multiplicity", spin)) if value is None]:
            taken = " and ".join(f"{word} {_DEFAULTS[word]}" for word in silent)
            notes.append(f"{taken} taken: neither {self.path.name} nor the input says")
        try:
            molecule = Molecule(
                symbols=self.symbols,
                geometry=self.positions_angstrom / ANGSTROM,
                molecular_charge=total,
                molecular_multiplicity=_DEFAULTS["multiplicity"] if spin is None else spin,
            )
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"{self.path}, line {self.line}: {reason}") from None
        return molecule, tuple(notes)

    def stated_charge(self) -> int | None:
        """Return the charge that the file states, None if it states none.

        Raises
        ------
        InputError
            What it says is not understood, or contradicts itself.
        """
        stated = self._agreed("charge", self.comment.charge)
        for name, total in self.sums.items():
            if stated is None and "charge" in name.lower() and round(total) != 0:
                raise InputError(
                    f"{self.path}, line {self.line}: the column {name} sums to {total:+.2f}, and nothing states the "
                    f"total charge; write charge={round(total):d}, or give molecular_charge"
                )
        return stated

    def stated_multiplicity(self, charge: int) -> int | None:
        """Return the multiplicity that the file states, None if it states none.

        Raises
        ------
        InputError
            What it says is not understood, or contradicts itself.
        """
        stated = self._agreed("multiplicity", self.comment.multiplicity)
        for spin in self.comment.spin:
            readings = self._readings(spin, charge)
            if stated in readings:
                continue
            if stated is not None or len(readings) != 1:
                both = f"; multiplicity {' or '.join(map(str, readings))}" if readings else ""
                raise self._error(spin, f"{spin.words!r} may be S, 2S or 2S + 1{both}: write multiplicity=")
            stated = readings[0]
        for name, total in self.sums.items():
            if stated is None and re.search("magmom|spin", name.lower()) and round(total) != 0:
                raise InputError(
                    f"{self.path}, line {self.line}: the column {name} sums to {total:+.2f}, and nothing states the "
                    f"multiplicity; write multiplicity={abs(round(total)) + 1}, or give molecular_multiplicity"
                )
        return stated

    def _readings(self, spin: Statement, charge: int) -> list[int]:
        """List the multiplicities that a number called spin can mean in a molecule with so many electrons."""
        electrons = sum(ATOMIC_NUMBER[symbol] for symbol in self.symbols) - charge
        return sorted(value for value in meant_by_spin(spin) if value % 2 != electrons % 2)

    def _agreed(self, word: str, said: Sequence[Statement]) -> int | None:
        for statement in said:
            if statement.number is None:
                raise self._error(statement, f"{statement.words!r} is no whole number; write {word}=, one whole number")
            if statement.number != said[0].number:
                raise self._error(statement, f"{statement.words!r} contradicts {said[0].words!r}")
        return said[0].number if said else None

    def _overruled(self, word: str, value: int, said: Sequence[Statement]) -> list[str]:
        different = [statement.words for statement in said if statement.number != value]
        if not different:
            return []
        return [f"molecular_{word} = {value} is taken from the input; {self.path.name} says {', '.join(different)}"]

    def _error(self, statement: Statement, message: str) -> InputError:
        return InputError(f"{self.path}, line {self.line}, column {statement.column}: {message}")


def read_frame(path: Path | str, frame: int | None = None) -> XyzFrame:
    """Read one frame of an XYZ or extended XYZ file, with what it says about charge and spin.

    Parameters
    ----------
    path
        The file: text in UTF-8 or Latin-1, with any line ends.
    frame
        Which one of several, from 0. None: the file holds exactly one.

    Raises
    ------
    InputError
        The file is missing or broken, or holds another number of frames.
    """
    path = Path(path)
    frames = read_frames(path)
    if frame is None and len(frames) > 1:
        raise InputError(
            f"{path}: holds {len(frames)} molecules; say which by frame = 0 ... {len(frames) - 1} "
            f"(on the command line {path.name}@0 ... @{len(frames) - 1})"
        )
    if frame is not None and not 0 <= frame < len(frames):
        raise InputError(f"{path}: has no frame {frame}; it holds {len(frames)}, counted from 0")
    return frames[frame or 0]


def read_frames(path: Path) -> list[XyzFrame]:
    """Read all frames of an XYZ or extended XYZ file, at least one.

    Raises
    ------
    InputError
        The file is missing or broken.
    """
    return _frames(path, _lines(path))


def _lines(path: Path) -> list[str]:
    """Read the lines of a text file in UTF-8 or else in Latin-1, with or without a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:  # a NUL in the name
        raise InputError(f"{str(path)!r}: no name of a file") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    if "\x00" in text:
        raise InputError(f"{path}: not a text file in UTF-8 or Latin-1")
    return re.split(r"\r\n|\n|\r", text)


def _frames(path: Path, lines: list[str]) -> list[XyzFrame]:
    """Read all frames; lines without a word may stand before and after each."""
    frames: list[XyzFrame] = []
    at = _next_line(lines, 0)
    while at < len(lines) or not frames:
        count = lines[at].strip() if at < len(lines) else ""
        if not re.fullmatch(r"\d+", count, re.ASCII) or int(count[:9]) == 0:
            number = min(at, len(lines) - 1) + 1
            column = 1 if at >= len(lines) else len(lines[at]) - len(lines[at].lstrip()) + 1
            raise InputError(
                f"{path}, line {number}, column {column}: the number of atoms belongs here, not {count[:40]!r}"
            )
        last = len(lines) - 1 if lines[-1] else len(lines) - 2
        if len(count) > 9 or at + 1 + int(count) > last:
            raise InputError(f"{path}, line {at + 1}: {count[:20]} atoms promised, the file ends after line {last + 1}")
        frames.append(_frame(path, at + 1, lines[at + 1 : at + 2 + int(count)]))
        at = _next_line(lines, at + 2 + int(count))
    return frames


def _next_line(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _frame(path: Path, start: int, lines: list[str]) -> XyzFrame:
    """Read a frame from its comment line, which stands at index `start`, and its atom lines."""
    comment = CommentLine(lines[0])
    columns = _Columns.of(comment.properties, f"{path}, line {start + 1}")
    symbols, rows = [], []
    for number, line in enumerate(lines[1:], start + 2):
        symbol, row = columns.read(line, f"{path}, line {number}")
        symbols.append(symbol)
        rows.append(row)
    table = np.array(rows)
    sums = dict(zip(columns.others, table[:, 3:].sum(axis=0).tolist(), strict=True))
    return XyzFrame(path, start + 1, tuple(symbols), table[:, :3], comment, sums)


@dataclass(frozen=True)
class _Columns:
    """Where the words of an atom line are, counted from 0.

    `width`: how many there are, None for four or more. `others`: the columns that speak of charge or spin, by name.
    """

    symbol: int = 0
    position: int = 1
    width: int | None = None
    others: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, properties: Statement | None, where: str) -> _Columns:
        """Read `Properties=species:S:1:pos:R:3:...`: name, type and number of words of each column."""
        if properties is None:
            return cls()
        parts = properties.words.split(":")
        starts: dict[str, tuple[int, str]] = {}
        width = 0
        for name, kind, count in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
            if not re.fullmatch(r"[1-9]\d{0,3}", count, re.ASCII):
                break
            starts[name] = (width, f"{kind}{count}")
            width += int(count)
        symbol = next((starts[name][0] for name in ("species", "Z") if name in starts), None)
        if len(parts) != 3 * len(starts) or symbol is None or starts.get("pos", (0, ""))[1] != "R3":
            raise InputError(
                f"{where}, column {properties.column}: Properties={properties.words[:60]} names no columns "
                "species:S:1 and pos:R:3"
            )
        others = {
            name: at
            for name, (at, kind) in starts.items()
            if kind in ("R1", "I1") and re.search("charge|magmom|spin", name.lower())
        }
        return cls(symbol, starts["pos"][0], width, others)

    def read(self, line: str, where: str) -> tuple[str, list[float]]:
        """Return the element of an atom line, its position, and the numbers in the other columns."""
        words = list(re.finditer(r"\S+", line))
        if not words:
            raise InputError(f"{where}: an empty line, where an atom belongs")
        width = len(words) if self.width is None else self.width
        if len(words) != max(width, 4):
            raise InputError(
                f"{where}, column {len(line.rstrip()) + 1}: an element symbol and three numbers belong here"
                f"{f', {self.width} words as Properties says' if self.width else ''}, not {line[:60]!r}"
            )
        numbers = [*range(self.position, self.position + 3), *self.others.values()]
        return _symbol(words[self.symbol], where), [_number(words[k], where) for k in numbers]


def _symbol(word: re.Match[str], where: str) -> str:
    """Read an element symbol or an atomic number."""
    text = word[0]
    if text in ATOMIC_NUMBER:
        return text
    if re.fullmatch(r"[1-9]\d{0,2}", text, re.ASCII) and int(text) <= len(ELEMENTS):
        return ELEMENTS[int(text) - 1]
    if text.lower() == "tv":
        hint = "is a translation vector: the structure is periodic, and only molecules are computed"
    else:
        near = f"; write {text.capitalize()}" if text.capitalize() in ATOMIC_NUMBER else ""
        hint = f"is no element symbol{near}"
    raise InputError(f"{where}, column {word.start() + 1}: {text[:40]!r} {hint}")


def _number(word: re.Match[str], where: str) -> float:
    if _NUMBER.fullmatch(word[0]):
        value = float(re.sub("[dD]", "e", word[0]))
        if math.isfinite(value):
            return value
    raise InputError(f"{where}, column {word.start() + 1}: a number belongs here, not {word[0][:40]!r}")
