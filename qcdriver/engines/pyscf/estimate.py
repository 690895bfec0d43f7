"""Estimate what a DFT calculation will need, from tables alone: sizes, memory, time per SCF cycle.

The model of host memory was fitted to measured peaks (`tests/benchmarks/memory.py` prints prediction against peak);
that of the GPU is an estimate, `gpu_estimate`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from qcdriver.engines.base import Needs
from qcdriver.engines.pyscf.basis_sets import load_auxiliary, load_basis_set
from qcdriver.engines.pyscf.diis_memory import LENGTH
from qcdriver.engines.pyscf.functionals import check_functional, is_meta, is_range_separated
from qcdriver.engines.pyscf.gpu_estimate import CAVITY_MATRICES, MB, gpu_memory
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.units import duration

if TYPE_CHECKING:
    from qcdriver.engines.pyscf.keywords import PyscfKeywords

PROCESS_MB = 120
"""Python with PySCF, libxc and the dispersion libraries loaded, before any work."""
XC_BLOCK_MB = 64
"""Orbital values on one block of grid points: what stays in the caches is up to 1.5 times faster than PySCF's 2 GB."""
FIT_BUFFER_MB = 256
"""Integrals on their way into the stored tensor."""
METRICS = 2
"""Matrices of auxiliary-basis size held at once: the Coulomb metric and its Cholesky factor."""
MATRICES = 20
"""Matrices of the basis' size held at the peak, beside those that DIIS and its memory keep."""
XC_BLOCKS = 1.4
"""Blocks held at a time: orbital values, and their products with density and potential."""
GRID_BYTES = 100
"""Bytes a grid point: coordinates, weights, masks, and what building them takes."""
CAVITY_SCALE = 1.2
"""Of the van der Waals radii, for PCM; as PySCF has it, like the next."""
CAVITY_POINTS = {"PCM": 302, "SMD": 590}
"""Points on the sphere of an atom, before those inside its neighbours are left out."""
GFLOPS_PER_THREAD = 45
"""Speed reached in an SCF cycle on a core of 2024, from which time is estimated, to a factor of two."""


class DftNeeds(Needs):
    """What one calculation needs.

    `tensor_mb` is the size of the three-index tensor of density fitting; `stores_tensor` whether it is kept (on the
    CPU for speed where it fits; for fitted exchange always). `stores_cavity`: whether the matrices of a solvent's
    cavity are; on a GPU they may not fit.
    """

    n_basis_functions: int
    n_auxiliary_functions: int | None
    n_grid_points: int
    n_cavity_points: int
    tensor_mb: int | None
    stores_tensor: bool
    stores_cavity: bool = True
    memory_mb: int
    cycle_s: float

    def lines(self) -> list[str]:
        """Return the lines that a person reads."""
        fit = f", {self.n_auxiliary_functions} auxiliary functions" if self.n_auxiliary_functions else ""
        kept = "kept in memory" if self.stores_tensor else "not stored"
        tensor = f"three-index tensor {self.tensor_mb} MB, {kept}; " if self.tensor_mb else ""
        gpu = f", about {self.gpu_memory_mb} MB on the GPU" if self.gpu_memory_mb else ""
        cavity = f", {self.n_cavity_points} points of the solvent's cavity" if self.n_cavity_points else ""
        cycle = f"{self.cycle_s:.2g} s" if self.cycle_s < 10 else duration(self.cycle_s)
        lines = [
            f"{self.n_basis_functions} basis functions{fit}, {self.n_grid_points} grid points{cavity}",
            f"{tensor}memory about {self.memory_mb} MB{gpu}; an SCF cycle about {cycle} on the CPU",
        ]
        return lines if self.too_large is None else [*lines, f"does not fit: {self.too_large}"]


def estimate_needs(
    molecule: Molecule, model: Model, keywords: PyscfKeywords, resources: Resources, gpu_total_mb: int | None = None
) -> DftNeeds:
    """Estimate sizes, memory and time of one single point; computes nothing.

    Raises
    ------
    InputError
        A basis set does not exist or lacks an element.
    """
    basis = load_basis_set(str(model.basis), molecule.symbols)
    n_basis = basis.n_functions(molecule.symbols)
    auxiliary = keywords.auxiliary_basis(model.method)
    n_auxiliary = None
    if auxiliary is not None:
        n_auxiliary = load_auxiliary(auxiliary, molecule.symbols).n_functions(molecule.symbols)
    n_points = count_grid_points(molecule, keywords.grid_level)
    n_cavity = count_cavity_points(molecule, keywords)
    cavity = CAVITY_MATRICES * n_cavity**2 * 8 / MB
    closed = molecule.molecular_multiplicity == 1 and not keywords.unrestricted and not keywords.stability
    spins = 1 if closed else 2
    exchange = keywords.fits_exchange(model.method)
    tensor = _tensor_mb(n_basis, n_auxiliary, exchange and is_range_separated(model.method))
    settled = PROCESS_MB + spins * (MATRICES + 2 * keywords.diis_space + 2 * LENGTH) * n_basis**2 * 8 / MB
    passing = XC_BLOCKS * min(XC_BLOCK_MB, 4 * 8 * n_points * n_basis / MB) + n_points * GRID_BYTES / MB
    settled += cavity
    small = settled + passing + METRICS * (n_auxiliary or 0) ** 2 * 8 / MB
    with_tensor = settled + tensor + max(passing, _buffers_mb(n_basis, n_auxiliary or 0, tensor, exchange))
    on_gpu = resources.device == "gpu"
    stores = exchange or (n_auxiliary is not None and not on_gpu and with_tensor <= resources.memory_mb)
    n_potentials = sum(basis.n_core_electrons([symbol]) > 0 for symbol in molecule.symbols)
    gpu = gpu_memory(
        n_basis, n_auxiliary or 0, n_points, n_cavity, n_potentials, spins, tensor * exchange, gpu_total_mb
    )
    needs = DftNeeds(
        n_basis_functions=n_basis,
        n_auxiliary_functions=n_auxiliary,
        n_grid_points=n_points,
        n_cavity_points=n_cavity,
        tensor_mb=tensor or None,
        stores_tensor=stores,
        stores_cavity=gpu.stores_cavity if on_gpu else True,
        memory_mb=round(gpu.host_mb if on_gpu else with_tensor if stores else small),
        gpu_memory_mb=round(gpu.gpu_mb) if on_gpu else None,
        cycle_s=_cycle_s(
            n_basis, n_auxiliary, n_points, n_cavity, spins, stores, is_meta(model.method), resources.threads
        ),
    )
    return needs.model_copy(update={"too_large": _too_large(needs, resources, exchange, round(cavity), gpu_total_mb)})


def _too_large(
    needs: DftNeeds, resources: Resources, exchange: bool, cavity_mb: int, gpu_total_mb: int | None
) -> str | None:
    size = f"{needs.n_basis_functions} basis functions need about"
    if needs.gpu_memory_mb is not None and gpu_total_mb is not None and needs.gpu_memory_mb > gpu_total_mb:
        return f"{size} {needs.gpu_memory_mb} MB on the GPU, which has {gpu_total_mb} MB; a smaller basis set would fit"
    way_out = "density_fit = 'coulomb' stores no tensor" if exchange else "a smaller basis set would fit"
    if needs.gpu_memory_mb is None and cavity_mb > needs.memory_mb / 2:
        way_out = f"{cavity_mb} MB of it are the solvent's cavity"
    if needs.memory_mb > resources.memory_mb:
        return (
            f"{size} {needs.memory_mb} MB, and {resources.memory_mb} MB are allowed; {way_out}, "
            f"or [resources] memory_mb = {needs.memory_mb} on a machine that has it"
        )
    return None


def fit_within(molecule: Molecule, model: Model, keywords: PyscfKeywords, memory_mb: int) -> Literal[True, "coulomb"]:
    """Choose how a hybrid's exchange is computed: fitted where the stored tensor fits the memory, else exactly.

    A pure functional has none, and is always fitted.

    Raises
    ------
    InputError
        A functional or basis set does not exist, or lacks an element.
    """
    check_functional(model.method, keywords.dispersion)
    fitted = keywords.model_copy(update={"density_fit": True})
    if not fitted.fits_exchange(model.method):
        return True
    needs = estimate_needs(molecule, model, fitted, Resources(memory_mb=memory_mb))
    return True if needs.too_large is None else "coulomb"


def count_grid_points(molecule: Molecule, grid_level: int) -> int:
    """Count the points of PySCF's integration grid (pruned), before it drops points of no weight."""
    from pyscf.dft import gen_grid

    table: Any = gen_grid.gen_atomic_grids(_bare(molecule), level=grid_level)
    return sum(len(table[symbol][1]) for symbol in molecule.symbols)


def count_cavity_points(molecule: Molecule, keywords: PyscfKeywords) -> int:
    """Count the points on the surface of the cavity that PySCF puts a molecule in; 0 without a solvent."""
    if keywords.solvent is None:
        return 0
    from pyscf.solvent.pcm import gen_surface, modified_Bondi
    from pyscf.solvent.smd import smd_radii, solvent_db

    smd = keywords.solvent_model == "smd"
    radii = smd_radii(solvent_db[keywords.solvent][2]) if smd else CAVITY_SCALE * modified_Bondi
    surface = gen_surface(_bare(molecule), ng=CAVITY_POINTS["SMD" if smd else "PCM"], rad=radii)
    return len(surface["grid_coords"])


def _bare(molecule: Molecule) -> Any:
    """Return PySCF's molecule with hardly a basis set: enough to place points around the atoms."""
    from pyscf import gto

    return gto.M(
        atom=list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis={symbol: [[0, [1.0, 1.0]]] for symbol in molecule.symbols},
        spin=None,
        verbose=0,
        parse_arg=False,
        dump_input=False,
    )


def _tensor_mb(n_basis: int, n_auxiliary: int | None, twice: bool) -> int:
    """Size of (ij|P), i >= j; range-separated exchange has a second one."""
    if n_auxiliary is None:
        return 0
    return math.ceil((2 if twice else 1) * n_basis * (n_basis + 1) / 2 * n_auxiliary * 8 / MB)


def _buffers_mb(n_basis: int, n_auxiliary: int, tensor: float, exchange: bool) -> float:
    """Return what building the tensor takes beside it, or contracting it to exchange: PySCF unpacks 240 rows."""
    building = min(max(FIT_BUFFER_MB, 0.05 * tensor), tensor) + METRICS * n_auxiliary**2 * 8 / MB
    return max(building, 240 * n_basis**2 * 8 / MB) if exchange else building


def _cycle_s(
    n_basis: int,
    n_auxiliary: int | None,
    n_points: int,
    n_cavity: int,
    spins: int,
    stores: bool,
    meta: bool,
    threads: int,
) -> float:
    """Seconds of an SCF cycle on the CPU, by counting multiplications.

    XC on the grid, Coulomb fit, diagonalisation, and the linear equations of a solvent's cavity.
    """
    grid = spins * n_points * n_basis**2 * (9 if meta else 5)
    coulomb = 0.0 if n_auxiliary is None else n_basis**2 * n_auxiliary * (2 if stores else 770)
    return round((grid + coulomb + spins * 25 * n_basis**3 + n_cavity**3) / (GFLOPS_PER_THREAD * 1e9 * threads), 2)
