"""What the stages of a run found, typed: conformers, profiles, networks, paths, checks.

Energies are relative within one level of theory only; a group of findings is a level.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise

from pydantic import Field, SerializeAsAny, SerializerFunctionWrapHandler, model_serializer

from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import StateWarning
from qcdriver.models.verdicts import Verdict
from qcdriver.systems.conformer_family import BoundName, ConformerFamily
from qcdriver.systems.registry import families
from qcdriver.workflow.conversions.findings import ConversionFound
from qcdriver.workflow.scan.network import Merge


class Conformer(Frozen):
    """One conformer at one level. No number where it did not converge.

    `measured`: what the family of a known cluster says about it, by the family's name; in JSON it stands under the
    member that the family names (`Family.summary_member`), and under `measured` where it names none. `family`: the
    family of conformers that its geometry belongs to; None where nothing tells families apart. `verdict`: of the
    prescreen, with what to know about its geometry. `fragment_charges`: Hirshfeld charges (e) of the metal core
    and of all ligands of one formula, where the level gives them. `warnings`: doubts whether its number is of the state
    that was meant; left out of JSON where there are none. `gap_of`: formula of the model that ONIOM's gap is of; None
    of a gap of the molecule's own, and left out of JSON.
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
    verdict: Verdict
    experimental_gap_ev: float | None
    family: ConformerFamily | None = None
    measured: dict[str, SerializeAsAny[Frozen]]
    fragment_charges: dict[str, float] | None
    warnings: tuple[StateWarning, ...] = ()
    gap_of: str | None = None

    @model_serializer(mode="wrap")
    def _with_members_of_families(self, fields: SerializerFunctionWrapHandler) -> dict[str, object]:
        members = {family.name: family.summary_member for family in families().values()}
        written: dict[str, object] = {}
        for name, value in fields(self).items():
            if name in ("warnings", "gap_of") and not value:
                continue
            if name != "measured":
                written[name] = value
                continue
            written |= {member: value.get(family) for family, member in members.items() if member}
            if others := {family: found for family, found in value.items() if not members.get(family)}:
                written[name] = others
        return written


class ScanPoint(Frozen):
    """One point of a scan; values of the coordinates in degrees or, of lengths, in Angstrom.

    `target` is where it was held, None for a conformer, and `reached` what was measured on it. `arrived_kcal_mol`: for
    each coordinate the lowest energy of what came from the neighbour below and from the one above, where one did: the
    two differ where the scan has hysteresis. `image_of`: the target of the computed point of which this one is the
    image by symmetry. `slopes_kcal_mol`: how the energy changes with each coordinate, where that is known. `belt`: one
    word of the cluster's family on the structure there (`Family.point_note`): how a rod's belt halides bind.
    `origin`: what its structure came from. `below_start_kcal_mol`: how far it lies below the lowest conformer that the
    scan started from, None where it does not by more than `improvement_kcal_mol`. `gap_of` as in `Conformer`.
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
    below_start_kcal_mol: float | None = None
    origin: str | None = None
    gap_of: str | None = None

    @model_serializer(mode="wrap")
    def _as_before(self, fields: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in fields(self).items() if name != "gap_of" or value}


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


class BranchPoint(Frozen):
    """The lowest structure at one point of a scan that descends from one conformer.

    `target`: of the point, degrees or Angstrom. `relative_energy_kcal_mol`: from the profile's lowest point. `belt` as
    in `ScanPoint`. `lowest`: whether it is the profile's point there.
    """

    key: str
    target: tuple[float, ...]
    relative_energy_kcal_mol: float
    belt: str | None
    lowest: bool


class Branch(Frozen):
    """What descends from one conformer over a scan of one coordinate; the profile is the lower envelope of all.

    `conformer`: its label, and `key` that of its record. A branch ends where what it proposed was higher than another.
    """

    conformer: str
    key: str
    points: tuple[BranchPoint, ...]


class Profile(Frozen):
    """Energy and gap over one or two scanned coordinates at one level, by rising values.

    `coordinates`: kind and unit of each ("twist_deg", "distance_angstrom"). `branches`: of a scan over one coordinate,
    one for each conformer that it started from; none where records do not tell where each point came from.
    `lowest_start`: the label of the lowest of these conformers, if their energies are of the profile's level; points
    below it have `below_start_kcal_mol`.
    """

    coordinates: tuple[str, ...]
    level: str
    points: tuple[ScanPoint, ...]
    breaks: tuple[ScanBreak, ...] = ()
    branches: tuple[Branch, ...] = ()
    lowest_start: str | None = None

    @property
    def crossings(self) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
        """Neighbouring points between which another branch becomes the lowest."""
        at = {point.target: branch.key for branch in self.branches for point in branch.points if point.lowest}
        return tuple((here, there) for here, there in pairwise(sorted(at)) if at[here] != at[there])

    @property
    def axes(self) -> tuple[tuple[str, str], ...]:
        """Kind and unit of each coordinate as a person writes them: ("twist", "deg"), ("distance", "A")."""
        parts = (name.rpartition("_") for name in self.coordinates)
        return tuple((kind, "A" if unit == "angstrom" else unit) for kind, _, unit in parts)


class PathFound(Frozen):
    """The path between two conformers at one level; `verdict`: with which bonds are open at its top.

    `images_kcal_mol`: energies of the images against the first, which is the start; the last is the end.
    """

    label: str
    key: str
    level: str
    barrier_kcal_mol: float
    reverse_barrier_kcal_mol: float
    images_kcal_mol: tuple[float, ...]
    gap_at_top_ev: float | None
    verdict: Verdict


class NetworkMinimum(Frozen):
    """A minimum of a network; `label`: its place on the scan's grid, `reached`: where it is, in degrees and Angstrom.

    `n_imaginary` wavenumbers verify it; `lowest_cm` is the lowest, negative if imaginary. None on the grid alone.
    `verdict`: with the saddle that it was pushed off, if it was; None on the grid. `at_end`: on the grid alone, it lies
    at an end of the scan, beyond which the energy may go on falling.
    """

    label: str
    key: str
    reached: tuple[float, ...]
    energy_hartree: float
    relative_energy_kcal_mol: float
    gap_ev: float | None
    n_imaginary: int | None
    lowest_cm: float | None
    verdict: Verdict | None = None
    at_end: bool = False


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
    """Whether a conformer and its mirror image have one energy; `verdict`: by how much they differ."""

    label: str
    key: str
    level: str
    passed: bool
    verdict: Verdict


class Spread(Frozen):
    """How far apart the tightly relaxed starts of one isomer ended: the uncertainty of its energy from its ligands."""

    isomer: str
    level: str
    n_starts: int
    kcal_mol: float


class Representative(Frozen):
    """The conformer that stands for an isomer: its lowest within the bounds, or its lowest where none is within them.

    `lowest`: the isomer's lowest, which may be beyond them; `above_kcal_mol`: how far the representative lies above it;
    `beyond`: the bounds that the lowest is beyond.
    """

    isomer: str
    label: str
    family: ConformerFamily
    lowest: str
    family_of_lowest: ConformerFamily
    above_kcal_mol: float
    beyond: tuple[BoundName, ...]


class Decision(StrEnum):
    """Whether the order of two conformers is decided."""

    DECIDED = "decided"
    ORDERS_DIFFER = "orders_differ"
    UNDER_SCATTER = "under_scatter"
    ONE_LEVEL = "one_level"

    @property
    def is_open(self) -> bool:
        """Whether two levels leave the order open; one level alone cannot."""
        return self in (Decision.ORDERS_DIFFER, Decision.UNDER_SCATTER)


class RankedPair(Frozen):
    """Two conformers: by how much the second lies above the first at the level of the ranking, and at the other one."""

    lower: str
    higher: str
    kcal_mol: float
    kcal_mol_against: float | None
    decision: Decision


class Ranking(Frozen):
    """The order of the conformers at the highest level that all of them have.

    Attributes
    ----------
    against
        The level that it is compared with; None: there is one level.
    scatter_kcal_mol
        How far the two are off one another on the energy difference of two conformers (`workflow.ranking`); None where
        there is one level.
    n_pairs
        The pairs that both levels have.
    window_kcal_mol
        What the prescreen kept, above its lowest.
    order
        Labels by rising energy.
    pairs
        All pairs of it, the lowest conformer's first.
    """

    level: str
    against: str | None
    scatter_kcal_mol: float | None
    n_pairs: int
    window_kcal_mol: float | None
    order: tuple[str, ...]
    pairs: tuple[RankedPair, ...]

    def against_lowest(self, label: str) -> Decision | None:
        """Say whether it is decided that a conformer lies above the lowest; None for the lowest itself."""
        return next((pair.decision for pair in self.pairs if (pair.lower, pair.higher) == (self.order[0], label)), None)


class Dropped(Frozen):
    """Something that did not go on, or is missing from the findings; `verdict` says why."""

    stage: str
    label: str
    verdict: Verdict


class Findings(Frozen):
    """What one stage found.

    Attributes
    ----------
    dropped
        What did not go on, by judgement.
    failed
        What is missing because a number that was asked for could not be computed.
    own
        What only this stage knows, as a type of its own.
    """

    conformers: tuple[Conformer, ...] = ()
    profiles: tuple[Profile, ...] = ()
    paths: tuple[PathFound, ...] = ()
    mirror_checks: tuple[MirrorCheck, ...] = ()
    spreads: tuple[Spread, ...] = ()
    representatives: tuple[Representative, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    failed: tuple[Dropped, ...] = ()
    networks: tuple[Network, ...] = ()
    own: SerializeAsAny[Frozen] | None = None


class Summary(Frozen):
    """What a run found: the findings of its stages, one after another.

    Attributes
    ----------
    networks
        That of the scan's grid, and the refined one.
    conversions
        Of `[experiment]`, with the barriers that were computed; left out of JSON where there are none.
    stages
        What a stage found of its own, by the stage's name; left out where there is none.
    """

    title: str
    formula: str
    conformers: tuple[Conformer, ...]
    profiles: tuple[Profile, ...]
    paths: tuple[PathFound, ...]
    mirror_checks: tuple[MirrorCheck, ...]
    spreads: tuple[Spread, ...]
    representatives: tuple[Representative, ...] = ()
    ranking: Ranking | None = None
    dropped: tuple[Dropped, ...]
    failed: tuple[Dropped, ...]
    experiment_source: str | None
    networks: tuple[Network, ...] = ()
    conversions: tuple[ConversionFound, ...] = ()
    stages: dict[str, SerializeAsAny[Frozen]] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        for name in ("conversions", "stages"):
            if not content[name]:
                del content[name]
        return content
