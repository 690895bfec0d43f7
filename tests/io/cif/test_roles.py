"""Roles, charges and what the file's formulas say."""

import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, MadeUp
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal
from qcdriver.io.cif.formula import hill, parse_formula, parse_moieties

AMMONIUM = (
    ["N", "C", "C", "C", "C"],
    np.array([[0, 0, 0], *(1.50 / 3**0.5 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))]),
)
COPPER = (["Cu", "Cu", "Cl", "Cl"], np.array([[0, 0, 0], [2.6, 0, 0], [-2.1, 0, 0], [4.7, 0, 0.0]]))
WATER = (["O", "H"], np.array([[0, 0, 0], [0, 0, 0.9]]))


def crystal(tmp_path, *parts, **tags):
    made = MadeUp((26.0, 17.0, 33.0, 90.0, 90.0, 90.0), ["x,y,z", "-x,-y,z+1/2"])
    made.tags.update({f"_{name}": value for name, value in tags.items()})
    for number, ((symbols, body), occupancy) in enumerate(parts):
        at = [[4, 4, 4], [17, 4, 4], [4, 12, 4]][number]
        made.add(symbols, body + at, occupancy=occupancy)
    return read_crystal(made.write(tmp_path))


def roles(read) -> dict[str, tuple[str, int | None]]:
    return {m.formula: (m.role, m.charge) for m in read.molecules}


def test_the_cluster_makes_the_crystal_neutral(tmp_path):
    read = crystal(tmp_path, (COPPER, "1"), (TETRAFLUOROBORATE, "1"), (CHLOROFORM, "1"))
    assert roles(read) == {"Cl2Cu2": ("cluster", 1), "BF4": ("counter-ion", -1), "CHCl3": ("solvent", 0)}
    assert read.pick("cluster").multiplicity == 2


def test_half_an_ion_counts_half(tmp_path):
    read = crystal(tmp_path, (COPPER, "1"), (TETRAFLUOROBORATE, "0.5"))
    assert roles(read)["Cl2Cu2"] == ("cluster", None)
    assert any("no whole charge of Cl2Cu2" in w for w in read.warnings)
    with pytest.raises(InputError, match="charge does not follow from the crystal"):
        _ = read.pick("cluster").molecule
    written = {path.name: path.read_text() for path in read.write(tmp_path / "out")}
    assert "charge" not in written["made_up-B-Cl2Cu2.xyz"]
    assert "charge=-1" in written["made_up-A-BF4.xyz"]


def test_ions_are_known_by_their_bonds_too(tmp_path):
    """Four carbons on a nitrogen, here even without their hydrogens."""
    read = crystal(tmp_path, (COPPER, "1"), (AMMONIUM, "1"))
    assert roles(read) == {"Cl2Cu2": ("cluster", -1), "C4N": ("counter-ion", 1)}


def test_the_moiety_formula_states_charges_when_ions_are_not_in_the_atom_list(tmp_path):
    tags = {"chemical_formula_moiety": "Cl2 Cu2 2+, 2(B F4 -)"}
    read = crystal(tmp_path, (COPPER, "1"), (TETRAFLUOROBORATE, "1"), **tags)
    assert roles(read)["Cl2Cu2"] == ("cluster", 2)
    assert any("leave +2 in the cell: an ion is missing" in w for w in read.warnings)


def test_missing_hydrogens_of_a_solvent_are_named(tmp_path):
    read = crystal(tmp_path, (COPPER, "1"), (WATER, "1"))
    assert "HO looks like water with 1 missing H" in read.warnings


def test_missing_hydrogens_of_the_cluster_show_in_the_formula(tmp_path):
    tags = {"chemical_formula_sum": "H3 Cl2 Cu2", "cell_formula_units_Z": "2"}
    read = crystal(tmp_path, (COPPER, "1"), **tags)
    assert "3 H of each formula unit are missing from the atom list" in read.warnings[0]


def test_a_wrong_number_of_formula_units_is_named(tmp_path):
    tags = {"chemical_formula_sum": "Cl2 Cu2", "cell_formula_units_Z": "4"}
    assert "fits the atoms with Z = 2 instead" in crystal(tmp_path, (COPPER, "1"), **tags).warnings[0]


def test_a_right_formula_with_partly_occupied_solvent_gives_no_warning(tmp_path):
    tags = {"chemical_formula_sum": "C0.5 H0.5 Cl3.5 Cu2", "cell_formula_units_Z": "2"}
    assert crystal(tmp_path, (COPPER, "1"), (CHLOROFORM, "0.5"), **tags).warnings == ()


def test_masked_electrons_are_warned_of(tmp_path):
    read = crystal(tmp_path, (COPPER, "1"), platon_squeeze_void_nr="1")
    assert any("masked diffuse electrons" in w for w in read.warnings)


def test_pick_takes_label_formula_or_role_and_says_what_there_is(tmp_path):
    read = crystal(tmp_path, (COPPER, "1"), (COPPER, "1"), (CHLOROFORM, "1"))
    assert read.pick("B").label == "B"
    assert read.pick("Cl3CH").formula == "CHCl3"
    assert read.pick("solvent").formula == "CHCl3"
    for which in ("cluster", "Cu2Cl2"):
        with pytest.raises(InputError, match=r"fits 2 molecules.*B \(Cl2Cu2, cluster\), C"):
            read.pick(which)
    with pytest.raises(InputError, match="fits no molecule; there are A"):
        read.pick("counter-ion")


def test_an_independent_mirror_image_is_marked(tmp_path):
    """Two molecules of opposite hand that no operator relates."""
    symbols = ["C", "F", "Cl", "Br", "N"]
    body = np.array([[0, 0, 0], [0.8, 0.8, 0.8], [1, -1, -1], [-1.1, 1.1, -1.1], [-0.85, -0.85, 0.85]])
    read = crystal(tmp_path, ((symbols, body), "1"), ((symbols, body * [1, 1, -1]), "1"), ((symbols, body), "1"))
    assert [m.mirror_of for m in read.molecules] == [None, "A", None]


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("C148 H170 Au25 O2 S36", "C148H170Au25O2S36"),
        ("W6 S8 (PC12H27)6", "C72H162P6S8W6"),
        ("C0.5 H1.25", "C0.5H1.25"),
        ("[Cu2(OH)3]2 D2 O", "Cu4H8O7"),
    ],
)
def test_formulas_are_read(text, formula):
    assert hill(parse_formula(text)) == formula


@pytest.mark.parametrize(
    "text", ["?", "Au25(PET)18", "C6 H6 n", "(C6", "C6)", "", "2", "0.230 C", ". C", "C²", "C" + "9" * 5000]
)
def test_what_is_no_formula_is_not_guessed(text):
    assert parse_formula(text) is None


@given(st.text(alphabet="CHNPbAuD0123456789.,+-()[]{}x* ²'", max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_in_a_formula_tag_is_read_or_not_but_never_breaks(text):
    parse_formula(text)
    for moiety in parse_moieties(text) or []:
        assert all(n > 0 for n in moiety.composition.values())
        hill(moiety.composition)


def test_moieties_are_read_with_counts_and_charges():
    found = parse_moieties("C180 H150 Ag12 Au13 Cl8 P10 1+, F6 Sb 1-, 2(C H2 Cl2), 0.5(C7 H8), Cl -, 3(B F4 -)")
    assert [(hill(m.composition), m.count, m.charge) for m in found] == [
        ("C180H150Ag12Au13Cl8P10", 1, 1),
        ("F6Sb", 1, -1),
        ("CH2Cl2", 2, None),
        ("C7H8", 0.5, None),
        ("Cl", 1, -1),
        ("BF4", 3, -1),
    ]
