"""What the comment line of an XYZ file says about charge, spin and a lattice is understood, or named as not."""

from __future__ import annotations

import pytest

from qcdriver.errors import InputError
from qcdriver.io.xyz_frames import read_frame

DIOXYGEN = "O 0 0 0\nO 0 0 1.21\n"


def frame(tmp_path, comment, atoms=DIOXYGEN, name="o2.xyz"):
    path = tmp_path / name
    path.write_text(f"{len(atoms.splitlines())}\n{comment}\n{atoms}")
    return read_frame(path)


@pytest.mark.parametrize(
    ("comment", "charge", "multiplicity"),
    [
        ("charge=-2", -2, 1),
        ("Charge: -2", -2, 1),
        ("charge : -2, multiplicity : 3", -2, 3),
        ("q=2+", 2, 1),
        ("CHARGE = +2; mult = 3", 2, 3),
        ("total_charge=2.0 spin_multiplicity=3", 2, 3),
        ("molecular_charge=0 molecular_multiplicity=3", 0, 3),
        ("chrg=1 uhf=1", 1, 2),
        ("unpaired_electrons=2", 0, 3),
        ('charge="2" mult="1"', 2, 1),
        ("2S+1=3", 0, 3),
        ("spin=0", 0, 1),
        ("spin=3 charge=1", 1, 4),
        ("spin=3 multiplicity=3", 0, 3),
        ("superoxide, charge -1 and multiplicity 2", -1, 2),
        ("total charge of -2", -2, 1),
        ("triplet oxygen", 0, 3),
        ("a dication", 2, 1),
        ("dianion, charge=-2", -2, 1),
        ('label="charge=-2 triplet" step=3', 0, 1),
        ('Properties=species:S:1:pos:R:3 charge=2 pbc="F F F"', 2, 1),
        ('Lattice="9 0 0 0 9 0 0 0 9" pbc="F F F"', 0, 1),
        ('Lattice="0 0 0 0 0 0 0 0 0"', 0, 1),
        ("0 1", 0, 1),
        ("chrg 1 uhf 1", 1, 2),
        ("xtb o2.xyz --chrg -1 --uhf 1 --gfn 1", -1, 2),
        ("xtb o2.xyz -c -2 -u 2", -2, 3),
        ('{"charge": 1, "multiplicity": 2}', 1, 2),
        ('{"charge":-1,"multiplicity":2,"name":"superoxide, charge=-2"}', -1, 2),
        ("{'name': 'x', 'charge': 2, 'pbc': [False, False, False]}", 2, 1),
        ('{"id": 3, "state": {"charge": 1, "multiplicity": 4}}', 1, 4),
        ('"charge": 2, "multiplicity": 3', 2, 3),
        ("dioxygen (charge=-1, mult=2)", -1, 2),
        ("[charge=-1|uhf=1]", -1, 2),
        ("charge=-1,mult=2", -1, 2),
        ("mol_charge: -1; spin-multiplicity: 2", -1, 2),
        ("unpaired electrons: 2", 0, 3),
        ("with 2 unpaired electrons", 0, 3),
        ("q -1 uhf 3", -1, 4),
        ("S = 3/2, charge 1", 1, 4),
        ("charge state 2+", 2, 1),
        ("the charge of the whole ion is -2", -2, 1),
        ("a 2+ ion", 2, 1),
        ("dianionic, relaxed", -2, 1),
        ("[O2]2- in a cage", -2, 1),
        ("[O2]2- with charge=2", 2, 1),
        # Plain comments are no data.
        ("E = -76.4", 0, 1),
        ("step=3", 0, 1),
        ("i = 5, time = 2.5, E = -17.16", 0, 1),
        ("Hirshfeld charges: in table 3", 0, 1),
        ("charge transfer complex at 12:30:05 from http://x.y/z?q", 0, 1),
        ("S = 54.2 cal/mol/K", 0, 1),
        ('{"energy": -1.5, "charges": [0.5, -0.5], "q": 0}', 0, 1),
        ("max_charge=0.41 multipole=0.0", 0, 1),
        ("charge transfer complex 3 of 7, spin density plotted", 0, 1),
        ("frame [12] - from the cell on page 3, box 2", 0, 1),
        ("from [Au13Ag12(PPh3)10Cl8], -3.2 kcal/mol", 0, 1),
        ("Q2 conformer, mult-step -c 4.5", 0, 1),
        ("= charge", 0, 1),
        ('energy=-1 "', 0, 1),
        ("\t", 0, 1),
    ],
)
def test_charge_and_multiplicity_in_every_spelling(tmp_path, comment, charge, multiplicity):
    molecule, _ = frame(tmp_path, comment).molecule()
    assert (molecule.molecular_charge, molecule.molecular_multiplicity) == (charge, multiplicity)


@pytest.mark.parametrize(
    ("comment", "column", "words"),
    [
        ("charge=x", 1, ["'charge=x' is no whole number", "write charge="]),
        ("q=0.5", 1, ["'q=0.5' is no whole number"]),
        ("Charge: one", 1, ["'Charge: one'"]),
        ("charge=1 multiplicity=2 total_charge=2", 25, ["'total_charge=2' contradicts 'charge=1'"]),
        ("singlet or triplet", 12, ["'triplet' contradicts 'singlet'"]),
        ("spin=1", 1, ["'spin=1' may be S, 2S or 2S + 1; multiplicity 1 or 3", "write multiplicity="]),
        ("spin=0.5", 1, ["may be S, 2S or 2S + 1"]),
        ("uhf=-1", 1, ["'uhf=-1'"]),
        ("2 3", 1, ["'2 3' is no whole number; write charge="]),
        ('energy=-3 Lattice="9 0 0 0 9 0 0 0 9"', 11, ["a periodic structure", 'write pbc="F F F"']),
        ('pbc="F F T"', 1, ["a periodic structure"]),
        ("pbc=[True, True, True]", 1, ["a periodic structure"]),
        ("cell: 10 10 10 90 90 90", 1, ["a periodic structure"]),
        ("lattice 10 10 10", 1, ["a periodic structure"]),
        ("O2, pbc T T T", 5, ["a periodic structure"]),
        ("unit cell [10.5, 10.5, 10.5]", 1, ["a periodic structure"]),
        ('{"cell": [[9, 0, 0], [0, 9, 0], [0, 0, 9]]}', 2, ["a periodic structure"]),
        ('{"charge": null}', 2, ["no whole number", "write charge="]),
        ('{"charge": 1.5}', 2, ["no whole number", "write charge="]),
        ("chrg 1 charge=2", 1, ["'chrg 1' contradicts 'charge=2'"]),
        ("ligand_charge=-2", 1, ["'ligand_charge=-2'", "write charge="]),
        ("S=1", 1, ["'S=1'", "write multiplicity="]),
        ("a doubly charged ion", 3, ["'doubly charged'", "write charge="]),
        ("biradical", 1, ["'biradical'", "write multiplicity="]),
        ("-2, 1", 1, ["'-2, 1'", "write charge="]),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(tmp_path, comment, column, words):
    with pytest.raises(InputError) as caught:
        frame(tmp_path, comment).molecule()
    assert f"o2.xyz, line 2, column {column}: " in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_an_explicit_number_wins_with_a_word(tmp_path):
    molecule, notes = frame(tmp_path, "charge=0 spin=1").molecule(charge=-1, multiplicity=2)
    assert (molecule.molecular_charge, molecule.molecular_multiplicity) == (-1, 2)
    assert notes == ("molecular_charge = -1 is taken from the input; o2.xyz says charge=0",)
    molecule, notes = frame(tmp_path, "charge=half multiplicity=3").molecule(charge=0, multiplicity=1)
    assert notes == (
        "molecular_charge = 0 is taken from the input; o2.xyz says charge=half",
        "molecular_multiplicity = 1 is taken from the input; o2.xyz says multiplicity=3",
    )


def test_a_charge_that_nobody_states_is_zero_with_a_word(tmp_path):
    assert frame(tmp_path, "charge=0 multiplicity=1").molecule()[1] == ()
    assert frame(tmp_path, "charge=0").molecule()[1] == ("multiplicity 1 taken: neither o2.xyz nor the input says",)
    assert frame(tmp_path, "").molecule(multiplicity=3)[1] == ("charge 0 taken: neither o2.xyz nor the input says",)


def test_columns_of_charges_and_moments_are_not_dropped(tmp_path):
    properties = "Properties=species:S:1:pos:R:3:initial_charges:R:1:magmoms:R:1"
    atoms = "O 0 0 0 {0} {1}\nO 0 0 1.21 {0} {1}\n"
    with pytest.raises(InputError, match=r"column initial_charges sums to \+2\.00.*write charge=2"):
        frame(tmp_path, properties, atoms.format(1.0, 0.0)).molecule()
    with pytest.raises(InputError, match=r"column magmoms sums to \+2\.00.*write multiplicity=3"):
        frame(tmp_path, properties, atoms.format(0.0, 1.0)).molecule()
    molecule, _ = frame(tmp_path, f"{properties} charge=2 mult=3", atoms.format(1.0, 1.0)).molecule()
    assert (molecule.molecular_charge, molecule.molecular_multiplicity) == (2, 3)
    assert frame(tmp_path, properties, atoms.format(0.01, 0.0)).molecule()[0].molecular_charge == 0


def test_columns_are_found_where_properties_says(tmp_path):
    found = frame(tmp_path, "Properties=id:I:1:pos:R:3:Z:I:1", "1 0 0 0 8\n2 0 0 1.21D+00 8\n")
    assert found.symbols == ("O", "O")
    assert found.positions_angstrom.tolist() == [[0, 0, 0], [0, 0, 1.21]]


def test_an_at_sign_or_any_other_sign_in_a_name_means_nothing(tmp_path):
    """ASE reads name@index, so o2.xyz would be read in place of o2.xyz@0."""
    frame(tmp_path, "", DIOXYGEN.replace("1.21", "1.60"))
    for name in ("o2.xyz@0", "o2@1.xyz", "o2%d*?.xyz", "-", "o2.xyz.gz", "http:o2"):
        found = frame(tmp_path, "", name=name)
        assert found.positions_angstrom[1, 2] == 1.21
