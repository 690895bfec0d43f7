"""Molecules from files: keys of the input stand in one place whatever the source, and win over a file with a word."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qcdriver.errors import InputError
from qcdriver.workflow.input import read_input
from qcdriver.workflow.prescreen.stage import candidates_of

OXYGEN = "2\n{}\nO 0 0 0\nO 0 0 1.21\n"
CRYSTAL = """data_salt
_cell_length_a 9
_cell_length_b 10
_cell_length_c 11
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 O 0.5 0.5 0.5
O2 O 0.5 0.5 0.61
"""


def candidates(folder, text, comment=""):
    (folder / "o2.xyz").write_text(OXYGEN.format(comment))
    (folder / "o2.cif").write_text(CRYSTAL)
    path = folder / "o2.toml"
    path.write_text(f'title = "oxygen"\n[structure]\n{text}\n')
    return candidates_of(read_input(path), folder)


@pytest.mark.parametrize("source", ["xyz", "cif"])
def test_charge_and_multiplicity_stand_in_the_same_places_for_every_source(tmp_path, source):
    pick = 'pick = "O2"' if source == "cif" else ""
    both = candidates(
        tmp_path,
        f"""source = "{source}"
        molecular_charge = 0
        molecular_multiplicity = 3
        [structure.isomers.neutral]
        file = "o2.{source}"
        {pick}
        [structure.isomers.ion]
        file = "o2.{source}"
        molecular_charge = -1
        molecular_multiplicity = 2
        {pick}
        """,
    )
    found = {each.label: (each.origin.molecular_charge, each.origin.molecular_multiplicity) for each in both}
    assert found == {"neutral": (0, 3), "ion": (-1, 2)}


def test_the_input_wins_over_the_file_with_a_word(tmp_path):
    text = 'source = "xyz"\nmolecular_charge = 2\n[structure.isomers.A]\nfile = "o2.xyz"'
    (found,) = candidates(tmp_path, text, comment="charge=0 multiplicity=1")
    assert found.origin.molecular_charge == 2
    assert found.notes == ("molecular_charge = 2 is taken from the input; o2.xyz says charge=0",)


def test_check_and_build_say_charge_multiplicity_and_electrons_of_every_molecule(tmp_path):
    text = 'source = "xyz"\n[structure.isomers.A]\nfile = "o2.xyz"\n[structure.isomers.B]\nfile = "o2.xyz"'
    candidates(tmp_path, f'{text}\n[prescreen]\nengine = "tblite"\npreoptimize = "none"', comment="charge=0 mult=3")
    for verb, line in (
        (("check",), "A, B: O2, 2 atoms, 32.00 u, charge +0, multiplicity 3, 16 electrons"),
        (("build", "-o", tmp_path), f"{tmp_path / 'B.xyz'}: O2, 2 atoms, 32.00 u, charge +0, multiplicity 3"),
    ):
        command = [sys.executable, "-m", "qcdriver.cli", verb[0], tmp_path / "o2.toml", *verb[1:]]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert line in run.stdout


def test_an_isomer_cannot_have_the_label_of_one_that_is_made_from_another(tmp_path):
    text = 'source = "cu14"\n[structure.isomers.E2]\nhydrides = "all"\n[structure.isomers."E2.O_E1_ER_EL"]'
    with pytest.raises(InputError, match=r"2 candidates would be called E2\.O_E1_ER_EL"):
        candidates(tmp_path, text)
