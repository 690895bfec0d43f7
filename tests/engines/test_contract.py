"""What every engine promises, tried on each of them; tolerances in hartree and bohr, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from pydantic import ValidationError
from toy_engine import ToyEngine

from qcdriver import engines
from qcdriver.engines import ENGINES, find
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

SAME_CALL = 1e-8
"""Energy, between the engine and its library called by hand."""
SAME_GRADIENT = 1e-6
"""Gradient, likewise; it is first order in what the SCF leaves unconverged."""
RESTARTED = 1e-7
"""Between an SCF from the last density and one from scratch."""
MOVED = {"xtb": 1e-9, "tblite": 1e-9, "pyscf": 2e-5, "toy": 1e-12}
"""Energy under rotation and translation; DFT's grid turns with neither."""
TURNED = {"xtb": 1e-6, "tblite": 1e-6, "pyscf": 4e-4, "toy": 1e-12}
"""Gradient and dipole, likewise."""
SLOPE = {"xtb": 1e-6, "tblite": 1e-6, "pyscf": 5e-5, "toy": 1e-8}
"""Gradient against finite differences; DFT's leaves out the response of the grid."""

HOOH = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0.0, 1.37, 0.0], [0.0, -1.37, 0.0], [1.6, 1.7, 0.8], [-1.6, -1.7, 0.9]],
)
OH = Molecule(symbols=("O", "H"), geometry=[[0, 0, 0], [0.2, 0.1, 1.83]], molecular_multiplicity=2)
AGCL = Molecule(symbols=("Ag", "Cl"), geometry=[[0.1, 0, 0], [0.3, 0.5, 4.3]])
WATER_CATION = Molecule(
    symbols=("O", "H", "H"),
    geometry=[[0, 0, 0], [1.5, 1.2, 0.1], [-1.5, 1.2, 0.2]],
    molecular_charge=1,
    molecular_multiplicity=2,
)
HYDROXIDE = Molecule(symbols=("O", "H"), geometry=[[1, 2, 3], [1.2, 2.1, 4.83]], molecular_charge=-1)


@dataclass(frozen=True)
class Case:
    engine: str
    model: Model
    molecule: Molecule
    keywords: dict = field(default_factory=dict)

    def level(self, **keywords):
        return find(self.engine).level(self.model, {**self.keywords, **keywords})

    def prepare(self, **keywords):
        lines = []
        level = self.level(**keywords)
        return find(self.engine).prepare(self.molecule, level, Resources(), lines.append)

    def result(self, geometry, driver="energy"):
        return self.prepare().compute(np.asarray(geometry), driver)

    @property
    def is_force_field(self):
        return self.model.method in ("GFN-FF", "morse")


XTB = [
    Case(engine, Model(method=method), molecule)
    for engine, methods in (("xtb", ("GFN1-xTB", "GFN2-xTB", "GFN-FF")), ("tblite", ("GFN1-xTB", "GFN2-xTB")))
    for method in methods
    for molecule in (HOOH, HYDROXIDE, *(() if method == "GFN-FF" else (OH,)))
]
DFT = [
    Case("pyscf", Model(method="pbe", basis="def2-SVP"), HOOH, {"dispersion": "d3bj"}),
    Case("pyscf", Model(method="pbe0", basis="STO-3G"), WATER_CATION, {"density_fit": False}),
    Case("pyscf", Model(method="pbe", basis="LANL2DZ"), AGCL, {"dispersion": "d4", "grid_level": 4}),
    Case("pyscf", Model(method="b3lyp", basis="6-31G*"), HYDROXIDE),
]
TOY = [Case("toy", Model(method="morse"), molecule) for molecule in (HOOH, HYDROXIDE, OH)]
LATER = {"unrestricted", "nonrelativistic", "solvent", "solvent_model"}
"""Keywords left out of a level while they are not asked for, so that keys from before they were there stand."""
WRONG = {  # a model that is right, a keyword and a method that are nearly so
    "xtb": (Model(method="GFN1-xTB"), "acuracy", "GFN1-xTBB"),
    "tblite": (Model(method="GFN1-xTB"), "acuracy", "GFN1-xTBB"),
    "pyscf": (Model(method="pbe", basis="STO-3G"), "max_cycles", "pbee"),
    "toy": (Model(method="morse"), "dept", "mors"),
}


@pytest.fixture(autouse=True)
def _an_engine_from_elsewhere(monkeypatch):
    monkeypatch.setitem(ENGINES, "toy", ToyEngine())


def _title(case):
    return f"{case.engine} {case.model.method} {case.molecule.formula}"


@pytest.fixture(params=[*XTB, *DFT, *TOY], ids=_title)
def case(request, _an_engine_from_elsewhere):
    if lack := find(request.param.engine).missing():
        pytest.skip(lack)
    return request.param


def test_gradient_is_the_slope_of_the_energy(case):
    rng = np.random.default_rng(3)
    direction = rng.normal(size=case.molecule.geometry.shape)
    step = 2e-3
    calculation = case.prepare()
    gradient = calculation.compute(case.molecule.geometry, "gradient").gradient

    def rise(distance):
        forth = calculation.compute(case.molecule.geometry + distance * direction, "energy").energy
        return forth - calculation.compute(case.molecule.geometry - distance * direction, "energy").energy

    slope = (8 * rise(step) - rise(2 * step)) / (12 * step)
    assert (gradient * direction).sum() == pytest.approx(slope, abs=SLOPE[case.engine])


def test_rotating_and_moving_a_molecule_changes_nothing_but_the_directions(case):
    rotation, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    here = case.result(case.molecule.geometry, "gradient")
    moved = case.molecule.moved(case.molecule.geometry @ rotation.T + [3.0, -2.0, 5.0])
    there = Case(case.engine, case.model, moved, case.keywords).result(moved.geometry, "gradient")
    assert there.energy == pytest.approx(here.energy, abs=MOVED[case.engine])
    assert there.gradient == pytest.approx(here.gradient @ rotation.T, abs=TURNED[case.engine])
    if here.dipole is not None:
        assert there.dipole == pytest.approx(here.dipole @ rotation.T, abs=TURNED[case.engine])


def test_input_is_left_untouched_and_output_cannot_be_changed(case):
    geometry = np.array(case.molecule.geometry)
    before = geometry.copy()
    result = case.result(geometry, "gradient")
    assert (geometry == before).all()
    assert not result.gradient.flags.writeable


def test_order_of_evaluations_does_not_matter(case):
    near = case.molecule.geometry + 0.05 * np.random.default_rng(1).normal(size=case.molecule.geometry.shape)
    calculation = case.prepare()
    first = calculation.compute(case.molecule.geometry, "energy").energy
    second = calculation.compute(near, "energy").energy
    again = calculation.compute(case.molecule.geometry, "energy").energy
    assert again == pytest.approx(first, abs=RESTARTED)
    if case.model.method != "GFN-FF":  # its bonds are those of the first geometry
        assert second == pytest.approx(case.result(near).energy, abs=RESTARTED)


def test_nothing_is_printed_and_nothing_is_left_in_the_working_directory(case, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gfnff_topo").write_text("the user's own")
    case.result(case.molecule.geometry, "gradient")
    assert capfd.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["gfnff_topo"]
    assert (tmp_path / "gfnff_topo").read_text() == "the user's own"


def test_orbitals_charges_and_size_belong_together(case):
    result = case.result(case.molecule.geometry)
    size = engines.estimate(case.molecule, case.level(), Resources()).n_basis_functions
    assert result.n_basis_functions == size
    assert result.gradient is None
    if case.is_force_field:
        assert (result.homo, result.gap, result.mulliken_charges, size) == (None, None, None, None)
    else:
        assert result.gap == pytest.approx(result.lumo - result.homo)
        assert result.mulliken_charges.sum() == pytest.approx(case.molecule.molecular_charge, abs=1e-5)


def test_an_scf_that_fails_is_an_error_with_its_history_and_never_a_number(case):
    if case.is_force_field:
        pytest.skip("a force field has no SCF")
    limit = {"max_cycle": 1, "scf_ladder": ["diis"]} if case.engine == "pyscf" else {"max_iterations": 1}
    with pytest.raises(ConvergenceError, match="did not converge") as caught:
        case.prepare(**limit).compute(case.molecule.geometry, "energy")
    assert len(caught.value.history) == {"pyscf": 1, "xtb": 2, "tblite": 3}[case.engine]
    assert {(attempt["converged"], attempt["cycles"]) for attempt in caught.value.history} == {(False, 1)}


def test_a_failed_evaluation_does_not_spoil_the_next(case):
    calculation = case.prepare()
    good = calculation.compute(case.molecule.geometry, "energy").energy
    for impossible, complaint in ((np.nan, "finite"), (1.0, "0.4 A")):
        with pytest.raises(InputError, match=complaint):
            calculation.compute(np.full_like(case.molecule.geometry, impossible), "energy")
    assert calculation.compute(case.molecule.geometry, "energy").energy == pytest.approx(good, abs=RESTARTED)


def test_wrong_parity_never_becomes_a_molecule(case):
    charge, multiplicity = case.molecule.molecular_charge, case.molecule.molecular_multiplicity
    with pytest.raises(ValidationError, match="multiplicity"):
        Molecule.model_validate({**case.molecule.model_dump(), "molecular_multiplicity": multiplicity + 1})
    with pytest.raises(ValidationError, match="multiplicity"):
        Molecule.model_validate({**case.molecule.model_dump(), "molecular_charge": charge + 1})


def _plan(engine, molecule, model, keywords):
    level = find(engine).level(model, keywords)
    return find(engine).prepare(molecule, level, Resources(), lambda _: None)


def _refused(engine, molecule, model, keywords=None):
    with pytest.raises(InputError) as caught:
        _plan(engine, molecule, model, keywords)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("engine", WRONG)
def test_what_cannot_be_computed_is_refused_in_one_line(engine):
    model, near_miss, misspelt = WRONG[engine]
    assert "did you mean" in _refused(engine, HOOH, model, {near_miss: 3})
    assert "did you mean" in _refused(engine, HOOH, Model(method=misspelt))
    assert "0.4 A" in _refused(engine, HOOH.moved(0.1 * HOOH.geometry), model)
    dodecaplet = Molecule.model_validate({**HOOH.model_dump(), "molecular_multiplicity": 13})
    assert "multiplicity 13 is impossible" in _refused(engine, dodecaplet, model)
    with pytest.raises(InputError, match="no engine named 'orca'"):
        find("orca")


@pytest.mark.parametrize("engine", WRONG)
def test_a_level_of_another_version_is_refused(engine):
    level = find(engine).level(WRONG[engine][0]).model_copy(update={"engine_version": "0.0"})
    with pytest.raises(InputError, match=r"0\.0.*not comparable"):
        find(engine).prepare(HOOH, level, Resources(), lambda _: None)


@pytest.mark.parametrize("engine", WRONG)
def test_a_level_names_every_keyword_so_that_equal_levels_are_comparable(engine):
    model = WRONG[engine][0]
    level = find(engine).level(model)
    assert set(find(engine).Keywords.model_fields) - set(level.keywords) <= LATER
    assert find(engine).level(model, level.keywords) == level


@pytest.mark.parametrize("engine", WRONG)
def test_a_device_that_an_engine_has_not_is_refused_and_the_cpu_never_is(engine):
    assert find(engine).choose_device("cpu")[0] == "cpu"
    if "gpu" not in find(engine).devices:
        with pytest.raises(InputError, match=f"{engine} computes on cpu only"):
            find(engine).choose_device("gpu")
        assert find(engine).hardware() == ()
        assert find(engine).choose_device("auto")[0] == "cpu"


@pytest.mark.parametrize("engine", WRONG)
def test_a_title_names_method_and_engine_also_of_a_record_whose_keywords_are_no_longer_known(engine):
    model = WRONG[engine][0]
    level = find(engine).level(model)
    assert engines.title(level) == "/".join(filter(None, (model.method, model.basis))) + f" ({engine})"
    old = level.model_copy(update={"keywords": {"of_an_older_version": 1}})
    assert engines.title(old) == engines.title(level)


@pytest.mark.parametrize("molecule", [HOOH, OH, HYDROXIDE], ids=lambda molecule: molecule.formula)
@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_xtb_gives_the_number_of_the_library_called_by_hand(method, molecule):
    interface = pytest.importorskip("xtb.interface")
    param = getattr(interface.Param, method.replace("-", ""))
    # The library's own gradient is wrong where two atoms share a coordinate; turned like this none do.
    rotation, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))
    molecule = molecule.moved(molecule.geometry @ rotation)
    calculator = interface.Calculator(
        param,
        molecule.numbers,
        molecule.geometry,
        charge=molecule.molecular_charge,
        uhf=molecule.molecular_multiplicity - 1,
    )
    calculator.set_verbosity("muted")
    byhand = calculator.singlepoint()
    result = Case("xtb", Model(method=method), molecule).result(molecule.geometry, "gradient")
    assert result.energy == pytest.approx(byhand.get_energy(), abs=SAME_CALL)
    assert result.gradient == pytest.approx(byhand.get_gradient(), abs=SAME_GRADIENT)


def test_gfn_ff_gives_the_number_of_the_library_called_by_hand():
    # xtb-python 22.1 (libxtb 6.5.1), Calculator(Param.GFNFF, ...).singlepoint(), in a process of its own for its litter
    result = Case("xtb", Model(method="GFN-FF"), HOOH).result(HOOH.geometry)
    assert result.energy == pytest.approx(-0.444601615033255, abs=SAME_CALL)


@pytest.mark.parametrize("molecule", [HOOH, OH, HYDROXIDE], ids=lambda molecule: molecule.formula)
@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_tblite_gives_the_number_of_the_library_called_by_hand(method, molecule):
    interface = pytest.importorskip("tblite.interface")
    calculator = interface.Calculator(
        method,
        molecule.numbers,
        molecule.geometry,
        charge=molecule.molecular_charge,
        uhf=molecule.molecular_multiplicity - 1,
    )
    calculator.set("verbosity", 0)
    byhand = calculator.singlepoint()
    result = Case("tblite", Model(method=method), molecule).result(molecule.geometry, "gradient")
    assert result.energy == pytest.approx(float(byhand["energy"]), abs=SAME_CALL)
    assert result.gradient == pytest.approx(byhand["gradient"], abs=SAME_GRADIENT)


def test_pyscf_gives_the_number_of_a_script_written_by_hand():
    from pyscf import dft, gto

    mol = gto.M(
        atom=list(zip(AGCL.symbols, AGCL.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis="lanl2dz",
        ecp="lanl2dz",
        verbose=0,
    )
    mf = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mf.init_guess, mf.conv_tol, mf.disp = "atom", 1e-10, "d3bj"
    mf.kernel()
    model = Model(method="pbe", basis="LANL2DZ")
    result = Case("pyscf", model, AGCL, {"dispersion": "d3bj", "conv_tol": 1e-10}).result(AGCL.geometry, "gradient")
    assert result.energy == pytest.approx(mf.e_tot, abs=SAME_CALL)
    assert result.gradient == pytest.approx(mf.nuc_grad_method().kernel(), abs=SAME_GRADIENT)
    assert result.gap == pytest.approx(mf.mo_energy[mf.mo_occ == 0].min() - mf.mo_energy[mf.mo_occ > 0].max(), abs=1e-6)
    assert result.mulliken_charges == pytest.approx(mf.mulliken_pop(verbose=0)[1], abs=1e-5)
    assert result.dipole == pytest.approx(mf.dip_moment(unit="AU", verbose=0), abs=1e-4)
