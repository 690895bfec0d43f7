"""A method without a basis that no engine here has is named for what it is, with what is nearest."""

from __future__ import annotations

import pytest

from qcdriver import engines
from qcdriver.engines import require_method
from qcdriver.engines.known_elsewhere import known_elsewhere
from qcdriver.errors import InputError


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("GFN0-xTB", "a tight-binding method that is not supported; nearest are GFN1-xTB and GFN2-xTB"),
        ("g-xTB", "a tight-binding method"),
        ("IPEA1-xTB", "a tight-binding method"),
        ("DFTB3", "a tight-binding method"),
        ("PM7", "a semiempirical method that is not supported; nearest is GFN1-xTB"),
        ("PM6-D3H4", "a semiempirical method"),
        ("AM1", "a semiempirical method"),
        ("UFF", "a force field that is not supported; nearest is GFN-FF"),
        ("MMFF94s", "a force field"),
        ("MACE-OFF23", "a machine-learned potential"),
        ("ANI-2x", "a machine-learned potential"),
    ],
)
def test_it_is_said_in_prescreen_and_where_an_engine_is_chosen(method, kind):
    with pytest.raises(ValueError, match="auto has no method") as refusal:
        require_method("auto", method)
    assert f"it is {kind}" in str(refusal.value)
    with pytest.raises(InputError, match="no engine has") as refused:
        engines.choose("auto", method)
    assert kind in str(refused.value)


@pytest.mark.parametrize("method", ["PBE", "r2SCAN-3c", "hf"])
def test_what_needs_a_basis_is_sent_to_dft(method):
    with pytest.raises(ValueError, match=r"density functionals and Hartree-Fock need a basis set, as in \[dft\]"):
        require_method("auto", method)


@pytest.mark.parametrize("method", ["GFN1-xTB", "gfn2", "GFN-FF", "gfnff", "GFN1", "GFN1-xTBB", "GNF2-xTB"])
def test_what_there_is_and_what_is_misspelt_is_nothing_else(method):
    assert known_elsewhere(method) is None
