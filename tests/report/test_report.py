"""What a person gets at the end: tables that fit and say how far to trust them, and no number that is none."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from qcdriver.execution.progress import told
from qcdriver.models.outcomes import Failure
from qcdriver.models.verdicts import BondChange, Code, Difference, Drift, Error, Limit, Note, Purpose, Twin, Verdict
from qcdriver.report.tables.overview import boltzmann_percent, print_summary
from qcdriver.report.tables.profiles import print_profile
from qcdriver.units import duration
from qcdriver.workflow.findings import (
    Branch,
    BranchPoint,
    Conformer,
    Decision,
    Dropped,
    MirrorCheck,
    PathFound,
    Profile,
    RankedPair,
    Ranking,
    ScanBreak,
    ScanPoint,
    Spread,
    Summary,
)

DRIFT = Drift(asked_deg=36, reached_deg=10, isomer="S")
OPENED = BondChange(change="skeleton_opened", count=1, atoms=(0, 7), symbols=("Cu", "Cu"))
CHECK = Verdict(
    label="mirror image of 30 deg, at 42 deg",
    key="0" * 32,
    kept=True,
    code=Code.ENERGY_AGREES,
    facts=Difference(hartree=-4.2e-6, tolerance=1e-5, against="30 deg"),
    purpose=Purpose.SCAN_CHECK,
)
UNCONVERGED = Verdict(
    label="E",
    key="0" * 32,
    kept=False,
    code=Code.NOT_CONVERGED,
    facts=Error(type="ConvergenceError", message="the SCF did not converge"),
    purpose=Purpose.SINGLE_POINT,
)


def kept(label: str, *notes: Note) -> Verdict:
    return Verdict(label=label, key="0" * 32, kept=True, code=Code.KEPT, notes=notes)


def conformer(label: str, energy: float | None) -> Conformer:
    return Conformer(
        label=label,
        isomer=label,
        level="PBE/LANL2DZ (pyscf)",
        key="0" * 32,
        energy_hartree=None if energy is None else -3713.0,
        relative_energy_kcal_mol=energy,
        gap_ev=None if energy is None else 1.3,
        converged=energy is not None,
        reason=None if energy is not None else "the SCF did not converge",
        verdict=kept(label, Note(code=Code.HELD, facts=DRIFT)) if label == "S" else kept(label),
        experimental_gap_ev=1.72,
        measured={},
        fragment_charges=None if energy is None else {"core": 2.5, "H3P": -0.5, "Cl": -1.0},
    )


def point(*target: float, energy: float = 0.0, label: str = "E", **more: object) -> ScanPoint:
    return ScanPoint(
        label=f"{target[0]:g} deg from {label}",
        key="0" * 32,
        target=target,
        reached=target,
        energy_hartree=-1.0,
        relative_energy_kcal_mol=energy,
        gap_ev=None,
        belt="5d+1q",
        origin=label,
        **more,
    )


PROFILE = Profile(
    coordinates=("twist_deg",),
    level="GFN1-xTB (xtb)",
    points=(
        point(24.0, energy=0.5, arrived_kcal_mol=((None, 0.5),)),
        point(30.0, energy=0.9, label="S via 36 deg", arrived_kcal_mol=((3.1, 0.9),)),
        point(36.0, arrived_kcal_mol=((0.05, 0.0),)),
        point(42.0, energy=0.9, image_of=(30.0,)),
    ),
    breaks=(ScanBreak(between=((24.0,), (30.0,)), off_kcal_mol=-2.1, moved_angstrom=1.34),),
)


def summary() -> Summary:
    return Summary(
        title="A rotor",
        formula="Ag12Au13",
        conformers=(conformer("S", 0.0), conformer("E", None)),
        profiles=(PROFILE,),
        networks=(),
        paths=(
            PathFound(
                label="S -> mirror image of S",
                key="0" * 32,
                level="GFN1-xTB (xtb)",
                barrier_kcal_mol=12.3,
                reverse_barrier_kcal_mol=11.1,
                images_kcal_mol=(0.0, 12.3, 1.2),
                gap_at_top_ev=None,
                verdict=kept("S -> mirror image of S", Note(code=Code.OPENED, facts=OPENED)),
            ),
        ),
        mirror_checks=(
            MirrorCheck(
                label="mirror image of 30 deg, at 42 deg",
                key="0" * 32,
                level="GFN1-xTB (xtb)",
                passed=True,
                verdict=CHECK,
            ),
        ),
        spreads=(Spread(isomer="E", level="GFN1-xTB (xtb)", n_starts=2, kcal_mol=0.4),),
        dropped=(),
        failed=(Dropped(stage="dft", label="E", verdict=UNCONVERGED),),
        experiment_source="doi:10.1038/s41467-020-19789-4",
    )


def printed(width: int) -> str:
    text = io.StringIO()
    print_summary(summary(), Console(width=width, file=text))
    return text.getvalue()


def test_a_failed_point_shows_as_failed_and_has_no_number():
    line = next(line for line in printed(100).splitlines() if " E " in line and "deg" not in line)
    assert "failed" in line
    assert "0.00" not in line
    assert "dft E: the SCF did not converge" in printed(100)


def test_a_path_shows_both_barriers_and_what_is_open_at_its_top():
    line = next(line for line in printed(120).splitlines() if "mirror image" in line)
    assert line.split()[6:8] == ["12.30", "11.10"]
    assert "1 metal bond opened, first Cu0-Cu7" in line


def test_a_conformer_that_is_no_minimum_says_so():
    assert "S*" in printed(100)
    assert "* S: held: set free it turned from 36 to 10.0 deg: no longer S" in printed(100)


def test_measured_gaps_stand_beside_computed_ones_and_say_what_they_are():
    text = printed(100)
    assert any({"dE", "gap", "measured"} <= set(line.split()) for line in text.splitlines())
    assert "optical, not HOMO-LUMO" in text
    assert "2 starts relaxed tightly end 0.40 kcal/mol apart" in text


def test_what_was_dropped_is_counted_by_reason_and_listed_whole_if_asked():
    """Of many, the names of three; what stands alone says itself why."""
    limit = Limit(setting="max_kept", value=2)
    beyond = [Verdict(label=f"E#{k}", key="", kept=False, code=Code.BEYOND_LIMIT, facts=limit) for k in range(5)]
    twin = Verdict(label="S#1", key="", kept=False, code=Code.DUPLICATE, facts=Twin(label="S", key="0" * 32))
    dropped = tuple(Dropped(stage="prescreen", label=each.label, verdict=each) for each in (*beyond, twin))
    crowded = summary().model_copy(update={"dropped": dropped})
    text = io.StringIO()
    print_summary(crowded, Console(width=100, file=text))
    assert "not carried on: 6 (report --all lists them)" in text.getvalue()
    assert "  5 beyond the number that was asked for: E#0, E#1, E#2 and 2 more\n" in text.getvalue()
    assert "  prescreen S#1: the same structure as S\n" in text.getvalue()
    print_summary(crowded, Console(width=100, file=text), everything=True)
    assert "  prescreen E#4: beyond max_kept = 2\n" in text.getvalue()


def test_boltzmann_weights_are_those_of_the_energies_and_only_where_the_order_is_decided():
    """At 298.15 K RT is 0.5925 kcal/mol: one conformer that high weighs 1/e of the lowest."""
    pair = (conformer("S", 0.0), conformer("E", 0.5925))
    weights = boltzmann_percent(pair)
    assert weights["E"] / weights["S"] == pytest.approx(0.36788, abs=1e-4)
    assert sum(weights.values()) == pytest.approx(100)
    assert boltzmann_percent(pair[:1]) == {}
    for decision, shown in ((Decision.ONE_LEVEL, True), (Decision.ORDERS_DIFFER, False)):
        ranked = RankedPair(lower="S", higher="E", kcal_mol=0.5925, kcal_mol_against=None, decision=decision)
        order = Ranking(
            level="PBE/LANL2DZ (pyscf)",
            against=None,
            scatter_kcal_mol=None,
            n_pairs=0,
            window_kcal_mol=None,
            order=("S", "E"),
            pairs=(ranked,),
        )
        text = io.StringIO()
        both = summary().model_copy(update={"conformers": pair, "ranking": order})
        print_summary(both, Console(width=100, file=text))
        assert ("73.1" in text.getvalue()) is shown
        assert ("no Boltzmann weights: the levels do not decide what lies lowest" in text.getvalue()) is not shown


@pytest.mark.parametrize("width", [60, 80, 160])
def test_tables_fit_the_terminal(width):
    tables = [line for line in printed(width).splitlines() if "  " in line.strip()]  # sentences wrap by themselves
    assert max(len(line.rstrip()) for line in tables) <= width


def rows(profile: Profile, width: int = 80) -> list[list[str]]:
    text = io.StringIO()
    print_profile(profile, Console(width=width, file=text))
    return [line.split() for line in text.getvalue().splitlines()]


def test_a_point_shows_target_reached_energy_both_sides_and_where_it_came_from():
    assert ["30", "30.0", "0.90", "3.10", "0.90", "-", "5d+1q", "S", "via", "36", "deg"] in rows(PROFILE)


def test_a_point_by_symmetry_names_the_point_that_was_computed():
    assert ["42", "42.0", "0.90", "-", "5d+1q", "=", "30", "deg"] in rows(PROFILE)


def test_hysteresis_and_breaks_are_told_in_words():
    text = printed(200)
    assert "at 1 of 2 points that were reached from both sides the two differ, most at 30 deg, by 2.20 kcal/mol" in text
    assert "between 24 deg and 30 deg no smooth valley: energy off by 2.10 kcal/mol, an atom moved by 1.34 A" in text


def test_branches_stand_side_by_side_and_points_below_the_conformers_are_told():
    branches = tuple(
        Branch(
            conformer=name,
            key=name,
            points=tuple(
                BranchPoint(key=name, target=(value,), relative_energy_kcal_mol=energy, belt=None, lowest=lowest)
                for value, energy, lowest in points
            ),
        )
        for name, points in (("E", ((24.0, 0.5, True), (30.0, 3.1, False))), ("S", ((30.0, 0.9, True),)))
    )
    below = point(36.0, below_start_kcal_mol=2.03)
    profile = PROFILE.model_copy(
        update={"branches": branches, "lowest_start": "S", "points": (*PROFILE.points[:2], below)}
    )
    found = rows(profile, width=200)
    assert ["24", "*0.50", "-"] in found
    assert ["30", "3.10", "*0.90"] in found
    lines = [" ".join(row) for row in found]
    assert "between 24 deg and 30 deg another branch becomes the lowest" in lines
    assert any(line.startswith("1 point below S, the lowest conf") and "at 36 deg, by 2.03" in line for line in lines)


def test_a_cusp_at_a_mirror_plane_is_told_in_words_and_what_is_unknown_is_left_out():
    """Of the energies of both hands nothing differs, so no pair of neighbours would show it."""
    for moved, words in ((0.8, "0.40 kcal/mol, an atom moved by 0.80 A"), (None, "0.40 kcal/mol")):
        cusp = ScanBreak(between=((36.0,), (36.0,)), off_kcal_mol=-0.4, moved_angstrom=moved)
        found = [" ".join(row) for row in rows(PROFILE.model_copy(update={"breaks": (cusp,)}), width=200)]
        assert f"between 36 deg and its own image by symmetry no smooth valley: energy off by {words}" in found


def test_the_check_of_the_symmetry_is_printed():
    assert "mirror image of 30 deg, at 42 deg: computed, its energy differs by -4.2e-06 hartree" in printed(200)


def test_a_map_is_a_grid_of_energies_with_the_lowest_marked():
    plane = Profile(
        coordinates=("twist_deg", "distance_angstrom"),
        level="GFN1-xTB (xtb)",
        points=tuple(point(x, y, energy=x + y) for x in (0.0, 6.0) for y in (0.0, 1.5)),
    )
    found = rows(plane)
    assert ["deg", "0", "A", "1.5", "A"] in found
    assert ["0", "*0.00", "1.50"] in found
    assert ["6", "6.00", "7.50"] in found


def test_a_map_with_a_hole_shows_it_and_a_wide_one_is_cut_into_tables_that_fit():
    points = tuple(point(x, y, energy=x + y) for x in (0.0, 6.0) for y in map(float, range(20)) if (x, y) != (6.0, 3.0))
    plane = Profile(coordinates=("twist_deg", "belt_deg"), level="GFN1-xTB (xtb)", points=points)
    text = io.StringIO()
    print_profile(plane, Console(width=80, file=text))
    assert max(len(line.rstrip()) for line in text.getvalue().splitlines()) <= 80
    found = rows(plane)
    assert sum(len(row) - 1 for row in found if row[:1] == ["6"]) == 20
    assert any("-" in row for row in found if row[:1] == ["6"])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (59.6, "60 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (2e5, "2 days"),
        (1e12, "3.2e+04 years"),
    ],
)
def test_durations_read_as_a_person_says_them(seconds, words):
    assert duration(seconds) == words


def test_a_failure_is_told_loudly():
    assert told(Failure(error_type="ConvergenceError", message="no")) == "FAILED: no"


def test_a_doubt_about_a_state_stands_in_the_table_in_the_summary_and_at_the_end_of_a_run(tmp_path):
    """Singlet oxygen: its triplet lies lower."""
    (tmp_path / "oxygen.xyz").write_text("2\n\nO 0 0 0\nO 0 0 1.21\n")
    path = tmp_path / "oxygen.toml"
    path.write_text(
        'title = "oxygen"\n[structure]\nsource = "xyz"\n[structure.isomers.singlet]\nfile = "oxygen.xyz"\n'
        'molecular_multiplicity = 1\n[prescreen]\nengine = "tblite"\npreoptimize = "none"\n'
    )
    command = [sys.executable, "-m", "qcdriver.cli", "run", str(path), "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "singlet!" in done.stdout
    assert "! singlet, GFN1-xTB (tblite): " in done.stdout
    assert "; 1 of the energies above with a warning (!)" in done.stderr
    (conformer,) = json.loads((tmp_path / "oxygen" / "summary.json").read_text())["conformers"]
    assert conformer["warnings"][0]["code"] in ("small_gap", "other_multiplicity")
