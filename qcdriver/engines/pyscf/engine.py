"""Energies and gradients of Kohn-Sham DFT, by PySCF on the CPU and gpu4pyscf on the GPU."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import ValidationError

from qcdriver.engines import references
from qcdriver.engines.base import (
    Calculation,
    Device,
    Driver,
    Engine,
    Gpu,
    GpuEstimate,
    OrbitalForm,
    Progress,
    dipole_about_nuclear_charge,
    orbital_gap,
)
from qcdriver.engines.checks import check_geometry
from qcdriver.engines.gate import CAVITY_NOISE, Limits
from qcdriver.engines.pyscf.basis_sets import BasisSet, load_basis_set
from qcdriver.engines.pyscf.checkpoints import Checkpoint
from qcdriver.engines.pyscf.device_arrays import host
from qcdriver.engines.pyscf.estimate import DftNeeds, estimate_needs, fit_within
from qcdriver.engines.pyscf.excitation_needs import estimate_excitation_needs, refuse_excitations
from qcdriver.engines.pyscf.excited_states import excited_states
from qcdriver.engines.pyscf.first_density import density_in, saved_start
from qcdriver.engines.pyscf.functionals import check_functional
from qcdriver.engines.pyscf.gpu import choose_device, gpu4pyscf_version, gpu_missing, gpus
from qcdriver.engines.pyscf.gpu_agreement import deviation_from_cpu
from qcdriver.engines.pyscf.gpu_cards import card_named
from qcdriver.engines.pyscf.gpu_time import estimate_on_gpu
from qcdriver.engines.pyscf.hirshfeld import hirshfeld_charges
from qcdriver.engines.pyscf.keywords import PyscfKeywords, refuse_contradictions
from qcdriver.engines.pyscf.loading import load_pyscf
from qcdriver.engines.pyscf.mean_field import PCM_NAMES, build_mean_field, coarse, corrected, pays_coarse
from qcdriver.engines.pyscf.nuclear_gradient import nuclear_gradient
from qcdriver.engines.pyscf.out_of_memory import HELP, is_out_of_memory
from qcdriver.engines.pyscf.properties import (
    dipole_moment,
    frontier,
    mulliken_charges,
    orbitals_around_the_gap,
    spin_square,
    write_frontier_cubes,
    write_molden,
)
from qcdriver.engines.pyscf.scf_ladder import Start, converge, prepare
from qcdriver.engines.pyscf.scf_strategies import ladder
from qcdriver.engines.pyscf.stability import descend
from qcdriver.engines.references import Reference
from qcdriver.errors import ConvergenceError, EngineError, InputError, MissingError, QcdriverError, ResourceError
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ExcitedStates, Result, ScfAttempt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


T = TypeVar("T")

GRID_NOISE = (0.1, 0.02, 0.005)
"""Net force that the integration grid leaves, hartree/bohr, at levels 0, 1, and 2 or more: ten times or more what AuCl
with PH3 and H2O2 have."""


class PyscfEngine(Engine[PyscfKeywords]):
    """PySCF and gpu4pyscf: RKS for singlets, unless asked for UKS; any functional of libxc, any basis set of PySCF."""

    name: ClassVar[str] = "pyscf"
    methods: ClassVar[tuple[str, ...]] = ()
    Keywords = PyscfKeywords
    devices: tuple[Device, ...] = ("cpu", "gpu")
    fills_machine: bool = True
    excitations: ClassVar[tuple[str, ...]] = ("tda", "tddft")
    libraries: ClassVar[tuple[str, ...]] = (
        "pyscf",
        "pyscf-dispersion",
        "gpu4pyscf-cuda12x",
        "gpu4pyscf-cuda13x",
        "cupy-cuda12x",
        "cupy-cuda13x",
    )

    def missing(self, device: Device = "cpu") -> str | None:
        """Return what is missing; for the GPU this probes it once, in a process of its own."""
        return super().missing(device) or (gpu_missing() if device == "gpu" else None)

    def version(self, device: Device = "cpu") -> str:
        """Return the versions of PySCF, pyscf-dispersion and, on the GPU, gpu4pyscf."""
        try:
            words = [metadata.version("pyscf"), "pyscf-dispersion", metadata.version("pyscf-dispersion")]
        except metadata.PackageNotFoundError as error:
            raise MissingError(f"{error.name} is not installed: pip install pyscf pyscf-dispersion") from None
        if device == "gpu":
            if (gpu4pyscf := gpu4pyscf_version()) is None:
                raise MissingError(gpu_missing() or "gpu4pyscf is not installed")
            words += ["gpu4pyscf", gpu4pyscf]
        return " ".join(words)

    def choose_device(self, requested: Literal["auto", "cpu", "gpu"]) -> tuple[Device, str]:
        """Choose the GPU where one is usable, unless the CPU is asked for."""
        return choose_device(requested)

    def hardware(self) -> tuple[Gpu, ...]:
        """Return the GPUs that gpu4pyscf can use here."""
        return gpus()

    def check(self, molecule: Molecule, model: Model, keywords: PyscfKeywords, driver: Driver = "energy") -> None:
        """Refuse unknown functionals, basis sets and keywords, missing elements, impossible spin, collisions."""
        load_pyscf()
        check_functional(model.method, keywords.dispersion)
        refuse_contradictions(keywords, model, molecule.symbols)
        if driver == "gradient" and keywords.grid_level == 0:
            # Hydrogen peroxide: 0.012 hartree/bohr of net force, and no relaxation converges.
            raise InputError("forces need grid_level = 1 or more: those of level 0 are too rough")
        check_geometry(molecule.symbols, molecule.geometry)
        _refuse_impossible_spin(molecule, _basis_set(molecule, model), str(model.basis))

    def limits(self, molecule: Molecule, model: Model, keywords: PyscfKeywords) -> Limits:
        """Hold net forces to what a grid and a cavity leave that turn with no molecule."""
        noise = GRID_NOISE[min(keywords.grid_level, 2)] + (0.0 if keywords.solvent is None else CAVITY_NOISE)
        return replace(super().limits(molecule, model, keywords), force_noise=noise)

    def settle(self, molecule: Molecule, model: Model, keywords: PyscfKeywords, memory_mb: int) -> PyscfKeywords:
        """Choose between fitted and exact exchange."""
        if keywords.density_fit != "auto":
            return keywords
        load_pyscf()
        return keywords.model_copy(update={"density_fit": fit_within(molecule, model, keywords, memory_mb)})

    def estimate(self, molecule: Molecule, model: Model, keywords: PyscfKeywords, resources: Resources) -> DftNeeds:
        """Return sizes, memory and time."""
        load_pyscf()
        return estimate_needs(molecule, model, keywords, resources, self._gpu_total_mb(resources))

    def _gpu_total_mb(self, resources: Resources) -> int | None:
        return max((gpu.total_mb for gpu in gpus()), default=None) if resources.device == "gpu" else None

    def check_excitations(
        self, molecule: Molecule, model: Model, keywords: PyscfKeywords, request: ExcitationRequest
    ) -> None:
        """Refuse also open shells, broken occupations, functionals without response, and too many states."""
        super().check_excitations(molecule, model, keywords, request)
        refuse_excitations(molecule, model, keywords, request)

    def estimate_excitations(
        self,
        molecule: Molecule,
        model: Model,
        keywords: PyscfKeywords,
        request: ExcitationRequest,
        resources: Resources,
    ) -> DftNeeds:
        """Return sizes, memory and time, the ground state included."""
        load_pyscf()
        return estimate_excitation_needs(molecule, model, keywords, request, resources, self._gpu_total_mb(resources))

    def gpu_named(self, words: str) -> Gpu:
        """Return the GPU of a name in `gpu_cards`, or of so many GiB."""
        return card_named(words)

    def estimate_on_gpu(
        self, molecule: Molecule, model: Model, keywords: PyscfKeywords, resources: Resources, gpu: Gpu
    ) -> GpuEstimate:
        """Return memory and time, from published speeds and from cycles counted in kept runs."""
        return estimate_on_gpu(molecule, model, keywords, resources, gpu)

    def start(
        self, molecule: Molecule, model: Model, keywords: PyscfKeywords, resources: Resources, progress: Progress
    ) -> Calculation:
        """Build the molecule; integrals wait for the first geometry. Refuses what the memory cannot hold."""
        needs = self.estimate(molecule, model, keywords, resources)
        if needs.too_large is not None:
            raise ResourceError(needs.too_large)
        return _PyscfCalculation(molecule, model, keywords, resources, needs, progress)

    def title(self, model: Model, keywords: PyscfKeywords) -> str:
        """Return functional, dispersion, basis, how exchange is computed where there is a choice, solvent, engine."""
        name = model.method
        if keywords.dispersion is not None:
            name += {"d3bj": "-D3(BJ)", "d4": "-D4"}[keywords.dispersion]
        if model.basis:
            name += f"/{model.basis}"
        if keywords.density_fit == "coulomb":
            name += ", exact exchange"
        if keywords.solvent is not None:
            name += f", {PCM_NAMES.get(keywords.solvent_model, 'SMD')}({keywords.solvent})"
        return f"{name} ({self.name})"

    def references(self, model: Model, keywords: PyscfKeywords) -> tuple[Reference, ...]:
        """Return articles on PySCF, Libxc, functional, dispersion, basis set, fitting and the solvent's model."""
        found = [references.PYSCF, references.LIBXC, *references.functional(model.method)]
        found += references.DISPERSION.get(keywords.dispersion or "", ())
        found += references.basis_set(model.basis or "")
        fitted = references.FITTING.get(keywords.auxiliary_basis(model.method) or "")
        solvent = references.SOLVENT_MODELS[keywords.solvent_model] if keywords.solvent else None
        return tuple(one for one in (*found, fitted, solvent) if one is not None)

    def write_orbitals(self, checkpoint: Path, stem: Path, form: OrbitalForm) -> list[Path]:
        """Write HOMO and LUMO as cube files, or all orbitals as a Molden file; of an open shell, of either spin."""
        load_pyscf()
        return write_frontier_cubes(checkpoint, stem) if form == "cube" else [write_molden(checkpoint, stem)]


class _PyscfCalculation(Calculation):
    """Keeps the last density matrix: the SCF of the next geometry starts from it.

    Every geometry gets a new mean field, because PySCF keeps the dispersion energy of the last one.
    """

    def __init__(
        self,
        molecule: Molecule,
        model: Model,
        keywords: PyscfKeywords,
        resources: Resources,
        needs: DftNeeds,
        progress: Progress,
    ) -> None:
        self._molecule = molecule
        self._method = model.method
        self._keywords = keywords
        self._resources = resources
        self._needs = needs
        self._progress = progress
        self._mol = _pyscf_molecule(molecule, model, resources)
        self._density: np.ndarray | None = None
        self._guess: tuple[ScfAttempt, ...] = ()

    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        return self._one_line(lambda: self._compute(geometry, driver), geometry)

    def excite(self, geometry: np.ndarray, request: ExcitationRequest) -> ExcitedStates:
        return self._one_line(lambda: self._excite(geometry, request), geometry)

    def _one_line(self, work: Callable[[], T], geometry: np.ndarray) -> T:
        """Do a piece of work at a geometry; whatever breaks is told in one line."""
        from pyscf import lib

        check_geometry(self._molecule.symbols, geometry)
        try:
            with lib.with_omp_threads(self._resources.threads):
                if self._resources.device == "gpu":
                    deviation_from_cpu()  # before hours are spent on it
                return work()
        except (QcdriverError, ValidationError):
            raise
        except Exception as error:
            if is_out_of_memory(error):
                where = "on the GPU" if self._resources.device == "gpu" else f"({self._resources.memory_mb} MB allowed)"
                foreseen = self._needs.gpu_memory_mb or self._needs.memory_mb
                remedy = f"; what would help: {HELP}" if self._resources.device == "gpu" else ""
                raise ResourceError(
                    f"pyscf ran out of memory {where} with {self._mol.nao} basis functions; {foreseen} MB were "
                    f"foreseen{remedy}"
                ) from error
            raise EngineError(f"pyscf: {type(error).__name__}: {error}") from error

    def _compute(self, geometry: np.ndarray, driver: str) -> Result:
        checkpoint, mean_field, attempts, stable = self._ground_state(geometry)
        gradient = None
        if driver == "gradient":
            self._progress("gradient")
            gradient = nuclear_gradient(mean_field, self._resources.device, self._progress)
        checkpoint.finish(mean_field, self._resources.keep_checkpoint)
        return self._result(mean_field.mol, mean_field, gradient, attempts, stable)

    def _excite(self, geometry: np.ndarray, request: ExcitationRequest) -> ExcitedStates:
        checkpoint, mean_field, attempts, stable = self._ground_state(geometry)
        checkpoint.finish(mean_field, self._resources.keep_checkpoint)
        if mean_field.istype("UHF"):
            raise ConvergenceError("the closed shell is not stable, and parted spins have no excited singlets")
        result = self._result(mean_field.mol, mean_field, None, attempts, stable)
        states, n_unconverged, doubts = excited_states(mean_field, self._keywords, request, self._progress)
        result = result.model_copy(update={"warnings": result.warnings + doubts})
        return ExcitedStates(states=states, n_unconverged=n_unconverged, result=result)

    def _ground_state(self, geometry: np.ndarray) -> tuple[Checkpoint, Any, tuple[ScfAttempt, ...], bool | None]:
        mol = self._mol.set_geom_(geometry, unit="Bohr", inplace=False)
        mean_field = build_mean_field(mol, self._method, self._keywords, self._resources.device, self._needs)
        checkpoint = Checkpoint(self._resources.checkpoint, mol, self._progress)
        mean_field, attempts, stable = self._converge(mean_field, checkpoint)
        self._density = host(mean_field.make_rdm1())
        return checkpoint, mean_field, attempts, stable

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
            error.history[:0] = [attempt.model_dump(mode="json") for attempt in before]
            raise
        mol = mean_field.mol
        if not self._keywords.stability:
            return mean_field, before + attempts, None
        mean_field, descents, stable = descend(mean_field, lambda: self._with_parted_spins(mol), self._progress)
        return mean_field, before + attempts + descents, stable

    def _with_parted_spins(self, mol: Any) -> Any:
        keywords = self._keywords.model_copy(update={"unrestricted": True})
        return build_mean_field(mol, self._method, keywords, self._resources.device, self._needs)

    def _converge_coarsely(
        self, mean_field: Any, start: Start | None, checkpoint: Checkpoint
    ) -> tuple[Start | None, tuple[ScfAttempt, ...]]:
        """Return the density of the coarse grid and the attempts; where they failed, the start itself."""
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
            attempts += tuple(ScfAttempt.model_validate(attempt) for attempt in error.history)
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
        needs = estimate_needs(self._molecule, model, self._keywords, self._resources)
        mean_field = coarse(build_mean_field(small, self._method, self._keywords, self._resources.device, needs))
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
            hirshfeld_charges=hirshfeld_charges(mean_field),
            orbitals=orbitals_around_the_gap(mean_field.mo_energy, mean_field.mo_occ, homo, lumo),
            n_basis_functions=int(mol.nao),
            scf=attempts,
            device=self._resources.device,
            gpu_deviation=deviation_from_cpu() if self._resources.device == "gpu" else None,
        )


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
