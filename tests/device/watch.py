"""What a calculation costs while it runs: seconds a cycle, the most memory, and how busy the GPU was."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 0.2


class Cycles:
    """Prints progress as it comes, and knows how long cycles took."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        self._seconds: list[float] = []

    def __call__(self, line: str) -> None:
        print(f"      {time.strftime('%H:%M:%S')} {line}", flush=True)
        if "SCF cycle " not in line:
            return
        if "SCF cycle 1 " in line:
            self._moments = []
        self._moments.append(time.perf_counter())
        if len(self._moments) > 1:
            self._seconds.append(self._moments[-1] - self._moments[-2])

    def found(self) -> dict:
        """Return how many cycles there were after first ones, and the seconds of the usual and of the longest."""
        if not self._seconds:
            return {}
        return {
            "cycles": len(self._seconds),
            "cycle_s": round(statistics.median(self._seconds), 3),
            "longest_cycle_s": round(max(self._seconds), 3),
        }


@contextmanager
def watched_gpu(found: dict) -> Iterator[None]:
    """Note the most memory in use on the first GPU, by any process, and the mean share of time that it was busy."""
    used, busy, done = [], [], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_EVERY_S):
            used.append(used_mb())
            share = busy_percent()
            if share is not None:
                busy.append(share)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        found["most_gpu_memory_mb"] = round(max(used, default=used_mb()))
        found["busy_percent"] = round(statistics.mean(busy)) if busy else None


def used_mb() -> float:
    """Return what is in use on the first GPU: large arrays are not in CuPy's pool, so the driver is asked."""
    import cupy

    free, total = cupy.cuda.runtime.memGetInfo()
    return (total - free) / 2**20


def busy_percent() -> float | None:
    """Ask nvidia-smi how busy the first GPU is; None without it."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return float(words) if words.isdecimal() else None
