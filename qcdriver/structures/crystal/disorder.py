"""Atom sites with disorder tags in, the sites of one alternative for each assembly out, and a record of each choice.

An assembly is a region of the structure that has alternatives; a group is one of them. Where the file names groups
but no assemblies (SHELX writes it so), sites that touch belong to one assembly, so that two solvents far apart are
chosen for separately. The choice is made on the asymmetric unit and so holds for all its images; what disorder about
a symmetry element still leaves to choose is done in `occupancy`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.structures.crystal.neighbours import Pairs, bond_reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qcdriver.structures.crystal.cif import Sites
    from qcdriver.structures.crystal.unit_cell import UnitCell

_HYDROGENS_APART_ANGSTROM = 1.3  # two hydrogens of one methyl group are 1.5 apart, of two alternatives about 0.9
_SAME_OCCUPANCY = 0.005


@dataclass(frozen=True)
class Alternative:
    """One of the alternatives of an assembly: its group (or what tells it apart), occupancy and site labels."""

    group: str
    occupancy: float
    sites: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """What was taken and what was left out where a structure has alternatives."""

    assembly: str
    chosen: Alternative
    left_out: tuple[Alternative, ...]

    @property
    def total_occupancy(self) -> float:
        """How often there is any of the alternatives."""
        return min(1.0, self.chosen.occupancy + sum(a.occupancy for a in self.left_out))


def choose_groups(
    cell: UnitCell, pairs: Pairs, choices: Mapping[str, str] | None = None
) -> tuple[np.ndarray, list[Choice]]:
    """Choose one group in each assembly: the most occupied, or what `choices` says.

    Parameters
    ----------
    choices
        Assembly to group. Assemblies that the file leaves unnamed are "#1", "#2", ... in the order of their atoms.

    Returns
    -------
    tuple
        Sites to keep, (nsites,), and the choices.

    Raises
    ------
    InputError
        `choices` names an assembly or a group that there is not.
    """
    sites = cell.sites
    wanted = dict(choices or {})
    assemblies = _assemblies(cell, pairs)
    _check(wanted, assemblies, sites)
    keep = np.ones(len(sites), dtype=bool)
    made = []
    for name, members in assemblies.items():
        groups: dict[str, list[int]] = defaultdict(list)
        for i in members:
            groups[sites.group[i] or ""].append(i)
        # Atoms are weighted alike; at equal occupancy the group the authors numbered first.
        mean = {group: float(sites.occupancy[of].mean()) for group, of in groups.items()}
        best = wanted.get(name) or min(groups, key=lambda g: (-round(mean[g], 3), _rank(g)))
        alternatives = {g: Alternative(g, mean[g], tuple(sites.labels[i] for i in groups[g])) for g in groups}
        for group, of in groups.items():
            keep[of] = group == best
        chosen = alternatives.pop(best)
        made.append(Choice(name, chosen, tuple(alternatives.values())))
    return keep, made


def _rank(group: str) -> tuple[int, str]:
    number = group.lstrip("+-")
    return (int(number[:6]) if number.isdecimal() else 10**6, group)


def _check(wanted: dict[str, str], assemblies: dict[str, list[int]], sites: Sites) -> None:
    for name, group in wanted.items():
        if name not in assemblies:
            there = ", ".join(assemblies) or "none"
            raise InputError(f"no disorder assembly {name!r} in this structure; it has {there}")
        groups = sorted({sites.group[i] or "" for i in assemblies[name]}, key=_rank)
        if group not in groups:
            raise InputError(f"disorder assembly {name!r} has no group {group!r}; it has {', '.join(groups)}")


def _assemblies(cell: UnitCell, pairs: Pairs) -> dict[str, list[int]]:
    """Sites with a group, by assembly, named ones first."""
    sites = cell.sites
    named: dict[str, list[int]] = defaultdict(list)
    unnamed = np.zeros(len(sites), dtype=bool)
    for i, group in enumerate(sites.group):
        if group is None:
            continue
        if sites.assembly[i] is None:
            unnamed[i] = True
        else:
            named[sites.assembly[i] or ""].append(i)
    touching = _touching(cell, pairs, unnamed)
    numbered = {f"#{k + 1}": members for k, members in enumerate(touching)}
    return {**dict(sorted(named.items())), **numbered}


def _touching(cell: UnitCell, pairs: Pairs, unnamed: np.ndarray) -> list[list[int]]:
    """Sort unnamed disordered sites into assemblies."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not unnamed.any():
        return []
    sites = cell.sites
    symbols = np.array(sites.symbols)
    group = np.array([g or "" for g in sites.group])
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    reach = bond_reach(symbols)
    near = pairs.distance < reach[i] + reach[j]
    hydrogens = (symbols[i] == "H") & (symbols[j] == "H")
    overlap = near | (hydrogens & (pairs.distance < _HYDROGENS_APART_ANGSTROM))
    link = unnamed[i] & unnamed[j] & np.where(group[i] == group[j], near & ~hydrogens, overlap)
    edges = [np.stack([i[link], j[link]])]

    # Three hydrogens or fluorines of one group on an ordered atom do not touch each other but belong together.
    on_ordered = near & unnamed[i] & ~unnamed[j]
    parents = defaultdict(list)
    for disordered, ordered in zip(i[on_ordered].tolist(), j[on_ordered].tolist(), strict=True):
        parents[ordered].append(disordered)
    for siblings in parents.values():
        for a in siblings:
            for b in siblings:
                alike = abs(sites.occupancy[a] - sites.occupancy[b]) < _SAME_OCCUPANCY
                if group[a] == group[b] and alike and symbols[a] == symbols[b]:
                    edges.append(np.array([[a], [b]]))

    a, b = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(sites), len(sites)))
    _, label = connected_components(graph, directed=False)
    parts: dict[int, list[int]] = defaultdict(list)
    for site in np.flatnonzero(unnamed).tolist():
        parts[int(label[site])].append(site)
    return list(parts.values())
