"""A real Slurm of one node on this machine's loopback, in a folder of its own, started and stopped by this process.

Needs Debian's munge, slurmctld, slurmd and slurm-client; installs nothing. Not a test: the tests and the campaign
benchmark use it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,defer_batch
GresTypes=gpu
ReturnToService=2
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=2
OverTimeLimit=0
MinJobAge=30
MaxArraySize={max_array_size}
MaxJobCount=50000
SlurmdTimeout=30
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 {gpus} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=500
"""


def missing() -> str | None:
    """Say what keeps Slurm from starting here; None when nothing does."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=SEARCH) is None]
    if lacking:
        return f"no {', '.join(lacking)}: apt-get install munge slurmctld slurmd slurm-client"
    return None


class Slurm:
    """Munge, slurmctld and slurmd below a folder; `environment` makes clients talk to them."""

    def __init__(self, folder: Path, max_array_size: int = 1001) -> None:
        self.folder = folder
        self.host = socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        values = {
            "folder": folder,
            "host": self.host,
            "user": subprocess.check_output(["id", "-un"], text=True).strip(),
            "control_port": free_port(),
            "node_port": free_port(),
            "max_array_size": max_array_size,
            "gpus": self._pretend_gpus(),
        }
        (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": SEARCH}

    def _pretend_gpus(self) -> str:
        """Make two devices that Slurm takes for GPUs; only root can, and without them there are none."""
        lines = []
        for number in range(2):
            device = self.folder / f"nvidia{number}"
            try:
                os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            except OSError:
                return ""
            lines.append(f"NodeName={self.host} Name=gpu File={device}\n")
        (self.folder / "gres.conf").write_text("".join(lines))
        return "Gres=gpu:2"

    def start(self) -> None:
        """Start the three. They leave this process, whose children are others' business, and are known by pid files."""
        folder = self.folder
        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        self._run(
            "munged",
            *("--force", f"--key-file={key}", f"--socket={folder}/munge.socket", f"--seed-file={folder}/seed"),
            *(f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log"),
        )
        self._await("munge does not answer", ["munge", "-n", "-S", f"{folder}/munge.socket"])
        self._run("slurmctld", "-f", f"{folder}/slurm.conf")
        self._await("slurmctld does not answer", ["scontrol", "ping"])
        self._run("slurmd", "-f", f"{folder}/slurm.conf", "-N", self.host)
        self._await("the node does not come up", ["sh", "-c", "sinfo -h -o %T | grep -qE 'idle|mixed|alloc'"])

    def stop(self) -> None:
        """End the jobs, then the three, last first; and nothing else."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            self.ask("scancel", "--me")
            self.wait_until(lambda: not self.ask("squeue", "-h"), 10)
        for program in ("slurmd", "slurmctld", "munged"):
            with contextlib.suppress(OSError, ValueError):
                process = Path("/proc") / str(int((self.folder / f"{program}.pid").read_text()))
                if str(self.folder) in (process / "cmdline").read_text():
                    os.kill(int(process.name), signal.SIGTERM)
                    if not self.wait_until(lambda process=process: not process.exists(), 15):
                        os.kill(int(process.name), signal.SIGKILL)

    def ask(self, *words: str) -> str:
        """Run one of Slurm's commands and give what it says."""
        run = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True, timeout=60)
        return run.stdout.strip()

    def wait_until(self, holds, seconds: float) -> bool:
        """Wait until something holds; False if it does not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.1)
        return False

    def hold(self) -> None:
        """Keep jobs from starting; what runs goes on."""
        self.ask("scontrol", "update", f"NodeName={self.host}", "State=DRAIN", "Reason=held")

    def let_go(self) -> None:
        """Let jobs start; a node that is up already says no to that."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.ask("scontrol", "update", f"NodeName={self.host}", "State=RESUME")

    def drained(self, seconds: float = 120) -> bool:
        """Wait until the queue is empty."""
        return self.wait_until(lambda: not self.ask("squeue", "-h"), seconds)

    def _run(self, program: str, *words: str) -> None:
        with (self.folder / f"{program}.out").open("wb") as out:
            command = [str(shutil.which(program, path=SEARCH)), *words]
            subprocess.run(command, env=self.environment, stdout=out, stderr=out, timeout=30, check=False)

    def _await(self, complaint: str, command: list[str]) -> None:
        def answers() -> bool:
            done = subprocess.run(command, env=self.environment, capture_output=True, timeout=20, check=False)
            return done.returncode == 0

        if not self.wait_until(answers, 20):
            logs = "\n".join(path.read_text()[-500:] for path in self.folder.glob("*.log"))
            self.stop()
            raise RuntimeError(f"{complaint}\n{logs}")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
