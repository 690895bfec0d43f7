"""The disconnectivity graph: drawn where there is something to draw, whatever the network's shape."""

from __future__ import annotations

import pytest

from qcdriver.report.pictures.disconnectivity import plot_network
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Network, NetworkMinimum, NetworkSaddle
from qcdriver.workflow.scan.network import merge_tree


def network(minima, saddles):
    """Make a network of heights in kcal/mol; a saddle is two minima and its height."""
    return Network(
        level="GFN1-xTB (xtb)",
        refined=True,
        n_atoms_moved=33,
        minima=tuple(
            NetworkMinimum(
                label=f"{count} deg",
                key="",
                reached=(6.0,),
                energy_hartree=each / KCAL_MOL,
                relative_energy_kcal_mol=each,
                gap_ev=None,
                n_imaginary=0,
                lowest_cm=20.0,
            )
            for count, each in enumerate(minima)
        ),
        saddles=tuple(
            NetworkSaddle(
                label=f"over {a} and {b}",
                key="",
                reached=(6.0,),
                between=(f"{a} deg", f"{b} deg"),
                energy_hartree=height / KCAL_MOL,
                relative_energy_kcal_mol=height,
                barrier_kcal_mol=height - minima[a],
                reverse_barrier_kcal_mol=height - minima[b],
                gap_ev=None,
                n_imaginary=1,
                lowest_cm=-30.0,
            )
            for a, b, height in saddles
        ),
        merges=merge_tree(len(minima), [(a, b, height / KCAL_MOL) for a, b, height in saddles]),
    )


@pytest.mark.parametrize(
    ("minima", "saddles"),
    [
        ([0.0], [(0, 0, 5.0)]),
        ([0.0, 1.0], []),
        ([0.0, 1.0, 2.0], [(1, 2, 3.0), (0, 1, 4.0), (0, 2, 4.0), (0, 0, 6.0), (2, 2, 6.0)]),
        ([0.1 * k for k in range(40)], [(k, k + 1, 5.0 + 0.01 * k) for k in range(39)]),
        ([0.0, 0.0], [(0, 1, 0.0)]),
    ],
    ids=["to itself", "not connected", "several ways", "many", "flat"],
)
def test_every_network_of_more_than_a_lone_minimum_has_a_picture(tmp_path, minima, saddles):
    assert plot_network("$ a title _", network(minima, saddles), tmp_path / "network.png")
    assert (tmp_path / "network.png").read_bytes().startswith(b"\x89PNG")


def test_a_lone_minimum_has_none(tmp_path):
    assert not plot_network("title", network([0.0], []), tmp_path / "network.png")
    assert not list(tmp_path.iterdir())
