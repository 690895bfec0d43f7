"""What was dropped -> put together by reason, so that it does not drown what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qcdriver.models.base import Frozen
from qcdriver.models.verdicts import Code, Purpose
from qcdriver.report.sentences import sentence
from qcdriver.workflow.findings import Dropped

_REASONS = {
    Code.ABOVE_WINDOW: "too high in energy",
    Code.BEYOND_LIMIT: "beyond the number that was asked for",
    Code.DUPLICATE: "the same structure as another",
    Code.MIRROR_IMAGE: "the mirror image of another",
    Code.FELL_APART: "fell apart",
    Code.TURNED: "turned into another isomer",
    Code.HIGHER_THAN_KEPT: "higher than what was kept there",
}
"""Why much is dropped; a code without an entry is named by itself."""
_NAMED = 3
"""Of more items of one reason, so many are named."""


class Group(Frozen):
    """What was dropped for reasons of one kind: by name, and with the whole reason of each."""

    reason: str
    names: tuple[str, ...]
    lines: tuple[str, ...]


def by_reason(dropped: Iterable[Dropped]) -> list[Group]:
    """Group what was dropped, the commonest reason first; the attempts at points of a scan are groups of their own."""
    groups: dict[str, list[Dropped]] = {}
    for item in dropped:
        words = _REASONS.get(item.verdict.code, item.verdict.code.value.replace("_", " "))
        attempt = "attempts at points of the scan: " if item.verdict.purpose is Purpose.SCAN_POINT else ""
        groups.setdefault(f"{attempt}{words}", []).append(item)
    return [
        Group(
            reason=reason,
            names=tuple(item.label for item in items),
            lines=tuple(f"{item.stage} {item.label}: {sentence(item.verdict)}" for item in items),
        )
        for reason, items in sorted(groups.items(), key=lambda pair: -len(pair[1]))
    ]


def folded_lines(groups: Iterable[Group]) -> Iterator[str]:
    """Give a line a reason, with how many and the first names; what stands alone in its whole words."""
    for group in groups:
        if len(group.names) == 1:
            yield f"  {group.lines[0]}"
            continue
        more = f" and {len(group.names) - _NAMED} more" if len(group.names) > _NAMED else ""
        yield f"  {len(group.names)} {group.reason}: {', '.join(group.names[:_NAMED])}{more}"
