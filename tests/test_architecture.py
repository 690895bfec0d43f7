"""The house: imports point one way, and importing the program loads nothing heavy."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import qcdriver
from qcdriver.workflow.registry import STAGES

PACKAGE = Path(qcdriver.__file__).parent

FLOORS = [
    {"units", "errors"},
    {"models", "plugins"},
    {"geometry", "store"},
    {"io", "engines"},
    {"systems", "optimize"},
    {"workflow"},
    {"report"},
    {"execution"},
    {"api"},
    {"cli"},
    {"__main__"},
]
"""A room may import from lower floors, and from itself."""

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
    if here == "__init__":  # what it hands on is loaded when it is asked for
        assert not [name for name, at_top in imports(path) if at_top and name.startswith("qcdriver")]
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


def calls(path: Path) -> list[ast.Call]:
    """List the calls in a file."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def moves_a_file(call: ast.Call) -> bool:
    """Return whether a call renames a file or writes one whole in its place; `str.replace` takes two arguments."""
    if not isinstance(call.func, ast.Attribute):
        return False
    name, owner = call.func.attr, ast.unparse(call.func.value)
    if name in ("rename", "renames", "write_text", "write_bytes") or (owner, name) in (
        ("os", "replace"),
        ("shutil", "move"),
    ):
        return True
    return name == "replace" and len(call.args) == 1 and not call.keywords


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_written_whole_and_renamed_only_in_the_store(path):
    if room(path) != "store":
        assert not [ast.unparse(call) for call in calls(path) if moves_a_file(call)]


@pytest.mark.parametrize(
    ("name", "home"), [("svd", "geometry/superposition.py"), ("covalent_radii", "geometry/radii.py")]
)
def test_rotations_and_radii_are_found_in_one_place(name, home):
    """A singular value decomposition (superposition, principal axes), and the table of radii that ASE has."""
    if name == "svd":
        users = {path for path in FILES for call in calls(path) if ast.unparse(call.func).split(".")[-1] == name}
    else:
        users = {path for path in FILES if any(used == f"ase.data.{name}" for used, _ in imports(path))}
    assert {str(path.relative_to(PACKAGE)) for path in users} == {home}


def test_help_and_planning_load_no_heavy_package():
    code = "import sys, qcdriver.cli, qcdriver.execution.driver; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & HEAVY


FAMILY_FOLDERS = {"au13ag12", "cu14"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_cluster_family_is_known_in_its_own_folder_only(path):
    """`registry` lists the families, and `files` fills hydrides into crystals of one; nobody else names one."""
    folder = path.parent.name if path.parent.parent.name == "systems" else None
    others = FAMILY_FOLDERS - {folder}
    if path.relative_to(PACKAGE).as_posix() not in ("systems/registry.py", "systems/files.py"):
        named = {name.split(".")[2] for name, _ in imports(path) if name.startswith("qcdriver.systems.")}
        assert not named & others
    words = {"rod", *others} if room(path) != "systems" else others
    texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    assert not {text for text in texts if isinstance(text, str)} & words


PYSCF_FILES = sorted((PACKAGE / "engines" / "pyscf").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_engine_is_reached_through_the_contract_alone(path):
    inside = path in PYSCF_FILES
    for name, _ in imports(path):
        assert inside or name.split(".")[0] not in {"pyscf", "gpu4pyscf", "cupy"}, "PySCF is for engines/pyscf/"
        insides = name.startswith("qcdriver.engines.pyscf")
        assert inside or not insides or path == PACKAGE / "engines" / "__init__.py", "ask through qcdriver.engines"


ADAPTERS = {"adapter.py", "gpu_adapter.py"}
"""The files that may change PySCF's objects, and gpu4pyscf's."""


@pytest.mark.parametrize(
    "path", [path for path in PYSCF_FILES if path.name not in ADAPTERS], ids=lambda path: path.name
)
def test_pyscfs_objects_are_changed_by_the_adapters_alone(path):
    from pyscf import df, dft
    from pyscf.dft import numint

    kinds = (dft.rks.RKS, dft.uks.UKS, df.DF, numint.NumInt)
    methods = {name for kind in kinds for name in dir(kind) if callable(getattr(kind, name))} | {"DIIS"}
    for node in ast.walk(ast.parse(path.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) != "self":
                assert target.attr not in methods, f"line {target.lineno} replaces PySCF's method {target.attr}"
        assert not (isinstance(node, ast.Attribute) and node.attr == "_numint"), f"line {node.lineno} reads _numint"


WORDS = {"reason", "label"}
"""What is for a person: its words are no program's business, but for those of records older than the codes."""
READERS_OF_OLD_WORDS = {"store/old_verdicts.py"}
PARSERS = {"startswith", "endswith", "partition", "rpartition", "removeprefix", "removesuffix", "find", "index"}


def is_for_a_person(node: ast.expr) -> bool:
    """Tell whether an expression is a label or a reason: a name, an attribute, or either of these or something else."""
    if isinstance(node, ast.BoolOp):
        return any(map(is_for_a_person, node.values))
    return (isinstance(node, ast.Attribute) and node.attr in WORDS) or (isinstance(node, ast.Name) and node.id in WORDS)


def words_that_are_parsed(tree: ast.AST) -> list[str]:
    """Find where a label or a reason is searched, or cut into parts."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PARSERS:
            found += [ast.unparse(node)] * is_for_a_person(node.func.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("re.search", "re.match", "re.fullmatch"):
            found += [ast.unparse(node)] * any(map(is_for_a_person, node.args))
        elif isinstance(node, ast.Compare):
            pairs = zip(node.ops, node.comparators, strict=True)
            contains = any(isinstance(op, ast.In | ast.NotIn) and is_for_a_person(right) for op, right in pairs)
            found += [ast.unparse(node)] * contains
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_label_and_no_reason_is_parsed(path):
    if str(path.relative_to(PACKAGE)) not in READERS_OF_OLD_WORDS:
        assert not words_that_are_parsed(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "verdict.reason.startswith('fell apart')",
        "(verdict.reason or '').startswith('turned')",
        "label.partition('#')[0]",
        "' via ' in each.label",
        "re.search('push', record.label)",
    ],
)
def test_parsing_a_label_or_a_reason_is_noticed(code):
    assert words_that_are_parsed(ast.parse(code))


def homes_of_stages() -> dict[str, Path]:
    """Give the file or the folder of each stage, by the stage's name."""
    homes = {}
    for stage in STAGES:
        file = Path(inspect.getfile(type(stage)))
        homes[stage.name] = file if file.parent.name == "workflow" else file.parent
    return homes


NAMES_THAT_ARE_OTHER_WORDS = {
    "store/old_verdicts.py": "the words of old records",
    "models/verdicts.py": "a purpose",
    "workflow/scan/settings.py": "values of scan.relax and scan.dft_points",
    "workflow/scan/stage.py": "a value of scan.relax",
    "workflow/scan/landscape.py": "a value of scan.dft_points",
    "workflow/single_points.py": "a value of scan.dft_points",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_stage_is_named_outside_its_own_file(path):
    if str(path.relative_to(PACKAGE)) in NAMES_THAT_ARE_OTHER_WORDS:
        return
    strings = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    foreign = {name for name, home in homes_of_stages().items() if home != path and home not in path.parents}
    assert not strings & foreign


def test_no_files_import_each_other_in_a_circle():
    """Imports for typing only count too: a file that is read needs the files that it names."""
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in FILES
    }

    def file_of(name: str) -> str:
        return name if name in names else name.rpartition(".")[0]

    arrows = {}
    for path in FILES:
        here = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        at_top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom | ast.If)]
        inner = [node for top in at_top for node in ast.walk(top) if isinstance(node, ast.ImportFrom) and node.module]
        found = {file_of(f"{node.module}.{alias.name}") for node in inner for alias in node.names}
        arrows[here] = {name for name in found if name in names and name != here}
    TopologicalSorter(arrows).prepare()
