"""What excited states need beyond the ground state: the vectors of the eigensolver, memory, time.

The sizes are counted from PySCF's code; the time of a product was measured (`PRODUCT`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qcdriver.engines.pyscf.basis_sets import load_basis_set
from qcdriver.engines.pyscf.estimate import GFLOPS_PER_THREAD, DftNeeds, estimate_needs
from qcdriver.engines.pyscf.functionals import has_response, is_meta, is_pure
from qcdriver.engines.pyscf.gpu_estimate import MB
from qcdriver.errors import InputError

if TYPE_CHECKING:
    from qcdriver.engines.pyscf.keywords import PyscfKeywords
    from qcdriver.models.excitations import ExcitationRequest
    from qcdriver.models.level import Model, Resources
    from qcdriver.models.molecule import Molecule

SPARE_STATES = 4
"""States that are looked for and not shown. With them and `LEAST_GUESSES` none of the 12 lowest states of N2, CH2O,
benzene and AuCl is missed, by PBE and PBE0; without, PySCF misses the third of CH2O."""
LEAST_GUESSES = 20
"""Orbital pairs to begin with; PySCF takes so many at once whatever is asked for."""
SUBSPACE = 8
"""Vectors a state that are kept, before those that say least are dropped."""
VECTORS_AT_ONCE = 12
"""Vectors that are multiplied at once: their matrices are in memory together, and share the grid's orbital values."""
COPIES = {"tda": 4, "tddft": 6}
"""Arrays as large as the subspace that live at once."""
MATRICES = 6
"""Matrices of the basis' size a vector: density, potential, their parts and what is passed between them."""
KERNEL_BYTES = 1600
"""Bytes a grid point: the kernel of a gradient functional with spin (64 numbers), and what it is made of."""
ITERATIONS = 8
"""Of the eigensolver, as a rule."""
PRODUCT = 10
"""Multiplications a grid point and pair of basis functions, for one vector: 15 s on [Au13Ag12(PH3)10Cl8]+ (PBE/LANL2DZ,
754 functions, 124608 points, one thread)."""


class ExcitationNeeds(DftNeeds):
    """What excited states need, the ground state included; `product_s` the time of one vector's product on the CPU."""

    n_states: int | None
    product_s: float

    def lines(self) -> list[str]:
        """Return the lines that a person reads."""
        count = "the excited states" if self.n_states is None else f"{self.n_states} excited states"
        products = ITERATIONS * ((self.n_states or 0) + SPARE_STATES)
        total = "" if self.n_states is None else f", so about {products * self.product_s / 60:.2g} min in all"
        time = f"{count}: about {self.product_s:.2g} s a product on the CPU{total}"
        return [*super().lines(), time]


def refuse_excitations(molecule: Molecule, model: Model, keywords: PyscfKeywords, request: ExcitationRequest) -> None:
    """Refuse excited states of what is no closed shell, of a functional without response, or too many of them.

    Raises
    ------
    InputError
    """
    if molecule.molecular_multiplicity != 1 or keywords.unrestricted:
        what = f"multiplicity {molecule.molecular_multiplicity}" if molecule.molecular_multiplicity != 1 else "spins"
        raise InputError(
            f"excited states are singlets of a closed shell here, not of {what}"
            f"{' that are parted (unrestricted = true)' if what == 'spins' else ''}: an open shell has none"
        )
    if keywords.electronic_temperature_k is not None:
        raise InputError("excited states need whole electrons in their orbitals: leave out electronic_temperature_k")
    if not has_response(model.method):
        raise InputError(f"{model.method!r} has no second derivatives in libxc, so no excited states here: pbe, pbe0")
    occupied, empty = orbital_counts(molecule, model)
    if (request.n_states or 1) > occupied * empty:
        raise InputError(
            f"{request.n_states or 1} excited states are more than {model.basis!r} has: {occupied} occupied and "
            f"{empty} empty orbitals make {occupied * empty}"
        )


def estimate_excitation_needs(
    molecule: Molecule,
    model: Model,
    keywords: PyscfKeywords,
    request: ExcitationRequest,
    resources: Resources,
    gpu_total_mb: int | None = None,
) -> ExcitationNeeds:
    """Estimate sizes, memory and time; computes nothing. Up to an energy, it counts as if it were 20 states.

    Raises
    ------
    InputError
        A basis set does not exist or lacks an element.
    """
    ground = estimate_needs(molecule, model, keywords, resources, gpu_total_mb)
    occupied, empty = orbital_counts(molecule, model)
    n_pairs = occupied * empty
    n_roots = min((request.n_states or LEAST_GUESSES) + SPARE_STATES, n_pairs)
    space = min(SUBSPACE * n_roots, n_pairs) * n_pairs * 8 / MB * COPIES[request.approximation]
    n_basis = ground.n_basis_functions
    matrices = MATRICES * min(VECTORS_AT_ONCE, n_guesses(n_roots)) * n_basis**2 * 8 / MB
    more = round(space + matrices + KERNEL_BYTES * ground.n_grid_points / MB)
    on_gpu = ground.gpu_memory_mb is not None
    content = {name: getattr(ground, name) for name in DftNeeds.model_fields}
    content["gpu_memory_mb" if on_gpu else "memory_mb"] += more
    needs = ExcitationNeeds(
        **content, n_states=request.n_states, product_s=_product_s(ground, model, keywords, resources.threads)
    )
    allowed = gpu_total_mb if on_gpu else resources.memory_mb
    wanted = needs.gpu_memory_mb if on_gpu else needs.memory_mb
    if ground.too_large is None and allowed is not None and wanted is not None and wanted > allowed:
        where = "on the GPU, which has" if on_gpu else "and are allowed"
        too_large = (
            f"excited states with {n_basis} basis functions need about {wanted} MB, {where} {allowed} MB; fewer states "
            f"or a smaller basis set would fit"
        )
        return needs.model_copy(update={"too_large": too_large})
    return needs


def orbital_counts(molecule: Molecule, model: Model) -> tuple[int, int]:
    """Count the occupied and the empty orbitals of a closed shell."""
    basis = load_basis_set(str(model.basis), molecule.symbols)
    occupied = (molecule.n_electrons - basis.n_core_electrons(molecule.symbols)) // 2
    return occupied, max(0, basis.n_functions(molecule.symbols) - occupied)


def n_guesses(n_roots: int) -> int:
    """Return how many orbital pairs the eigensolver begins with."""
    return max(LEAST_GUESSES, n_roots)


def subspace_mb(n_pairs: int, n_roots: int, both: bool) -> float:
    """Return the memory, in PySCF's MB of 1e6 bytes, in which its eigensolver has `SUBSPACE` vectors a state.

    `both`: whether its vectors are X and Y, which hybrids need in full TDDFT, and not one of the two.
    """
    n_vectors = SUBSPACE * n_roots + n_roots + n_guesses(n_roots)
    return (4 if both else 1) * 2 * 8 * n_pairs * n_vectors / 1e6


def _product_s(needs: DftNeeds, model: Model, keywords: PyscfKeywords, threads: int) -> float:
    """Seconds on the CPU for one vector: functional on the grid, Coulomb fit, and fitted exchange."""
    n_basis, fit = needs.n_basis_functions, needs.n_auxiliary_functions or 0
    grid = needs.n_grid_points * n_basis**2 * PRODUCT * (1.8 if is_meta(model.method) else 1.0)
    coulomb = n_basis**2 * fit * (2 if needs.stores_tensor else 770)
    exchange = 0.0 if is_pure(model.method) or not keywords.fits_exchange(model.method) else 2 * n_basis**3 * fit
    return float((grid + coulomb + exchange) / (GFLOPS_PER_THREAD * 1e9 * threads))
