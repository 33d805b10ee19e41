"""The runs of one job that go on until images are proved robust, whatever they start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from advmip.experiments.rows import write_rows
from advmip.experiments.zhao_kronqvist.certified import ProofsJob
from advmip.experiments.zhao_kronqvist.certified_instances import (
    PROOFS,
    REPAIRS,
    certified_shard_of,
)
from advmip.experiments.zhao_kronqvist.proving import ProvingJob
from advmip.experiments.zhao_kronqvist.repairs import RepairsJob
from advmip.settings import Settings

_JOBS: dict[str, Callable[[Settings, str, Path, Path], ProvingJob]] = {
    PROOFS: ProofsJob,
    REPAIRS: RepairsJob,
}


def certified_runs(
    settings: Settings,
    experiment: str,
    paper_network: str,
    shard: int,
    network_file: Path,
    journal: Path,
    out: Path,
) -> None:
    """Do the runs of one job, and measure the weights that each ends with.

    Each run goes into a journal as soon as it is measured; on the way to it iterates and verdicts
    are kept in a folder of the journal's name, so that a process that is killed goes on where it
    was.

    Args:
        settings: All settings.
        experiment: "extension4" or "extension5".
        paper_network: The source's name for the network.
        shard: Which of the jobs on this network.
        network_file: The network's weights.
        journal: Where finished runs are recorded.
        out: The rows, of kind "robustness".

    Raises:
        InputError: The scale has no such runs, a file cannot be used, or there are too few points
            or images.
        CheckError: An answer failed its independent check.
    """
    runs = certified_shard_of(settings, experiment, paper_network, shard)
    job = _JOBS[experiment](settings, paper_network, network_file, journal)
    write_rows("robustness", job.done(runs), out)
