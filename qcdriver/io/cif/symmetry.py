"""Find the space group of a structure: operators that form a group, and the table of their products.

The operators of the file are used. A symbol is only used when there are none, and a warning names a symbol that
contradicts the operators. Symbols are looked up in gemmi's table (International Tables A, all settings).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gemmi

    from qcdriver.io.cif.cif import CifStructure

_DENOMINATOR = 24  # of every translation in a space group's operators, in any setting
_ROUNDED = 0.005  # of a cell: 0.33 and 0.66667 both are thirds
_METRIC_WARNING, _METRIC_ERROR = 2e-3, 3e-2


@dataclass(frozen=True, eq=False)
class SpaceGroup:
    """Operators R x + t on fractional coordinates, the identity first; those that differ by a lattice vector are one.

    Attributes
    ----------
    name
        Short Hermann-Mauguin symbol ("P-1", "C2/c") that goes with the operators.
    rotations
        (n, 3, 3), integers.
    twentyfourths
        Translations times 24, (n, 3), 0 to 23.
    """

    name: str
    rotations: np.ndarray
    twentyfourths: np.ndarray

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def translations(self) -> np.ndarray:
        """In cells, (n, 3)."""
        cells: np.ndarray = self.twentyfourths / _DENOMINATOR
        return cells

    @property
    def improper(self) -> np.ndarray:
        """Which operators turn a molecule into its mirror image, (n,)."""
        mirrors: np.ndarray = np.linalg.det(self.rotations) < 0
        return mirrors

    @cached_property
    def product(self) -> np.ndarray:
        """`product[g, h]` is the operator "first h, then g", modulo lattice translations; (n, n)."""
        table = _product_table(self.rotations, self.twentyfourths)
        assert table is not None, "the constructor's callers check closure"
        return table

    def apply(self, operator: int, fractional: np.ndarray) -> np.ndarray:
        """Move points, (n, 3), by one operator."""
        moved: np.ndarray = fractional @ self.rotations[operator].T + self.translations[operator]
        return moved

    def triplet(self, operator: int, shift: Sequence[int] | np.ndarray = (0, 0, 0)) -> str:
        """Write one operator, then a lattice translation, the way a CIF does: "-x+1,y,-z+1/2"."""
        import gemmi

        op = gemmi.Op()
        op.rot = (self.rotations[operator] * op.DEN).tolist()
        op.tran = (self.twentyfourths[operator] + _DENOMINATOR * np.asarray(shift)).tolist()
        return str(op.triplet())


def space_group(structure: CifStructure) -> tuple[SpaceGroup, list[str]]:
    """Find the space group of a structure, and warnings about it.

    Raises
    ------
    InputError
        An operator cannot be read, the operators form no group or do not fit the cell, or there is neither an
        operator nor a symbol to go by.
    """
    named = _named(structure)
    if structure.operators:
        group, warnings = _from_operators(structure)
        group, more = _compare(group, named, structure)
        warnings += more
    else:
        group, warnings = _from_symbol(named, structure)
    return group, warnings + _check_metric(group, structure)


def lattice_vectors(cell: tuple[float, float, float, float, float, float]) -> np.ndarray:
    """Return rows a, b, c in Angstrom, (3, 3): a along x, b in the xy plane."""
    a, b, c = cell[:3]
    ca, cb, cg = np.cos(np.radians(cell[3:]))
    sg = np.sqrt(1 - cg**2)
    cx, cy = cb, (ca - cb * cg) / sg
    return np.array([[a, 0, 0], [b * cg, b * sg, 0], [c * cx, c * cy, c * np.sqrt(1 - cx**2 - cy**2)]])


def _from_operators(structure: CifStructure) -> tuple[SpaceGroup, list[str]]:
    warnings = []
    parsed = []
    for text in structure.operators:
        operator = _parse(text)
        if operator is None:
            raise InputError(
                f"{structure.path}: symmetry operator {text!r} cannot be read; expected like '-x,y+1/2,-z'"
            )
        parsed.append(operator)
    identity = (np.eye(3, dtype=int), np.zeros(3, dtype=int))
    if not any(_key(operator) == _key(identity) for operator in parsed):
        warnings.append("the symmetry operators lack x,y,z: added")
    unique = list({_key(operator): operator for operator in [identity, *parsed]}.values())
    if len(unique) > 192:
        raise InputError(f"{structure.path}: {len(unique)} different symmetry operators; no space group has over 192")
    rotations = np.array([rotation for rotation, _ in unique])
    twentyfourths = np.array([translation for _, translation in unique])
    if _product_table(rotations, twentyfourths) is None:
        raise InputError(
            f"{structure.path}: the {len(unique)} symmetry operators form no group; one is wrong or missing"
        )
    return SpaceGroup("", rotations, twentyfourths), warnings


def _parse(text: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Read "x,y,z+1/2" or "x,y,0.5+z"; None when it is no crystallographic operator."""
    import gemmi

    text = re.sub(r"\d{0,4}\.\d{1,12}", _as_fraction, text)
    if len(re.sub(r"[^xyzXYZ]", "", text)) < 3 or re.search(r"[^xyzXYZ0-9+\-/.,* ]|\d{5}", text):
        return None
    try:
        op = gemmi.Op(text)
    except RuntimeError:
        return None
    rotation, translation = np.array(op.rot), np.array(op.tran)
    if (rotation % op.DEN).any() or (translation * _DENOMINATOR % op.DEN).any():
        return None
    rotation = rotation // op.DEN
    if abs(round(np.linalg.det(rotation))) != 1:
        return None
    return rotation, translation * _DENOMINATOR // op.DEN % _DENOMINATOR


def _as_fraction(decimal: re.Match[str]) -> str:
    """Write a decimal as the fraction it is rounded from; a decimal near no fraction of a space group stays."""
    value = float(decimal[0])
    numerator = round(value * _DENOMINATOR)
    near = abs(value - numerator / _DENOMINATOR) < _ROUNDED
    return f"{numerator}/{_DENOMINATOR}" if near else decimal[0]


def _key(operator: tuple[np.ndarray, np.ndarray]) -> tuple[int, ...]:
    return (*operator[0].ravel().tolist(), *operator[1].tolist())


def _product_table(rotations: np.ndarray, twentyfourths: np.ndarray) -> np.ndarray | None:
    """Index of every product, (n, n), or None when one lies outside."""
    index = {_key(op): i for i, op in enumerate(zip(rotations, twentyfourths, strict=True))}
    turned = np.einsum("gab,hbc->ghac", rotations, rotations)
    moved = (np.einsum("gab,hb->gha", rotations, twentyfourths) + twentyfourths[:, None]) % _DENOMINATOR
    n = len(rotations)
    keys = np.concatenate([turned.reshape(n * n, 9), moved.reshape(n * n, 3)], axis=1).tolist()
    found = [index.get(tuple(key), -1) for key in keys]
    return None if -1 in found else np.array(found).reshape(n, n)


def _from_symbol(named: list[gemmi.SpaceGroup], structure: CifStructure) -> tuple[SpaceGroup, list[str]]:
    symbol = structure.hermann_mauguin or structure.hall or structure.space_group_number
    if symbol is None:
        raise InputError(
            f"{structure.path}: no symmetry: add _space_group_symop_operation_xyz (or _space_group_name_H-M_alt)"
        )
    if structure.hall is not None:
        import gemmi

        try:
            operations = gemmi.symops_from_hall(structure.hall)
        except RuntimeError:
            operations = None
        if operations is not None:
            found = gemmi.find_spacegroup_by_ops(operations)
            name = _short_name(found) if found else structure.hermann_mauguin or structure.hall
            return _from_gemmi(name, operations), [f"no symmetry operators: made from the Hall symbol {structure.hall}"]
    if not named:
        raise InputError(f"{structure.path}: no symmetry operators, and the space group {symbol!r} is not known")
    best = _fitting_the_cell(named, structure)
    warning = f"no symmetry operators: made from the symbol {symbol}"
    if len({entry.xhm() for entry in named}) > 1:
        warning += f", which has {len(named)} settings; {best.xhm()} was taken"
    return _from_gemmi(_short_name(best), best.operations()), [warning]


def _from_gemmi(name: str, operations: gemmi.GroupOps) -> SpaceGroup:
    ops = list(operations)
    ops.sort(key=lambda op: op.triplet() != "x,y,z")
    return SpaceGroup(
        name,
        np.array([op.rot for op in ops]) // ops[0].DEN,
        np.array([op.tran for op in ops]) * _DENOMINATOR // ops[0].DEN % _DENOMINATOR,
    )


def _short_name(entry: gemmi.SpaceGroup) -> str:
    """Return "R-3", "R-3:R", "Fddd:2" (gemmi writes hexagonal axes as H-3)."""
    name = str(entry.hm).replace(" ", "") if entry.ext in "HR" else str(entry.short_name())
    return name + (f":{entry.ext}" if entry.ext in "R12" else "")


def _named(structure: CifStructure) -> list[gemmi.SpaceGroup]:
    """All settings that the file's symbol, or else its number, can mean."""
    import gemmi

    if structure.hermann_mauguin:
        wanted = _compact(structure.hermann_mauguin)
        entries = [
            entry
            for entry in gemmi.spacegroup_table()
            if wanted in (_compact(entry.hm), _compact(entry.xhm()), _compact(_without_ones(entry.hm)))
        ]
        if not entries:
            found = gemmi.find_spacegroup_by_name(structure.hermann_mauguin)
            entries = [found] if found else []
        if entries:
            return entries
    number = structure.space_group_number
    if number is not None and number.isdecimal() and 1 <= int(number[:4]) <= 230:
        return [entry for entry in gemmi.spacegroup_table() if entry.number == int(number)]
    return []


def _compact(symbol: str) -> str:
    """Bring "P 2(1)/n", "P2_1/n" and "p 21/n" to one spelling."""
    return re.sub(r"[\s_()]", "", symbol).lower()


def _without_ones(symbol: str) -> str:
    """Shorten the full monoclinic symbol: "P 1 21/c 1" is "P 21/c"."""
    parts = symbol.split()
    return " ".join([parts[0], *(p for p in parts[1:] if p != "1")]) if parts.count("1") == 2 else symbol


def _fitting_the_cell(named: list[gemmi.SpaceGroup], structure: CifStructure) -> gemmi.SpaceGroup:
    """Take the standard setting, unless only another one fits the cell's shape."""

    def misfit(entry: gemmi.SpaceGroup) -> tuple[bool, bool, bool]:
        strained = _strain(_from_gemmi("", entry.operations()), structure) > _METRIC_ERROR
        # Origin at the centre of inversion is what refinement programs use.
        return strained, entry.ext == "1", not entry.is_reference_setting()

    return min(named, key=misfit)


def _compare(group: SpaceGroup, named: list[gemmi.SpaceGroup], structure: CifStructure) -> tuple[SpaceGroup, list[str]]:
    """Name the group of the operators, and hold the file's symbol and number against it."""
    import gemmi

    ops = gemmi.GroupOps([gemmi.Op(group.triplet(k)) for k in range(len(group))])
    entry = gemmi.find_spacegroup_by_ops(ops)
    symbol = structure.hermann_mauguin
    if entry is None:
        entry = next((e for e in [*named, *gemmi.spacegroup_table()] if _same_but_origin(group, e)), None)
    if entry is None:
        return _renamed(group, symbol or f"unknown setting ({len(group)} operators)"), []
    warnings = []
    agrees = any(e.xhm() == entry.xhm() or _same_but_origin(group, e) for e in named)
    if named and not agrees:
        said = f"the symbol {symbol}" if symbol else f"the space-group number {structure.space_group_number}"
        warnings.append(
            f"{said} contradicts the {len(group)} symmetry operators, which are those of {_short_name(entry)}: "
            "the operators were used"
        )
    number = structure.space_group_number
    if agrees and symbol and number and number.isdecimal() and int(number[:4]) != entry.number:
        warnings.append(
            f"the space-group number {number} contradicts the symmetry operators ({_short_name(entry)}, "
            f"No. {entry.number}): the operators were used"
        )
    return _renamed(group, _short_name(entry)), warnings


def _renamed(group: SpaceGroup, name: str) -> SpaceGroup:
    return SpaceGroup(name, group.rotations, group.twentyfourths)


def _same_but_origin(group: SpaceGroup, entry: gemmi.SpaceGroup) -> bool:
    """Return whether a shift of the origin turns the table's operators into the group's."""
    other = _from_gemmi("", entry.operations())
    if len(other) != len(group):
        return False
    order, other_order = (np.lexsort(g.rotations.reshape(-1, 9).T) for g in (group, other))
    if (group.rotations[order] != other.rotations[other_order]).any():
        return False
    # One operator of each rotation; centring translations are compared as sets.
    centring = {tuple(t) for r, t in zip(group.rotations, group.twentyfourths, strict=True) if (r == np.eye(3)).all()}
    if centring != {
        tuple(t) for r, t in zip(other.rotations, other.twentyfourths, strict=True) if (r == np.eye(3)).all()
    }:
        return False
    axis = np.arange(_DENOMINATOR)
    shifts = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    allowed = np.array(sorted(centring))
    code = np.array([1, _DENOMINATOR, _DENOMINATOR**2])
    seen: set[tuple[int, ...]] = set()
    for i in order:
        rotation = group.rotations[i]
        if tuple(rotation.ravel()) in seen:
            continue
        seen.add(tuple(rotation.ravel()))
        j = next(j for j in range(len(other)) if (other.rotations[j] == rotation).all())
        moved = other.twentyfourths[j] + shifts @ (np.eye(3, dtype=int) - rotation).T
        difference = (group.twentyfourths[i] - moved) % _DENOMINATOR
        shifts = shifts[np.isin(difference @ code, allowed @ code)]
        if not len(shifts):
            return False
    return True


def _check_metric(group: SpaceGroup, structure: CifStructure) -> list[str]:
    strain = _strain(group, structure)
    cell = " ".join(f"{value:g}" for value in structure.cell)
    if strain > _METRIC_ERROR:
        raise InputError(
            f"{structure.path}: the cell {cell} does not have the symmetry of {group.name or 'its operators'}"
        )
    if strain > _METRIC_WARNING:
        return [f"the cell {cell} has the symmetry of {group.name} only within {100 * strain:.1f} %"]
    return []


def _strain(group: SpaceGroup, structure: CifStructure) -> float:
    """Largest relative change of the cell's metric under an operator."""
    lattice = lattice_vectors(structure.cell)
    metric = lattice @ lattice.T
    moved = np.einsum("gba,bc,gcd->gad", group.rotations, metric, group.rotations)
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    return float(np.abs((moved - metric) / scale).max())
