"""Sort the disordered sites of a file into assemblies: regions of the structure that have alternatives.

An assembly has one or more groups, of which one is there at a time. Files do not keep to it:

- SHELX writes groups but no assemblies. Sites that touch then belong to one assembly, so that the alternatives of two
  solvents far apart are independent.
- A site may lack the assembly that all others of its group have. It belongs to the atoms it is bonded to.
- One assembly may hold two independent pairs of groups. Their occupancies then add up to two.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.io.cif.disjoint_sets import DisjointSets
from qcdriver.io.cif.neighbours import bond_reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qcdriver.io.cif.cif import Sites
    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.unit_cell import UnitCell

Groups = dict[str, list[int]]
"""The groups of one assembly: name to sites."""

_HYDROGENS_APART_ANGSTROM = 1.3  # two hydrogens of one methyl group are 1.5 apart, of two alternatives about 0.9
_SAME_OCCUPANCY = 0.005
_SUM_TOLERANCE = 0.05


def find_assemblies(cell: UnitCell, pairs: Pairs) -> dict[str, Groups]:
    """Sort the sites that have a disorder group.

    Returns
    -------
    dict
        Name of each assembly to its groups, those the file names first. Assemblies without a name are "#1", "#2", ...
        in the order of their atoms. An assembly A that holds independent sets of alternatives comes as "A 1/2",
        "A 3/4", ... after its groups.
    """
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
    bonded = _bonded_sites(cell, pairs)
    _join_strays(sites, named, unnamed, bonded)
    touching = _touching(cell, pairs, unnamed)
    found = {**dict(sorted(named.items())), **{f"#{k + 1}": members for k, members in enumerate(touching)}}
    result: dict[str, Groups] = {}
    for name, members in found.items():
        groups: Groups = defaultdict(list)
        for i in sorted(members):
            groups[sites.group[i] or ""].append(i)
        parts = _independent_parts(sites, groups, bonded)
        for part in parts:
            key = name if len(parts) == 1 else f"{name} {'/'.join(sorted(part, key=rank_of_group))}"
            result[key] = {group: groups[group] for group in part}
    return result


def occupancy_of_group(sites: Sites, members: Iterable[int]) -> float:
    """How often a group is there.

    Sites of a group may be there less often than the group: the hydrogens of a methyl group on a three-fold axis are
    listed at a third of it. The median of the other elements is safe from them.
    """
    listed = list(members)
    heavy = [i for i in listed if sites.symbols[i] != "H"] or listed
    ordered = np.sort(sites.occupancy[heavy])
    return float(ordered[len(ordered) // 2])


def rank_of_group(group: str) -> tuple[int, str]:
    """Sort groups by their number, -1 with 1, and those without a number last."""
    number = group.lstrip("+-")
    return (int(number[:6]) if number.isdecimal() else 10**6, group)


def _bonded_sites(cell: UnitCell, pairs: Pairs) -> dict[int, set[int]]:
    """List the sites at bonding distance of each site, in any of its images."""
    symbols = np.array(cell.sites.symbols)
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    reach = bond_reach(symbols)
    near = (pairs.distance < reach[i] + reach[j]) & ((symbols[i] != "H") | (symbols[j] != "H"))
    bonded: dict[int, set[int]] = defaultdict(set)
    for a, b in zip(i[near].tolist(), j[near].tolist(), strict=True):
        bonded[a].add(b)
    return bonded


def _join_strays(sites: Sites, named: dict[str, list[int]], unnamed: np.ndarray, bonded: dict[int, set[int]]) -> None:
    """Move unnamed sites into the assembly of a site of their group that they are bonded to."""
    owner = {i: name for name, members in named.items() for i in members}
    waiting = list(owner)
    for i in waiting:
        for j in sorted(bonded[i]):
            if unnamed[j] and sites.group[j] == sites.group[i]:
                unnamed[j] = False
                owner[j] = owner[i]
                named[owner[i]].append(j)
                waiting.append(j)


def _independent_parts(sites: Sites, groups: Groups, bonded: dict[int, set[int]]) -> list[list[str]]:
    """Split an assembly whose groups add up to more than one into sets of groups that each add up to one.

    Groups belong to one set when their sites touch, or are bonded to one atom outside of the assembly.
    """
    names = list(groups)
    occupancy = {name: occupancy_of_group(sites, groups[name]) for name in names}
    if sum(occupancy.values()) < 2 - 2 * _SUM_TOLERANCE:
        return [names]
    inside = {i for members in groups.values() for i in members}
    reach = {
        name: set(members) | {j for i in members for j in bonded[i] if j not in inside or j in members}
        for name, members in groups.items()
    }
    touched = {name: {j for i in groups[name] for j in bonded[i] & inside} for name in names}
    near: DisjointSets[str] = DisjointSets()
    for name in names:
        near.join([name, *(n for n in names if reach[name] & reach[n] or touched[name] & set(groups[n]))])
    parts = near.sets(names)
    whole = all(abs(sum(occupancy[name] for name in part) - 1) < _SUM_TOLERANCE for part in parts)
    return sorted(parts, key=lambda part: min(map(rank_of_group, part))) if whole else [names]


def _touching(cell: UnitCell, pairs: Pairs, unnamed: np.ndarray) -> list[list[int]]:
    """Sort unnamed disordered sites into assemblies by their distances."""
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
