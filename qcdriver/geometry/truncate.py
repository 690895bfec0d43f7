"""Replace the ligands of a cluster by smaller ones: PPh3 by PMe3 or PH3, SR by SMe or SH, C2R by C2Me or C2H.

The ends of ligands are found from the bonds: a phosphorus on a metal, a sulfur on a metal with one carbon, a carbon on
a metal that has a triple bond. The bond to the substituent is cut and a cap is placed on it; all other atoms keep their
places. Charge and multiplicity stay, since a radical is replaced by a radical.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, components, is_metal
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PhosphineModel = Literal["PMe3", "PH3"]
ThiolateModel = Literal["SMe", "SH"]
AlkynylModel = Literal["C2Me", "C2H"]

CAP_ANGSTROM = {
    ("P", "H"): 1.42,
    ("P", "C"): 1.84,
    ("S", "H"): 1.34,
    ("S", "C"): 1.82,
    ("C", "H"): 1.06,
    ("C", "C"): 1.46,
}
"""Length of the bond to a cap, the carbons being those of an alkynyl (Allen et al., doi:10.1039/P298700000S1)."""
CAP_SYMBOLS = {"H": ("H",), "C": ("C", "H", "H", "H")}
"""Atoms of a cap, by the one on the cut bond."""
METHYL_CH_ANGSTROM = 1.09
_TRIPLE_ANGSTROM = 1.29
_TETRAHEDRAL = np.arccos(-1 / 3)


@dataclass(frozen=True)
class CutBond:
    """A bond that is cut between an atom that stays and one that goes; the cap on it is "H", or a methyl group "C".

    `others`: the other neighbours of the atom that stays, against one of which a methyl group is staggered; `beyond`:
    those of the atom that goes.
    """

    stays: int
    goes: int
    cap: str
    others: tuple[int, ...]
    beyond: tuple[int, ...]


@dataclass(frozen=True)
class Cut:
    """Which atoms of a molecule stay, ascending, and the bonds that are cut between them and the rest."""

    kept: tuple[int, ...]
    bonds: tuple[CutBond, ...]


@dataclass(frozen=True)
class Truncated:
    """A model, and the atoms of the cluster that its atoms come from.

    `kept`: for each atom its index in the molecule that was truncated, None for an atom of a cap. Kept atoms come
    first, in their old order.
    """

    molecule: Molecule
    kept: tuple[int | None, ...]


def truncate(
    molecule: Molecule,
    phosphine: PhosphineModel | None = None,
    thiolate: ThiolateModel | None = None,
    alkynyl: AlkynylModel | None = None,
) -> Truncated:
    """Replace ligands by smaller ones.

    A substituent stays if it is such a cap already, or if it is bound to the metal in another place too. A substituent
    that links two ends (of a diphosphine) is cut at both.

    Parameters
    ----------
    phosphine, thiolate, alkynyl
        The smaller ligand of each kind; None leaves the ligands of that kind as they are.

    Raises
    ------
    InputError
        There is no ligand of a kind that is to be replaced.
    """
    cut = find_cut(molecule, phosphine, thiolate, alkynyl)
    symbols = [molecule.symbols[atom] for atom in cut.kept]
    caps: list[np.ndarray] = []
    for bond in cut.bonds:
        here, there, behind = (molecule.geometry[atom] * ANGSTROM for atom in (bond.stays, bond.goes, bond.others[0]))
        length = CAP_ANGSTROM[molecule.symbols[bond.stays], bond.cap]
        symbols += CAP_SYMBOLS[bond.cap]
        caps += list(cap_angstrom(here, there, behind, bond.cap, length))
    model = Molecule(
        symbols=tuple(symbols),
        # Kept atoms to the last bit; the round trip through Angstrom is for the caps.
        geometry=np.concatenate([molecule.geometry[list(cut.kept)], np.reshape(caps, (-1, 3)) / ANGSTROM]),
        molecular_charge=molecule.molecular_charge,
        molecular_multiplicity=molecule.molecular_multiplicity,
    )
    return Truncated(model, (*cut.kept, *[None] * len(caps)))


def find_cut(
    molecule: Molecule,
    phosphine: PhosphineModel | None = None,
    thiolate: ThiolateModel | None = None,
    alkynyl: AlkynylModel | None = None,
    covalent_bonds_decide: bool = False,
) -> Cut:
    """Find the bonds that `truncate` cuts, and what is left.

    Parameters
    ----------
    covalent_bonds_decide
        Whether the bonds inside the ligands alone decide, so that the cut is the same in all conformers: then a ligand
        need not be on a metal, and a substituent does not stay for a carbon or a hydrogen that is near one.

    Raises
    ------
    InputError
        There is no ligand of a kind that is to be replaced.
    """
    graph = bond_matrix(molecule)
    where = "" if covalent_bonds_decide else " on a metal"
    bound = [covalent_bonds_decide or _on_metal(molecule, graph, atom) for atom in range(len(molecule.symbols))]
    cuts: list[tuple[int, int, str]] = []
    for name, model, ends in (
        ("phosphine", phosphine, _phosphines),
        ("thiolate", thiolate, _thiolates),
        ("alkynyl", alkynyl, _alkynyls),
    ):
        if model is None:
            continue
        found = ends(molecule, graph, bound)
        if not found:
            raise InputError(f"{molecule.formula}: no {name}{where}, so none can become {model}")
        cap = "C" if "Me" in model else "H"
        cuts += [(stays, goes, cap) for stays, goes in found if not _is_cap(molecule, graph, goes, cap)]
    return _possible(molecule, _without_contacts(molecule, graph) if covalent_bonds_decide else graph, cuts)


def _without_contacts(molecule: Molecule, graph: csr_array) -> csr_array:
    """Leave out the bonds of metals with carbon and hydrogen."""
    symbols = np.array(molecule.symbols)
    metal = np.array([is_metal(symbol) for symbol in symbols])
    pairs = graph.tocoo()
    loose = np.isin(symbols, ("C", "H"))
    i, j = pairs.coords
    kept = ~((metal[i] & loose[j]) | (metal[j] & loose[i]))
    left = pairs.copy()
    left.data = left.data & kept
    reduced = left.tocsr()
    reduced.eliminate_zeros()
    return reduced


def _possible(molecule: Molecule, graph: csr_array, cuts: list[tuple[int, int, str]]) -> Cut:
    """Cut bonds (stays, goes, cap), except where the part that goes is bound to a metal elsewhere."""
    while True:
        open_graph = graph.tolil()
        for stays, goes, _ in cuts:
            open_graph[stays, goes] = open_graph[goes, stays] = False
        part_of = np.empty(len(molecule.symbols), dtype=int)
        bound = []
        for number, part in enumerate(components(open_graph.tocsr())):
            part_of[list(part)] = number
            bound.append(any(is_metal(molecule.symbols[atom]) for atom in part))
        possible = [cut for cut in cuts if not bound[part_of[cut[1]]]]
        if len(possible) == len(cuts):
            break
        cuts = possible
    gone = {int(part_of[goes]) for _, goes, _ in cuts}
    return Cut(
        kept=tuple(atom for atom in range(len(molecule.symbols)) if part_of[atom] not in gone),
        bonds=tuple(
            CutBond(stays, goes, cap, others=_others(graph, stays, goes), beyond=_others(graph, goes, stays))
            for stays, goes, cap in cuts
        ),
    )


def _others(graph: csr_array, atom: int, neighbour: int) -> tuple[int, ...]:
    return tuple(other for other in _around(graph, atom) if other != neighbour)


def cap_angstrom(here: np.ndarray, there: np.ndarray, behind: np.ndarray, cap: str, length: float) -> np.ndarray:
    """Place a hydrogen, or a staggered methyl group, on a cut bond.

    Parameters
    ----------
    here, there
        The atom that stays and the one that goes, (3,), Angstrom. Complex numbers pass through.
    behind
        What the methyl group is staggered against.
    length
        Of the bond to the cap, Angstrom.

    Returns
    -------
    The atoms of the cap, (1 or 4, 3), Angstrom.
    """
    along = there - here
    along = along / np.sqrt(along @ along)
    first = here + length * along
    if cap == "H":
        return np.array([first])
    back = behind - here
    across = back - (back @ along) * along
    if np.sqrt(across @ across).real < 0.1:
        across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    across = -across / np.sqrt(across @ across)
    sideways = np.cross(along, across)
    hydrogens = [
        first
        + METHYL_CH_ANGSTROM
        * (-np.cos(_TETRAHEDRAL) * along + np.sin(_TETRAHEDRAL) * (np.cos(turn) * across + np.sin(turn) * sideways))
        for turn in np.radians([0, 120, 240])
    ]
    return np.array([first, *hydrogens])


def _phosphines(molecule: Molecule, graph: csr_array, bound: list[bool]) -> list[tuple[int, int]]:
    """Find the bonds from a phosphorus on a metal to its carbons, as (stays, goes)."""
    return [
        (p, c)
        for p, symbol in enumerate(molecule.symbols)
        if symbol == "P" and bound[p]
        for c in _around(graph, p)
        if molecule.symbols[c] == "C"
    ]


def _thiolates(molecule: Molecule, graph: csr_array, bound: list[bool]) -> list[tuple[int, int]]:
    """Find the bonds from a sulfur on a metal to its only carbon, as (stays, goes)."""
    found = []
    for s, symbol in enumerate(molecule.symbols):
        if symbol != "S" or not bound[s]:
            continue
        light = _light(molecule, graph, s)
        if len(light) == 1 and molecule.symbols[light[0]] == "C":
            found.append((s, light[0]))
    return found


def _alkynyls(molecule: Molecule, graph: csr_array, bound: list[bool]) -> list[tuple[int, int]]:
    """Find the bonds from the outer carbon of an alkynyl on a metal to its substituent, as (stays, goes)."""
    found = []
    for inner, symbol in enumerate(molecule.symbols):
        if symbol != "C" or not bound[inner]:
            continue
        light = _light(molecule, graph, inner)
        if len(light) != 1 or molecule.symbols[light[0]] != "C":
            continue
        outer = light[0]
        length = np.linalg.norm(molecule.geometry[inner] - molecule.geometry[outer]) * ANGSTROM
        ends = [atom for atom in _light(molecule, graph, outer) if atom != inner]
        if length < _TRIPLE_ANGSTROM and len(ends) == 1:
            found.append((outer, ends[0]))
    return found


def _is_cap(molecule: Molecule, graph: csr_array, atom: int, cap: str) -> bool:
    """Return whether a substituent that begins with an atom is the cap already."""
    if molecule.symbols[atom] != cap:
        return False
    return cap == "H" or [molecule.symbols[a] for a in _around(graph, atom)].count("H") == 3


def _around(graph: csr_array, atom: int) -> list[int]:
    return [int(k) for k in graph.indices[graph.indptr[atom] : graph.indptr[atom + 1]]]


def _light(molecule: Molecule, graph: csr_array, atom: int) -> list[int]:
    return [a for a in _around(graph, atom) if not is_metal(molecule.symbols[a])]


def _on_metal(molecule: Molecule, graph: csr_array, atom: int) -> bool:
    return any(is_metal(molecule.symbols[a]) for a in _around(graph, atom))
