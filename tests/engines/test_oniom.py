"""ONIOM: what the sum of three energies must be where another calculation says so; tolerances in hartree and bohr."""

from __future__ import annotations

import numpy as np
import pytest

import qcdriver as qd
from qcdriver import engines
from qcdriver.errors import InputError, ResourceError
from qcdriver.geometry.link_atoms import LinkedModel
from qcdriver.geometry.truncate import find_cut, truncate
from qcdriver.models.level import Resources
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

EXACT = 1e-9
"""Between sums of the same terms."""
SLOPE = 1e-6
"""Gradient against finite differences, of SCCs converged as `TIGHT` says; GFN2's own is off by 3e-6 without."""
TIGHT = {"accuracy": 0.01}
FAR = 1e-6
"""What is left between two neutral molecules 300 bohr apart."""

# GFN1-xTB to 0.1 eV/A, rounded: a phosphine and a thiolate on gold, one arm of each longer than a methyl group.
GOLD = """
Au 0.21 0.05 -0.09
P 0.01 0.04 2.23
C 1.60 0.01 3.18
C -0.87 1.46 3.02
C -0.91 -1.40 2.95
C -0.36 -2.73 2.44
H 2.17 0.91 2.95
H 2.19 -0.85 2.89
H 1.44 -0.03 4.26
H -1.88 1.53 2.62
H -0.35 2.39 2.79
H -0.93 1.36 4.11
H -1.96 -1.31 2.66
H -0.87 -1.38 4.04
H -0.97 -3.56 2.83
H -0.40 -2.77 1.35
H 0.67 -2.88 2.76
S 0.14 0.05 -2.36
C 1.86 0.02 -2.94
C 1.83 0.10 -4.46
H 2.42 0.87 -2.53
H 2.36 -0.90 -2.62
H 2.84 0.08 -4.86
H 1.34 1.02 -4.77
H 1.27 -0.75 -4.86
"""
THIOUREA = """
Au 0 0 -2.3
S 0 0 0
C 1.7 0 0.4
N 2.4 1.15 0.6
N 2.4 -1.15 0.6
H 1.9 2.0 0.5
H 3.4 1.15 0.8
H 1.9 -2.0 0.5
H 3.4 -1.15 0.8
"""
WATER = [[0, 0, 300.0], [1.43, 1.1, 300.0], [-1.43, 1.1, 300.0]]
BARE = {"phosphine": "PH3", "thiolate": "SH"}
METHYL = {"phosphine": "PMe3", "thiolate": "SMe"}
PBE = {"method": "PBE:GFN1-xTB", "basis": "LANL2DZ", "device": "cpu"}
ROUGH = {"max_force_ev_angstrom": 0.2, "energy_change_ev": 0.1}


def molecule(text: str, charge: int = 0) -> Molecule:
    rows = [line.split() for line in text.strip().splitlines()]
    return Molecule(
        symbols=tuple(row[0] for row in rows),
        geometry=np.array([[float(x) for x in row[1:]] for row in rows]) / ANGSTROM,
        molecular_charge=charge,
    )


gold = molecule(GOLD)


def level(method="GFN2-xTB:GFN1-xTB", cut=BARE, **keywords):
    return qd.level(method, cut=cut, **keywords)


def prepared(one, at):
    return engines.of(at).prepare(one, at, Resources(), lambda _: None)


def result(one, at, driver="energy"):
    return prepared(one, at).compute(one.geometry, driver)


def test_the_energy_is_that_of_the_whole_at_the_low_level_corrected_on_the_model():
    found = result(gold, level())
    whole, high, low = found.layers
    assert found.energy == whole.energy + high.energy - low.energy
    assert [layer.sign for layer in found.layers] == [1, 1, -1]
    assert [layer.formula for layer in found.layers] == ["C6H16AuPS", "AuH4PS", "AuH4PS"]
    assert whole.energy == pytest.approx(result(gold, qd.level("GFN1-xTB")).energy, abs=EXACT)


def test_with_nothing_cut_it_is_the_high_level():
    methyls = truncate(gold, **METHYL).molecule
    found = result(methyls, level(cut=METHYL), "gradient")
    high = result(methyls, qd.level("GFN2-xTB"), "gradient")
    assert found.energy == pytest.approx(high.energy, abs=EXACT)
    assert found.gradient == pytest.approx(high.gradient, abs=EXACT)
    assert (found.gap, found.homo) == (high.gap, high.homo)


def test_of_one_level_twice_it_is_that_level_in_its_solvent():
    found = result(gold, level("GFN1-xTB:GFN1-xTB", solvent="ch2cl2"), "gradient")
    low = result(gold, qd.level("GFN1-xTB", solvent="ch2cl2"), "gradient")
    assert found.energy == pytest.approx(low.energy, abs=EXACT)
    assert found.gradient == pytest.approx(low.gradient, abs=EXACT)
    assert found.dipole == pytest.approx(low.dipole, abs=EXACT)


@pytest.mark.parametrize("solvent", [None, "ch2cl2"])
@pytest.mark.parametrize("cut", [BARE, METHYL, {"thiolate": "SMe"}], ids=str)
def test_the_gradient_is_the_slope_of_the_energy_also_for_the_atoms_of_cut_bonds(cut, solvent):
    calculation = prepared(gold, level(cut=cut, solvent=solvent, high=TIGHT, low=TIGHT))
    gradient = calculation.compute(gold.geometry, "gradient").gradient
    direction = np.random.default_rng(3).normal(size=gold.geometry.shape)
    step = 2e-3

    def rise(distance):
        forth = calculation.compute(gold.geometry + distance * direction, "energy").energy
        return forth - calculation.compute(gold.geometry - distance * direction, "energy").energy

    slope = (8 * rise(step) - rise(2 * step)) / (12 * step)
    assert (gradient * direction).sum() == pytest.approx(slope, abs=SLOPE)


def test_the_model_is_the_same_where_a_ligand_has_left_its_metal():
    apart = np.array(gold.geometry)
    apart[0] += [6.0, 0.0, 0.0]
    needs = [engines.estimate(one, level(), Resources()) for one in (gold, gold.moved(apart))]
    assert [each.model_formula for each in needs] == ["AuH4PS", "AuH4PS"]


def test_a_molecule_far_away_adds_its_high_level_energy():
    water = Molecule(symbols=("O", "H", "H"), geometry=WATER)
    both = Molecule(symbols=gold.symbols + water.symbols, geometry=np.concatenate([gold.geometry, water.geometry]))
    apart = result(gold, level()).energy + result(water, qd.level("GFN2-xTB")).energy
    assert result(both, level()).energy == pytest.approx(apart, abs=FAR)


def test_a_level_names_both_engines_with_all_that_fixes_their_numbers():
    made = level(solvent="ch2cl2")
    assert made.engine == "oniom"
    assert made.engine_version == "1: xtb 22.1 + xtb 22.1"
    assert set(made.keywords["high"]) == set(made.keywords["low"]) == set(qd.level("GFN1-xTB").keywords)
    assert level(**made.keywords) == level("gfn2:GFN1", solvent="dcm") == made
    assert level(low_engine="tblite") != made
    assert engines.title(made) == "ONIOM(GFN2-xTB with PH3 and SH : GFN1-xTB, GBSA(dichloromethane)) (xtb, xtb)"


def test_relaxation_goes_downhill_on_the_sum():
    found = qd.relax(gold, level(), max_force_ev_angstrom=0.3, energy_change_ev=0.1)
    assert found.energies[-1] < found.energies[0]
    assert found.result.energy == pytest.approx(result(found.molecule, level()).energy, abs=1e-7)


@pytest.mark.parametrize(
    ("one", "keywords", "complaint"),
    [
        (
            gold,
            {"method": "GFN2-xTB:GFN9-xTB"},
            "the low level: no engine has 'GFN9-xTB' without a basis; it is a tight-binding method",
        ),
        (gold, {"method": "PBEE:GFN1-xTB", "basis": "LANL2DZ"}, "'PBEE'"),
        (gold, {"method": "PBE:GFN1-xTB:GFN2-xTB"}, "is not HIGH:LOW, as in 'PBE:GFN1-xTB'"),
        (gold, {"solvent": "n-octane"}, "no parameters for the solvent 'n-octane'; "),
        (gold, {"high": {"solvent": "water"}}, "keywords high.solvent: the solvent is around the whole molecule"),
        (gold, {"low": {"acuracy": 1.0}}, "the low level: xtb keywords: 'acuracy' is unknown; did you mean 'accuracy'"),
        (gold, {"cut": {}}, "ONIOM needs a cut, for instance cut = "),
        (gold, {"cut": {"alkynyl": "C2H"}}, "no alkynyl, so none can become C2H"),
        (gold, {"cut": {"phosphine": "PF3"}}, "cut.phosphine = 'PF3'"),
        (molecule(THIOUREA, charge=1), {"cut": {"thiolate": "SH"}}, "atoms 1 (S) and 2 (C) cannot be cut"),
    ],
)
def test_what_cannot_be_is_one_line_before_any_computation(one, keywords, complaint):
    with pytest.raises(InputError) as caught:
        engines.check(one, level(**keywords))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_too_large_for_the_memory_is_refused_by_the_plan_of_the_high_level():
    made = level("PBE:GFN1-xTB", basis="LANL2DZ")
    needs = engines.estimate(gold, made, Resources(memory_mb=100))
    assert "basis functions need about" in needs.too_large
    assert needs.lines()[0].startswith("high level: AuH4PS, 7 atoms, of the low level's 25")
    with pytest.raises(ResourceError, match="100 MB are allowed"):
        engines.of(made).prepare(gold, made, Resources(memory_mb=100), lambda _: None)


def test_single_points_of_a_run_at_dft_on_the_model(tmp_path, capsys):
    qd.write_xyz(tmp_path / "gold.xyz", gold)
    settings = qd.Settings(
        title="Gold",
        structure={"source": "xyz", "isomers": {"A": {"file": str(tmp_path / "gold.xyz")}}},
        prescreen={"preoptimize": "none", "cheap": ROUGH, "tight": ROUGH},
        dft={**PBE, "keywords": {"cut": BARE, "solvent": "ch2cl2", "high": {"grid_level": 1}}},
    )
    found = qd.run(settings, tmp_path / "results")
    (point,) = qd.open_results(found.opened.directory).records(stage="dft")
    whole, high, _ = point.result.layers
    assert whole.level == "GFN1-xTB, GBSA(dichloromethane) (xtb)"
    assert (high.level, high.formula) == ("PBE/LANL2DZ (pyscf)", "AuH4PS")
    (conformer,) = (each for each in found.summary.conformers if each.gap_of)
    assert conformer.gap_of == "AuH4PS"
    found.show()
    assert "AuH4PS" in capsys.readouterr().out
    alone = qd.level("PBE", basis="LANL2DZ", grid_level=1)
    model = LinkedModel(point.task.molecule, find_cut(point.task.molecule, **BARE, covalent_bonds_decide=True)).molecule
    assert high.energy == pytest.approx(result(model, alone).energy, abs=1e-7)
