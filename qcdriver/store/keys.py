"""Keys: hashes of what determines a number, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import Build, PathSearch, Task

GEOMETRY_DECIMALS = 8
"""Geometries that agree to 1e-8 bohr are the same point (QCSchema's own rounding)."""


def task_key(task: Task) -> str:
    """Return the key of a task: a hash of geometry, charge, multiplicity, level with its version, and conditions."""
    content = task.model_dump(mode="json")
    if not isinstance(task, Build):
        content["molecule"] = rounded(task.molecule)
    if isinstance(task, PathSearch):
        content["end"] = rounded(task.end)
        content["through"] = [rounded(molecule) for molecule in task.through]
        if not task.through:  # left out, so that keys of older path searches stay valid
            del content["through"]
    return content_key(content)


def rounded(molecule: Molecule) -> dict[str, Any]:
    """Return a molecule's JSON with the geometry rounded to the decimals that distinguish two points."""
    content = molecule.model_dump(mode="json")
    content["geometry"] = (molecule.geometry.round(GEOMETRY_DECIMALS) + 0.0).tolist()  # no -0.0
    return content


def run_key(directory: Path) -> str:
    """Return a name for a run directory in queues and temporary folders: eight hexadecimal digits, of its path."""
    return hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:8]


def content_key(content: object) -> str:
    """Return a hash of JSON-compatible content that does not depend on the order of its members."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
