"""A grid of energies -> its network: minima, the passes between them, lowest paths, and the tree by which they merge.

The grid is flooded by rising energy. A point that is lower than all its neighbours begins a basin, any other belongs to
that of its lowest neighbour; a pass is where two basins meet lowest. Pure functions over index tuples: how many
coordinates the grid has, whether it is periodic or has holes, is in the neighbours alone. These should include the
diagonal ones: along a valley that runs aslant, every point is lower than those at its sides.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping

from qcdriver.models.base import Frozen

Index = tuple[int, ...]
Neighbours = Callable[[Index], Iterable[Index]]
"""Gives the points next to a point; those that the grid does not have (its holes, beyond its edge) do not count."""


class GridMinimum(Frozen):
    """The bottom of a basin: `plateau` are the points of this one energy (hartree), `index` the first of them."""

    index: Index
    plateau: tuple[Index, ...]
    energy: float


class GridPass(Frozen):
    """Where two basins meet lowest; `between` counts minima from 0, `path` leads from one to the other over `index`.

    `plateau` are the points of this one energy (hartree) around it, `index` the first of them. The path touches no
    third basin, its highest point is the pass, and it stays as low as it can otherwise. Two basins have several passes
    only where these are equally low.
    """

    between: tuple[int, int]
    index: Index
    plateau: tuple[Index, ...]
    energy: float
    path: tuple[Index, ...]


class Merge(Frozen):
    """A node of a merge tree: its two children are connected from this energy on (hartree).

    Of n minima, a child below n is a minimum, and n + k is the k-th merge.
    """

    children: tuple[int, int]
    energy: float


class GridNetwork(Frozen):
    """Minima by rising energy, passes by rising energy, and how the basins merge."""

    minima: tuple[GridMinimum, ...]
    passes: tuple[GridPass, ...]
    merges: tuple[Merge, ...]


def grid_network(energies: Mapping[Index, float], neighbours: Neighbours, ripple: float = 0.0) -> GridNetwork:
    """Find the network of a grid.

    Parameters
    ----------
    energies
        Of every point that there is, hartree.
    neighbours
        Symmetric.
    ripple
        A basin less deep than this (hartree, from its bottom to its lowest way out) is part of its neighbour.
    """
    terrain = _Terrain(energies, neighbours)
    basin = _without_ripples(terrain, _flooded(terrain), ripple)
    bottoms = sorted(set(basin.values()), key=terrain.order)
    number = {bottom: count for count, bottom in enumerate(bottoms)}
    minima = tuple(
        GridMinimum(index=bottom, plateau=terrain.members[bottom], energy=terrain.energies[bottom])
        for bottom in bottoms
    )
    inside: dict[Index, dict[Index, float]] = {bottom: {} for bottom in bottoms}
    for first, points in terrain.members.items():
        inside[basin[first]].update(dict.fromkeys(points, terrain.energies[first]))
    passes = []
    for top, pair in _tops(terrain, basin):
        one, other = sorted(pair, key=number.__getitem__)
        passes.append(
            GridPass(
                between=(number[one], number[other]),
                index=top,
                plateau=terrain.members[top],
                energy=terrain.energies[top],
                path=_over(terrain, inside, one, top, other),
            )
        )
    passes.sort(key=lambda pass_: (pass_.energy, pass_.between))
    ways = [(*pass_.between, pass_.energy) for pass_ in passes]
    return GridNetwork(minima=minima, passes=tuple(passes), merges=merge_tree(len(minima), ways))


def lowest_path(
    energies: Mapping[Index, float], neighbours: Neighbours, start: Index, end: Index
) -> tuple[Index, ...] | None:
    """Find the path of the lowest highest point, and of those the one of the lowest sum of energies.

    The sum counts each energy from the lowest of the grid, so that a detour costs; None if there is no path.
    """
    ceiling = _lowest_ceiling(energies, neighbours, start, end)
    if ceiling is None:
        return None
    floor = min(energies.values())
    queue = [(0.0, 0, start)]
    came_from: dict[Index, Index] = {start: start}
    cost = {start: (0.0, 0)}
    while queue:
        total, steps, point = heapq.heappop(queue)
        if point == end:
            break
        if (total, steps) > cost[point]:
            continue
        for near in neighbours(point):
            if near in energies and energies[near] <= ceiling:
                price = (total + energies[near] - floor, steps + 1)
                if near not in cost or price < cost[near]:
                    cost[near], came_from[near] = price, point
                    heapq.heappush(queue, (*price, near))
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))


def merge_tree(n_minima: int, ways: Iterable[tuple[int, int, float]]) -> tuple[Merge, ...]:
    """Make the tree that a disconnectivity graph draws (Becker and Karplus 1997, doi:10.1063/1.473299).

    Parameters
    ----------
    ways
        One minimum, another, and the energy (hartree) from which on they are connected directly.

    Returns
    -------
    Merges by rising energy: n - 1 of n minima that are all connected, fewer if they are not.
    """
    from scipy.cluster.hierarchy import DisjointSet

    parts = DisjointSet(range(n_minima))
    node = list(range(n_minima))  # of the part that a root stands for
    merges: list[Merge] = []
    for one, other, energy in sorted(ways, key=lambda way: way[2]):
        first, second = sorted((node[parts[one]], node[parts[other]]))
        if parts.merge(one, other):
            node[parts[one]] = n_minima + len(merges)
            merges.append(Merge(children=(first, second), energy=energy))
    return tuple(merges)


class _Terrain:
    """A grid in which neighbours of one energy have become one point, named by its first."""

    def __init__(self, energies: Mapping[Index, float], neighbours: Neighbours) -> None:
        from scipy.cluster.hierarchy import DisjointSet

        flat = DisjointSet(energies)
        near = {point: [neighbour for neighbour in neighbours(point) if neighbour in energies] for point in energies}
        for point, those in near.items():
            for relaxing in those:
                if energies[relaxing] == energies[point]:
                    flat.merge(point, relaxing)
        self.members = {min(those): tuple(sorted(those)) for those in flat.subsets()}
        name = {point: first for first, those in self.members.items() for point in those}
        self.energies = {first: energies[first] for first in self.members}
        self.neighbours = neighbours
        self.around = {
            first: sorted({name[neighbour] for point in those for neighbour in near[point]} - {first}, key=self.order)
            for first, those in self.members.items()
        }
        self.rising = sorted(self.members, key=self.order)

    def order(self, point: Index) -> tuple[float, Index]:
        """Sort by energy; of two points of one energy the first is the lower."""
        return self.energies[point], point

    def below(self, point: Index) -> list[Index]:
        """Give the lower neighbours of a point, the lowest first."""
        return [neighbour for neighbour in self.around[point] if self.order(neighbour) < self.order(point)]


def _flooded(terrain: _Terrain) -> dict[Index, Index]:
    """Give each point the bottom of its basin: down to the lowest neighbour, and on from there."""
    basin: dict[Index, Index] = {}
    for point in terrain.rising:
        below = terrain.below(point)
        basin[point] = basin[below[0]] if below else point
    return basin


def _tops(terrain: _Terrain, basin: Mapping[Index, Index]) -> list[tuple[Index, frozenset[Index]]]:
    """List, by rising energy, the lowest point that is a pass of each two basins that meet, all if several are."""
    tops: dict[tuple[Index, frozenset[Index]], None] = {}
    lowest: dict[frozenset[Index], float] = {}
    for point in terrain.rising:
        for lower in terrain.below(point):
            pair = frozenset((basin[point], basin[lower]))
            height = terrain.energies[point]
            if len(pair) == 2 and height <= lowest.get(pair, height) and _parts(terrain, point, lower):
                tops[point, pair] = None
                lowest[pair] = height
    return list(tops)


def _parts(terrain: _Terrain, point: Index, lower: Index) -> bool:
    """Tell whether a point lies between its lowest neighbour and another lower one: no lower ones connect them.

    On a ridge they do, down to where the ridge is lowest: the saddle.
    """
    left = set(terrain.below(point))
    front = [terrain.below(point)[0]]
    while front:
        near = left.intersection(terrain.around[front.pop()])
        left -= near
        front += near
    return lower in left


def _without_ripples(terrain: _Terrain, basin: Mapping[Index, Index], ripple: float) -> dict[Index, Index]:
    """Make the shallow basins part of the deeper one that they first flow over into."""
    from scipy.cluster.hierarchy import DisjointSet

    lakes = DisjointSet(set(basin.values()))
    bottom = {lake: lake for lake in lakes}  # of a lake, by its root
    part_of: dict[Index, Index] = {}
    for top, (one, other) in _tops(terrain, basin):
        if lakes.connected(one, other):
            continue
        if terrain.order(bottom[lakes[one]]) < terrain.order(bottom[lakes[other]]):
            one, other = other, one
        elder = bottom[lakes[other]]
        if terrain.energies[top] - terrain.energies[bottom[lakes[one]]] < ripple:
            part_of[bottom[lakes[one]]] = other
        lakes.merge(one, other)
        bottom[lakes[one]] = elder

    def whole(index: Index) -> Index:
        while index in part_of:
            index = part_of[index]
        return index

    return {point: whole(plateau) for point, plateau in basin.items()}


def _over(
    terrain: _Terrain, inside: Mapping[Index, Mapping[Index, float]], start: Index, top: Index, end: Index
) -> tuple[Index, ...]:
    """Give the lowest path from one bottom over a top to another, inside their two basins."""
    peak = dict.fromkeys(terrain.members[top], terrain.energies[top])
    ways = [lowest_path({**inside[bottom], **peak}, terrain.neighbours, bottom, top) for bottom in (start, end)]
    up, down = (way for way in ways if way is not None)  # each basin is downhill from the top
    return (*up, *reversed(down[:-1]))


def _lowest_ceiling(energies: Mapping[Index, float], neighbours: Neighbours, start: Index, end: Index) -> float | None:
    """Find how high one has to go from one point to another at least."""
    queue, seen = [(energies[start], start)], set[Index]()
    while queue:
        height, point = heapq.heappop(queue)
        if point == end:
            return height
        if point not in seen:
            seen.add(point)
            for near in neighbours(point):
                if near in energies and near not in seen:
                    heapq.heappush(queue, (max(height, energies[near]), near))
    return None
