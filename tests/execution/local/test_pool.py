"""Workers: real tasks in child processes; a death costs one task, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.execution.local import pool as pool_module
from qcdriver.execution.local.pool import Answer, Pool
from qcdriver.execution.local.runner import LocalRunner
from qcdriver.execution.progress import Display
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Built, Failure, Result
from qcdriver.models.records import Provenance
from qcdriver.models.tasks import Build, SinglePoint, Task
from qcdriver.models.verdicts import Purpose
from qcdriver.store import Records
from qcdriver.workflow.base import Job, alone
from qcdriver.workflow.resources import Machine, StageResources

WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [0, 1.4, 1.1], [0, -1.4, 1.1]])
ROD = Build(source="au13ag12", settings={"phosphine": "PH3"}, program_version="test")


def gfn1() -> SinglePoint:
    engine = find("tblite")
    if missing := engine.missing():
        pytest.skip(missing)
    return SinglePoint(molecule=WATER, level=engine.level(Model(method="GFN1-xTB")))


def answers(pool: Pool, *tasks: Task) -> list[Answer]:
    """Have tasks computed, and give their answers as they come."""
    for position, task in enumerate(tasks):
        pool.submit(position, task, quiet)
    return [pool.answer() for _ in tasks]


def quiet(position: int, text: str) -> None:
    pass


def test_outcomes_come_with_their_positions_and_provenance(tmp_path):
    with Pool(2, Resources(), tmp_path / "log", tmp_path) as pool:
        found = {position: (outcome, origin) for position, outcome, origin in answers(pool, ROD, gfn1())}
    assert isinstance(found[0][0], Built)
    assert isinstance(found[1][0], Result)
    provenance = found[1][1]
    assert provenance is not None
    assert provenance.libraries["tblite"]
    assert provenance.wall_s > 0


def test_an_error_is_a_failure_with_its_type_and_its_line(tmp_path):
    wrong = gfn1().model_copy(update={"level": gfn1().level.model_copy(update={"model": Model(method="GFN9")})})
    with Pool(1, Resources(), tmp_path / "log", tmp_path) as pool:
        ((_, outcome, _),) = answers(pool, wrong)
    assert isinstance(outcome, Failure)
    assert outcome.error_type == "InputError"
    assert "GFN9" in outcome.message


def children(pid: int) -> list[int]:
    """List the child processes of all threads of a process."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def kill_the_first_worker() -> None:
    while not (workers := children(os.getpid())):
        time.sleep(0.001)
    os.kill(workers[0], signal.SIGKILL)


def test_a_killed_worker_costs_its_task_and_the_next_one_works(tmp_path):
    with Pool(1, Resources(), tmp_path / "log", tmp_path) as pool:
        killer = threading.Thread(target=kill_the_first_worker)
        killer.start()
        first, second = answers(pool, ROD, ROD.model_copy(update={"start": 1}))
        killer.join()
    assert isinstance(first[1], Failure)
    assert first[1].error_type == "WorkerDied"
    assert "signal 9" in first[1].message
    assert isinstance(second[1], Built)


def test_leaving_the_pool_ends_its_workers(tmp_path):
    with Pool(1, Resources(), tmp_path / "log", tmp_path) as pool:
        answers(pool, ROD)
        workers = children(os.getpid())
        assert workers
    assert not set(workers) & set(children(os.getpid()))


def test_workers_end_when_their_driver_is_killed(tmp_path):
    code = textwrap.dedent("""
        import sys; from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from test_pool import ROD, answers
        from qcdriver.execution.local.pool import Pool
        from qcdriver.models.level import Resources
        with Pool(1, Resources(), Path(sys.argv[1]), Path(sys.argv[1]).parent) as pool:
            answers(pool, ROD)
            print("ready", flush=True)
            sys.stdin.read()
    """)
    here = str(Path(__file__).parent)
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log"), here],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == "ready\n"
    (worker,) = children(driver.pid)
    driver.kill()
    driver.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_task_beyond_its_time_limit_is_ended_and_says_so_and_the_next_goes_on(tmp_path):
    with Pool(1, Resources(), tmp_path / "log", tmp_path, limit_s=0.05) as pool:
        ((_, outcome, _),) = answers(pool, ROD)  # a process alone takes longer to start
        assert isinstance(outcome, Failure)
        assert outcome.message == "not done within its time limit of 0.05 s"
        pool.limit_s = 60
        ((_, after, _),) = answers(pool, ROD)
    assert isinstance(after, Built)


def environments() -> list[dict[str, str]]:
    """Read what the workers were started with."""
    found = [Path(f"/proc/{child}/environ").read_text().rstrip("\0") for child in children(os.getpid())]
    return [dict(line.split("=", 1) for line in each.split("\0")) for each in found if each]


def test_each_worker_sees_its_own_gpus(tmp_path):
    seen = []
    with Pool(2, Resources(), tmp_path / "log", tmp_path, gpus=["0,1", "2,3"]) as pool:
        for position in range(2):
            pool.submit(position, ROD, quiet)
        while len(seen) < 2:
            seen = [each["CUDA_VISIBLE_DEVICES"] for each in environments() if "CUDA_VISIBLE_DEVICES" in each]
        for _ in range(2):
            pool.answer()
    assert sorted(seen) == ["0,1", "2,3"]


CARD = """
import json, os, sys, time
for line in sys.stdin:
    card = os.environ["CUDA_VISIBLE_DEVICES"]
    if card == "1":
        os.kill(os.getpid(), 9)
    time.sleep(0.05)
    outcome = {"kind": "failure", "error_type": "EngineError", "message": "computed on " + card}
    print(json.dumps({"outcome": outcome, "provenance": json.loads(sys.argv[1])}), flush=True)
"""
"""A worker whose second GPU is broken."""


def test_a_broken_gpu_costs_the_tasks_it_began_and_no_others(tmp_path, monkeypatch):
    origin = Provenance(
        program_version="test", libraries={}, python="3", host="here", threads=1, started_utc="now", wall_s=0, cpu_s=0
    )
    monkeypatch.setattr(pool_module, "_COMMAND", (sys.executable, "-c", CARD, origin.model_dump_json()))
    with Pool(3, Resources(device="gpu"), tmp_path / "log", tmp_path, gpus=["0", "1", "2"]) as pool:
        outcomes = [outcome for _, outcome, _ in answers(pool, *[ROD] * 20)]
        pool.submit(20, ROD, quiet)
        outcomes.append(pool.answer()[1])
    died = [outcome.message for outcome in outcomes if outcome.error_type == "WorkerDied"]
    assert len(died) == 2
    assert [message.endswith("GPU 1 is left out from now on") for message in died] == [False, True]
    assert {outcome.message for outcome in outcomes} - set(died) == {"computed on 0", "computed on 2"}


def test_the_last_gpu_is_never_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(pool_module, "_COMMAND", (sys.executable, "-c", CARD, "{}"))
    with Pool(1, Resources(device="gpu"), tmp_path / "log", tmp_path, gpus=["1"]) as pool:
        assert [outcome.error_type for _, outcome, _ in answers(pool, *[ROD] * 4)] == ["WorkerDied"] * 4


@pytest.mark.parametrize(("asked", "waits"), [(None, "passive"), ("active", "active")])
def test_threads_that_wait_leave_the_core_to_others_unless_the_user_wants_it_otherwise(
    tmp_path, monkeypatch, asked, waits
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if asked:
        monkeypatch.setenv("OMP_WAIT_POLICY", asked)
    with Pool(1, Resources(threads=2), tmp_path / "log", tmp_path) as pool:
        answers(pool, ROD)
        (worker,) = environments()
    assert worker["OMP_WAIT_POLICY"] == waits
    assert [worker[f"{each}_NUM_THREADS"] for each in ("OMP", "OPENBLAS", "MKL")] == ["2", "2", "2"]


@pytest.mark.parametrize(("by_dft", "blas_threads"), [(False, "1"), (True, "2")], ids=["xTB", "DFT"])
def test_xtb_has_one_thread_for_its_small_matrices_and_all_for_the_rest(tmp_path, by_dft, blas_threads):
    """On busy cores OpenBLAS' threads wait for each other so long that one is many times faster."""
    task = gfn1()
    if by_dft:
        if missing := find("pyscf").missing():
            pytest.skip(missing)
        task = task.model_copy(update={"level": find("pyscf").level(Model(method="lda,vwn", basis="sto-3g"))})
    machine, records = Machine(threads=2), Records(tmp_path)
    with Display() as display, LocalRunner(records, tmp_path / "log", machine, 1, display) as runner:
        runner.begin("dft" if by_dft else "prescreen", StageResources())
        runner([alone(Job("water", task, Purpose.SINGLE_POINT))])
        (worker,) = environments()
    assert worker["OMP_NUM_THREADS"] == "2"
    assert worker["OPENBLAS_NUM_THREADS"] == worker["MKL_NUM_THREADS"] == blas_threads


def test_one_calculation_after_another_needs_no_more_memory_than_one(tmp_path):
    engine = find("pyscf")
    if missing := engine.missing():
        pytest.skip(missing)
    level = engine.level(Model(method="pbe", basis="def2-svp"), {"grid_level": 0, "conv_tol": 1e-4})
    waters = [WATER.geometry + 6.0 * np.array(place) for place in np.ndindex(2, 2, 2)]
    cluster = Molecule(symbols=8 * WATER.symbols, geometry=np.concatenate(waters))
    points = [SinglePoint(molecule=cluster.moved(cluster.geometry * scale), level=level) for scale in (1, 1.01, 1.02)]
    with Pool(1, Resources(), tmp_path / "log", tmp_path) as pool:
        peaks = [provenance.peak_memory_mb for _, _, provenance in answers(pool, *points)]
    assert max(peaks) < peaks[0] + 50  # what it keeps of one, the three-index tensor first, is 100 MB
