"""Free energies of one molecule from its harmonic wavenumbers: ideal gas, rigid rotor, quasi-harmonic vibrations.

The entropy of a soft vibration goes over into that of a free rotation (quasi-RRHO: Grimme, doi:10.1002/chem.201200497);
beside it stands the other cure, in which every wavenumber below the cut-off is raised to it (Ribeiro, Marenich, Cramer,
Truhlar, doi:10.1021/jp205508z). The formulas of the rest are those of any textbook of statistical thermodynamics
(McQuarrie).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from qcdriver.geometry.rotations import is_linear, symmetry_number
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM, DALTON, HARTREE_J, KELVIN, WAVENUMBER

StandardState = Literal["1 atm", "1 M"]
_ATMOSPHERE = 101325.0 * (ANGSTROM * 1e-10) ** 3 / HARTREE_J
"""In hartree per cubic bohr."""
_MOLAR = 6.02214076e26 * (ANGSTROM * 1e-10) ** 3
"""Molecules per cubic bohr."""
_MEAN_INERTIA = 1e-44 / (9.1093837015e-31 * (ANGSTROM * 1e-10) ** 2)
"""Grimme's mean moment of inertia, 1e-44 kg m2, in atomic units: it bounds that of a slow rotation."""


@dataclass(frozen=True)
class Treatment:
    """How vibrations become a free energy: wavenumber (1/cm) and steepness of the change to a free rotation."""

    cutoff_cm: float = 100.0
    alpha: float = 4.0
    standard_state: StandardState = "1 atm"


class FreeEnergy(Frozen):
    """What is added to the electronic energy of one molecule at one temperature, hartree.

    Attributes
    ----------
    zero_point
        Half of every wavenumber.
    enthalpy
        Zero point, thermal energy and pressure times volume.
    entropy_term
        Minus temperature times entropy, quasi-RRHO.
    gibbs
        The sum of the two above.
    gibbs_raised
        The same with every soft wavenumber raised to the cut-off.
    """

    temperature_k: float
    zero_point: float
    enthalpy: float
    entropy_term: float
    gibbs: float
    gibbs_raised: float


def free_energy(molecule: Molecule, wavenumbers_cm: np.ndarray, temperature_k: float, how: Treatment) -> FreeEnergy:
    """Compute the thermal part of the free energy.

    Parameters
    ----------
    wavenumbers_cm
        Of all modes that count, 1/cm, each positive: a minimum's are all, a saddle's all but the imaginary one.
    temperature_k
        Kelvin, above 0.

    Raises
    ------
    ValueError
        A wavenumber or the temperature is not positive.
    """
    if temperature_k <= 0 or (wavenumbers_cm <= 0).any():
        raise ValueError("temperature and wavenumbers must be positive")
    kt = temperature_k / KELVIN
    quanta = wavenumbers_cm / WAVENUMBER
    zero_point = float(quanta.sum()) / 2
    thermal = float((quanta * _occupation(quanta / kt)).sum())
    rotating = 0.0 if len(molecule.symbols) == 1 else 1.0 if _rotor(molecule).linear else 1.5
    enthalpy = zero_point + thermal + (1.5 + rotating + 1.0) * kt
    rigid = _translation(molecule, kt, how.standard_state) + _rotation(molecule, kt)
    rigid += math.log(molecule.molecular_multiplicity)
    harmonic = _harmonic_entropy(quanta / kt)
    free = _rotor_entropy(quanta, kt)
    weight = 1.0 / (1.0 + (how.cutoff_cm / wavenumbers_cm) ** how.alpha)
    entropy = rigid + float((weight * harmonic + (1 - weight) * free).sum())
    raised = np.maximum(wavenumbers_cm, how.cutoff_cm) / WAVENUMBER
    raised_vibrations = float(raised.sum()) / 2 + float((raised * _occupation(raised / kt)).sum())
    raised_vibrations -= kt * float(_harmonic_entropy(raised / kt).sum())
    return FreeEnergy(
        temperature_k=temperature_k,
        zero_point=zero_point,
        enthalpy=enthalpy,
        entropy_term=-kt * entropy,
        gibbs=enthalpy - kt * entropy,
        gibbs_raised=raised_vibrations + (1.5 + rotating + 1.0) * kt - kt * rigid,
    )


def _translation(molecule: Molecule, kt: float, state: StandardState) -> float:
    """Return the entropy of translation over k (Sackur and Tetrode)."""
    mass = _masses(molecule).sum()
    volume = kt / _ATMOSPHERE if state == "1 atm" else 1.0 / _MOLAR
    return 2.5 + math.log((mass * kt / (2 * math.pi)) ** 1.5 * volume)


def _rotation(molecule: Molecule, kt: float) -> float:
    """Return the entropy of rotation over k, classical, each orientation counted once."""
    if len(molecule.symbols) == 1:
        return 0.0
    rotor = _rotor(molecule)
    if rotor.linear:
        return 1.0 + math.log(2 * rotor.moments[-1] * kt / rotor.symmetry_number)
    return 1.5 + math.log(math.sqrt(math.pi * float(np.prod(2 * rotor.moments * kt))) / rotor.symmetry_number)


@dataclass(frozen=True)
class _Rotor:
    """How a molecule turns, whatever the temperature; `moments` of inertia rise."""

    linear: bool
    moments: np.ndarray
    symmetry_number: int


@lru_cache(maxsize=256)
def _rotor(molecule: Molecule) -> _Rotor:
    moments = np.sort(np.linalg.eigvalsh(_inertia(molecule)))
    return _Rotor(is_linear(molecule), moments, symmetry_number(molecule))


def _occupation(x: np.ndarray) -> np.ndarray:
    """Return the mean number of quanta of oscillators (Bose and Einstein), from quantum over kT; 0 where it is cold."""
    occupation: np.ndarray = np.exp(-x) / -np.expm1(-x)
    return occupation


def _harmonic_entropy(x: np.ndarray) -> np.ndarray:
    """Return the entropy over k of oscillators, from quantum over kT."""
    entropy: np.ndarray = x * _occupation(x) - np.log1p(-np.exp(-x))
    return entropy


def _rotor_entropy(quanta: np.ndarray, kt: float) -> np.ndarray:
    """Return the entropy over k of free rotations with the energy quantum of each oscillator."""
    inertia = 1.0 / (2.0 * quanta)
    inertia = inertia * _MEAN_INERTIA / (inertia + _MEAN_INERTIA)
    entropy: np.ndarray = 0.5 + 0.5 * np.log(2 * math.pi * inertia * kt)
    return entropy


def _masses(molecule: Molecule) -> np.ndarray:
    """Return standard atomic weights in electron masses, as `optimize.vibrations` takes them."""
    from ase.data import atomic_masses_iupac2016

    masses: np.ndarray = atomic_masses_iupac2016[molecule.numbers] / DALTON
    return masses


def _inertia(molecule: Molecule) -> np.ndarray:
    masses = _masses(molecule)
    points = molecule.geometry - masses @ molecule.geometry / masses.sum()
    tensor: np.ndarray = np.einsum("a,ab->", masses, points**2) * np.eye(3) - np.einsum(
        "a,ai,aj->ij", masses, points, points
    )
    return tensor
