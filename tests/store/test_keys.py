"""Keys: the same work has the same key, other work another."""

from __future__ import annotations

import json
from pathlib import Path

from specimens import HYDROGEN, LEVEL, POINT

from qcdriver.models.level import Model
from qcdriver.models.tasks import PathSearch, SinglePoint
from qcdriver.store import task_key

NOISE = HYDROGEN.moved(HYDROGEN.geometry + 1e-11)


def test_the_key_hashes_what_determines_the_number_and_nothing_else():
    assert task_key(SinglePoint(molecule=NOISE, level=LEVEL)) == task_key(POINT)
    others = [
        POINT.model_copy(update={"molecule": HYDROGEN.moved(HYDROGEN.geometry * 1.001)}),
        POINT.model_copy(update={"molecule": HYDROGEN.model_copy(update={"molecular_charge": 2})}),
        POINT.model_copy(update={"molecule": HYDROGEN.model_copy(update={"molecular_multiplicity": 3})}),
        POINT.model_copy(update={"driver": "gradient"}),
    ]
    changes = [
        {"engine": "tblite"},
        {"engine_version": "22.2"},
        {"model": Model(method="GFN2-xTB")},
        {"model": Model(method="GFN1-xTB", basis="x")},
        {"keywords": {"accuracy": 0.1}},
    ]
    others += [POINT.model_copy(update={"level": LEVEL.model_copy(update=change)}) for change in changes]
    assert len({task_key(each) for each in [POINT, *others]}) == len(others) + 1


def test_noise_at_either_end_of_a_path_is_no_other_path():
    path = PathSearch(molecule=HYDROGEN, end=HYDROGEN, level=LEVEL, n_images=3, max_force=1e-3, max_steps=9)
    for end in ("molecule", "end"):
        assert task_key(path.model_copy(update={end: NOISE})) == task_key(path)
        other = HYDROGEN.moved(HYDROGEN.geometry * 1.001)
        assert task_key(path.model_copy(update={end: other})) != task_key(path)


def test_what_a_path_leads_through_is_part_of_its_key_and_nothing_is_not():
    """The key of a path of a kept run, computed before a path could lead through anything."""
    kept = Path(__file__).parents[2] / "results" / "kept" / "cu14" / "records.jsonl"
    line = next(line for line in kept.read_text().splitlines() if '"key":"1daceca2da1a3150aa2e808430cb7fba"' in line)
    path = PathSearch.model_validate(json.loads(line)["task"])
    assert task_key(path) == "1daceca2da1a3150aa2e808430cb7fba"
    through = path.model_copy(update={"through": (path.end,)})
    noisy = path.model_copy(update={"through": (path.end.moved(path.end.geometry + 1e-11),)})
    assert task_key(through) == task_key(noisy) != task_key(path)
