"""Where hydrides may be in Cu14: found in any disguise of the structure, enumerated once, filled in, read off."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14 import (
    Cu14Model,
    build_cu14,
    fill_hydrides,
    find_cu14,
    hydride_binding,
    hydride_sites,
    placements,
)
from qcdriver.units import ANGSTROM

MODELS = {
    hand: build_cu14(Cu14Model(shift_angstrom=0.2, handedness=hand, hydrides="T1a_T2b_E1_ER"))
    for hand in ("right", "left")
}


def without(molecule, atoms):
    kept = [atom for atom in range(len(molecule.symbols)) if atom not in set(atoms)]
    gone = int(molecule.numbers.sum() - molecule.numbers[kept].sum())
    return Molecule(
        symbols=tuple(molecule.symbols[atom] for atom in kept),
        geometry=molecule.geometry[kept],
        molecular_charge=molecule.molecular_charge + gone % 2,
    )


def disguised(molecule, seed, noise=0.0):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(molecule.symbols))
    xyz = molecule.geometry[order] @ Rotation.random(rng=rng).as_matrix() + rng.normal(size=3)
    return order, Molecule(
        symbols=tuple(molecule.symbols[atom] for atom in order),
        geometry=xyz + rng.normal(scale=noise, size=xyz.shape),
        molecular_charge=1,
    )


def same_places(a, b, tolerance=1e-6):
    distance = cdist(a, b)
    return distance[linear_sum_assignment(distance)].max() < tolerance


def frame(thiolate_site):
    """Cu, S and P of the undistorted framework, with every site of a hydride."""
    label = {"E2": "O_E1_ER_EL", "ER": "O_E1_E2_EL"}[thiolate_site]
    model = build_cu14(Cu14Model(thiolate_site=thiolate_site, skew_deg=0, hydrides=label))
    heavy = without(model, [atom for atom, symbol in enumerate(model.symbols) if symbol == "H"])
    return heavy, hydride_sites(heavy, find_cu14(heavy))


def fingerprint(heavy, hydrides):
    """Distances that no rotation or reflection changes: H to H, and each H to each element."""
    parts = [np.sort(cdist(hydrides, hydrides), axis=1)]
    symbols = np.array(heavy.symbols)
    parts += [np.sort(cdist(hydrides, heavy.geometry[symbols == each]), axis=1) for each in ("Cu", "S", "P")]
    rows = np.hstack(parts).round(4)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize(("thiolate_site", "count"), [("E2", 21), ("ER", 16)])
def test_placements_are_all_there_is_and_none_is_another_in_disguise(thiolate_site, count):
    heavy, sites = frame(thiolate_site)
    three = [name for name, places in sites.items() if len(places) == 3 and name != thiolate_site]
    one = [name for name, places in sites.items() if len(places) == 1]
    assert (len(one), len(three)) == (3, 5)
    every = {
        fingerprint(heavy, np.concatenate([sites[name] for name in (axial, *around)])).tobytes()
        for axial in one
        for around in combinations(three, 3)
    }
    listed = placements(thiolate_site)
    found = {fingerprint(heavy, np.concatenate([sites[n] for n in label.split("_")])).tobytes() for label in listed}
    assert len(listed) == len(found) == len(every) == count
    assert found == every


@pytest.mark.parametrize("thiolate_site", ["E2", "ER"])
def test_no_placement_has_two_hydrides_in_one_hole_or_one_on_a_sulfur(thiolate_site):
    heavy, sites = frame(thiolate_site)
    sulfur = heavy.geometry[list(find_cu14(heavy).sulfurs)]
    for label in placements(thiolate_site):
        hydrides = np.concatenate([sites[name] for name in label.split("_")])
        assert len(hydrides) == 10
        assert cdist(hydrides, hydrides)[np.triu_indices(10, 1)].min() * ANGSTROM > 1.5
        assert cdist(hydrides, sulfur).min() * ANGSTROM > 1.9


def test_labels_are_names_a_file_and_a_table_can_carry():
    for label in placements("E2") + placements("ER"):
        assert set(label) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
    assert "O_E1_ER_EL" in placements()


def test_sites_are_where_they_are_named_after():
    heavy, sites = frame("E2")
    copper = heavy.geometry[np.array(heavy.symbols) == "Cu"]
    neighbours = {
        name: {int((np.sort(row)[:6] < 1.86 / ANGSTROM).sum()) for row in cdist(places, copper)}
        for name, places in sites.items()
        if name not in ("T2a", "E2")  # stretched by the corner that protrudes
    }
    assert neighbours["O"] == {6}
    assert {name for name, count in neighbours.items() if count == {4}} == {"T1a", "T1b", "T2b", "E1", "ER", "EL"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["right", "left"]), st.booleans())
def test_atoms_and_sites_are_found_in_any_order_orientation_and_with_noise(seed, hand, stripped):
    model = MODELS[hand]
    if stripped:
        model = without(model, find_cu14(model).hydrides)
    expected = find_cu14(model)
    order, other = disguised(model, seed, noise=0.03 / ANGSTROM)
    found = find_cu14(other)
    assert found.handedness == hand
    for name in ("base1", "base2", "side_centres", "base_centres", "sulfurs", "hydrides", "phosphorus"):
        assert {int(order[atom]) for atom in getattr(found, name)} == set(getattr(expected, name)), name
    assert (order[found.apex1], order[found.apex2]) == (expected.apex1, expected.apex2)
    assert [len(sites) for sites in hydride_sites(other, found).values()] == [1, 1, 1, 3, 3, 3, 3, 3, 3]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["right", "left"]))
def test_a_model_stripped_of_its_hydrides_gets_them_back_in_any_disguise(seed, hand):
    model = MODELS[hand]
    order, other = disguised(model, seed)
    hydrides = [int(np.flatnonzero(order == atom)[0]) for atom in find_cu14(model).hydrides]
    filled = fill_hydrides(without(other, hydrides), "T1a_T2b_E1_ER")
    assert filled.formula == model.formula
    assert (filled.molecular_charge, filled.molecular_multiplicity) == (1, 1)
    assert same_places(filled.geometry[-10:], other.geometry[hydrides])


def test_one_label_gives_mirror_images_in_mirror_images():
    right, left = (fill_hydrides(without(m, find_cu14(m).hydrides), "O_T1b_E1_ER") for m in MODELS.values())
    assert same_places(right.geometry[-10:] * [1, -1, 1], left.geometry[-10:])


@pytest.mark.parametrize("label", placements("E2"))
def test_every_placement_is_read_back_from_its_model(label):
    binding = hydride_binding(build_cu14(Cu14Model(hydrides=label)))
    assert {orbit.site: len(orbit.atoms) for orbit in binding} == {
        name: 1 if name in ("O", "T1a", "T2a") else 3 for name in label.split("_")
    }


def test_a_whole_cluster_is_left_as_it_is():
    assert fill_hydrides(MODELS["right"], "O_E1_ER_EL") is MODELS["right"]


def test_a_wrong_number_of_hydrides_is_named():
    model = MODELS["right"]
    with pytest.raises(InputError, match="9 hydrides on the Cu14 cube; give all 10, or none"):
        fill_hydrides(without(model, find_cu14(model).hydrides[:1]), "O_E1_ER_EL")


@pytest.mark.parametrize("label", ["", "O", "O_E1_ER", "E1_ER_EL_T1b", "O_E1_E1_ER", "O_E1_ER_XX", "O_T1a_E1_ER"])
def test_a_label_that_is_no_placement_is_refused_with_one_that_is(label):
    with pytest.raises(InputError, match="as in T2a_E1_ER_EL"):
        build_cu14(Cu14Model(hydrides=label))


def test_what_is_no_cu14_cube_is_refused_with_what_is_missing():
    model = MODELS["right"]
    cluster = find_cu14(model)
    with pytest.raises(InputError, match="13 Cu; the face-centred cube of Cu14 has 14"):
        find_cu14(without(model, [cluster.apex1]))
    with pytest.raises(InputError, match="2 S bridge Cu atoms; Cu14 has three"):
        find_cu14(without(model, [cluster.sulfurs[0]]))
    flat = model.geometry.copy()
    flat[list(cluster.side_centres)] *= 2.5
    with pytest.raises(InputError, match="no face-centred cube"):
        find_cu14(model.moved(flat))
    moved = model.geometry.copy()
    moved[cluster.sulfurs[0]] = 1.5 * model.geometry[[cluster.apex1, cluster.base2[0]]].mean(axis=0)
    with pytest.raises(InputError, match="no C3 axis relates"):
        find_cu14(model.moved(moved))
