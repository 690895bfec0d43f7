"""What a run found, typed: conformers, profiles, paths, checks; `summary` collects them from the records.

Energies are relative within one level of theory only; a group of findings is a level.
"""

from __future__ import annotations

from qcdriver.comparison.cu14 import Cu14Glance
from qcdriver.schema import Frozen
from qcdriver.structures.rod import RodMeasures


class Conformer(Frozen):
    """One conformer at one level. No number where it did not converge; `measures` if it is a rod, `cu14` if it is that.

    `note`: what to know about its geometry ("held: ..."). `fragment_charges`: Hirshfeld charges (e) of the metal
    core and of all ligands of one formula, where the level gives them.
    """

    label: str
    isomer: str
    level: str
    key: str
    energy_hartree: float | None
    relative_energy_kcal_mol: float | None
    gap_ev: float | None
    converged: bool
    reason: str | None
    note: str | None
    experimental_gap_ev: float | None
    measures: RodMeasures | None
    cu14: Cu14Glance | None
    fragment_charges: dict[str, float] | None


class ProfilePoint(Frozen):
    """One point of a profile: `value_deg` as measured on the structure."""

    label: str
    key: str
    value_deg: float
    energy_hartree: float
    relative_energy_kcal_mol: float
    gap_ev: float | None
    belt: str | None


class Profile(Frozen):
    """Energy and gap along the scanned coordinate at one level, by rising value."""

    coordinate: str
    level: str
    points: tuple[ProfilePoint, ...]


class PathFound(Frozen):
    """The path between two conformers at one level; `note`: which bonds are open at its top.

    `images_kcal_mol`: energies of the images against the first, which is the start; the last is the end.
    """

    label: str
    key: str
    level: str
    barrier_kcal_mol: float
    reverse_barrier_kcal_mol: float
    images_kcal_mol: tuple[float, ...]
    gap_at_top_ev: float | None
    note: str | None


class MirrorCheck(Frozen):
    """Whether a conformer and its mirror image have one energy; `finding` says by how much they differ."""

    label: str
    key: str
    level: str
    passed: bool
    finding: str


class Spread(Frozen):
    """How far apart the tightly relaxed starts of one isomer ended: the uncertainty of its energy from its ligands."""

    isomer: str
    level: str
    n_starts: int
    kcal_mol: float


class Dropped(Frozen):
    """Something that did not go on, or is missing from the findings, and why."""

    stage: str
    label: str
    reason: str


class Summary(Frozen):
    """What a run found; `dropped` by judgement, `failed` for want of a number that was asked for."""

    title: str
    formula: str
    conformers: tuple[Conformer, ...]
    profiles: tuple[Profile, ...]
    paths: tuple[PathFound, ...]
    mirror_checks: tuple[MirrorCheck, ...]
    spreads: tuple[Spread, ...]
    dropped: tuple[Dropped, ...]
    failed: tuple[Dropped, ...]
    experiment_source: str | None
