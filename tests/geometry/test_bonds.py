"""Bond graphs: what is connected, and what a relaxation broke."""

import tracemalloc

import numpy as np
import pytest
from ase.build import molecule as g2_molecule

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, broken, fragments, is_metal, ligands, opened
from qcdriver.models.molecule import Molecule
from qcdriver.models.verdicts import Code, Note, Verdict
from qcdriver.report.sentences import sentence
from qcdriver.systems.au13ag12.measures import find_rod
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM


def in_words(change):
    """Say which bonds changed, as a person reads it."""
    verdict = Verdict(label="", key="", kept=True, code=Code.KEPT, notes=(Note(code=Code.OPENED, facts=change),))
    return sentence(verdict)


def from_ase(atoms):
    return Molecule(symbols=tuple(atoms.get_chemical_symbols()), geometry=atoms.positions / ANGSTROM)


def displaced(molecule, atoms, angstrom, scale=1.0):
    geometry = molecule.geometry * scale
    geometry[list(atoms)] += np.array(angstrom) / ANGSTROM
    return molecule.moved(geometry)


@pytest.mark.parametrize(
    ("name", "bonds"), [("H2O2", 3), ("C6H6", 12), ("CH3CH2OH", 8), ("C4H4S", 9), ("PH3", 3), ("SiH4", 4), ("F2", 1)]
)
def test_ordinary_molecules_have_their_lewis_bonds(name, bonds):
    molecule = from_ase(g2_molecule(name))
    assert bond_matrix(molecule).nnz == 2 * bonds
    assert fragments(molecule) == [tuple(range(len(molecule.symbols)))]


def test_two_molecules_are_two_fragments():
    water = g2_molecule("H2O")
    far = water.copy()
    far.translate([0, 0, 4.0])
    assert fragments(from_ase(water + far)) == [(0, 1, 2), (3, 4, 5)]


def test_the_rod_has_every_bond_it_should():
    rod = build_rod(RodModel(phosphine="PPh3", twist_deg=36))
    graph = bond_matrix(rod).toarray()
    assert not (graph != graph.T).any()
    metal = np.array([is_metal(symbol) for symbol in rod.symbols])
    assert (graph[1][metal].sum(), graph[2][metal].sum()) == (12, 12), "each centre has its icosahedron"
    assert (graph[23][metal].sum(), graph[24][metal].sum()) == (6, 6), "each apex its centre and one ring"
    assert graph[33:][:, metal].sum() == 10, "one Au-P bond a phosphine, nothing else of it on a metal"
    assert [len(ligand) for ligand in ligands(rod)] == 8 * [1] + 10 * [34]


def test_nothing_is_broken_by_stretching_as_xtb_does_or_by_a_wandering_belt():
    rod = build_rod(RodModel(phosphine="PMe3"))
    assert broken(rod, rod) is None
    assert broken(rod, displaced(rod, [], [0, 0, 0], scale=1.04)) is None
    assert broken(rod, build_rod(RodModel(phosphine="PMe3", belt_deg=6))) is None
    assert broken(rod, build_rod(RodModel(phosphine="PMe3", twist_deg=36))) is None


def test_a_phosphine_that_left_is_noticed():
    rod = build_rod(RodModel(phosphine="PMe3"))
    gone = displaced(rod, ligands(rod)[8], [5.0, 5.0, 0.0])
    assert in_words(broken(rod, gone)) == "P33 lost its bond to Au3"


def test_a_halide_that_left_is_noticed():
    rod = build_rod(RodModel())
    assert in_words(broken(rod, displaced(rod, [25], [3.0, 0.0, 0.0]))) == "Cl25 lost its bond to any metal"


def test_a_torn_or_opened_ligand_is_noticed():
    rod = build_rod(RodModel(phosphine="PH3"))
    outward = rod.geometry[34] - rod.geometry[33]
    assert "bond broken in ligands, first P33-H34" in in_words(broken(rod, displaced(rod, [34], outward)))
    onto = (rod.geometry[35] - rod.geometry[34]) * ANGSTROM
    assert "formed in ligands, first H34-H35" in in_words(broken(rod, displaced(rod, [34], 0.6 * onto)))


def test_a_vertex_that_left_the_icosahedron_is_noticed():
    rod = build_rod(RodModel())
    popped = displaced(rod, [23, 31], [0.0, 0.0, -2.5])
    assert in_words(broken(rod, popped)) == "Ag23 lost 6 of its 6 metal bonds"


def test_one_open_edge_is_told_and_breaks_nothing():
    """GFN1-xTB opens an edge of each gold ring of the rod with PH3 to 3.9 Angstrom; no atom leaves its place."""
    rod = build_rod(RodModel())
    first, second = find_rod(rod).gold_rings[0][:2]
    apart = rod.geometry[first] - rod.geometry[second]
    moved = rod.geometry.copy()
    moved[first] += 0.2 * apart
    moved[second] -= 0.2 * apart
    opened_up = rod.moved(moved)
    bond = f"Au{min(first, second)}-Au{max(first, second)}"
    assert in_words(opened(rod, opened_up)) == f"1 metal bond opened, first {bond}"
    assert broken(rod, opened_up) is None
    assert opened(rod, rod) is None


def test_a_metal_that_moved_to_a_new_place_is_noticed():
    rod = build_rod(RodModel())
    rng = np.random.default_rng(1)
    shuffled = rod.geometry.copy()
    shuffled[[0, 1, *range(3, 8)]] = rod.geometry[[1, 0, *rng.permutation(range(3, 8))]]
    assert broken(rod, rod.moved(shuffled)) is not None


def test_hydrogen_peroxide_breaks_at_the_right_bond():
    hooh = from_ase(g2_molecule("H2O2"))
    assert broken(hooh, hooh) is None
    order = np.argsort([s != "O" for s in hooh.symbols], kind="stable")
    first, second = order[:2]
    apart = displaced(hooh, [first], 2 * (hooh.geometry[first] - hooh.geometry[second]) * ANGSTROM)
    assert f"O{min(first, second)}-" in in_words(broken(hooh, apart))


def test_only_the_same_atoms_can_be_compared():
    with pytest.raises(InputError, match="same atoms in the same order"):
        broken(build_rod(RodModel()), build_rod(RodModel(halide="Br")))


def test_ten_thousand_atoms_fit_in_memory_that_grows_linearly():
    def peak_bytes(copies):
        water = g2_molecule("H2O")
        grid = np.stack(np.meshgrid(*3 * [np.arange(copies)]), axis=-1).reshape(-1, 3) * 4.0
        xyz = (water.positions + grid[:, None]).reshape(-1, 3) / ANGSTROM
        big = Molecule(symbols=tuple(water.get_chemical_symbols()) * len(grid), geometry=xyz)
        tracemalloc.start()
        assert len(fragments(big)) == len(grid)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(4)
    assert peak_bytes(15) < 16 * peak_bytes(7), "ten times the atoms; a table of all pairs would be a hundred times"


def gold(*places_angstrom, ligand=()):
    symbols = ("Au",) * len(places_angstrom) + tuple(symbol for symbol, _ in ligand)
    places = np.array([*places_angstrom, *(place for _, place in ligand)], dtype=float)
    odd = sum({"Au": 79, "O": 8, "H": 1}[symbol] for symbol in symbols) % 2
    return Molecule(symbols=symbols, geometry=places / ANGSTROM, molecular_multiplicity=1 + odd)


SQUARE = ([0, 0, 0], [2.7, 0, 0], [2.7, 2.7, 0], [0, 2.7, 0])
CHAIN = ([0, 0, 0], [2.7, 0, 0], [2.7, 2.7, 0], [5.4, 2.7, 0])
"""The square, open between its first and its last atom."""
TWO_PIECES = (*SQUARE[:3], [12.0, 0, 0])


def test_a_bare_cluster_may_rearrange_but_not_fly_apart():
    assert broken(gold(*SQUARE), gold(*CHAIN)) is None
    split = broken(gold(*SQUARE), gold(*TWO_PIECES))
    assert in_words(split) == "its metal is in 2 pieces, Au3 in the smallest"
    assert in_words(broken(gold(*SQUARE), gold(*CHAIN), 0.4)) == "Au0 lost 1 of its 2 metal bonds"


def test_a_setting_says_how_much_of_its_metal_bonds_an_atom_may_lose():
    water = (("O", [0, -2.2, 0]), ("H", [0.76, -2.8, 0]), ("H", [-0.76, -2.8, 0]))
    before, after = gold(*SQUARE, ligand=water), gold(*CHAIN, ligand=water)
    assert in_words(broken(before, after)) == "Au0 lost 1 of its 2 metal bonds"
    assert broken(before, after, 1.0) is None
    assert broken(before, after, 0.6) is None


def test_a_hydride_that_bridges_two_metals_holds_them_together():
    before = gold([0, 0, 0], [2.9, 0, 0], ligand=(("H", [1.45, 0.9, 0]),))
    assert broken(before, gold([0, 0, 0], [3.6, 0, 0], ligand=(("H", [1.8, 0.2, 0]),))) is None
