"""What PySCF knows of a basis set: a name and elements in; functions, effective core potentials and sizes out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcdriver.engines.checks import choices
from qcdriver.errors import InputError
from qcdriver.models.base import ATOMIC_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMON_BASIS_SETS = ("def2-SVP", "def2-TZVP", "def2-TZVPP", "LANL2DZ", "cc-pVDZ", "cc-pVDZ-PP", "6-31G*", "STO-3G")
"""Proposed, where they have the element, when another basis set has not."""

LAST_LIGHT_ELEMENT = 36
"""Krypton: up to it a basis set with all electrons needs no relativity."""


@dataclass(frozen=True)
class BasisSet:
    """Functions and effective core potentials of each element, in PySCF's internal format.

    Attributes
    ----------
    functions
        For each symbol its shells.
    potentials
        For each symbol that has one, its effective core potential.
    """

    functions: dict[str, Any]
    potentials: dict[str, Any]

    def n_functions(self, symbols: Iterable[str]) -> int:
        """Count the (spherical) basis functions of a molecule."""
        per_element = {
            symbol: sum((2 * shell[0] + 1) * _n_contractions(shell) for shell in shells)
            for symbol, shells in self.functions.items()
        }
        return sum(per_element[symbol] for symbol in symbols)

    def n_core_electrons(self, symbols: Iterable[str]) -> int:
        """Count the electrons that the effective core potentials replace in a molecule."""
        return sum(self.potentials[symbol][0] for symbol in symbols if symbol in self.potentials)


def load_basis_set(name: str, symbols: Iterable[str]) -> BasisSet:
    """Look up a basis set, with the effective core potential of the same name wherever there is one.

    Raises
    ------
    InputError
        The name is unknown, an element is not in it, or its core electrons are in no function and no potential.
    """
    _refuse_file("basis", name)
    if name.lower().startswith("gth"):
        raise InputError(f"basis {name!r} belongs to a pseudopotential; take an all-electron or an ECP basis set")
    elements = sorted(set(symbols))
    functions = {symbol: _functions(name, symbol) for symbol in elements}
    potentials = {symbol: found for symbol in elements if (found := _potential(name, symbol))}
    basis_set = BasisSet(functions, potentials)
    for symbol in elements:
        if not _holds_its_core(basis_set, symbol):
            raise InputError(
                f"basis {name!r} has no functions for the core of {symbol}, and PySCF has no effective core "
                f"potential of that name; {_that_have(symbol)}"
            )
    return basis_set


def load_auxiliary(name: str, symbols: Iterable[str]) -> BasisSet:
    """Look up an auxiliary basis set.

    Raises
    ------
    InputError
        It is unknown, or lacks one of the elements.
    """
    _refuse_file("auxbasis", name)
    functions = {}
    for symbol in sorted(set(symbols)):
        functions[symbol] = _quietly_load(name, symbol)
        if functions[symbol] is None:
            raise InputError(f"auxbasis {name!r} is unknown or has no functions for {symbol}; leave it out")
    return BasisSet(functions, {})


def _refuse_file(keyword: str, name: str) -> None:
    """Refuse what PySCF would read as a file, or as the text of one, where it should be a name."""
    if "/" in name or "\n" in name or Path(name).is_file():
        raise InputError(f"{keyword} {name!r} must be the name of a basis set, not a file")


def _functions(name: str, symbol: str) -> Any:
    shells = _quietly_load(name, symbol)
    if shells is not None:
        return shells
    if _is_known(name):
        raise InputError(f"basis {name!r} has no {symbol}; {_that_have(symbol)}")
    raise InputError(f"basis {name!r} is unknown; {choices(name, COMMON_BASIS_SETS)}")


def _that_have(symbol: str) -> str:
    light = ATOMIC_NUMBER[symbol] <= LAST_LIGHT_ELEMENT
    known = [
        name
        for name in COMMON_BASIS_SETS
        if _quietly_load(name, symbol) is not None and (light or _potential(name, symbol))
    ]
    return f"{symbol} is in {', '.join(known) or 'none of the common ones'}"


def _is_known(name: str) -> bool:
    from pyscf.gto.basis import ALIAS

    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    return plain in ALIAS or any(_quietly_load(name, symbol) is not None for symbol in ("H", "C", "Au"))


def _quietly_load(name: str, symbol: str) -> Any:
    """Load the shells of one element, None where there are none: PySCF warns, and raises errors of five kinds."""
    from pyscf.gto import basis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return basis.load(name, symbol) or None
        except (RuntimeError, KeyError, ValueError, AssertionError, OSError):
            return None


def _potential(name: str, symbol: str) -> Any:
    from pyscf.gto import basis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return basis.load_ecp(name, symbol) or None
        except (RuntimeError, KeyError, ValueError, AssertionError, OSError):
            return None


def _n_contractions(shell: list[Any]) -> int:
    # [angular momentum, (kappa,) [exponent, coefficient, coefficient, ...], ...]
    return len(shell[-1]) - 1


def _holds_its_core(basis_set: BasisSet, symbol: str) -> bool:
    """Whether, for s, p and d, there are as many functions as the neutral atom has occupied shells."""
    if symbol in basis_set.potentials:
        return True
    from pyscf.data.elements import CONFIGURATION

    for momentum, electrons in enumerate(CONFIGURATION[ATOMIC_NUMBER[symbol]][:3]):
        needed = -(-electrons // (2 * (2 * momentum + 1)))
        shells = [shell for shell in basis_set.functions[symbol] if shell[0] == momentum]
        if sum(_n_contractions(shell) for shell in shells) < needed:
            return False
    return True
