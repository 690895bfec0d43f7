"""Join things into disjoint sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

T = TypeVar("T", bound="Hashable")


class DisjointSets(Generic[T]):
    """Sets that grow by joining; a thing never joined is a set of its own."""

    def __init__(self) -> None:
        self._parent: dict[T, T] = {}

    def join(self, things: Sequence[T]) -> None:
        """Bring all things into one set."""
        for thing in things[1:]:
            self._parent[self.find(thing)] = self.find(things[0])

    def find(self, thing: T) -> T:
        """Return the member that stands for the set of a thing."""
        while (parent := self._parent.setdefault(thing, thing)) != thing:
            self._parent[thing] = self._parent[parent]
            thing = parent
        return thing

    def sets(self, things: Iterable[T]) -> list[list[T]]:
        """Sort things into their sets; the order is that of the things."""
        found: dict[T, list[T]] = {}
        for thing in things:
            found.setdefault(self.find(thing), []).append(thing)
        return list(found.values())
