"""Records -> QCSchema (doi:10.1002/wcms.1491), as QCElemental's `AtomicResult` and `FailedOperation` read it.

Version 1, which every released QCElemental reads, and version 2, which 0.50 and later have. A relaxation becomes the
energy at the geometry it reached, a path the energy at its highest image, vibrations the energy at their geometry. What
QCSchema has no place for stands in `extras`, under "qcdriver". A geometry model has no energy and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build, Excitations, PathSearch, Relaxation, SaddleSearch, SinglePoint, Vibrations

_Computation = SinglePoint | Relaxation | PathSearch | SaddleSearch | Vibrations | Excitations


def write_qcschema(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write one AtomicResult or FailedOperation of version 1 a line; give how many."""
    written = 0
    for record in records:
        content = to_qcschema(record)
        if content is not None:
            file.write(json.dumps(content, allow_nan=False) + "\n")
            written += 1
    return written


def write_qcschema2(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write one AtomicResult or FailedOperation of version 2 a line; give how many."""
    written = 0
    for record in records:
        content = to_qcschema2(record)
        if content is not None:
            file.write(json.dumps(content, allow_nan=False) + "\n")
            written += 1
    return written


def to_qcschema2(record: TaskRecord) -> dict[str, Any] | None:
    """Give the JSON of version 2, whose result holds its input whole; None for a geometry model."""
    first = to_qcschema(record)
    if first is None:
        return None
    if not first["success"]:
        head = {"schema_name": "qcschema_failed_operation", "schema_version": 2}
        return first | head | {"input_data": _input2(first["input_data"])}
    asked = _input2(first)
    kept = ("success", "return_result", "properties", "provenance", "extras")
    return {
        "schema_name": "qcschema_atomic_result",
        "schema_version": 2,
        "input_data": asked,
        "molecule": asked["molecule"],
        **{name: first[name] for name in kept},
    }


def _input2(first: dict[str, Any]) -> dict[str, Any]:
    """Make an AtomicInput of version 2 of what version 1 has of it."""
    return {
        "schema_name": "qcschema_atomic_input",
        "schema_version": 2,
        "molecule": first["molecule"] | {"schema_version": 3},
        "specification": {
            "schema_name": "qcschema_atomic_specification",
            **{name: first[name] for name in ("driver", "model", "keywords")},
        },
    }


def to_qcschema(record: TaskRecord) -> dict[str, Any] | None:
    """Give the JSON of an AtomicResult of version 1, or of a FailedOperation; None for a geometry model."""
    task, outcome = record.task, record.outcome
    if isinstance(task, Build):
        return None
    if isinstance(outcome, Failure):
        return {
            "success": False,
            "input_data": _input(task, task.molecule),
            "error": {
                "error_type": outcome.error_type,
                "error_message": outcome.message,
                "extras": {"history": list(outcome.history)},
            },
            "extras": _extras(record),
        }
    molecule, result = record.molecule, record.result
    assert molecule is not None
    assert result is not None
    gradient = None if result.gradient is None else result.gradient.ravel().tolist()
    return _input(task, molecule) | {
        "schema_name": "qcschema_output",
        "success": True,
        "return_result": gradient if _driver(task) == "gradient" else result.energy,
        "properties": _properties(molecule, result, gradient),
        "provenance": {
            "creator": task.level.engine,
            "version": task.level.engine_version,
            "routine": f"qcdriver {record.stage}",
        },
        "extras": _extras(record),
    }


def _driver(task: _Computation) -> str:
    return task.driver if isinstance(task, SinglePoint) else "energy"


def _input(task: _Computation, molecule: Molecule) -> dict[str, Any]:
    level = task.level
    return {
        "schema_name": "qcschema_input",
        "schema_version": 1,
        "molecule": {
            "schema_name": "qcschema_molecule",
            "schema_version": 2,
            "symbols": list(molecule.symbols),
            "geometry": molecule.geometry.ravel().tolist(),
            "molecular_charge": molecule.molecular_charge,
            "molecular_multiplicity": molecule.molecular_multiplicity,
            "fix_com": True,  # a program that reads it may shift and turn it otherwise
            "fix_orientation": True,
        },
        "driver": _driver(task),
        "model": {"method": level.model.method, "basis": level.model.basis},
        "keywords": dict(level.keywords),
    }


def _properties(molecule: Molecule, result: Result, gradient: list[float] | None) -> dict[str, Any]:
    known = {
        "calcinfo_natom": len(molecule.symbols),
        "calcinfo_nbasis": result.n_basis_functions,
        "return_energy": result.energy,
        "return_gradient": gradient,
        "scf_dipole_moment": None if result.dipole is None else result.dipole.tolist(),
        "scf_iterations": _cycles(result),
    }
    return {name: value for name, value in known.items() if value is not None}


def _cycles(result: Result) -> int | None:
    counts = [attempt.cycles for attempt in result.scf]
    return None if None in counts else sum(count or 0 for count in counts) or None


def _extras(record: TaskRecord) -> dict[str, Any]:
    about = record.model_dump(mode="json", include={"key", "stage", "label", "parents", "input_sha256", "provenance"})
    about["kind"] = record.task.kind
    if record.result is not None:
        kept = {"homo", "lumo", "gap", "mulliken_charges"}
        about["result"] = record.result.model_dump(mode="json", include=kept)
    return {"qcdriver": about}
