"""Comparison: conformers are told apart by label, hand and bonds, and what is no conformer is refused by name."""

import numpy as np
import pytest
from conformer_models import A, B, C, disguised
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.comparison.compare import compare
from qcdriver.systems.cu14 import Cu14Model, build_cu14
from qcdriver.units import ANGSTROM

seeds = st.integers(0, 2**32 - 1)


def row(comparison, name):
    (found,) = (each for each in comparison.bonds if each.name == name)
    return found


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_three_models_and_a_mirror_image_are_told_apart_in_any_disguise(seed):
    those = [A, disguised(B, seed), disguised(C, seed + 1), disguised(B, seed + 2, mirror=True)]
    found = compare(those, ["A", "B", "C", "D"])
    assert [each.same_as for each in found.conformers] == [None] * 4
    assert [each.mirror_image_of for each in found.conformers] == [None, None, None, "B"]
    assert [each.hand for each in found.conformers] == ["right", "right", "right", "left"]
    assert {(each.on, each.label): each.opposite_hand for each in found.fits} == {
        ("A", "B"): False,
        ("A", "C"): False,
        ("B", "C"): False,
        ("A", "D"): True,
        ("B", "D"): True,
    }
    assert found.symmetry == "C3"
    assert all(each.bond_deviation_angstrom < 1e-9 for each in found.conformers)


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_bond_differences_are_those_that_were_built(seed):
    """A rim Cu lies on the line between two base1 Cu: a shift makes one bond shorter by as much as the other longer."""
    found = compare([A, disguised(B, seed), disguised(C, seed + 1), disguised(B, seed + 2, mirror=True)], list("ABCD"))
    half = 3.65 / 2**0.5  # of the face diagonal of the cube
    both = [row(found, f"base1 - rim ({k})").mean_angstrom for k in (1, 2)]
    shorter, longer = sorted(both, key=lambda means: means[2])
    assert longer == pytest.approx((half, half + 0.05, half + 0.12, half + 0.05), abs=1e-3)
    assert shorter == pytest.approx((half, half - 0.05, half - 0.12, half - 0.05), abs=1e-3)
    assert row(found, "base1 - rim (1)").difference_angstrom == pytest.approx(0.12, abs=1e-3)
    assert row(found, "apex1 - side").difference_angstrom == pytest.approx(0, abs=1e-6)


def test_every_bond_of_the_core_is_in_one_row_and_every_row_is_an_orbit():
    found = compare([A], ["A"])
    copper = {bond for each in found.bonds if each.group.startswith("Cu-Cu") for bond in each.atoms}
    xyz = A.geometry[:14] * ANGSTROM
    distance = np.linalg.norm(xyz[:, None] - xyz, axis=-1)
    expected = {(i, j) for i in range(14) for j in range(i) if distance[i, j] < 1.25 * 2 * 1.32}
    assert {tuple(sorted(bond)) for bond in copper} == {tuple(sorted(bond)) for bond in expected}
    assert all(each.counts[0] in (1, 3) for each in found.bonds)
    assert {each.group for each in found.bonds} == {
        "Cu-Cu in tetrahedron 1",
        "Cu-Cu between tetrahedra",
        "Cu-H",
        "Cu-P",
        "Cu-S",
    }


def test_long_cu_cu_are_marked_and_no_others():
    found = compare([A, C], ["A", "C"])
    for each in found.bonds:
        expected = tuple(each.group.startswith("Cu-Cu") and mean > 2.88 for mean in each.mean_angstrom)
        assert each.long == expected
    assert any(any(each.long) for each in found.bonds), "the apex with the thiolates sticks out"


def test_angles_are_those_of_the_coordinates():
    found = compare([A, disguised(C, 3)], ["A", "C"])
    assert {each.group for each in found.angles} == {
        "Cu-Cu-Cu in tetrahedron 1",
        "Cu-Cu-Cu between tetrahedra",
        "Cu-S-Cu",
    }
    for each in found.angles[::7]:
        for k, molecule in enumerate((A, C)):
            i, vertex, j = (molecule.geometry[atom] for atom in each.atoms[0])
            cosine = (i - vertex) @ (j - vertex) / np.linalg.norm(i - vertex) / np.linalg.norm(j - vertex)
            assert each.mean_deg[k] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-6)


def test_a_broken_axis_is_told_by_how_much():
    bent = A.geometry.copy()
    bent[1] *= 1 + 0.09 / ANGSTROM / np.linalg.norm(bent[1])  # one of three base1 Cu, 0.09 Angstrom outwards
    found = compare([A, A.moved(bent)], ["A", "bent"])
    assert found.symmetry == "C3"
    whole, broken = found.conformers
    assert whole.bond_deviation_angstrom < 1e-9
    assert 0.03 < broken.bond_deviation_angstrom < 0.09
    assert broken.angle_deviation_deg > 0.5


def test_chirality_is_equal_for_both_hands_and_its_signs_are_opposite():
    found = compare([C, disguised(C, 4, mirror=True)], ["C", "image"])
    for one, other in zip(*(each.chirality for each in found.conformers), strict=True):
        assert one.part == other.part
        assert other.chiral_index == pytest.approx(one.chiral_index, rel=1e-6)
        assert {one.hand, other.hand} == {"+", "-"}
    assert found.conformers[0].measured["cu14"].skew_deg == pytest.approx(
        -found.conformers[1].measured["cu14"].skew_deg
    )


def test_the_cube_itself_is_achiral_and_its_s3_is_not():
    index = {each.part: each.chiral_index for each in compare([A], ["A"]).conformers[0].chirality}
    assert index["metal"] < 1e-12
    assert index["tetrahedron 1"] < 1e-12
    assert index["S3"] > 0.01
    assert index["core"] > 0.001


def test_e_and_s_of_the_rod_differ_in_twist_modes_and_the_silver_rings():
    eclipsed, staggered = build_rod(RodModel()), disguised(build_rod(RodModel(twist_deg=36)), 2)
    found = compare([eclipsed, staggered], ["E", "S"])
    assert found.symmetry == "D5"
    assert [each.measured["rod"].belt for each in found.conformers] == ["5d+1q", "4d+2t"]
    assert [each.measured["rod"].twist_deg for each in found.conformers] == pytest.approx([0, 36], abs=1e-6)
    assert all(part.hand is None for each in found.conformers for part in each.chirality if part.part != "all")
    assert found.fits[0].verdict is None
    assert found.fits[0].opposite_hand is None, "neither core has a hand"
    changed = {each.name for each in found.bonds if each.difference_angstrom > 1e-3}
    assert changed == {"Ag5 - Ag5 (2)", "Ag5 - Ag5 (3)"}
    assert row(found, "Ag5 - belt").atoms is None, "the belt does not follow the five-fold axis"
    assert row(found, "Ag5 - belt").counts == (14, 14)


def test_ligands_that_differ_leave_the_core_the_same():
    found = compare([build_rod(RodModel(phosphine="PMe3")), build_rod(RodModel(phosphine="PMe3"), start=1)], ["0", "1"])
    assert found.fits[0].verdict is None


def changed(molecule, symbols=None, geometry=None, charge=1):
    return Molecule(
        symbols=tuple(molecule.symbols if symbols is None else symbols),
        geometry=molecule.geometry if geometry is None else geometry,
        molecular_charge=charge,
    )


def one_hydride_less():
    keep = [i for i in range(62) if i != 20]
    return changed(A, [A.symbols[i] for i in keep], A.geometry[keep], charge=2)


def moved(atoms, along, distance_angstrom):
    xyz = A.geometry.copy()
    xyz[list(atoms)] += distance_angstrom / ANGSTROM * along / np.linalg.norm(along)
    return changed(A, geometry=xyz)


def hydrogen_formed():
    xyz = A.geometry.copy()
    xyz[14] = xyz[15] + [1.4, 0.0, 0.0]
    return changed(A, geometry=xyz)


PHOSPHORUS = A.symbols.index("P")
REFUSED = {
    "a hydride less": (one_hydride_less, r"other is Cu14H36P8S3, A is Cu14H37P8S3 \(1 H fewer\)"),
    "another charge": (lambda: changed(A, charge=-1), "other has charge -1, A has charge 1"),
    "H2 formed": (hydrogen_formed, "other has the ligands 8 H, 1 H2, 8 H3P, 3 HS, A has 10 H, 8 H3P, 3 HS"),
    "a phosphine lost": (
        lambda: moved(range(PHOSPHORUS, PHOSPHORUS + 4), A.geometry[PHOSPHORUS], 1.5),
        f"P{PHOSPHORUS} of other binds no metal",
    ),
    "thiolates elsewhere": (
        lambda: build_cu14(Cu14Model(hydrides="O_E1_E2_EL", thiolate_site="ER")),
        r"bond Cu\d+-S\d+ of (A|other) \(2\.\d\d Angstrom\) is missing in (A|other) \(\d\.\d\d Angstrom\)",
    ),
    "another cluster": (lambda: build_rod(RodModel()), "other is Ag12Au13Cl8H30P10, A is Cu14H37P8S3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_conformer_is_refused_and_the_difference_named(name):
    make, message = REFUSED[name]
    with pytest.raises(InputError, match=message) as caught:
        compare([A, disguised(make(), 1) if "lost" not in name else make()], ["A", "other"])
    assert "\n" not in str(caught.value)


def test_a_molecule_without_a_core_is_refused():
    water = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.8, 0, 0], [0, 1.8, 0]])
    with pytest.raises(InputError, match="W: H2O has 0 metal atoms; a core has at least 4"):
        compare([water], ["W"])


def test_two_of_one_label_are_refused():
    with pytest.raises(InputError, match="two structures are called A"):
        compare([A, B], ["A", "A"])
