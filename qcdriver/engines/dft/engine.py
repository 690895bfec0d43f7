"""Kohn-Sham DFT by PySCF on the CPU, by gpu4pyscf on the GPU: a molecule in, energy and gradient out."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qcdriver.engines.base import Calculation, Device, Engine, Progress, dipole_about_nuclear_charge, orbital_gap
from qcdriver.engines.checks import check_geometry, read_keywords
from qcdriver.engines.dft.basis_sets import BasisSet, load_basis_set
from qcdriver.engines.dft.checkpoints import Checkpoint
from qcdriver.engines.dft.device_arrays import host
from qcdriver.engines.dft.first_density import density_in, saved_start
from qcdriver.engines.dft.functionals import check_functional
from qcdriver.engines.dft.gpu import gpu4pyscf_version, gpu_missing, gpus
from qcdriver.engines.dft.gpu_agreement import deviation_from_cpu
from qcdriver.engines.dft.keywords import PyscfKeywords, refuse_contradictions
from qcdriver.engines.dft.mean_field import build_mean_field, coarse, corrected, pays_coarse
from qcdriver.engines.dft.memory_plan import DftPlan, plan_calculation
from qcdriver.engines.dft.properties import (
    atomic_densities,
    dipole_moment,
    frontier,
    hirshfeld_charges,
    mulliken_charges,
    orbitals_around_the_gap,
    spin_square,
)
from qcdriver.engines.dft.scf_ladder import Start, converge, prepare
from qcdriver.engines.dft.scf_strategies import ladder
from qcdriver.engines.dft.stability import descend
from qcdriver.errors import ConvergenceError, EngineError, InputError, MissingError, QcdriverError, ResourceError
from qcdriver.schema import Frozen, Level, Model, Molecule, Resources, Result, ScfAttempt

if TYPE_CHECKING:
    import numpy as np


class PyscfEngine(Engine):
    """PySCF and gpu4pyscf: RKS for singlets, unless asked for UKS; any functional of libxc, any basis set of PySCF."""

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
        check_functional(level.model.method, keywords.dispersion)
        refuse_contradictions(keywords, level.model, molecule.symbols)
        check_geometry(molecule.symbols, molecule.geometry)
        _refuse_impossible_spin(molecule, _basis_set(molecule, level.model), str(level.model.basis))

    def n_basis_functions(self, molecule: Molecule, model: Model) -> int:
        """Count the basis functions, from the basis set's tables."""
        return _basis_set(molecule, model).n_functions(molecule.symbols)

    def start(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Build the molecule; integrals wait for the first geometry. Refuses what the memory cannot hold."""
        plan = self.expect(molecule, level, resources)
        if plan.too_large is not None:
            raise ResourceError(plan.too_large)
        return _PyscfCalculation(molecule, level, resources, plan, progress)

    def expect(self, molecule: Molecule, level: Level, resources: Resources) -> DftPlan:
        """Foretell sizes, memory and time."""
        keywords = read_keywords(self.name, PyscfKeywords, level.keywords)
        on_gpu = resources.device == "gpu"
        if on_gpu and keywords.density_fit == "coulomb":
            # gpu4pyscf 1.9: its energy is an error, and its gradient would fit the exchange after all.
            raise InputError(
                "density_fit = 'coulomb' is not for the GPU; density_fit = false computes Coulomb and exchange exactly"
            )
        gpu_total_mb = max((gpu.total_mb for gpu in gpus()), default=None) if on_gpu else None
        return plan_calculation(molecule, level.model, keywords, resources, gpu_total_mb)


class _PyscfCalculation(Calculation):
    """Keeps the last density matrix: the SCF of the next geometry starts from it.

    Every geometry gets a new mean field, because PySCF keeps the dispersion energy of the last one.
    """

    def __init__(
        self, molecule: Molecule, level: Level, resources: Resources, plan: DftPlan, progress: Progress
    ) -> None:
        self._molecule = molecule
        self._method = level.model.method
        self._keywords = read_keywords("pyscf", PyscfKeywords, level.keywords)
        self._resources = resources
        self._plan = plan
        self._progress = progress
        self._mol = _pyscf_molecule(molecule, level.model, resources)
        self._density: np.ndarray | None = None
        self._guess: tuple[ScfAttempt, ...] = ()

    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        from pyscf import lib

        check_geometry(self._molecule.symbols, geometry)
        try:
            with lib.with_omp_threads(self._resources.threads):
                if self._resources.device == "gpu":
                    deviation_from_cpu()  # before hours are spent on it
                return self._compute(geometry, driver)
        except QcdriverError:
            raise
        except Exception as error:
            if _is_out_of_memory(error):
                where = "on the GPU" if self._resources.device == "gpu" else f"({self._resources.memory_mb} MB allowed)"
                foreseen = self._plan.gpu_memory_mb or self._plan.memory_mb
                raise ResourceError(
                    f"pyscf ran out of memory {where} with {self._mol.nao} basis functions; {foreseen} MB were foreseen"
                ) from error
            raise EngineError(f"pyscf: {type(error).__name__}: {error}") from error

    def _compute(self, geometry: np.ndarray, driver: str) -> Result:
        mol = self._mol.set_geom_(geometry, unit="Bohr", inplace=False)
        mean_field = build_mean_field(mol, self._method, self._keywords, self._resources.device, self._plan)
        checkpoint = Checkpoint(self._resources.checkpoint, mol, self._progress)
        mean_field, attempts, stable = self._converge(mean_field, checkpoint)
        self._density = host(mean_field.make_rdm1())
        gradient = None
        if driver == "gradient":
            self._progress("gradient")
            gradient = host(mean_field.nuc_grad_method().kernel())
        checkpoint.finish(mean_field, self._resources.keep_checkpoint)
        return self._result(mol, mean_field, gradient, attempts, stable)

    def _converge(self, mean_field: Any, checkpoint: Checkpoint) -> tuple[Any, tuple[ScfAttempt, ...], bool | None]:
        """Climb the ladder, on a coarse grid first where that pays, and look for lower states where that is asked."""
        strategies = ladder(self._keywords)
        start = self._start(mean_field.mol)
        before, self._guess = self._guess, ()
        if pays_coarse(mean_field.mol, self._keywords):
            start, attempts = self._converge_coarsely(mean_field, start, checkpoint)
            before += attempts
        try:
            mean_field, attempts = converge(mean_field, start, strategies, self._progress, keep=checkpoint.keep)
        except ConvergenceError as error:
            error.history[:0] = [each.model_dump(mode="json") for each in before]
            raise
        if not self._keywords.stability:
            return mean_field, before + attempts, None
        mean_field, descents, stable = descend(mean_field, self._progress)
        return mean_field, before + attempts + descents, stable

    def _converge_coarsely(
        self, mean_field: Any, start: Start | None, checkpoint: Checkpoint
    ) -> tuple[Start | None, tuple[ScfAttempt, ...]]:
        """Give the density of the coarse grid, and what was tried; the start itself where that failed."""
        strategies = ladder(self._keywords)
        attempts: tuple[ScfAttempt, ...] = ()
        rough = coarse(mean_field)
        try:
            start, attempts = prepare(rough, start, strategies, self._progress, "coarse grid", checkpoint.keep)
            if self._resources.device == "cpu":
                shifted, title = corrected(rough, mean_field, start.density), "coarse grid, corrected"
                start, more = prepare(shifted, start, strategies, self._progress, title, checkpoint.keep)
                attempts += more
        except ConvergenceError as error:  # the fine grid has the last word
            attempts += tuple(ScfAttempt.model_validate(each) for each in error.history)
        return start, attempts

    def _start(self, mol: Any) -> Start | None:
        """Find the nearest density: of the last geometry, of a killed run, of a neighbour, of a smaller basis set."""
        if self._density is not None:
            last, self._density = self._density, None
            return Start(last, "the last geometry")
        saved = saved_start(mol, self._resources, self._progress)
        if saved is None and self._keywords.guess_basis is not None:
            return Start(self._density_of_guess_basis(mol), self._keywords.guess_basis)
        return saved

    def _density_of_guess_basis(self, mol: Any) -> Any:
        basis = self._keywords.guess_basis
        model = Model(method=self._method, basis=basis)
        small = _pyscf_molecule(self._molecule.moved(mol.atom_coords(unit="Bohr")), model, self._resources)
        plan = plan_calculation(self._molecule, model, self._keywords, self._resources)
        mean_field = coarse(build_mean_field(small, self._method, self._keywords, self._resources.device, plan))
        mean_field, self._guess = converge(mean_field, None, ladder(self._keywords), self._progress, f"{basis}: ")
        return density_in(mol, small, host(mean_field.mo_coeff), host(mean_field.mo_occ))

    def _result(
        self, mol: Any, mean_field: Any, gradient: Any, attempts: tuple[ScfAttempt, ...], stable: bool | None
    ) -> Result:
        molecule, density = self._molecule, self._density
        assert density is not None
        geometry = mol.atom_coords(unit="Bohr")
        homo, lumo = frontier(mean_field.mo_energy, mean_field.mo_occ)
        return Result(
            energy=float(mean_field.e_tot),
            entropy_term=mean_field.entropy_term,
            gradient=gradient,
            homo=homo,
            lumo=lumo,
            gap=orbital_gap(homo, lumo),
            spin_square=spin_square(mean_field),
            stable=stable,
            dipole=dipole_about_nuclear_charge(
                dipole_moment(mol, density), molecule.molecular_charge, molecule.numbers, geometry
            ),
            mulliken_charges=mulliken_charges(mol, density),
            hirshfeld_charges=hirshfeld_charges(mol, density, atomic_densities(mol)),
            orbitals=orbitals_around_the_gap(mean_field.mo_energy, mean_field.mo_occ, homo, lumo),
            n_basis_functions=int(mol.nao),
            scf=attempts,
            device=self._resources.device,
            gpu_deviation=deviation_from_cpu() if self._resources.device == "gpu" else None,
        )


def _is_out_of_memory(error: Exception) -> bool:
    """Tell too little memory from other failures, CUDA's too: gpu4pyscf asks it, not CuPy's pool, for large arrays."""
    words = str(error)
    return isinstance(error, MemoryError) or "cudaErrorMemoryAllocation" in words or "_STATUS_ALLOC_FAILED" in words


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
