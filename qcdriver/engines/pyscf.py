"""Kohn-Sham DFT by PySCF on the CPU, by gpu4pyscf on the GPU: a molecule in, energy and gradient out.

Both packages have the same classes under the same names, so there is one code path: `_dft` alone chooses.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from qcdriver.engines.base import Calculation, Device, Engine, Progress, dipole_about_nuclear_charge, orbital_gap
from qcdriver.engines.basis_sets import BasisSet, load_auxiliary, load_basis_set
from qcdriver.engines.checks import check_geometry, read_keywords
from qcdriver.engines.functionals import check_functional, is_pure
from qcdriver.engines.gpu import gpu4pyscf_version, gpu_missing
from qcdriver.engines.scf_ladder import converge, frontier, host
from qcdriver.errors import EngineError, InputError, MissingError, QcdriverError, ResourceError
from qcdriver.schema import Frozen, Level, Model, Molecule, Resources, Result

if TYPE_CHECKING:
    import numpy as np

DIIS_SPACE = 12
"""Charged metal clusters want a longer memory than PySCF's 8; small molecules do not notice."""
COULOMB_FIT = "def2-universal-jfit"
"""For pure functionals, which then never store a three-index tensor (doi:10.1039/b515623h)."""


class PyscfKeywords(Frozen):
    """Keywords of a DFT calculation.

    Attributes
    ----------
    density_fit
        Fit the Coulomb (and for hybrids the exchange) integrals in an auxiliary basis.
    auxbasis
        Auxiliary basis set; None: `COULOMB_FIT` for a pure functional, PySCF's choice for a hybrid.
    dispersion
        D3 with Becke-Johnson damping (doi:10.1002/jcc.21759) or D4 (doi:10.1063/1.5090222).
    grid_level
        Integration grid, 0 (coarse) to 9; 2 does for scans, 3 for final numbers.
    conv_tol
        Energy change at which the SCF is converged, hartree; the orbital gradient must be below its root.
    init_guess
        First density; `atom` has the right number of electrons with ECPs, `minao` has not.
    max_cycle
        SCF cycles before an attempt of the ladder is a failure.
    scf_ladder
        Which attempts to make, in order; the first must be `diis`.
    """

    density_fit: bool = True
    auxbasis: str | None = None
    dispersion: Literal["d3bj", "d4"] | None = None
    grid_level: int = Field(default=3, ge=0, le=9)
    conv_tol: float = Field(default=1e-8, gt=0, le=1e-3)
    init_guess: Literal["atom", "minao", "huckel", "1e"] = "atom"
    max_cycle: int = Field(default=60, ge=1)
    scf_ladder: tuple[Literal["diis", "level_shift", "smearing", "second_order"], ...] = Field(
        default=("diis", "level_shift", "smearing", "second_order"), min_length=1
    )


class PyscfEngine(Engine):
    """PySCF and gpu4pyscf: RKS for singlets, UKS otherwise; any functional of libxc, any basis set of PySCF."""

    name: ClassVar[str] = "pyscf"
    methods: ClassVar[tuple[str, ...]] = ()
    keywords: ClassVar[type[Frozen]] = PyscfKeywords
    devices: ClassVar[tuple[Device, ...]] = ("cpu", "gpu")

    def missing(self, device: Device = "cpu") -> str | None:
        """Say what is missing; for the GPU this probes it once, in a process of its own."""
        return super().missing(device) or (gpu_missing() if device == "gpu" else None)

    def version(self, device: Device = "cpu") -> str:
        """Give the versions of PySCF, pyscf-dispersion and, on the GPU, gpu4pyscf."""
        try:
            words = [metadata.version("pyscf"), "pyscf-dispersion", metadata.version("pyscf-dispersion")]
        except metadata.PackageNotFoundError as error:
            raise MissingError(f"{error.name} is not installed: pip install pyscf pyscf-dispersion") from None
        if device == "gpu":
            if (gpu4pyscf := gpu4pyscf_version()) is None:
                raise MissingError(gpu_missing() or "gpu4pyscf is not installed")
            words += ["gpu4pyscf", gpu4pyscf]
        return " ".join(words)

    def check(self, molecule: Molecule, level: Level) -> None:
        """Refuse unknown functionals, basis sets and keywords, missing elements, impossible spin, collisions."""
        keywords = read_keywords(self.name, PyscfKeywords, level.keywords)
        if keywords.scf_ladder[0] != "diis":
            raise InputError(f"pyscf keywords: scf_ladder starts with {keywords.scf_ladder[0]!r}, not with 'diis'")
        if keywords.auxbasis is not None:
            if not keywords.density_fit:
                raise InputError(f"density_fit = false, so auxbasis = {keywords.auxbasis!r} has no use")
            load_auxiliary(keywords.auxbasis, molecule.symbols)
        check_functional(level.model.method, keywords.dispersion)
        check_geometry(molecule.symbols, molecule.geometry)
        _refuse_impossible_spin(molecule, _basis_set(molecule, level.model), str(level.model.basis))

    def n_basis_functions(self, molecule: Molecule, model: Model) -> int:
        """Count the basis functions, from the basis set's tables."""
        return _basis_set(molecule, model).n_functions(molecule.symbols)

    def start(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Build the molecule; integrals wait for the first geometry."""
        return _PyscfCalculation(molecule, level, resources, progress)


class _PyscfCalculation(Calculation):
    """Keeps the last density matrix: the SCF of the next geometry starts from it.

    Every geometry gets a new mean field, because PySCF keeps the dispersion energy of the last one.
    """

    def __init__(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> None:
        self._molecule = molecule
        self._method = level.model.method
        self._keywords = read_keywords("pyscf", PyscfKeywords, level.keywords)
        self._resources = resources
        self._progress = progress
        self._mol = _pyscf_molecule(molecule, level.model, resources)
        self._density: np.ndarray | None = None

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        from pyscf import lib

        check_geometry(self._molecule.symbols, geometry)
        try:
            with lib.with_omp_threads(self._resources.threads):
                return self._compute(geometry, driver)
        except QcdriverError:
            raise
        except Exception as error:
            # CuPy's own class, which cannot be named where CuPy is not installed.
            if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
                where = "on the GPU" if self._resources.device == "gpu" else f"({self._resources.memory_mb} MB allowed)"
                raise ResourceError(f"pyscf ran out of memory {where} with {self._mol.nao} basis functions") from error
            raise EngineError(f"pyscf: {type(error).__name__}: {error}") from error

    def _compute(self, geometry: np.ndarray, driver: str) -> Result:
        mol = self._mol.set_geom_(geometry, unit="Bohr", inplace=False)
        start, self._density = self._density, None
        mean_field, attempts = converge(self._mean_field(mol), start, self._keywords.scf_ladder, self._progress)
        self._density = host(mean_field.make_rdm1())
        gradient = None
        if driver == "gradient":
            self._progress("gradient")
            gradient = host(mean_field.nuc_grad_method().kernel())
        homo, lumo = frontier(mean_field.mo_energy, mean_field.mo_occ)
        dipole, charges = _dipole_and_charges(mol, self._density)
        return Result(
            energy=float(mean_field.e_tot),
            gradient=gradient,
            homo=homo,
            lumo=lumo,
            gap=orbital_gap(homo, lumo),
            dipole=dipole_about_nuclear_charge(
                dipole, self._molecule.molecular_charge, self._molecule.numbers, geometry
            ),
            mulliken_charges=charges,
            n_basis_functions=int(mol.nao),
            scf=attempts,
            device=self._resources.device,
        )

    def _mean_field(self, mol: Any) -> Any:
        dft = _dft(self._resources.device)
        mean_field = (dft.RKS if self._molecule.molecular_multiplicity == 1 else dft.UKS)(mol, xc=self._method)
        keywords = self._keywords
        if keywords.density_fit:
            auxbasis = keywords.auxbasis or (COULOMB_FIT if is_pure(self._method) else None)
            mean_field = mean_field.density_fit(auxbasis=auxbasis)
        mean_field.grids.level = keywords.grid_level
        mean_field.conv_tol = keywords.conv_tol
        mean_field.max_cycle = keywords.max_cycle
        mean_field.init_guess = keywords.init_guess
        mean_field.diis_space = DIIS_SPACE
        mean_field.chkfile = None
        if keywords.dispersion is not None:
            mean_field.disp = keywords.dispersion
        return mean_field


def _dft(device: Device) -> Any:
    if device == "gpu":
        from gpu4pyscf import dft
    else:
        from pyscf import dft
    return dft


def _basis_set(molecule: Molecule, model: Model) -> BasisSet:
    if model.basis is None:
        raise InputError(f"method {model.method!r} needs a basis, for instance basis = 'def2-SVP'")
    return load_basis_set(model.basis, molecule.symbols)


def _refuse_impossible_spin(molecule: Molecule, basis_set: BasisSet, basis: str) -> None:
    unpaired = molecule.molecular_multiplicity - 1
    electrons = molecule.n_electrons - basis_set.n_core_electrons(molecule.symbols)
    orbitals = basis_set.n_functions(molecule.symbols)
    if electrons < 1 or unpaired > min(electrons, 2 * orbitals - electrons):
        raise InputError(
            f"{basis!r} leaves {electrons} electrons in {orbitals} orbitals: charge "
            f"{molecule.molecular_charge:+d} with multiplicity {molecule.molecular_multiplicity} is impossible"
        )


def _pyscf_molecule(molecule: Molecule, model: Model, resources: Resources) -> Any:
    from pyscf import gto

    basis_set = _basis_set(molecule, model)
    return gto.M(
        atom=list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis=basis_set.functions,
        ecp=basis_set.potentials,
        charge=molecule.molecular_charge,
        spin=molecule.molecular_multiplicity - 1,
        max_memory=resources.memory_mb,
        verbose=0,
        parse_arg=False,
        dump_input=False,
    )


def _dipole_and_charges(mol: Any, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the dipole about the origin (e*bohr) and the Mulliken charges, on the CPU for both devices."""
    from pyscf.scf import hf

    total = density if density.ndim == 2 else density.sum(axis=0)
    dipole = hf.dip_moment(mol, total, unit="AU", verbose=0)
    return dipole, hf.mulliken_pop(mol, total, verbose=0)[1]
