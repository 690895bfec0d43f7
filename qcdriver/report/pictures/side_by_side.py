"""The profiles of an input's variants -> a picture: one beside the other, on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.report.pictures.profile import draw_belt, draw_energy, draw_gap, explain_belt, scale, signs
from qcdriver.report.tables.variants import scanned_profiles
from qcdriver.workflow.findings import Summary


def plot_side_by_side(variants: Mapping[str, Summary], path: Path) -> bool:
    """Draw a column a variant: energy from its own lowest, gap, a rod's belt; False, and no file, for less than two."""
    profiles = scanned_profiles(variants)
    if len(profiles) < 2 or len({profile.coordinates for profile in profiles.values()}) != 1:
        return False
    belts = any(point.belt for profile in profiles.values() for point in profile.points)
    figure = new_figure(1.0 + 3.6 * len(profiles), 6.6 if belts else 5.2)
    rows = figure.subplots(
        2 + belts, len(profiles), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 2, 1.2)[: 2 + belts]
    )
    for column, (label, profile) in enumerate(profiles.items()):
        draw_energy(rows[0, column], profile, f"C{column}", with_line=True)
        draw_gap(rows[1, column], profile, f"C{column}", with_line=True)
        if belts:
            draw_belt(rows[2, column], profile)
        rows[0, column].set_title(label, parse_math=False)
        scale(rows[-1, column].xaxis, profile)
        for axes in rows[:2, column]:
            axes.grid(alpha=0.25)
            axes.margins(x=0.06)
    if belts:
        explain_belt(rows[2, -1], list(profiles.values()))
    names = ("relative energy (kcal/mol)", "HOMO-LUMO gap (eV)", "belt halides")
    for axes, name in zip(rows[:, 0], names, strict=False):
        axes.set_ylabel(name)
    levels = ", ".join(dict.fromkeys(profile.level for profile in profiles.values()))
    figure.suptitle(f"{levels}; each from its own lowest point", fontsize="medium", parse_math=False)
    if meanings := signs(list(profiles.values())):
        figure.legend(handles=meanings, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    save(figure, path)
    return True
