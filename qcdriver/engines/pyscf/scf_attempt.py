"""One attempt at self-consistency: one strategy on a PySCF mean field, watched cycle by cycle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.base import orbital_gap
from qcdriver.engines.pyscf.closing_cycle import close
from qcdriver.engines.pyscf.device_arrays import host, on_gpu
from qcdriver.engines.pyscf.diis_memory import DiisMemory
from qcdriver.engines.pyscf.first_spins import with_spins
from qcdriver.engines.pyscf.properties import frontier
from qcdriver.engines.pyscf.scf_strategies import DAMPED_CYCLES, Strategy
from qcdriver.models.outcomes import ScfAttempt
from qcdriver.units import EV

if TYPE_CHECKING:
    from collections.abc import Callable

    from qcdriver.engines.base import Progress

PATIENCE = 15
"""Cycles without a lower energy or orbital gradient after which an attempt is given up."""
ASTRAY, ASTRAY_CYCLES = 1.0, 6
"""Hartree above the attempt's lowest energy, and for how many cycles on end, that mean it diverges."""
STARTED_GRADIENT = 0.3
"""Factor on PySCF's orbital-gradient criterion for an SCF that starts from a nearby density."""
PREPARATION_TOLERANCE = 1e-5
"""Hartree; a density that only prepares needs no more."""
SMALL_GAP = 0.1 / EV
"""Below this, hartree, a converged SCF carries a warning: another state may be near."""
SMALL_GAP_OF_SPINS = 0.7 / EV
"""The same where spins are unrestricted: from FeO, CoO and CrO, with 0.64 eV and less, `stability` finds lower ones."""
NOT_AUFBAU = "converged with an empty orbital below an occupied one"


class _GiveUp(Exception):  # noqa: N818
    pass


class Attempt:
    """One strategy on a copy of the mean field, watched cycle by cycle.

    `best_density` is the one of lowest energy `best_energy`: the energy is variational, the orbital gradient also
    vanishes at saddle points. `memory` is what DIIS learned, beginning with the `memory` that it was given.
    """

    def __init__(
        self,
        mean_field: Any,
        strategy: Strategy,
        progress: Progress,
        name: str,
        keep: Callable[[Any, Any], None] | None,
        memory: DiisMemory | None,
    ) -> None:
        self._original = mean_field
        self._name = name
        self._keep = keep
        self._scf = _apply(mean_field, strategy)
        self._scf.callback = self._watch
        self.memory = DiisMemory(memory)
        self._strategy = strategy
        self._progress = progress
        self.best_density: Any = None
        self.best_energy = math.inf
        self._best_norm = math.inf
        self._best_cycle = 0
        self._cycles_astray = 0
        self._cycles = 0
        self._energy: float | None = None
        self._norm: float | None = None
        self._orbitals: tuple[Any, Any] | None = None
        self._last: dict[str, Any] | None = None

    @property
    def astray(self) -> bool:
        """Whether it diverged, so that nothing was learned."""
        return self._cycles_astray >= ASTRAY_CYCLES

    def go(self, density: Any) -> ScfAttempt:
        """Run from a density, (nao, nao), for UKS (2, nao, nao), or from the guess where that is None."""
        try:
            self._start(density)
            converged, message = self._judge()
        except (_GiveUp, np.linalg.LinAlgError) as error:
            converged, message = False, str(error)
        finally:  # else SCF and attempt refer to each other and keep a GPU's memory until Python happens to collect
            self._scf.callback = None
        gap = None if self._orbitals is None else orbital_gap(*frontier(*self._orbitals))
        if converged and gap is not None and gap < (SMALL_GAP_OF_SPINS if self._original.istype("UHF") else SMALL_GAP):
            message += f", with a gap of {gap * EV:.3f} eV: another state may be near (stability = true looks for it)"
        return ScfAttempt(
            strategy=self._name,
            converged=converged,
            cycles=self._cycles,
            energy=self._energy,
            gradient_norm=self._norm,
            gap=gap,
            message=message,
        )

    def _start(self, density: Any) -> None:
        if self._strategy.damping is None:
            # DIIS counts the start: PySCF's two plain steps before it would leave a good one (two cycles on Au6), and
            # from the guess they make charge slosh (of 31 cycles on Cu6 2- eleven are left, of 17 on Ni(CO)4 14).
            self._scf.diis_start_cycle = 0
            self.memory.teach(self._scf)
        if density is not None and self._strategy.gives_number and not self._strategy.second_order:
            # A first step from a good start hardly changes the energy, however far off it is (4e-8 hartree on Cu6 2-).
            self._scf.conv_tol_grad = STARTED_GRADIENT * math.sqrt(self._scf.conv_tol)
        orbitals, occupations = getattr(density, "mo_coeff", None), getattr(density, "mo_occ", None)
        if self._strategy.second_order and orbitals is not None and _is_integer(occupations):
            # From the orbitals themselves: to diagonalise the density's Fock matrix is a step that may lead far away.
            self._scf.kernel(orbitals, occupations)
        else:
            self._scf.kernel(dm0=with_spins(self._original) if density is None else density)

    def result(self) -> Any:
        """Return a mean field of the original class with what this attempt converged to."""
        mean_field = self._original.copy()
        for name in ("converged", "e_tot", "mo_energy", "mo_coeff", "mo_occ"):
            setattr(mean_field, name, getattr(self._scf, name))
        mean_field.entropy_term = None
        if self._strategy.smearing is not None:
            # The smeared object's own energies lack dispersion and the solvent's cavity.
            mean_field.entropy_term = -self._strategy.smearing * float(self._scf.entropy)
            mean_field.e_tot = float(mean_field.energy_tot(mean_field.make_rdm1())) + mean_field.entropy_term
        return mean_field

    def _judge(self) -> tuple[bool, str]:
        if not self._scf.converged:
            if self._cycles >= self._scf.max_cycle or self._last is None:
                return False, f"did not converge in {self._cycles} cycles"
            self._undo_last_step()
        elif self._lacks_closing_cycle():
            assert self._last is not None
            if not close(self._scf, self._last["fock"]):
                self._undo_last_step()
        self.best_density = self._scf.make_rdm1()
        self._energy = self.best_energy = float(self._scf.e_tot)
        self._orbitals = self._scf.mo_energy, self._scf.mo_occ
        if self._strategy.gives_number and self._strategy.smearing is None and not _is_aufbau(*self._orbitals):
            return False, NOT_AUFBAU
        return True, "converged"

    def _lacks_closing_cycle(self) -> bool:
        """Whether the SCF ended with DIIS's orbitals: gpu4pyscf ignores `conv_check`."""
        strategy = self._strategy
        wanted = self._scf.conv_check and strategy.gives_number and not strategy.second_order
        return bool(wanted and on_gpu(self._scf.mo_coeff))

    def _undo_last_step(self) -> None:
        """Return to the state that met both criteria.

        PySCF checks it by one more step without DIIS, and where plain steps diverge that step destroys it.
        """
        assert self._last is not None
        fock = self._last.pop("fock")
        for name, value in self._last.items():
            setattr(self._scf, name, value)
        if _is_integer(self._scf.mo_occ):  # the orbitals are those of an extrapolated Fock matrix
            self._scf.mo_energy, self._scf.mo_coeff = self._original.canonicalize(
                self._scf.mo_coeff, self._scf.mo_occ, fock
            )
        self._scf.converged = True

    def _watch(self, scf: dict[str, Any]) -> None:
        cycle = 1 + scf.get("cycle", scf.get("imacro", 0))
        if cycle == self._cycles:
            return  # second order reports its last cycle twice
        if not self._strategy.second_order:  # its orbital energies are known at the end only
            self._orbitals = scf["mo_energy"], scf["mo_occ"]
            self._last = {name: scf[name] for name in ("e_tot", "mo_energy", "mo_coeff", "mo_occ", "fock")}
            self.memory.add(scf["dm"], scf["fock"])
        if self._keep is not None:
            self._keep(scf["mo_coeff"], scf["mo_occ"])
        last, self._energy, self._norm = self._energy, float(scf["e_tot"]), float(scf["norm_gorb"])
        self._cycles = cycle
        change = "" if last is None else f"  dE = {self._energy - last:+.1e}"
        self._progress(f"SCF cycle {cycle}  E = {self._energy:.6f}{change}")
        if not math.isfinite(self._energy):
            self._energy = self._norm = None
            raise _GiveUp(f"energy is not a number in cycle {cycle}")
        if self._energy < self.best_energy:
            self.best_energy, self._best_cycle, self.best_density = self._energy, cycle, scf["dm"]
        if self._norm < self._best_norm:
            self._best_norm, self._best_cycle = self._norm, cycle
        self._cycles_astray = self._cycles_astray + 1 if self._energy > self.best_energy + ASTRAY else 0
        if self.astray:
            raise _GiveUp(
                f"went astray: {ASTRAY:g} hartree and more above its lowest energy for {ASTRAY_CYCLES} cycles"
            )
        if cycle - self._best_cycle >= PATIENCE:
            raise _GiveUp(
                f"stalled: energy and orbital gradient ({self._best_norm:.1e}) no lower for {PATIENCE} cycles"
            )


def _apply(mean_field: Any, strategy: Strategy) -> Any:
    scf = mean_field.copy()
    if strategy.smearing is not None:
        # Spins keep their electron numbers: the multiplicity is the user's, not the temperature's.
        scf = scf.smearing(sigma=strategy.smearing, method="fermi", fix_spin=True)
    if strategy.level_shift is not None:
        scf.level_shift = strategy.level_shift
    if strategy.damping is not None:
        scf.damp, scf.diis_start_cycle = strategy.damping, DAMPED_CYCLES
    if strategy.second_order:
        return scf.newton()
    if not strategy.gives_number:
        scf.conv_tol = max(PREPARATION_TOLERANCE, mean_field.conv_tol)
    return scf


def _is_integer(occupations: Any) -> bool:
    values = host(occupations)
    return bool((values == values.round()).all())


def _is_aufbau(energies: Any, occupations: Any) -> bool:
    """Whether no empty orbital lies below an occupied one of its own spin."""
    for energy, occupation in zip(np.atleast_2d(host(energies)), np.atleast_2d(host(occupations)), strict=True):
        occupied = occupation > 0
        if occupied.any() and not occupied.all() and energy[occupied].max() > energy[~occupied].min() + 1e-6:
            return False
    return True
