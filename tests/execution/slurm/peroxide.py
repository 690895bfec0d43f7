"""Small campaigns on hydrogen peroxide, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import loopback

INPUTS = Path(__file__).parents[3] / "inputs"

PRESCREEN = """
title = "HOOH"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "hooh-gauche.xyz"
[structure.isomers.twisted]
file = "hooh-twisted.xyz"
[prescreen]
method = "GFN1-xTB"
preoptimize = "none"
"""
SCAN = """
[scan]
dft_points = "all"
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = 60
stop_deg = 180
step_deg = {step}
"""
DFT = """
[dft]
method = "pbe"
basis = "sto-3g"
[dft.keywords]
grid_level = 0
[resources]
threads = 2
memory_mb = 2000
"""


@dataclass(frozen=True)
class Campaign:
    """An input in a folder of its own, and the program typed there."""

    slurm: loopback.Slurm
    input: Path

    @property
    def results(self) -> Path:
        return self.input.parent / "results"

    @property
    def run(self) -> Path:
        return self.results / self.input.stem

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "qcdriver.cli", *map(str, words)]

    def type(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self.slurm.environment, capture_output=True, text=True, check=False
        )

    def submit(self) -> list[str]:
        done = self.type("submit", self.input, "--results", self.results)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def steps(self) -> dict[str, dict[str, object]]:
        """Give the status by step."""
        done = self.type("status", self.run, "--json")
        assert done.returncode == 0, done.stderr
        return {each["step"]: each for each in json.loads(done.stdout)["steps"]}

    def queue(self) -> list[tuple[str, str, str]]:
        """List (step, index, state) of every task in the queue."""
        found = []
        for line in self.slurm.ask("squeue", "-h", "-r", "-o", "%j|%K|%T").splitlines():
            name, array_id, state = line.split("|")
            step, _, offset = name.split(":")[3].partition("+")
            found.append((step, str(int(offset) + int(array_id)), state))
        return found

    def job(self, step: str) -> str:
        """Give the number of a step's newest job."""
        sent = [json.loads(line) for line in next(self.run.glob("slurm/*/sent.jsonl")).read_text().splitlines()]
        return [each["job"] for each in sent if each["step"] == step][-1]

    def name_of(self, step: str) -> str:
        """Give the name of a step's jobs."""
        script = next(self.run.glob(f"slurm/*/scripts/{step}+0.sbatch")).read_text()
        return script.split("--job-name=")[1].splitlines()[0]

    def records(self) -> list[dict[str, object]]:
        """Give every record on disk: each line, and each task file."""
        lines = [path.read_text() for path in self.run.glob("tasks/*.json")]
        if (file := self.run / "records.jsonl").exists():
            lines += file.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def computed(self, stage: str) -> list[str]:
        """Give the key of every record of a stage, as often as it was written."""
        return [each["key"] for each in self.records() if each["stage"] == stage and "task" in each]
