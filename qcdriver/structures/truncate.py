"""A cluster in, a model with small ligands out: PPh3 -> PMe3 -> PH3, SR -> SMe -> SH, C2R -> C2Me -> C2H.

Ends are found from the bond graph: a phosphorus on a metal, a sulfur on a metal with one carbon, a carbon on a metal
that has a triple bond. The bond to what hangs there is cut and a cap placed on it; every atom that stays keeps its
place. Charge and multiplicity stay, since a radical is replaced by a radical.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from qcdriver.errors import InputError
from qcdriver.schema import Molecule
from qcdriver.structures.bonds import bond_matrix, components, is_metal
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
_METHYL_CH_ANGSTROM = 1.09
_TRIPLE_ANGSTROM = 1.29
_TETRAHEDRAL = np.arccos(-1 / 3)


@dataclass(frozen=True)
class Truncated:
    """A model and where its atoms come from.

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
    """Cut ligands down.

    A substituent that is bound to the metal in another place too, or is such a cap already, is left as it is; one that
    links two ends (a diphosphine's) is cut at both.

    Parameters
    ----------
    phosphine, thiolate, alkynyl
        What each becomes; None leaves it as it is.

    Raises
    ------
    InputError
        There is no ligand of a kind that is to be cut.
    """
    graph = bond_matrix(molecule)
    cuts: list[tuple[int, int, str]] = []
    for name, model, ends in (
        ("phosphine", phosphine, _phosphines),
        ("thiolate", thiolate, _thiolates),
        ("alkynyl", alkynyl, _alkynyls),
    ):
        if model is None:
            continue
        found = ends(molecule, graph)
        if not found:
            raise InputError(f"{molecule.formula}: no {name} on a metal, so none can become {model}")
        cap = "C" if "Me" in model else "H"
        cuts += [(stays, goes, cap) for stays, goes in found if not _is_cap(molecule, graph, goes, cap)]
    return _cut(molecule, graph, cuts)


def _cut(molecule: Molecule, graph: csr_array, cuts: list[tuple[int, int, str]]) -> Truncated:
    """Cut bonds (stays, goes, cap), except where what goes would stay bound to a metal."""
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
    kept = [atom for atom in range(len(molecule.symbols)) if part_of[atom] not in gone]
    symbols = [molecule.symbols[atom] for atom in kept]
    places = [molecule.geometry[atom] * ANGSTROM for atom in kept]
    for stays, goes, cap in cuts:
        for symbol, place in _cap(molecule, graph, stays, goes, cap):
            symbols.append(symbol)
            places.append(place)
    model = Molecule(
        symbols=tuple(symbols),
        # Kept atoms to the last bit; the round trip through Angstrom is for the caps.
        geometry=np.concatenate([molecule.geometry[kept], np.reshape(places[len(kept) :], (-1, 3)) / ANGSTROM]),
        molecular_charge=molecule.molecular_charge,
        molecular_multiplicity=molecule.molecular_multiplicity,
    )
    return Truncated(model, (*kept, *[None] * (len(symbols) - len(kept))))


def _cap(molecule: Molecule, graph: csr_array, stays: int, goes: int, cap: str) -> list[tuple[str, np.ndarray]]:
    """Place a hydrogen or a methyl group on a cut bond, Angstrom; the methyl staggered."""
    here = molecule.geometry[stays] * ANGSTROM
    along = molecule.geometry[goes] * ANGSTROM - here
    along /= np.linalg.norm(along)
    first = here + CAP_ANGSTROM[molecule.symbols[stays], cap] * along
    if cap == "H":
        return [("H", first)]
    others = [atom for atom in _around(graph, stays) if atom != goes]
    behind = molecule.geometry[others[0]] * ANGSTROM - here
    across = behind - (behind @ along) * along
    if np.linalg.norm(across) < 0.1:
        across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    across /= -np.linalg.norm(across)
    sideways = np.cross(along, across)
    hydrogens = [
        first
        + _METHYL_CH_ANGSTROM
        * (-np.cos(_TETRAHEDRAL) * along + np.sin(_TETRAHEDRAL) * (np.cos(turn) * across + np.sin(turn) * sideways))
        for turn in np.radians([0, 120, 240])
    ]
    return [("C", first), *(("H", place) for place in hydrogens)]


def _phosphines(molecule: Molecule, graph: csr_array) -> list[tuple[int, int]]:
    """Bonds from a phosphorus on a metal to its carbons, as (stays, goes)."""
    return [
        (p, c)
        for p, symbol in enumerate(molecule.symbols)
        if symbol == "P" and _on_metal(molecule, graph, p)
        for c in _around(graph, p)
        if molecule.symbols[c] == "C"
    ]


def _thiolates(molecule: Molecule, graph: csr_array) -> list[tuple[int, int]]:
    """Bonds from a sulfur on a metal to its only carbon."""
    found = []
    for s, symbol in enumerate(molecule.symbols):
        if symbol != "S" or not _on_metal(molecule, graph, s):
            continue
        light = _light(molecule, graph, s)
        if len(light) == 1 and molecule.symbols[light[0]] == "C":
            found.append((s, light[0]))
    return found


def _alkynyls(molecule: Molecule, graph: csr_array) -> list[tuple[int, int]]:
    """Bonds from the outer carbon of a triple bond on a metal to what it carries."""
    found = []
    for inner, symbol in enumerate(molecule.symbols):
        if symbol != "C" or not _on_metal(molecule, graph, inner):
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
    """Tell whether what hangs there is the cap already."""
    if molecule.symbols[atom] != cap:
        return False
    return cap == "H" or [molecule.symbols[a] for a in _around(graph, atom)].count("H") == 3


def _around(graph: csr_array, atom: int) -> list[int]:
    return [int(k) for k in graph.indices[graph.indptr[atom] : graph.indptr[atom + 1]]]


def _light(molecule: Molecule, graph: csr_array, atom: int) -> list[int]:
    return [a for a in _around(graph, atom) if not is_metal(molecule.symbols[a])]


def _on_metal(molecule: Molecule, graph: csr_array, atom: int) -> bool:
    return any(is_metal(molecule.symbols[a]) for a in _around(graph, atom))
