"""Energies and gradients of GFN1-xTB, GFN2-xTB and GFN-FF by libxtb, through xtb-python.

libxtb reads OMP_NUM_THREADS and OMP_STACKSIZE when it is loaded, so whoever starts the process sets them
(`qcdriver.execution.local.worker` does).

libxtb 6.5.1 loses terms of the GFN1 and GFN2 gradient between atoms that share a Cartesian coordinate to the last
digits (github.com/grimme-lab/xtb, issue 986, corrected in 2025 by pull request 1208): 0.002 hartree/bohr on the rod
built along z, 0.01 on hydrogen peroxide. So every molecule is computed in an orientation where no two atoms do, and
vectors are turned back.
"""

from __future__ import annotations

from functools import partial
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

from qcdriver.engines.ambient import empty_directory, variables
from qcdriver.engines.base import (
    Calculation,
    Device,
    Driver,
    Progress,
    dipole_about_nuclear_charge,
    orbital_gap,
)
from qcdriver.engines.checks import check_geometry
from qcdriver.engines.denormals import denormals_flushed
from qcdriver.engines.gfn import COOLING, GfnEngine, GfnKeywords, SccStep, frontier_orbitals, run_scc
from qcdriver.errors import EngineError, MissingError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result, StateWarning, WarningCode

ROUTES = (tuple(SccStep(heat) for heat in COOLING),)
"""What is tried after the SCC as it is."""
STRETCHES = (0.001, 0.002, 0.004)
"""By how much a geometry is stretched and pressed about its centre where its gradient overflows (`denormals_flushed`).

That is so over 0.05 % at most. The mean is off by the square of the stretch, 1e-5 hartree/bohr at the first.
"""


class XtbEngine(GfnEngine[GfnKeywords]):
    """xtb-python: the fast one on large clusters; Python below 3.12 only.

    GFN-FF takes the charge, and no spin. It builds its bonds from the geometry a calculation is prepared with
    and keeps them: a new calculation on the last geometry of a long relaxation may have others.
    """

    name: ClassVar[str] = "xtb"
    methods: ClassVar[tuple[str, ...]] = ("GFN1-xTB", "GFN2-xTB", "GFN-FF")
    libraries: ClassVar[tuple[str, ...]] = ("xtb",)
    Keywords = GfnKeywords

    def version(self, device: Device = "cpu") -> str:  # noqa: ARG002
        """Return the version of xtb-python, which brings its libxtb (22.1: 6.5.1)."""
        try:
            return metadata.version("xtb")
        except metadata.PackageNotFoundError:
            raise MissingError(
                "xtb is not installed: pip install xtb (Python 3.11 or older), or use the engine tblite"
            ) from None

    def solvent_model(self, keywords: GfnKeywords) -> str:  # noqa: ARG002
        """Return generalised Born with surface area, all that xtb-python reaches (doi:10.1021/acs.jctc.1c00471)."""
        return "gbsa"

    def start(
        self,
        molecule: Molecule,
        model: Model,
        keywords: GfnKeywords,
        resources: Resources,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> Calculation:
        """Load the parameters; for GFN-FF also build the topology."""
        return _XtbCalculation(molecule, model.method, keywords, self.solvent_word(model.method, keywords))


def _oblique_rotation() -> np.ndarray:
    """Return a rotation that puts no two atoms of a symmetric molecule level with each other, (3, 3)."""
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

    def __init__(self, molecule: Molecule, method: str, keywords: GfnKeywords, solvent: str | None) -> None:
        self._molecule = molecule
        self._rotation = _oblique_rotation()
        self._keywords = keywords
        self._self_consistent = method != "GFN-FF"
        self._calculator = _calculator(molecule, molecule.geometry @ self._rotation, method, solvent)
        if self._self_consistent:
            self._calculator.set_accuracy(self._keywords.accuracy)
            self._calculator.set_max_iterations(self._keywords.max_iterations)
        self._last: Any = None

    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        check_geometry(self._molecule.symbols, geometry)
        last, self._last = self._last, None  # what a failure leaves behind is no start for anything
        run = partial(self._run, geometry @ self._rotation)
        routes = ROUTES if self._self_consistent else ()
        results, attempts = run_scc("xtb", run, last, self._keywords, routes)
        self._last = results
        gradient, warnings = self._gradient(results, geometry) if driver == "gradient" else (None, ())
        dipole = dipole_about_nuclear_charge(
            self._rotation @ results.get_dipole(), self._molecule.molecular_charge, self._molecule.numbers, geometry
        )
        if not self._self_consistent:
            return Result(
                energy=results.get_energy(), gradient=gradient, dipole=dipole, warnings=warnings, device="cpu"
            )
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
            scf=attempts,
            warnings=warnings,
            device="cpu",
        )

    def _gradient(self, results: Any, geometry: np.ndarray) -> tuple[np.ndarray, tuple[StateWarning, ...]]:
        """Return the gradient at a geometry; where it is infinite, the mean of those of a larger and a smaller one."""
        gradient = results.get_gradient()
        centred = geometry - geometry.mean(axis=0)
        for stretch in STRETCHES:
            if np.isfinite(gradient).all() or not np.isfinite(results.get_energy()):
                break
            sides = [
                self._run((geometry + side * stretch * centred) @ self._rotation, results, SccStep())
                for side in (1, -1)
            ]
            if None not in sides and all(np.isfinite(side.get_gradient()).all() for side in sides):
                words = f"the gradient is the mean of two at {100 * stretch:g} % above and below: xtb's own overflows"
                doubt = StateWarning(code=WarningCode.MEAN_GRADIENT, sentence=words)
                return sum(side.get_gradient() for side in sides) / 2 @ self._rotation.T, (doubt,)
        return gradient @ self._rotation.T, ()

    def _run(self, geometry: np.ndarray, start: Any, step: SccStep) -> Any:
        from xtb.interface import XTBException

        try:
            self._calculator.update(geometry)
            if self._self_consistent:
                self._calculator.set_electronic_temperature(step.heat * self._keywords.electronic_temperature_k)
            with denormals_flushed():
                return self._calculator.singlepoint(start)
        except XTBException as error:
            if "did not converge" in str(error):
                return None
            raise EngineError(f"xtb: {' '.join(str(error).split())}") from error


def _calculator(molecule: Molecule, geometry: np.ndarray, method: str, solvent: str | None) -> Any:
    from xtb.interface import Calculator, Param, XTBException
    from xtb.utils import Solvent

    class MutedCalculator(Calculator):  # type: ignore[misc]
        # GFN-FF prints while it loads, before a caller could mute it.
        def _load(self, param: object) -> None:
            self.set_verbosity("muted")
            self.set_output("log")
            super()._load(param)
            self.release_output()

    # GFN-FF writes gfnff_topo and gfnff_adjacency where the process stands, and reads them. All methods take parameters
    # from there, from $XTBPATH, or else from the home folder, before those that libxtb was built with.
    param = {"GFN1-xTB": Param.GFN1xTB, "GFN2-xTB": Param.GFN2xTB, "GFN-FF": Param.GFNFF}[method]
    try:
        with empty_directory() as nothing, variables(XTBPATH=str(nothing), XTBHOME=str(nothing)):
            calculator = MutedCalculator(
                param,
                molecule.numbers,
                geometry,
                charge=molecule.molecular_charge,
                uhf=molecule.molecular_multiplicity - 1,
            )
            if solvent is not None:
                calculator.set_solvent(Solvent[solvent])
            return calculator
    except XTBException as error:
        raise EngineError(f"xtb: {' '.join(str(error).split())}") from error
