"""A conformer with its energy -> whether its mirror image has the same: a check on the whole chain of computation."""

from __future__ import annotations

from qcdriver.schema import Failure, Level, Molecule, Result, SinglePoint, Verdict
from qcdriver.stage import Job, Stage, alone


def mirror(label: str, key: str, molecule: Molecule, energy: float, level: Level, tolerance: float) -> Stage:
    """Compute the mirror image of a conformer at the level its own energy (hartree) was computed at.

    Returns
    -------
    One verdict, which says by how much (hartree) the two differ; kept if that is within the tolerance.
    """
    task = SinglePoint(molecule=molecule.mirrored(), level=level, driver="energy")
    (record,) = yield [alone(Job(f"mirror image of {label}", task, (key,)))]
    kept, reason = False, "no energy"
    if isinstance(record.outcome, Result):
        difference = record.outcome.energy - energy
        kept = abs(difference) <= tolerance
        reason = f"{difference:+.1e} hartree against {label}; {tolerance:.0e} are allowed"
    elif isinstance(record.outcome, Failure):
        reason = record.outcome.message
    return [Verdict(label=record.label, key=record.key, kept=kept, reason=reason)]
