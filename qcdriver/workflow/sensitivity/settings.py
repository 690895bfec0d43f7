"""`[sensitivity]` of an input: the levels beside that of `[dft]`."""

from __future__ import annotations

from pydantic import Field, JsonValue, model_validator

from qcdriver.models.base import Frozen
from qcdriver.workflow.dft import DftSettings


class FurtherLevel(Frozen):
    """One level; what `method`, `basis` and `keywords` leave open is as in [dft]."""

    method: str | None = None
    basis: str | None = None
    keywords: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _another(self) -> FurtherLevel:
        if self.method is None and self.basis is None and not self.keywords:
            raise ValueError("a level of [sensitivity] needs a method, a basis or keywords that differ from [dft]'s")
        return self

    def settings(self, dft: DftSettings) -> DftSettings:
        """Return the level as [dft] would write it."""
        own = {"method": self.method or dft.method, "basis": self.basis or dft.basis}
        return dft.model_copy(update={**own, "keywords": {**dft.keywords, **self.keywords}})


class SensitivitySettings(Frozen):
    """`[sensitivity]`: the conformers of [dft], at their geometries, at further `levels`, each begun with its orbitals.

    A table shows every energy difference and gap by level: how far these spread is what a choice of the level leaves
    uncertain.
    """

    levels: tuple[FurtherLevel, ...]

    @model_validator(mode="after")
    def _some(self) -> SensitivitySettings:
        if not self.levels:
            raise ValueError("[sensitivity] needs levels")
        return self
