"""What an input says, typed: its title, structure, experiment and resources, and a table for each stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeVar

from pydantic import Field, model_validator

from qcdriver.models.base import Frozen
from qcdriver.systems.base import Label, Structure
from qcdriver.workflow.resources import Machine

S = TypeVar("S", bound=Frozen)


ZERO_CELSIUS_K = 273.15
"""0 degrees Celsius in kelvin."""

Celsius = Annotated[float, Field(gt=-ZERO_CELSIUS_K)]


class Transition(Frozen):
    """`[[experiment.transition]]`: two isomers that turn into each other at a temperature, and `by` what it was seen.

    Where they are in equilibrium there, it is the temperature at which both are equally populated.
    """

    between: tuple[Label, Label]
    temperature_c: Celsius
    by: str = ""

    @model_validator(mode="after")
    def _two(self) -> Transition:
        if self.between[0] == self.between[1]:
            raise ValueError(f"between: two isomers belong here, not {self.between[0]} twice")
        return self


class Conversion(Frozen):
    """`[[experiment.conversion]]`: which isomers were `found` after so many days at a temperature.

    `began_as` the isomer that was there alone before; left out, all isomers were there. What is not among `found` is
    taken to be less than 5 % of all.
    """

    began_as: Label | None = None
    found: tuple[Label, ...] = Field(min_length=1)
    after_days: float = Field(gt=0)
    temperature_c: Celsius


class Experiment(Frozen):
    """`[experiment]`: what was measured, by isomer label, shown beside what is computed, with where it comes from.

    `gap_ev`: optical gaps; `peaks_nm`: wavelengths of the maxima of a UV-vis spectrum; `transition`: temperatures at
    which isomers turn into each other; `conversion`: which were found after a time at a temperature.
    """

    transition: tuple[Transition, ...] = ()
    conversion: tuple[Conversion, ...] = ()
    gap_ev: dict[Label, float] = Field(default_factory=dict)
    peaks_nm: dict[Label, tuple[Annotated[float, Field(gt=0)], ...]] = Field(default_factory=dict)
    source: str

    def labels(self) -> Iterator[tuple[str, str]]:
        """Give the isomers that it speaks of, each with the key under which it does."""
        for name in ("gap_ev", "peaks_nm"):
            yield from ((name, label) for label in getattr(self, name))
        yield from (("transition", label) for transition in self.transition for label in transition.between)
        for conversion in self.conversion:
            yield from (
                ("conversion", label) for label in (conversion.began_as, *conversion.found) if label is not None
            )


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
