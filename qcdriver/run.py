"""One input and its run directory: what was computed, and what each stage decided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qcdriver.candidates import Candidate, candidates, geometry_of
from qcdriver.config.settings import Settings
from qcdriver.config.variants import run_name
from qcdriver.levels import settled
from qcdriver.records import Records, content_key
from qcdriver.schema import StageRecord, Verdict
from qcdriver.summary import Stages

STAGES = ("prescreen", "scan", "stationary", "interconversion", "dft", "mirror")

_NOT_OF_THE_STAGE = {"device", "dft_points", "dft_within_kcal_mol", "keep_checkpoints"}
"""Where it runs, what it leaves, and what only a later stage does with it."""


@dataclass(frozen=True)
class Run:
    """One input and its run directory; what was computed lives in `records`."""

    settings: Settings
    candidates: list[Candidate]
    records: Records
    directory: Path
    input_path: Path

    def stage_key(self, stage: str) -> str:
        """Hash what a stage starts from and the settings it runs with; the machine is none of them."""
        settings = self.settings
        # Only what differs from the defaults: a new option must not make a finished run unfinished.
        table = getattr(settings, stage).model_dump(mode="json", exclude_defaults=True, exclude=_NOT_OF_THE_STAGE)
        content: dict[str, object] = {"stage": stage, "settings": table}
        if stage == "prescreen":
            content["candidates"] = [[each.label, each.key] for each in self.candidates]
        else:
            content["survivors"] = self._kept("prescreen")
        if stage == "scan":
            content["hold_metal"] = settings.prescreen.hold_metal
            if settings.scan and settings.scan.relax == "dft" and settings.dft:
                content["dft"] = settings.dft.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_OF_THE_STAGE)
        if stage == "stationary":
            content["points"] = self._kept("scan")
        if stage == "dft" and settings.scan and settings.scan.dft_points != "none":
            content["points"] = [self._kept("scan"), settings.scan.dft_points, settings.scan.dft_within_kcal_mol]
        if stage == "mirror":
            content["energies"] = self._kept("dft")
        return content_key(content)

    def _kept(self, stage: str) -> list[str]:
        return [each.key for each in self.verdicts(stage) or () if each.kept]

    def verdicts(self, stage: str) -> tuple[Verdict, ...] | None:
        """Give what a stage decided, None if it has not run with these settings, or is not asked for."""
        if getattr(self.settings, stage) is None:
            return None
        record = self.records.find(self.stage_key(stage))
        return record.verdicts if isinstance(record, StageRecord) else None

    def stages(self) -> Stages:
        """Give the verdicts of all stages that have run."""
        return {stage: found for stage in STAGES if (found := self.verdicts(stage)) is not None}


def open_run(settings: Settings, input_path: Path, results: Path, only_read: bool = False) -> Run:
    """Open, or make, the run directory of an input: `results` / the input's name, of a variant / its label.

    Raises
    ------
    InputError
        The directory cannot be written, or a structure file is broken.
    """
    directory = results / run_name(input_path)
    records = Records(directory, only_read)
    those = candidates(settings, input_path.parent)
    return Run(settled(settings, lambda: geometry_of(those[0])), those, records, directory, input_path)


def wanted_stages(settings: Settings) -> list[str]:
    """List the stages an input asks for."""
    return [stage for stage in STAGES if getattr(settings, stage) is not None]
