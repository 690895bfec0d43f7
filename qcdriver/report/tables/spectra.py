"""A spectrum -> tables: the three energies of every conformer, the states that absorb, measured peaks, and notes."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table

from qcdriver.models.excitations import OrbitalPair
from qcdriver.report.sentences import spectrum_notes
from qcdriver.report.tables.profiles import number
from qcdriver.workflow.spectrum.curve import wavelength_nm
from qcdriver.workflow.spectrum.findings import Spectrum, StateFound

SHOWN_STATES = 10
"""Of a conformer: its first, and the strongest that make a band; all are in the CSV file."""


def spectrum_tables(found: Spectrum) -> Iterator[Table]:
    """Make the tables of the conformers, the states, the match with measured peaks, and what is to be said of them."""
    yield _conformers(found)
    yield _states(found)
    if found.peaks:
        yield _peaks(found)
    notes = Table(box=box.SIMPLE_HEAD, title="To read them by", title_justify="left", show_header=False)
    for line in spectrum_notes(found):
        notes.add_row(line)
    yield notes


def pair_words(pair: OrbitalPair) -> str:
    """Write an orbital pair: "HOMO-1 > LUMO+2 0.85"."""
    low = f"HOMO-{pair.occupied}" if pair.occupied else "HOMO"
    high = f"LUMO+{pair.empty}" if pair.empty else "LUMO"
    return f"{low} > {high} {pair.weight:.2f}"


def shown_states(found: Spectrum, conformer: str) -> list[StateFound]:
    """Return the states of a conformer that a table has room for, by rising energy."""
    states = [state for state in found.states if state.conformer == conformer]
    strong = sorted(states[1:], key=lambda state: -state.oscillator_strength)[: SHOWN_STATES - 1]
    return [
        state
        for state in states
        if state is states[0] or (state in strong and state.oscillator_strength >= found.allowed)
    ]


def _conformers(found: Spectrum) -> Table:
    title = f"Excitations by {found.approximation.upper()} without spin-orbit coupling, {found.level}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    measured = any(conformer.measured_gap_ev is not None for conformer in found.conformers)
    headings = ("share %", "gap eV", "first eV", "allowed eV", "nm", "f")
    for heading in (*headings, *(["measured eV"] * measured)):
        table.add_column(heading, justify="right")
    for conformer in found.conformers:
        allowed = conformer.allowed_ev
        table.add_row(
            f"{conformer.conformer}{'!' * bool(conformer.warnings)}",
            number(conformer.share_percent, 1),
            number(conformer.gap_ev, 2),
            number(conformer.first_ev, 2),
            number(allowed, 2),
            number(None if allowed is None else wavelength_nm(allowed), 0),
            number(conformer.allowed_strength, 3),
            *([number(conformer.measured_gap_ev, 2)] * measured),
        )
    return table


def _states(found: Spectrum) -> Table:
    title = f"States: the first, and the strongest of f >= {found.allowed:g}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    metal = any(state.to_ligands_e is not None for state in found.states)
    for heading in ("state", "eV", "nm", "f", "moved e", *(["to ligands e"] * metal)):
        table.add_column(heading, justify="right")
    table.add_column("orbitals, weight")
    for conformer in found.conformers:
        for state in shown_states(found, conformer.conformer):
            table.add_row(
                conformer.conformer,
                str(state.state),
                f"{state.energy_ev:.2f}",
                f"{state.wavelength_nm:.0f}",
                f"{state.oscillator_strength:.3f}",
                f"{state.moved_e:.2f}",
                *([number(state.to_ligands_e, 2)] * metal),
                ", ".join(map(pair_words, state.pairs[:3])),
            )
    return table


def _peaks(found: Spectrum) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Measured peaks and computed bands", title_justify="left")
    table.add_column("isomer")
    for heading in ("measured nm", "computed nm", "difference eV"):
        table.add_column(heading, justify="right")
    for found_peak in found.peaks:
        rows = dict(zip(found_peak.measured_nm, found_peak.computed_nm, strict=True))
        for peak in found.measured_nm[found_peak.isomer]:
            band = rows.get(peak)
            difference = None if band is None else wavelength_nm(band) - wavelength_nm(peak)
            beyond = "not reached" if peak in found_peak.not_reached_nm else "-"
            table.add_row(
                found_peak.isomer,
                f"{peak:g}",
                beyond if band is None else f"{band:.0f}",
                "-" if difference is None else f"{difference:+.2f}",
            )
    return table
