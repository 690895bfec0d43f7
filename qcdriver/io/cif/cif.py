"""Read one structure from a CIF: cell, operators and symbols as written, checked atom sites, formula tags.

gemmi reads the syntax. What is damaged or careless in a file is refused here with one line that names the file and the
tag, so that the other modules see numbers only. Tags: the core dictionary of the IUCr, under
its old names (`_atom_site_label`) and its new ones (`_atom_site.label`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from qcdriver.errors import InputError
from qcdriver.models.base import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Collection

_T = TypeVar("_T")

_LENGTHS_ANGSTROM = (1.5, 1000.0)
_ANGLES_DEG = (10.0, 170.0)
_LARGEST_COORDINATE = 100.0  # in cells; beyond it lies a typing error


@dataclass(frozen=True, eq=False)
class Sites:
    """The atoms of the asymmetric unit, as the file lists them.

    Attributes
    ----------
    labels, symbols
        Unique labels and element symbols (deuterium is H), (n,).
    written
        Labels as the file has them, (n,); one label may be written twice.
    fractional
        Coordinates, (n, 3).
    occupancy
        0 < occupancy <= 1, (n,).
    assembly, group
        Disorder tags; None where the file has none ("." and "?", and group 0).
    """

    labels: tuple[str, ...]
    written: tuple[str, ...]
    symbols: tuple[str, ...]
    fractional: np.ndarray
    occupancy: np.ndarray
    assembly: tuple[str | None, ...]
    group: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, left_out: Collection[int]) -> Sites:
        """Return the sites without some, given by index."""
        kept = [i for i in range(len(self)) if i not in left_out]

        def chosen(column: tuple[_T, ...]) -> tuple[_T, ...]:
            return tuple(column[i] for i in kept)

        return Sites(
            labels=chosen(self.labels),
            written=chosen(self.written),
            symbols=chosen(self.symbols),
            fractional=self.fractional[kept],
            occupancy=self.occupancy[kept],
            assembly=chosen(self.assembly),
            group=chosen(self.group),
        )


@dataclass(frozen=True)
class CifStructure:
    """The content of one data block; None where the file says nothing.

    Attributes
    ----------
    cell
        a, b, c (Angstrom), alpha, beta, gamma (degrees).
    operators
        As written.
    masked
        Whether the authors took electrons of solvent or ions out of the model.
    warnings
        What was odd but readable.
    """

    path: Path
    block: str
    cell: tuple[float, float, float, float, float, float]
    operators: tuple[str, ...]
    hermann_mauguin: str | None
    hall: str | None
    space_group_number: str | None
    sites: Sites
    formula_sum: str | None
    formula_moiety: str | None
    formula_units: float | None
    masked: bool
    warnings: tuple[str, ...]


def read_cif(path: Path, block: str | None = None) -> CifStructure:
    """Read one structure.

    Parameters
    ----------
    path
        The file.
    block
        Name of the data block, with or without `data_`. May be None when only one block has atoms.

    Raises
    ------
    InputError
        No such file or block, broken syntax, no cell, no atoms, or a value that cannot be.
    """
    return _Reader(path, *_pick_block(path, block)).structure()


class _Reader:
    """Reads one data block; every error message names the file."""

    def __init__(self, path: Path, name: str, block: object) -> None:
        self.path = path
        self.name = name
        self.block = block
        self.warnings: list[str] = []

    def structure(self) -> CifStructure:
        cell = self._cell()
        sites = self._sites()
        return CifStructure(
            path=self.path,
            block=self.name,
            cell=cell,
            operators=tuple(v for v in self._operators() if v is not None),
            hermann_mauguin=self._first("_space_group", "name_H-M_alt", "name_H-M_full", "name_H-M_ref")
            or self._first("_symmetry", "space_group_name_H-M"),
            hall=self._first("_space_group", "name_Hall") or self._first("_symmetry", "space_group_name_Hall"),
            space_group_number=self._first("_space_group", "IT_number")
            or self._first("_symmetry", "Int_Tables_number"),
            sites=sites,
            formula_sum=self._first("_chemical_formula", "sum"),
            formula_moiety=self._first("_chemical_formula", "moiety"),
            formula_units=self._formula_units(),
            masked=any(
                self._column(category, item)
                for category, item in (("_platon_squeeze", "void_nr"), ("_smtbx_masks", "void_nr"))
            ),
            warnings=tuple(self.warnings),
        )

    def fail(self, what: str) -> InputError:
        return InputError(f"{self.path}: {what}")

    def _column(self, category: str, item: str) -> list[str | None] | None:
        """Return all values of a tag, None for "?" and "."; None when the tag is absent."""
        import gemmi

        for tag in (f"{category}_{item}", f"{category}.{item}"):
            values = list(self.block.find_values(tag))  # type: ignore[attr-defined]
            if values:
                return [None if gemmi.cif.is_null(v) else _one_line(gemmi.cif.as_string(v)) for v in values]
        return None

    def _first(self, category: str, *items: str) -> str | None:
        for item in items:
            for value in self._column(category, item) or []:
                if value:
                    return value
        return None

    def _operators(self) -> list[str | None]:
        return (
            self._column("_space_group_symop", "operation_xyz") or self._column("_symmetry_equiv", "pos_as_xyz") or []
        )

    def _cell(self) -> tuple[float, float, float, float, float, float]:
        values = []
        for item, (low, high) in [
            *((f"length_{axis}", _LENGTHS_ANGSTROM) for axis in "abc"),
            *((f"angle_{angle}", _ANGLES_DEG) for angle in ("alpha", "beta", "gamma")),
        ]:
            column = self._column("_cell", item)
            if column is None:
                raise self.fail(f"_cell_{item} is missing; a crystal needs all six cell constants")
            value = self._number(f"_cell_{item}", column[0])
            if not low <= value <= high:
                raise self.fail(f"_cell_{item} is {value:g}; expected {low:g} to {high:g}")
            values.append(value)
        a, b, c, alpha, beta, gamma = values
        x, y, z = (math.cos(math.radians(angle)) for angle in (alpha, beta, gamma))
        if 1 - x * x - y * y - z * z + 2 * x * y * z < 1e-3:
            raise self.fail(f"_cell_angle_alpha, beta, gamma {alpha:g} {beta:g} {gamma:g} enclose no volume")
        return a, b, c, alpha, beta, gamma

    def _formula_units(self) -> float | None:
        text = self._first("_cell", "formula_units_Z")
        if text is None:
            return None
        value = _as_number(text)
        if value is None or not 0 < value <= 1000:
            self.warnings.append(f"_cell_formula_units_Z is {text!r}, no positive number: not used")
            return None
        return value

    def _sites(self) -> Sites:
        columns = {
            item: self._column("_atom_site", item)
            for item in (
                *("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy"),
                *("disorder_assembly", "disorder_group", "calc_flag"),
            )
        }
        x = columns["fract_x"]
        if x is None:
            raise self.fail(f"block {self.name} has no atoms: no _atom_site_fract_x")
        for item, column in columns.items():
            if column is not None and len(column) != len(x):
                raise self.fail(f"_atom_site_{item} has {len(column)} values, _atom_site_fract_x {len(x)}")
        if columns["label"] is None and columns["type_symbol"] is None:
            raise self.fail("the atoms have neither _atom_site_label nor _atom_site_type_symbol")

        nothing: list[str | None] = [None] * len(x)
        table = {item: column or nothing for item, column in columns.items()}
        known = self._elements_of_the_formula()
        said = [n for n in range(len(x)) if any(table[item][n] is not None for item in columns)]
        if 0 < len(said) < len(x):
            self.warnings.append(f"{len(x) - len(said)} of {len(x)} rows of atoms hold nothing but '?': left out")
        rows = [
            self._site(number, {item: column[number] for item, column in table.items()}, known)
            for number in said
            if (table["calc_flag"][number] or "").lower() not in ("dum", "dummy")
        ]
        kept = [row for row in rows if row[3] > 0]
        if not kept:
            raise self.fail(f"block {self.name} has no atoms")
        empty = [row[0] for row in rows if row[3] <= 0]
        if empty:
            self.warnings.append(f"occupancy 0, left out: {_some(empty)}")
        return Sites(
            labels=self._unique([(row[0], row[5]) for row in kept]),
            written=tuple(row[0] for row in kept),
            symbols=tuple(row[1] for row in kept),
            fractional=np.array([row[2] for row in kept]),
            occupancy=np.array([row[3] for row in kept]),
            assembly=tuple(row[4] for row in kept),
            group=tuple(row[5] for row in kept),
        )

    def _unique(self, labels: list[tuple[str, str | None]]) -> tuple[str, ...]:
        """Return a different name for each atom, with a warning where two alternatives have one label.

        Two atoms of one label in one disorder group are an error, unless one is the other's image: `repeats` decides.
        """
        taken: dict[str, None] = {}
        seen: set[tuple[str, str | None]] = set()
        for label, group in labels:
            name, number = label, 2
            while name in taken:
                name, number = f"{label}_{number}", number + 1
            again = (label, group) in seen
            seen.add((label, group))
            if name != label and not again:
                self.warnings.append(f"_atom_site_label {label} is used twice; the second is called {name} here")
            taken[name] = None
        return tuple(taken)

    def _site(
        self, number: int, row: dict[str, str | None], known: frozenset[str]
    ) -> tuple[str, str, list[float], float, str | None, str | None]:
        label = row["label"] or f"{row['type_symbol'] or '?'}{number + 1}"
        symbol = _element(row["type_symbol"] or label, known)
        if symbol is None:
            raise self.fail(f"atom {label}: {row['type_symbol'] or label!r} names no element")
        position = [self._number(f"_atom_site_fract_{axis}", row[f"fract_{axis}"], label) for axis in "xyz"]
        for axis, value in zip("xyz", position, strict=True):
            if abs(value) > _LARGEST_COORDINATE:
                raise self.fail(f"atom {label}: _atom_site_fract_{axis} is {value:g}; fractions of the cell are needed")
        occupancy = 1.0
        if row["occupancy"] is not None:
            occupancy = self._number("_atom_site_occupancy", row["occupancy"], label)
            if occupancy < 0 or occupancy > 1.0 + _standard_uncertainty(row["occupancy"]) + 1e-3:
                raise self.fail(f"atom {label}: _atom_site_occupancy is {occupancy:g}; expected 0 to 1")
        group = row["disorder_group"]
        return label, symbol, position, min(occupancy, 1.0), row["disorder_assembly"], group if group != "0" else None

    def _number(self, tag: str, text: str | None, label: str | None = None) -> float:
        where = f"atom {label}: {tag}" if label else tag
        if text is None:
            raise self.fail(f"{where} is unknown ('?' or '.'); a number is needed")
        value = _as_number(text)
        if value is None:
            raise self.fail(f"{where} is {text[:40]!r}; a number is needed")
        return value

    def _elements_of_the_formula(self) -> frozenset[str]:
        formula = self._first("_chemical_formula", "sum") or ""
        return frozenset(s for s in re.findall(r"[A-Z][a-z]?", formula) if s in ATOMIC_NUMBER)


def _pick_block(path: Path, name: str | None) -> tuple[str, object]:
    import gemmi

    text = _text(path)
    try:
        document = gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable CIF: {_syntax(str(error))}") from None
    blocks = {block.name: block for block in document}
    with_atoms = [
        key for key, b in blocks.items() if b.find_values("_atom_site_fract_x") or b.find_values("_atom_site.fract_x")
    ]
    if name is not None:
        wanted = name.removeprefix("data_").lower()
        for key, block in blocks.items():
            if key.lower() == wanted:
                return key, block
        raise InputError(f"{path}: no block {name!r}; it has {_some(list(blocks)) or 'none'}")
    if not with_atoms:
        raise InputError(f"{path}: no atoms: no block has _atom_site_fract_x")
    if len(with_atoms) > 1:
        raise InputError(f"{path}: holds {len(with_atoms)} structures, name one block of {_some(with_atoms)}")
    return with_atoms[0], blocks[with_atoms[0]]


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if b"\0" in raw:
        raise InputError(f"{path}: not a CIF: it holds binary data")
    # Old files hold authors' names in Latin-1; no tag read here needs more than ASCII.
    text = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{path}: not a CIF: it is empty")
    return text


def _syntax(message: str) -> str:
    """Turn gemmi's "string:12:0(345): what" into "line 12: what"."""
    found = re.match(r"string:(\d+)(?::\d+\(\d+\))?(?: in data_\S*)?:?\s*(.*)", message, re.DOTALL)
    line = f"line {found[1]}: {found[2]}" if found else message
    return _one_line(line)[:200]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _as_number(text: str) -> float | None:
    """Read 0.5, .5, 5., -1e-3, 0.533(8); None for anything else."""
    found = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)(?:\(\d*\))?", text)
    value = float(found[1]) if found else math.nan
    return value if math.isfinite(value) else None


def _standard_uncertainty(text: str) -> float:
    found = re.fullmatch(r"[+-]?\d*\.?(\d*)\((\d{1,9})\)", text)
    return int(found[2]) * 10.0 ** -len(found[1]) if found else 0.0


def _element(text: str, known: frozenset[str]) -> str | None:
    """Read the element from a type symbol (Au, AU, Cu1+, D) or a label (C11', CU1A, H10A)."""
    letters = re.match(r"[A-Za-z]*", text)
    start = letters[0] if letters else ""
    two, one = start[:2].capitalize(), start[:1].upper()
    candidates = [s for s in (two, one) if s in ATOMIC_NUMBER or s == "D"]
    if not candidates:
        return None
    # CA1 in a file without calcium is a carbon; Ca1 always is calcium.
    if len(candidates) == 2 and start[1:2].isupper() and two not in known and one in known:
        candidates = [one]
    # Letters after a one-letter symbol in lower case belong to a word, not to an element.
    return "H" if candidates[0] == "D" else candidates[0]


def _some(names: list[str], at_most: int = 8) -> str:
    rest = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {rest} more" if rest > 0 else "")
