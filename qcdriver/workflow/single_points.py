"""`[dft]`: converged single points of the conformers and of chosen points of the scan, each with its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qcdriver import engines
from qcdriver.errors import InputError, input_errors_of
from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Code, Note, Purpose, Verdict, failure
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.conformers import conformers
from qcdriver.workflow.dft import DftSettings, dft_level
from qcdriver.workflow.findings import Dropped, Findings, Profile
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import Refinement, conformers_to_compute, most_conformers, on_conformers
from qcdriver.workflow.scan.findings import dft_profile
from qcdriver.workflow.scan.landscape import chosen_for_dft
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, seeds_of
from qcdriver.workflow.scan.stage import Scan, landscape, require_landscape

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input


class SinglePoints(Stage[DftSettings]):
    """Single points by DFT on what the prescreen kept, and on points of the scan."""

    name = "dft"
    example = '[dft]\nmethod = "PBE"\nbasis = "def2-SVP"\nkeywords = { dispersion = "d3bj" }\n'
    Settings = DftSettings
    after = (Prescreen, Scan, Refinement)
    orbitals_of = (Refinement,)
    not_in_key = frozenset({"device"})
    not_in_any_key = frozenset({"keep_checkpoints"})

    def waits_for(self, run: RunView) -> tuple[type[Stage[Any]], ...]:
        """Wait for the scan only where points of it are computed."""
        return tuple(stage for stage in super().waits_for(run) if stage is not Scan or _most_points(run))

    def settle(self, table: DftSettings, tables: Input, molecule: Callable[[], Molecule]) -> DftSettings:
        """Put one value in the place of every keyword that is "auto".

        It follows from the input and the molecule's composition alone, so that a run has one level on every machine
        and node: the memory is the least that the input allots to DFT.
        """
        engine = engines.find(table.engine)
        with input_errors_of(f"[{self.name}]"):
            keywords = engine.keywords(table.keywords)
        undecided = [name for name, value in keywords.model_dump(mode="json").items() if value == "auto"]
        if not undecided:
            return table
        machine = tables.resources
        of_a_task = machine.of(self.name).memory_mb
        allotted = [memory for memory in (machine.memory_mb, of_a_task and int(0.8 * of_a_task)) if memory]
        if not allotted:
            raise InputError(
                f"{self.name}.keywords.{undecided[0]} = 'auto' needs [resources] memory_mb, so that every machine "
                "chooses the same"
            )
        model = Model(method=table.method, basis=table.basis)
        chosen = engine.settle(molecule(), model, keywords, min(allotted)).model_dump(mode="json")
        values = {**table.keywords, **{name: chosen[name] for name in undecided}}
        return table.model_copy(update={"keywords": values})

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            level = run.plan(SinglePoints).levels[0]
            for molecule in molecules:
                engines.check(molecule, level)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the conformers, and what fixes the points of the scan: their places, or the points themselves."""
        content: dict[str, JsonValue] = {"survivors": kept_keys(on_conformers(run))}
        scan = run.table(ScanSettings)
        if scan and scan.dft_points == "none":
            content["coordinates"] = scan.model_dump(mode="json", include={"coordinate"})["coordinate"]
        elif scan:
            chosen = scan.model_dump(mode="json", include={"dft_points"})["dft_points"]
            content["points"] = [kept_keys(run.verdicts(Scan)), chosen, scan.dft_within_kcal_mol]
        return content

    def plan(self, run: RunView) -> Plan:
        """Name the level and the device; count the points."""
        level, device, sentence = dft_level(self.settings(run))
        return Plan(levels=(level,), sentence=sentence, calculations=_calculations(run), device=device)

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a single point."""
        return (JobArray(width=most_conformers(run) + _most_points(run), work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Compute every geometry once."""
        return single_points(_geometries(run), plan.levels[0])

    def findings(self, run: RunView) -> Findings | None:
        """Return the conformers and the profile at this level, and what did not converge."""
        verdicts = run.verdicts(SinglePoints)
        if verdicts is None:
            return None
        known = {verdict.label: verdict for verdict in on_conformers(run) or () if verdict.kept}
        profile = _profile(run, verdicts)
        return Findings(
            conformers=tuple(conformers([verdict for verdict in verdicts if verdict.label in known], known, run)),
            profiles=(profile,) if profile else (),
            failed=tuple(
                Dropped(stage=self.name, label=verdict.label, verdict=verdict)
                for verdict in verdicts
                if not verdict.kept
            ),
        )


def _most_points(run: RunView) -> int:
    """Count the points of the scan that get a single point, at most."""
    scan = run.table(ScanSettings)
    if scan is None or scan.dft_points == "none":
        return 0
    return 1 if scan.dft_points == "top" else len(scan.places or ()) or scan.n_points


def _calculations(run: RunView) -> str:
    most, scan = min(most_conformers(run), len(run.candidates)), run.table(ScanSettings)
    conformers = f"up to {most} conformers" if most > 1 else "1 conformer"
    count = _most_points(run)
    if scan is None or not count:
        return conformers
    if scan.dft_points == "stationary":
        return f"{conformers} and the minima and passes of the grid"
    return f"{conformers} and up to {count} point{'s' * (count != 1)} of the scan"


def _geometries(run: RunView) -> list[Geometry]:
    """List the conformers, and the points of the scan that the input chooses."""
    scan, geometries = run.table(ScanSettings), []
    for verdict, molecule in conformers_to_compute(run):
        place = None
        if scan and verdict.purpose is not Purpose.REFINEMENT:  # the points of the scan are not relaxed at this level
            grid = scan_grid(scan, molecule)
            place = seeds_of(scan, grid, verdict.label, verdict.key, molecule)[0].values
        geometries.append(Geometry(verdict.label, molecule, verdict.key, place, isomer=verdict.isomer))
    if scan and scan.dft_points != "none":
        geometries += [
            Geometry(
                point.verdict.label,
                point.molecule,
                point.verdict.key,
                point.verdict.reached,
                place=point.verdict.place,
                origin=point.verdict.origin,
            )
            for point in chosen_for_dft(scan, require_landscape(run))
        ]
    return geometries


def _profile(run: RunView, verdicts: Sequence[Verdict]) -> Profile | None:
    """Return the profile of what was kept and lies on the scanned coordinates."""
    scan, found = run.table(ScanSettings), landscape(run)
    if scan is None or found is None:
        return None
    located = [
        (verdict, run.record(verdict.key)) for verdict in verdicts if verdict.kept and verdict.reached is not None
    ]
    targets = {point.record.key: index for index, point in found.points.items()}
    return dft_profile(scan, found.grid, located, targets)


@dataclass(frozen=True)
class Geometry:
    """A geometry that waits for its single point, and the key of the record it comes from.

    `reached`: where it lies on the scanned coordinates, if it does. `isomer` of a conformer; `place` and `origin` of a
    point of the scan, as in its verdict.
    """

    label: str
    molecule: Molecule
    key: str
    reached: tuple[float, ...] | None = None
    isomer: str | None = None
    place: tuple[float, ...] | None = None
    origin: str | None = None


def single_points(geometries: Sequence[Geometry], level: Level) -> Rounds:
    """Compute every geometry at one level; a failed point has its error in its verdict."""
    records = yield [
        alone(Job(geometry.label, _task(geometry.molecule, level), Purpose.SINGLE_POINT, (geometry.key,)))
        for geometry in geometries
    ]
    return [
        judged(geometry.label, record, geometry.isomer, geometry.origin).model_copy(
            update={"place": geometry.place, "reached": geometry.reached}
        )
        for geometry, record in zip(geometries, records, strict=True)
    ]


def judged(label: str, record: TaskRecord, isomer: str | None, origin: str | None) -> Verdict:
    """Judge a single point: it has a number, or its error says why not."""
    kept = isinstance(record.outcome, Result)
    found = Note(code=Code.KEPT) if kept else failure(record.outcome)
    return Verdict(
        label=label,
        key=record.key,
        kept=kept,
        code=found.code,
        facts=found.facts,
        purpose=Purpose.SINGLE_POINT,
        isomer=isomer,
        origin=origin,
    )


def _task(molecule: Molecule, level: Level) -> SinglePoint:
    return SinglePoint(molecule=molecule, level=level, driver="energy")
