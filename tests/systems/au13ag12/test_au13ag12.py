"""The models of the rod: the paper's composition, symmetry and binding modes, and no clash in any of them."""

import numpy as np
import pytest
from ase.data import atomic_numbers, vdw_radii
from ase.data.vdw_alvarez import vdw_radii as alvarez_radii

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import broken, fragments, ligands
from qcdriver.geometry.description import describe
from qcdriver.geometry.likeness import likeness
from qcdriver.systems.au13ag12.measures import measure_rod
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.ligands.placement import Placement, contact_limits
from qcdriver.units import ANGSTROM

PHOSPHINES = ("PH3", "PMe3", "PPh3")


def test_the_full_model_has_the_formula_mass_and_electrons_of_the_paper():
    model = describe(build_rod(RodModel(phosphine="PPh3")))
    assert model.formula == "C180H150Ag12Au13Cl8P10"
    assert model.mass_to_charge == pytest.approx(6761.46, abs=0.01)
    assert (model.molecular_charge, model.molecular_multiplicity, model.natoms) == (1, 1, 373)
    assert model.n_electrons == 13 * 79 + 12 * 47 + 8 * 17 + 10 * 15 + 180 * 6 + 150 - 1


@pytest.mark.parametrize(("twist", "group"), [(0, "D5h"), (17, "D5"), (36, "D5d"), (55, "D5"), (72, "D5h")])
def test_the_metal_core_has_the_point_group_of_its_twist(twist, group):
    pymsym = pytest.importorskip("pymsym")
    rod = build_rod(RodModel(twist_deg=twist))
    metals = rod.numbers > 40
    assert pymsym.get_point_group(rod.numbers[metals].tolist(), (rod.geometry[metals] * ANGSTROM).tolist()) == group


@pytest.mark.parametrize("cutoff", [2.7, 2.9, 3.2])
@pytest.mark.parametrize(("twist", "belt"), [(0, {"d": 5, "q": 1}), (36, {"d": 4, "t": 2}), (72, {"d": 5, "q": 1})])
def test_built_chlorides_bind_as_in_the_crystals_of_both_isomers(twist, belt, cutoff):
    measures = measure_rod(build_rod(RodModel(twist_deg=twist)), cutoff)
    assert measures.belt_modes == belt
    assert measures.terminal_modes == {"terminal": 2}


@pytest.mark.parametrize("phosphine", PHOSPHINES)
@pytest.mark.parametrize("halide", ["Cl", "Br"])
@pytest.mark.parametrize(("twist", "start"), [(0, 0), (0, 1), (13, 2), (36, 0), (36, 3), (60, 4)])
def test_no_ligand_clashes_with_another(phosphine, halide, twist, start):
    rod = build_rod(RodModel(phosphine=phosphine, halide=halide, twist_deg=twist), start=start, seed=7)
    owner = np.full(len(rod.symbols), -1)
    for index, ligand in enumerate(ligands(rod)):
        owner[list(ligand)] = index
    assert owner.max() == 17, "ten phosphines and eight halides"
    foreign = (owner[:, None] != owner) & (owner[:, None] >= 0) & (owner >= 0)
    distance = np.linalg.norm(rod.geometry[:, None] - rod.geometry, axis=2) * ANGSTROM
    hydrogen = np.array(rod.symbols) == "H"
    both = hydrogen[:, None] & hydrogen
    z = [atomic_numbers[symbol] for symbol in rod.symbols]
    radius = np.fmax(vdw_radii[z], np.array(alvarez_radii)[z])
    assert distance[foreign & both].min() >= 1.9
    assert (distance / (radius[:, None] + radius))[foreign & ~both].min() >= 0.75


def test_hydrogens_may_come_to_1_9_angstrom_and_others_to_three_quarters_of_the_van_der_waals_sum():
    limits = contact_limits(("H", "C"), ("H", "Cl"))
    # Alvarez (doi:10.1039/c3dt50599e), table 1: H 1.20, C 1.77, Cl 1.82.
    assert limits == pytest.approx(np.array([[1.9, 0.75 * 3.02], [0.75 * 2.97, 0.75 * 3.59]]))


def test_no_model_has_a_symmetry_that_a_relaxation_could_not_leave():
    rod = build_rod(RodModel())
    hydrogens = rod.geometry[np.array(rod.symbols) == "H"]
    heights = np.sort(abs(hydrogens[:, 2]))
    assert np.diff(heights).min() > 1e-4, "no two hydrogens are images of each other"


@pytest.mark.parametrize("phosphine", ["PMe3", "PPh3"])
def test_starts_are_different_structures_and_all_are_one_whole_molecule(phosphine):
    model = RodModel(phosphine=phosphine, twist_deg=36)
    starts = [build_rod(model, start) for start in range(5)]
    for i, one in enumerate(starts):
        assert len(fragments(one)) == 1
        assert not any(likeness(one, other) for other in starts[:i])


def test_starts_turn_the_phosphines_and_not_only_the_belt():
    def phosphines(start):
        rod = build_rod(RodModel(phosphine="PPh3"), start)
        carbon_or_phosphorus = np.isin(rod.symbols, ["C", "P"])
        return rod.model_copy(
            update={
                "symbols": tuple(np.array(rod.symbols)[carbon_or_phosphorus]),
                "geometry": rod.geometry[carbon_or_phosphorus],
            }
        )

    starts = [phosphines(start) for start in range(5)]
    assert not any(likeness(one, other, 0.2) for i, one in enumerate(starts) for other in starts[:i])


def test_a_start_is_fixed_by_its_number_and_the_seed():
    model = RodModel(phosphine="PPh3", twist_deg=20)
    assert np.array_equal(build_rod(model, 2, seed=5).geometry, build_rod(model, 2, seed=5).geometry)
    assert not np.allclose(build_rod(model, 2, seed=5).geometry, build_rod(model, 2, seed=6).geometry)
    assert np.array_equal(build_rod(model, 0, seed=5).geometry, build_rod(model, 0, seed=6).geometry)


def test_every_atom_sits_where_its_neighbours_expect_it():
    rod = build_rod(RodModel(phosphine="PPh3"))
    measures = measure_rod(rod)
    assert measures.mean_au_p_angstrom == pytest.approx(2.30)
    assert measures.mean_centre_shell_angstrom == pytest.approx((2.80, 2.80))
    assert measures.bend_deg == pytest.approx(0.0, abs=1e-5)


def test_all_starts_list_their_atoms_in_the_same_order():
    model = RodModel(phosphine="PPh3")
    first = build_rod(model)
    assert [broken(first, build_rod(model, start)) for start in range(1, 8)] == 7 * [None]


@pytest.mark.parametrize("twist", [0, 10, 36, 50])
def test_starts_spread_the_belt_over_all_phases_that_differ(twist):
    belts = sorted(measure_rod(build_rod(RodModel(twist_deg=twist), start)).belt_deg for start in range(8))
    assert np.diff(belts).min() > 0.3
    assert belts[-1] - belts[0] > 4.5


def test_when_nothing_fits_the_error_names_the_model(monkeypatch):
    monkeypatch.setattr(Placement, "ratios", lambda *_: np.array([0.5]))
    with pytest.raises(InputError, match=r"PPh3 and Br on a rod with twist 36 deg"):
        build_rod(RodModel(phosphine="PPh3", halide="Br", twist_deg=36))


def test_a_start_before_the_first_is_refused():
    with pytest.raises(InputError, match="start -1"):
        build_rod(RodModel(), start=-1)
