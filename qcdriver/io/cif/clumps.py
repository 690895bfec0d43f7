"""Places that partly occupied fragments share: the images of each fragment there, and how many of them may be there."""

from __future__ import annotations

from dataclasses import dataclass

from qcdriver.io.cif.conflicts import Image


@dataclass(frozen=True)
class Clump:
    """Images of one fragment about one place.

    `counts`: how many of them may be there together, the likeliest first. `expected`: how many are there on average.
    """

    images: tuple[Image, ...]
    counts: tuple[int, ...]
    expected: float

    @property
    def fragment(self) -> int:
        """Number of the fragment."""
        return self.images[0].fragment

    @property
    def count(self) -> int:
        """How many images are there."""
        return self.counts[0]

    @property
    def leaves_a_choice(self) -> bool:
        """Whether not all images are there."""
        return self.count < len(self.images)


@dataclass(frozen=True)
class Place:
    """Clumps that cannot be chosen without regard to each other, the most occupied fragment first."""

    clumps: tuple[Clump, ...]

    @property
    def images(self) -> frozenset[Image]:
        """All images about the place."""
        return frozenset(image for clump in self.clumps for image in clump.images)
