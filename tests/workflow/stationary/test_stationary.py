"""From a scan to its stationary points, with a real method: barriers are those of a fine direct scan, and verified."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from qcdriver.engines import find
from qcdriver.errors import InputError, QcdriverError
from qcdriver.execution.local.execute import execute
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Code, Purpose
from qcdriver.optimize.relax import relax
from qcdriver.report.sentences import sentence
from qcdriver.report.tables.networks import print_network
from qcdriver.store import Records, task_key
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.base import Job, follow
from qcdriver.workflow.scan.connections import grid_connections
from qcdriver.workflow.scan.landscape import read_landscape
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, seeds_of
from qcdriver.workflow.stationary.networks import failed_points, merged_points, refined_connections
from qcdriver.workflow.stationary.rounds import stationary
from qcdriver.workflow.stationary.saddles import climbed
from qcdriver.workflow.stationary.settings import GridPoint, Search
from qcdriver.workflow.stationary.starts import minima_of, routes_over_passes
from qcdriver.workflow.stationary.verification import core_atoms

TORSION = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
TIGHT = Convergence(max_force=1e-4, energy_change=1e-8, max_steps=200)


def peroxide(torsion_deg, symbol="O", scale=1.0):
    turn = np.radians(torsion_deg)
    far = [3.1, 1.8 * np.cos(turn), 1.8 * np.sin(turn)]
    places = scale * np.array([[0, 0, 0], [2.7, 0, 0], [-0.4, 1.8, 0], far])
    return Molecule(symbols=(symbol, symbol, "H", "H"), geometry=places)


def disulfane(torsion_deg):
    return peroxide(torsion_deg, "S", 1.4)


def ethane(torsion_deg):
    symbols, places = ["C", "C"], [[0.0, 0.0, 0.0], [2.9, 0.0, 0.0]]
    for x, first in ((-0.7, 0), (3.6, torsion_deg)):
        for turn in np.radians(first + np.array([0, 120, 240])):
            symbols.append("H")
            places.append([x, 1.95 * np.cos(turn), 1.95 * np.sin(turn)])
    return Molecule(symbols=tuple(symbols), geometry=places)


class Gfn1:
    """Answers the tasks of a stage here and now, and finds records as a store does."""

    def __init__(self, fails=lambda label: False, error_type="ConvergenceError"):
        self.error_type = error_type
        self.engine = find("tblite")
        self.level = self.engine.level(Model(method="GFN1-xTB"))
        self.records, self.fails = {}, fails

    def find(self, key):
        return self.records.get(key)

    def __call__(self, lines):
        return [self.answer(line) for line in lines]

    def answer(self, line):
        job = next(line)
        while True:
            try:
                job = line.send(self.record(job))
            except StopIteration as end:
                return end.value

    def record(self, job):
        try:
            outcome = execute(job.task, Resources(), lambda text: None)
        except QcdriverError as error:
            outcome = Failure(error_type=type(error).__name__, message=str(error))
        if self.fails(job.label):
            outcome = Failure(error_type=self.error_type, message="not in 3 steps")
        key = task_key(job.task)
        self.records[key] = TaskRecord(
            key=key,
            stage="any",
            label=job.label,
            task=job.task,
            outcome=outcome,
            provenance=None,
            parents=job.parents,
        )
        return self.records[key]

    def landscape(self, molecule, start, stop, step, last_atom=3, mirror=False):
        return self.map(molecule, [(2, 0, 1, last_atom)], start, stop, step, mirror)

    def map(self, molecule, fours, start, stop, step, mirror):
        values = {"start_deg": start, "stop_deg": stop, "step_deg": step}
        coordinates = [{"kind": "dihedral", "atoms": atoms, **values} for atoms in fours]
        settings = ScanSettings.model_validate({"coordinate": coordinates, "mirror": mirror})
        grid = scan_grid(settings, molecule)
        seeds = seeds_of(settings, grid, "seed", "key of the seed", molecule)
        verdicts = follow(scan(seeds, grid, RelaxationSettings(self.level, TIGHT), 1e-5), self)
        return read_landscape(grid, verdicts, self)

    def stationary(self, landscape, **changed):
        search = {
            "level": self.level,
            "convergence": TIGHT,
            "n_images": 7,
            "max_force": 1e-3,
            "max_steps": 300,
            "core_only": False,
            "duplicate": 0.1 / KCAL_MOL,
            "duplicate_angstrom": 0.1,
        }
        return follow(stationary(minima_of(landscape), routes_over_passes(landscape), Search(**search | changed)), self)

    def direct(self, build, values, last_atom=3):
        """Scan finely and directly: the energy at each value, every other coordinate relaxed."""
        torsion = Torsion(kind="dihedral", quadruples=((2, 0, 1, last_atom),))
        engine = self.engine
        found = []
        for value in values:
            molecule = build(value)
            calculation = engine.prepare(molecule, self.level, Resources(), lambda text: None)
            found.append(relax(molecule, calculation, TIGHT, targets=[held(torsion, value)]).result.energy)
        return np.array(found)


@pytest.fixture
def gfn1():
    if missing := find("tblite").missing():
        pytest.skip(missing)
    return Gfn1()


def test_hydrogen_peroxide_turns_over_cis_and_meets_itself(gfn1):
    """GFN1-xTB has one minimum, trans; the whole turn leads from it to itself."""
    landscape = gfn1.landscape(peroxide(120.0), -180, 165, 15)
    network = refined_connections(landscape, gfn1.stationary(landscape), gfn1)
    (minimum,), (saddle,) = network.minima, network.saddles
    assert saddle.between == (minimum.label, minimum.label)
    assert (minimum.n_imaginary, saddle.n_imaginary) == (0, 1)
    direct = gfn1.direct(peroxide, np.arange(-4.0, 5.0)).max() - gfn1.direct(peroxide, np.arange(176.0, 184.0)).min()
    assert saddle.barrier_kcal_mol / KCAL_MOL == pytest.approx(direct, abs=1e-6)
    assert saddle.barrier_kcal_mol == saddle.reverse_barrier_kcal_mol


def test_ethane_turns_from_one_order_of_its_atoms_to_the_next_over_the_eclipsed_form(gfn1):
    landscape = gfn1.landscape(ethane(60.0), 30, 210, 15, last_atom=5)
    verdicts = gfn1.stationary(landscape)
    network = refined_connections(landscape, verdicts, gfn1)
    (minimum,), (saddle,) = network.minima, network.saddles
    assert saddle.between == (minimum.label, minimum.label)
    assert (minimum.n_imaginary, saddle.n_imaginary) == (0, 1)
    direct = gfn1.direct(ethane, np.arange(116.0, 125.0), 5).max() - gfn1.direct(ethane, np.arange(56.0, 65.0), 5).min()
    assert saddle.barrier_kcal_mol / KCAL_MOL == pytest.approx(direct, abs=1e-6)
    (merged,) = merged_points(verdicts)
    assert "became the same structure as the minimum at" in sentence(merged.verdict)
    assert not failed_points(verdicts)


def butane(torsion_deg):
    """Build from standard bonds and angles: C0 and C1 in the middle, C2 and C3 at the ends."""
    symbols, places = ["C", "C"], [np.zeros(3), np.array([2.9, 0.0, 0.0])]
    ends = []
    for middle, sign, first in ((0, -1, 0.0), (1, 1, torsion_deg)):
        for turn in (0, 120, 240):
            phi = np.radians(first + turn)
            direction = np.array([sign * 0.35, 0.937 * np.cos(phi), 0.937 * np.sin(phi)])
            ends.append((middle, turn, direction))
    for middle, turn, direction in ends:
        if turn == 0:
            symbols.append("C")
            places.append(places[middle] + 2.9 * direction)
    for middle, turn, direction in ends:
        if turn:
            symbols.append("H")
            places.append(places[middle] + 2.06 * direction)
    for carbon, middle in ((2, 0), (3, 1)):
        axis = (places[carbon] - places[middle]) / 2.9
        side = np.cross(axis, places[1 - middle] - places[middle])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        for turn in np.radians([30, 150, 270]):
            symbols.append("H")
            away = 0.35 * axis + 0.937 * (np.cos(turn) * side + np.sin(turn) * other)
            places.append(places[carbon] + 2.06 * away)
    return Molecule(symbols=tuple(symbols), geometry=np.array(places))


def test_butane_has_two_minima_and_the_saddles_on_its_way_round(gfn1):
    """Anti and gauche, which is one with its mirror image; from it leads one way to anti and one over cis to itself."""
    landscape = gfn1.landscape(butane(180.0), 0, 180, 20, mirror=True)
    network = refined_connections(landscape, gfn1.stationary(landscape), gfn1)
    anti, gauche = (each.label for each in network.minima)
    assert (anti, gauche) == ("180 deg", "60 deg")
    assert [(set(each.between), each.label) for each in network.saddles] == [
        ({anti, gauche}, "120 deg"),
        ({gauche}, "0 deg"),
    ]
    assert [each.n_imaginary for each in (*network.minima, *network.saddles)] == [0, 0, 1, 1]
    over, _ = network.saddles
    apart = network.minima[1].relative_energy_kcal_mol
    assert apart > 0.1
    assert abs(over.barrier_kcal_mol - over.reverse_barrier_kcal_mol) == pytest.approx(apart, abs=1e-6)
    top = gfn1.direct(butane, np.arange(120.0, 122.0, 0.5)).max()
    assert over.energy_hartree == pytest.approx(top, abs=1e-6)
    assert [merge.children for merge in network.merges] == [(0, 1)]
    reached = [each.reached[0] for each in (*network.minima, *network.saddles)]
    assert reached == pytest.approx([180, 69, 121, 0], abs=2)


@pytest.mark.parametrize(
    ("start", "stop", "mirror"), [(0, 180, True), (-180, 165, True), (-180, 165, False)], ids=["half", "whole", "blind"]
)
def test_disulfane_becomes_its_mirror_image_over_cis_and_over_trans(gfn1, start, stop, mirror):
    """Half a turn is enough where its mirror images are told; where they are not, they are found to be one minimum."""
    landscape = gfn1.landscape(disulfane(80.0), start, stop, 15, mirror=mirror)
    network = refined_connections(landscape, gfn1.stationary(landscape), gfn1)
    (minimum,) = network.minima
    assert [each.between for each in network.saddles] == [(minimum.label, minimum.label)] * 2
    assert [each.n_imaginary for each in network.saddles] == [1, 1]
    assert [abs(each.reached[0]) for each in network.saddles] == pytest.approx([180, 0], abs=1)
    assert minimum.reached[0] == pytest.approx(float(minimum.label.split()[0]), abs=5)
    for band in (each.outcome for each in gfn1.records.values() if each.outcome.kind == "band"):
        ends = [measured(TORSION, band.images[place].geometry) for place in (0, -1)]
        assert ends[0] == pytest.approx(-ends[1], abs=0.5)
    bottom = gfn1.direct(disulfane, np.arange(84.0, 100.0)).min()
    tops = [gfn1.direct(disulfane, np.arange(middle - 4.0, middle + 5.0)).max() for middle in (180, 0)]
    barriers = [each.barrier_kcal_mol / KCAL_MOL for each in network.saddles]
    assert barriers == pytest.approx(sorted(top - bottom for top in tops), abs=1e-6)


def test_a_map_of_two_torsions_of_trisulfane_has_two_minima_and_two_saddles(gfn1):
    """Both SH on one side or one on each; which SH turns, and the hand, make no other saddle. H-S-S-S-H in order."""
    places = [[-0.2, -3.3, 2.5], [0, -3.1, 0], [2.5, 0, 0], [0, 3.1, 0], [-0.2, 3.3, -2.5]]
    molecule = Molecule(symbols=("H", "S", "S", "S", "H"), geometry=places)
    landscape = gfn1.map(molecule, [(0, 1, 2, 3), (1, 2, 3, 4)], -180, 135, 45, mirror=True)
    verdicts = gfn1.stationary(landscape)
    network = refined_connections(landscape, verdicts, gfn1)
    cis, trans = (each.label for each in network.minima)
    assert [set(each.between) for each in network.saddles] == [{cis, trans}] * 2
    assert [each.n_imaginary for each in (*network.minima, *network.saddles)] == [0, 0, 1, 1]
    for each in (*network.minima, *network.saddles):
        place = [float(value.split()[0]) for value in each.label.split(", ")]
        assert each.reached == pytest.approx(place, abs=10)
    assert len(merged_points(verdicts)) == 2  # the other SH turned
    assert not failed_points(verdicts)


def test_the_grid_has_its_network_without_any_of_this(gfn1):
    landscape = gfn1.landscape(disulfane(80.0), 0, 180, 15, mirror=True)
    network = grid_connections(landscape)
    assert not network.refined
    assert [each.label for each in network.minima] == ["90 deg"]
    assert sorted(each.label for each in network.saddles) == ["0 deg", "180 deg"]
    assert network.minima[0].n_imaginary is None


def test_a_path_that_does_not_converge_is_a_failure_and_the_minima_stay(gfn1):
    landscape = gfn1.landscape(peroxide(120.0), -180, 165, 15)
    verdicts = gfn1.stationary(landscape, max_steps=1, n_images=4)
    (failed,) = failed_points(verdicts)
    assert "not converged" in sentence(failed.verdict)
    network = refined_connections(landscape, verdicts, gfn1)
    assert len(network.minima) == 1
    assert not network.saddles


def test_a_search_that_ends_far_from_the_top_of_its_path_is_a_failure(gfn1):
    landscape = gfn1.landscape(peroxide(120.0), -180, 165, 15)
    found = gfn1.record

    def elsewhere(job):
        record = found(job)
        if job.label == "saddle at 0 deg, from the top of the path":
            outcome = record.outcome.model_copy(update={"molecule": peroxide(0.0, scale=3.0)})
            return record.model_copy(update={"outcome": outcome})
        return record

    gfn1.record = elsewhere
    (failed,) = failed_points(gfn1.stationary(landscape))
    assert "left the path: an atom moved by" in sentence(failed.verdict)


def test_a_minimum_that_does_not_relax_takes_its_passes_with_it(gfn1):
    landscape = gfn1.landscape(ethane(60.0), 30, 210, 15, last_atom=5)
    gfn1.fails = lambda label: label == "minimum at 180 deg"
    verdicts = {each.label: each for each in gfn1.stationary(landscape)}
    assert "not converged" in sentence(verdicts["minimum at 180 deg"])
    assert "the minimum at 180 deg, where it would end, did not relax" in sentence(verdicts["saddle at 120 deg"])
    assert verdicts["minimum at 60 deg"].kept


def test_what_is_not_verified_is_no_stationary_point(gfn1):
    landscape = gfn1.landscape(peroxide(120.0), -180, 165, 15)
    gfn1.fails = lambda label: label == "saddle at 0 deg, vibrations"
    verdicts = gfn1.stationary(landscape)
    (failed,) = failed_points(verdicts)
    assert failed.label == "saddle at 0 deg"
    assert sentence(failed.verdict).startswith("not verified: not converged: ")
    assert not refined_connections(landscape, verdicts, gfn1).saddles


@pytest.mark.parametrize(("error_type", "code"), [("WorkerDied", Code.KILLED), ("ResourceError", Code.FAILED)])
def test_a_worker_that_was_killed_or_lacked_memory_did_not_fail_to_converge(error_type, code, search):
    dying = Gfn1(lambda label: label == "minimum at here", error_type)
    failed = searched(dying, search, ("here", peroxide(112.0)))["minimum at here"]
    assert (failed.code, sentence(failed)) == (code, "failed: not in 3 steps")


def test_what_dies_before_it_is_verified_is_not_called_unconverged(search):
    dying = Gfn1(lambda label: label.endswith(", vibrations"), "WorkerDied")
    failed = searched(dying, search, ("here", peroxide(112.0)))["minimum at here"]
    assert (failed.code, sentence(failed)) == (Code.NOT_VERIFIED, "not verified: failed: not in 3 steps")


def ammonia(height):
    """Build a pyramid; flat, it has no force out of its plane, and relaxes to the saddle of its inversion."""
    places = [[0, 0, height], [1.9, 0, 0], [-0.95, 1.65, 0], [-0.95, -1.65, 0]]
    return Molecule(symbols=("N", "H", "H", "H"), geometry=places)


@pytest.fixture
def search(gfn1):
    return Search(gfn1.level, TIGHT, 7, 1e-3, 100, False, 0.1 / KCAL_MOL, 0.1)


def searched(gfn1, search, *starts):
    points = [GridPoint(name, f"key of {name}", molecule, ()) for name, molecule in starts]
    return {each.label: each for each in follow(stationary(points, [], search), gfn1)}


def test_a_minimum_that_is_a_saddle_is_pushed_off_to_the_minimum_beside_it(gfn1, search):
    verdicts = searched(gfn1, search, ("flat", ammonia(0.0)))
    minimum = verdicts["minimum at flat"]
    assert minimum.kept
    assert re.fullmatch(r"pushed off a saddle, \d{3,4}i 1/cm", sentence(minimum))
    assert gfn1.find(verdicts["minimum at flat, vibrations"].key).outcome.n_imaginary == 0
    direct = relax(ammonia(0.6), gfn1.engine.prepare(ammonia(0.6), gfn1.level, Resources(), lambda text: None), TIGHT)
    assert gfn1.find(minimum.key).outcome.result.energy == pytest.approx(direct.result.energy, abs=1e-7)


def test_every_step_of_a_push_is_a_record_so_that_replay_computes_nothing(gfn1, search):
    verdicts = searched(gfn1, search, ("flat", ammonia(0.0)))
    pushed = gfn1.find(verdicts["minimum at flat"].key)
    (vibrations,) = (gfn1.find(key) for key in pushed.parents)
    assert vibrations.outcome.n_imaginary == 1
    assert gfn1.find(vibrations.parents[0]).label == "minimum at flat"
    assert len(gfn1.records) == 4
    gfn1.record = lambda job: gfn1.records[task_key(job.task)]
    assert searched(gfn1, search, ("flat", ammonia(0.0))) == verdicts


def test_what_a_push_leads_to_is_known_again_with_all_that_was_the_same_before(gfn1, search):
    """Flat ammonia, twice, and the pyramid: one minimum, whichever way it was reached."""
    starts = [("flat", ammonia(0.0)), ("pyramid", ammonia(0.6)), ("nearly", ammonia(1e-7))]
    verdicts = searched(gfn1, search, *starts)
    kept = [label for label, each in verdicts.items() if each.kept and "vibrations" not in label]
    assert len(kept) == 1
    dropped = [each for each in verdicts.values() if not each.kept]
    assert len(dropped) == 2
    assert all(each.facts.label == kept[0] for each in dropped)


def test_a_path_begins_where_its_minimum_was_pushed_to(gfn1):
    """Trans disulfane taken for the minimum of its turn: pushed off, it is the twisted one, and cis the way on."""
    landscape = gfn1.landscape(disulfane(80.0), 0, 180, 15, mirror=True)
    (minimum,), (over_cis,) = (
        minima_of(landscape),
        [each for each in routes_over_passes(landscape) if each.place == "0 deg"],
    )
    (saddle,) = (each for each in landscape.points.values() if each.verdict.reached == pytest.approx((180.0,), abs=0.1))
    trans = GridPoint(minimum.place, saddle.verdict.key, saddle.molecule, minimum.values)
    search = Search(gfn1.level, TIGHT, 7, 1e-3, 300, False, 0.1 / KCAL_MOL, 0.1)
    verdicts = follow(stationary([trans], [over_cis], search), gfn1)
    network = refined_connections(landscape, verdicts, gfn1)
    (pushed,), (top,) = network.minima, network.saddles
    text = io.StringIO()
    print_network(network, Console(file=text, width=120))
    assert f"minimum at {pushed.label}: {sentence(pushed.verdict)}\n" in text.getvalue()
    assert "pushed off a saddle" in sentence(pushed.verdict)
    assert top.between == (pushed.label, pushed.label)
    bottom = gfn1.direct(disulfane, np.arange(84.0, 100.0)).min()
    assert pushed.energy_hartree == pytest.approx(bottom, abs=1e-6)
    barrier = gfn1.direct(disulfane, np.arange(-4.0, 5.0)).max() - bottom
    assert top.barrier_kcal_mol / KCAL_MOL == pytest.approx(barrier, abs=1e-6)


def test_where_a_push_does_not_converge_the_next_goes_to_the_other_side_and_farther(gfn1, search):
    gfn1.fails = lambda label: label == "minimum at flat, push 1"
    assert searched(gfn1, search, ("flat", ammonia(0.0)))["minimum at flat"].kept
    first, second = (each.task.molecule for each in gfn1.records.values() if re.search(r"push \d$", each.label))
    out_of_plane = [each.geometry[0, 2] - each.geometry[1:, 2].mean() for each in (first, second)]
    assert out_of_plane[1] == pytest.approx(-2 * out_of_plane[0], rel=0.01)


def test_what_no_push_leads_away_from_says_its_imaginary_wavenumbers(gfn1, search):
    gfn1.fails = lambda label: bool(re.search(r"push \d$", label))
    verdicts = searched(gfn1, search, ("flat", ammonia(0.0)))
    (failed,) = failed_points(list(verdicts.values()))
    words = r"imaginary wavenumbers: \d+i 1/cm; a minimum has none; pushed 3 times in vain"
    assert re.fullmatch(words, sentence(failed.verdict))


def test_the_core_of_a_rod_is_its_metal_and_its_halides():
    rod = build_rod(RodModel())
    core = core_atoms(rod)
    assert {rod.symbols[atom] for atom in core} == {"Au", "Ag", "Cl"}
    assert len(core) == 33


def test_the_core_of_a_molecule_without_metal_is_refused():
    with pytest.raises(InputError, match="core_only = true: H2O2 has no metal core"):
        core_atoms(peroxide(90))


def test_a_search_for_a_saddle_has_one_key_on_every_machine():
    """The last digits of a path differ from machine to machine, and were in the key: a resumed run searched anew."""
    kept = Path(__file__).parents[3] / "results" / "kept" / "hooh"
    path = next(record for record in Records(kept, only_read=True) if getattr(record, "label", "") == "saddle at 0 deg")
    search = Search(path.task.level, TIGHT, 5, 1e-3, 10, core_only=False, duplicate=1e-4, duplicate_angstrom=0.1)
    noise = np.random.default_rng(1)
    keys = set()
    for _ in range(5):
        images = tuple(
            image.moved(image.geometry + 1e-14 * noise.normal(size=image.geometry.shape))
            for image in path.outcome.images
        )
        line = climbed(Job(path.label, path.task, Purpose.PATH), search)
        next(line)
        asked = line.send(path.model_copy(update={"outcome": path.outcome.model_copy(update={"images": images})}))
        keys.add(task_key(asked.task))
    assert len(keys) == 1
