"""A relaxation on disk while it goes on: what its next step follows from, so that one that was killed goes on there.

The file is written whole after every gradient that took so long that losing it would matter, and is removed by whoever
writes the record. A kill at any instant loses the gradient that was being computed, and no other.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from qcdriver.models.outcomes import Result
from qcdriver.store.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from qcdriver.engines.base import Progress

WORTH_S = 0.3
"""Gradients that took less are computed again sooner than they are written."""


@dataclass(frozen=True)
class Reached:
    """The last accepted geometry of a relaxation, and what it has learnt; atomic units.

    Attributes
    ----------
    geometry
        (natoms, 3).
    result
        The engine's there, with its gradient.
    energies, forces
        Energy and largest force component at each accepted geometry, the start first.
    n_gradients, n_cycles
        Computed so far, those of steps that were too long included; `n_cycles` None where cycles are not told.
    trust
        How far any atom may go in the next step.
    pairs
        What the quasi-Newton model remembers, (npairs, 2, n) over the n internal coordinates.
    hessian
        That it began with, at the start's geometry, (nfree, nfree); None: the model's own.
    """

    geometry: np.ndarray
    result: Result
    energies: tuple[float, ...]
    forces: tuple[float, ...]
    n_gradients: int
    n_cycles: int | None
    trust: float
    pairs: np.ndarray
    hessian: np.ndarray | None


class StepsFile:
    """The file of one relaxation; no path, no file. A disk that refuses it costs the restart, not the relaxation."""

    def __init__(self, path: Path | None, progress: Progress) -> None:
        self._path, self._progress = path, progress
        self._begun = False

    def read(self, natoms: int, n_internals: int, n_free: int) -> Reached | None:
        """Return where an earlier try was; None if there was none, or its file cannot be read or is of another kind."""
        if self._path is None or not self._path.exists():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as saved:
                cycles = int(saved["n_cycles"])
                reached = Reached(
                    geometry=saved["geometry"],
                    result=Result.model_validate_json(str(saved["result"])),
                    energies=tuple(saved["energies"].tolist()),
                    forces=tuple(saved["forces"].tolist()),
                    n_gradients=int(saved["n_gradients"]),
                    n_cycles=None if cycles < 0 else cycles,
                    trust=float(saved["trust"]),
                    pairs=saved["pairs"],
                    hessian=saved.get("hessian"),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ValidationError) as error:
            self._progress(f"begins anew: {self._path} cannot be read ({type(error).__name__})")
            return None
        gradient = reached.result.gradient
        fits = gradient is not None and reached.geometry.shape == gradient.shape == (natoms, 3)
        fits = fits and (not len(reached.pairs) or reached.pairs.shape[1:] == (2, n_internals))
        if not fits or (reached.hessian is not None and reached.hessian.shape != (n_free, n_free)):
            self._progress(f"begins anew: {self._path} is of another molecule or program")
            return None
        self._begun = True
        return reached

    def is_worth(self, seconds: float) -> bool:
        """Tell whether to write now, by the seconds that the last gradient took; once begun, always."""
        return self._path is not None and (self._begun or seconds > WORTH_S)

    def write(self, reached: Reached) -> None:
        """Save where a relaxation is."""
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path) as temporary, temporary.open("wb") as file:
                np.savez(file, **_arrays(reached))
            self._begun = True
        except OSError as error:
            self._progress(f"cannot go on from here after a kill: {self._path} cannot be written ({error.strerror})")
            self._path = None


def _arrays(reached: Reached) -> dict[str, Any]:
    found = {
        "geometry": reached.geometry,
        "result": reached.result.model_dump_json(),
        "energies": reached.energies,
        "forces": reached.forces,
        "n_gradients": reached.n_gradients,
        "n_cycles": -1 if reached.n_cycles is None else reached.n_cycles,
        "trust": reached.trust,
        "pairs": reached.pairs,
    }
    return found if reached.hessian is None else {**found, "hessian": reached.hessian}
