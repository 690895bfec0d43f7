"""What a stage decided about its calculations: a code with its facts, of which `report.sentences` makes the words."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Failure, Outcome


class Purpose(StrEnum):
    """What a calculation is for."""

    BUILD = "build"
    SETTLE_HYDROGENS = "settle_hydrogens"
    SETTLE_LIGANDS = "settle_ligands"
    CHEAP = "cheap"
    TIGHT = "tight"
    TIGHT_HELD = "tight_held"
    SCAN_POINT = "scan_point"
    SCAN_CHECK = "scan_check"
    MINIMUM = "minimum"
    PUSH_OFF = "push_off"
    VIBRATIONS = "vibrations"
    EXCITATIONS = "excitations"
    PATH = "path"
    SADDLE = "saddle"
    INTERCONVERSION = "interconversion"
    REFINEMENT = "refinement"
    SINGLE_POINT = "single_point"
    MIRROR_IMAGE = "mirror_image"


class Error(Frozen):
    """The class of an error, and its message."""

    kind: Literal["error"] = "error"
    type: str
    message: str


BondChangeKind = Literal[
    "ligand_broken",
    "ligand_formed",
    "donor_lost",
    "skeleton_lost",
    "skeleton_split",
    "skeleton_formed",
    "skeleton_opened",
]
"""Bonds inside ligands that broke or formed; a donor atom that lost its metal; of the metal skeleton an atom that lost
too many bonds, a skeleton in pieces, bonds that are new, bonds that are open while every atom keeps its place."""


class BondChange(Frozen):
    """Bonds that broke, opened or formed.

    `count` bonds, `of` so many that the atom had; of a split skeleton the pieces now and before. `atoms`, with their
    `symbols`: the first bond; or the atom that lost bonds, and the metal it had to keep if that is one.
    """

    kind: Literal["bond_change"] = "bond_change"
    change: BondChangeKind
    count: int
    of: int | None = None
    atoms: tuple[int, ...]
    symbols: tuple[str, ...]


class Drift(Frozen):
    """An isomer's coordinate left its value: it is no longer that isomer."""

    kind: Literal["drift"] = "drift"
    asked_deg: float
    reached_deg: float
    isomer: str


class Above(Frozen):
    """An energy above the lowest, or above that of the structure `against`; `after`: the pass it was compared after."""

    kind: Literal["above"] = "above"
    hartree: float
    after: Purpose | None = None
    against: str | None = None


class Limit(Frozen):
    """A setting that let so many go on: of a `group` of candidates, or of all."""

    kind: Literal["limit"] = "limit"
    setting: str
    value: int
    group: str | None = None


class Twin(Frozen):
    """Another structure of the stage, by its label and the key of its record."""

    kind: Literal["twin"] = "twin"
    label: str
    key: str


class Missed(Frozen):
    """A coordinate that was not reached at the point of a scan that a person knows as `point`; degrees or bohr."""

    kind: Literal["missed"] = "missed"
    target: float
    reached: float
    point: str


class Curvature(Frozen):
    """Imaginary wavenumbers, 1/cm, and how many of them were `wanted`.

    Those in `wavenumbers_cm` are negative; `pushed_off_cm`: absolute values of those that the structure was pushed off.
    """

    kind: Literal["curvature"] = "curvature"
    wavenumbers_cm: tuple[float, ...] = ()
    wanted: int | None = None
    pushed_off_cm: tuple[float, ...] = ()


class Moved(Frozen):
    """How far an atom moved, Angstrom."""

    kind: Literal["moved"] = "moved"
    angstrom: float


class Difference(Frozen):
    """An energy minus the energy of the structure `against`, and the tolerance for it."""

    kind: Literal["difference"] = "difference"
    hartree: float
    tolerance: float
    against: str


class Missing(Frozen):
    """How many of a number of things are missing."""

    kind: Literal["missing"] = "missing"
    count: int
    of: int


class OldText(Frozen):
    """The words of a record that is older than the codes: its facts are not known otherwise."""

    kind: Literal["old_text"] = "old_text"
    text: str


Facts = Annotated[
    Error | BondChange | Drift | Above | Limit | Twin | Missed | Curvature | Moved | Difference | Missing | OldText,
    Field(discriminator="kind"),
]
"""What a code is about."""


class Code(StrEnum):
    """What was decided, or what there is to know."""

    KEPT = "kept"
    ENERGY_AGREES = "energy_agrees"
    # Dropped:
    NOT_BUILT = "not_built"
    NOT_CONVERGED = "not_converged"
    KILLED = "killed"
    FAILED = "failed"
    FELL_APART = "fell_apart"
    TURNED = "turned"
    ABOVE_WINDOW = "above_window"
    BEYOND_LIMIT = "beyond_limit"
    DUPLICATE = "duplicate"
    MIRROR_IMAGE = "mirror_image"
    NOT_DRIVABLE = "not_drivable"
    MISSED_TARGET = "missed_target"
    HIGHER_THAN_KEPT = "higher_than_kept"
    UNREACHED = "unreached"
    NO_TOP = "no_top"
    NO_PATH = "no_path"
    LEFT_PATH = "left_path"
    WRONG_CURVATURE = "wrong_curvature"
    NOT_VERIFIED = "not_verified"
    STATES_NOT_CONVERGED = "states_not_converged"
    ENERGY_DIFFERS = "energy_differs"
    # Notes on what was kept:
    HELD = "held"
    OPENED = "opened"
    BONDS_BROKEN_AT_TOP = "bonds_broken_at_top"
    NOISE = "noise"
    PUSHED_OFF = "pushed_off"


FACTS_OF: dict[Code, tuple[type[Frozen], ...]] = {
    Code.KEPT: (),
    Code.ENERGY_AGREES: (Difference,),
    Code.NOT_BUILT: (Error,),
    Code.NOT_CONVERGED: (Error,),
    Code.KILLED: (Error,),
    Code.FAILED: (Error,),
    Code.FELL_APART: (BondChange,),
    Code.TURNED: (Drift,),
    Code.ABOVE_WINDOW: (Above,),
    Code.BEYOND_LIMIT: (Limit,),
    Code.DUPLICATE: (Twin,),
    Code.MIRROR_IMAGE: (Twin,),
    Code.NOT_DRIVABLE: (Error,),
    Code.MISSED_TARGET: (Missed,),
    Code.HIGHER_THAN_KEPT: (Above,),
    Code.UNREACHED: (),
    Code.NO_TOP: (),
    Code.NO_PATH: (Error, Twin),
    Code.LEFT_PATH: (Moved,),
    Code.WRONG_CURVATURE: (Curvature,),
    Code.NOT_VERIFIED: (Error,),
    Code.STATES_NOT_CONVERGED: (Missing,),
    Code.ENERGY_DIFFERS: (Difference,),
    Code.HELD: (Drift,),
    Code.OPENED: (BondChange,),
    Code.BONDS_BROKEN_AT_TOP: (BondChange,),
    Code.NOISE: (Curvature,),
    Code.PUSHED_OFF: (Curvature,),
}
"""The facts that belong to a code: one of these types, or none. An old record may have its old words instead."""


class Note(Frozen):
    """A code with its facts.

    Raises
    ------
    ValueError
        The facts are not of a type that belongs to the code.
    """

    code: Code
    facts: Facts | None = None

    @model_validator(mode="after")
    def _facts_fit(self) -> Note:
        if isinstance(self.facts, (*(FACTS_OF[self.code] or (type(None),)), OldText)):
            return self
        raise ValueError(f"{self.code}: facts of {type(self.facts).__name__}")


class Verdict(Note):
    """What a stage decided about one of its calculations.

    Parameters
    ----------
    label
        What a person knows it by: ISOMER or ISOMER#START for conformers. No program reads it.
    key
        The key of its record; empty where nothing was computed.
    notes
        What to know about it though it was kept.
    purpose
        What the verdict is on; for conformers of the prescreen, the last calculation of it.
    isomer
        The isomer that a conformer is meant to be.
    place
        The point of the scan's grid, each value in degrees or bohr.
    reached
        The measured coordinates of a structure on the scan, each in degrees or bohr.
    origin
        What the structure of a scan's point came from, in words.
    """

    label: str
    key: str
    kept: bool
    notes: tuple[Note, ...] = ()
    purpose: Purpose | None = None
    isomer: str | None = None
    place: tuple[float, ...] | None = None
    reached: tuple[float, ...] | None = None
    origin: str | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_unknown(self, whole: Callable[[Verdict], dict[str, Any]]) -> dict[str, Any]:
        """Leave out what is None or empty: a scan has hundreds of verdicts on one line."""
        return {name: value for name, value in whole(self).items() if value is not None and value not in ((), [])}


def failure(outcome: Outcome) -> Note:
    """Say of what kind a failure is.

    Parameters
    ----------
    outcome
        A `Failure`: a task has no other outcome than that and its own.
    """
    assert isinstance(outcome, Failure)
    codes = {"ConvergenceError": Code.NOT_CONVERGED, "WorkerDied": Code.KILLED}
    code = codes.get(outcome.error_type, Code.FAILED)
    return Note(code=code, facts=Error(type=outcome.error_type, message=outcome.message))
