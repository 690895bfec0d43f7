"""`[spectrum]` in a run: it begins with the orbitals of [dft], resumes, shows everywhere, and answers in words."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from rich.console import Console

from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.models.tasks import Excitations
from qcdriver.report.sentences import spectrum_notes
from qcdriver.report.show import show
from qcdriver.report.tables.overview import print_summary
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import needs_of, plan_run
from qcdriver.workflow.spectrum.findings import ConformerFound, Spectrum, StateFound, compared
from qcdriver.workflow.spectrum.stage import ExcitedSinglets

FORMALDEHYDE = "4\n\nC 0 0 0\nO 0 0 1.21\nH 0.94 0 -0.59\nH -0.94 0 -0.59\n"
WATER = "3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n"
INPUT = """
title = "formaldehyde in light"
[structure]
source = "xyz"
[structure.isomers.CH2O]
file = "formaldehyde.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[dft]
method = "pbe"
basis = "STO-3G"
device = "cpu"
keywords = { grid_level = 0 }
[spectrum]
states = 3
[experiment]
gap_ev = { CH2O = 3.5 }
peaks_nm = { CH2O = [60, 115, 330] }
source = "made up"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("light")
    (folder / "formaldehyde.xyz").write_text(FORMALDEHYDE)
    (folder / "light.toml").write_text(INPUT)
    return folder


def opened(folder, text=None, name="light"):
    path = folder / f"{name}.toml"
    if text is not None:
        path.write_text(text)
    return open_run(read_input(path), path, folder / "results")


def computed(run, only=None):
    with Display() as display:
        return run_input(run, None, only, display)


@pytest.fixture(scope="module")
def done(folder):
    return computed(opened(folder))


def test_the_excited_states_begin_with_the_orbitals_of_dft_which_are_gone_afterwards(folder, done):
    run = opened(folder)
    (verdict,) = run.verdicts(ExcitedSinglets)
    record = run.record(verdict.key)
    assert isinstance(record.task, Excitations)
    first, *_ = record.outcome.result.scf
    assert "from" in first.strategy
    assert first.cycles <= 3
    single = [other for other in run.records if other.stage == "dft"]
    assert record.outcome.result.energy == pytest.approx(single[0].result.energy, abs=1e-7)
    assert not (run.directory / "checkpoints").exists()


def test_a_finished_run_computes_nothing_and_finds_the_same(folder, done):
    summary, _ = done
    again, tally = computed(opened(folder))
    assert (tally.computed, again) == (0, summary)


def test_what_only_draws_the_curve_leaves_the_states_and_the_rest_does_not(folder, done):
    run = opened(folder)
    wider = opened(folder, INPUT.replace("states = 3", "states = 3\nfwhm_ev = 0.5\ntemperature_k = 200\nallowed = 0.1"))
    assert ExcitedSinglets().key(wider) == ExcitedSinglets().key(run)
    for other in (
        INPUT.replace("states = 3", "states = 4"),
        INPUT.replace("states = 3", 'approximation = "TDDFT"\nstates = 3'),
        INPUT.replace('"STO-3G"', '"3-21G"'),
        INPUT.replace("states = 3", 'states = 3\nmethod = "pbe0"'),
    ):
        assert ExcitedSinglets().key(opened(folder, other)) != ExcitedSinglets().key(run)
    opened(folder, INPUT)


def test_three_energies_stand_in_three_columns_and_the_notes_say_what_is_left_out(folder, done):
    summary, _ = done
    (conformer,) = summary.stages["spectrum"].conformers
    assert conformer.measured_gap_ev == 3.5
    assert conformer.first_ev != pytest.approx(conformer.gap_ev, abs=0.05)
    console = Console(record=True, width=400)
    print_summary(summary, console)
    text = console.export_text()
    for words in ("gap eV", "first eV", "measured eV", "HOMO > LUMO", "without spin-orbit coupling"):
        assert words in text
    assert "60 nm beyond the computed states" in text
    assert json.loads((opened(folder).directory / "summary.json").read_text())["stages"]["spectrum"]["states"]


def test_the_files_hold_every_state_and_a_curve_with_their_area(folder, done, capsys):
    summary, _ = done
    run = opened(folder)
    show(run, summary)
    printed = capsys.readouterr().out
    for name in ("spectrum.png", "spectrum.csv", "excitations.csv"):
        assert str(run.directory / name) in printed
        assert (run.directory / name).stat().st_size > 100
    states = list(csv.DictReader((run.directory / "excitations.csv").open()))
    curve = list(csv.DictReader((run.directory / "spectrum.csv").open()))
    energies = np.array([float(row["energy_ev"]) for row in curve])
    heights = np.array([float(row["CH2O_f_per_ev"]) for row in curve])
    total = sum(float(row["oscillator_strength"]) for row in states)
    assert len(states) == 3
    assert np.trapezoid(heights, energies) == pytest.approx(total, rel=1e-3)


def test_it_is_planned_with_its_memory_and_sent_to_slurm_after_the_stages_it_needs(folder, done):
    run = opened(folder)
    assert [stage.stage for stage in plan_run(run).stages] == ["prescreen", "dft", "spectrum"]
    dft, stage = run.stage("dft"), run.stage("spectrum")
    assert needs_of(run, stage).memory_mb > needs_of(run, dft).memory_mb
    steps = {step.name: step for step in plan_steps(run)}
    last = steps["spectrum.0"]
    assert (last.width, last.work) == (1, "job")
    assert "dft.0" in last.after


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("states = 3", "states = 3\nup_to_ev = 4"), "states and up_to_ev say the same in two ways"),
        (("states = 3", "up_to_ev = 0"), r"spectrum.up_to_ev = 0"),
        (("states = 3", "states = 0"), r"spectrum.states = 0"),
        (("states = 3", "states = 3\ntemperature_k = 0"), r"spectrum.temperature_k = 0"),
        (("states = 3", "fwhm_ev = -0.1"), r"spectrum.fwhm_ev = -0.1"),
        (("states = 3", 'isomers = ["X"]'), "spectrum.isomers: 'X' is no isomer; there are CH2O"),
        (("CH2O = [60", "X = [60"), "experiment.peaks_nm: 'X' is no isomer"),
        (("[60,", "[0,"), r"experiment.peaks_nm"),
    ],
)
def test_a_wrong_word_is_one_line(folder, change, complaint):
    with pytest.raises(InputError, match=complaint) as told:
        opened(folder, INPUT.replace(*change), "wrong")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("states = 3", "states = 33"), r"\[spectrum\] 33 excited states are more than 'STO-3G' has"),
        (("grid_level = 0 }", "grid_level = 0, unrestricted = true }"), r"\[spectrum\] excited states are singlets"),
    ],
)
def test_what_has_no_spectrum_is_refused_before_anything_is_computed(folder, change, complaint):
    run = opened(folder, INPUT.replace(*change), "refused")
    with pytest.raises(InputError, match=complaint) as told:
        computed(run)
    assert "\n" not in str(told.value)
    assert not list(run.records)


def made(first_ev: dict[str, float], measured: dict[str, tuple[float, ...]]) -> Spectrum:
    """Make the spectrum of isomers with one strong state each."""
    conformers = tuple(
        ConformerFound(
            conformer=isomer, isomer=isomer, key="", relative_energy_kcal_mol=0, population_percent=50,
            share_percent=100, n_states=1, gap_ev=1, first_ev=energy, measured_gap_ev=None, allowed_ev=energy,
            allowed_strength=0.1,
        )
        for isomer, energy in first_ev.items()
    )  # fmt: skip
    states = tuple(
        StateFound(
            conformer=isomer, state=1, energy_ev=energy, wavelength_nm=1239.84 / energy, oscillator_strength=0.1,
            moved_e=0, to_ligands_e=None, pairs=(),
        )
        for isomer, energy in first_ev.items()
    )  # fmt: skip
    return compared(
        Spectrum(
            level="PBE", approximation="tda", solvent=None, fwhm_ev=0.3, allowed=0.01, temperature_k=298,
            populations_of="energies", conformers=conformers, states=states, peaks=(), redder=(),
            measured_nm={isomer: peaks for isomer, peaks in measured.items() if isomer in first_ev},
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("s_ev", "e_ev", "answer"),
    [(1.2, 1.6, "as measured"), (1.6, 1.2, "the other way round"), (1.60, 1.55, "undecided")],
)
def test_whether_s_absorbs_redder_than_e_is_answered_in_words(s_ev, e_ev, answer):
    measured = {"E": (361.0, 418.0, 497.0), "S": (330.0, 423.0, 510.0, 657.0)}
    found = made({"E": e_ev, "S": s_ev}, measured)
    (redder,) = found.redder
    assert (redder.redder, redder.other, redder.answer) == ("S", "E", answer)
    line = spectrum_notes(found)[-1]
    assert "measured, S absorbs redder than E (657 against 497 nm); TDA, PBE: " + answer in line
