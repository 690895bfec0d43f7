"""The movie of a trajectory: it runs, it loops, it is small, and it invents nothing where atoms jump."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from landscape_models import landscape, peroxide, profile, twist_landscape
from PIL import Image

from qcdriver.models.molecule import Molecule
from qcdriver.report.pictures.animation import animate
from qcdriver.report.pictures.molecule import drawn, view_along_axis
from qcdriver.report.pictures.trajectory import lowest_way, trajectory
from qcdriver.workflow.scan.grid import Grid, Operation

POINTS = profile(coordinates=("twist_deg",))


def frames_of(path):
    with Image.open(path) as movie:
        for number in range(movie.n_frames):
            movie.seek(number)
            yield np.asarray(movie.convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def turn():
    scanned = twist_landscape()
    return trajectory(scanned, lowest_way(scanned))


@pytest.fixture(scope="module")
def movie_file(turn, tmp_path_factory):
    path = tmp_path_factory.mktemp("movie") / "turn.gif"
    assert animate("A rotor, 5$ a turn", POINTS, turn, path)
    return path


def test_a_turn_of_the_rotor_is_a_movie_of_less_than_two_megabytes(movie_file):
    assert movie_file.stat().st_size < 2e6
    with Image.open(movie_file) as movie:
        assert movie.n_frames == 12 * 4 + 1
        assert movie.info["loop"] == 0  # for ever
    pictures = list(frames_of(movie_file))
    assert all((one != other).any() for one, other in itertools.pairwise(pictures))


def test_the_dot_moves_along_the_profile(movie_file):
    across = []
    for picture in frames_of(movie_file):
        red = (abs(picture - (215, 38, 61)).sum(axis=2) < 60).nonzero()
        across.append(red[1].mean())
    assert across == sorted(across)
    assert across[-1] - across[0] > 400


def test_between_structures_that_differ_by_a_jump_nothing_is_invented(tmp_path):
    grid = Grid((tuple(15.0 * k for k in range(2)),), (360.0,), (False,), (Operation((1,)),))
    scanned = landscape(grid, peroxide, lambda value: value / 1e5)
    one, other = trajectory(scanned, lowest_way(scanned))
    far = other.molecule.moved(other.molecule.geometry * 4.0)
    jump = type(other)(other.place, other.values, far, other.energy, other.relative_kcal_mol, other.gap)
    animate("jump", POINTS, [one, jump], tmp_path / "jump.gif")
    views = {picture[:100].tobytes() for picture in frames_of(tmp_path / "jump.gif")}
    assert len(views) == 2


def test_one_structure_is_no_movie(turn, tmp_path):
    assert not animate("A rotor", POINTS, turn[:1], tmp_path / "turn.gif")
    assert not list(tmp_path.iterdir())


def test_what_hangs_on_a_metal_is_faded():
    def darkness(symbols):
        pair = Molecule(symbols=symbols, geometry=[[-5, 0, 0], [5, 0, 0]], molecular_charge=0)
        return 765 - np.asarray(drawn(pair, np.eye(3), (200, 100), 8.0)).astype(int)[50, 140].sum()

    assert darkness(("Ag", "P")) < darkness(("N", "P")) / 1.5
    assert darkness(("Ag", "Cl")) == pytest.approx(darkness(("H", "Cl")), rel=0.1)


def test_the_view_is_along_the_axis_of_the_metals(turn):
    view = view_along_axis(turn[0].molecule)
    assert view @ view.T == pytest.approx(np.eye(3), abs=1e-12)
    apices = [k for k, symbol in enumerate(turn[0].molecule.symbols) if symbol == "Ag"]
    along = turn[0].molecule.geometry[apices] @ view.T
    assert np.ptp(along[:, 2]) > 2 * np.ptp(along[:, 0])
