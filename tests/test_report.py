"""What a person gets at the end: tables that fit, a picture, and no number that is none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qcdriver.execution.progress import duration, told
from qcdriver.findings import Conformer, Dropped, PathFound, Profile, ProfilePoint, Spread, Summary
from qcdriver.report import plot_profiles, print_summary
from qcdriver.schema import Failure


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
        note="held: set free it turned" if label == "S" else None,
        experimental_gap_ev=1.72,
        measures=None,
        cu14=None,
        fragment_charges=None if energy is None else {"core": 2.5, "H3P": -0.5, "Cl": -1.0},
    )


def summary(points: int = 3) -> Summary:
    profile = Profile(
        coordinate="twist",
        level="GFN1-xTB (xtb)",
        points=tuple(
            ProfilePoint(
                label=f"{value} deg from E",
                key="0" * 32,
                value_deg=value,
                energy_hartree=-1.0,
                relative_energy_kcal_mol=value / 10,
                gap_ev=None,
                belt="5d+1q",
            )
            for value in range(points)
        ),
    )
    return Summary(
        title="A rotor",
        formula="Ag12Au13",
        conformers=(conformer("S", 0.0), conformer("E", None)),
        profiles=(profile,) if points else (),
        paths=(
            PathFound(
                label="S -> mirror image of S",
                key="0" * 32,
                level="GFN1-xTB (xtb)",
                barrier_kcal_mol=12.3,
                reverse_barrier_kcal_mol=11.1,
                images_kcal_mol=(0.0, 12.3, 1.2),
                gap_at_top_ev=None,
                note="1 metal bond opened, first Cu0-Cu7",
            ),
        ),
        mirror_checks=(),
        spreads=(Spread(isomer="E", level="GFN1-xTB (xtb)", n_starts=2, kcal_mol=0.4),),
        dropped=(),
        failed=(Dropped(stage="dft", label="E", reason="the SCF did not converge"),),
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
    assert "* S: held: set free it turned" in printed(100)


def test_measured_gaps_stand_beside_computed_ones_and_say_what_they_are():
    text = printed(100)
    assert "measured eV" in text
    assert "optical, not HOMO-LUMO" in text
    assert "2 starts relaxed tightly end 0.40 kcal/mol apart" in text


@pytest.mark.parametrize("width", [60, 80, 160])
def test_tables_fit_the_terminal(width):
    assert max(len(line.rstrip()) for line in printed(width).splitlines()) <= width


def test_the_picture_is_drawn_even_without_gaps(tmp_path):
    assert plot_profiles(summary(), tmp_path / "profile.png")
    assert (tmp_path / "profile.png").stat().st_size > 10_000


def test_without_a_profile_there_is_no_picture(tmp_path):
    assert not plot_profiles(summary(points=0), tmp_path / "profile.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (59.6, "60 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_read_as_a_person_says_them(seconds, words):
    assert duration(seconds) == words


def test_a_failure_is_told_loudly():
    assert told(Failure(error_type="ConvergenceError", message="no")) == "FAILED: no"
