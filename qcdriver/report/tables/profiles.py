"""A profile or map -> its tables for a terminal: every point with where it came from, and where no valley is smooth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.workflow.findings import Profile, ScanBreak, ScanPoint

HYSTERESIS_KCAL_MOL = 0.1
"""What came to a point from its two sides with energies nearer than this is the same structure."""
_WORST = 5
"""Of many breaks of a map, so many are printed; `summary.json` has all."""
_CELL = 7
_DECIMALS = {"deg": 1, "A": 3}


def print_profile(profile: Profile, console: Console) -> None:
    """Print one profile: a line a point, or a grid where two coordinates span a map; then what is not smooth."""
    if is_map(profile):
        (down, _), (across, _) = profile.axes
        console.print(
            f"dE in kcal/mol, {down} down, {across} across; * the lowest; {profile.level}",
            style="italic",
            highlight=False,
        )
    for table in profile_tables(profile, console.width):
        console.print(table)
    for line in remarks(profile):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def profile_tables(profile: Profile, width: int = 100) -> Iterator[Table]:
    """Give the tables of one profile: a line a point and its branches, or the grid of a map, cut to a width."""
    if is_map(profile):
        yield from _map_tables(profile, width)
    else:
        yield _profile_table(profile)
    if len(profile.branches) > 1:
        yield _branch_table(profile)


def remarks(profile: Profile) -> Iterator[str]:
    """Say what lies below its start, where branches cross, where sides of a point differ, where no valley connects."""
    yield from _below_start(profile)
    yield from _crossings(profile)
    yield from _hysteresis(profile)
    yield from _breaks(profile)


def is_map(profile: Profile) -> bool:
    """Tell whether a profile is a map of two coordinates."""
    return len(profile.coordinates) == 2 and all(point.target for point in profile.points)


def _profile_table(profile: Profile) -> Table:
    kinds = " and ".join(kind for kind, _ in profile.axes)
    table = Table(box=box.SIMPLE_HEAD, title=f"Profile of the {kinds}, {profile.level}", title_justify="left")
    two_sided = any(point.arrived_kcal_mol for point in profile.points) and len(profile.axes) == 1
    belt = any(point.belt for point in profile.points)
    sides = ("from\nbelow", "from\nabove") if two_sided else ()
    asked, reached = ([f"{name or kind}\n{unit}" for kind, unit in profile.axes] for name in ("", "reached"))
    model = next((point.gap_of for point in profile.points if point.gap_of), None)
    gap = "gap\neV" if model is None else f"gap eV of\n{model}"
    for heading in (*asked, *reached, "dE\nkcal/mol", *sides, gap):
        table.add_column(heading, justify="right")
    for heading in (*(["belt"] * belt), "structure"):
        table.add_column(heading)
    for point in profile.points:
        table.add_row(
            *(f"{value:g}" for value in point.target or ()),
            *([""] * len(asked) if point.target is None else []),
            *(number(value, _DECIMALS[unit]) for value, (_, unit) in zip(point.reached, profile.axes, strict=True)),
            number(point.relative_energy_kcal_mol, 2),
            *(_sides(point) if two_sided else ()),
            number(point.gap_ev, 3),
            *([point.belt or "-"] if belt else []),
            _origin(point, profile),
        )
    return table


def _branch_table(profile: Profile) -> Table:
    """Put what descends from each conformer side by side, a line a point; * the profile's own."""
    ((kind, unit),) = profile.axes
    table = Table(box=box.SIMPLE_HEAD, title="Branches of it, kcal/mol", title_justify="left")
    table.add_column(f"{kind}\n{unit}", justify="right")
    at = {branch.conformer: {point.target: point for point in branch.points} for branch in profile.branches}
    belt = any(point.belt for points in at.values() for point in points.values())
    for conformer in at:
        table.add_column(f"from\n{conformer}", justify="right")
        if belt:
            table.add_column("\nbelt")
    for target in sorted({target for points in at.values() for target in points}):
        cells = [f"{target[0]:g}"]
        for points in at.values():
            point = points.get(target)
            energy = number(point.relative_energy_kcal_mol if point else None, 2)
            cells += [
                f"{'*' * bool(point and point.lowest)}{energy}",
                *([(point and point.belt) or "-"] if belt else []),
            ]
        table.add_row(*cells)
    return table


def _below_start(profile: Profile) -> Iterator[str]:
    """Say how far points lie below all conformers that the scan started from: the table of these is not complete."""
    below = [(point.below_start_kcal_mol, point) for point in profile.points if point.below_start_kcal_mol is not None]
    if below:
        by, lowest = max(below, key=lambda found: found[0])
        yield (
            f"{len(below)} point{'s' * (len(below) > 1)} below {profile.lowest_start}, the lowest conformer that the "
            f"scan started from, most at {place(lowest.target or (), profile)}, by {by:.2f} kcal/mol: a conformer is "
            "missing"
        )


def _crossings(profile: Profile) -> Iterator[str]:
    for one, other in profile.crossings:
        yield f"between {place(one, profile)} and {place(other, profile)} another branch becomes the lowest"


def _sides(point: ScanPoint) -> tuple[str, str]:
    """Write the energies of what came from either side; nothing for a point that is an image."""
    if point.image_of is not None:
        return "", ""
    below, above = point.arrived_kcal_mol[0] if point.arrived_kcal_mol else (None, None)
    return number(below, 2), number(above, 2)


def _origin(point: ScanPoint, profile: Profile) -> str:
    if point.image_of is not None:
        return f"= {place(point.image_of, profile)}"
    return point.label if point.target is None or point.origin is None else point.origin


def _map_tables(profile: Profile, width: int) -> Iterator[Table]:
    """Give the grid of energies, cut into as many tables as the width asks for; the lowest is marked."""
    (_, row_unit), (_, column_unit) = profile.axes
    energies = {point.target: point.relative_energy_kcal_mol for point in profile.points if point.target}
    lowest = min(energies, key=energies.__getitem__)
    down, across = (sorted({target[axis] for target in energies}) for axis in (0, 1))
    fit = max(1, width // (_CELL + 2) - 1)
    for values in (across[start : start + fit] for start in range(0, len(across), fit)):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column(f"{row_unit}", justify="right", min_width=6)
        for value in values:
            table.add_column(f"{value:g} {column_unit}", justify="right", min_width=_CELL)
        for value in down:
            places = [(value, other) for other in values]
            cells = (f"{'*' * (place == lowest)}{number(energies.get(place), 2)}" for place in places)
            table.add_row(f"{value:g}", *cells)
        yield table


def _hysteresis(profile: Profile) -> Iterator[str]:
    """Say by how much structures that came to one point from two sides differ, and where most."""
    apart = [
        (abs(above - below), point)
        for point in profile.points
        for below, above in point.arrived_kcal_mol
        if below is not None and above is not None and point.target is not None and point.image_of is None
    ]
    found = [gap for gap in apart if gap[0] > HYSTERESIS_KCAL_MOL]
    if found:
        largest, point = max(found, key=lambda gap: gap[0])
        yield (
            f"hysteresis: at {len(found)} of {len(apart)} points that were reached from both sides the two differ, "
            f"most at {place(point.target or (), profile)}, by {largest:.2f} kcal/mol"
        )


def _breaks(profile: Profile) -> Iterator[str]:
    shown = sorted(profile.breaks, key=lambda break_: break_.between)
    if len(shown) > _WORST:
        yield f"{len(shown)} places without a smooth valley, the worst:"
        shown = sorted(shown, key=lambda break_: -abs(break_.off_kcal_mol))[:_WORST]
    yield from (_break(break_, profile) for break_ in shown)


def _break(found: ScanBreak, profile: Profile) -> str:
    one, other = (place(end, profile) for end in found.between)
    if len(profile.axes) > 1:
        one, other = f"({one})", f"({other})"
    where = f"between {one} and its own image by symmetry" if found.at_image else f"between {one} and {other}"
    moved = "" if found.moved_angstrom is None else f", an atom moved by {found.moved_angstrom:.2f} A"
    return f"{where} no smooth valley: energy off by {abs(found.off_kcal_mol):.2f} kcal/mol{moved}"


def place(values: Sequence[float], profile: Profile) -> str:
    """Write a place with its units: "6 deg", "6 deg, 3 deg", "1.45 A"."""
    return ", ".join(f"{value:g} {unit}" for value, (_, unit) in zip(values, profile.axes, strict=True))


def number(value: float | None, decimals: int) -> str:
    """Write a number that may be unknown; never -0.00."""
    return "-" if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}"
