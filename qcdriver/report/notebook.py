"""Findings -> HTML for a notebook: tables, and pictures inside the text, so that a saved notebook keeps them."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from qcdriver.report.glance import glance
from qcdriver.report.page import NAME
from qcdriver.report.page.tables import plain
from qcdriver.report.tables.overview import conformer_tables, order_and_representatives
from qcdriver.report.tables.profiles import profile_tables, remarks
from qcdriver.workflow.findings import Summary
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.scan.stage import landscape as landscape_of


def run_html(run: Run, summary: Summary) -> str:
    """Show a run: how it stands, its conformers and profiles, where its page is."""
    how = glance(run, summary)
    lines = [f"<h3>{html.escape(summary.title)} ({html.escape(summary.formula)})</h3>", _paragraph(how.verdict)]
    lines += [_paragraph(line) for line in how.advice]
    page = run.directory / NAME
    told = f"page: {page}" if page.is_file() else f"tables, pictures and records: {run.directory}"
    return "\n".join([*lines, conformers_html(summary), profiles_html(run, summary), _paragraph(told)])


def conformers_html(summary: Summary) -> str:
    """Show the tables of conformers, level by level, and how far their order is decided."""
    tables = (table_html(table) for table in conformer_tables(summary))
    return "\n".join([*tables, *map(_paragraph, order_and_representatives(summary))])


def profiles_html(run: Run, summary: Summary) -> str:
    """Show the picture of all profiles, or of the map, and the table of each with what is not smooth in it."""
    shown = list(_pictures(run, summary)) if summary.profiles else []
    for profile in summary.profiles:
        shown += [table_html(table) for table in profile_tables(profile)]
        shown += [_paragraph(line) for line in remarks(profile)]
    return "\n".join(shown)


def table_html(table: Table) -> str:
    """Write a table as HTML, numbers to the right."""
    content = plain(table)
    aligned = ["left" if column.kind == "text" else "right" for column in content.columns]
    heads = _cells("th", (column.heading for column in content.columns), aligned)
    rows = "\n".join(f"<tr>{_cells('td', row, aligned)}</tr>" for row in content.rows)
    caption = f"<caption>{html.escape(content.title)}</caption>" if content.title else ""
    return f"<table>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>"


def _cells(tag: str, texts: Iterable[str], aligned: list[str]) -> str:
    return "".join(
        f'<{tag} style="text-align: {side}">{html.escape(text)}</{tag}>'
        for text, side in zip(texts, aligned, strict=True)
    )


def _paragraph(line: str) -> str:
    return f"<p>{html.escape(line)}</p>"


def _pictures(run: Run, summary: Summary) -> Iterator[str]:
    from qcdriver.report.pictures.contour_map import plot_map
    from qcdriver.report.pictures.profile import plot_profiles
    from qcdriver.report.pictures.trajectory import lowest_way

    yield from _picture(lambda path: plot_profiles(summary, path), "profile: energy and gap over the coordinate")
    landscape = landscape_of(run)
    if landscape:
        profile, way = summary.profiles[0], lowest_way(landscape)
        yield from _picture(lambda path: plot_map(summary.title, landscape, profile, way, path), "map of the energy")


def _picture(draw: Callable[[Path], bool], words: str) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        if draw(path):
            content = base64.b64encode(path.read_bytes()).decode()
            source = f"data:image/png;base64,{content}"
            yield f'<img alt="{html.escape(words)}" style="max-width: 45em; width: 100%" src="{source}">'
