"""Variants of an input: what differs stands once, all else is equal; each is an input and a run of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from qcdriver.errors import InputError
from qcdriver.execution.slurm.campaign import make_campaign
from qcdriver.report.tables.variants import barriers, print_side_by_side
from qcdriver.workflow.findings import Profile, ScanBreak, ScanPoint, Summary
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.variants import join, run_name, split, variants

INPUTS = Path(__file__).parents[2] / "inputs"
HALIDES = INPUTS / "au13ag12-halides.toml"

TWO_METHODS = """
title = "HOOH"
[variants.one]
[variants.two]
prescreen.method = "GFN2-xTB"
[structure]
source = "xyz"
isomers.gauche.file = "hooh-gauche.xyz"
[prescreen]
preoptimize = "none"
[scan]
dft_points = "none"
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = 60
stop_deg = 180
step_deg = 60
"""


def test_the_halides_differ_in_the_halide_and_in_nothing_else():
    chlorine, bromine = (read_input(path) for path in variants(HALIDES))
    assert (chlorine.structure.halide, bromine.structure.halide) == ("Cl", "Br")
    same = {"title": "", "structure": chlorine.structure}
    assert chlorine.model_copy(update=same) == bromine.model_copy(update=same)
    assert bromine.title == f"{chlorine.title.removesuffix(', Cl')}, Br"


def test_each_variant_has_a_run_directory_of_its_own():
    assert [run_name(path).as_posix() for path in variants(HALIDES)] == ["au13ag12-halides/Cl", "au13ag12-halides/Br"]
    assert run_name(INPUTS / "hooh.toml") == Path("hooh")


@pytest.mark.parametrize("name", ["...toml", ".toml", "x.txt", "x", "x.toml@", "x.TOML", "x.toml.bak"])
def test_an_input_of_another_name_has_no_run_directory(name):
    """x.toml and x.txt would share one, and that of ...toml would lie outside the folder of results."""
    with pytest.raises(InputError, match=r"an input is called NAME\.toml"):
        run_name(Path("folder") / name)


def test_a_file_of_the_very_name_is_no_variant(tmp_path):
    (tmp_path / "x.toml@a").write_text('title = "x"')
    assert split(tmp_path / "x.toml@a") == (tmp_path / "x.toml@a", None)
    assert split(tmp_path / "x.toml@b") == (tmp_path / "x.toml", "b")


def test_an_input_without_variants_is_its_own_only_one():
    assert variants(INPUTS / "hooh.toml") == [INPUTS / "hooh.toml"]
    bromine = join(HALIDES, "Br")
    assert variants(bromine) == [bromine]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (HALIDES, "has variants; take one: au13ag12-halides.toml@Cl, au13ag12-halides.toml@Br"),
        (join(HALIDES, "F"), "has no variant F; there are Cl, Br"),
        (join(INPUTS / "hooh.toml", "Br"), "has no [variants.Br], nor any other"),
        (join(INPUTS / "nowhere.toml", "Br"), "cannot be read"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(path, words):
    with pytest.raises(InputError) as error:
        read_input(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[variants]\nBr = 1", "a table for each belongs here"),
        ("[variants]", "a table for each belongs here"),
        ('[variants."a b"]', "a label is made of letters"),
        ("variants = 3", "a table for each belongs here"),
        ("[variants.tasks]", r"a run directory has files and folders called so \(tasks\); rename it"),
        ("[variants.Checkpoints]", r"a run directory has files and folders called so \(Checkpoints\); rename it"),
        ('[variants."records.jsonl"]', r"a run directory has files and folders called so \(records.jsonl\); rename it"),
        ('[variants."index.html"]', r"a run directory has files and folders called so \(index.html\); rename it"),
        ('[variants."map.png"]', r"a run directory has files and folders called so \(map.png\); rename it"),
    ],
)
def test_a_table_of_variants_that_is_none_is_refused(tmp_path, table, words):
    path = tmp_path / "x.toml"
    path.write_text(f"{table}\n" if table.startswith("variants") else f'title = "x"\n{table}\n')
    with pytest.raises(InputError, match=words):
        variants(path)


def test_a_mistake_in_a_variant_names_it_and_the_key(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(HALIDES.read_text().replace('"Br"', '"F"'))
    assert read_input(join(path, "Cl"))
    with pytest.raises(InputError, match=r"x\.toml@Br: structure\.halide = 'F'"):
        read_input(join(path, "Br"))


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,8}", fullmatch=True))
def test_a_name_taken_apart_and_put_together_is_the_same(label):
    assert split(join(HALIDES, label)) == (HALIDES, label)


def test_a_submitted_variant_is_read_again_as_that_variant(tmp_path):
    path = join(HALIDES, "Br")
    this = open_run(read_input(path), path, tmp_path)
    assert this.directory == tmp_path / "au13ag12-halides" / "Br"
    campaign = make_campaign(this, "0" * 8, [])
    assert campaign.input.structure.halide == "Br"
    assert campaign.snapshot.read_bytes() == HALIDES.read_bytes()


@pytest.fixture(scope="module")
def run_of_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    (folder / "two.toml").write_text(TWO_METHODS)
    (folder / "hooh-gauche.xyz").write_bytes((INPUTS / "hooh-gauche.xyz").read_bytes())
    return folder, qcdriver(folder, "run", "two.toml", "--jobs", 2)


def qcdriver(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qcdriver.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_one_command_computes_all_variants_and_puts_them_side_by_side(run_of_two):
    folder, done = run_of_two
    assert done.returncode == 0, done.stderr
    assert "two against one: barrier forth" in done.stdout
    for place in ("one/records.jsonl", "one/profile.png", "two/records.jsonl", "two/profile.png", "profiles.png"):
        assert (folder / "results" / "two" / place).stat().st_size > 1000, place


def test_a_report_of_all_or_of_one_computes_nothing(run_of_two):
    folder, _ = run_of_two
    both = json.loads(qcdriver(folder, "report", "two.toml", "--json").stdout)
    assert [each["conformers"][0]["level"].split()[0] for each in both] == ["GFN1-xTB", "GFN2-xTB"]
    alone = json.loads(qcdriver(folder, "report", "two.toml@two", "--json").stdout)
    assert alone == both[1]
    assert "side by side" not in qcdriver(folder, "report", "two.toml@two").stdout.lower()


def test_the_movie_is_drawn_when_asked_for_and_not_before(run_of_two):
    folder, _ = run_of_two
    assert not list(folder.rglob("trajectory.*"))
    done = qcdriver(folder, "report", "two.toml@one", "--animate")
    assert done.returncode == 0, done.stderr
    one = folder / "results" / "two" / "one"
    assert [path.name for path in sorted(one.glob("trajectory.*"))] == ["trajectory.gif", "trajectory.xyz"]
    assert all(str(path.relative_to(folder)) in done.stdout for path in one.glob("trajectory.*"))


def profile(*energies: float, broken: bool = False) -> Profile:
    points = tuple(
        ScanPoint(
            label=f"{6 * k} deg from E",
            key="0" * 32,
            target=(6.0 * k,),
            reached=(6.0 * k,),
            energy_hartree=-1.0,
            relative_energy_kcal_mol=energy,
            gap_ev=0.8,
            belt="4d+2t",
        )
        for k, energy in enumerate(energies)
    )
    breaks = (ScanBreak(between=((0.0,), (6.0,)), off_kcal_mol=2.0, moved_angstrom=1.0),) if broken else ()
    return Profile(coordinates=("twist_deg",), level="GFN1-xTB (xtb)", points=points, breaks=breaks)


def printed(width: int = 80, **profiles: Profile) -> str:
    nothing = dict.fromkeys(("conformers", "networks", "paths", "mirror_checks", "spreads", "dropped", "failed"), ())
    found = {
        label: Summary(title="x", formula="x", profiles=(each,), experiment_source=None, **nothing)
        for label, each in profiles.items()
    }
    text = io.StringIO()
    print_side_by_side(found, Console(width=width, file=text))
    return text.getvalue()


def test_barriers_are_from_the_lowest_point_on_either_side_of_the_top():
    assert barriers(profile(1.0, 0.5, 4.0, 3.0, 0.0, 2.0)) == (3.5, 4.0)
    assert barriers(profile(3.0, 2.0, 0.0)) == (0.0, 3.0)


def test_the_conclusion_goes_whichever_way_the_numbers_go():
    low, high = profile(0.0, 3.0, 1.0), profile(0.5, 5.0, 0.0)
    for way, those in {"higher": {"Cl": low, "Br": high}, "lower": {"Cl": high, "Br": low}}.items():
        assert f"Br against Cl: barrier forth 1.50 kcal/mol {way}, back 3.00 kcal/mol {way}" in printed(**those)


def test_a_profile_with_a_break_gives_a_lower_bound_and_says_so():
    assert "lower bounds" not in printed(Cl=profile(0.0, 3.0, 1.0), Br=profile(0.0, 3.0, 1.0))
    assert "lower bounds" in printed(Cl=profile(0.0, 3.0, 1.0), Br=profile(0.0, 3.0, 1.0, broken=True))


def test_a_point_that_one_variant_lacks_is_a_dash_and_the_table_fits():
    text = printed(Cl=profile(0.0, 3.0, 1.0), Br=profile(0.0, 3.0))
    assert ["12", "1.00", "0.800", "4d+2t", "-", "-", "-"] in [line.split() for line in text.splitlines()]
    assert max(len(line.rstrip()) for line in text.splitlines() if "  " in line.strip()) <= 80
