"""What a run left in `summary.json`, for programs that have the run directory and not its input.

Summaries of older versions are read too: what they do not have is unknown.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, ValidationError

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen

FILE = "summary.json"


class _Told(Frozen):
    """What is written beside these members is not needed here."""

    model_config = ConfigDict(extra="ignore")


class ToldFamily(_Told):
    """The family of conformers that a structure belongs to, as a chemist writes it: "S, bent 18 deg"."""

    name: str


class ToldConformer(_Told):
    """A conformer at one level: `level` is its title, `key` that of its record; no energy where it did not converge."""

    label: str
    isomer: str
    level: str
    key: str
    energy_hartree: float | None = None
    family: ToldFamily | None = None


class ToldPoint(_Told):
    """A point of a profile: `target` in degrees or Angstrom, None for a conformer; energy from the profile's lowest."""

    key: str
    target: tuple[float, ...] | None = None
    relative_energy_kcal_mol: float


class ToldProfile(_Told):
    """Energies over the scanned coordinates ("twist_deg") at one level."""

    coordinates: tuple[str, ...]
    level: str
    points: tuple[ToldPoint, ...]


class RunSummary(_Told):
    """The conformers and profiles of a run, level by level."""

    title: str
    formula: str
    conformers: tuple[ToldConformer, ...]
    profiles: tuple[ToldProfile, ...]


def read_run_summary(directory: Path) -> RunSummary:
    """Read what a run found, as its last stage left it.

    Raises
    ------
    InputError
        No run is there, none of its stages has finished, or the file is damaged.
    """
    path = directory / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        if (directory / "records.jsonl").is_file():
            raise InputError(f"{directory}: no stage of this run has finished (there is no {FILE})") from None
        where = f"{path}: {error.strerror}" if directory.is_dir() else f"{directory}: no such run directory"
        raise InputError(f"{where}; a folder results/NAME belongs here, which `qcdriver run` makes") from None
    try:
        return RunSummary.model_validate_json(content)
    except ValidationError:
        raise InputError(f"{path}: damaged; the `qcdriver run` that wrote it writes it again") from None
