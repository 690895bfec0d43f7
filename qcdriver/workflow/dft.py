"""`[dft]` of an input, and its level on this machine; any stage may compute at that level."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from qcdriver import engines
from qcdriver.engines import LAYERS, AnyEngine, Device, EngineName
from qcdriver.engines.checks import AnyCase
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level, Model


class DftSettings(Frozen):
    """`[dft]`: single points on the survivors; `keywords` are the engine's own.

    A method of two layers ("PBE:GFN1-xTB", ONIOM) has the engine "oniom" where none is given; `basis` is then that of
    the high level.

    While the stage goes on, every point starts from the orbitals of its nearest neighbour; `keep_checkpoints` leaves
    them in RUN/checkpoints afterwards, for cube and Molden files.
    """

    engine: EngineName = "pyscf"
    method: str
    basis: str | None = None
    device: Annotated[Literal["auto", "cpu", "gpu"], AnyCase] = "auto"
    keep_checkpoints: bool = False
    keywords: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _engine_of_two_layers(cls, table: Any) -> Any:
        if isinstance(table, dict) and "engine" not in table and LAYERS in str(table.get("method")):
            return {**table, "engine": engines.choose("auto", table["method"]).name}
        return table


def dft_engine(settings: DftSettings) -> AnyEngine:
    """Return the engine of `[dft]`; of one that is made of others, with those of the method.

    Raises
    ------
    InputError
    """
    return engines.find(settings.engine).for_model(
        Model(method=settings.method, basis=settings.basis), settings.keywords
    )


def dft_level(settings: DftSettings) -> tuple[Level, Device, str]:
    """Return the DFT level, the device it computes on here, and a sentence that says both.

    Raises
    ------
    InputError, MissingError
        The input asks for an engine or a device that cannot be used, ever or here.
    """
    engine = dft_engine(settings)
    device, sentence = engine.choose_device(settings.device)
    level = engine.level(Model(method=settings.method, basis=settings.basis), settings.keywords, device)
    return level, device, f"{engines.title(level)} {level.engine_version}. {sentence}"
