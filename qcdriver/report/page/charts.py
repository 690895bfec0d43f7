"""Profiles, maps, paths and networks -> charts whose points know their structures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from qcdriver.geometry.bonds import metal_atoms
from qcdriver.geometry.superposition import principal_axes
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band
from qcdriver.report.page.gallery import Gallery
from qcdriver.report.page.model import BranchLine, Cell, Chart, Map, Point, Series, Tree
from qcdriver.report.pictures.disconnectivity import places_across, saddle_places
from qcdriver.report.pictures.profile import curves, lost_energy
from qcdriver.report.pictures.trajectory import laid_on, lowest_way, trajectory, turned_onto
from qcdriver.report.sentences import sentence
from qcdriver.report.tables.networks import how_sure
from qcdriver.report.tables.profiles import is_map, number, place, remarks
from qcdriver.units import ANGSTROM, EV, KCAL_MOL
from qcdriver.workflow.findings import Network, PathFound, Profile, ScanPoint
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.scan.grid import Index
from qcdriver.workflow.scan.landscape import Landscape

ENERGY = "relative energy (kcal/mol)"


class Scanned:
    """The structures of a scan, in one order of atoms and laid on each other, by their places on the grid.

    `first`: the first of them, which other structures of the run are laid on.
    """

    def __init__(self, landscape: Landscape | None, gallery: Gallery) -> None:
        self.way: tuple[Index, ...] = ()
        self.places: tuple[Index, ...] = ()
        self.structures: dict[Index, int] = {}
        self.first: Molecule | None = None
        if landscape is None or not landscape.points:
            return
        self.way = lowest_way(landscape)
        self.places = tuple(place for place in landscape.grid if landscape.grid.home(place)[0] in landscape.points)
        frames = trajectory(landscape, _neighbours_in_a_row(self.places))
        centre, axes = _lengthwise(frames[0].molecule)
        shown = [frame.molecule.moved((frame.molecule.geometry - centre) @ axes.T) for frame in frames]
        self.structures = {frame.place: gallery.add(one) for frame, one in zip(frames, shown, strict=True)}
        self.first = shown[0]


def laid(onto: Molecule | None, molecule: Molecule, in_its_order: bool = False) -> Molecule:
    """Lay a molecule on another of the same atoms; without one, its longest extent from left to right."""
    if onto is not None and sorted(onto.symbols) == sorted(molecule.symbols):
        return turned_onto(onto, molecule) if in_its_order else laid_on(onto, molecule)
    centre, axes = _lengthwise(molecule)
    return molecule.moved((molecule.geometry - centre) @ axes.T)


def _lengthwise(molecule: Molecule) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre of the metal (without any: of all atoms) and its principal axes as rows, right-handed."""
    still = list(metal_atoms(molecule))
    points = molecule.geometry[still if len(still) > 2 else list(range(len(molecule.symbols)))]
    centre = points.mean(axis=0)
    if len(points) < 3:
        return centre, np.eye(3)
    _, axes = principal_axes(points)
    return centre, axes * np.array([[1.0], [1.0], [np.sign(np.linalg.det(axes)) or 1.0]])


def _neighbours_in_a_row(places: Sequence[Index]) -> list[Index]:
    """Go through a map row by row, every other row backwards, so that each place is next to the one before."""
    if not places or len(places[0]) == 1:
        return list(places)
    rows: dict[int, list[Index]] = {}
    for index in places:
        rows.setdefault(index[0], []).append(index)
    return [index for count, row in enumerate(rows.values()) for index in (row[::-1] if count % 2 else row)]


def profile_charts(
    run: Run, profiles: Sequence[Profile], scanned: Scanned, gallery: Gallery
) -> tuple[list[Chart], list[Map]]:
    """Make a chart of all profiles over one coordinate, and a map of each over two; the scan's own stands first."""
    shown = [_shown(run, profile, scanned if not count else None, gallery) for count, profile in enumerate(profiles)]
    lines = [
        (profile, points) for profile, points in zip(profiles, shown, strict=True) if len(profile.coordinates) == 1
    ]
    branches = {profile.level: _branches(run, profile, points, scanned.first, gallery) for profile, points in lines}
    charts = []
    if lines:
        longest = max(len(points) for _, points in lines)
        kind, unit = lines[0][0].axes[0]
        charts.append(
            Chart(
                title=f"Profile of the {kind}",
                x_label=f"{kind} ({unit})",
                y_label=ENERGY,
                series=tuple(
                    _series(profile, points, len(points) > longest / 2, branches[profile.level])
                    for profile, points in lines
                ),
                remarks=tuple(
                    line for profile, _ in lines for line in (*remarks(profile), *_convergence(run, profile))
                ),
            )
        )
    maps = [
        _map(run, profile, points, scanned if not count else None)
        for count, (profile, points) in enumerate(zip(profiles, shown, strict=True))
        if is_map(profile)
    ]
    return charts, maps


def _shown(run: Run, profile: Profile, scanned: Scanned | None, gallery: Gallery) -> list[Point]:
    """Make the points of a profile; those of the scan have the structures of its grid, in their order."""
    if scanned and len(scanned.places) == len(profile.points):
        structures: list[int | None] = [scanned.structures[index] for index in scanned.places]
    else:
        structures = [structure_of(run, point.key, gallery) for point in profile.points]
    return [
        Point(
            x=point.reached[0],
            y=point.relative_energy_kcal_mol,
            gap=point.gap_ev,
            structure=structure,
            words=_words(point, profile),
            hollow=point.image_of is not None,
        )
        for point, structure in zip(profile.points, structures, strict=True)
    ]


def structure_of(run: Run, key: str, gallery: Gallery, onto: Molecule | None = None) -> int | None:
    """Return the structure that a record ends with, laid on another molecule; None where there is none."""
    molecule = run.record(key).molecule
    if molecule is None:
        return None
    return gallery.add(laid(onto, molecule))


def _words(point: ScanPoint, profile: Profile) -> str:
    gap = "" if point.gap_ev is None else f", gap {point.gap_ev:.3f} eV"
    belt = f", belt {point.belt}" if point.belt else ""
    at = place(point.target or point.reached, profile)
    origin = f"; the image of {place(point.image_of, profile)}" if point.image_of is not None else ""
    if point.image_of is None and point.origin:
        origin = f"; from {point.origin}"
    return f"{at}: {number(point.relative_energy_kcal_mol, 2)} kcal/mol{gap}{belt}{origin} ({profile.level})"


def _branches(
    run: Run, profile: Profile, points: Sequence[Point], onto: Molecule | None, gallery: Gallery
) -> tuple[BranchLine, ...]:
    """Make what descends from each conformer, where several do; a point that is the profile's own is that one."""
    if len(profile.branches) < 2:
        return ()
    own = {found.key: point for found, point in zip(profile.points, points, strict=True) if found.image_of is None}
    return tuple(
        BranchLine(
            name=branch.conformer,
            points=tuple(
                Point(
                    x=point.target[0],
                    y=point.relative_energy_kcal_mol,
                    structure=own[point.key].structure
                    if point.key in own
                    else structure_of(run, point.key, gallery, onto),
                    words=f"{place(point.target, profile)}, what descends from {branch.conformer}: "
                    f"{number(point.relative_energy_kcal_mol, 2)} kcal/mol{', the lowest' if point.lowest else ''}",
                    hollow=not point.lowest,
                )
                for point in branch.points
            ),
            lines=tuple(
                tuple((end.target[0], end.relative_energy_kcal_mol) for end in ends)
                for ends in pairwise(branch.points)
                if not all(end.lowest for end in ends)
            ),
        )
        for branch in profile.branches
    )


def _series(profile: Profile, points: Sequence[Point], with_line: bool, branches: tuple[BranchLine, ...]) -> Series:
    lost: list[tuple[float, float, Literal["up", "down"]]] = []
    for point in profile.points if with_line else ():
        below, above = (lost_energy(point, side) for side in (0, 1))
        lost += [(point.reached[0], below, "up")] if below is not None else []
        lost += [(point.reached[0], above, "down")] if above is not None else []
    lines = curves(profile) if with_line else ()
    return Series(
        name=profile.level,
        points=tuple(points),
        curves=tuple(
            tuple((round(float(x), 4), round(float(y), 4)) for x, y in zip(*line, strict=True)) for line in lines
        ),
        lost=tuple(lost),
        branches=branches if with_line else (),
    )


def _convergence(run: Run, profile: Profile) -> list[str]:
    """Say what force is left at the points of a scan; a point that did not converge is none."""
    outcomes = [run.record(point.key).outcome for point in profile.points if point.image_of is None]
    forces = [outcome.max_force for outcome in outcomes if outcome.kind == "relaxed"]
    if not forces or len(forces) < len(outcomes):
        return []
    largest = max(forces) * EV / ANGSTROM
    return [f"{profile.level}: all {len(forces)} computed points converged; largest force left {largest:.4f} eV/A"]


def _map(run: Run, profile: Profile, points: Sequence[Point], scanned: Scanned | None) -> Map:
    targets = [point.target or () for point in profile.points]
    rows, columns = (tuple(sorted({target[axis] for target in targets})) for axis in (0, 1))
    cells = tuple(
        Cell(row=rows.index(target[0]), column=columns.index(target[1]), point=point)
        for target, point in zip(targets, points, strict=True)
    )
    placed = {index: count for count, index in enumerate(scanned.places)} if scanned else {}
    (down, down_unit), (across, across_unit) = profile.axes
    return Map(
        title=f"Map of {down} and {across}, {profile.level}",
        down=f"{down} ({down_unit})",
        across=f"{across} ({across_unit})",
        rows=rows,
        columns=columns,
        cells=cells,
        way=tuple(placed[index] for index in scanned.way) if scanned and len(placed) == len(cells) else (),
        remarks=(*remarks(profile), *_convergence(run, profile)),
    )


def path_charts(run: Run, paths: Sequence[PathFound], gallery: Gallery) -> list[Chart]:
    """Make a chart of every path between conformers, image by image."""
    charts = []
    for path in paths:
        outcome = run.record(path.key).outcome
        if not isinstance(outcome, Band):
            continue
        points = tuple(
            Point(
                x=count,
                y=energy,
                structure=gallery.add(image),
                words=f"image {count} of {len(outcome.images) - 1}: {number(energy, 2)} kcal/mol"
                + ("; the top" if count == outcome.highest else ""),
            )
            for count, (energy, image) in enumerate(zip(path.images_kcal_mol, outcome.images, strict=True))
        )
        line = tuple((point.x, point.y) for point in points)
        note = sentence(path.verdict)
        charts.append(
            Chart(
                title=path.label,
                x_label="image along the path",
                y_label="energy from the start (kcal/mol)",
                series=(Series(name=path.level, points=points, curves=(line,)),),
                remarks=(f"at the top: {note}",) if note else (),
            )
        )
    return charts


def tree(run: Run, network: Network, gallery: Gallery, onto: Molecule | None) -> Tree | None:
    """Make the disconnectivity graph; None for a single minimum that no saddle leaves."""
    if len(network.minima) < 2 and not network.saddles:
        return None
    across = places_across(network)
    heights = [minimum.relative_energy_kcal_mol for minimum in network.minima]
    heights += [(merge.energy - network.minima[0].energy_hartree) * KCAL_MOL for merge in network.merges]
    parents = {child: len(network.minima) + k for k, merge in enumerate(network.merges) for child in merge.children}
    branches = tuple(
        ((across[child], heights[child]), (across[child], heights[node]), (across[node], heights[node]))
        for child, node in parents.items()
    )
    minima = tuple(
        Point(
            x=across[count],
            y=minimum.relative_energy_kcal_mol,
            gap=minimum.gap_ev,
            structure=structure_of(run, minimum.key, gallery, onto),
            words=f"minimum {count} at {minimum.label}: {number(minimum.relative_energy_kcal_mol, 2)} kcal/mol",
        )
        for count, minimum in enumerate(network.minima)
    )
    saddles, dotted = _saddles(run, network, across, gallery, onto)
    title = f"Minima and saddles, {network.level}, {how_sure(network)}"
    return Tree(title=title, minima=minima, saddles=saddles, branches=branches, dotted=dotted)


def _saddles(
    run: Run, network: Network, across: Sequence[float], gallery: Gallery, onto: Molecule | None
) -> tuple[tuple[Point, ...], tuple[tuple[tuple[float, float], ...], ...]]:
    """Put a saddle where two branches join, or beside, over dotted lines to the minima that it connects."""
    numbers = {minimum.label: count for count, minimum in enumerate(network.minima)}
    points, dotted = [], []
    for saddle, (x, ends) in zip(network.saddles, saddle_places(network, across), strict=True):
        height = saddle.relative_energy_kcal_mol
        dotted += [((across[end], network.minima[end].relative_energy_kcal_mol), (x, height)) for end in ends]
        points.append(
            Point(
                x=x,
                y=height,
                gap=saddle.gap_ev,
                structure=structure_of(run, saddle.key, gallery, onto),
                words=f"{'saddle' if network.refined else 'pass'} at {saddle.label}: {number(height, 2)} kcal/mol, "
                f"between minima {' and '.join(str(numbers[label]) for label in saddle.between)}",
                hollow=True,
            )
        )
    return tuple(points), tuple(dotted)
