"""GFN1-xTB, GFN2-xTB and GFN-FF by libxtb, through xtb-python: a molecule in, energy and gradient out.

libxtb reads OMP_NUM_THREADS and OMP_STACKSIZE when it is loaded, so whoever starts the process sets them
(`qcdriver.execution.worker` does).

libxtb 6.5.1 loses terms of the GFN1 and GFN2 gradient between atoms that share a Cartesian coordinate to the last
digits (github.com/grimme-lab/xtb, issue 986, corrected in 2025 by pull request 1208): 0.002 hartree/bohr on the rod
built along z, 0.01 on hydrogen peroxide. So every molecule is computed in an orientation where no two atoms do, and
vectors are turned back.
"""

from __future__ import annotations

import contextlib
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from qcdriver.engines.base import Calculation, Device, Engine, Progress, dipole_about_nuclear_charge, orbital_gap
from qcdriver.engines.checks import check_geometry, read_keywords
from qcdriver.engines.gfn import N_ORBITALS, GfnKeywords, check_gfn, frontier_orbitals, n_orbitals, run_scc
from qcdriver.errors import EngineError, MissingError
from qcdriver.schema import Frozen, Level, Model, Molecule, Resources, Result

if TYPE_CHECKING:
    from collections.abc import Iterator


class XtbEngine(Engine):
    """xtb-python: the fast one on large clusters; Python below 3.12 only.

    GFN-FF takes the charge, and no spin. It builds its bonds from the geometry a calculation is prepared with
    and keeps them: a new calculation on the last geometry of a long relaxation may have others.
    """

    name: ClassVar[str] = "xtb"
    methods: ClassVar[tuple[str, ...]] = ("GFN1-xTB", "GFN2-xTB", "GFN-FF")
    keywords: ClassVar[type[Frozen]] = GfnKeywords

    def version(self, device: Device = "cpu") -> str:  # noqa: ARG002
        """Give the version of xtb-python, which brings its libxtb (22.1: 6.5.1)."""
        try:
            return metadata.version("xtb")
        except metadata.PackageNotFoundError:
            raise MissingError(
                "xtb is not installed: pip install xtb (Python 3.11 or older), or use the engine tblite"
            ) from None

    def check(self, molecule: Molecule, level: Level) -> None:
        """Refuse unknown methods, keywords and elements, a basis, impossible spin, and colliding atoms."""
        check_gfn(self.name, self.methods, molecule, level)

    def n_basis_functions(self, molecule: Molecule, model: Model) -> int | None:
        """Count the basis functions of the method's own minimal basis."""
        method = model.method
        return n_orbitals(molecule, method) if method in N_ORBITALS else None

    def start(
        self,
        molecule: Molecule,
        level: Level,
        resources: Resources,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> Calculation:
        """Load the parameters; for GFN-FF also build the topology."""
        return _XtbCalculation(molecule, level)


def _oblique_rotation() -> np.ndarray:
    """Give a rotation that puts no two atoms of a symmetric molecule level with each other, (3, 3)."""
    rotation = np.eye(3)
    for axis, angle in enumerate((0.7, 1.1, 1.9)):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        rotation = turn @ rotation
    return rotation


class _XtbCalculation(Calculation):
    """Keeps the wavefunction: each SCC starts from the last one."""

    def __init__(self, molecule: Molecule, level: Level) -> None:
        self._molecule = molecule
        self._rotation = _oblique_rotation()
        self._keywords = read_keywords("xtb", GfnKeywords, level.keywords)
        self._self_consistent = level.model.method != "GFN-FF"
        self._calculator = _calculator(molecule, molecule.geometry @ self._rotation, level.model.method)
        if self._self_consistent:
            self._calculator.set_accuracy(self._keywords.accuracy)
            self._calculator.set_electronic_temperature(self._keywords.electronic_temperature_k)
            self._calculator.set_max_iterations(self._keywords.max_iterations)
        self._last: Any = None

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        check_geometry(self._molecule.symbols, geometry)
        last, self._last = self._last, None  # what a failure leaves behind is no start for anything
        run = partial(self._run, geometry @ self._rotation)
        self._last = results = run_scc("xtb", run, last, self._keywords.max_iterations)
        gradient = results.get_gradient() @ self._rotation.T if driver == "gradient" else None
        if not np.isfinite(results.get_energy()):
            raise EngineError("xtb gave an energy that is not a number")
        dipole = dipole_about_nuclear_charge(
            self._rotation @ results.get_dipole(), self._molecule.molecular_charge, self._molecule.numbers, geometry
        )
        if not self._self_consistent:
            return Result(energy=results.get_energy(), gradient=gradient, dipole=dipole, device="cpu")
        homo, lumo = frontier_orbitals(
            results.get_orbital_eigenvalues(),
            results.get_orbital_occupations(),
            self._molecule.molecular_multiplicity,
        )
        return Result(
            energy=results.get_energy(),
            gradient=gradient,
            homo=homo,
            lumo=lumo,
            gap=orbital_gap(homo, lumo),
            dipole=dipole,
            mulliken_charges=results.get_charges(),
            n_basis_functions=results.get_number_of_orbitals(),
            device="cpu",
        )

    def _run(self, geometry: np.ndarray, start: Any) -> Any:
        from xtb.interface import XTBException

        try:
            self._calculator.update(geometry)
            return self._calculator.singlepoint(start)
        except XTBException as error:
            if "did not converge" in str(error):
                return None
            raise EngineError(f"xtb: {' '.join(str(error).split())}") from error


def _calculator(molecule: Molecule, geometry: np.ndarray, method: str) -> Any:
    from xtb.interface import Calculator, Param, XTBException

    class MutedCalculator(Calculator):  # type: ignore[misc]
        # GFN-FF prints while it loads, before a caller could mute it.
        def _load(self, param: object) -> None:
            self.set_verbosity("muted")
            with _no_litter() as log:
                self.set_output(str(log))
                super()._load(param)
                self.release_output()

    param = {"GFN1-xTB": Param.GFN1xTB, "GFN2-xTB": Param.GFN2xTB, "GFN-FF": Param.GFNFF}[method]
    try:
        return MutedCalculator(
            param,
            molecule.numbers,
            geometry,
            charge=molecule.molecular_charge,
            uhf=molecule.molecular_multiplicity - 1,
        )
    except XTBException as error:
        raise EngineError(f"xtb: {' '.join(str(error).split())}") from error


@contextlib.contextmanager
def _no_litter() -> Iterator[Path]:
    """Stand in an empty directory: GFN-FF writes gfnff_topo and gfnff_adjacency where the process stands."""
    with tempfile.TemporaryDirectory(prefix="qcdriver-xtb-") as scratch, contextlib.chdir(scratch):
        yield Path(scratch, "log")
