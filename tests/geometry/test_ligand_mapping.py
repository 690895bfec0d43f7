"""Mapping a ligand along its bonds: the cheapest of all isomorphisms, without listing them."""

from itertools import permutations, product

import numpy as np
import pytest

from qcdriver.geometry.ligand_mapping import LigandMapper
from qcdriver.geometry.topology import find_topology
from qcdriver.systems.au13ag12.model import RodModel, build_rod

PPH3 = find_topology(build_rod(RodModel(phosphine="PPh3")))
FIRST, SECOND = tuple(range(33, 67)), tuple(range(67, 101))
"""Two phosphines: P, then three times C6H5 with the carbon bound to P first."""


def phenyls(ligand):
    return [ligand[1 + 11 * k : 12 + 11 * k] for k in range(3)]


def flipped(ring):
    """The phenyl turned over: ipso and para stay, ortho and meta swap, the hydrogens with them."""
    return [ring[i] for i in (0, 5, 4, 3, 2, 1, 10, 9, 8, 7, 6)]


@pytest.mark.parametrize("seed", range(5))
def test_the_mapping_is_the_cheapest_of_the_48_automorphisms_of_pph3(seed):
    cost = np.random.default_rng(seed).uniform(size=(373, 373))
    found, pairs = LigandMapper(PPH3, PPH3, cost).map_anchored(FIRST, SECOND, ((FIRST[0], SECOND[0]),))
    every = []
    for order, flips in product(permutations(range(3)), product((False, True), repeat=3)):
        rings = [phenyls(SECOND)[k] for k in order]
        images = [i for ring, flip in zip(rings, flips, strict=True) for i in (flipped(ring) if flip else ring)]
        every.append(cost[FIRST[0], SECOND[0]] + cost[list(FIRST[1:]), images].sum())
    assert len(every) == 48
    assert found == pytest.approx(min(every))
    assert sum(cost[pair] for pair in pairs) == pytest.approx(found)
    assert {image for _, image in pairs} == set(SECOND), "no atom is taken twice"


def test_a_free_molecule_finds_its_root_itself():
    cost = np.full((373, 373), 1.0)
    cost[list(FIRST), list(SECOND)] = 0.0
    total, pairs = LigandMapper(PPH3, PPH3, cost).map_free(FIRST, SECOND)
    assert total == 0.0
    assert sorted(pairs) == list(zip(FIRST, SECOND, strict=True))
