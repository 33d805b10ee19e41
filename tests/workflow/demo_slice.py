"""A slice of the demo that has all that a run writes: a network, a journal, rows, a figure."""

import json
import os
import subprocess
import sys
import time

import pandas as pd

from .conftest import CORES, SMOKE, copy_workflow

RESULTS = "results/demo"
FIGURE = f"{RESULTS}/figures/zhu_figure4"
NETWORK = f"{RESULTS}/networks/digits_dnn1.safetensors"
ROWS = f"{RESULTS}/shards/zhu/features/DNN1/neurons.csv"
JOURNAL = f"{RESULTS}/journals/zhu/features/DNN1.jsonl"
COMMAND = ("snakemake", "--cores", CORES, "zhu_figure4", "--configfile", SMOKE)


class Slice:
    """The slice in a folder of its own.

    Args:
        folder: The folder; the workflow is copied there.
        environment: What its processes have of variables besides those of this one.
        options: What Snakemake is told besides.
        copied: Whether the workflow is there already.

    Attributes:
        seconds: How long the last run took that was left alone.
    """

    def __init__(self, folder, environment=None, options=(), *, copied=False):
        if not copied:
            folder.mkdir(exist_ok=True)
            copy_workflow(folder)
        self.folder = folder
        self.seconds = None
        self.command = [sys.executable, "-m", *map(str, (*COMMAND, *options))]
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}

    def begun(self, *, before=None):
        """A run, in a session of its own; `before` is called in its process."""
        with (self.folder.parent / f"{self.folder.name}.txt").open("w") as printed:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before,
            )

    @property
    def printed(self):
        """What the last run has printed."""
        return (self.folder.parent / f"{self.folder.name}.txt").read_text()

    def finished(self):
        """Let a run alone, which must succeed."""
        start = time.monotonic()
        assert self.begun().wait() == 0, self.printed
        self.seconds = time.monotonic() - start

    @property
    def lines(self):
        """The whole lines of the journal."""
        journal = self.folder / JOURNAL
        return journal.read_bytes().splitlines(keepends=True) if journal.is_file() else []

    @property
    def keys(self):
        """What the journal has results of."""
        return [json.loads(line)["key"] for line in self.lines]

    @property
    def rows(self):
        """The rows, apart from times and places."""
        rows = pd.read_csv(self.folder / ROWS)
        timed = [name for name in rows.columns if name.startswith("seconds")]
        return rows.drop(columns=[*timed, "provenance"])

    @property
    def shown(self):
        """What the figure shows."""
        return (self.folder / f"{FIGURE}.csv").read_text()

    def goes_on(self, undisturbed):
        """Let a run alone after what disturbed others: nothing is lost or repeated."""
        before = self.lines
        self.finished()
        self.check(undisturbed, before)

    def check(self, undisturbed, before=()):
        """Nothing is lost or repeated, and no row is wrong.

        Args:
            undisturbed: The slice of a run that was left alone.
            before: Lines of the journal that were there before the last run.
        """
        pd.testing.assert_frame_equal(self.rows, undisturbed.rows)
        assert self.shown == undisturbed.shown
        assert self.lines[: len(before)] == list(before)
        assert len(self.keys) == len(set(self.keys)) == len(self.rows)
        assert not list((self.folder / RESULTS).rglob(".*.????????????*"))
