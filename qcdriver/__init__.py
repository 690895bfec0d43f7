"""qcdriver: conformers of atomically precise metal nanoclusters, from geometry models to energy profiles.

The flow of a run, and the folders it goes through; a folder imports from those above it alone::

    units, errors       constants; the error family
    plugins             stages, engines, sources, families and exports of other packages, by their entry points
    models/             what travels, typed and frozen: molecule, level, tasks, outcomes, verdicts, records
    geometry/           mathematics on positions: superposition, matching, bonds, symmetry, chirality, coordinates
    store/              records on disk: append, index, query, keys, repair, migration; files written whole
    io/                 files to molecules and back: XYZ, CIF
    engines/            xtb, tblite, pyscf, oniom of two: a molecule and a level in, an energy and a gradient out
    systems/            sources of structures and cluster families: `[structure]` becomes candidates
    optimize/           downhill, along a path, to a saddle, vibrations: an engine's calculation and a molecule in
    workflow/           an input becomes typed settings; the stages ask for rounds of tasks and end with verdicts
        prescreen           xTB relaxes every candidate; the best, without duplicates and mirror images, go on
        scan                one or two coordinates are driven over a grid, relaxed, from every side
        stationary          minima of the grid relaxed freely, the saddles between them climbed, all verified
        interconversion     paths between conformers, and to their mirror images
        refine              the conformers of dft relaxed at its level first, resumable inside a relaxation
        dft                 single points of the conformers and of chosen points of the scan
        sensitivity         the same conformers at further levels: what the choice of a level leaves uncertain
        mirror              the mirror image of the lowest conformer must have its energy
        thermochemistry     free energies and populations of the conformers, rates over the verified saddles
        spectrum            excited singlets of chosen conformers, and what an experiment sees of them
    report/             findings become sentences, tables, pictures and exports
    execution/          rounds of tasks become records: found there already, by worker processes here, or by Slurm
    api                 the public functions, which this package hands on
    cli/                the verbs, thin over `api`

    inputs/NAME.toml -> results/NAME/records.jsonl, summary.json, profile.png, map.png, network.json, network.png

What can be added by one file and one line in a registry (a stage, an engine, a source, a family, an export), and how,
is in CONTRIBUTING.md. `import qcdriver` loads nothing of this; a public name loads `api` when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qcdriver.api import (
        BuiltModel,
        Results,
        Settings,
        angle,
        benchmark,
        build,
        compare_runs,
        compute,
        dihedral,
        distance,
        level,
        open_results,
        read_findings,
        read_molecule,
        relax,
        run,
        variants,
        write_xyz,
    )
    from qcdriver.execution.result import RunResult
    from qcdriver.models.level import Level
    from qcdriver.models.molecule import Molecule
    from qcdriver.models.outcomes import Relaxed, Result
    from qcdriver.models.records import TaskRecord
    from qcdriver.report.run_comparison import RunComparison
    from qcdriver.workflow.tables import Input

__version__ = "0.1.0"

__all__ = [
    "BuiltModel",
    "Input",
    "Level",
    "Molecule",
    "Relaxed",
    "Result",
    "Results",
    "RunComparison",
    "RunResult",
    "Settings",
    "TaskRecord",
    "__version__",
    "angle",
    "benchmark",
    "build",
    "compare_runs",
    "compute",
    "dihedral",
    "distance",
    "level",
    "open_results",
    "read_findings",
    "read_molecule",
    "relax",
    "run",
    "variants",
    "write_xyz",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from qcdriver import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
