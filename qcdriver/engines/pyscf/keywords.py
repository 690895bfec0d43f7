"""The keywords of a DFT calculation: typed, with their defaults, and what contradicts what."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from qcdriver.engines.checks import AnyCase, choices
from qcdriver.engines.pyscf.basis_sets import LAST_LIGHT_ELEMENT, load_auxiliary, load_basis_set
from qcdriver.engines.pyscf.functionals import is_pure
from qcdriver.engines.solvents import SolventName
from qcdriver.errors import InputError
from qcdriver.models.base import ATOMIC_NUMBER, Frozen
from qcdriver.models.level import Model

COULOMB_FIT = "def2-universal-jfit"
"""Fits the Coulomb integrals alone (doi:10.1039/b515623h)."""
EXCHANGE_FIT = "def2-universal-jkfit"
"""Fits Coulomb and exchange integrals (doi:10.1002/jcc.20702)."""

Rung = Annotated[Literal["diis", "damping", "level_shift", "smearing", "second_order"], AnyCase]
Positive = Annotated[float, Field(gt=0)]


def _dispersion(word: object) -> object:
    """Read "D3(BJ)" and "D3-BJ" as "d3bj", and "D4" as "d4"."""
    return re.sub(r"[()\s_-]", "", word.lower()) if isinstance(word, str) else word


class PyscfKeywords(Frozen):
    """Keywords of a DFT calculation.

    Attributes
    ----------
    density_fit
        Fit the Coulomb (and for hybrids the exchange) integrals in an auxiliary basis; "coulomb" fits the Coulomb
        integrals and computes the exchange of a hybrid exactly, which needs no stored tensor. The two differ by the
        error of the fit, so "auto" is no level: an input's "auto" is settled by `fit_within` before there is one.
    auxbasis
        Auxiliary basis set; None: `COULOMB_FIT`, or `EXCHANGE_FIT` where exchange is fitted.
    dispersion
        D3 with Becke-Johnson damping (doi:10.1002/jcc.21759) or D4 (doi:10.1063/1.5090222).
    solvent
        A solvent of SMD's database ("dichloromethane", or a word for it: "ch2cl2"); None: gas phase.
    solvent_model
        IEF-PCM or C-PCM (electrostatics alone), or SMD (doi:10.1021/jp810292n).
    grid_level
        Integration grid, 0 (coarse) to 9; 2 does for scans, 3 for final numbers.
    conv_tol
        Energy change at which the SCF is converged, hartree; the orbital gradient must be below its root.
    init_guess
        First density; `atom` has the right number of electrons with ECPs, `minao` has not.
    guess_basis
        Converge in this (smaller) basis set first, and start from its density; None: do not.
    electronic_temperature_k
        Fermi-Dirac occupations at this temperature to the end; the energy is then the free energy E - TS
        (doi:10.1103/PhysRev.137.A1441). None: integer occupations.
    stability
        Test every converged state for a lower one of the same multiplicity (doi:10.1063/1.434318), also one whose
        spins are parted where the shell is closed, and follow down to it. A level has "external" for true: what older
        records call true did not part spins.
    nonrelativistic
        Allow a basis set with all electrons on elements beyond krypton: the Hamiltonian knows no relativity, which
        only effective core potentials bring in (Au-Au bonds are 0.3 Angstrom too long without).
    unrestricted
        UKS for singlets too, from spins that are parted (HOMO and LUMO mixed): a bond that breaks, antiferromagnetic
        coupling. Where the closed shell is the ground state, its energy comes out. <S2> tells; only `stability` makes
        sure of the lowest way to part them. Other multiplicities are UKS as they are.
    max_cycle
        SCF cycles before an attempt of the ladder is a failure.
    scf_ladder
        Which attempts to make, in order; the first must be `diis`.
    diis_space, damping, level_shift, smearing
        The ladder's own numbers: Fock matrices remembered; share of the last Fock matrix kept; hartree; Fermi
        widths in hartree, annealed in this order.
    """

    density_fit: bool | Annotated[Literal["coulomb", "auto"], AnyCase] = True
    auxbasis: str | None = None
    dispersion: Annotated[Literal["d3bj", "d4"] | None, BeforeValidator(_dispersion)] = None
    solvent: SolventName | None = None
    solvent_model: Annotated[Literal["iefpcm", "cpcm", "smd"], AnyCase] = "iefpcm"
    grid_level: int = Field(default=3, ge=0, le=9)
    conv_tol: float = Field(default=1e-8, gt=0, le=1e-3)
    init_guess: Annotated[Literal["atom", "minao", "huckel", "1e"], AnyCase] = "atom"
    guess_basis: str | None = None
    electronic_temperature_k: Positive | None = None
    stability: Literal[False, "external"] = False
    nonrelativistic: bool = False
    unrestricted: bool = False
    max_cycle: int = Field(default=60, ge=1)
    scf_ladder: tuple[Rung, ...] = Field(default=("diis", "level_shift", "smearing", "second_order"), min_length=1)
    diis_space: int = Field(default=12, ge=2, le=50)
    damping: float = Field(default=0.7, gt=0, lt=1)
    level_shift: Positive = 0.3
    smearing: tuple[Positive, ...] = Field(default=(0.01, 0.005, 0.001), min_length=1)

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later where it is not asked for: levels, and keys, from before stay what they are."""
        content: dict[str, Any] = serialize(self)
        for name in ("unrestricted", "nonrelativistic"):
            if not content[name]:
                del content[name]
        return content

    @field_validator("stability", mode="before")
    @classmethod
    def _of_all_kinds(cls, value: object) -> object:
        return "external" if value is True else value

    def auxiliary_basis(self, method: str) -> str | None:
        """Return the auxiliary basis set that is used with a functional; None without density fitting."""
        if not self.density_fit:
            return None
        return self.auxbasis or (EXCHANGE_FIT if self.fits_exchange(method) else COULOMB_FIT)

    def fits_exchange(self, method: str) -> bool:
        """Whether exchange integrals are fitted, for which the three-index tensor must be stored."""
        return self.density_fit is True and not is_pure(method)


def refuse_contradictions(keywords: PyscfKeywords, model: Model, symbols: tuple[str, ...]) -> None:
    """Refuse keywords that exclude one another, or name what does not exist.

    Raises
    ------
    InputError
    """
    method = model.method
    if keywords.scf_ladder[0] != "diis":
        raise InputError(f"pyscf keywords: scf_ladder starts with {keywords.scf_ladder[0]!r}, not with 'diis'")
    if keywords.auxbasis is not None and not keywords.density_fit:
        raise InputError(f"density_fit = false, so auxbasis = {keywords.auxbasis!r} has no use")
    if keywords.density_fit == "auto":
        raise InputError(
            "density_fit = 'auto' is for the input of a run, which settles it; here true, false or 'coulomb'"
        )
    if keywords.density_fit == "coulomb" and is_pure(method):
        raise InputError(f"density_fit = 'coulomb' is for hybrids; {method!r} is none: density_fit = true")
    if (auxiliary := keywords.auxiliary_basis(method)) is not None:
        load_auxiliary(auxiliary, symbols)
    if keywords.stability and keywords.electronic_temperature_k is not None:
        raise InputError(
            "stability = true needs integer occupations, so it cannot go with electronic_temperature_k: leave out one"
        )
    if list(keywords.smearing) != sorted(keywords.smearing, reverse=True):
        raise InputError(f"smearing = {list(keywords.smearing)} does not fall; it is annealed towards zero")
    _refuse_light_electrons(keywords, model, symbols)
    _refuse_useless_guess(keywords, model, symbols)
    _refuse_unknown_solvent(keywords)
    _refuse_mistaken_surfaces(keywords, model, symbols)


def _refuse_light_electrons(keywords: PyscfKeywords, model: Model, symbols: tuple[str, ...]) -> None:
    """Refuse all electrons of heavy atoms in a Hamiltonian without relativity, unless that is asked for."""
    if keywords.nonrelativistic or model.basis is None:
        return
    basis_set = load_basis_set(model.basis, symbols)
    heavy = [symbol for symbol in sorted(set(symbols)) if ATOMIC_NUMBER[symbol] > LAST_LIGHT_ELEMENT]
    if whole := [symbol for symbol in heavy if not basis_set.n_core_electrons([symbol])]:
        raise InputError(
            f"basis {model.basis!r} has all electrons of {', '.join(whole)}, and no relativistic Hamiltonian is here: "
            "take one with core potentials (def2-SVP, LANL2DZ), or set the keyword nonrelativistic = true"
        )


def _refuse_useless_guess(keywords: PyscfKeywords, model: Model, symbols: tuple[str, ...]) -> None:
    if keywords.guess_basis is None or model.basis is None:
        return
    small, large = (load_basis_set(name, symbols) for name in (keywords.guess_basis, model.basis))
    if small.n_functions(symbols) >= large.n_functions(symbols):
        raise InputError(f"guess_basis = {keywords.guess_basis!r} is not smaller than {model.basis!r}: leave it out")
    for symbol in sorted(set(symbols)):
        if small.n_core_electrons([symbol]) != large.n_core_electrons([symbol]):
            raise InputError(
                f"guess_basis = {keywords.guess_basis!r} replaces another core of {symbol} than {model.basis!r} does; "
                "take one of the same family"
            )


def _refuse_unknown_solvent(keywords: PyscfKeywords) -> None:
    if keywords.solvent is None:
        if keywords.solvent_model != "iefpcm":
            raise InputError(f"solvent_model = {keywords.solvent_model!r} without a solvent: solvent = 'water'")
        return
    from pyscf.solvent.smd import solvent_db

    known = sorted(name for name in solvent_db if name)
    if keywords.solvent not in known:
        hint = choices(keywords.solvent, known)
        common = "for instance water, dichloromethane, acetonitrile, toluene"
        raise InputError(f"no solvent named {keywords.solvent!r}; {hint if hint.startswith('did') else common}")


def _refuse_mistaken_surfaces(keywords: PyscfKeywords, model: Model, symbols: tuple[str, ...]) -> None:
    """Refuse SMD with core potentials: PySCF 2.14 takes an atom for the element of its valence charge, P for B."""
    if keywords.solvent_model != "smd" or model.basis is None:
        return
    basis_set = load_basis_set(model.basis, symbols)
    if mistaken := [symbol for symbol in sorted(set(symbols)) if basis_set.n_core_electrons([symbol])]:
        raise InputError(
            f"solvent_model = 'smd' takes {', '.join(mistaken)} for lighter elements, since {model.basis!r} replaces "
            "their cores (PySCF 2.14): solvent_model = 'iefpcm'"
        )
