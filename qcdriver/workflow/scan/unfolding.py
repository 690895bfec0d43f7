"""A grid with its symmetry and the energies of its unique points -> its network, over the ends of the grid and on.

What symmetry makes one point is laid out side by side first, a grid's length to either side: only so does the pass show
that leads from a minimum to its own mirror image, or to itself a period on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from qcdriver.workflow.scan.grid import Grid
from qcdriver.workflow.scan.network import GridMinimum, GridNetwork, GridPass, Index, grid_network, merge_tree


def place(grid: Grid, unfolded: Index) -> tuple[Index, tuple[bool, ...]] | None:
    """Give the first point that an index, counted on beyond the ends of a grid, is equal to; None if there is none.

    With it, whether what lies here is the mirror image of what lies there; on a plane of symmetry it may be both.
    """
    steps = zip(grid.axes, unfolded, strict=True)
    values = tuple(axis[0] + k * grid.spacing(number) for number, (axis, k) in enumerate(steps))
    found = grid.found(values)
    if found is None:
        return None
    return found[0], tuple(sorted({operation.mirrored for index, operation in grid.equal(values) if index == found[0]}))


def unfolded_network(grid: Grid, energies: Mapping[Index, float], ripple: float = 0.0) -> GridNetwork:
    """Find the network of a grid with symmetry.

    Parameters
    ----------
    energies
        Of the unique points, hartree; one that is missing is a hole.
    ripple
        As of `network.grid_network`.

    Returns
    -------
    Minima and tops are unique points; a pass may connect a minimum with its own image. Paths are counted on beyond the
    ends of the grid: `place` gives their points.
    """
    homes = {}
    for index in itertools.product(*(range(-len(axis), 2 * len(axis)) for axis in grid.axes)):
        found = place(grid, index)
        if found is not None and found[0] in energies:
            homes[index] = found[0]
    whole = grid_network({index: energies[home] for index, home in homes.items()}, _around, ripple)

    def folded(plateau: tuple[Index, ...]) -> tuple[Index, ...]:
        return tuple(sorted({homes[point] for point in plateau}))

    passes: dict[Index, GridPass] = {}
    for pass_ in whole.passes:
        if any(_is_on(grid, point) for point in pass_.plateau):
            top = folded(pass_.plateau)
            passes.setdefault(top[0], pass_.model_copy(update={"index": top[0], "plateau": top}))
    ends = {number for pass_ in passes.values() for number in pass_.between}
    bottoms = {
        number: folded(minimum.plateau)
        for number, minimum in enumerate(whole.minima)
        if number in ends or any(_is_on(grid, point) for point in minimum.plateau)
    }
    order = sorted(set(bottoms.values()), key=lambda plateau: (energies[plateau[0]], plateau))
    number_of = {number: order.index(plateau) for number, plateau in bottoms.items()}
    renumbered = sorted((_renumbered(pass_, number_of) for pass_ in passes.values()), key=lambda pass_: pass_.energy)
    return GridNetwork(
        minima=tuple(GridMinimum(index=plateau[0], plateau=plateau, energy=energies[plateau[0]]) for plateau in order),
        passes=tuple(renumbered),
        merges=merge_tree(len(order), ((*pass_.between, pass_.energy) for pass_ in renumbered)),
    )


def _renumbered(pass_: GridPass, number_of: Mapping[int, int]) -> GridPass:
    one, other = (number_of[number] for number in pass_.between)
    if one <= other:
        return pass_.model_copy(update={"between": (one, other)})
    return pass_.model_copy(update={"between": (other, one), "path": pass_.path[::-1]})


def _is_on(grid: Grid, index: Index) -> bool:
    return all(0 <= k < len(axis) for k, axis in zip(index, grid.axes, strict=True))


def _around(index: Index) -> Iterator[Index]:
    for step in itertools.product((-1, 0, 1), repeat=len(index)):
        if any(step):
            yield tuple(k + by for k, by in zip(index, step, strict=True))
