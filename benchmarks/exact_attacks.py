"""Exact attacks: how many are proved, in how many seconds of which phase, with how many nodes.

Each answer is recorded as soon as it is found. A run that was stopped goes on where it was, and
with more images does only those that are new; changed code starts anew.

Usage: python benchmarks/exact_attacks.py results/mnist/networks/dnn1.safetensors ... --distance l1
"""

from __future__ import annotations

import argparse
from functools import partial

import pandas as pd
from attack_instances import (
    Limits,
    add_options,
    answered,
    load_attacked_network,
    our_answer,
    warm_up,
)

from advmip.memory import keep_freed_memory
from advmip.mip.attack_tree import STRATEGIES
from advmip.mip.solvers import AUTO, SOLVERS
from advmip.threads import use_threads

_MEANS = ("seconds", "seconds_search", "seconds_bounds", "seconds_solver", "nodes", "unstable")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--distance", default="l1")
    parser.add_argument("--solver", choices=[AUTO, *SOLVERS, *STRATEGIES], default=AUTO)
    return parser.parse_args()


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Over all attacks of a network, those that ran out of time included."""
    proved = rows["status"].isin(["optimal", "infeasible"])
    return {
        "images": len(rows),
        "proved_percent": 100.0 * proved.mean(),
        **{name: rows[name].mean() for name in _MEANS},
        "longest_seconds": rows["seconds"].max(),
        "mean_objective": rows.loc[rows["status"] == "optimal", "objective"].mean(),
    }


def main() -> None:
    options = arguments()
    use_threads(options.threads)
    keep_freed_memory()
    table: dict[str, dict[str, float]] = {}
    limits = Limits.chosen(options)
    depends = {"distance": options.distance, "solver": options.solver}
    for file in options.networks:
        attacked = load_attacked_network(file, options.images, options.data_dir)
        answers = {
            "ours": partial(
                our_answer, network=attacked.network, failures=options.work_dir, **depends
            )
        }
        name = f"{attacked.name}-{options.distance}-{options.solver}"
        if not table:
            warm_up(attacked, limits, answers)
        path = options.work_dir / "exact_attacks" / name
        rows = answered(path, attacked, limits, answers, **depends)
        shown = ["image", "status", "objective", *_MEANS, "solver_taken"]
        print(rows[shown].to_string(index=False, float_format="%.4g"), flush=True)
        table[attacked.name] = summary(rows)
    print(pd.DataFrame(table).T.to_string(float_format="%.4g"))


if __name__ == "__main__":
    main()
