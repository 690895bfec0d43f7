"""A method that exists elsewhere is called so, with what is nearest here; a name is no other functional's."""

from __future__ import annotations

import pytest

from qcdriver import engines
from qcdriver.engines import find
from qcdriver.engines.pyscf.known_methods import refuse_unsupported
from qcdriver.errors import InputError
from qcdriver.models.level import Model
from qcdriver.models.molecule import Molecule

WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0]])


def _checked(method, basis="def2-SVP", **keywords):
    level = find("pyscf").level(Model(method=method, basis=basis), keywords)
    engines.check(WATER, level)
    return level


@pytest.mark.parametrize(
    ("method", "nearest"),
    [
        ("r2SCAN-3c", 'method = "r2scan", basis = "def2-TZVP", keywords = { dispersion = "d4" }'),
        ("B97-3c", 'method = "b97-d"'),
        ("wB97X-3c", 'method = "wb97x-d3bj"'),  # PySCF takes the name in any basis set, vDZP or not
        ("ωB97X-D", "'wb97x-d3bj'"),
        ("wB97X-D4", "'wb97x-d3bj'"),
        ("MP2", "'wb97m-v'"),
        ("DLPNO-CCSD(T)", "'wb97m-v'"),
        ("CCSD(T)-F12", "'wb97m-v'"),
        ("B2PLYP", "hybrid functional: 'pbe0'"),
        ("revDSD-PBEP86-D4", "hybrid functional: 'pbe0'"),
        ("PM7", "a semiempirical method that is not supported; nearest is GFN1-xTB"),
        ("GFN0-xTB", "a tight-binding method that is not supported; nearest are GFN1-xTB and GFN2-xTB, which"),
        ("UFF", "a force field that is not supported; nearest is GFN-FF, which [prescreen] computes"),
        ("GFN2-xTB", "methods of [prescreen]"),
        ("UHF", "method = 'hf'"),
        ("B97-D", 'dispersion = "d3bj"'),  # libxc's is without
        ("LDA", "exchange without correlation"),  # PySCF's is Slater's exchange
        ("B88", "exchange without correlation"),
    ],
)
def test_a_method_that_is_known_elsewhere_is_refused_with_what_is_nearest(method, nearest):
    with pytest.raises(InputError) as refusal:
        _checked(method)
    assert nearest in str(refusal.value)
    assert "did you mean" not in str(refusal.value)


def test_what_is_named_as_nearest_is_there():
    for method, basis, dispersion in (
        ("r2scan", "def2-TZVP", "d4"),
        ("b97-d", "def2-TZVP", "d3bj"),
        ("pbe0", "def2-SVP", "d3bj"),
        ("hse06", "def2-SVP", "d3bj"),
        ("b3lyp", "def2-SVP", "d3bj"),
        ("hf", "def2-SVP", "d3bj"),
        ("pbe0", "def2-SVP", "d4"),
        ("wb97x-d3bj", "def2-TZVP", None),
        ("wb97x-v", "def2-SVP", None),
        ("wb97m-v", "def2-SVP", None),
        ("LDA,vwn", "def2-SVP", None),
        ("LDA,", "def2-SVP", None),
    ):
        _checked(method, basis, dispersion=dispersion)


def test_no_functional_of_libxc_is_taken_for_another_method():
    from pyscf.dft import libxc

    known = {name for name in (*libxc.XC_ALIAS, *libxc.XC_CODES) if isinstance(name, str)}
    refused = set()
    for name in known:
        try:
            refuse_unsupported(name, "d3bj")
        except InputError:
            refused.add(name)
    assert refused == set()


def test_case_and_hyphens_of_words_do_not_matter():
    level = _checked("PBE", "DEF2SVP", dispersion="D3(BJ)", init_guess="ATOM", scf_ladder=["DIIS", "Damping"])
    assert level.keywords == _checked("pbe", dispersion="d3bj", scf_ladder=["diis", "damping"]).keywords
    assert _checked("pbe", solvent="CH2Cl2", solvent_model="CPCM").keywords["solvent_model"] == "cpcm"
    with pytest.raises(InputError, match="'d3bj' or 'd4'"):
        _checked("pbe", dispersion="D3")  # with which damping is not said
