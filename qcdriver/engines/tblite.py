"""GFN1-xTB and GFN2-xTB by tblite: a molecule in, energy and gradient out.

tblite reads OMP_NUM_THREADS when it is loaded: whoever starts the process sets it (`qcdriver.execution.worker` does).
"""

from __future__ import annotations

from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qcdriver.engines.base import Calculation, Device, Engine, Progress, dipole_about_nuclear_charge, orbital_gap
from qcdriver.engines.checks import check_geometry, read_keywords
from qcdriver.engines.gfn import GfnKeywords, check_gfn, frontier_orbitals, n_orbitals, run_scc
from qcdriver.errors import EngineError, MissingError
from qcdriver.schema import Frozen, Level, Model, Molecule, Resources, Result

if TYPE_CHECKING:
    import numpy as np

HARTREE_PER_KELVIN = 3.166808578545117e-6
"""tblite's own factor, so that 300 K here is 300 K there."""


class TbliteEngine(Engine):
    """tblite: where xtb-python has no wheel. Its numbers differ from libxtb's, by 1e-6 hartree an atom."""

    name: ClassVar[str] = "tblite"
    methods: ClassVar[tuple[str, ...]] = ("GFN1-xTB", "GFN2-xTB")
    keywords: ClassVar[type[Frozen]] = GfnKeywords

    def version(self, device: Device = "cpu") -> str:  # noqa: ARG002
        """Give the version of tblite."""
        try:
            return metadata.version("tblite")
        except metadata.PackageNotFoundError:
            raise MissingError("tblite is not installed: pip install tblite") from None

    def check(self, molecule: Molecule, level: Level) -> None:
        """Refuse unknown methods, keywords and elements, a basis, impossible spin, and colliding atoms."""
        check_gfn(self.name, self.methods, molecule, level)

    def n_basis_functions(self, molecule: Molecule, model: Model) -> int:
        """Count the basis functions of the method's own minimal basis."""
        return n_orbitals(molecule, model.method)

    def start(
        self,
        molecule: Molecule,
        level: Level,
        resources: Resources,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> Calculation:
        """Load the parameters."""
        return _TbliteCalculation(molecule, level)


class _TbliteCalculation(Calculation):
    """Keeps the wavefunction: each SCC starts from the last one."""

    def __init__(self, molecule: Molecule, level: Level) -> None:
        from tblite.interface import Calculator

        self._molecule = molecule
        self._keywords = read_keywords("tblite", GfnKeywords, level.keywords)
        self._calculator = Calculator(
            level.model.method,
            molecule.numbers,
            molecule.geometry,
            charge=molecule.molecular_charge,
            uhf=molecule.molecular_multiplicity - 1,
        )
        self._calculator.set("verbosity", 0)
        self._calculator.set("accuracy", self._keywords.accuracy)
        self._calculator.set("temperature", self._keywords.electronic_temperature_k * HARTREE_PER_KELVIN)
        self._calculator.set("max-iter", self._keywords.max_iterations)
        self._last: Any = None

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        check_geometry(self._molecule.symbols, geometry)
        last, self._last = self._last, None  # what a failure leaves behind is no start for anything
        run = partial(self._run, geometry)
        self._last = results = run_scc("tblite", run, last, self._keywords.max_iterations)
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
            device="cpu",
        )

    def _run(self, geometry: np.ndarray, start: Any) -> Any:
        from tblite.exceptions import TBLiteRuntimeError

        try:
            self._calculator.update(geometry)
            return self._calculator.singlepoint(start)
        except TBLiteRuntimeError as error:
            if "not converged" in str(error):
                return None
            raise EngineError(f"tblite: {' '.join(str(error).split())}") from error
