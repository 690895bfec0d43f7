"""Find the pairs of a key and a value in the comment line of an XYZ frame, in any notation that people use.

`key=value` (extended XYZ), `key: value`, JSON and Python's dictionaries, also within others, and lists in brackets. A
value in quotes is one value, whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\{[^}]*\}|\[[^\]]*\]"""
_KEY = r"""unpaired\s+electrons?|[^\s=:"'{}()\[\],;|]+"""
_IS = r"(?:=|:(?![:/=]))"
_CLOSING = r"""[,;|)}\]"']"""
# A comma or a bracket ends a value where a blank, the end of the line or another key comes next.
_BARE = rf"""(?:[^\s,;|)}}\]"'=]|=(?!\s)|{_CLOSING}(?!{_CLOSING}*(?:\s|$|["']?[^\W\d][\w+-]*["']?\s*{_IS})))+"""
_TABLE_INSIDE = r"""\[?\s*\{\s*["']"""
_PAIR = re.compile(
    rf"""(?<![^\s,;|(){{}}\[\]])["']?(?P<key>{_KEY})["']?
    (?: {_IS}(?!{_TABLE_INSIDE})(?P<near>{_QUOTED}|{_BARE})
    | \s*{_IS}\s*(?!{_TABLE_INSIDE})(?P<far>{_QUOTED}|{_BARE}(?<!=)(?![^\s,;|]*=)) )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Pair:
    """A key and its value without quotes, the words as they stand, and where these begin, from 0."""

    key: str
    value: str
    words: str
    start: int


def find_pairs(text: str) -> tuple[list[Pair], str]:
    """Return the pairs of a line, and the line with every pair blanked out, so that columns stay."""
    found = list(_PAIR.finditer(text))
    free = _PAIR.sub(lambda pair: " " * len(pair[0]), text)
    return [Pair(pair["key"], _value(pair), pair[0].rstrip(",;"), pair.start()) for pair in found], free


def _value(pair: re.Match[str]) -> str:
    value: str = pair["near"] if pair["near"] is not None else pair["far"]
    value = value.rstrip(",;")
    return value[1:-1].strip() if len(value) > 1 and value[0] + value[-1] in ('""', "''", "{}", "[]") else value
