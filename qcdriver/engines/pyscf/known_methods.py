"""Methods that a chemist knows and that are not computed here: why not, and what is nearest.

The nearest word to "MP2" in a list of functionals is "ms2", which is no help to who asks for it.
"""

from __future__ import annotations

import re

from qcdriver.engines.known_elsewhere import known_elsewhere
from qcdriver.errors import InputError

_COMPOSITES = {
    "r2scan3c": ("r2scan", "d4", "def2-TZVP"),
    "b973c": ("b97-d", "d3bj", "def2-TZVP"),
    "wb97x3c": ("wb97x-d3bj", None, "def2-TZVP"),
    "pbeh3c": ("pbe0", "d3bj", "def2-SVP"),
    "hse3c": ("hse06", "d3bj", "def2-SVP"),
    "b3lyp3c": ("b3lyp", "d3bj", "def2-SVP"),
    "hf3c": ("hf", "d3bj", "def2-SVP"),
}
"""The 3c methods, each with a basis set and corrections of its own; method, dispersion and basis that are nearest."""
_BY_ITS_DISPERSION = {"b97d": "b97-d", "b97d3": "b97-d", "b97d3bj": "b97-d", "b97d3(bj)": "b97-d"}
_RANGE_SEPARATED_WITH_D = re.compile(r"wb97xd3?")
_CORRELATED = re.compile(
    r"(ri|df|u|ro?|scs|sos|oo|f12|dlpno|lno|pno|local|cp)*"
    r"(mp[2-5]|lmp2|ccsdt?q?(\([tq]\))?|cc[23]|eomccsd|qcisd(\(t\))?|cis(\(?d\)?)?|fci|mrci|cas(scf|pt2|ci)|nevpt2|dmrg"
    r"|rpa|g0?w0?|evgw|adc\(?[23]\)?)(f12[ab]?)?"
)
_DOUBLE_HYBRID = re.compile(
    r"(rev|x|r)?(dsd|dod)\w*|w?b2(gp)?plyp\w*|mpw2plyp\w*|pwpb95\w*|xygj?\w*|pbe(0dh|qidh|02)|pr2scan50"
)
_REFERENCE = re.compile(r"[ru]o?hf|scf|hartreefock")
_TIGHT_BINDING = re.compile(r"gfn\w*|(ipea1?)?xtb\w*")


def refuse_unsupported(name: str, dispersion: str | None) -> None:
    """Refuse a method that exists, though not here, in words of its own; any other name passes.

    Parameters
    ----------
    name
        As the user writes it: case, hyphens and spaces aside.
    dispersion
        The keyword, as it is.

    Raises
    ------
    InputError
    """
    word = re.sub(r"[^a-z0-9()]", "", name.lower().replace("ω", "w").replace("²", "2"))
    if word in _COMPOSITES:
        method, correction, basis = _COMPOSITES[word]
        with_it = "" if correction is None else f', keywords = {{ dispersion = "{correction}" }}'
        raise InputError(
            f"method {name!r} is known, but not supported: it has a basis set and corrections of its own; nearest is "
            f'method = "{method}", basis = "{basis}"{with_it}'
        )
    if word in _BY_ITS_DISPERSION and dispersion is None:
        raise InputError(
            f'method {name!r} needs its dispersion said: method = "{_BY_ITS_DISPERSION[word]}", '
            'keywords = { dispersion = "d3bj" }'
        )
    if _RANGE_SEPARATED_WITH_D.fullmatch(word):
        raise InputError(f"method {name!r} is known, but not supported; nearest is method = 'wb97x-d3bj' or 'wb97x-v'")
    if word == "wb97xd4":
        raise InputError(
            f"method {name!r} is known, but not supported: what PySCF 2.14 computes by that name is not what other "
            "programs do; nearest is method = 'wb97x-d3bj' or 'wb97x-v'"
        )
    if _DOUBLE_HYBRID.fullmatch(word):
        raise InputError(
            f"method {name!r} is known, but not supported: a double hybrid has a part of MP2; nearest is a hybrid "
            "functional: 'pbe0', 'b3lyp' with dispersion = 'd4', or 'wb97m-v'"
        )
    if _CORRELATED.fullmatch(word):
        raise InputError(
            f"method {name!r} is known, but not supported: wavefunctions beyond Hartree-Fock are not computed; nearest "
            "is a functional: 'wb97m-v', or 'pbe0' with dispersion = 'd4'"
        )
    if (kind := known_elsewhere(name)) is not None:
        raise InputError(f"method {name!r} is {kind}, which [prescreen] computes without a basis")
    if _TIGHT_BINDING.fullmatch(word):
        raise InputError(
            f"method {name!r} is no functional: GFN1-xTB, GFN2-xTB and GFN-FF are methods of [prescreen], with the "
            "engine xtb or tblite and no basis"
        )
    if _REFERENCE.fullmatch(word):
        raise InputError(
            f"method {name!r}: write method = 'hf'; the multiplicity, or the keyword unrestricted, decides about spins"
        )
