"""A run as one page for a browser: `index.html` in the run directory, a single file that needs no network.

`content` gathers what the page shows, typed (`model`); `assets` holds the page's own HTML, CSS and JavaScript, and
3Dmol.js, which draws molecules (doi:10.1093/bioinformatics/btu829).
"""

from __future__ import annotations

import html
import re
from importlib.resources import files
from pathlib import Path

from qcdriver.report.page.content import page_of
from qcdriver.store.files import write_whole
from qcdriver.workflow.findings import Summary
from qcdriver.workflow.open_run import Run

NAME = "index.html"
_SLOT = re.compile(r"\{\{ (\w+)(?:: ([\w./-]+))? \}\}")


def write_page(run: Run, summary: Summary) -> Path:
    """Write the page of a run, and return where it is.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    page = page_of(run, summary)
    data = page.model_dump_json().replace("<", "\\u003c")  # no text of a user's ends the script that holds it
    values = {"title": html.escape(page.title), "data": data}

    def filled(slot: re.Match[str]) -> str:
        name, file = slot.groups()
        return values[name] if file is None else _asset(file)

    path = run.directory / NAME
    write_whole(path, _SLOT.sub(filled, _asset("page.html")).encode(), durable=False)
    return path


def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")
