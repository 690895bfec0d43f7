"""Check a GPU, and what a cluster costs on it, in the minutes that it is lent; the cheap steps first.

    python tests/device/check.py [--folder DIR] [--minutes 14] [--small] [STEP ...]

Steps, each in a process of its own that is ended at its time limit (none named: all, in this order):

agreement         AuCl against the CPU, as before each run
model-energy      [Au13Ag12(PH3)10Cl8]+ at geometry and level of a kept CPU record: energy, gap, charges, dipole
model-gradient    its gradient, against energies along it, and against the CPU's of `--reference` where there is one
cluster-energy    [Au13Ag12(PPh3)10Cl8]+ (373 atoms, 4382 functions, PBE-D3(BJ)/def2-SVP): gpu4pyscf's timings a cycle,
                  how busy the GPU was, the most memory it used, populations
cluster-gradient  its gradient, core potentials in pieces
tests             tests/engines/pyscf/test_on_the_gpu.py, where pytest is installed

Everything is written out as it ends: DIR/findings.jsonl, DIR/STEP.log, and DIR/kernels.tar, what CuPy has compiled so
far (unpack it into CUPY_CACHE_DIR, and the next machine compiles nothing). SCFs of the cluster go on from a checkpoint
in DIR, so a step that was cut short is called again. Ends with 1 if anything disagreed, failed or was cut short.

`--small` puts small molecules in the place of clusters, for a stand-in of a GPU (tests/engines/pyscf/rehearsal).
`--reference FILE` is written by a CPU, in hours: python tests/device/check.py --write-reference FILE
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from steps import STEPS, Options, run_step, write_reference

RESERVE_S = 10
"""For what comes after a step: its findings, and the tar of the kernels."""


def main() -> None:
    """Run the steps, or one of them here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--folder", type=Path, default=Path("results/gpu-check"), help="for all that is written")
    parser.add_argument("--minutes", type=float, default=14.0, help="that all steps may take")
    parser.add_argument("--small", action="store_true", help="small molecules in the place of clusters")
    parser.add_argument("--reference", type=Path, help="the CPU's gradient of the model")
    parser.add_argument("--write-reference", type=Path, metavar="FILE", help="compute that on this CPU; takes hours")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.steps) - set(STEPS):
        parser.error(f"no step {', '.join(unknown)}; there are {', '.join(STEPS)}")
    given.folder.mkdir(parents=True, exist_ok=True)
    options = Options(given.folder, given.small, given.reference)
    if given.write_reference:
        write_reference(given.write_reference, options)
    elif given.here:
        print("FOUND " + json.dumps(run_step(given.steps[0], options)), flush=True)
    else:
        sys.exit(not run_all(given.steps or list(STEPS), given.minutes, options))


def run_all(steps: list[str], minutes: float, options: Options) -> bool:
    """Run steps one after another, within their limits and the time that is left; return whether all were good."""
    end, good = time.monotonic() + 60 * minutes, True
    kernels = Path(os.environ.setdefault("CUPY_CACHE_DIR", str(options.folder / "kernels"))).absolute()
    os.environ["CUPY_CACHE_DIR"] = str(kernels)
    for step in steps:
        limit = min(STEPS[step].limit_s, end - time.monotonic() - RESERVE_S)
        started = time.monotonic()
        found = {"good": False, "error": "no time was left for it"}
        if limit > 0:
            found = run_apart(step, limit, options)
        found = {"step": step, "wall_s": round(time.monotonic() - started, 1), **found}
        good &= found["good"]
        print(("ok    " if found["good"] else "WRONG ") + json.dumps(found), flush=True)
        with (options.folder / "findings.jsonl").open("a") as file:
            file.write(json.dumps(found) + "\n")
        if kernels.is_dir():
            with tarfile.open(options.folder / "kernels.tar", "w") as tar:
                tar.add(kernels, arcname=".")
    return good


def run_apart(step: str, limit_s: float, options: Options) -> dict:
    """Run a step in a process of its own: an illegal access spoils a CUDA context, and a hang would be for good."""
    command = [sys.executable, __file__, "--here", step, "--folder", str(options.folder)]
    command += ["--small"] * options.small
    command += ["--reference", str(options.reference)] if options.reference else []
    log = options.folder / f"{step}.log"
    with log.open("w") as file:
        try:
            code = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, timeout=limit_s, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return {"good": False, "error": f"not done within {limit_s:.0f} s; see {log.name}"}
    found = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("FOUND ")]
    if not found:
        return {"good": False, "error": f"ended with code {code} and found nothing; see {log.name}"}
    return dict(json.loads(found[-1].removeprefix("FOUND ")))


if __name__ == "__main__":
    main()
