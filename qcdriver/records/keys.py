"""A task -> its key: a hash of what determines its number, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from qcdriver.schema import Build, Molecule, PathSearch, Task

GEOMETRY_DECIMALS = 8
"""Geometries that agree to 1e-8 bohr are the same point (QCSchema's own rounding)."""


def task_key(task: Task) -> str:
    """Hash what determines a task's number: geometry, charge, multiplicity, level with its version, conditions."""
    content = task.model_dump(mode="json")
    if not isinstance(task, Build):
        content["molecule"] = rounded(task.molecule)
    if isinstance(task, PathSearch):
        content["end"] = rounded(task.end)
        content["through"] = [rounded(each) for each in task.through]
        if not task.through:  # a path is what it was before it could pass through anything
            del content["through"]
    return content_key(content)


def rounded(molecule: Molecule) -> dict[str, Any]:
    """Give a molecule's JSON with the geometry as far as it tells two points apart."""
    content = molecule.model_dump(mode="json")
    content["geometry"] = (molecule.geometry.round(GEOMETRY_DECIMALS) + 0.0).tolist()  # no -0.0
    return content


def content_key(content: object) -> str:
    """Hash JSON-compatible content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
