"""The kinds of molecule of a crystal in, the role and charge of each out.

Ions and solvents are known by composition, other ions by a bond pattern (a nitrogen or phosphorus with four carbons,
a boron with four neighbours); what has metal atoms and is no known ion is the cluster, and its charge is what makes
the crystal neutral, unless the file's moiety formula states it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qcdriver.schema import ATOMIC_NUMBER
from qcdriver.structures.bonds import is_metal
from qcdriver.structures.crystal.formula import Moiety, difference, hill, parse_formula

if TYPE_CHECKING:
    from collections.abc import Sequence

RoleName = Literal["cluster", "counter-ion", "solvent"]

_IONS = {
    **dict.fromkeys("F Cl Br I I3 Br3 BF4 PF6 AsF6 SbF6 ClO4 NO3 N3 CNO CNS CN BH4 ReO4 MnO4".split(), -1),
    **dict.fromkeys("CF3SO3 CH3SO3 C7H7SO3 HSO4 HCO3 CHO2 C2H3O2 C2F3O2 C7H5O2 C2F6S2O4N".split(), -1),
    **dict.fromkeys("BC24H20 BC24F20 BC32H12F24 AlC16F36O4 CB11H12 C3N3 C5N3".split(), -1),
    **dict.fromkeys("AuCl2 AuBr2 AuI2 AuC2N2 AuCl4 AuBr4 AgC2N2 AgCl2 CuCl2 CuBr2 CuI2 CuC2N2".split(), -1),
    **dict.fromkeys("FeCl4 FeBr4 GaCl4 InCl4 TlCl4 AlCl4 SnCl3 SnCl5 ZnCl3 HgI3 HgCl3 HgBr3 SbCl6".split(), -1),
    **dict.fromkeys("SO4 S2O8 CO3 C2O4 SiF6 ZnCl4 ZnBr4 CoCl4 CuCl4 CuBr4 MnCl4 NiCl4 CdCl4 HgCl4 HgI4".split(), -2),
    **dict.fromkeys("PdCl4 PtCl4 PtCl6 SnCl6 Cu2Cl6 Cu2Cl4 Hg2Cl6 W6O19 Mo6O19 B12H12 B10H10".split(), -2),
    **dict.fromkeys("PO4 PW12O40 PMo12O40".split(), -3),
    **dict.fromkeys("Li Na K Rb Cs Ag Tl NH4 H3O C5NH6 P2NC36H30 AsC24H20".split(), 1),
    **dict.fromkeys("CoC10H10 CoC20H30 KC12H24O6 NaC10H20O5 KN2C18H36O6 NaN2C18H36O6 NO N2H5".split(), 1),
    **dict.fromkeys("Mg Ca Sr Ba Zn MgH12O6 CaH12O6 ZnH12O6".split(), 2),
}

_SOLVENTS = {
    "water": "H2O",
    "ammonia": "NH3",
    "methanol": "CH4O",
    "ethanol": "C2H6O",
    "propanol": "C3H8O",
    "butanol or diethyl ether": "C4H10O",
    "acetonitrile": "C2H3N",
    "acetone": "C3H6O",
    "dichloromethane": "CH2Cl2",
    "chloroform": "CHCl3",
    "carbon tetrachloride": "CCl4",
    "dichloroethane": "C2H4Cl2",
    "tetrachloroethane": "C2H2Cl4",
    "benzene": "C6H6",
    "toluene": "C7H8",
    "xylene": "C8H10",
    "mesitylene": "C9H12",
    "fluorobenzene": "C6H5F",
    "difluorobenzene": "C6H4F2",
    "trifluorotoluene": "C7H5F3",
    "chlorobenzene": "C6H5Cl",
    "dichlorobenzene": "C6H4Cl2",
    "nitrobenzene": "C6H5NO2",
    "benzonitrile": "C7H5N",
    "nitromethane": "CH3NO2",
    "tetrahydrofuran": "C4H8O",
    "dioxane or ethyl acetate": "C4H8O2",
    "dimethoxyethane": "C4H10O2",
    "methyl tert-butyl ether": "C5H12O",
    "diisopropyl ether": "C6H14O",
    "pentane": "C5H12",
    "hexane": "C6H14",
    "heptane": "C7H16",
    "octane": "C8H18",
    "cyclohexane": "C6H12",
    "dimethylformamide": "C3H7NO",
    "dimethylacetamide": "C4H9NO",
    "N-methylpyrrolidone": "C5H9NO",
    "dimethyl sulfoxide": "C2H6OS",
    "pyridine": "C5H5N",
    "triethylamine": "C6H15N",
    "carbon disulfide": "CS2",
    "carbon dioxide": "CO2",
    "dinitrogen": "N2",
    "acetic acid": "C2H4O2",
}


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
    """What a kind of molecule is in the crystal; an unknown charge is None."""

    name: RoleName
    charge: int | None


def assign_roles(kinds: Sequence[Kind], moieties: Sequence[Moiety], masked: bool) -> tuple[list[Role], list[str]]:
    """Give each kind a role and a charge.

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
    """Take the lowest multiplicity for the number of electrons; None when the charge is unknown or impossible."""
    if charge is None:
        return None
    electrons = sum(ATOMIC_NUMBER[s] for s in symbols) - charge
    return 1 + electrons % 2 if electrons >= 0 else None


def _clusters(kinds: Sequence[Kind], known: list[int | None]) -> set[int]:
    """Find what the crystal is of: molecules with metal; none there, the largest molecule that is no known ion."""
    most = max((kind.n_metals for i, kind in enumerate(kinds) if known[i] is None), default=0)
    if most:
        # Beside a cluster, a complex of one metal atom is an ion of unknown charge or a guest.
        return {i for i, k in enumerate(kinds) if known[i] is None and k.n_metals >= (1 if most < 4 else 2)}
    candidates = [i for i in range(len(kinds)) if known[i] is None] or list(range(len(kinds)))
    largest = max(len(kinds[i].symbols) for i in candidates)
    formula = next(hill(kinds[i].composition) for i in candidates if len(kinds[i].symbols) == largest)
    return {i for i in candidates if hill(kinds[i].composition) == formula}


def _known_ion(kind: Kind) -> int | None:
    charge = _ION_FORMULAS.get(hill(kind.composition))
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
    if formula in _ION_FORMULAS or formula in _SOLVENT_FORMULAS or kind.n_metals:
        return []
    heavy = hill({s: n for s, n in kind.composition.items() if s != "H"})
    hydrogens = kind.composition.get("H", 0)
    near = [(abs(hydrogens - n), name, n) for name, frame, n in _SOLVENT_FRAMES if frame == heavy and n != hydrogens]
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


def _formula(text: str) -> dict[str, float]:
    composition = parse_formula(text)
    assert composition is not None
    return composition


_ION_FORMULAS = {hill(_formula(text)): charge for text, charge in _IONS.items()}
_SOLVENT_FORMULAS = {hill(_formula(text)) for text in _SOLVENTS.values()}
_SOLVENT_FRAMES = [
    (name, hill({s: n for s, n in _formula(text).items() if s != "H"}), _formula(text).get("H", 0))
    for name, text in _SOLVENTS.items()
]
