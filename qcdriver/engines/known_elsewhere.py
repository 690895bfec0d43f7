"""Methods without a basis that a chemist knows and that no engine here has: what they are, and what is nearest.

The nearest word to "GFN0-xTB" in the list of methods is "GFN2-xTB", which is another method.
"""

from __future__ import annotations

import re

_KINDS = (
    (
        re.compile(r"gfn[03-9]\w*|gfn[12][a-wy-z]\w*|gxtb\w*|ipea1?(xtb)?|vtbe?xtb|ptbxtb|dftb\w*|sccdftb|xtb"),
        "a tight-binding method that is not supported; nearest are GFN1-xTB and GFN2-xTB",
    ),
    (
        re.compile(r"am1\w*|pm[3-7]\w*|rm1|mndo\w*|om[123]\w*|odm[23]|indo\w*|zindo\w*|msindo|cndo\w*|mopac"),
        "a semiempirical method that is not supported; nearest is GFN1-xTB, or GFN2-xTB for light elements",
    ),
    (
        re.compile(r"uff\d*\w*|mmff\w*|gaff\d*|opls\w*|amber\w*|charmm\w*|dreiding|reaxff|eam|mm[234]|ff"),
        "a force field that is not supported; nearest is GFN-FF",
    ),
    (
        re.compile(
            r"mace\w*|ani\d*c*x*|aimnet\w*|orb(v\d)?|uma\w*|nequip|allegro|chgnet|m3gnet|schnet|painn|mattersim"
        ),
        "a machine-learned potential; none is supported; nearest is GFN1-xTB",
    ),
)


def known_elsewhere(method: str) -> str | None:
    """Return what a method is that exists, though not here, and what is nearest; None for any other name."""
    word = re.sub(r"[^a-z0-9]", "", method.lower())
    return next((what for names, what in _KINDS if names.fullmatch(word)), None)
