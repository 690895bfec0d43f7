"""Energies and gradients of two layers, E = E_low(whole) + E_high(model) - E_low(model), by two other engines.

The subtractive scheme of Dapprich et al. (doi:10.1016/S0166-1280(98)00475-8). The model is the molecule with smaller
ligands (`geometry.link_atoms`), cut where the bonds are at the geometry that a calculation is prepared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import JsonValue, ValidationError
from threadpoolctl import threadpool_limits

from qcdriver.engines.base import (
    LAYERS,
    AnyEngine,
    Calculation,
    Device,
    Driver,
    Engine,
    Gpu,
    GpuEstimate,
    Needs,
    OrbitalForm,
    Progress,
)
from qcdriver.engines.checks import check_geometry, spelled
from qcdriver.engines.gate import Limits
from qcdriver.engines.oniom.keywords import OniomKeywords
from qcdriver.engines.references import ONIOM, Reference
from qcdriver.errors import InputError, input_errors_of
from qcdriver.geometry.link_atoms import LinkedModel
from qcdriver.geometry.truncate import find_cut
from qcdriver.models.level import Level, Model, Resources
from qcdriver.models.molecule import Molecule, Unplaced
from qcdriver.models.outcomes import Layer, Result, StateWarning, WarningCode

if TYPE_CHECKING:
    from pathlib import Path

Choose = Callable[[str, str, str | None], AnyEngine]
"""Gives the engine for a name or "auto", a method and a basis set or None."""
SCHEME = "1"
"""Version of what determines the number beside the engines: the scheme, and where caps stand."""
OF_A_SOLVENT = ("solvent", "solvent_model")
"""Keywords of the low level that the model, in the gas phase, has not."""


@dataclass(frozen=True)
class _Levels:
    """Engine, model of theory and keywords of each level; those of the low one also without its solvent."""

    high: AnyEngine
    high_model: Model
    high_keywords: Any
    low: AnyEngine
    low_model: Model
    low_keywords: Any
    low_in_gas: Any


class OniomEngine(Engine[OniomKeywords]):
    """Two engines as one. In the registry it stands for all pairs; `for_model` gives that of a method."""

    name: ClassVar[str] = "oniom"
    methods: ClassVar[tuple[str, ...]] = ()
    Keywords = OniomKeywords

    def __init__(self, choose: Choose, pair: tuple[AnyEngine, AnyEngine] | None = None) -> None:
        self._choose, self._pair = choose, pair
        if pair is not None:
            self.devices, self.fills_machine = pair[0].devices, pair[0].fills_machine

    def offers(self, method: str, basis: str | None = None) -> bool:  # noqa: ARG002
        """Take methods of two layers."""
        return LAYERS in method

    def for_model(self, model: Model, raw: Mapping[str, JsonValue]) -> AnyEngine:
        """Return the pair of engines that a method and its keywords ask for."""
        levels = self._levels(model, self.keywords(raw))
        return OniomEngine(self._choose, (levels.high, levels.low))

    def version(self, device: Device = "cpu") -> str:
        """Return the version of the scheme, and of the two engines where they are chosen."""
        if self._pair is None:
            return SCHEME
        high, low = self._pair
        return f"{SCHEME}: {high.name} {high.version(device)} + {low.name} {low.version()}"

    def missing(self, device: Device = "cpu") -> str | None:
        """Return what one of the two lacks."""
        return None if self._pair is None else self._pair[0].missing(device) or self._pair[1].missing()

    def choose_device(self, requested: Literal["auto", "cpu", "gpu"]) -> tuple[Device, str]:
        """Choose the device of the high level; the low one computes on the CPU."""
        return super().choose_device(requested) if self._pair is None else self._pair[0].choose_device(requested)

    def hardware(self) -> tuple[Gpu, ...]:
        """Return the GPUs that the high level can use here."""
        return () if self._pair is None else self._pair[0].hardware()

    def gpu_named(self, words: str) -> Gpu:
        """Return a GPU that the high level could use."""
        return super().gpu_named(words) if self._pair is None else self._pair[0].gpu_named(words)

    def level(self, model: Model, raw: Mapping[str, JsonValue] | None = None, device: Device = "cpu") -> Level:
        """Return the complete level: both engines with their versions and all their keywords."""
        keywords = self.keywords(raw or {})
        levels = self._levels(model, keywords)
        complete = keywords.model_copy(
            update={
                "high_engine": levels.high.name,
                "low_engine": levels.low.name,
                "high": levels.high_keywords.model_dump(mode="json"),
                "low": levels.low_keywords.model_dump(mode="json", exclude={"solvent"}),
            }
        )
        return Level(
            engine=self.name,
            engine_version=OniomEngine(self._choose, (levels.high, levels.low)).version(device),
            model=model.model_copy(update={"method": f"{levels.high_model.method}{LAYERS}{levels.low_model.method}"}),
            keywords=complete.model_dump(mode="json"),
        )

    def prepare(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Check both levels on this machine, then set up their calculations."""
        if self._pair is None:
            return self.for_model(level.model, level.keywords).prepare(molecule, level, resources, progress)
        return super().prepare(molecule, level, resources, progress)

    def check(self, molecule: Molecule, model: Model, keywords: OniomKeywords, driver: Driver = "energy") -> None:
        """Refuse what cannot be cut, and what either level refuses; where atoms have no places yet, only levels."""
        levels = self._levels(model, keywords)
        if not keywords.cut.words:
            raise InputError("ONIOM needs a cut, for instance cut = { phosphine = 'PH3', thiolate = 'SH' }")
        if isinstance(molecule, Unplaced):
            return
        check_geometry(molecule.symbols, molecule.geometry)
        small = _model(molecule, keywords).molecule
        levels.low.check(molecule, levels.low_model, levels.low_keywords, driver)
        with input_errors_of(f"the model {small.formula}:"):
            levels.low.check(small, levels.low_model, levels.low_in_gas, driver)
            levels.high.check(small, levels.high_model, levels.high_keywords, driver)

    def estimate(self, molecule: Molecule, model: Model, keywords: OniomKeywords, resources: Resources) -> Needs:
        """Return what the high level needs on the model; the low one is small beside it."""
        levels, small = self._levels(model, keywords), _model(molecule, keywords).molecule
        needs = levels.high.estimate(small, levels.high_model, levels.high_keywords, resources)
        return OniomNeeds.of(needs, small, len(molecule.symbols))

    def estimate_on_gpu(
        self, molecule: Molecule, model: Model, keywords: OniomKeywords, resources: Resources, gpu: Gpu
    ) -> GpuEstimate:
        """Return what the high level takes there."""
        levels, small = self._levels(model, keywords), _model(molecule, keywords).molecule
        return levels.high.estimate_on_gpu(small, levels.high_model, levels.high_keywords, resources, gpu)

    def limits(self, molecule: Molecule, model: Model, keywords: OniomKeywords) -> Limits:
        """Hold the sum to what its terms are held to; each of them has passed the gate already."""
        levels, small = self._levels(model, keywords), _model(molecule, keywords).molecule
        high = levels.high.limits(small, levels.high_model, levels.high_keywords)
        low = levels.low.limits(molecule, levels.low_model, levels.low_keywords)
        return Limits(high.lowest_energy + low.lowest_energy, high.force_noise + 2 * low.force_noise, high.small_gap)

    def title(self, model: Model, keywords: OniomKeywords) -> str:
        """Return the high level and the ligands of its model, the low level, the two engines."""
        levels = self._levels(model, keywords)
        high = levels.high.title(levels.high_model, levels.high_keywords).removesuffix(f" ({levels.high.name})")
        low = levels.low.title(levels.low_model, levels.low_keywords).removesuffix(f" ({levels.low.name})")
        cut = f" with {keywords.cut.words}" if keywords.cut.words else ""
        return f"ONIOM({high}{cut} : {low}) ({levels.high.name}, {levels.low.name})"

    def references(self, model: Model, keywords: OniomKeywords) -> tuple[Reference, ...]:
        """Return the article on the scheme, and those of either level."""
        levels = self._levels(model, keywords)
        high = levels.high.references(levels.high_model, levels.high_keywords)
        return (ONIOM, *high, *levels.low.references(levels.low_model, levels.low_keywords))

    def write_orbitals(self, checkpoint: Path, stem: Path, form: OrbitalForm) -> list[Path]:
        """Write the orbitals of the high level on the model."""
        if self._pair is None:
            return super().write_orbitals(checkpoint, stem, form)
        return self._pair[0].write_orbitals(checkpoint, stem, form)

    def start(
        self, molecule: Molecule, model: Model, keywords: OniomKeywords, resources: Resources, progress: Progress
    ) -> Calculation:
        """Cut the model out, and prepare the three calculations."""
        return _OniomCalculation(
            molecule, _model(molecule, keywords), self._levels(model, keywords), resources, progress
        )

    def _levels(self, model: Model, keywords: OniomKeywords) -> _Levels:
        """Find the two engines, and read the keywords of each.

        Raises
        ------
        InputError
        """
        high_method, colon, low_method = model.method.partition(LAYERS)
        if not (colon and high_method and low_method) or LAYERS in low_method:
            raise InputError(f"method = {model.method!r} is not HIGH:LOW, as in 'PBE:GFN1-xTB'")
        for where, given in (("high", keywords.high), ("low", keywords.low)):
            if given.get("solvent") is not None:
                raise InputError(
                    f"keywords {where}.solvent: the solvent is around the whole molecule, so it stands beside cut: "
                    f"solvent = {given['solvent']!r}"
                )
        with input_errors_of("the high level:"):
            high = self._choose(keywords.high_engine or "auto", high_method, model.basis)
            high_keywords = high.keywords(keywords.high)
        with input_errors_of("the low level:"):
            low = self._choose(keywords.low_engine or "auto", low_method, None)
            medium = {} if keywords.solvent is None else {"solvent": keywords.solvent}
            in_gas = {name: value for name, value in keywords.low.items() if name not in OF_A_SOLVENT}
            return _Levels(
                high,
                Model(method=spelled(high_method, high.methods), basis=model.basis),
                high_keywords,
                low,
                Model(method=spelled(low_method, low.methods)),
                low.keywords({**keywords.low, **medium}),
                low.keywords(in_gas),
            )


def _model(molecule: Molecule, keywords: OniomKeywords) -> LinkedModel:
    """Cut the model out of a molecule.

    Raises
    ------
    InputError
        Nothing there can be cut, or a cut leaves a dangling bond.
    """
    try:
        return LinkedModel(molecule, find_cut(molecule, **keywords.cut.model_dump(), covalent_bonds_decide=True))
    except ValidationError as error:
        raise InputError(f"the cut leaves no closed model: {error.errors()[0]['msg']}") from None


class OniomNeeds(Needs):
    """What the high level needs, and how large its model is."""

    model_formula: str
    model_n_atoms: int
    n_atoms: int
    high: Needs

    @classmethod
    def of(cls, high: Needs, small: Molecule, n_atoms: int) -> OniomNeeds:
        """Take the figures of the high level."""
        figures = {name: getattr(high, name) for name in Needs.model_fields}
        return cls(**figures, model_formula=small.formula, model_n_atoms=len(small.symbols), n_atoms=n_atoms, high=high)

    def lines(self) -> list[str]:
        """Return the lines that a person reads."""
        sizes = f"high level: {self.model_formula}, {self.model_n_atoms} atoms, of the low level's {self.n_atoms}"
        return [f"{sizes}; orbitals and gap are those of the high level on the model", *self.high.lines()]


class _OniomCalculation(Calculation):
    """The three calculations, each of which keeps what makes its next evaluation cheaper."""

    def __init__(
        self, whole: Molecule, model: LinkedModel, levels: _Levels, resources: Resources, progress: Progress
    ) -> None:
        self._whole, self._model, self._levels, self._progress = whole, model, levels, progress
        low_resources = resources.model_copy(update={"device": "cpu", "checkpoint": None, "start_from": None})
        low_level = levels.low.level(levels.low_model, levels.low_keywords.model_dump(mode="json"))
        gas_level = levels.low.level(levels.low_model, levels.low_in_gas.model_dump(mode="json"))
        high_level = levels.high.level(
            levels.high_model, levels.high_keywords.model_dump(mode="json"), resources.device
        )
        self._low_whole = levels.low.prepare(whole, low_level, low_resources, progress)
        self._low_model = levels.low.prepare(model.molecule, gas_level, low_resources, progress)
        self._high_model = levels.high.prepare(model.molecule, high_level, resources, progress)

    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        check_geometry(self._whole.symbols, geometry)
        small = self._model.geometry(geometry)
        self._progress("low level")
        with threadpool_limits(self._levels.low.blas_threads, user_api="blas"):
            low_whole = self._low_whole.compute(geometry, driver)
            low_model = self._low_model.compute(small, driver)
        self._progress("high level on the model")
        high_model = self._high_model.compute(small, driver)
        return high_model.model_copy(
            update={
                "energy": low_whole.energy + high_model.energy - low_model.energy,
                "gradient": self._gradient(geometry, low_whole, high_model, low_model),
                "dipole": _dipole(low_whole, high_model, low_model),
                "mulliken_charges": None,
                "hirshfeld_charges": None,
                "layers": self._layers(low_whole, high_model, low_model),
                "warnings": _warnings(low_whole, high_model, low_model),
            }
        )

    def _gradient(
        self, geometry: np.ndarray, low_whole: Result, high_model: Result, low_model: Result
    ) -> np.ndarray | None:
        if low_whole.gradient is None or high_model.gradient is None or low_model.gradient is None:
            return None
        of_model = self._model.gradient(geometry, high_model.gradient - low_model.gradient)
        total: np.ndarray = low_whole.gradient + of_model
        return total

    def _layers(self, low_whole: Result, high_model: Result, low_model: Result) -> tuple[Layer, ...]:
        levels, whole, small = self._levels, self._whole.formula, self._model.molecule.formula
        low = levels.low.title(levels.low_model, levels.low_keywords)
        in_gas = levels.low.title(levels.low_model, levels.low_in_gas)
        high = levels.high.title(levels.high_model, levels.high_keywords)
        return (
            Layer(part="whole", formula=whole, level=low, sign=1, energy=low_whole.energy),
            Layer(part="model", formula=small, level=high, sign=1, energy=high_model.energy),
            Layer(part="model", formula=small, level=in_gas, sign=-1, energy=low_model.energy),
        )


def _dipole(low_whole: Result, high_model: Result, low_model: Result) -> np.ndarray | None:
    """Add the moments like the energies: the model's two have one charge and one origin, so that this drops out."""
    if low_whole.dipole is None or high_model.dipole is None or low_model.dipole is None:
        return None
    total: np.ndarray = low_whole.dipole + high_model.dipole - low_model.dipole
    return total


def _warnings(low_whole: Result, high_model: Result, low_model: Result) -> tuple[StateWarning, ...]:
    """Return the doubts that the gate will not see in the sum: those of the low level, and a second try."""
    found = [warning for warning in high_model.warnings if warning.code is WarningCode.SECOND_TRY]
    for words, result in (("whole", low_whole), ("model", low_model)):
        found += [
            warning.model_copy(update={"sentence": f"low level on the {words}: {warning.sentence}"})
            for warning in result.warnings
        ]
    return tuple(found)
