"""Operators are the truth; a symbol is used without them and held against them."""

import gemmi
import pytest
from crystal_models import Atom, MadeUp, triplets

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal

MONOCLINIC = (11.0, 12.0, 13.0, 90.0, 97.0, 90.0)
P21C = ["x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"]
P21N = ["x,y,z", "-x+1/2,y+1/2,-z+1/2", "-x,-y,-z", "x+1/2,-y+1/2,z+1/2"]


def crystal(operators, tmp_path, cell=MONOCLINIC, **tags):
    made = MadeUp(cell, operators)
    made.tags.update({f"_{name}": value for name, value in tags.items()})
    made.atoms.append(Atom("Ar", made.lattice[0] * 0 + [0.13, 0.21, 0.32]))
    return read_crystal(made.write(tmp_path))


def test_operators_that_agree_with_the_symbol_give_no_warning(tmp_path):
    for operators, symbol in ((P21C, "P 21/c"), (P21N, "P2(1)/n"), (P21C, "P 1 21/c 1"), (P21C, "P2_1/c")):
        tags = {"symmetry_space_group_name_H-M": symbol, "symmetry_Int_Tables_number": "14"}
        assert crystal(operators, tmp_path, **tags).warnings == ()


def test_operators_win_over_a_symbol_that_says_something_else(tmp_path):
    read = crystal(P21N, tmp_path, **{"space_group_name_H-M_alt": "P 21/c"})
    assert read.space_group == "P21/n"
    assert read.warnings == (
        "the symbol P 21/c contradicts the 4 symmetry operators, which are those of P21/n: the operators were used",
    )


def test_a_number_that_contradicts_is_named(tmp_path):
    (warning,) = crystal(P21C, tmp_path, space_group_IT_number="15").warnings
    assert "the space-group number 15 contradicts" in warning
    read = crystal(P21C, tmp_path, **{"space_group_name_H-M_alt": "P 21/c", "space_group_IT_number": "13"})
    assert "the space-group number 13 contradicts" in read.warnings[0]


def test_the_ambiguous_symbol_of_the_copper_paper_is_no_contradiction(tmp_path):
    operators = triplets(gemmi.find_spacegroup_by_name("P 3 1 c"))
    read = crystal(operators, tmp_path, (14, 14, 17, 90, 90, 120), **{"symmetry_space_group_name_H-M": "P3_1c"})
    assert (read.space_group, read.warnings) == ("P31c", ())


@pytest.mark.parametrize(
    ("cell", "tags", "name", "per_cell"),
    [
        (MONOCLINIC, {"space_group_name_H-M_alt": "C 2/c"}, "C2/c", 8),
        (MONOCLINIC, {"symmetry_space_group_name_Hall": "-P 2yn"}, "P21/n", 4),
        (MONOCLINIC, {"space_group_IT_number": "14"}, "P21/c", 4),
        ((17, 17, 17, 70, 70, 70), {"space_group_name_H-M_alt": "R -3"}, "R-3:R", 6),
        ((19, 19, 9, 90, 90, 120), {"space_group_name_H-M_alt": "R -3"}, "R-3", 18),
        ((20, 21, 22, 90, 90, 90), {"space_group_name_H-M_alt": "F d d d"}, "Fddd:2", 32),
        ((11, 12, 13, 90, 90, 97), {"space_group_name_H-M_alt": "P 21/b"}, "P1121/b", 4),
    ],
)
def test_without_operators_the_symbol_is_used_in_the_setting_that_fits_the_cell(tmp_path, cell, tags, name, per_cell):
    read = crystal([], tmp_path, cell, **tags)
    assert read.space_group == name
    assert read.molecules[0].per_cell == per_cell
    assert "no symmetry operators" in read.warnings[0]


def test_an_unknown_symbol_without_operators_is_refused(tmp_path):
    with pytest.raises(InputError, match="space group 'Q 7' is not known"):
        crystal([], tmp_path, **{"space_group_name_H-M_alt": "Q 7"})


def test_a_shifted_origin_is_no_contradiction(tmp_path):
    """P212121 with the screw axes where the older tables do not have them."""
    operators = ["x,y,z", "-x,-y,z+1/2", "x+1/2,-y+1/2,-z+1/2", "-x+1/2,y+1/2,-z"]
    read = crystal(operators, tmp_path, (9, 10, 11, 90, 90, 90), **{"space_group_name_H-M_alt": "P 21 21 21"})
    assert (read.space_group, read.warnings) == ("P212121", ())


def test_a_centring_that_no_table_has_is_read(tmp_path):
    """P-1 in a cell eight times too large."""
    halves = ["", "+1/2"]
    operators = [f"{s}x{a},{s}y{b},{s}z{c}" for s in ("", "-") for a in halves for b in halves for c in halves]
    read = crystal(operators, tmp_path, (18, 19, 20, 85, 95, 100), **{"space_group_name_H-M_alt": "P -1"})
    assert read.molecules[0].per_cell == 16
    assert read.space_group == "P -1"


def test_operators_written_in_other_ways_are_the_same(tmp_path):
    operators = ["X, Y, Z", "-X, 1/2+Y, 0.5-Z", " -x , -y , -z", "+x,0.5-y,.5+z", "x+1,y,z"]
    read = crystal(operators, tmp_path)
    assert (read.space_group, read.molecules[0].per_cell) == ("P21/c", 4)


@pytest.mark.parametrize(
    ("third", "two_thirds"), [("0.33", "0.67"), ("0.3333", "0.66667"), ("0.333333333", ".6666666667")]
)
def test_decimals_of_any_length_are_fractions(tmp_path, third, two_thirds):
    threes = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"]
    operators = []
    for a, b, c in (("0", "0", "0"), (third, two_thirds, two_thirds), (two_thirds, third, third)):
        operators += [
            ",".join(f"{part}+{s}" for s, part in zip((a, b, c), op.split(","), strict=True)) for op in threes
        ]
    read = crystal(operators, tmp_path, (15, 15, 17, 90, 90, 120), **{"space_group_name_H-M_alt": "R 3"})
    assert (read.space_group, read.molecules[0].per_cell, read.warnings) == ("R3", 9, ())


def test_a_decimal_that_is_no_fraction_of_a_space_group_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"operator '-x,-y,-z\+0.27' cannot be read"):
        crystal(["x,y,z", "-x,-y,-z+0.27"], tmp_path)


def test_a_missing_identity_is_added(tmp_path):
    read = crystal(["-x,-y,-z"], tmp_path)
    assert (read.space_group, read.molecules[0].per_cell) == ("P-1", 2)
    assert "lack x,y,z" in read.warnings[0]


def test_a_cell_that_nearly_fits_is_warned_of(tmp_path):
    read = crystal(P21C, tmp_path, (11.0, 12.0, 13.0, 90.3, 97.0, 90.0))
    assert "only within" in read.warnings[0]
