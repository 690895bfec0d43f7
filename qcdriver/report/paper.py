"""The records of a run -> what a paper says of them: a methods paragraph, its references, a zip for the SI."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qcdriver import engines
from qcdriver.engines.references import CLIMBING_IMAGE, HIRSHFELD, Reference
from qcdriver.errors import InputError
from qcdriver.models.level import Level
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build, PathSearch, Relaxation, SaddleSearch, SinglePoint, Vibrations
from qcdriver.report.exports import exports
from qcdriver.report.provenance import all_used, levels_used
from qcdriver.store import Records
from qcdriver.store.files import whole_file
from qcdriver.units import EV_PER_ANGSTROM

_PICTURES = ("*.png", "*.gif", "index.html", "summary.json", "network.json")


class Paper:
    """What a paper says of the records of a run, and what it cites."""

    def __init__(self, store: Records) -> None:
        """Read the records.

        Raises
        ------
        InputError
            No stage has finished, so that no calculation belongs to a result yet.
        """
        self.records = all_used(store)
        if not self.records:
            raise InputError(f"{store.path}: no stage has finished yet; there are no methods to tell")
        self.references: list[Reference] = []
        self._sentences = list(self._told())

    def text(self) -> str:
        """Return the paragraph as Markdown, the references numbered below it."""
        cited = [
            f"{count}. {one.names}, *{one.journal}* **{one.year}**, *{one.volume}*, {one.pages}, "
            f"doi:{one.doi} ({one.about})"
            for count, one in enumerate(self.references, start=1)
        ]
        return "\n".join([" ".join(self._sentences), "", *cited]) + "\n"

    def bibtex(self) -> str:
        """Return the references as BibTeX."""
        return "\n".join(one.bibtex() for one in self.references)

    def _cite(self, references: Iterable[Reference]) -> str:
        numbers = []
        for one in references:
            same = next((known for known in self.references if known.doi == one.doi), None)
            if same is None:
                self.references.append(one)
            numbers.append(self.references.index(same or one) + 1)
        return f" [{','.join(map(str, numbers))}]" if numbers else ""

    def _told(self) -> Iterator[str]:
        made = [record.provenance for record in self.records if record.provenance]
        programs = dict.fromkeys(f"{one.program} {one.program_version}" for one in made)
        if programs:
            yield f"All calculations were run with {' and '.join(programs)}."
        yield from _molecules(self.records)
        for used in levels_used(self.records):
            yield from self._level(used.level, [record for record in self.records if _level_of(record) == used.level])
        if any(record.result and record.result.hirshfeld_charges is not None for record in self.records):
            yield f"Charges of atoms are Hirshfeld's{self._cite([HIRSHFELD])}."

    def _level(self, level: Level, records: Sequence[TaskRecord]) -> Iterator[str]:
        try:
            engine = engines.find(level.engine)
            cited = engine.references(level.model, engine.keywords(level.keywords))
        except InputError:  # of a plugin that is not here
            cited = ()
        title = engines.title(level)
        known = "" if cited else " (what to cite for it is not known here)"
        failed = sum(not record.success for record in records)
        lost = f"; {failed} of them gave no number" if failed else ""
        yield f"With {title}, version {level.engine_version}{self._cite(cited)}{known}, {self._kinds(records)}{lost}."
        # What refines a setting that is not there says nothing: the model of no solvent.
        idle = [name for name in level.keywords if level.keywords.get(name.rpartition("_")[0], "") is None]
        shown = {name: value for name, value in level.keywords.items() if value is not None and name not in idle}
        settings = ", ".join(f"{name} = {_word(value)}" for name, value in shown.items())
        if settings:
            yield f"Its settings were {settings}."

    def _kinds(self, records: Sequence[TaskRecord]) -> str:
        """Say how many calculations of which kind there were, and when they were done."""
        tasks = [record.task for record in records]
        parts = []
        for force, count in Counter(t.convergence.max_force for t in tasks if isinstance(t, Relaxation)).items():
            parts.append(f"{_counted(count, 'geometry was', 'geometries were')} relaxed {_until(force)}")
        held = sum(isinstance(task, Relaxation) and bool(task.targets) for task in tasks)
        if held:
            parts.append(f"{held} of these with a coordinate held at a value")
        paths = [task for task in tasks if isinstance(task, PathSearch)]
        if paths:
            climbing = self._cite([CLIMBING_IMAGE])
            parts.append(f"{_counted(len(paths), 'path was', 'paths were')} searched with a climbing image{climbing}")
        saddles = sum(isinstance(task, SaddleSearch) for task in tasks)
        if saddles:
            parts.append(f"{_counted(saddles, 'saddle was', 'saddles were')} searched along the mode from its path")
        hessians = sum(isinstance(task, Vibrations) for task in tasks)
        if hessians:
            were = _counted(hessians, "set of harmonic wavenumbers was", "sets of harmonic wavenumbers were")
            parts.append(f"{were} computed from differences of gradients")
        points = sum(isinstance(task, SinglePoint) for task in tasks)
        if points:
            parts.append(_counted(points, "single point was computed", "single points were computed"))
        return ", and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def write_zip(store: Records, directory: Path, path: Path) -> list[str]:
    """Write what the SI of a paper needs into a new zip file; return the names in it.

    Methods and references, the structures and energies of all that the results stand on, the records themselves, and
    the pictures and the page of the run directory.

    Raises
    ------
    InputError
        The file is there already or cannot be written, or no stage has finished.
    """
    paper = Paper(store)
    if path.exists():
        raise InputError(f"{path}: is there already; name a new file")
    files = {"methods.md": paper.text(), "references.bib": paper.bibtex()}
    for form, name in (("xyz", "structures.xyz"), ("csv", "energies.csv"), ("json", "records.jsonl")):
        text = io.StringIO()
        exports()[form].write(paper.records, text)
        files[name] = text.getvalue()
    others = sorted(found for pattern in _PICTURES for found in directory.glob(pattern))
    try:
        with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files.items():
                packed.writestr(name, content)
            for other in others:
                packed.write(other, other.name)
    except OSError as error:
        raise InputError(f"{error.filename or path}: cannot be written ({error.strerror})") from None
    return [*files, *(other.name for other in others)]


def _level_of(record: TaskRecord) -> Level | None:
    return None if isinstance(record.task, Build) else record.level


def _molecules(records: Sequence[TaskRecord]) -> Iterator[str]:
    found = dict.fromkeys(
        (molecule.formula, molecule.molecular_charge, molecule.molecular_multiplicity)
        for record in records
        if (molecule := record.molecule) is not None
    )
    for formula, charge, multiplicity in found:
        total = f"{charge:+d}" if charge else "0"
        yield f"{formula} was computed with charge {total} and spin multiplicity {multiplicity}."


def _until(force: float) -> str:
    return f"until no component of a force was above {force * EV_PER_ANGSTROM:.3g} eV/A"


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
