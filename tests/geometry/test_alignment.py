"""Alignment: in whatever order, orientation and hand a conformer is written, its atoms find their places."""

import numpy as np
import pytest
from ase.build import molecule as g2_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.geometry.alignment import align
from qcdriver.geometry.bonds import bond_matrix
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.cu14 import Cu14Model, build_cu14
from qcdriver.units import ANGSTROM

CU14 = build_cu14(Cu14Model(shift_angstrom=0.1, skew_deg=15))
ROD = build_rod(RodModel(phosphine="PPh3", twist_deg=20))
seeds = st.integers(0, 2**32 - 1)


def disguised(molecule, seed, mirror=False, noise=0.0):
    """The same molecule in another atom order, orientation, place, and if wanted hand; and the order used."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(molecule.symbols))
    xyz = molecule.geometry[order] @ Rotation.random(rng=rng).as_matrix().T + rng.normal(size=3)
    xyz = xyz * ([1, 1, -1] if mirror else [1, 1, 1]) + noise * rng.uniform(-1, 1, xyz.shape)
    symbols = tuple(molecule.symbols[i] for i in order)
    return Molecule(symbols=symbols, geometry=xyz, molecular_charge=molecule.molecular_charge), order


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans())
def test_a_disguised_cu14_lies_on_itself_and_on_its_mirror_image_only_after_inversion(seed, mirror):
    other, _ = disguised(CU14, seed, mirror)
    right, wrong = align(CU14, other, improper=mirror), align(CU14, other, improper=not mirror)
    assert right.rmsd_angstrom < 1e-9
    assert right.core_rmsd_angstrom < 1e-9
    assert wrong.core_rmsd_angstrom > 0.1
    assert right.improper == mirror


@settings(max_examples=5, deadline=None)
@given(seeds, st.booleans())
def test_a_disguised_cluster_of_373_atoms_lies_on_itself(seed, mirror):
    other, order = disguised(ROD, seed, mirror, noise=0.01)
    found = align(ROD, other, improper=mirror)
    assert found.largest_angstrom < 0.02
    assert (order[found.order] == np.arange(373)).all(), "this rod has no symmetry but the identity"


@pytest.mark.parametrize("twist_deg", [26, 36, 60])
def test_every_covalent_bond_and_every_au_p_bond_is_a_bond_of_the_other_rotamer(twist_deg):
    other, _ = disguised(build_rod(RodModel(phosphine="PPh3", twist_deg=twist_deg), start=1), 5)
    found = align(ROD, other)
    assert sorted(found.order) == list(range(373))
    symbols = np.array(ROD.symbols)
    assert (symbols == np.array(other.symbols)[found.order]).all()
    here = bond_matrix(ROD).toarray()
    there = bond_matrix(other).toarray()[found.order][:, found.order]
    firm = np.isin(symbols, ["C", "H", "P"])
    assert (here == there)[firm].all()
    assert not found.changed_bonds


def test_a_phenyl_turned_by_half_is_no_change():
    turned = ROD.geometry.copy()
    ring = np.arange(34, 45)  # C6H5 of the first phosphine, the carbon bound to P first
    axis = turned[34] - turned[33]
    half = Rotation.from_rotvec(np.pi * axis / np.linalg.norm(axis))
    turned[ring] = half.apply(turned[ring] - turned[34]) + turned[34]
    assert align(ROD, ROD.moved(turned)).largest_angstrom < 1e-6


def test_a_thiolate_that_leans_on_its_other_neighbour_keeps_its_connectivity():
    leaning = build_cu14(Cu14Model(skew_deg=20))
    found = align(leaning, leaning.moved(leaning.geometry * [1, 1, -1]))
    assert 0.1 < found.core_rmsd_angstrom < 0.5
    assert not found.changed_bonds


def test_thiolates_on_other_edges_are_another_connectivity():
    other = build_cu14(Cu14Model(hydrides="O_E1_E2_EL", thiolate_site="ER"))
    assert align(CU14, other).changed_bonds
    assert align(CU14, other, improper=True).changed_bonds


@pytest.mark.parametrize("name", ["H2O", "CH3CH2OH", "C6H6", "H2"])
def test_molecules_without_metal_are_aligned_too(name):
    atoms = g2_molecule(name)
    this = Molecule(symbols=tuple(atoms.get_chemical_symbols()), geometry=atoms.positions / ANGSTROM)
    assert align(this, disguised(this, 1)[0]).rmsd_angstrom < 1e-6
    assert align(this, disguised(this, 2, mirror=True)[0]).rmsd_angstrom < 1e-6, "none of these has a hand"


def test_isomers_are_refused():
    one, other = (
        Molecule(symbols=tuple(atoms.get_chemical_symbols()), geometry=atoms.positions / ANGSTROM)
        for atoms in map(g2_molecule, ("CH3CH2OH", "CH3OCH3"))
    )
    with pytest.raises(InputError, match="no conformers: their bonds differ"):
        align(one, other)
