"""Three deposited structures with known answers; they lie beside the checkout, or where QCDRIVER_TEST_CIFS says."""

import os
from pathlib import Path

import numpy as np
import pytest

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import fragments
from qcdriver.geometry.truncate import truncate
from qcdriver.io.cif import read_crystal
from qcdriver.io.xyz import read_xyz

BESIDE = Path(__file__).parents[4] / "shared" / "structures"


def deposited(name: str) -> Path:
    path = Path(os.environ.get("QCDRIVER_TEST_CIFS", BESIDE)) / name
    if not path.exists():
        pytest.skip(f"{name} is not here; set QCDRIVER_TEST_CIFS to the folder that holds it")
    return path


@pytest.fixture(scope="module")
def gold():
    """Au25(SC2H4Ph)18, doi:10.1039/C5SC02134K: half a cluster listed, the central gold on an inversion centre."""
    return read_crystal(deposited("COD_1540567_Au25PET18.cif"))


@pytest.fixture(scope="module")
def tungsten():
    """W6S8(PBu3)6, Inorg. Chem. 40, 2666 (2001): half a cluster listed, butyl groups disordered."""
    return read_crystal(deposited("1004001-disorder.cif"))


def test_the_gold_cluster_and_its_solvent(gold):
    report = gold.to_json()
    assert (report["block"], report["space_group"]) == ("1540567", "P-1")
    assert report["molecules"] == [
        {
            "label": "A",
            "formula": "C144H162Au25S18",
            "natoms": 349,
            "per_cell": 1,
            "independent": True,
            "role": "cluster",
            "charge": 0,
            "multiplicity": 2,
            "mirror_of": None,
            "disorder": [],
        },
        {
            "label": "B",
            "formula": "C7H9",
            "natoms": 16,
            "per_cell": 2,
            "independent": True,
            "role": "solvent",
            "charge": 0,
            "multiplicity": 2,
            "mirror_of": None,
            "disorder": [],
        },
    ]


def test_both_wrong_formulas_of_the_gold_file_are_named(gold):
    text = "\n".join(gold.warnings)
    assert "_chemical_formula_sum C148H170Au25O2S36 (Z = 1) and the atoms as assembled here disagree" in text
    assert "C +10, H +10, O -2, S -18" in text
    assert "_chemical_formula_moiety C144H144Au25S18 and the molecules as assembled here disagree" in text
    assert [(d["tag"], d["stated"], d["assembled"]) for d in gold.to_json()["disagreements"]] == [
        ("_chemical_formula_sum", "C148H170Au25O2S36", "C158H180Au25S18"),
        ("_chemical_formula_moiety", "C144H144Au25S18", "C144H162Au25S18"),
        ("_chemical_formula_moiety", None, "C7H9"),
    ]
    assert "toluene with 1 surplus H" in text


def test_the_gold_cluster_is_centrosymmetric_and_becomes_small(gold):
    cluster = gold.pick("cluster")
    centre = cluster.positions_angstrom[list(cluster.site_labels).index("Au1")]
    image = 2 * centre - cluster.positions_angstrom
    nearest = np.linalg.norm(image[:, None] - cluster.positions_angstrom, axis=2).min(axis=1)
    assert nearest.max() < 1e-6
    small = truncate(cluster.molecule, thiolate="SMe")
    assert small.molecule.formula == "C18H54Au25S18"
    assert fragments(small.molecule) == [tuple(range(115))]


def test_disordered_halves_give_four_whole_tungsten_clusters(tungsten):
    (cluster,) = tungsten.molecules
    assert tungsten.space_group == "C2/c"
    assert (cluster.formula, cluster.natoms, cluster.per_cell) == ("C72H162P6S8W6", 254, 4)
    assert (cluster.role, cluster.charge, cluster.multiplicity) == ("cluster", 0, 1)
    assert not [w for w in tungsten.warnings if "formula" in w]
    assert len(fragments(cluster.molecule)) == 1


def test_the_disorder_of_the_tungsten_file_is_told(tungsten):
    told = [(c.assembly, c.chosen.group, [a.group for a in c.left_out]) for c in tungsten.molecules[0].disorder]
    assert told == [("A", "1", ["2"]), ("B", "1", ["2"]), ("C", "1", ["2"])]
    listed = sum(len(a.sites) for c in tungsten.molecules[0].disorder for a in (c.chosen, *c.left_out))
    assert listed == 122


@pytest.mark.parametrize("choices", [{"A": "2"}, {"B": "2", "C": "2"}, {"A": "2", "B": "2", "C": "2"}])
def test_any_other_choice_of_alternatives_is_as_whole(choices):
    (cluster,) = read_crystal(deposited("1004001-disorder.cif"), choices=choices).molecules
    assert (cluster.formula, cluster.per_cell) == ("C72H162P6S8W6", 4)
    assert len(fragments(cluster.molecule)) == 1
    assert {c.assembly for c in cluster.disorder if c.chosen.group == "2"} == set(choices)


def test_a_coordination_polymer_is_refused_by_name():
    with pytest.raises(InputError, match=r"coordination polymer.*chain along \[1 0 -1\].*Au-Tl bonds") as refusal:
        read_crystal(deposited("4060312.cif"))
    assert refusal.value.exit_code == 2
    assert "\n" not in str(refusal.value)


def test_molecules_are_written_as_xyz_and_read_back(gold, tmp_path):
    paths = gold.write(tmp_path / "out")
    assert [path.name for path in paths] == ["1540567-A-C144H162Au25S18.xyz", "1540567-B-C7H9.xyz"]
    back = read_xyz(paths[0])
    assert (back.formula, back.molecular_multiplicity) == ("C144H162Au25S18", 2)
    assert back.geometry == pytest.approx(gold.molecules[0].molecule.geometry, abs=1e-6)


def test_neighbours_come_with_their_operator(gold):
    contacts = gold.to_json(contacts=True)["contacts"]
    first = contacts[0]
    assert (first["label"], first["neighbour"], first["operator"]) == ("A", "A", "x+1,y,z-1")
    assert first["distance_angstrom"] < 2.4
    assert {(c["label"], c["neighbour"]) for c in contacts} == {("A", "A"), ("A", "B"), ("B", "A")}
