"""Make a figure without a window, and write it as a PNG file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qcdriver.store.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a PNG file; one that is there is replaced."""
    with whole_file(path, durable=False) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
