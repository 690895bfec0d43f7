"""What the page shows, typed; the browser gets it as one JSON document."""

from __future__ import annotations

from typing import Literal

from qcdriver.models.base import Frozen


class Structure(Frozen):
    """One molecule for the 3-D view: flat coordinates in thousandths of an Angstrom.

    The other members are places in the lists of `Structures`, of what many structures have in common.
    """

    symbols: int
    bonds: int
    guides: int
    sites: int
    places: tuple[int, ...]


class Guide(Frozen):
    """A line through atoms that is drawn into a structure, and what it is; dashed: a bond that is open."""

    name: str
    atoms: tuple[int, ...]
    dashed: bool = False


class Structures(Frozen):
    """All structures of the page, and what they share; bonds are flat pairs of atoms, `sites` names by atom."""

    symbols: tuple[tuple[str, ...], ...] = ()
    bonds: tuple[tuple[int, ...], ...] = ()
    guides: tuple[tuple[Guide, ...], ...] = ()
    sites: tuple[dict[int, str], ...] = ()
    items: tuple[Structure, ...] = ()


Kind = Literal["text", "number", "measured"]


class Column(Frozen):
    """A column of a table; `kind`: "number" is sorted by its value, "measured" is one from an experiment."""

    heading: str
    kind: Kind = "text"


class PlainTable(Frozen):
    """A table as text; `structures`: the structure of a row, where there is one."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    structures: tuple[int | None, ...] = ()


class View(Frozen):
    """A structure that can be chosen in the 3-D view, with what is known of it."""

    name: str
    structure: int
    facts: tuple[tuple[str, str], ...] = ()


class Point(Frozen):
    """A point of a chart: what it says, and its structure; hollow: an image by symmetry; `gap` in eV."""

    x: float
    y: float
    gap: float | None = None
    structure: int | None = None
    words: str
    hollow: bool = False


class BranchLine(Frozen):
    """What descends from one conformer: its points, and the lines between them where it is not the lowest."""

    name: str
    points: tuple[Point, ...]
    lines: tuple[tuple[tuple[float, float], ...], ...]


class Series(Frozen):
    """Points of one level; `curves`: the lines between them; `lost`: what came to a point and was not kept."""

    name: str
    points: tuple[Point, ...]
    curves: tuple[tuple[tuple[float, float], ...], ...] = ()
    lost: tuple[tuple[float, float, Literal["up", "down"]], ...] = ()
    branches: tuple[BranchLine, ...] = ()


class Chart(Frozen):
    """Energies over a coordinate or along a path."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    remarks: tuple[str, ...] = ()


class Cell(Frozen):
    """A point of a map, by its row and column."""

    row: int
    column: int
    point: Point


class Map(Frozen):
    """Energies over two coordinates; `way`: the lowest way across, as places in `cells`."""

    title: str
    down: str
    across: str
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    cells: tuple[Cell, ...]
    way: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


class Tree(Frozen):
    """A disconnectivity graph: minima, saddles, the branches that join, and dotted ways over saddles that join none."""

    title: str
    minima: tuple[Point, ...]
    saddles: tuple[Point, ...]
    branches: tuple[tuple[tuple[float, float], ...], ...]
    dotted: tuple[tuple[tuple[float, float], ...], ...]


class Stick(Frozen):
    """One excited state: where it absorbs, its oscillator strength, and what it says."""

    nm: float
    strength: float
    words: str


class SpectrumRow(Frozen):
    """The absorption of one isomer: wavelength (nm) and 1000 L/(mol cm), where all states are known, and beyond."""

    name: str
    curve: tuple[tuple[float, float], ...]
    beyond: tuple[tuple[float, float], ...]
    sticks: tuple[Stick, ...]
    measured_nm: tuple[float, ...]


class SpectrumChart(Frozen):
    """A row for each isomer, over one axis."""

    title: str
    low_nm: float
    high_nm: float
    rows: tuple[SpectrumRow, ...]


class Folded(Frozen):
    """What was dropped for reasons of one kind."""

    reason: str
    items: tuple[str, ...]


class Download(Frozen):
    """A file that the page holds."""

    name: str
    mime: str
    content: str


class Page(Frozen):
    """All that the page shows, in its order."""

    title: str
    formula: str
    state: Literal["done", "doubtful", "unfinished", "failed"]
    verdict: str
    advice: tuple[str, ...]
    warnings: tuple[str, ...]
    failed: tuple[str, ...]
    conformers: tuple[PlainTable, ...]
    conformer_notes: tuple[str, ...]
    views: tuple[View, ...]
    charts: tuple[Chart, ...]
    maps: tuple[Map, ...]
    paths: tuple[Chart, ...]
    path_tables: tuple[PlainTable, ...]
    trees: tuple[Tree, ...]
    network_tables: tuple[PlainTable, ...]
    network_notes: tuple[str, ...]
    own: dict[str, tuple[PlainTable, ...]]
    spectra: dict[str, SpectrumChart]
    checks: tuple[str, ...]
    dropped: tuple[Folded, ...]
    levels: PlainTable
    provenance: tuple[tuple[str, str], ...]
    command: str
    input_name: str
    input_text: str
    downloads: tuple[Download, ...]
    structures: Structures
