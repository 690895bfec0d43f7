"""Find the role and the charge of each kind of molecule of a crystal.

Ions and solvents are known by composition, other ions by a bond pattern (a nitrogen or phosphorus with four carbons,
a boron with four neighbours). Molecules with metal atoms that are no known ions are clusters. Their charge makes the
crystal neutral, unless the file's moiety formula states it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qcdriver.geometry.bonds import is_metal
from qcdriver.io.cif.formula import Moiety, difference, hill
from qcdriver.io.cif.species import ION_FORMULAS, SOLVENT_FRAMES, is_known
from qcdriver.models.base import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

RoleName = Literal["cluster", "counter-ion", "solvent"]


@dataclass(frozen=True)
class Kind:
    """One kind of molecule.

    `partners`: bonded atoms of each atom, by index. `count`: molecules in a cell, a fraction when not always there.
    """

    symbols: tuple[str, ...]
    partners: tuple[tuple[int, ...], ...]
    count: float

    @property
    def composition(self) -> dict[str, float]:
        """Atoms of each element."""
        return dict(Counter(self.symbols))

    @property
    def n_metals(self) -> int:
        """Number of metal atoms."""
        return sum(map(is_metal, self.symbols))


@dataclass(frozen=True)
class Role:
    """Role and charge of a kind of molecule; an unknown charge is None."""

    name: RoleName
    charge: int | None


def assign_roles(kinds: Sequence[Kind], moieties: Sequence[Moiety], masked: bool) -> tuple[list[Role], list[str]]:
    """Find a role and a charge for each kind.

    Parameters
    ----------
    moieties
        From `_chemical_formula_moiety`.
    masked
        Whether the authors took diffuse electrons (solvent, perhaps ions) out of the model.

    Returns
    -------
    tuple
        One role for each kind, and warnings.
    """
    stated = [_stated_charge(kind, moieties) for kind in kinds]
    known = [_known_ion(kind) for kind in kinds]
    clusters = _clusters(kinds, known)
    warnings: list[str] = []
    charges: dict[int, int | None] = {}
    for i, kind in enumerate(kinds):
        if i in clusters:
            continue
        charge = known[i] if known[i] is not None else stated[i]
        if charge is None:
            charge = None if kind.n_metals else 0
        charges[i] = charge
        warnings += _hydrogen_count(kind)
    shared, more = _neutrality(kinds, clusters, charges, stated)
    charges.update(shared)
    warnings += more
    if masked:
        warnings.append(
            "the authors masked diffuse electrons: solvent, perhaps also counter-ions, are missing from the atom list"
        )
    roles = []
    for i in range(len(kinds)):
        name: RoleName = "cluster" if i in clusters else "solvent" if charges[i] == 0 else "counter-ion"
        roles.append(Role(name, charges[i]))
    return roles, warnings


def lowest_multiplicity(symbols: Sequence[str], charge: int | None) -> int | None:
    """Return the lowest multiplicity for the number of electrons; None when the charge is unknown or impossible."""
    if charge is None:
        return None
    electrons = sum(ATOMIC_NUMBER[s] for s in symbols) - charge
    return 1 + electrons % 2 if electrons >= 0 else None


def _clusters(kinds: Sequence[Kind], known: list[int | None]) -> set[int]:
    """Find the clusters: molecules with metal atoms, or else the largest molecule that is no known ion."""
    most = max((kind.n_metals for i, kind in enumerate(kinds) if known[i] is None), default=0)
    if most:
        # Beside a cluster, a complex of one metal atom is an ion of unknown charge or a guest.
        return {i for i, k in enumerate(kinds) if known[i] is None and k.n_metals >= (1 if most < 4 else 2)}
    candidates = [i for i in range(len(kinds)) if known[i] is None] or list(range(len(kinds)))
    largest = max(len(kinds[i].symbols) for i in candidates)
    formula = next(hill(kinds[i].composition) for i in candidates if len(kinds[i].symbols) == largest)
    return {i for i in candidates if hill(kinds[i].composition) == formula}


def _known_ion(kind: Kind) -> int | None:
    charge = ION_FORMULAS.get(hill(kind.composition))
    if charge is not None:
        return charge
    if kind.n_metals:
        return None
    total = 0
    for atom, symbol in enumerate(kind.symbols):
        around = [kind.symbols[p] for p in kind.partners[atom]]
        if symbol in ("N", "P") and len(around) == 4 and set(around) <= {"C", "H"}:
            total += 1
        borate = symbol == "B" and len(around) == 4 and set(around) <= {"C", "F", "H", "O", "N"}
        sulfonate = symbol == "S" and _terminal_oxygens(kind, atom) == 3
        total -= borate or sulfonate
    return total or None


def _terminal_oxygens(kind: Kind, atom: int) -> int:
    return sum(kind.symbols[p] == "O" and len(kind.partners[p]) == 1 for p in kind.partners[atom])


def _stated_charge(kind: Kind, moieties: Sequence[Moiety]) -> int | None:
    for moiety in moieties:
        if moiety.charge is not None and not difference(kind.composition, moiety.composition):
            return moiety.charge
    return None


def _neutrality(
    kinds: Sequence[Kind], clusters: set[int], charges: dict[int, int | None], stated: list[int | None]
) -> tuple[dict[int, int | None], list[str]]:
    """Find the charge of the clusters from all others."""
    unknown = [hill(kinds[i].composition) for i, charge in charges.items() if charge is None]
    others = sum((charge or 0) * kinds[i].count for i, charge in charges.items())
    if all(stated[i] is not None for i in clusters):
        total = others + sum((stated[i] or 0) * kinds[i].count for i in clusters)
        warnings = []
        if abs(total) > 0.1 and not unknown:
            warnings.append(
                f"the charges in _chemical_formula_moiety leave {total:+.3g} in the cell: an ion is missing, "
                "or one more than it should be"
            )
        return {i: stated[i] for i in clusters}, warnings
    formulas = {hill(kinds[i].composition) for i in clusters}
    nothing: dict[int, int | None] = dict.fromkeys(clusters)
    if unknown:
        return nothing, [f"charge of {', '.join(dict.fromkeys(unknown))} unknown: so is that of {', '.join(formulas)}"]
    share = -others / sum(kinds[i].count for i in clusters)
    if len(formulas) > 1 and abs(share) > 0.05:
        return nothing, [f"how {', '.join(sorted(formulas))} share the charge {-others:+.3g} of the cell is unknown"]
    if abs(share - round(share)) > 0.1:
        return nothing, [
            f"no whole charge of {', '.join(formulas)} makes the cell neutral ({share:+.2f} each): an ion is missing, "
            "or not always there"
        ]
    warnings = [
        f"{hill(kinds[i].composition)} with charge {round(share):+d} has an odd number of electrons: a radical, "
        "or atoms or ions are missing"
        for i in sorted(clusters)
        if lowest_multiplicity(kinds[i].symbols, round(share)) == 2
    ]
    return dict.fromkeys(clusters, round(share)), list(dict.fromkeys(warnings))


def _hydrogen_count(kind: Kind) -> list[str]:
    """Warn when a solvent or an ion lacks hydrogen or has too much."""
    formula = hill(kind.composition)
    if is_known(kind.composition) or kind.n_metals:
        return []
    heavy = hill({s: n for s, n in kind.composition.items() if s != "H"})
    hydrogens = kind.composition.get("H", 0)
    near = [(abs(hydrogens - n), name, n) for name, frame, n in SOLVENT_FRAMES if frame == heavy and n != hydrogens]
    if near:
        _, name, n = min(near)
        what = f"{abs(hydrogens - n):g} {'surplus' if hydrogens > n else 'missing'} H"
        return [f"{formula} looks like {name} with {what}"]
    charge = _known_ion(kind) or 0
    if lowest_multiplicity(kind.symbols, charge) == 2:
        return [
            f"{formula} with charge {charge:+d} has an odd number of electrons: H missing or surplus, "
            "or an ion unknown here"
        ]
    return []
