"""ASE trajectories (.traj): images with charge, spin and energy where they were set (Angstrom, eV)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qcdriver.errors import InputError
from qcdriver.io.frames import PlainFrame
from qcdriver.units import ANGSTROM, EV

if TYPE_CHECKING:
    from ase import Atoms


def read_trajectory(path: Path) -> list[PlainFrame]:
    """Read all images of a trajectory.

    Raises
    ------
    InputError
        The file is missing, is no trajectory of ASE's, or an image is periodic.
    """
    from ase.io.trajectory import Trajectory

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        images = list(Trajectory(path))
    except Exception as error:
        raise InputError(f"{path}: no trajectory of ASE's ({error})") from None
    return [_frame(f"{path}, image {count}", atoms) for count, atoms in enumerate(images)]


def _frame(where: str, atoms: Atoms) -> PlainFrame:
    if atoms.pbc.any():
        raise InputError(f"{where}: it is periodic, and only molecules are computed")
    return PlainFrame(
        where=where,
        symbols=tuple(atoms.get_chemical_symbols()),
        geometry=atoms.positions / ANGSTROM,
        charge=_charge(where, atoms),
        multiplicity=_multiplicity(where, atoms),
        energy=_energy(atoms),
    )


def _charge(where: str, atoms: Atoms) -> float | None:
    """Return what was set in `info`, else the sum of the initial charges where there are any, to 1e-6."""
    if "charge" in atoms.info:
        return _number(where, "charge", atoms.info["charge"])
    return round(float(atoms.get_initial_charges().sum()), 6) if atoms.has("initial_charges") else None


def _multiplicity(where: str, atoms: Atoms) -> float | None:
    """Return what was set in `info`, else one more than the initial magnetic moments, to 1e-6."""
    if "multiplicity" in atoms.info:
        return _number(where, "multiplicity", atoms.info["multiplicity"])
    if not atoms.has("initial_magmoms"):
        return None
    return round(abs(float(atoms.get_initial_magnetic_moments().sum())) + 1, 6)


def _number(where: str, word: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise InputError(f"{where}: {word} {value!s:.40} is no number; set atoms.info[{word!r}]") from None


def _energy(atoms: Atoms) -> float | None:
    energy = atoms.calc.results.get("energy") if atoms.calc is not None else None
    return None if energy is None else float(energy) / EV
