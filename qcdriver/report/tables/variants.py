"""The summaries of an input's variants -> their profiles side by side; energies of two variants never meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.report.tables.profiles import number, place
from qcdriver.workflow.findings import Profile, ScanPoint, Summary


def scanned_profiles(variants: Mapping[str, Summary]) -> dict[str, Profile]:
    """Give the profile of each variant's scan over one coordinate, where it has one."""
    found = {label: summary.profiles[0] for label, summary in variants.items() if summary.profiles}
    return {label: profile for label, profile in found.items() if len(profile.axes) == 1}


def print_side_by_side(variants: Mapping[str, Summary], console: Console) -> None:
    """Print the variants' profiles in one table, each from its own lowest point, and what they come to."""
    profiles = scanned_profiles(variants)
    if len({profile.coordinates for profile in profiles.values()}) != 1:
        return
    console.print()
    console.print(_points(profiles))
    console.print(_heights(profiles))
    for line in _conclusions(profiles):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _points(profiles: Mapping[str, Profile]) -> Table:
    ((kind, unit),) = next(iter(profiles.values())).axes
    levels = ", ".join(dict.fromkeys(profile.level for profile in profiles.values()))
    table = Table(box=box.SIMPLE_HEAD, title=f"Side by side, dE from each one's lowest, {levels}", title_justify="left")
    table.add_column(f"{kind}\n{unit}", justify="right")
    at: dict[str, dict[tuple[float, ...], ScanPoint]] = {}
    for label, profile in profiles.items():
        at[label] = {point.target: point for point in profile.points if point.target is not None}
        table.add_column(f"{label}\nkcal/mol", justify="right")
        table.add_column("\ngap eV", justify="right")
        if any(point.belt for point in profile.points):
            table.add_column("\nbelt")
    for target in sorted({target for points in at.values() for target in points}):
        cells = [f"{target[0]:g}"]
        for label, profile in profiles.items():
            point = at[label].get(target)
            cells += [
                number(point.relative_energy_kcal_mol if point else None, 2),
                number(point.gap_ev if point else None, 3),
            ]
            if any(point.belt for point in profile.points):
                cells.append((point.belt if point else None) or "-")
        table.add_row(*cells)
    return table


def _heights(profiles: Mapping[str, Profile]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Barriers: over the top, forth and back", title_justify="left")
    table.add_column("variant")
    for heading in ("lowest at", "top at", "forth\nkcal/mol", "back\nkcal/mol", "breaks"):
        table.add_column(heading, justify="right")
    for label, profile in profiles.items():
        lowest, top = (
            choose(profile.points, key=lambda point: point.relative_energy_kcal_mol) for choose in (min, max)
        )
        forth, back = barriers(profile)
        table.add_row(
            label,
            place(lowest.target or lowest.reached, profile),
            place(top.target or top.reached, profile),
            number(forth, 2),
            number(back, 2),
            str(len(profile.breaks)),
        )
    return table


def barriers(profile: Profile) -> tuple[float, float]:
    """Give how far the top lies above the lowest point before it (forth) and after it (back), kcal/mol."""
    energies = [point.relative_energy_kcal_mol for point in profile.points]
    top = energies.index(max(energies))
    return energies[top] - min(energies[: top + 1]), energies[top] - min(energies[top:])


def _conclusions(profiles: Mapping[str, Profile]) -> Iterator[str]:
    """Say what the others' barriers are against the first's, and what they are worth."""
    (first, reference), *others = profiles.items()
    for label, profile in others:
        forth, back = (own - its for own, its in zip(barriers(profile), barriers(reference), strict=True))
        yield f"{label} against {first}: barrier forth {_more(forth)}, back {_more(back)}"
    if any(profile.breaks for profile in profiles.values()):
        yield "where a profile breaks, the way between the two structures is not on it: its barriers are lower bounds"


def _more(difference: float) -> str:
    return f"{abs(difference):.2f} kcal/mol {'higher' if difference > 0 else 'lower'}"
