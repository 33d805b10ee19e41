"""A cluster under Slurm on this machine: Debian's slurm-wlm and munge, without accounting."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

LONGEST_WAIT = 30.0
# Where Slurm looks: the variable SLURM_CONF does not reach the steps of Snakemake's jobs.
ETC = Path("/etc/slurm/slurm.conf")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=2,batch_sched_delay=0
MinJobAge=3600
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000000
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def cluster(folder, cores):
    """A cluster as long as the block lasts."""
    needed = ("munged", "slurmctld", "slurmd", "sbatch")
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (Debian: slurm-wlm, munge)")
    if os.geteuid() != 0:
        pytest.skip("a cluster on one machine is started by root, as in a container")
    if ETC.exists():
        pytest.skip("this machine belongs to a cluster already")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(host=host, folder=folder, cores=cores, ports=free_ports(2))
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    commands = (
        ("munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files),
        ("slurmctld", "-D"),
        ("slurmd", "-D", "-N", host),
    )
    with contextlib.ExitStack() as stack:
        ETC.parent.mkdir(exist_ok=True)
        ETC.symlink_to(configuration)
        stack.callback(ETC.unlink)
        for command in commands:
            daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(daemon.wait)
            stack.callback(daemon.terminate)
            time.sleep(1.0)
        wait_until(lambda: "idle" in asked("sinfo", "--noheader"))
        yield


def free_ports(count):
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def asked(*command):
    """What a command of Slurm answers."""
    return subprocess.run(command, capture_output=True, text=True).stdout


def wait_until(true):
    deadline = time.monotonic() + LONGEST_WAIT
    while not true():
        assert time.monotonic() < deadline, "the cluster does not answer"
        time.sleep(0.1)
