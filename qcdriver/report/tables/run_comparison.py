"""What differs between two runs -> tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.report.run_comparison import ConformersCompared, ProfilesCompared, RunComparison
from qcdriver.report.tables.profiles import number


def print_run_comparison(found: RunComparison, console: Console) -> None:
    """Print inputs, levels, versions, conformers and profiles."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    say(f"\nA  {found.a}: {found.title_a}\nB  {found.b}: {found.title_b}")
    for note in found.input_notes:
        say(f"! {note}")
    if found.inputs == ():
        say("the inputs say the same")
    elif found.inputs:
        rows = [(change.key, _value(change.a), _value(change.b)) for change in found.inputs]
        console.print(_two_sided("What the inputs say", "key", rows))
    console.print(_levels(found))
    if found.versions:
        rows = [(version.name, ", ".join(version.a) or "-", ", ".join(version.b) or "-") for version in found.versions]
        console.print(_two_sided("Versions that differ", "program or library", rows))
    else:
        say("versions of programs and libraries: the same")
    for compared in found.conformers:
        console.print(_conformers(compared))
        for line in conformer_lines(compared):
            say(line)
    if found.profiles:
        console.print(_profiles(found.profiles))


def conformer_lines(found: ConformersCompared) -> Iterator[str]:
    """Say from what energies are counted, and whether the runs have one order of the conformers."""
    if found.level_a is None or found.level_b is None:
        return
    if not found.one_level:
        yield "two levels: each counts from its own energy of the reference, and none is subtracted from the other's"
    n_both = sum(
        conformer.a_kcal_mol is not None and conformer.b_kcal_mol is not None for conformer in found.conformers
    )
    if n_both > 1 and not found.turned_round:
        yield f"one order of the {n_both} conformers that both have"
    for lower, higher in found.turned_round:
        yield f"order turned round: {lower} lies below {higher} in A, above it in B"


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _two_sided(title: str, heading: str, rows: list[tuple[str, str, str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for name in (heading, "A", "B"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _levels(found: RunComparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Levels, and how many calculations", title_justify="left")
    table.add_column("level")
    table.add_column("version")
    for heading in ("A", "B"):
        table.add_column(heading, justify="right")
    table.add_column("differs in", overflow="fold")
    for level in found.levels:
        counts = (str(count or "-") for count in (level.calculations_a, level.calculations_b))
        table.add_row(level.title, level.engine_version, *counts, ", ".join(level.differs_in))
    return table


def _conformers(found: ConformersCompared) -> Table:
    levels = dict.fromkeys(level for level in (found.level_a, found.level_b) if level)
    title = f"Conformers, kcal/mol above {found.reference} in the same run; {' and '.join(levels)}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    headings = ["dE in A", "dE in B", *(["B - A"] if found.one_level else []), "RMSD A"]
    for heading in headings:
        table.add_column(heading, justify="right")
    with_families = any(conformer.family_a or conformer.family_b for conformer in found.conformers)
    if with_families:
        table.add_column("family in A")
        table.add_column("in B")
    for conformer in found.conformers:
        families = (
            conformer.family_a or "-",
            "the same" if conformer.family_b == conformer.family_a else conformer.family_b or "-",
        )
        table.add_row(
            " = ".join(dict.fromkeys(label for label in (conformer.a, conformer.b) if label)),
            number(conformer.a_kcal_mol, 2),
            number(conformer.b_kcal_mol, 2),
            *([number(conformer.difference_kcal_mol, 3)] if found.one_level else []),
            number(conformer.rmsd_angstrom, 3),
            *(families if with_families else ()),
        )
    return table


def _profiles(profiles: tuple[ProfilesCompared, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Profiles, kcal/mol from the lowest of each", title_justify="left")
    for heading in ("over", "level"):
        table.add_column(heading)
    for heading in ("top in A", "at", "top in B", "at", "most apart"):
        table.add_column(heading, justify="right")
    for profile in profiles:
        levels = dict.fromkeys(level for level in (profile.level_a, profile.level_b) if level)
        table.add_row(
            ", ".join(profile.coordinates),
            " and ".join(levels),
            number(profile.top_a_kcal_mol, 2),
            _place(profile.top_a_at),
            number(profile.top_b_kcal_mol, 2),
            _place(profile.top_b_at),
            number(profile.most_apart_kcal_mol, 2),
        )
    return table


def _place(at: tuple[float, ...] | None) -> str:
    return "-" if at is None else ", ".join(f"{value:g}" for value in at)
