"""Energies and gradients of GFN1-xTB and GFN2-xTB by tblite.

tblite reads OMP_NUM_THREADS when it is loaded: whoever starts the process sets it
(`qcdriver.execution.local.worker` does).
"""

from __future__ import annotations

from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from qcdriver.engines.base import (
    Calculation,
    Device,
    Driver,
    Progress,
    dipole_about_nuclear_charge,
    orbital_gap,
)
from qcdriver.engines.checks import AnyCase, check_geometry
from qcdriver.engines.gfn import COOLING, GfnEngine, GfnKeywords, SccStep, frontier_orbitals, run_scc
from qcdriver.errors import EngineError, InputError, MissingError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result

if TYPE_CHECKING:
    import numpy as np

DAMPING = 0.4
"""Of Broyden's mixer, as tblite has it."""
ROUTES = (
    (SccStep(damping=0.1, memory=20),),
    tuple(SccStep(heat, damping=0.1, memory=20) for heat in COOLING),
)
"""What is tried after the SCC as it is."""
HARTREE_PER_KELVIN = 3.166808578545117e-6
"""tblite's own factor, so that 300 K here is 300 K there."""


class TbliteKeywords(GfnKeywords):
    """Keywords of tblite: those of the GFN methods, and which model a solvent has.

    Attributes
    ----------
    solvent_model
        Analytical linearised Poisson-Boltzmann or generalised Born, both with terms of the surface fitted to experiment
        (doi:10.1021/acs.jctc.1c00471), or the conductor-like polarisable continuum, electrostatics alone.
    """

    LATER: ClassVar[tuple[str, ...]] = ("solvent", "solvent_model")

    solvent_model: Annotated[Literal["alpb", "gbsa", "cpcm"], AnyCase] = "alpb"


class TbliteEngine(GfnEngine[TbliteKeywords]):
    """tblite: where xtb-python has no wheel. Its numbers differ from libxtb's, by 1e-6 hartree an atom."""

    name: ClassVar[str] = "tblite"
    methods: ClassVar[tuple[str, ...]] = ("GFN1-xTB", "GFN2-xTB")
    libraries: ClassVar[tuple[str, ...]] = ("tblite",)
    Keywords = TbliteKeywords

    def version(self, device: Device = "cpu") -> str:  # noqa: ARG002
        """Return the version of tblite."""
        try:
            return metadata.version("tblite")
        except metadata.PackageNotFoundError:
            raise MissingError("tblite is not installed: pip install tblite") from None

    def check(self, molecule: Molecule, model: Model, keywords: TbliteKeywords, driver: Driver = "energy") -> None:
        """Refuse a model of no solvent too."""
        if keywords.solvent is None and keywords.solvent_model != "alpb":
            raise InputError(f"solvent_model = {keywords.solvent_model!r} without a solvent: solvent = 'water'")
        super().check(molecule, model, keywords, driver)

    def solvent_model(self, keywords: TbliteKeywords) -> str:
        """Return the model that the keywords choose."""
        return keywords.solvent_model

    def start(
        self,
        molecule: Molecule,
        model: Model,
        keywords: TbliteKeywords,
        resources: Resources,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> Calculation:
        """Load the parameters."""
        return _TbliteCalculation(molecule, model.method, keywords, self.solvent_word(model.method, keywords))


class _TbliteCalculation(Calculation):
    """Keeps the wavefunction: each SCC starts from the last one."""

    def __init__(self, molecule: Molecule, method: str, keywords: TbliteKeywords, solvent: str | None) -> None:
        from tblite.interface import Calculator

        self._molecule = molecule
        self._keywords = keywords
        self._calculator = Calculator(
            method,
            molecule.numbers,
            molecule.geometry,
            charge=molecule.molecular_charge,
            uhf=molecule.molecular_multiplicity - 1,
        )
        self._calculator.set("verbosity", 0)
        self._calculator.set("accuracy", self._keywords.accuracy)
        self._calculator.set("max-iter", self._keywords.max_iterations)
        if solvent is not None and keywords.solvent_model == "cpcm":
            self._calculator.add("ddX-solvation", solvent, "cpcm")
        elif solvent is not None:
            self._calculator.add(f"{keywords.solvent_model}-solvation", solvent)
        self._last: Any = None

    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        check_geometry(self._molecule.symbols, geometry)
        last, self._last = self._last, None  # what a failure leaves behind is no start for anything
        run = partial(self._run, geometry)
        results, attempts = run_scc("tblite", run, last, self._keywords, ROUTES)
        self._last = results
        homo, lumo = frontier_orbitals(
            results["orbital-energies"], results["orbital-occupations"], self._molecule.molecular_multiplicity
        )
        return Result(
            energy=float(results["energy"]),
            gradient=results["gradient"] if driver == "gradient" else None,
            homo=homo,
            lumo=lumo,
            gap=orbital_gap(homo, lumo),
            dipole=dipole_about_nuclear_charge(
                results["dipole"], self._molecule.molecular_charge, self._molecule.numbers, geometry
            ),
            mulliken_charges=results["charges"],
            n_basis_functions=int(results["norbitals"]),
            scf=attempts,
            device="cpu",
        )

    def _run(self, geometry: np.ndarray, start: Any, step: SccStep) -> Any:
        from tblite.exceptions import TBLiteRuntimeError

        kelvin = step.heat * self._keywords.electronic_temperature_k
        try:
            self._calculator.update(geometry)
            self._calculator.set("temperature", kelvin * HARTREE_PER_KELVIN)
            self._calculator.set("mixer-damping", DAMPING if step.damping is None else step.damping)
            self._calculator.set("mixer-memory", step.memory or self._keywords.max_iterations)
            return self._calculator.singlepoint(start)
        except TBLiteRuntimeError as error:
            if "not converged" in str(error):
                return None
            raise EngineError(f"tblite: {' '.join(str(error).split())}") from error
