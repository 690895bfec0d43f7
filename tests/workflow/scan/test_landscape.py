"""What the records of a scan say, on a model: hysteresis, breaks, and which points are chosen for DFT.

Branch A (O-O 2.5 bohr) has its minimum at 0 deg, branch B (2.9 bohr) at 36 deg, 0.001 hartree lower; they cross between
12 and 18 deg, and nothing but a seed leads from one to the other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qcdriver.models.coordinates import Torsion
from qcdriver.models.level import Convergence, Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import follow
from qcdriver.workflow.findings import Profile
from qcdriver.workflow.scan.findings import scan_profile
from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.scan.landscape import Landscape, breaks, chosen_for_dft, read_landscape
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.wavefront import Seed

COORDINATE = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
GRID = Grid((tuple(float(value) for value in range(0, 37, 6)),), (360.0,), (False,), (Operation((1,)),))
HOW = RelaxationSettings(
    Level(engine="model", engine_version="1", model=Model(method="two branches")),
    Convergence(max_force=1e-4, energy_change=1e-6, max_steps=10),
)
BRANCH = {"A": 2.5, "B": 2.9}


def molecule(branch: str) -> Molecule:
    long = BRANCH[branch]
    turned = [[0, 0, 0], [long, 0, 0], [-0.5, 1.7, 0], [long + 0.5, 0, 1.7]]
    return Molecule(symbols=("O", "O", "H", "H"), geometry=turned)


def energy_and_slope(branch: str, value: float) -> tuple[float, float]:
    minimum, bottom = {"A": (0.0, 0.0), "B": (36.0, -0.001)}[branch]
    return bottom + 0.01 * ((value - minimum) / 36) ** 2, 0.02 * (value - minimum) / 36**2


class Answers:
    """Answers relaxations from the formula, and finds records as a store does."""

    def __init__(self):
        self.records: dict[str, TaskRecord] = {}

    def __call__(self, lines):
        return [self.answer(line) for line in lines]

    def find(self, key: str) -> TaskRecord | None:
        return self.records.get(key)

    def answer(self, line):
        job = next(line)
        value = job.task.targets[0].value_deg
        long = np.linalg.norm(job.task.molecule.geometry[1] - job.task.molecule.geometry[0])
        energy, slope = energy_and_slope("A" if long < 2.7 else "B", value)
        relaxed = Relaxed(
            molecule=job.task.molecule,
            result=Result(energy=energy),
            energies=(0.0,),
            n_gradients=1,
            max_force=0.0,
            reached=(value,),
            slopes=(slope,),
        )
        record = TaskRecord(
            key=job.label,
            stage="scan",
            label=job.label,
            task=job.task,
            outcome=relaxed,
            provenance=None,
            parents=job.parents,
        )
        self.records[job.label] = record
        with pytest.raises(StopIteration) as end:
            line.send(record)
        return end.value.value


@pytest.fixture(scope="module")
def landscape():
    run = Answers()
    seeds = [Seed(each, each, molecule(each), (COORDINATE,), (0.0 if each == "A" else 36.0,)) for each in BRANCH]
    verdicts = follow(scan(seeds, GRID, HOW, 1e-6), run)
    return read_landscape(GRID, verdicts, run)


def test_every_point_has_the_lower_branch_at_its_place(landscape):
    assert len(landscape.points) == len(GRID.axes[0])
    for (k,), point in landscape.points.items():
        lower = min(energy_and_slope(each, GRID.axes[0][k])[0] for each in BRANCH)
        assert point.energy == pytest.approx(lower)


def test_a_point_reached_from_both_sides_tells_both_energies(landscape):
    """Where the branches meet, what came from below is branch A and what came from above is branch B."""
    met = {index: sides[0] for index, sides in landscape.arrived.items() if None not in sides[0]}
    assert met
    for (k,), (below, above) in met.items():
        value = GRID.axes[0][k]
        assert (below, above) == (energy_and_slope("A", value)[0], energy_and_slope("B", value)[0])


def conformer_record(name: str, energy: float) -> TaskRecord:
    """Give the record of a conformer that the scan started from, relaxed freely."""
    relaxed = Relaxed(
        molecule=molecule(name), result=Result(energy=energy), energies=(0.0,), n_gradients=1, max_force=0.0
    )
    task = Relaxation(molecule=molecule(name), level=HOW.level, convergence=HOW.convergence)
    return TaskRecord(key=name, stage="prescreen", label=name, task=task, outcome=relaxed, provenance=None)


def profile_from(landscape: Landscape, a: float = 0.0, b: float = -0.001) -> Profile:
    settings = ScanSettings(
        coordinate=[{"kind": "dihedral", "atoms": [2, 0, 1, 3], "start_deg": 0, "stop_deg": 36, "step_deg": 6}]
    )
    return scan_profile(settings, landscape, {"A": conformer_record("A", a), "B": conformer_record("B", b)})


def test_each_conformer_has_its_branch_and_the_profile_is_the_lower_of_them(landscape):
    profile = profile_from(landscape)
    branches = {branch.conformer: {point.target[0]: point for point in branch.points} for branch in profile.branches}
    for name, points in branches.items():
        for value, point in points.items():
            expected = (energy_and_slope(name, value)[0] + 0.001) * KCAL_MOL
            assert point.relative_energy_kcal_mol == pytest.approx(expected)
    assert branches["A"].keys() & branches["B"].keys(), "where they met, both are known"
    lowest = {value: name for name, points in branches.items() for value, point in points.items() if point.lowest}
    assert "".join(lowest[value] for value in GRID.axes[0]) == "AAABBBB"
    assert profile.crossings == (((12.0,), (18.0,)),)


def test_points_below_the_conformers_that_started_the_scan_say_so(landscape):
    below = {point.target[0]: point.below_start_kcal_mol for point in profile_from(landscape, b=0.004).points}
    assert below[36.0] == pytest.approx(0.001 * KCAL_MOL)  # A, at 0, is the lowest conformer
    assert {value for value, by in below.items() if by is not None} == {30.0, 36.0}
    assert all(point.below_start_kcal_mol is None for point in profile_from(landscape).points)


def test_where_records_do_not_know_their_parents_there_are_no_branches(landscape):
    assert profile_from(replace(landscape, branches={"A": landscape.branches["A"]})).branches == ()


def test_the_break_lies_where_the_branches_cross_and_tells_how_far_atoms_are_apart(landscape):
    (found,) = breaks(landscape, tolerance=1e-5)
    assert [GRID.values(index)[0] for index in found.between] == [12.0, 18.0]
    assert found.moved_angstrom == pytest.approx(0.2 * ANGSTROM, rel=0.2)  # the bond is 0.4 bohr longer, half to a side


def test_a_smooth_branch_has_no_break():
    run = Answers()
    seeds = [Seed("A", "A", molecule("A"), (COORDINATE,), (0.0,))]
    verdicts = follow(scan(seeds, GRID, HOW, 1e-6), run)
    assert breaks(read_landscape(GRID, verdicts, run), tolerance=1e-5) == []


MIRRORED = Grid(GRID.axes, (72.0,), (False,), (Operation((1,)), Operation((-1,), mirrored=True)))
"""The same with mirror planes at 0 and 36 deg, where branch A and its mirror image cross uphill."""


class OtherHand(Answers):
    """At 36 deg it keeps the mirror image of what came there, which slopes down."""

    def answer(self, line):
        record = super().answer(line)
        relaxed = record.outcome
        if relaxed.reached == (36.0,):
            relaxed = relaxed.model_copy(update={"slopes": (-relaxed.slopes[0],)})
            record = self.records[record.key] = record.model_copy(update={"outcome": relaxed})
        return record


@pytest.mark.parametrize("run", [Answers(), OtherHand()], ids=["one hand", "the other"])
def test_a_slope_that_does_not_vanish_at_a_mirror_plane_is_a_break(run):
    """By the formula it is 0.02 / 36 hartree/deg there; whichever hand was kept, one leads down to the neighbour."""
    verdicts = follow(scan([Seed("A", "A", molecule("A"), (COORDINATE,), (0.0,))], MIRRORED, HOW, 1e-6), run)
    (found,) = breaks(read_landscape(MIRRORED, verdicts, run), tolerance=1e-5)
    assert [MIRRORED.values(index) for index in found.between] == [(36.0,), (36.0,)]
    assert abs(found.off) == pytest.approx(0.02 / 36 * 6)
    assert found.moved_angstrom > 0.1


class Symmetric(Answers):
    """At 36 deg the structure is its own mirror image, but for a slope that its residual forces leave."""

    def answer(self, line):
        record = super().answer(line)
        relaxed = record.outcome
        if relaxed.reached == (36.0,):
            flat = relaxed.molecule.moved(relaxed.molecule.geometry * [1, 1, 0.02])
            relaxed = relaxed.model_copy(update={"molecule": flat})
            record = self.records[record.key] = record.model_copy(update={"outcome": relaxed})
        return record


def test_a_structure_that_is_its_own_image_does_not_break_there():
    run = Symmetric()
    verdicts = follow(scan([Seed("A", "A", molecule("A"), (COORDINATE,), (0.0,))], MIRRORED, HOW, 1e-6), run)
    assert breaks(read_landscape(MIRRORED, verdicts, run), tolerance=1e-5) == []


def test_a_valley_across_a_mirror_plane_is_no_break():
    run = Answers()
    seeds = [Seed(each, each, molecule(each), (COORDINATE,), (0.0 if each == "A" else 36.0,)) for each in BRANCH]
    verdicts = follow(scan(seeds, MIRRORED, HOW, 1e-6), run)
    (found,) = breaks(read_landscape(MIRRORED, verdicts, run), tolerance=1e-5)
    assert [MIRRORED.values(index)[0] for index in found.between] == [12.0, 18.0]


def test_what_is_the_same_from_the_other_end_has_no_slope_there_either():
    """A belt that is an image of itself only from the other end of a rod: laid on that, no atom would seem to move."""
    grid = Grid(GRID.axes, (72.0,), (False,), (Operation((1,)), Operation((-1,), flipped=True)))
    run = Answers()
    verdicts = follow(scan([Seed("A", "A", molecule("A"), (COORDINATE,), (0.0,))], grid, HOW, 1e-6), run)
    (found,) = breaks(read_landscape(grid, verdicts, run), tolerance=1e-5)
    assert found.between == ((6,), (6,))
    assert found.moved_angstrom is None


@pytest.mark.parametrize(
    ("wanted", "within", "values"),
    [
        ("top", None, [18.0]),
        ("none", None, []),
        ("stationary", None, [0.0, 18.0, 36.0]),
        ((6, 30), None, [6.0, 30.0]),
        ("all", 0.3, [30.0, 36.0]),
    ],
)
def test_dft_gets_the_points_that_were_asked_for(landscape, wanted, within, values):
    """By the formula: the top is B at 18 deg; at 30 deg B lies 0.17 kcal/mol above its minimum, at 24 deg 0.7."""
    axis = {"kind": "dihedral", "atoms": (2, 0, 1, 3), "start_deg": 0, "stop_deg": 36, "step_deg": 6}
    settings = ScanSettings(coordinate=(axis,), dft_points=wanted, dft_within_kcal_mol=within)
    found = chosen_for_dft(settings, landscape)
    assert [each.relaxed.reached[0] for each in found] == values
    lowest = min(point.energy for point in landscape.points.values())
    assert within is None or all((each.energy - lowest) * KCAL_MOL <= within for each in found)
