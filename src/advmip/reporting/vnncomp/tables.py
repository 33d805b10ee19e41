"""The competition's table: from tidy rows to a data frame."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.comparisons import compare_block, unpublished
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows, where
from advmip.reporting.vnncomp import printing
from advmip.reporting.vnncomp.answers import all_answers
from advmip.reporting.vnncomp.names import OURS

_DECIMALS = 1


def solved_instances(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1: solved instances of each benchmark, and below them all answers.

    Returns:
        The columns of `compare_block` and of `all_answers`. First a row for each number that a tool
        solved (percent), and for each benchmark that is ours alone; then one for each answer, with
        the columns instance, tool, answer, seconds, replayed and refuted.
    """
    source = sources["vnncomp"]
    answers = all_answers(rows)
    compared = [
        compare_block(rows, source, block, "published").assign(population=block.of)
        for block in source.blocks.values()
    ]
    ours = where(rows.frame("answers"), {"solver": "auto"})
    for benchmark, own in ours.groupby("paper_network", sort=False):
        if benchmark not in source.networks:
            alone = unpublished(own, source.name, {"solved": _DECIMALS}, network=str(benchmark))
            compared.append(alone.assign(tool=OURS, population=own["population"].iloc[0]))
    return pd.concat([*compared, answers], ignore_index=True)


TABLES: dict[str, TableKind] = {
    "vnncomp_table1": TableKind(solved_instances, printing.solved_instances),
}
