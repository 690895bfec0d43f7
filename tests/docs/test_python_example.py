"""The Python example of the README runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_python_example_of_the_readme_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "inputs", tmp_path / "inputs")
    run = tmp_path / "results" / "hooh"
    run.mkdir(parents=True)
    shutil.copy(ROOT / "results" / "kept" / "hooh" / "records.jsonl", run)  # what these versions made is not made again
    last = "print([found.label for found in run.conformers], len(held.symbols), rotor.formula, settings.title)"
    (tmp_path / "example.py").write_text(f"{example}\n{last}\n")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "example.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['gauche', 'gauche'] 4 C30H90Ag12Au13Cl8P10 PH3 rotor"
    assert len((tmp_path / "results" / "mine" / "records.jsonl").read_text().splitlines()) == 1
