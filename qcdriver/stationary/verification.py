"""A stationary point in, the verdict on it out: by the wavenumbers of all its atoms, or of a cluster's core."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver.errors import InputError
from qcdriver.schema import Frequencies, Molecule, TaskRecord, Verdict, Vibrations
from qcdriver.stage import Job
from qcdriver.stationary.search import VIBRATIONS, Search, why
from qcdriver.structures.topology import find_topology


def core_atoms(molecule: Molecule) -> tuple[int, ...]:
    """List the metal atoms and what bridges them: halides, hydrides and sulfur.

    Raises
    ------
    InputError
        There is no metal.
    """
    topology = find_topology(molecule)
    if not topology.metals:
        raise InputError(f"core_only = true: {molecule.formula} has no metal core; leave it out")
    sulfur = (atom for atom in topology.donors if molecule.symbols[atom] == "S")
    return tuple(sorted({*topology.metals, *topology.wanderers, *sulfur}))


def vibrations(label: str, key: str, molecule: Molecule, search: Search) -> Job:
    """Compute the wavenumbers of a stationary point, of the core alone if so asked."""
    atoms = core_atoms(molecule) if search.core_only else ()
    return Job(label + VIBRATIONS, Vibrations(molecule=molecule, level=search.level, atoms=atoms), (key,))


def verified(
    label: str, key: str, wanted: int, record: TaskRecord, pushed_off_cm: Sequence[float] = ()
) -> list[Verdict]:
    """Judge a stationary point by its imaginary wavenumbers; say off which it was pushed before."""
    off = " and ".join(dict.fromkeys(f"{each:.0f}i" for each in pushed_off_cm))
    outcome = record.outcome
    if isinstance(outcome, Frequencies):
        below = [f"{-each:.0f}i" for each in outcome.wavenumbers_cm if each < 0]
        kept = outcome.n_imaginary == wanted
        small = below[outcome.n_imaginary :]
        note = f"{' and '.join(small)} 1/cm counted as noise" if small else None
        words = "a minimum has none" if wanted == 0 else "a saddle has exactly one"
        shown = f"imaginary wavenumbers: {', '.join(below) + ' 1/cm' if below else 'none'}; {words}"
        reason = note if kept else shown + f"; pushed {len(pushed_off_cm)} times in vain" * bool(off)
    else:
        kept, reason = False, f"not verified: {why(record)}"
    pushed = f"pushed off a saddle, {off} 1/cm" if off else None
    return [
        Verdict(label=label, key=key, kept=kept, reason=pushed if kept else reason),
        Verdict(label=label + VIBRATIONS, key=record.key, kept=kept, reason=reason),
    ]
