"""What an input says, typed: its title, structure, experiment and resources, and a table for each stage."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from qcdriver.models.base import Frozen
from qcdriver.systems.base import Label, Structure
from qcdriver.workflow.resources import Machine

S = TypeVar("S", bound=Frozen)


class Experiment(Frozen):
    """`[experiment]`: what was measured, by isomer label, shown beside what is computed, with where it comes from.

    `gap_ev`: optical gaps; `peaks_nm`: wavelengths of the maxima of a UV-vis spectrum.
    """

    gap_ev: dict[Label, float] = Field(default_factory=dict)
    peaks_nm: dict[Label, tuple[Annotated[float, Field(gt=0)], ...]] = Field(default_factory=dict)
    source: str


class Input(Frozen):
    """A whole input file, but for the tables of the stages and of the source, which `input.input_type` adds as fields.

    `resources`: what a run may use on this machine, and a table for each stage.
    """

    title: str
    structure: Structure
    experiment: Experiment | None = None
    resources: Machine = Machine()

    def table(self, settings: type[S]) -> S | None:
        """Return the table that has these settings; None where the file has none, so that its stage does not run."""
        tables = (getattr(self, name) for name in type(self).model_fields)
        return next((table for table in tables if isinstance(table, settings)), None)
