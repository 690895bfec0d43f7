"""Choose one group in each disorder assembly, and record what was chosen.

The choice is made on the asymmetric unit and so holds for all its images. What disorder about a symmetry element still
leaves to choose is done in `occupancy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.cif.assemblies import Groups, find_assemblies, occupancy_of_group, rank_of_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.unit_cell import UnitCell


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
    pairs
        All pairs within bonding reach.
    choices
        Assembly to group, by the names of `find_assemblies`.

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
    assemblies = find_assemblies(cell, pairs)
    _check(wanted, assemblies)
    keep = np.ones(len(sites), dtype=bool)
    made = []
    for name, groups in assemblies.items():
        alternatives = {
            group: Alternative(group, occupancy_of_group(sites, members), tuple(sites.labels[i] for i in members))
            for group, members in groups.items()
        }
        # At equal occupancy the group the authors numbered first.
        best = wanted.get(name) or min(groups, key=lambda g: (-round(alternatives[g].occupancy, 3), rank_of_group(g)))
        for group, members in groups.items():
            keep[members] = group == best
        chosen = alternatives.pop(best)
        made.append(Choice(name, chosen, tuple(alternatives.values())))
    return keep, made


def _check(wanted: dict[str, str], assemblies: dict[str, Groups]) -> None:
    for name, group in wanted.items():
        if name not in assemblies:
            there = ", ".join(assemblies) or "none"
            raise InputError(f"no disorder assembly {name!r} in this structure; it has {there}")
        groups = sorted(assemblies[name], key=rank_of_group)
        if group not in groups:
            raise InputError(f"disorder assembly {name!r} has no group {group!r}; it has {', '.join(groups)}")
