"""What a person reads of a verdict: every code has its words, and they are the words that older versions wrote."""

from __future__ import annotations

import pytest

from qcdriver.models.verdicts import (
    FACTS_OF,
    Above,
    BondChange,
    Code,
    Curvature,
    Difference,
    Drift,
    Error,
    Limit,
    Missed,
    Missing,
    Moved,
    Note,
    OldText,
    Purpose,
    Twin,
    Verdict,
)
from qcdriver.report.findings_json import network_json
from qcdriver.report.sentences import sentence
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Network, NetworkMinimum

UNCONVERGED = Error(type="ConvergenceError", message="500 steps were not enough")
KILLED = Error(type="WorkerDied", message="the worker ended by signal 9; see workers.log")
FULL = Error(type="ResourceError", message="out of memory")
WRONG = Error(type="InputError", message="O0 and O1 lie on a line")
TURNED = Drift(asked_deg=36.0, reached_deg=9.96, isomer="S")
TWIN = Twin(label="A", key="key of A")
AT_60 = Twin(label="minimum at 60 deg", key="")


def bonds(change: str, count: int, *atoms: tuple[str, int], of: int | None = None) -> BondChange:
    symbols, indices = zip(*atoms, strict=True)
    return BondChange(change=change, count=count, of=of, symbols=symbols, atoms=indices)


CU_PAIR = (("Cu", 0), ("Cu", 7))

DROPPED = [
    (Code.NOT_BUILT, UNCONVERGED, Purpose.BUILD, "not built: 500 steps were not enough"),
    (Code.KILLED, KILLED, Purpose.BUILD, "not built: the worker ended by signal 9; see workers.log"),
    (Code.NOT_CONVERGED, UNCONVERGED, Purpose.CHEAP, "not converged: 500 steps were not enough"),
    (Code.NOT_CONVERGED, UNCONVERGED, Purpose.SCAN_POINT, "not converged: 500 steps were not enough"),
    (Code.NOT_CONVERGED, UNCONVERGED, Purpose.SINGLE_POINT, "500 steps were not enough"),
    (Code.NOT_CONVERGED, UNCONVERGED, Purpose.SCAN_CHECK, "500 steps were not enough"),
    (Code.KILLED, KILLED, Purpose.SCAN_POINT, "failed: the worker ended by signal 9; see workers.log"),
    (Code.KILLED, KILLED, Purpose.MIRROR_IMAGE, "the worker ended by signal 9; see workers.log"),
    (Code.FAILED, FULL, Purpose.MINIMUM, "failed: out of memory"),
    (Code.FAILED, FULL, Purpose.INTERCONVERSION, "out of memory"),
    (
        Code.FELL_APART,
        bonds("ligand_broken", 1, ("P", 33), ("H", 34)),
        Purpose.TIGHT,
        "fell apart: 1 bond broken in ligands, first P33-H34",
    ),
    (
        Code.FELL_APART,
        bonds("ligand_formed", 2, ("H", 34), ("H", 35)),
        Purpose.SCAN_POINT,
        "fell apart: 2 bonds formed in ligands, first H34-H35",
    ),
    (
        Code.FELL_APART,
        bonds("donor_lost", 1, ("P", 33), ("Au", 3)),
        Purpose.CHEAP,
        "fell apart: P33 lost its bond to Au3",
    ),
    (
        Code.FELL_APART,
        bonds("donor_lost", 3, ("Cl", 25)),
        Purpose.MINIMUM,
        "fell apart: Cl25 lost its bond to any metal",
    ),
    (
        Code.FELL_APART,
        bonds("skeleton_lost", 6, ("Ag", 23), of=7),
        Purpose.CHEAP,
        "fell apart: Ag23 lost 6 of its 7 metal bonds",
    ),
    (
        Code.FELL_APART,
        bonds("skeleton_formed", 2, *CU_PAIR),
        Purpose.CHEAP,
        "fell apart: 2 metal bonds formed, first Cu0-Cu7",
    ),
    (Code.TURNED, TURNED, Purpose.TIGHT, "turned from 36 to 10.0 deg: no longer S"),
    (Code.ABOVE_WINDOW, Above(hartree=12.04 / KCAL_MOL), Purpose.TIGHT, "12.0 kcal/mol above the lowest"),
    (
        Code.ABOVE_WINDOW,
        Above(hartree=12.04 / KCAL_MOL, after=Purpose.CHEAP),
        Purpose.CHEAP,
        "12.0 kcal/mol above the lowest after the cheap pass",
    ),
    (Code.BEYOND_LIMIT, Limit(setting="max_kept", value=2), Purpose.TIGHT, "beyond max_kept = 2"),
    (
        Code.BEYOND_LIMIT,
        Limit(setting="max_tight", value=3, group="S"),
        Purpose.CHEAP,
        "behind the 3 best of S after the cheap pass",
    ),
    (Code.DUPLICATE, TWIN, Purpose.TIGHT, "the same structure as A"),
    (Code.DUPLICATE, AT_60, Purpose.MINIMUM, "became the same structure as the minimum at 60 deg"),
    (Code.DUPLICATE, Twin(label="saddle at 0 deg", key=""), Purpose.SADDLE, "the same as the saddle at 0 deg"),
    (Code.MIRROR_IMAGE, TWIN, Purpose.TIGHT_HELD, "the mirror image of A"),
    (Code.MIRROR_IMAGE, AT_60, Purpose.MINIMUM, "became the mirror image of the minimum at 60 deg"),
    (Code.NOT_DRIVABLE, WRONG, Purpose.SCAN_POINT, "O0 and O1 lie on a line"),
    (
        Code.MISSED_TARGET,
        Missed(target=18.0, reached=17.5, point="18 deg"),
        Purpose.SCAN_POINT,
        "reached 17.50 instead of 18 (18 deg)",
    ),
    (
        Code.HIGHER_THAN_KEPT,
        Above(hartree=0.5 / KCAL_MOL, against="E"),
        Purpose.SCAN_POINT,
        "+0.50 kcal/mol against the structure from E, which was kept",
    ),
    (Code.UNREACHED, None, None, "no neighbour has a structure to start from"),
    (Code.NO_TOP, None, Purpose.SADDLE, "no top between its ends: the path only descends"),
    (Code.NO_PATH, AT_60, Purpose.SADDLE, "no path: the minimum at 60 deg, where it would end, did not relax"),
    (Code.NO_PATH, WRONG, Purpose.SADDLE, "no path: O0 and O1 lie on a line"),
    (
        Code.LEFT_PATH,
        Moved(angstrom=2.34),
        Purpose.SADDLE,
        "the search for the saddle left the path: an atom moved by 2.3 Angstrom",
    ),
    (
        Code.WRONG_CURVATURE,
        Curvature(wavenumbers_cm=(-310.4, -52.0), wanted=1),
        Purpose.SADDLE,
        "imaginary wavenumbers: 310i, 52i 1/cm; a saddle has exactly one",
    ),
    (
        Code.WRONG_CURVATURE,
        Curvature(wanted=1),
        Purpose.SADDLE,
        "imaginary wavenumbers: none; a saddle has exactly one",
    ),
    (
        Code.WRONG_CURVATURE,
        Curvature(wavenumbers_cm=(-310.4,), wanted=0, pushed_off_cm=(310.4, 310.4, 310.4)),
        Purpose.VIBRATIONS,
        "imaginary wavenumbers: 310i 1/cm; a minimum has none; pushed 3 times in vain",
    ),
    (
        Code.NOT_VERIFIED,
        UNCONVERGED,
        Purpose.SADDLE,
        "not verified: not converged: 500 steps were not enough",
    ),
    (Code.NOT_VERIFIED, FULL, Purpose.VIBRATIONS, "not verified: failed: out of memory"),
    (
        Code.STATES_NOT_CONVERGED,
        Missing(count=2, of=20),
        Purpose.EXCITATIONS,
        "2 of 20 excited states did not converge",
    ),
    (
        Code.ENERGY_DIFFERS,
        Difference(hartree=-2e-6, tolerance=1e-6, against="A"),
        Purpose.MIRROR_IMAGE,
        "-2.0e-06 hartree against A; 1e-06 are allowed",
    ),
    (
        Code.ENERGY_DIFFERS,
        Difference(hartree=-2e-4, tolerance=1e-5, against="30 deg"),
        Purpose.SCAN_CHECK,
        "computed, its energy differs by -2.0e-04 hartree",
    ),
]

ENERGY_AGREES = [
    (Difference(hartree=5e-7, tolerance=1e-6, against="A"), Purpose.MIRROR_IMAGE)
    + ("+5.0e-07 hartree against A; 1e-06 are allowed",),
    (Difference(hartree=5e-7, tolerance=1e-5, against="30 deg"), Purpose.SCAN_CHECK)
    + ("computed, its energy differs by 5.0e-07 hartree",),
]

NOTES = [
    (Code.HELD, TURNED, "held: set free it turned from 36 to 10.0 deg: no longer S"),
    (Code.OPENED, bonds("skeleton_opened", 1, *CU_PAIR), "1 metal bond opened, first Cu0-Cu7"),
    (Code.OPENED, bonds("skeleton_opened", 2, *CU_PAIR), "2 metal bonds opened, first Cu0-Cu7"),
    (Code.BONDS_BROKEN_AT_TOP, bonds("donor_lost", 2, ("H", 57)), "H57 lost its bond to any metal"),
    (Code.NOISE, Curvature(wavenumbers_cm=(-12.3, -8.0)), "12i and 8i 1/cm counted as noise"),
    (Code.STATES_NOT_CONVERGED, Missing(count=1, of=3), "1 of 3 excited states did not converge"),
    (Code.PUSHED_OFF, Curvature(pushed_off_cm=(310.4, 310.2, 52.0)), "pushed off a saddle, 310i and 52i 1/cm"),
]


@pytest.mark.parametrize(("code", "facts", "purpose", "words"), DROPPED)
def test_what_was_dropped_says_why(code, facts, purpose, words):
    assert sentence(Verdict(label="", key="", kept=False, code=code, facts=facts, purpose=purpose)) == words


@pytest.mark.parametrize(("difference", "purpose", "words"), ENERGY_AGREES)
def test_an_energy_that_agrees_says_by_how_much(difference, purpose, words):
    verdict = Verdict(label="", key="", kept=True, code=Code.ENERGY_AGREES, facts=difference, purpose=purpose)
    assert sentence(verdict) == words


def kept(*notes: Note) -> Verdict:
    return Verdict(label="", key="", kept=True, code=Code.KEPT, notes=notes)


@pytest.mark.parametrize(("code", "facts", "words"), NOTES)
def test_what_was_kept_says_what_to_know_about_it(code, facts, words):
    assert sentence(kept(Note(code=code, facts=facts))) == words


def test_several_notes_are_one_sentence_and_none_is_no_sentence():
    held, opened = (Note(code=code, facts=facts) for code, facts, _ in NOTES[:2])
    assert sentence(kept(held, opened)) == f"{NOTES[0][2]}; {NOTES[1][2]}"
    assert sentence(kept()) is None


def test_every_code_with_all_of_its_facts_is_in_these_tables():
    tested = {(code, type(facts)) for code, facts, *_ in [*DROPPED, *NOTES]} | {(Code.ENERGY_AGREES, Difference)}
    assert tested == {(code, each) for code in Code for each in FACTS_OF[code] or [type(None)]} - {
        (Code.KEPT, type(None))
    }


@pytest.mark.parametrize("code", [Code.FELL_APART, Code.NOT_DRIVABLE, Code.ENERGY_DIFFERS])
def test_of_an_old_record_the_old_words_are_said(code):
    old = OldText(text="words of 2024; as they were")
    assert sentence(Verdict(label="", key="", kept=False, code=code, facts=old)) == old.text
    assert sentence(kept(Note(code=Code.OPENED, facts=old))) == old.text


def test_a_minimum_at_the_end_of_a_scan_is_called_so():
    minimum = NetworkMinimum(
        label="90 deg",
        key="0" * 32,
        reached=(90.0,),
        energy_hartree=-1.0,
        relative_energy_kcal_mol=0.0,
        gap_ev=None,
        n_imaginary=None,
        lowest_cm=None,
        at_end=True,
    )
    network = Network(level="GFN1-xTB", refined=False, n_atoms_moved=None, minima=(minimum,), saddles=(), merges=())
    (written,) = network_json(network)["minima"]
    assert written["note"] == "at the end of the scan, where the energy may go on falling"
    assert "at_end" not in written
    inside = network.model_copy(update={"minima": (minimum.model_copy(update={"at_end": False}),)})
    assert network_json(inside)["minima"][0]["note"] is None
