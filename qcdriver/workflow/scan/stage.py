"""The scan as a stage: one or two coordinates driven over a grid from the lowest conformer of each isomer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qcdriver import engines
from qcdriver.engines import Device
from qcdriver.errors import InputError, input_errors_of
from qcdriver.geometry.coordinates import measured
from qcdriver.geometry.same_molecule import require_same_bonds
from qcdriver.geometry.topology import find_topology, stereocentres
from qcdriver.models.coordinates import held
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.optimize.driving import driven
from qcdriver.systems.base import Candidate
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.base import Plan, Rounds, RunView, Stage, kept_keys
from qcdriver.workflow.dft import DftSettings, dft_level
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.levels import relaxation_level
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen, survivors_for_isomers
from qcdriver.workflow.scan.connections import grid_connections
from qcdriver.workflow.scan.findings import holes, scan_checks, scan_profile
from qcdriver.workflow.scan.grid import Grid
from qcdriver.workflow.scan.landscape import Landscape, read_landscape
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, scanned_coordinates, seeds_of
from qcdriver.workflow.scan.wavefront import Seed

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input

_LITTLE = 0.1
"""Degrees or bohr, by which a coordinate must be drivable."""


class Scan(Stage[ScanSettings]):
    """The profile or map of a coordinate or two, all else relaxed."""

    name = "scan"
    example = """[scan]
[[scan.coordinate]]     # one, or two for a map
kind = "dihedral"       # or distance, angle, twist, belt, combination
atoms = [0, 1, 2, 3]    # counted from 0
start_deg = 0
stop_deg = 180
step_deg = 15
"""
    Settings = ScanSettings
    after = (Prescreen,)
    not_in_key = frozenset({"dft_points", "dft_within_kcal_mol"})  # only the single points follow from these

    def check_tables(self, tables: Input) -> None:
        """Refuse a scan by DFT that nothing describes."""
        table = tables.table(ScanSettings)
        if table and table.relax == "dft" and tables.table(DftSettings) is None:
            raise ValueError('scan.relax = "dft" needs a table [dft]')

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            level, _, _ = self._level(run)
            for molecule in molecules:
                engines.check(molecule, level, "gradient")

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Refuse molecules that make no profile, and coordinates that cannot be driven in them."""
        settings = self.settings(run)
        _require_conformers(run.candidates, settings)
        for molecule in molecules:
            _require_drivable(settings, molecule)
            _refuse_other_hand(settings, molecule)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the survivors, whether metal is held, and the level if it is not the prescreen's."""
        prescreen, dft = run.table(PrescreenSettings), run.table(DftSettings)
        assert prescreen is not None
        content: dict[str, JsonValue] = {
            "survivors": kept_keys(run.verdicts(Prescreen)),
            "hold_metal": prescreen.hold_metal,
        }
        if prescreen.metal_bonds_to_lose is not None:
            content["metal_bonds_to_lose"] = prescreen.metal_bonds_to_lose
        if bounds := prescreen.bounds.model_dump(exclude_none=True):
            content["bounds"] = bounds
        if self.settings(run).relax == "dft" and dft:
            content["dft"] = dft.model_dump(mode="json", exclude_defaults=True, exclude={"device", "keep_checkpoints"})
        return content

    def plan(self, run: RunView) -> Plan:
        """Count the unique points of the grid; the level is the prescreen's or that of [dft]."""
        settings = self.settings(run)
        level, device, sentence = self._level(run)
        grid = scan_grid(settings, run.molecule)
        isomers = len({candidate.isomer for candidate in run.candidates})
        return Plan(
            levels=(level,),
            sentence=sentence,
            device=device,
            calculations=f"{len(grid.unique)} points or more",
            expected=len(grid.unique),
            # A front is two points wide on a profile; on a map it grows to the shorter side of the grid.
            side_by_side=2 * isomers * (min(map(len, grid.axes)) if len(grid.axes) > 1 else 1),
        )

    def _level(self, run: RunView) -> tuple[Level, Device, str]:
        """Return the level of the relaxations, the device, and a sentence that says both."""
        prescreen, dft = run.table(PrescreenSettings), run.table(DftSettings)
        assert prescreen is not None
        if self.settings(run).relax == "dft" and dft:
            return dft_level(dft)
        level, sentence = relaxation_level(prescreen)
        return level, "cpu", sentence

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Relax over the grid from every side."""
        settings, prescreen = self.settings(run), run.table(PrescreenSettings)
        assert prescreen is not None
        grid, seeds = _grid_and_seeds(run, settings)
        ceiling = settings.ceiling_kcal_mol
        return scan(
            seeds,
            grid,
            RelaxationSettings(
                plan.levels[0], settings.threshold.convergence, prescreen.hold_metal, prescreen.metal_bonds_to_lose
            ),
            settings.improvement_kcal_mol / KCAL_MOL,
            None if ceiling is None else ceiling / KCAL_MOL,
        )

    def findings(self, run: RunView) -> Findings | None:
        """Return the profile or map, its network, and the check by the mirror image."""
        verdicts, found = run.verdicts(Scan), landscape(run)
        if verdicts is None:
            return None
        profile = scan_profile(self.settings(run), found, _conformers(run)) if found else None
        network = grid_connections(found) if found else None
        missing = holes(found, verdicts) if found else []
        return Findings(
            profiles=(profile,) if profile else (),
            networks=(network,) if network else (),
            mirror_checks=tuple(scan_checks(verdicts, run.records)),
            dropped=tuple(_dropped(verdict) for verdict in verdicts if not verdict.kept),
            failed=(
                *missing,
                *(
                    _dropped(verdict)
                    for verdict in verdicts
                    if verdict.purpose is Purpose.SCAN_CHECK and not verdict.kept
                ),
            ),
        )


def landscape(run: RunView) -> Landscape | None:
    """Read what a finished scan left on its grid; None if there is none."""
    settings, verdicts = run.table(ScanSettings), run.verdicts(Scan)
    kept = [verdict for verdict in run.verdicts(Prescreen) or () if verdict.kept]
    if settings is None or verdicts is None or not kept:
        return None
    molecule = run.record(kept[0].key).molecule
    assert molecule is not None
    return read_landscape(scan_grid(settings, molecule), verdicts, run.records)


def require_landscape(run: RunView) -> Landscape:
    """Read what the scan left.

    Raises
    ------
    InputError
        It has not finished with this input.
    """
    run.require(Scan)
    found = landscape(run)
    assert found is not None
    return found


def _conformers(run: RunView) -> dict[str, TaskRecord]:
    """Return the records of the conformers that the prescreen kept, by their labels."""
    return {verdict.label: run.record(verdict.key) for verdict in run.verdicts(Prescreen) or () if verdict.kept}


def _dropped(verdict: Verdict) -> Dropped:
    return Dropped(stage=Scan.name, label=verdict.label, verdict=verdict)


def _grid_and_seeds(run: RunView, settings: ScanSettings) -> tuple[Grid, list[Seed]]:
    """Make the grid, and start from what stands for each isomer, wherever on it symmetry puts it."""
    best = survivors_for_isomers(run)
    if not best:
        raise InputError(f"{run.directory}: no conformer survived the prescreen, so the scan has nowhere to start")
    grid = scan_grid(settings, best[0][1])
    seeds = [
        seed for verdict, molecule in best for seed in seeds_of(settings, grid, verdict.label, verdict.key, molecule)
    ]
    return grid, seeds


def _require_conformers(candidates: Sequence[Candidate], settings: ScanSettings) -> None:
    """Refuse a scan over molecules that are no conformers of one another: their energies make no profile.

    Where the scan counts atoms, their order has to be one, too.

    Raises
    ------
    InputError
    """
    read = [
        (f"structure.isomers.{candidate.isomer}", candidate.origin)
        for candidate in candidates
        if isinstance(candidate.origin, Molecule)
    ]
    if not read:
        return
    first, known = read[0]
    bonds = find_topology(known)
    for name, molecule in read[1:]:
        others = find_topology(molecule)
        try:
            require_same_bonds((known, molecule), (bonds, others), (first, name))
        except InputError as error:
            raise InputError(f"{error}; [scan] takes conformers of one molecule") from None
        if settings.counts_atoms and (strange := np.flatnonzero(bonds.classes != others.classes)).size:
            raise InputError(
                f"{name}: atom {strange[0]} is not the same as in {first}; scan.coordinate counts atoms, "
                "so all files have them in one order"
            )


def _require_drivable(settings: ScanSettings, molecule: Molecule) -> None:
    near = [coordinate.grid[0] for coordinate in settings.coordinate]
    for number, coordinate in enumerate(scanned_coordinates(settings, molecule, near)):
        try:
            driven(molecule, [held(coordinate, measured(coordinate, molecule.geometry) + _LITTLE)])
        except InputError as error:
            raise InputError(f"scan.coordinate.{number}: {error}") from None


def _refuse_other_hand(settings: ScanSettings, molecule: Molecule) -> None:
    """Refuse to take the mirror image of a molecule with a stereocentre for the same molecule."""
    if settings.mirror and (centres := stereocentres(find_topology(molecule))):
        raise InputError(
            f"scan.mirror = true: atom {centres[0]} has four different neighbours, so the mirror image may be another "
            "molecule; leave mirror out, and every point is computed"
        )
