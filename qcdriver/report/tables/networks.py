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
    for minimum in network.minima:
        if note := minimum_note(minimum):
            console.print(f"minimum at {minimum.label}: {note}", markup=False, highlight=False, soft_wrap=True)


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
    number_of = {minimum.label: str(count) for count, minimum in enumerate(network.minima)}
    for stationary in network.minima if minima else network.saddles:
        ends = (stationary.label,) if isinstance(stationary, NetworkMinimum) else stationary.between
        table.add_row(
            " - ".join(number_of[end] for end in ends),
            stationary.label.replace(" deg", ""),
            _reached(stationary),
            *_numbers(stationary),
            *_verification(stationary),
        )
    return table


def _reached(stationary: NetworkMinimum | NetworkSaddle) -> str:
    return ", ".join(number(value, 1) for value in stationary.reached)


def _numbers(stationary: NetworkMinimum | NetworkSaddle) -> list[str]:
    barriers = (
        [stationary.barrier_kcal_mol, stationary.reverse_barrier_kcal_mol]
        if isinstance(stationary, NetworkSaddle)
        else []
    )
    return [
        *(number(value, 2) for value in (stationary.relative_energy_kcal_mol, *barriers)),
        number(stationary.gap_ev, 3),
    ]


def _verification(stationary: NetworkMinimum | NetworkSaddle) -> list[str]:
    if stationary.n_imaginary is None or stationary.lowest_cm is None:
        return []
    lowest = f"{-stationary.lowest_cm:.0f}i" if stationary.lowest_cm < 0 else f"{stationary.lowest_cm:.0f}"
    return [str(stationary.n_imaginary), lowest]
