"""The words for solvents, the same for every engine: the name in SMD's database, and what chemists write for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from qcdriver.engines.checks import choices
from qcdriver.errors import InputError


class Solvent(NamedTuple):
    """A solvent: its name, in SMD's database where it is there; the word of the GFN programs; other words for it."""

    name: str
    gfn: str
    others: tuple[str, ...] = ()


SOLVENTS = (
    Solvent("acetone", "acetone"),
    Solvent("acetonitrile", "acetonitrile", ("mecn", "ch3cn")),
    Solvent("aniline", "aniline"),
    Solvent("benzaldehyde", "benzaldehyde"),
    Solvent("benzene", "benzene"),
    Solvent("carbon disulfide", "cs2"),
    Solvent("chloroform", "chcl3"),
    Solvent("dichloromethane", "ch2cl2", ("dcm", "methylene chloride")),
    Solvent("1,4-dioxane", "dioxane"),
    Solvent("N,N-dimethylformamide", "dmf", ("dimethylformamide",)),
    Solvent("dimethylsulfoxide", "dmso"),
    Solvent("diethylether", "ether", ("et2o", "diethyl ether")),
    Solvent("ethanol", "ethanol", ("etoh",)),
    Solvent("ethylethanoate", "ethylacetate", ("ethyl acetate", "etoac")),
    Solvent("furan", "furane"),
    Solvent("n-hexadecane", "hexadecane"),
    Solvent("n-hexane", "nhexane", ("hexane",)),
    Solvent("methanol", "methanol", ("meoh",)),
    Solvent("nitromethane", "nitromethane", ("meno2",)),
    Solvent("1-octanol", "octanol"),
    Solvent("wet 1-octanol", "woctanol"),
    Solvent("phenol", "phenol"),
    Solvent("tetrahydrofuran", "thf"),
    Solvent("toluene", "toluene"),
    Solvent("water", "h2o"),
)

GBSA = frozenset(
    "acetone acetonitrile benzene chcl3 ch2cl2 cs2 dmf dmso ether h2o methanol nhexane thf toluene".split()
)
"""Words of the solvents that the generalised Born models of GFN2-xTB and GFN-FF know, in xtb and tblite."""
GBSA_OF_GFN1 = GBSA - {"dmf", "nhexane"}
"""The same for GFN1-xTB."""

_BY_WORD = {word.lower(): solvent for solvent in SOLVENTS for word in (solvent.name, solvent.gfn, *solvent.others)}


def solvent_name(word: str) -> str:
    """Return the one name of a solvent that has several, upper or lower case; any other word as it is."""
    solvent = _BY_WORD.get(word.lower())
    return word if solvent is None else solvent.name


SolventName = Annotated[str, AfterValidator(solvent_name)]
"""A solvent in an engine's keywords."""


def gfn_word(name: str, known: Iterable[str], where: str) -> str:
    """Return the word of the GFN programs for a solvent, by its name.

    Parameters
    ----------
    known
        The words of the solvents that there are parameters for.
    where
        Method and solvent model, for the message.

    Raises
    ------
    InputError
        There are none for it; the message lists what there is.
    """
    words = frozenset(known)
    solvent = _BY_WORD.get(name.lower())
    if solvent is not None and solvent.gfn in words:
        return solvent.gfn
    names = [solvent.name for solvent in SOLVENTS if solvent.gfn in words]
    raise InputError(f"{where} has no parameters for the solvent {name!r}; {choices(name, names)}")
