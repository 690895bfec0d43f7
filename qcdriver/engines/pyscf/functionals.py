"""What PySCF knows of a functional: whether it and its dispersion correction exist, and of which kind it is."""

from __future__ import annotations

import re

from qcdriver.engines.checks import choices
from qcdriver.engines.pyscf.known_methods import refuse_unsupported
from qcdriver.errors import InputError


def check_functional(name: str, dispersion: str | None) -> None:
    """Refuse a functional that libxc does not have, half of one, or a dispersion correction not made for it.

    Raises
    ------
    InputError
    """
    from pyscf.dft import libxc
    from pyscf.scf.dispersion import parse_dft

    refuse_unsupported(name, dispersion)
    try:
        if not name.strip():
            raise KeyError(name)
        exchange_correlation, nlc, built_in = parse_dft(name)
        _, parts = libxc.parse_xc(exchange_correlation)
    except (KeyError, ValueError, NotImplementedError, IndexError, AssertionError):
        known = [key.lower() for key in (*libxc.XC_ALIAS, *libxc.XC_CODES) if isinstance(key, str)]
        hint = choices(name, known) if _near(name, known) else "write it as libxc does: pbe, r2scan, pbe0, b3lyp"
        raise InputError(f"no functional named {name!r}; {hint}") from None
    if "," not in name and _is_exchange_alone({int(number) for number, _ in parts}):
        raise InputError(
            f"{name!r} is exchange without correlation: write '{name},vwn' (or lyp, pbe, p86), or '{name},' if that is "
            "meant"
        )
    if built_in and nlc == "" and "-d" in name.lower():
        raise InputError(f"method {name!r}: write method = {exchange_correlation!r} and dispersion = 'd3bj' or 'd4'")
    if dispersion is None:
        return
    if built_in or libxc.is_nlc(exchange_correlation):
        raise InputError(f"{name!r} contains its own dispersion: leave out dispersion = {dispersion!r}")
    _check_dispersion(exchange_correlation, dispersion)


def is_pure(name: str) -> bool:
    """Whether a functional needs no exact exchange, so that density fitting needs a Coulomb fit only."""
    from pyscf.dft import libxc
    from pyscf.scf.dispersion import parse_dft

    return not libxc.is_hybrid_xc(parse_dft(name)[0])


def is_meta(name: str) -> bool:
    """Whether a functional depends on the kinetic-energy density."""
    from pyscf.dft import libxc
    from pyscf.scf.dispersion import parse_dft

    return bool(libxc.is_meta_gga(parse_dft(name)[0]))


def has_response(name: str) -> bool:
    """Whether libxc has the second derivatives of a functional, from which excited states are computed."""
    from pyscf.dft import libxc
    from pyscf.scf.dispersion import parse_dft

    return bool(libxc.test_deriv_order(parse_dft(name)[0], 2, raise_error=False))


def is_range_separated(name: str) -> bool:
    """Whether a hybrid's exact exchange differs between short and long range."""
    from pyscf.dft import libxc
    from pyscf.scf.dispersion import parse_dft

    return bool(libxc.rsh_coeff(parse_dft(name)[0])[0])


def _is_exchange_alone(numbers: set[int]) -> bool:
    """Tell by libxc's own names (GGA_X_B88) whether functionals have no correlation among them; none have none."""
    from pyscf.dft import libxc

    names = [name for name, number in libxc.available_libxc_functionals().items() if int(number) in numbers]
    return bool(names) and all(re.match(r"(LDA|GGA|MGGA)_X(_|$)", name.upper()) for name in names)


def _near(name: str, known: list[str]) -> bool:
    return choices(name, known).startswith("did you mean")


def _check_dispersion(functional: str, dispersion: str) -> None:
    from pyscf import gto
    from pyscf.dispersion import dftd3, dftd4

    probe = gto.M(atom="He", verbose=0, parse_arg=False, dump_input=False)
    try:
        if dispersion == "d4":
            dftd4.DFTD4Dispersion(probe, xc=functional)
        else:
            dftd3.DFTD3Dispersion(probe, xc=functional, version=dispersion)
    except RuntimeError:
        raise InputError(f"there are no {dispersion} parameters for {functional!r}; leave out dispersion") from None
