"""The public functions: what the verbs of the command line do, from Python.

`import qcdriver as qd` hands them on. Geometries are in bohr, energies in hartree and gradients in hartree/bohr, unless
a name says otherwise. Whatever is wrong is one line in a `qcdriver.errors.QcdriverError`. Where a function takes a
molecule, it takes ASE's Atoms too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.execution.benchmark import run_benchmark
from qcdriver.execution.driver import run_input
from qcdriver.execution.local.alone import compute_alone
from qcdriver.execution.progress import Display
from qcdriver.execution.result import RunResult
from qcdriver.io.ase_atoms import molecule_of_ase
from qcdriver.io.xyz import read_xyz
from qcdriver.io.xyz import write_xyz as write_molecules
from qcdriver.models.coordinates import Angle, Coordinate, Distance, Torsion, held
from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation, SinglePoint
from qcdriver.models.verdicts import Purpose
from qcdriver.optimize.driving import driven
from qcdriver.report.run_comparison import RunComparison
from qcdriver.report.run_comparison import compare_runs as compare_run_directories
from qcdriver.store import Records, Selection
from qcdriver.systems.registry import descriptions, geometry_of, structure_of_one
from qcdriver.workflow import variants as input_variants
from qcdriver.workflow.base import Job
from qcdriver.workflow.benchmark import LEVELS, Benchmark, crystal_runs
from qcdriver.workflow.input import make_input, read_input
from qcdriver.workflow.open_run import Run, open_run
from qcdriver.workflow.ownership import refuse_input_of_same_name, take
from qcdriver.workflow.prescreen.stage import candidates_of
from qcdriver.workflow.resources import Machine
from qcdriver.workflow.summary import summarize
from qcdriver.workflow.tables import Input
from qcdriver.workflow.taken import adopt
from qcdriver.workflow.threshold import Threshold

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class Results:
    """The records of a run directory.

    Attributes
    ----------
    directory
        The run directory.
    store
        All its records; `store.damaged_lines` counts the lines that hold none.
    """

    directory: Path
    store: Records

    def records(
        self,
        stage: str | None = None,
        label: str | None = None,
        method: str | None = None,
        converged: bool | None = None,
    ) -> Iterator[TaskRecord]:
        """Give the records asked for, in the order in which they were computed; None asks for all.

        Parameters
        ----------
        stage
            The stage that computed it.
        label
            A shell pattern: "E*".
        method
            Of its level, in any case: "gfn1-xtb".
        converged
            Whether there is a number.

        Raises
        ------
        InputError
            No record is of that stage; the message names those there are.
        """
        return self.store.query(Selection(stage, label, method, converged))

    def record(self, key: str) -> TaskRecord:
        """Return the record of which this is the key, or how its key begins.

        Raises
        ------
        InputError
            There is none, or more than one.
        """
        return self.store.find_task(key)


class BuiltModel(NamedTuple):
    """A geometry model, the label of its isomer and start, and notes on its charge and multiplicity."""

    label: str
    molecule: Molecule
    notes: tuple[str, ...]


def Settings(**tables: Any) -> Input:  # noqa: N802 (it makes an object, as a class does)
    """Make an input in Python, as an input file has it: title, structure, prescreen, scan, dft, ...

    A table is a dictionary or typed settings. Files named in it are relative to the working directory.

    Raises
    ------
    InputError
        Something is wrong; a line for each mistake names key and value.
    """
    return make_input(tables)


def variants(path: Path | str) -> list[Path]:
    """List the variants of an input file as NAME.toml@LABEL, each an input for `run`; without any, the file itself.

    Raises
    ------
    InputError
        The file is missing, or is no TOML.
    """
    return input_variants.variants(Path(path))


def run(
    source: Path | str | Input,
    results: Path | str = "results",
    workers: int | None = None,
    only: str | None = None,
    progress: bool = False,
    name: str | None = None,
) -> RunResult:
    """Run every stage of an input here; what is in the records already is not computed again.

    Parameters
    ----------
    source
        An input file, or one of its variants (NAME.toml@LABEL); or an input made by `Settings`.
    results
        The folder of run directories.
    workers
        Relaxations at a time; the cores are shared out among them. None: as many as there are cores.
    only
        One stage, from the records of the earlier ones.
    progress
        Whether to show on standard error what goes on.
    name
        Of the run directory below `results`, for an input made by `Settings`; None: made from its title. That of a file
        has the file's name.

    Raises
    ------
    InputError
        The input is wrong, or asks for what cannot work.
    MissingError, ResourceError
        A program or a device is not on this machine, or a calculation does not fit it.
    ConvergenceError
        No candidate was left to go on with.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}: at least 1")
    opened = _opened(source, results, name)
    with Display(quiet=not progress) as display:
        display.say(f"{opened.input.title}: records in {opened.directory}")
        lines = [] if isinstance(source, Input) else take(opened.directory, opened.input_path)
        for line in (*lines, *adopt(opened), *descriptions(opened.candidates)):
            display.say(line)
        summary, tally = run_input(opened, workers, only, display, _sha256(source))
    return RunResult(opened, summary, tally)


def benchmark(
    folder: Path | str,
    levels: Sequence[str] | None = None,
    results: Path | str = "results/benchmark",
    phosphine: str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Benchmark:
    """Relax the clusters of a folder of crystal structures at several levels, and measure how well each was kept.

    Parameters
    ----------
    folder
        All files NAME.cif in it are taken.
    levels
        METHOD or METHOD/SOLVENT each, or an input file whose levels hold for every crystal; None: GFN-FF, GFN1-xTB and
        this in dichloromethane.
    results
        The folder of run directories, one for each crystal and level; what is there is not computed again.
    phosphine
        What phosphine ligands are cut to first: "PMe3", "PH3"; None: nothing is cut.
    workers, progress
        As for `run`.

    Raises
    ------
    InputError
        The folder holds no cluster, or a level does not exist.
    MissingError, ResourceError
        A program is not on this machine, or a calculation does not fit it.
    """
    runs, left_out = crystal_runs(Path(folder), tuple(levels or LEVELS), phosphine)
    with Display(quiet=not progress) as display:
        for line in left_out:
            display.say(f"left out: {line}")
        return Benchmark(tests=tuple(run_benchmark(runs, Path(results), workers, display)), left_out=tuple(left_out))


def read_findings(source: Path | str | Input, results: Path | str = "results", name: str | None = None) -> RunResult:
    """Return what a run found so far, from its records alone; nothing is computed or written.

    Parameters
    ----------
    source, results, name
        As for `run`.

    Raises
    ------
    InputError
        The input is wrong, or no stage has finished with it.
    """
    opened = _opened(source, results, name, only_read=True)
    if not opened.finished():
        raise InputError(f"{opened.directory}: no stage has finished with this input; qcdriver run {opened.input_path}")
    return RunResult(opened, summarize(opened))


def open_results(directory: Path | str) -> Results:
    """Open the records of a run directory for reading.

    Raises
    ------
    InputError
        No run is there.
    """
    return Results(Path(directory), Records(Path(directory), only_read=True))


def compare_runs(a: Path | str, b: Path | str) -> RunComparison:
    """Compare two run directories: what differs in input, levels, versions, conformers and profiles.

    Energies are subtracted only where both runs have the same level, versions and keywords included.

    Raises
    ------
    InputError
        One of them is no run directory, or none of its stages has finished.
    """
    return compare_run_directories(Path(a), Path(b))


def read_molecule(
    path: Path | str, charge: int | None = None, multiplicity: int | None = None, frame: int | None = None
) -> Molecule:
    """Read one molecule from an XYZ or extended XYZ file, or the cluster of a crystal structure (CIF).

    Parameters
    ----------
    charge, multiplicity
        Where the file does not say; without either, 0 and 1, or what the neutrality of the crystal asks for.
    frame
        Which molecule of an XYZ file that holds several, from 0.

    Raises
    ------
    InputError
        The file is missing or broken, does not hold exactly one such molecule, or contradicts the charge or the
        multiplicity; the message names file and line.
    """
    if Path(path).suffix.lower() != ".cif":
        return read_xyz(path, charge, multiplicity, frame)
    from qcdriver.io.cif import read_crystal

    return read_crystal(path).pick("cluster").charged(charge, multiplicity)


def write_xyz(
    path: Path | str,
    molecules: Molecule | Atoms | Sequence[Molecule | Atoms],
    labels: str | Sequence[str] | None = None,
) -> None:
    """Write one or more molecules as extended XYZ (Angstrom); an existing file is replaced.

    Raises
    ------
    InputError
        The folder cannot be written, or labels and molecules differ in number.
    """
    several: Sequence[Molecule | Atoms] = molecules if isinstance(molecules, Sequence) else [molecules]
    write_molecules(path, [_molecule(molecule) for molecule in several], labels)


def level(
    method: str,
    solvent: str | None = None,
    engine: str = "auto",
    basis: str | None = None,
    device: Literal["auto", "cpu", "gpu"] = "cpu",
    **keywords: JsonValue,
) -> Level:
    """Return a level of theory on this machine: all that fixes an energy but the molecule.

    Parameters
    ----------
    method
        "GFN1-xTB", "GFN2-xTB", "GFN-FF"; or, with a basis, a density functional: "PBE"; or two levels for ONIOM,
        "PBE:GFN1-xTB", with the basis of the first and the keyword `cut`: {"phosphine": "PH3"}.
    solvent
        Its name, where the engine has a solvent model; None: the gas phase.
    engine
        "xtb", "tblite", "pyscf", "oniom", or one of a plugin; "auto": the first that has the method and is installed.
    device
        Where it will be computed. CPU and GPU are two levels.
    keywords
        The engine's own, as in an input; what is not given has its default.

    Raises
    ------
    InputError
        There is no such engine, method or keyword; the message lists what exists.
    MissingError
        The engine or the device is not on this machine.
    """
    if solvent is not None:
        keywords["solvent"] = solvent
    with _one_line():
        model = Model(method=method, basis=basis)
    chosen = engines.choose(engine, method, basis).for_model(model, keywords)
    made = chosen.level(model, keywords, chosen.choose_device(device)[0])
    for name, value in made.keywords.items():
        if value == "auto":
            raise InputError(f"{name} = 'auto' is decided for an input; name the value that the level has")
    return made


def compute(
    molecule: Molecule | Atoms,
    level: Level,
    driver: Literal["energy", "gradient"] = "energy",
    store: Path | str | None = None,
    label: str | None = None,
    threads: int | None = None,
    memory_mb: int | None = None,
    progress: bool = False,
) -> Result:
    """Compute one energy, or energy and gradient, in a process of its own and with the checks of a run.

    Parameters
    ----------
    level
        As `level` gives it.
    driver
        "gradient" gives the energy too.
    store
        A run directory. What its records hold already is not computed again; a new number, or a failure, is added to
        them. None: nothing is kept.
    label
        What a person calls it in the records; None: the formula.
    threads, memory_mb
        What it may use; None: what the machine has.
    progress
        Whether to show on standard error what goes on.

    Raises
    ------
    InputError
        The engine cannot compute this.
    ConvergenceError
        The SCF did not converge; `history` says what was tried.
    MissingError, ResourceError, EngineError
        A program is missing, the machine is too small, or the program broke.
    """
    one = _molecule(molecule)
    with _one_line():
        task = SinglePoint(molecule=one, level=level, driver=driver)
    record = _computed(Job(label or one.formula, task, Purpose.SINGLE_POINT), store, threads, memory_mb, progress)
    assert isinstance(record.outcome, Result)
    return record.outcome


def relax(
    molecule: Molecule | Atoms,
    level: Level,
    max_force_ev_angstrom: float = 0.01,
    energy_change_ev: float = 1e-4,
    max_steps: int = 500,
    frozen_atoms: Sequence[int] = (),
    hold: Mapping[Coordinate, float] | None = None,
    store: Path | str | None = None,
    label: str | None = None,
    threads: int | None = None,
    memory_mb: int | None = None,
    progress: bool = False,
) -> Relaxed:
    """Relax a molecule, with atoms and coordinates held where that is asked for.

    Parameters
    ----------
    max_force_ev_angstrom, energy_change_ev, max_steps
        It is done when the largest component of a force that is free to act, and the change of the energy over the
        last step, are below these; more accepted steps are a failure.
    frozen_atoms
        Atoms that stay where they are, from 0.
    hold
        Coordinates (`dihedral`, `angle`, `distance`) and the values at which they are held, in degrees or bohr. The
        molecule is driven there first, the two sides of a coordinate rigidly against each other.
    level, store, label, threads, memory_mb, progress
        As for `compute`.

    Returns
    -------
    The last geometry as `molecule`, the engine's `result` there, the values of the held coordinates as `reached`.

    Raises
    ------
    InputError
        An atom does not exist, a coordinate cannot be driven, or the engine cannot compute this.
    ConvergenceError
        The SCF or the relaxation did not converge.
    MissingError, ResourceError, EngineError
        A program is missing, the machine is too small, or the program broke.
    """
    start = _molecule(molecule)
    with _one_line():
        targets = tuple(held(coordinate, value) for coordinate, value in (hold or {}).items())
        if targets:
            start = driven(start, targets)
        threshold = Threshold(
            max_force_ev_angstrom=max_force_ev_angstrom, energy_change_ev=energy_change_ev, max_steps=max_steps
        )
        task = Relaxation(
            molecule=start,
            level=level,
            convergence=threshold.convergence,
            frozen_atoms=tuple(frozen_atoms),
            targets=targets,
        )
    purpose = None if frozen_atoms or targets else Purpose.MINIMUM
    record = _computed(Job(label or start.formula, task, purpose), store, threads, memory_mb, progress)
    assert isinstance(record.outcome, Relaxed)
    return record.outcome


def build(source: Path | str | Input, starts: int = 1, seed: int = 0, **keys: Any) -> list[BuiltModel]:
    """Build the geometry models of an input, or one model by the name of its source.

    Parameters
    ----------
    source
        An input file or an input made by `Settings`; or a source of structures: "au13ag12", "cu14".
    starts, seed
        Of a source: how many placements of the ligands, drawn from this seed.
    keys
        Of a source: the keys of its `[structure]` and of an isomer, together: phosphine="PMe3", twist_deg=36.

    Raises
    ------
    InputError
        There is no such file, source or key, or no model can be built so.
    """
    if isinstance(source, Input):
        settings, folder = source, Path()
    elif isinstance(source, Path) or ".toml" in source:
        settings, folder = read_input(Path(source)), Path(source).parent
    else:
        structure, drawn = structure_of_one(source, "model", keys), {"starts": starts, "seed": seed}
        settings, folder = Settings(title=source, structure=structure, prescreen=drawn), Path()
    found = candidates_of(settings, folder)
    return [BuiltModel(candidate.label, geometry_of(candidate), candidate.notes) for candidate in found]


def distance(i: int, j: int) -> Distance:
    """Return the distance of two atoms, counted from 0; its values are in bohr.

    Raises
    ------
    InputError
        They are not two different atoms.
    """
    with _one_line():
        return Distance(atoms=(i, j))


def angle(i: int, j: int, k: int) -> Angle:
    """Return the angle at atom j between atoms i and k, counted from 0; its values are in degrees.

    Raises
    ------
    InputError
        They are not three different atoms.
    """
    with _one_line():
        return Angle(atoms=(i, j, k))


def dihedral(i: int, j: int, k: int, l: int) -> Torsion:  # noqa: E741
    """Return the dihedral of four atoms, counted from 0; its values are in degrees, of IUPAC's sign.

    Raises
    ------
    InputError
        They are not four different atoms.
    """
    with _one_line():
        return Torsion(kind="dihedral", quadruples=((i, j, k, l),))


def _opened(source: Path | str | Input, results: Path | str, name: str | None, only_read: bool = False) -> Run:
    """Open the run directory of an input; one made in Python stands there as its file NAME.toml would."""
    if not isinstance(source, Input):
        if name is not None:
            raise InputError(f"name = {name!r}: the run directory of {source} has the file's name")
        if not only_read:
            refuse_input_of_same_name(Path(results) / input_variants.run_name(Path(source)), Path(source))
        return open_run(read_input(Path(source)), Path(source), Path(results), only_read)
    chosen = name if name is not None else re.sub(r"[^a-z0-9]+", "-", source.title.lower()).strip("-")
    if not re.fullmatch(r"[A-Za-z0-9_+-]+", chosen):
        raise InputError(f"name = {chosen!r}: a name is made of letters, digits and _ + -")
    return open_run(source, Path(f"{chosen}.toml"), Path(results), only_read)


def _sha256(source: Path | str | Input) -> str:
    """Hash the file of an input; of one made in Python, all that it says."""
    if isinstance(source, Input):
        content = source.model_dump_json(exclude_defaults=True).encode()
    else:
        content = input_variants.split(Path(source))[0].read_bytes()
    return hashlib.sha256(content).hexdigest()


def _molecule(molecule: Molecule | Atoms) -> Molecule:
    if isinstance(molecule, Molecule):
        return molecule
    from ase import Atoms

    if not isinstance(molecule, Atoms):
        raise InputError(f"{molecule!r} is no molecule; `read_molecule` gives one, and ASE's Atoms are one")
    return molecule_of_ase(molecule)


def _computed(
    job: Job, store: Path | str | None, threads: int | None, memory_mb: int | None, progress: bool
) -> TaskRecord:
    with _one_line():
        machine = Machine(threads=threads, memory_mb=memory_mb)
    with Display(quiet=not progress) as display:
        return compute_alone(job, None if store is None else Path(store), machine, display)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn what pydantic refuses into one line that names the argument."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {first['msg']}".removeprefix(": ").replace("Value error, ", "")) from None
