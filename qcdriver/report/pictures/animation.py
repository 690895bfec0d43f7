"""A trajectory -> a GIF: the molecule from the side and along its axis, and below where on the profile it is.

What is shown between two computed structures is in between for the eye alone; where atoms jump, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.report.pictures.canvas import new_figure
from qcdriver.report.pictures.molecule import drawn, view_along_axis
from qcdriver.report.pictures.profile import scale
from qcdriver.report.pictures.trajectory import Frame, moved_angstrom
from qcdriver.store.files import whole_file
from qcdriver.workflow.findings import Profile

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDTH, _VIEWS, _STRIP = 600, 300, 170
"""Pixels: of both views together, their height at most, and the height of the profile below them."""
_ROOM = 2.5
"""Bohr around the outermost atoms."""
_DOT = "#d7263d"
_BETWEEN = 4
_JUMP_ANGSTROM = 2.0
"""Where an atom moves farther than this from one structure to the next, nothing is shown in between."""
_MILLISECONDS = 90
_COLOURS = 96


def animate(title: str, profile: Profile, frames: Sequence[Frame], path: Path) -> bool:
    """Draw the frames of a trajectory, over and over; False, and no file, where there are less than two.

    Parameters
    ----------
    profile
        Of the landscape that the frames come from.
    frames
        Laid on each other, in one order of atoms (`trajectory.trajectory`).
    """
    if len(frames) < 2:
        return False
    from PIL import Image, ImageDraw

    first = frames[0].molecule
    view = view_along_axis(first)
    middle = first.geometry.mean(axis=0)
    reach = (
        np.max([np.abs((frame.molecule.geometry - middle) @ view.T).max(axis=0) for frame in frames], axis=0) + _ROOM
    )
    aside, along = float(max(reach[:2])), float(reach[2])
    per_bohr = min(_WIDTH / (2 * (aside + along)), _VIEWS / (2 * aside))
    height = round(2 * aside * per_bohr)
    side = round(_WIDTH * along / (aside + along))
    strip, dots = _strip(title, profile, frames)
    pictures = []
    for at, geometry in _moments(frames):
        molecule = first.moved(geometry - middle)
        picture = Image.new("RGB", (_WIDTH, height + _STRIP), "white")
        picture.paste(drawn(molecule, view[[2, 0, 1]], (side, height), per_bohr), (0, 0))
        picture.paste(drawn(molecule, view, (_WIDTH - side, height), per_bohr), (side, 0))
        picture.paste(strip, (0, height))
        x, y = (np.interp(at, range(len(dots)), coordinate) for coordinate in dots.T)
        ImageDraw.Draw(picture).ellipse((x - 6, height + y - 6, x + 6, height + y + 6), _DOT, "white", 2)
        pictures.append(picture)
    _write(pictures, path)
    return True


def _write(pictures: Sequence[Image], path: Path) -> None:
    """Write a GIF of few colours, the same in all its pictures, so that what is still does not flicker."""
    from PIL import Image

    sample = pictures[len(pictures) // 2].copy()
    for number, colour in enumerate(("white", _DOT)):  # a colour of a small area is left out otherwise
        sample.paste(colour, (0, 40 * number, 120, 40 * number + 40))
    palette = sample.quantize(_COLOURS)
    small = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    with whole_file(path, durable=False) as temporary:
        small[0].save(temporary, format="gif", save_all=True, append_images=small[1:], duration=_MILLISECONDS, loop=0)


def _moments(frames: Sequence[Frame]) -> Iterator[tuple[float, np.ndarray]]:
    """Give when, in frames, and the positions of the atoms then."""
    yield 0.0, frames[0].molecule.geometry
    for number, (one, other) in enumerate(pairwise(frames)):
        start, end = one.molecule.geometry, other.molecule.geometry
        jumps = moved_angstrom(one, other) > _JUMP_ANGSTROM
        for step in range(1, _BETWEEN + 1):
            share = step / _BETWEEN
            share = float(share > 0.5) if jumps else share
            yield number + share, start + share * (end - start)


def _strip(title: str, profile: Profile, frames: Sequence[Frame]) -> tuple[Image, np.ndarray]:
    """Draw the energies along the way, and give the pixels of each frame's point, (nframes, 2)."""
    from PIL import Image

    places = [(frame.values[0], frame.relative_kcal_mol) for frame in frames]
    figure = new_figure(_WIDTH / 100, _STRIP / 100)
    axes = figure.subplots()
    axes.plot(*zip(*places, strict=True), "o-", color="#1b6ca8", markersize=3, linewidth=1.2)
    scale(axes.xaxis, profile)
    axes.xaxis.label.set_fontsize("small")
    axes.set_ylabel("kcal/mol", fontsize="small")
    axes.set_title(title, fontsize="small", parse_math=False)
    axes.tick_params(labelsize="small")
    axes.margins(x=0.03, y=0.15)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    x, y = axes.transData.transform(places).T
    return Image.open(file).convert("RGB"), np.stack([x, _STRIP - y], axis=1)
