"""The house: imports point one way, and importing the program loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import qcdriver

PACKAGE = Path(qcdriver.__file__).parent

FLOORS = [
    {"units", "errors"},
    {"schema"},
    {"config", "records", "engines", "structures"},
    {"comparison", "relaxation", "stage", "levels"},
    {"candidates"},
    {"prescreen", "dft", "scan", "interconversion", "mirror", "stationary", "execution"},
    {"findings"},
    {"landscape", "plan"},
    {"summary"},
    {"run"},
    {"stages"},
    {"report", "export", "pipeline"},
    {"pictures"},
    {"slurm"},
    {"cli"},
]
"""A module may import from lower floors; the packages also from their own."""

FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
HEAVY = {"pyscf", "cupy", "gpu4pyscf", "matplotlib", "PIL", "tblite", "xtb", "ase", "scipy"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Name the module, or the package, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """List what a file imports, and whether it does so at its top (not inside a function or for typing only)."""
    found = []
    tree = ast.parse(path.read_text())
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [(name, id(node) not in inside) for name in names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = room(path)
    if here == "__init__":
        assert not [name for name, _ in imports(path) if name.startswith("qcdriver")]
        return
    for name, _ in imports(path):
        parts = name.split(".")
        if parts[0] != "qcdriver" or parts[1] == "__version__":
            continue
        there = parts[1]
        if there == here:
            continue
        assert there in FLOOR, f"{there} has no floor"
        assert FLOOR[there] < FLOOR[here], f"{here} imports {there}, which does not lie below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_used(path):
    top = {name.split(".")[0] for name, at_top in imports(path) if at_top}
    assert not top & HEAVY


def test_help_and_planning_load_no_heavy_package():
    code = "import sys, qcdriver.cli, qcdriver.pipeline; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & HEAVY
