"""The points of a scan: their values, their neighbours, and which of them symmetry makes one point.

Values are in each coordinate's own unit, degrees or bohr. A point is its index along each coordinate.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from qcdriver.units import ANGSTROM

Index = tuple[int, ...]
Values = tuple[float, ...]

_SAME = 1e-6


@dataclass(frozen=True)
class Operation:
    """A symmetry of a molecule: the value of each coordinate keeps or changes its sign.

    `mirrored`: in the mirror image; `flipped`: of a belt, seen from the other end of the rod.
    """

    signs: tuple[int, ...]
    mirrored: bool = False
    flipped: bool = False


@dataclass(frozen=True)
class Step:
    """The way from a point one step along a coordinate, also beyond the ends of the grid where symmetry leads back.

    `axis` and `by`: along which coordinate and how far; `to`: the first point that symmetry makes equal to what lies
    there; `operation` brings it there; `direct`: `to` itself lies there.
    """

    axis: int
    by: float
    to: Index
    operation: Operation
    direct: bool


@dataclass(frozen=True)
class Grid:
    """The grid of one scan.

    Attributes
    ----------
    axes
        The values of each coordinate, rising evenly.
    periods
        After which a coordinate's values mean the same structure again, None if they never do.
    lengths
        Whether a coordinate is a length, in bohr, or an angle, in degrees.
    operations
        What leaves the energy as it is, the identity first.
    """

    axes: tuple[Values, ...]
    periods: tuple[float | None, ...]
    lengths: tuple[bool, ...]
    operations: tuple[Operation, ...]

    def __iter__(self) -> Iterator[Index]:
        return itertools.product(*(range(len(axis)) for axis in self.axes))

    def values(self, index: Index) -> Values:
        """Give the values at a point."""
        return tuple(axis[k] for axis, k in zip(self.axes, index, strict=True))

    def shown(self, index: Index) -> str:
        """Name a point for a person: "6 deg", "6 deg, 3 deg", "1.45 A"."""
        return shown(self.values(index), self.lengths)

    def spacing(self, axis: int) -> float:
        """Give the step of a coordinate."""
        return self.axes[axis][1] - self.axes[axis][0]

    def steps(self, index: Index) -> list[Step]:
        """List the ways to what lies a step from a point."""
        found = []
        for axis, k in enumerate(index):
            for way in (-1, 1):
                by, there = way * self.spacing(axis), (*index[:axis], k + way, *index[axis + 1 :])
                if 0 <= k + way < len(self.axes[axis]):
                    home = self._homes[there]
                else:
                    values = self.values(index)
                    beyond = self.found((*values[:axis], values[axis] + by, *values[axis + 1 :]))
                    if beyond is None:
                        continue
                    home = beyond
                found.append(Step(axis, by, *home, direct=home[0] == there))
        return found

    def at_end(self, index: Index) -> bool:
        """Say whether a point lies at an end of the grid beyond which nothing is known, by symmetry either."""
        beyond = {(step.axis, step.by > 0) for step in self.steps(index)}
        return any(
            (k == 0 and (axis, False) not in beyond) or (k == len(self.axes[axis]) - 1 and (axis, True) not in beyond)
            for axis, k in enumerate(index)
        )

    def around(self, index: Index) -> list[Index]:
        """List the points of the grid next to one, those across a corner too; where a period closes it, round it."""
        found = [index]
        for axis, k in enumerate(index):
            count, period = len(self.axes[axis]), self.periods[axis]
            closed = period is not None and abs(count * self.spacing(axis) - period) < _SAME
            beside = [(k + way) % count for way in (-1, 1) if closed or 0 <= k + way < count]
            found += [(*image[:axis], to, *image[axis + 1 :]) for image in found for to in beside]
        return [image for image in dict.fromkeys(found) if image != index]

    def home(self, index: Index) -> tuple[Index, Operation]:
        """Give the first point that symmetry makes equal to this one, and what brings this one there."""
        return self._homes[index]

    def found(self, values: Values) -> tuple[Index, Operation] | None:
        """Give the first point that symmetry makes equal to some values, and what brings these there; None if none."""
        return min(self.equal(values), key=lambda image: image[0], default=None)

    def equal(self, values: Values) -> Iterator[tuple[Index, Operation]]:
        """Give all points that symmetry makes equal to some values, in the order of the operations."""
        for operation in self.operations:
            along = [
                [k for k, known in enumerate(axis) if apart(known, sign * value, period) < _SAME]
                for axis, sign, value, period in zip(self.axes, operation.signs, values, self.periods, strict=True)
            ]
            yield from ((place, operation) for place in itertools.product(*along))

    def turning(self, index: Index, axis: int) -> Operation | None:
        """Give what makes a point its own image with a coordinate turned round, so that its slope must vanish there."""
        equal = self.equal(self.values(index))
        return next((operation for place, operation in equal if place == index and operation.signs[axis] < 0), None)

    @property
    def unique(self) -> list[Index]:
        """List the points that have to be computed."""
        return [index for index in self if self.home(index)[0] == index]

    def images(self, values: Values) -> Iterator[tuple[Operation, Values]]:
        """Give all equal values within half a step of the grid, each with the operation that leads there."""
        for operation in self.operations:
            signed = [sign * value for sign, value in zip(operation.signs, values, strict=True)]
            for equal in itertools.product(*(self._repeated(axis, value) for axis, value in enumerate(signed))):
                yield operation, equal

    def nearest(self, values: Values) -> Index:
        """Give the point nearest to some values."""
        return tuple(
            min(range(len(axis)), key=lambda k: apart(axis[k], value, period))
            for axis, value, period in zip(self.axes, values, self.periods, strict=True)
        )

    @cached_property
    def _homes(self) -> dict[Index, tuple[Index, Operation]]:
        homes = {index: self.found(self.values(index)) for index in self}
        return {index: home for index, home in homes.items() if home is not None}

    def _repeated(self, axis: int, value: float) -> list[float]:
        """Give the values equal to this one that lie on an axis, or half a step beyond its ends."""
        values, period = self.axes[axis], self.periods[axis]
        lowest, highest = values[0] - self.spacing(axis) / 2, values[-1] + self.spacing(axis) / 2
        if period is None:
            return [value] if lowest <= value <= highest else []
        first = lowest + (value - lowest) % period
        return [first + n * period for n in range(int((highest - lowest) / period) + 1) if first + n * period < highest]


def apart(a: float, b: float, period: float | None) -> float:
    """Give the distance of two values of a coordinate with a period."""
    return abs(a - b) if period is None else abs((a - b + period / 2) % period - period / 2)


def shown(values: Sequence[float], lengths: Sequence[bool]) -> str:
    """Write values with their units, of lengths Angstrom."""
    return ", ".join(
        f"{value * ANGSTROM:g} A" if length else f"{value:g} deg" for value, length in zip(values, lengths, strict=True)
    )
