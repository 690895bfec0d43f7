"""The orbitals of an SCF on disk: written while it runs and when it is done, read where another begins.

The files are PySCF's own checkpoint files, so any PySCF script reads them. A killed SCF leaves the last one, whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import host
from qcdriver.errors import InputError
from qcdriver.store.files import remove_whole, whole_file

if TYPE_CHECKING:
    from qcdriver.engines.base import Progress

SHARE = 0.01
"""Of the time of an SCF, at most this goes into writing its checkpoint."""


class Checkpoint:
    """The checkpoint file of one SCF; no path, no file. A disk that refuses it costs the restart, not the SCF."""

    def __init__(self, path: str | None, mol: Any, progress: Progress) -> None:
        self._path = None if path is None else Path(path)
        self._mol = mol
        self._progress = progress
        self._not_before = 0.0

    def keep(self, orbitals: Any, occupations: Any) -> None:
        """Save orbitals (nao, nmo) and occupations (nmo,), with a spin axis first for UKS, if it is time again."""
        started = time.monotonic()
        if self._path is None or started < self._not_before:
            return
        self._write(host(orbitals), host(occupations), None, None)
        finished = time.monotonic()
        self._not_before = finished + (finished - started) / SHARE

    def finish(self, mean_field: Any, kept: bool) -> None:
        """Save what was converged to, or remove the file."""
        if self._path is None:
            return
        if kept:
            orbitals, occupations = host(mean_field.mo_coeff), host(mean_field.mo_occ)
            self._write(orbitals, occupations, host(mean_field.mo_energy), float(mean_field.e_tot))
        else:
            remove_whole(self._path)

    def _write(self, orbitals: np.ndarray, occupations: np.ndarray, levels: Any, energy: float | None) -> None:
        from pyscf.scf import chkfile

        assert self._path is not None
        nothing = np.full(occupations.shape, np.nan)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path, durable=False) as path:
                chkfile.dump_scf(
                    self._mol,
                    str(path),
                    np.nan if energy is None else energy,
                    nothing if levels is None else levels,
                    orbitals,
                    occupations,
                )
        except (OSError, RuntimeError) as error:  # h5py has both for a full disk
            self._progress(f"no checkpoint: {self._path} cannot be written ({error})")
            self._path = None


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    `orbitals` (nao, nmo), their energies `levels` (nmo,) in hartree and `occupations` (nmo,), with a spin axis first
    for UKS; `converged`: whether that SCF was done, else `levels` are not known.
    """

    mol: Any
    orbitals: np.ndarray
    levels: np.ndarray
    occupations: np.ndarray
    converged: bool


def read_checkpoint(path: Path) -> Saved:
    """Read a checkpoint whole.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    from pyscf.scf import chkfile

    try:
        mol, scf = chkfile.load_scf(str(path))
        orbitals, levels, occupations = (np.asarray(scf[name]) for name in ("mo_coeff", "mo_energy", "mo_occ"))
        return Saved(mol, orbitals, levels, occupations, bool(np.isfinite(scf["e_tot"])))
    except Exception as error:  # PySCF evaluates what it cannot decode: any error may come of a damaged file
        raise _unreadable(path, error) from None


def read_molecule(path: Path) -> tuple[Any, bool]:
    """Read only the molecule, and whether its SCF was done.

    Raises
    ------
    InputError
        As `read_checkpoint` does.
    """
    from pyscf.lib import chkfile

    try:
        return chkfile.load_mol(str(path)), bool(np.isfinite(chkfile.load(str(path), "scf/e_tot")))
    except Exception as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    if not path.exists():
        return InputError(f"there is no {path}")
    return InputError(f"{path} is no checkpoint, or damaged ({type(error).__name__})")
