"""`[mirror]`: a mirror image must have the energy of its conformer; a check on the whole chain of computation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Code, Difference, Note, Purpose, Verdict, failure
from qcdriver.workflow.base import Job, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.dft import DftSettings
from qcdriver.workflow.findings import Dropped, Findings, MirrorCheck
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.scan.stage import Scan
from qcdriver.workflow.single_points import SinglePoints

if TYPE_CHECKING:
    from pydantic import JsonValue


class MirrorSettings(Frozen):
    """`[mirror]`: the mirror image of the lowest conformer is computed too, at the level that ranks last.

    Equal within `tolerance_hartree`, the two show that the level is sound there; what is not is a failure of the run.
    """

    tolerance_hartree: float = Field(default=1e-6, gt=0)


class Mirror(Stage[MirrorSettings]):
    """The mirror image of the lowest conformer, computed from its own guess."""

    name = "mirror"
    Settings = MirrorSettings
    after = (Prescreen, Scan, SinglePoints)

    def resources_of(self, run: RunView) -> type[Stage[Any]]:
        """Take those of the stage that ranks: it is one more calculation of that kind."""
        return _ranking(run)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the survivors and the single points."""
        return {"survivors": kept_keys(run.verdicts(Prescreen)), "energies": kept_keys(run.verdicts(SinglePoints))}

    def plan(self, run: RunView) -> Plan:
        """Take level and device of the stage that ranks."""
        ranking = run.plan(_ranking(run))
        return ranking.model_copy(update={"calculations": "1 mirror image", "expected": None, "side_by_side": None})

    def rounds(self, run: RunView, plan: Plan) -> Rounds:  # noqa: ARG002
        """Compute one mirror image."""
        label, lowest = _lowest(run)
        molecule, result = lowest.molecule, lowest.result
        assert molecule is not None
        assert result is not None
        return mirror(label, lowest.key, molecule, result.energy, lowest.level, self.settings(run).tolerance_hartree)

    def findings(self, run: RunView) -> Findings | None:
        """Return whether the two energies are equal."""
        verdicts = run.verdicts(Mirror)
        if verdicts is None:
            return None
        return Findings(
            mirror_checks=tuple(
                MirrorCheck(
                    label=verdict.label,
                    key=verdict.key,
                    level=engines.title(run.record(verdict.key).level),
                    passed=verdict.kept,
                    verdict=verdict,
                )
                for verdict in verdicts
            ),
            failed=tuple(
                Dropped(stage=self.name, label=verdict.label, verdict=verdict)
                for verdict in verdicts
                if not verdict.kept
            ),
        )


def _ranking(run: RunView) -> type[Stage[Any]]:
    """Return the stage whose energies rank last: the single points, where there are any."""
    return Prescreen if run.table(DftSettings) is None else SinglePoints


def _lowest(run: RunView) -> tuple[str, TaskRecord]:
    """Return the lowest conformer at the level that ranks last: its label and its record."""
    survivors = {verdict.label for verdict in run.require(Prescreen) if verdict.kept}
    ranked = [verdict for verdict in run.require(_ranking(run)) if verdict.kept and verdict.label in survivors]
    found = [
        (record.result.energy, verdict.label, record)
        for verdict in ranked
        if (record := run.record(verdict.key)).result is not None
    ]
    if not found:
        raise InputError(f"{run.directory}: no conformer has an energy to compare its mirror image with")
    _, label, record = min(found, key=lambda conformer: conformer[0])
    return label, record


def mirror(label: str, key: str, molecule: Molecule, energy: float, level: Level, tolerance: float) -> Rounds:
    """Compute the mirror image of a conformer at the level its own energy (hartree) was computed at.

    Returns
    -------
    One verdict, which says by how much (hartree) the two differ; kept if that is within the tolerance.
    """
    task = SinglePoint(molecule=molecule.mirrored(), level=level, driver="energy")
    (record,) = yield [
        alone(Job(f"mirror image of {label}", task, Purpose.MIRROR_IMAGE, (key,), independent_start=True))
    ]
    agrees = False
    if isinstance(record.outcome, Result):
        difference = Difference(hartree=record.outcome.energy - energy, tolerance=tolerance, against=label)
        agrees = abs(difference.hartree) <= tolerance
        found = Note(code=Code.ENERGY_AGREES if agrees else Code.ENERGY_DIFFERS, facts=difference)
    else:
        found = failure(record.outcome)
    return [
        Verdict(
            label=record.label,
            key=record.key,
            kept=agrees,
            code=found.code,
            facts=found.facts,
            purpose=Purpose.MIRROR_IMAGE,
        )
    ]
