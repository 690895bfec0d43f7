"""A network -> its tables for a terminal: minima, and the saddles between them."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.report.sentences import minimum_note
from qcdriver.report.tables.profiles import number
from qcdriver.workflow.findings import Network, NetworkMinimum, NetworkSaddle


def print_network(network: Network, console: Console) -> None:
    """Print one network, and how far it is to be trusted."""
    for table in network_tables(network):
        console.print(table)
    console.print(how_sure(network), highlight=False, soft_wrap=True)
    for each in network.minima:
        if note := minimum_note(each):
            console.print(f"minimum at {each.label}: {note}", markup=False, highlight=False, soft_wrap=True)


def network_tables(network: Network) -> Iterator[Table]:
    """Make the table of the minima, and of the saddles where there are any."""
    yield _table("Minima", network)
    if network.saddles:
        yield _table("Saddles" if network.refined else "Passes", network)


def how_sure(network: Network) -> str:
    """Say what the points of a network are."""
    if network.refined:
        return f"relaxed freely, verified by the wavenumbers of {network.n_atoms_moved} atoms"
    return "on the grid, not refined"


def _table(name: str, network: Network) -> Table:
    minima = name == "Minima"
    table = Table(box=box.SIMPLE_HEAD, title=f"{name}, kcal/mol, {network.level}", title_justify="left")
    table.add_column("no." if minima else "between")
    table.add_column("at")
    headings = ["reached", "dE", *(() if minima else ("forth", "back")), "gap eV"]
    for heading in (*headings, *(("imag.", "1/cm") if network.refined else ())):
        table.add_column(heading, justify="right")
    number_of = {each.label: str(count) for count, each in enumerate(network.minima)}
    for each in network.minima if minima else network.saddles:
        ends = (each.label,) if isinstance(each, NetworkMinimum) else each.between
        table.add_row(
            " - ".join(number_of[end] for end in ends),
            each.label.replace(" deg", ""),
            _reached(each),
            *_numbers(each),
            *_verification(each),
        )
    return table


def _reached(each: NetworkMinimum | NetworkSaddle) -> str:
    return ", ".join(number(value, 1) for value in each.reached)


def _numbers(each: NetworkMinimum | NetworkSaddle) -> list[str]:
    barriers = [each.barrier_kcal_mol, each.reverse_barrier_kcal_mol] if isinstance(each, NetworkSaddle) else []
    return [*(number(value, 2) for value in (each.relative_energy_kcal_mol, *barriers)), number(each.gap_ev, 3)]


def _verification(each: NetworkMinimum | NetworkSaddle) -> list[str]:
    if each.n_imaginary is None or each.lowest_cm is None:
        return []
    lowest = f"{-each.lowest_cm:.0f}i" if each.lowest_cm < 0 else f"{each.lowest_cm:.0f}"
    return [str(each.n_imaginary), lowest]
