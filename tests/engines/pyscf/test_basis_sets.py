"""Basis sets and functionals: what exists is found with its size and its ECP, what does not is refused in one line."""

from __future__ import annotations

import pytest

from qcdriver.engines.pyscf.basis_sets import load_basis_set
from qcdriver.engines.pyscf.functionals import check_functional, is_pure
from qcdriver.errors import InputError


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("def2-SVP", ("Au", "P", "H", "H", "H")),
        ("def2-TZVPP", ("Ag", "Cl")),
        ("def2-SVPD", ("Ag", "Br")),
        ("LANL2DZ", ("Au", "P", "H", "Cl")),
        ("cc-pVDZ-PP", ("Au", "Ag")),
        ("6-31G*", ("Cu", "S", "C", "H")),
        ("STO-3G", ("Ag", "P", "C", "H")),
    ],
)
def test_size_and_core_are_those_of_the_molecule_that_pyscf_builds(name, symbols):
    from pyscf import gto

    basis_set = load_basis_set(name, symbols)
    mol = gto.M(
        atom=[(symbol, (3.0 * i, 0, 0)) for i, symbol in enumerate(symbols)],
        basis=name,
        ecp=dict.fromkeys(basis_set.potentials, name),
        spin=None,
        verbose=0,
    )
    assert basis_set.n_functions(symbols) == mol.nao
    assert basis_set.n_core_electrons(symbols) == sum(mol.atom_nelec_core(i) for i in range(mol.natm))


def test_an_ecp_comes_with_its_basis_set_and_with_no_other():
    assert set(load_basis_set("LANL2DZ", ("Au", "P", "Cl", "H")).potentials) == {"Au", "P", "Cl"}
    assert set(load_basis_set("def2-SVP", ("Au", "P", "Cl", "H")).potentials) == {"Au"}
    assert load_basis_set("6-31G*", ("P", "Cl", "H")).potentials == {}


@pytest.mark.parametrize(
    ("name", "symbols", "complaint"),
    [
        ("def2-SVPX", ("H",), "did you mean 'def2-SVP'"),
        ("cc-pVDZ", ("H", "Au"), "has no Au; Au is in def2-SVP"),
        ("def2-SVP", ("U",), "has no U; U is in LANL2DZ"),
        # STO-3G has it with all its electrons, which the next check would refuse.
        ("6-31G*", ("I",), "has no I; I is in def2-SVP, def2-TZVP, def2-TZVPP, LANL2DZ, cc-pVDZ-PP$"),
        ("gth-dzvp", ("H",), "pseudopotential"),
        ("./my.basis", ("H",), "not a file"),
    ],
)
def test_a_basis_set_that_cannot_serve_is_refused_with_one_that_can(name, symbols, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        load_basis_set(name, symbols)
    assert "\n" not in str(caught.value)


def test_a_file_beside_the_input_never_passes_for_a_basis_set(tmp_path, monkeypatch):
    (tmp_path / "def2-svp").write_text("#BASIS SET\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="not a file"):
        load_basis_set("def2-svp", ("H",))


def test_a_valence_basis_without_its_potential_is_refused(monkeypatch):
    monkeypatch.setattr("pyscf.gto.basis.load_ecp", lambda *_: [])
    with pytest.raises(InputError, match="no functions for the core of Au"):
        load_basis_set("LANL2DZ", ("Au", "H"))


@pytest.mark.parametrize(
    ("method", "dispersion"),
    [
        ("pbe", "d3bj"),
        ("r2scan", "d4"),
        ("PBE0", "d4"),
        ("b3lyp", "d3bj"),
        ("wb97x-v", None),
        ("m06-2x", None),
        ("hf", "d4"),
    ],
)
def test_common_functionals_are_known(method, dispersion):
    check_functional(method, dispersion)


@pytest.mark.parametrize(
    ("method", "dispersion", "complaint"),
    [
        ("pbee", None, "did you mean 'pbe'"),
        ("xyzzy", None, "no functional named 'xyzzy'"),
        ("", None, "no functional named ''"),
        ("b97-3c", None, "known, but not supported"),
        ("pbe-d3bj", None, "method = 'pbe' and dispersion = 'd3bj'"),
        ("wb97x-v", "d3bj", "its own dispersion"),
        ("lda,vwn", "d3bj", "no d3bj parameters for 'lda,vwn'"),
        ("m06-l", "d4", "no d4 parameters"),
    ],
)
def test_what_libxc_or_the_dispersion_library_lacks_is_refused(method, dispersion, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        check_functional(method, dispersion)
    assert "\n" not in str(caught.value)


def test_pure_functionals_are_told_from_hybrids():
    assert all(is_pure(name) for name in ("pbe", "r2scan"))
    assert not any(is_pure(name) for name in ("pbe0", "wb97x-v", "wb97x-d3bj"))
