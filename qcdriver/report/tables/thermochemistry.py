"""Free energies -> tables: conformers and passages by temperature, and the populations over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from qcdriver.report.sentences import kinetics_notes, passage_notes, population_notes
from qcdriver.report.tables.profiles import number
from qcdriver.units import time_span
from qcdriver.workflow.thermochemistry.findings import (
    Average,
    Kinetics,
    Moment,
    Populations,
    Thermochemistry,
    TimeCourse,
)

SHOWN_BANDS = 10
"""Of a conformer: the strongest; all are in the CSV file."""
SHOWN_TEMPERATURES = 12
"""Of a range, at most; all are in the JSON."""
SCAN_POINTS = (
    "scan points are no minima: they count by their energies alone, without vibrations, and the motions across the "
    "scan are left out"
)
SHOWN_MINIMA = 6
"""Of a time course: those that ever hold most; all are in the JSON."""


def thermochemistry_tables(found: Thermochemistry) -> Iterator[Table]:
    """Make the tables of the conformers, of the passages, of the populations by temperature and over time."""
    yield _conformers(found)
    if any(spectrum.intensities_km_mol for spectrum in found.infrared):
        yield _infrared(found)
    if found.passages:
        yield _passages(found)
        if lines := passage_notes(found.passages):
            yield notes(lines)
    if found.populations:
        yield _populations(found.populations)
        yield notes(population_notes(found.populations, found.level))
    if any(average.n_structures > 1 for average in found.averages):
        yield _averages(found.averages)
        if any(average.scan_points for average in found.averages):
            yield notes([SCAN_POINTS])
    if found.kinetics:
        for course in found.kinetics.courses:
            yield _course(found.kinetics, course)
        yield notes(kinetics_notes(found.kinetics))


def notes(lines: Sequence[str]) -> Table:
    """Make a table of sentences."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    for line in lines:
        table.add_row(line)
    return table


def _conformers(found: Thermochemistry) -> Table:
    title = (
        f"Free energies, kcal/mol, {found.level}, {found.standard_state}, quasi-RRHO below {found.cutoff_cm:g} 1/cm "
        f"(alpha {found.alpha:g})"
    )
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    for heading in ("T K", "dE", "dG", "dG raised", "hands", "population %"):
        table.add_column(heading, justify="right")
    for conformer in found.conformers:
        energies = (conformer.energy_kcal_mol, conformer.gibbs_kcal_mol, conformer.gibbs_raised_kcal_mol)
        table.add_row(
            conformer.conformer,
            f"{conformer.temperature_k:g}",
            *(number(energy, 2) for energy in energies),
            str(conformer.weight),
            number(conformer.population_percent, 1),
        )
    return table


def _infrared(found: Thermochemistry) -> Table:
    title = "Infrared, the strongest: harmonic wavenumbers, 1/cm, not scaled (intensity, km/mol)"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    table.add_column("absorbs at")
    for spectrum in found.infrared:
        if spectrum.intensities_km_mol is None:
            table.add_row(spectrum.conformer, "unknown: its vibrations were computed without dipoles")
            continue
        bands = sorted(zip(spectrum.intensities_km_mol, spectrum.wavenumbers_cm, strict=True), reverse=True)[
            :SHOWN_BANDS
        ]
        rising = sorted((wavenumber, strength) for strength, wavenumber in bands)
        table.add_row(spectrum.conformer, ", ".join(f"{place:.0f} ({strength:.0f})" for place, strength in rising))
    return table


def _passages(found: Thermochemistry) -> Table:
    title = "Free barriers, and rates by Eyring with Wigner's factor, over verified saddles"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("from, to, over", no_wrap=True)
    for heading in ("T K", "barrier\nkcal/mol", "Wigner", "ways", "rate\n1/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("half-\nlife", justify="right")
    known = None
    for passage in found.passages:
        way = (passage.start, passage.end, passage.saddle)
        table.add_row(
            "\n".join(way) if way != known else "",
            f"{passage.temperature_k:g}",
            number(passage.gibbs_barrier_kcal_mol, 2),
            number(passage.wigner_factor, 2),
            f"{passage.ways:g}",
            f"{passage.rate_per_s:.3g}",
            "never" if passage.half_life_s is None else time_span(passage.half_life_s),
        )
        known = way
    return table


def _populations(found: Populations) -> Table:
    title = "Populations against temperature, %"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("T K", justify="right")
    for name in found.species:
        table.add_column(name, justify="right")
        if found.scatter_kcal_mol is not None:
            table.add_column("by the scatter", justify="right")
    step = math.ceil(len(found.temperatures) / SHOWN_TEMPERATURES)
    for row in found.temperatures[::step]:
        cells = []
        for place in range(len(found.species)):
            cells.append(number(row.percent[place], 1))
            if row.lowest_percent and row.highest_percent:
                cells.append(f"{row.lowest_percent[place]:.1f} .. {row.highest_percent[place]:.1f}")
        table.add_row(f"{row.temperature_k:g}", *cells)
    return table


def _averages(found: Sequence[Average]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Thermal averages", title_justify="left")
    table.add_column("over")
    names = list(dict.fromkeys(name for average in found for name in average.coordinates))
    belts = any(average.belts_percent for average in found)
    for heading in ("T K", "gap eV", *(name.replace("_", " ") for name in names)):
        table.add_column(heading, justify="right")
    if belts:
        table.add_column("belt, %")
    for average in found:
        words = ", ".join(f"{name} {percent:.0f}" for name, percent in average.belts_percent.items() if percent >= 0.5)
        table.add_row(
            f"{average.n_structures} scan points" if average.scan_points else f"{average.n_structures} conformers",
            f"{average.temperature_k:g}",
            number(average.gap_ev, 3),
            *(number(average.coordinates.get(name), 1) for name in names),
            *([words or "-"] if belts else []),
        )
    return table


def _course(kinetics: Kinetics, course: TimeCourse) -> Table:
    title = f"Populations over time from {kinetics.start} at {course.temperature_k:g} K, %"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("after", justify="right")
    shown = _shown(course)
    for place in shown:
        names = (kinetics.minima[place], *(f"({isomer})" for isomer in kinetics.isomers[place]))
        table.add_column("\n".join(names), justify="right")
    for moment in _rows(course):
        table.add_row(time_span(moment.time_s), *(number(moment.populations_percent[place], 1) for place in shown))
    table.add_row("equilibrium", *(number(course.equilibrium_percent[place], 1) for place in shown))
    return table


def _shown(course: TimeCourse) -> list[int]:
    """Choose the minima that a table has room for, in their order."""
    known = [course.equilibrium_percent, *(moment.populations_percent for moment in (*course.moments, *course.asked))]
    most = [max(shares) for shares in zip(*known, strict=True)]
    largest = sorted(range(len(most)), key=lambda place: -most[place])[:SHOWN_MINIMA]
    return sorted(largest)


def _rows(course: TimeCourse) -> list[Moment]:
    """Choose the first moment of each decade, and add what the input asks for."""
    decades = {math.floor(math.log10(moment.time_s)): moment for moment in reversed(course.moments)}
    return sorted({moment.time_s: moment for moment in (*decades.values(), *course.asked)}.values(), key=_time)


def _time(moment: Moment) -> float:
    return moment.time_s
