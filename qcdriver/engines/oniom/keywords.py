"""Keywords of ONIOM: where the molecule is cut, the solvent around it, and the keywords of the two levels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from qcdriver.engines.solvents import SolventName
from qcdriver.geometry.truncate import PhosphineModel, ThiolateModel
from qcdriver.models.base import Frozen


class LigandCut(Frozen):
    """What every ligand of a kind becomes in the model; None: it stays whole."""

    phosphine: PhosphineModel | None = None
    thiolate: ThiolateModel | None = None
    alkynyl: Literal["C2H"] | None = None

    @property
    def words(self) -> str:
        """The smaller ligands, for a person."""
        return " and ".join(name for name in (self.phosphine, self.thiolate, self.alkynyl) if name is not None)


class OniomKeywords(Frozen):
    """Keywords of two levels of theory, the method being "HIGH:LOW" and the basis set that of the high level.

    Attributes
    ----------
    cut
        The ligands that the model has instead of the molecule's.
    solvent
        Around the whole molecule, by the low level's model. The model is computed in the gas phase at both levels:
        where its caps are, ligands keep the solvent away.
    high_engine, low_engine
        What computes each; None: the first engine that has the method. A level has their names.
    high, low
        Keywords of these engines.
    """

    cut: LigandCut = LigandCut()
    solvent: SolventName | None = None
    high_engine: str | None = None
    low_engine: str | None = None
    high: dict[str, JsonValue] = Field(default_factory=dict)
    low: dict[str, JsonValue] = Field(default_factory=dict)
