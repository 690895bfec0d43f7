"""Ligands cut down: what stays does not move, caps sit on the cut bonds."""

from collections import Counter

import numpy as np
import pytest

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import fragments
from qcdriver.geometry.truncate import CAP_ANGSTROM, truncate
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM


def molecule(text: str, charge: int = 0) -> Molecule:
    rows = [line.split() for line in text.strip().splitlines()]
    return Molecule(
        symbols=tuple(row[0] for row in rows),
        geometry=np.array([[float(x) for x in row[1:]] for row in rows]) / ANGSTROM,
        molecular_charge=charge,
    )


# Written down by hand, angles and lengths of textbooks. Atom 0 is the metal in each.
GOLD_THIOLATE_AND_ALKYNYL = molecule(
    """
    Au 0 0 0
    S 2.3 0 0
    C 2.9 1.7 0
    C 4.4 1.7 0
    H 2.5 2.2 0.9
    H 2.5 2.2 -0.9
    H 4.8 1.2 0.9
    H 4.8 1.2 -0.9
    H 4.8 2.7 0
    C -2.0 0 0
    C -3.2 0 0
    C -4.66 0 0
    H -5.05 1.02 0
    H -5.05 -0.5 0.9
    H -5.05 -0.5 -0.9
    """,
    charge=-1,
)


@pytest.fixture(scope="module")
def rod() -> Molecule:
    return build_rod(RodModel(phosphine="PPh3"))


def test_triphenylphosphine_becomes_trimethylphosphine_then_phosphine(rod):
    methyl = truncate(rod, phosphine="PMe3")
    assert methyl.molecule.formula == "C30H90Ag12Au13Cl8P10"
    bare = truncate(methyl.molecule, phosphine="PH3")
    assert bare.molecule.formula == "Ag12Au13Cl8H30P10"
    assert bare.molecule.symbols == truncate(rod, phosphine="PH3").molecule.symbols
    assert bare.molecule.geometry == pytest.approx(truncate(rod, phosphine="PH3").molecule.geometry)
    assert (bare.molecule.molecular_charge, bare.molecule.molecular_multiplicity) == (1, 1)


@pytest.mark.parametrize("model", ["PMe3", "PH3"])
def test_kept_atoms_are_remembered_and_have_not_moved(rod, model):
    cut = truncate(rod, phosphine=model)
    kept = [k for k in cut.kept if k is not None]
    assert len(cut.kept) == len(cut.molecule.symbols)
    assert Counter(rod.symbols[k] for k in kept) == Counter(Au=13, Ag=12, Cl=8, P=10)
    assert np.array_equal(cut.molecule.geometry[: len(kept)], rod.geometry[kept])
    assert cut.molecule.symbols[: len(kept)] == tuple(rod.symbols[k] for k in kept)


def test_caps_sit_on_the_cut_bonds_at_their_length(rod):
    cut = truncate(rod, phosphine="PH3")
    n_kept = sum(k is not None for k in cut.kept)
    geometry = cut.molecule.geometry * ANGSTROM
    phosphorus = np.flatnonzero(np.array(cut.molecule.symbols) == "P")
    carbon = rod.geometry[np.array(rod.symbols) == "C"] * ANGSTROM
    for hydrogen in geometry[n_kept:]:
        distance = np.linalg.norm(geometry[phosphorus] - hydrogen, axis=1)
        p = geometry[phosphorus[distance.argmin()]]
        assert distance.min() == pytest.approx(CAP_ANGSTROM["P", "H"])
        old = carbon[np.linalg.norm(carbon - hydrogen, axis=1).argmin()]
        assert np.linalg.norm(np.cross(old - p, hydrogen - p)) < 1e-9


def test_a_methyl_cap_is_a_methyl_group(rod):
    cut = truncate(rod, phosphine="PMe3")
    assert len(fragments(cut.molecule)) == 1
    symbols = np.array(cut.molecule.symbols)
    geometry = cut.molecule.geometry * ANGSTROM
    hydrogens = geometry[symbols == "H"]
    for carbon in geometry[symbols == "C"]:
        nearest = np.sort(np.linalg.norm(hydrogens - carbon, axis=1))
        assert nearest[:3] == pytest.approx(1.09)
        assert nearest[3] > 2.0


def test_thiolates_and_alkynyls_are_found_from_the_bond_graph():
    assert truncate(GOLD_THIOLATE_AND_ALKYNYL, thiolate="SMe").molecule.formula == "C4H6AuS"
    assert truncate(GOLD_THIOLATE_AND_ALKYNYL, thiolate="SH").molecule.formula == "C3H4AuS"
    bare = truncate(GOLD_THIOLATE_AND_ALKYNYL, thiolate="SH", alkynyl="C2H")
    assert bare.molecule.formula == "C2H2AuS"
    assert bare.kept == (0, 1, 9, 10, None, None)
    assert bare.molecule.geometry[5] * ANGSTROM == pytest.approx([-4.26, 0, 0])


def test_an_end_that_is_the_cap_already_stays():
    same = truncate(GOLD_THIOLATE_AND_ALKYNYL, alkynyl="C2Me")
    assert same.molecule == GOLD_THIOLATE_AND_ALKYNYL
    assert same.kept == tuple(range(15))


DIPHOSPHINE = """
    Au 0 -0.5 0
    P 2.2 0.6 0
    P -2.2 0.6 0
    C 0.75 2.2 0
    C -0.75 2.2 0
"""


def test_a_bridge_between_two_phosphorus_atoms_is_cut_at_both():
    cut = truncate(molecule(DIPHOSPHINE, charge=1), phosphine="PH3")
    assert cut.molecule.formula == "AuH2P2"
    assert cut.kept == (0, 1, 2, None, None)


def test_a_substituent_that_also_binds_the_metal_is_left():
    text = DIPHOSPHINE.replace("P -2.2 0.6 0", "Au -2.7 1.8 0")
    same = truncate(molecule(text, charge=1), phosphine="PH3")
    assert same.kept == tuple(range(5))


def test_a_kind_of_ligand_that_is_not_there_is_an_error(rod):
    with pytest.raises(InputError, match="no thiolate on a metal"):
        truncate(rod, thiolate="SH")
