"""The one gate that every engine's result passes: laws of physics that it must not break, doubts about its state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcdriver.models.bounds import highest_energy, missing_charge
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ExcitedStates, Result, StateWarning, WarningCode
from qcdriver.units import EV

GAP_NOISE = 1e-6
"""Hartree, by which a LUMO may lie below a HOMO that it is degenerate with."""
CAVITY_NOISE = 0.005
"""Hartree/bohr of net force: the points on a solvent's cavity turn with no molecule."""
MOVED_NOISE = 1e-6
"""Electrons, by which what an excitation moves from atom to atom may miss being none in all."""
SPIN_EXCESS = 0.1
"""Of <S2> above S(S + 1), from where on a state is not one of pure spin."""


@dataclass(frozen=True)
class Limits:
    """What an engine's results at one level are held to.

    Attributes
    ----------
    lowest_energy
        No state of the molecule lies below, hartree.
    force_noise
        Net force that the method's own approximations (grids, cavities) leave, hartree/bohr; also of the net torque
        an extent of the molecule.
    small_gap
        Gap of orbitals below which another state may be near, hartree.
    most_gained
        No atom has so many electrons more than its own, by Mulliken; None where a basis set shares them out at will.
    """

    lowest_energy: float
    force_noise: float
    small_gap: float
    most_gained: float | None = None


def broken_law(result: Result, molecule: Molecule, limits: Limits) -> str | None:
    """Return in words which law a result at a molecule's geometry breaks; None if it breaks none."""
    electronic = result.energy - (result.entropy_term or 0.0)
    highest = highest_energy(molecule)
    if not limits.lowest_energy <= electronic <= highest:
        return (
            f"an energy of {electronic:.6g} hartree; {molecule.formula} with {molecule.n_electrons} electrons has one "
            f"between {limits.lowest_energy:.6g} and {highest:.6g}"
        )
    if result.gap is not None and result.spin_square is None and result.gap < -GAP_NOISE:
        return f"a LUMO {-result.gap * EV:.3f} eV below the HOMO of a closed shell"
    for charges in (result.mulliken_charges, result.hirshfeld_charges):
        if charges is not None and (missing := missing_charge(charges, molecule)):
            return f"atomic charges that {missing}"
    charges = result.mulliken_charges
    if charges is not None and limits.most_gained is not None and charges.min() < -limits.most_gained:
        atom = int(charges.argmin())
        return (
            f"a charge of {charges[atom]:+.2f} on atom {atom} ({molecule.symbols[atom]}), where no atom has less than "
            f"{-limits.most_gained:.2f}: the electrons collapsed; another method is needed"
        )
    return None if result.gradient is None else _unbalanced(result.gradient, molecule.geometry, limits.force_noise)


def broken_law_of_states(found: ExcitedStates, molecule: Molecule) -> str | None:
    """Return in words which law the excited states of a molecule break; None if they break none.

    By the rule of Thomas, Reiche and Kuhn all oscillator strengths of a molecule add up to its number of electrons; in
    an approximation to about that.
    """
    energies = [state.energy for state in found.states]
    if not energies or energies != sorted(energies) or energies[0] <= 0:
        return f"excited states that do not rise from the ground state, {len(energies)} of them"
    strengths = [state.oscillator_strength for state in found.states]
    if min(strengths) < 0 or sum(strengths) > 2 * molecule.n_electrons:
        return f"oscillator strengths from {min(strengths):.3g}, in sum {sum(strengths):.3g}"
    for state in found.states:
        gained = state.electrons_gained
        if gained.shape != (len(molecule.symbols),) or abs(gained.sum()) > MOVED_NOISE:
            return f"an excitation that moves {gained.sum():.3g} electrons out of the molecule"
    return None


def _unbalanced(gradient: np.ndarray, geometry: np.ndarray, noise: float) -> str | None:
    centred = geometry - geometry.mean(axis=0)
    extent = max(1.0, float(np.linalg.norm(centred, axis=1).max()))
    force = float(np.linalg.norm(gradient.sum(axis=0)))
    torque = float(np.linalg.norm(np.cross(centred, gradient).sum(axis=0)))
    if force > noise:
        return f"a net force of {force:.2g} hartree/bohr on a free molecule ({noise:g} is noise)"
    if torque > noise * extent:
        return f"a net torque of {torque:.2g} hartree on a free molecule ({noise * extent:.2g} is noise)"
    return None


def doubts(result: Result, molecule: Molecule, limits: Limits) -> tuple[StateWarning, ...]:
    """Return what makes it doubtful that a result is of the ground state, or of the state that was meant."""
    found = []
    if result.stable is False:
        found.append((WarningCode.LOWER_STATE, "a lower state exists that the search for it did not converge to"))
    if result.gap is not None and result.gap < -GAP_NOISE:
        words = f"the LUMO lies {-result.gap * EV:.3f} eV below the HOMO of the other spin: try another multiplicity"
        found.append((WarningCode.OTHER_MULTIPLICITY, words))
    elif result.gap is not None and result.gap < limits.small_gap:
        words = f"the gap is {result.gap * EV:.3f} eV: another state or multiplicity may be lower"
        found.append((WarningCode.SMALL_GAP, words))
    spin = (molecule.molecular_multiplicity - 1) / 2
    if result.spin_square is not None and result.spin_square - spin * (spin + 1) > SPIN_EXCESS:
        words = f"<S2> is {result.spin_square:.3f}; a pure spin state has {spin * (spin + 1):.3f}"
        found.append((WarningCode.MIXED_SPIN, words))
    return tuple(StateWarning(code=code, sentence=words) for code, words in found)
