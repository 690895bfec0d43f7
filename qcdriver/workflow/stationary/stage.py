"""The search for stationary points as a stage: from the minima and passes of a finished scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcdriver.errors import input_errors_of
from qcdriver.models.molecule import Molecule
from qcdriver.units import EV_PER_ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import Plan, Rounds, RunView, Stage, kept_keys
from qcdriver.workflow.findings import Findings
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.stage import Scan, landscape, require_landscape
from qcdriver.workflow.stationary.networks import failed_points, merged_points, refined_connections
from qcdriver.workflow.stationary.rounds import stationary
from qcdriver.workflow.stationary.settings import Search, StationarySettings
from qcdriver.workflow.stationary.starts import minima_of, routes_over_passes
from qcdriver.workflow.stationary.verification import core_atoms

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input


class Stationary(Stage[StationarySettings]):
    """Minima and saddles, relaxed freely at the scan's level and verified by their vibrations."""

    name = "stationary"
    Settings = StationarySettings
    after = (Scan,)

    def check_tables(self, tables: Input) -> None:
        """Refuse a search without a grid to start from, and one for minima of held metal."""
        if tables.table(StationarySettings) is None:
            return
        if tables.table(ScanSettings) is None:
            raise ValueError("[stationary] needs a table [scan], from whose grid it starts")
        prescreen = tables.table(PrescreenSettings)
        if prescreen and prescreen.hold_metal:
            raise ValueError("[stationary] needs prescreen.hold_metal = false: held metal has no free minimum")

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Refuse the vibrations of a core that is not there."""
        if self.settings(run).core_only:
            with input_errors_of(f"[{self.name}]"):
                for molecule in molecules:
                    core_atoms(molecule)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the survivors and the points of the scan."""
        content: dict[str, JsonValue] = {
            "survivors": kept_keys(run.verdicts(Prescreen)),
            "points": kept_keys(run.verdicts(Scan)),
        }
        if (to_lose := _metal_bonds_to_lose(run)) is not None:
            content["metal_bonds_to_lose"] = to_lose
        return content

    def plan(self, run: RunView) -> Plan:
        """Take the level and the device of the scan."""
        scan = run.plan(Scan)
        return Plan(
            levels=scan.levels,
            sentence=scan.sentence,
            calculations=f"a band of {self.settings(run).images} images over each pass of the scan, and vibrations",
            device=scan.device,
        )

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Relax the minima, climb the passes between them, verify both."""
        settings, found = self.settings(run), require_landscape(run)
        search = Search(
            level=plan.levels[0],
            convergence=settings.threshold.convergence,
            n_images=settings.images,
            max_force=settings.max_force_ev_angstrom / EV_PER_ANGSTROM,
            max_steps=settings.max_steps,
            core_only=settings.core_only,
            duplicate=settings.duplicate_kcal_mol / KCAL_MOL,
            duplicate_angstrom=settings.duplicate_angstrom,
            metal_bonds_to_lose=_metal_bonds_to_lose(run),
        )
        return stationary(minima_of(found), routes_over_passes(found), search)

    def findings(self, run: RunView) -> Findings | None:
        """Return the network of what was verified, and what was not."""
        verdicts, found = run.verdicts(Stationary), landscape(run)
        if verdicts is None:
            return None
        network = refined_connections(found, verdicts, run.records) if found else None
        return Findings(
            networks=(network,) if network else (),
            dropped=tuple(merged_points(verdicts)),
            failed=tuple(failed_points(verdicts)),
        )


def _metal_bonds_to_lose(run: RunView) -> float | None:
    prescreen = run.table(PrescreenSettings)
    return prescreen.metal_bonds_to_lose if prescreen else None
