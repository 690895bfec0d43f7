"""Crystal structures and levels -> an input for each pair of them, and how well that level kept that crystal.

It measures a level without another one: clusters whose structures are known are relaxed freely, first the hydrogen
atoms, then the ligands, then all (`preoptimize = "stepwise"`), and compared with what they were in the crystal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import is_metal
from qcdriver.geometry.fidelity import Fidelity, fidelity
from qcdriver.io.cif import read_crystal
from qcdriver.models.base import Frozen
from qcdriver.systems.registry import geometry_of
from qcdriver.workflow.input import make_input
from qcdriver.workflow.open_run import Run, open_run
from qcdriver.workflow.plan import refuse_impossible
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import Refinement, conformers_to_compute
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.tables import Input
from qcdriver.workflow.variants import read_toml

LEVELS = ("GFN-FF", "GFN1-xTB", "GFN1-xTB/ch2cl2")
"""What is compared where nothing is said."""

_STAGES = (Prescreen, Refinement, SinglePoints)
_OF_MODELS = frozenset({"starts", "seed", "hold_metal"})
"""Keys of the prescreen that models need, and crystal structures do not."""

# Forces far below this move nothing that a crystal structure tells, and take most of the gradients.
_THRESHOLD = {"max_force_ev_angstrom": 0.05, "energy_change_ev": 1e-3}


class CrystalRun(NamedTuple):
    """One crystal at one level: its names, the name of its run directory, and its input."""

    crystal: str
    level: str
    name: str
    input: Input


class CrystalTest(Frozen):
    """What became of one crystal structure at one level.

    Attributes
    ----------
    crystal
        The name of the file.
    formula, charge
        Of the cluster in it.
    level
        As it was asked for.
    run
        The name of the run directory.
    fidelity
        None where the relaxation failed, or the cluster fell apart.
    error
        What it failed with.
    """

    crystal: str
    formula: str
    charge: int
    level: str
    run: str
    fidelity: Fidelity | None
    error: str | None = None


class Benchmark(Frozen):
    """Crystals by levels; `left_out`: files without a cluster to test, and why."""

    tests: tuple[CrystalTest, ...]
    left_out: tuple[str, ...]


def crystal_runs(
    folder: Path, levels: Sequence[str], phosphine: str | None = None
) -> tuple[list[CrystalRun], list[str]]:
    """Make an input for every crystal structure in a folder at every level.

    Parameters
    ----------
    folder
        All files NAME.cif in it are read.
    levels
        METHOD or METHOD/SOLVENT each, as `LEVELS`; or an input file, NAME.toml, whose [prescreen], [refine], [dft] and
        [resources] hold for every crystal.
    phosphine
        What its phosphine ligands are cut to: "PMe3", "PH3"; None: nothing is cut.

    Returns
    -------
    The runs, crystal by crystal, and a line for each file that has no cluster, or that cannot be read.

    Raises
    ------
    InputError
        No file is there or none has a cluster; a level does not exist; two files would have one name.
    """
    files = sorted(folder.glob("*.cif")) if folder.is_dir() else []
    if not files:
        raise InputError(f"{folder}: a folder with crystal structures, NAME.cif, belongs here")
    if twice := [level for level, count in Counter(levels).items() if count > 1]:
        raise InputError(f"--level {twice[0]} is given twice")
    runs, left_out = [], []
    refused: dict[str, str] = {}
    for path in files:
        try:
            cluster = read_crystal(path).pick("cluster")
        except InputError as error:
            left_out.append(str(error))
            continue
        if not any(is_metal(symbol) for symbol in cluster.symbols):
            left_out.append(f"{path}: no metal in {cluster.formula}")
            continue
        for level in levels:
            run = _run(path, level, phosphine)
            try:
                _refuse_impossible(run)
            except InputError as error:
                left_out.append(f"{path} at {level}: {error}")
                refused[level] = str(error)
            else:
                runs.append(run)
    for level in levels:
        if level in refused and not any(run.level == level for run in runs):
            raise InputError(f"--level {level}: {refused[level]}")
    if not runs:
        raise InputError("\n".join([*left_out, f"{folder}: no structure in it has a cluster to relax"]))
    for name, count in Counter(run.name for run in runs).items():
        if count > 1:
            raise InputError(f"{folder}: {count} runs would be called {name}; rename a file")
    return runs, left_out


def _run(path: Path, level: str, phosphine: str | None) -> CrystalRun:
    label = _plain(path.stem) or "crystal"
    structure = {"source": "cif", "isomers": {label: {"file": str(path.resolve())}}}
    tables = {
        "title": f"{path.name} at {level}",
        "structure": structure | ({"phosphine": phosphine} if phosphine else {}),
        **_tables_of(level),
    }
    words = [label, phosphine or "", Path(level).stem if _is_file(level) else level]
    name = "-".join(_plain(word).lower() for word in words if word)
    return CrystalRun(path.name, level, name, make_input(tables, f"--level {level}: "))


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", word).strip("-")


def _is_file(level: str) -> bool:
    return ".toml" in level


def _tables_of(level: str) -> dict[str, Any]:
    """Return the tables of an input that say at which level is relaxed, and how."""
    own = {"preoptimize": "stepwise", "metal_bonds_to_lose": 1.0}  # a core that rearranges is a finding here
    if _is_file(level):
        given = read_toml(Path(level))
        kept = {name: given[name] for name in (*(stage.name for stage in _STAGES), "resources") if name in given}
        prescreen = {key: value for key, value in given.get(Prescreen.name, {}).items() if key not in _OF_MODELS}
        return kept | {Prescreen.name: own | prescreen}
    method, _, solvent = level.partition("/")
    table = own | {"method": method, "cheap": _THRESHOLD, "tight": _THRESHOLD}
    return {Prescreen.name: table | ({"solvent": solvent} if solvent else {})}


def _refuse_impossible(run: CrystalRun) -> None:
    """Refuse an element, a charge or a spin that the level does not know, and a cut that cannot be made."""
    with TemporaryDirectory() as nothing:
        opened = open_run(run.input, Path(f"{run.name}.toml"), Path(nothing))
        refuse_impossible(opened, opened.stages)


def crystal_test(asked: CrystalRun, run: Run, error: str | None) -> CrystalTest:
    """Measure what became of a crystal structure in its run, which may have ended with an error."""
    start = geometry_of(run.candidates[0])
    relaxed = None if error else conformers_to_compute(run)[0][1]
    return CrystalTest(
        crystal=asked.crystal,
        formula=start.formula,
        charge=start.molecular_charge,
        level=asked.level,
        run=asked.name,
        fidelity=None if relaxed is None else fidelity(start, relaxed),
        error=error,
    )
