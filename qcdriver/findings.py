"""What a run found, typed: conformers, profiles, paths, checks; `summary` collects them from the records.

Energies are relative within one level of theory only; a group of findings is a level.
"""

from __future__ import annotations

from qcdriver.comparison.cu14 import Cu14Glance
from qcdriver.scan.network import Merge
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


class ScanPoint(Frozen):
    """One point of a scan; values of the coordinates in degrees or, of lengths, in Angstrom.

    `target` is where it was held, None for a conformer, and `reached` what was measured on it. `arrived_kcal_mol`: for
    each coordinate the lowest energy of what came from the neighbour below and from the one above, where one did: the
    two differ where the scan has hysteresis. `image_of`: the target of the computed point of which this one is the
    image by symmetry. `slopes_kcal_mol`: how the energy changes with each coordinate, where that is known. `belt`: how
    a rod's halides bind there.
    """

    label: str
    key: str
    target: tuple[float, ...] | None
    reached: tuple[float, ...]
    energy_hartree: float
    relative_energy_kcal_mol: float
    gap_ev: float | None
    belt: str | None
    slopes_kcal_mol: tuple[float, ...] = ()
    arrived_kcal_mol: tuple[tuple[float | None, float | None], ...] = ()
    image_of: tuple[float, ...] | None = None


class ScanBreak(Frozen):
    """Two neighbouring points that no smooth valley connects; twice the same: a point and its own image by symmetry.

    `off_kcal_mol`: what the energy of the second is off the one foretold by the slopes at both, or a step on from a
    point whose slope does not vanish as symmetry asks; `moved_angstrom`: the largest distance between an atom of the
    first, driven to the second, and its place there, None where only the other end of a rod makes the image.
    """

    between: tuple[tuple[float, ...], tuple[float, ...]]
    off_kcal_mol: float
    moved_angstrom: float | None

    @property
    def at_image(self) -> bool:
        """Whether it lies at one point, between that and its own image by symmetry."""
        return self.between[0] == self.between[1]


class Profile(Frozen):
    """Energy and gap over one or two scanned coordinates at one level, by rising values.

    `coordinates`: kind and unit of each ("twist_deg", "distance_angstrom").
    """

    coordinates: tuple[str, ...]
    level: str
    points: tuple[ScanPoint, ...]
    breaks: tuple[ScanBreak, ...] = ()

    @property
    def axes(self) -> tuple[tuple[str, str], ...]:
        """Kind and unit of each coordinate as a person writes them: ("twist", "deg"), ("distance", "A")."""
        parts = (name.rpartition("_") for name in self.coordinates)
        return tuple((kind, "A" if unit == "angstrom" else unit) for kind, _, unit in parts)


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


class NetworkMinimum(Frozen):
    """A minimum of a network; `label`: its place on the scan's grid, `reached`: where it is, in degrees and Angstrom.

    `n_imaginary` wavenumbers verify it; `lowest_cm` is the lowest, negative if imaginary. None on the grid alone.
    `note`: off which saddle it was pushed, if it was.
    """

    label: str
    key: str
    reached: tuple[float, ...]
    energy_hartree: float
    relative_energy_kcal_mol: float
    gap_ev: float | None
    n_imaginary: int | None
    lowest_cm: float | None
    note: str | None = None


class NetworkSaddle(Frozen):
    """A saddle, or on the grid alone a pass; `between`: the labels of the minima it connects, twice one if it is one.

    Barriers from the first of these and from the other.
    """

    label: str
    key: str
    reached: tuple[float, ...]
    between: tuple[str, str]
    energy_hartree: float
    relative_energy_kcal_mol: float
    barrier_kcal_mol: float
    reverse_barrier_kcal_mol: float
    gap_ev: float | None
    n_imaginary: int | None
    lowest_cm: float | None


class Network(Frozen):
    """Minima, the saddles that connect them, and how they merge, each by rising energy.

    `refined`: free of every constraint and verified by the wavenumbers of `n_atoms_moved` atoms; otherwise as the
    points of the scan's grid are. `merges` counts minima from 0, see `network.Merge`.
    """

    level: str
    refined: bool
    n_atoms_moved: int | None
    minima: tuple[NetworkMinimum, ...]
    saddles: tuple[NetworkSaddle, ...]
    merges: tuple[Merge, ...]


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
    """What a run found; `dropped` by judgement, `failed` for want of a number that was asked for.

    `networks`: that of the scan's grid, and the refined one.
    """

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
    networks: tuple[Network, ...] = ()
