"""`[prescreen]` of an input."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from qcdriver.engines import EngineChoice, MethodName, require_method
from qcdriver.engines.checks import spelled
from qcdriver.engines.solvents import SolventName
from qcdriver.models.base import Frozen
from qcdriver.systems.conformer_family import Bounds
from qcdriver.workflow.threshold import Threshold

Preparation = Literal["GFN-FF", "hydrogens", "stepwise", "none"]
"""What is relaxed before the first pass."""


def _spelled(word: object) -> object:
    return spelled(word, get_args(Preparation)) if isinstance(word, str) else word


class PrescreenSettings(Frozen):
    """`[prescreen]`: xTB relaxation of every candidate, and which go on.

    `starts` ligand placements an isomer, drawn from `seed`. `hold_metal` keeps the metal atoms where they are built or
    read, in every relaxation and in the scan, which then turns one rigid half against the other. `preoptimize` comes
    first: "GFN-FF" relaxes the ligands around the held core with that force field; "hydrogens" relaxes the hydrogen
    atoms alone, at the level itself; "stepwise" these, and then the ligands around the held core; structures that were
    relaxed already (of a run, of an ensemble) have "none" unless another is asked for. A `cheap` pass for
    all, with an isomer's own coordinate (the twist of a rod) held; a `tight` one, free, for those within
    `window_kcal_mol` of the lowest, at most `max_tight` an isomer, dropped when the coordinate then moves by more than
    `max_drift_deg`; `max_kept` in all go on to DFT. `metal_bonds_to_lose`: a structure has fallen apart when a metal
    atom lost more than this part of its metal bonds; at 1 when its metal is in pieces. Left out: a third, or 1 for a
    bare cluster, without a ligand of several atoms. `solvent` ("ch2cl2"): the molecules are in it, as the engine models
    it; else they are in the gas phase. `keep_each_isomer`: the best of every isomer is tightened and kept, however high
    it lies; false lets the isomers of a search compete, with `max_tight` counted over all. `every_family`: so is the
    best of every family of conformers, before `max_tight`, `max_kept` and the window cut. An isomer's best is the
    lowest that is bent by no more than `max_bend_deg` and has no more than `allow_opened` metal contacts open; left
    out: as the family of the cluster says, 10 deg and none for a rod, no bound for others. What lies beyond goes on by
    its energy, with its name.
    """

    engine: EngineChoice = "auto"
    method: MethodName = "GFN1-xTB"
    solvent: SolventName | None = None
    keywords: dict[str, JsonValue] = Field(default_factory=dict)
    hold_metal: bool = False
    metal_bonds_to_lose: float | None = Field(default=None, ge=0, le=1)
    preoptimize: Annotated[Preparation, BeforeValidator(_spelled)] = "GFN-FF"
    starts: int = Field(default=1, ge=1, le=1000)
    seed: int = 0
    cheap: Threshold = Threshold(max_force_ev_angstrom=0.05, energy_change_ev=1e-3)
    tight: Threshold = Threshold(max_force_ev_angstrom=0.01, energy_change_ev=1e-4)
    max_tight: int = Field(default=2, ge=1)
    keep_each_isomer: bool = True
    every_family: bool = False
    max_bend_deg: float | None = Field(default=None, gt=0)
    allow_opened: int | None = Field(default=None, ge=0)
    max_drift_deg: float = Field(default=10.0, gt=0)
    window_kcal_mol: float = Field(default=10.0, gt=0)
    max_kept: int = Field(default=4, ge=1)
    duplicate_kcal_mol: float = Field(default=0.1, ge=0)
    duplicate_angstrom: float = Field(default=0.1, gt=0)

    @model_validator(mode="after")
    def _has_the_method(self) -> PrescreenSettings:
        require_method(self.engine, self.method)
        return self

    @model_validator(mode="after")
    def _one_solvent(self) -> PrescreenSettings:
        if "solvent" in self.keywords:
            raise ValueError("keywords.solvent: write solvent in [prescreen] itself, for all its levels")
        return self

    @property
    def bounds(self) -> Bounds:
        """The bounds of what may stand for its isomer, as far as the input gives them."""
        return Bounds(max_bend_deg=self.max_bend_deg, allow_opened=self.allow_opened)

    @property
    def medium(self) -> dict[str, JsonValue]:
        """The keyword for the solvent, of every level of the prescreen; none in the gas phase."""
        return {} if self.solvent is None else {"solvent": self.solvent}
