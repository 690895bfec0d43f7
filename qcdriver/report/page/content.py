"""A run and its findings -> all that the page shows."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.report.glance import command_of, glance
from qcdriver.report.page.charts import Scanned, laid, path_charts, profile_charts, tree
from qcdriver.report.page.downloads import downloads
from qcdriver.report.page.gallery import Gallery, opened_bonds
from qcdriver.report.page.model import Folded, Page, PlainTable, View
from qcdriver.report.page.spectra import spectrum_chart
from qcdriver.report.page.tables import plain
from qcdriver.report.provenance import Provenance, provenance
from qcdriver.report.sentences import conversion_lines, minimum_note, sentence
from qcdriver.report.tables.dropped import by_reason
from qcdriver.report.tables.networks import network_tables
from qcdriver.report.tables.overview import (
    MEASURED,
    conformer_tables,
    order_and_representatives,
    path_table,
)
from qcdriver.report.tables.own import own_tables
from qcdriver.systems.registry import families
from qcdriver.units import duration
from qcdriver.workflow.findings import Conformer, Summary
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.scan.stage import landscape
from qcdriver.workflow.spectrum.findings import Spectrum
from qcdriver.workflow.variants import run_name, split


def page_of(run: Run, summary: Summary) -> Page:
    """Gather what the page shows; reads the records, and computes nothing but where structures lie on each other."""
    gallery = Gallery()
    scanned = Scanned(landscape(run), gallery)
    charts, maps = profile_charts(run, summary.profiles, scanned, gallery)
    views = list(_views(run, summary, scanned, gallery))
    by_label = {view.name: view.structure for view in reversed(views)}
    networks = summary.networks[-1:]
    trees = [tree(run, network, gallery, scanned.first) for network in networks]
    made, how = provenance(run), glance(run, summary)
    return Page(
        title=summary.title,
        formula=summary.formula,
        state=how.state,
        verdict=how.verdict,
        advice=how.advice,
        warnings=tuple(
            f"{conformer.label}, {conformer.level}: {warning.sentence}"
            for conformer in summary.conformers
            for warning in conformer.warnings
        ),
        failed=tuple(f"{item.stage} {item.label}: {sentence(item.verdict)}" for item in summary.failed),
        conformers=tuple(plain(table, by_label, MEASURED) for table in conformer_tables(summary)),
        conformer_notes=tuple(_conformer_notes(summary)),
        views=tuple(views),
        charts=tuple(charts),
        maps=tuple(maps),
        paths=tuple(path_charts(run, summary.paths, gallery)),
        path_tables=(plain(path_table(summary.paths)),) if summary.paths else (),
        trees=tuple(found for found in trees if found),
        network_tables=tuple(plain(table) for network in networks for table in network_tables(network)),
        network_notes=tuple(
            f"minimum at {minimum.label}: {note}"
            for network in networks
            for minimum in network.minima
            if (note := minimum_note(minimum))
        ),
        own={name: tuple(map(plain, own_tables(name, finding))) for name, finding in summary.stages.items()},
        spectra={
            name: spectrum_chart(finding)
            for name, finding in summary.stages.items()
            if isinstance(finding, Spectrum) and finding.states
        },
        checks=tuple(_checks(summary)),
        dropped=tuple(Folded(reason=group.reason, items=group.lines) for group in by_reason(summary.dropped)),
        levels=_levels(made),
        provenance=tuple(_provenance(run, made)),
        command=command_of(run),
        input_name=run.input_path.name,
        input_text=_input_text(run),
        downloads=tuple(downloads(run, summary, run_name(run.input_path).as_posix().replace("/", "-"))),
        structures=gallery.structures(),
    )


def _views(run: Run, summary: Summary, scanned: Scanned, gallery: Gallery) -> Iterator[View]:
    """Give every conformer once, as it is at the highest level, laid on the first, with what its family measured."""
    first = scanned.first
    best: dict[str, tuple[Conformer, Molecule]] = {}
    for conformer in summary.conformers:
        try:
            molecule = run.record(conformer.key).molecule
        except InputError:
            continue
        if molecule is not None:
            best[conformer.label] = conformer, molecule
    for conformer, molecule in best.values():
        shown = laid(first, molecule, in_its_order=True)  # the atoms of a verdict's bonds are counted in it
        first = first or shown
        columns = [
            (column.heading, column.cell(conformer.measured[name]))
            for name, family in families().items()
            if name in conformer.measured
            for column in family.conformer_columns
        ]
        yield View(
            name=conformer.label,
            structure=gallery.add(shown, opened_bonds(conformer.verdict)),
            facts=tuple(columns),
        )


def _conformer_notes(summary: Summary) -> Iterator[str]:
    yield from order_and_representatives(summary)
    notes = {conformer.label: sentence(conformer.verdict) for conformer in summary.conformers}
    yield from (f"* {label}: {note}" for label, note in notes.items() if note)
    if summary.experiment_source:
        yield f"Measured gaps are optical ones, not HOMO-LUMO gaps: {summary.experiment_source}"


def _checks(summary: Summary) -> Iterator[str]:
    for check in summary.mirror_checks:
        yield f"{check.label}: {sentence(check.verdict)} ({check.level})"
    for spread in summary.spreads:
        if spread.n_starts > 1:
            yield (
                f"{spread.isomer}: {spread.n_starts} starts relaxed tightly end {spread.kcal_mol:.2f} kcal/mol apart "
                f"({spread.level})"
            )
    for conversion in summary.conversions:
        yield from conversion_lines(conversion)


def _levels(made: Provenance) -> PlainTable:
    table = Table(title="Levels of theory")
    for heading in ("level", "engine", "version", "stages", "calculations", "CPU time"):
        table.add_column(heading)
    for used in made.levels:
        level = used.level
        stages = ", ".join(used.stages)
        cost = (str(used.calculations), duration(used.cpu_s))
        table.add_row(used.title, level.engine, level.engine_version, stages, *cost)
    return plain(table)


def _provenance(run: Run, made: Provenance) -> Iterator[tuple[str, str]]:
    yield "run directory", str(run.directory)
    if taken := dict.fromkeys(
        str(candidate.taken_from.directory) for candidate in run.candidates if candidate.taken_from
    ):
        yield "structures", f"the conformers of {' and '.join(taken)}, whose calculations are counted here"
    yield "calculations", f"{made.calculations} behind these findings, {duration(made.cpu_s)} of CPU time"
    if made.first_utc and made.last_utc:
        yield "computed", f"{made.first_utc} to {made.last_utc}"
    yield "program", ", ".join(made.programs) or "unknown"
    yield "libraries", ", ".join(f"{name} {' and '.join(versions)}" for name, versions in made.libraries.items())
    yield "machines", ", ".join((*made.hosts, *made.gpus)) or "unknown"


def _input_text(run: Run) -> str:
    """Return the input file; nothing for an input made in Python."""
    try:
        return split(run.input_path)[0].read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""
