"""Exact attacks, ours beside other packages: the same instances and solver, in one process.

Ours and the other package take turns on every instance. Seconds are those from the network and
the image to the answer: our search and bounds and the writing of models included, on both sides.

Usage: python benchmarks/exact_attacks_beside_others.py NETWORK ... --packages OMLT PySCIPOpt-ML
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attack_instances import (
    RATIO,
    Answer,
    AttackedNetwork,
    Instance,
    Limits,
    Row,
    add_options,
    answered,
    load_attacked_network,
    our_answer,
    warm_up,
)
from other_packages import DISTANCES, PACKAGES, LicenceError, sequential

from advmip.errors import InputError
from advmip.memory import keep_freed_memory
from advmip.mip.goals import targeted
from advmip.networks import Network, staged
from advmip.threads import use_threads

_REFUSED = "refused"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.set_defaults(images=3, time_limit=100.0)
    parser.add_argument("--distance", choices=DISTANCES, default="l1")
    parser.add_argument("--packages", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    return parser.parse_args()


def check_installed(packages: list[str]) -> None:
    """Check that the other packages are there; the project itself does without."""
    absent = [name for name in packages if find_spec(PACKAGES[name].module) is None]
    if absent:
        raise InputError(
            subject="packages to compare with",
            found=f"no {', '.join(absent)}",
            expected="those of benchmarks/requirements-others.txt",
            mend="make the environment that benchmarks/README.md describes, or name --packages",
        )


def their_answer(
    instance: Instance, limits: Limits, *, network: Network, distance: str, package: str
) -> Row:
    """What another package finds and proves, and what the network itself says of its point."""
    begun = time.perf_counter()
    try:
        found = PACKAGES[package].attack(sequential(network), instance, distance, limits)
    except LicenceError as error:
        return _refused(str(error))
    row: Row = {
        "status": found.status.value,
        "objective": found.objective,
        "lower_bound": found.lower_bound,
        "seconds": time.perf_counter() - begun,
        "seconds_solver": found.seconds_solver,
        "columns": found.columns,
        "package_version": version(package),
    }
    if found.point is not None:
        form = staged(network)
        goal = targeted(instance.target, form.classes, RATIO)
        row["surplus"] = float(goal.surplus(form.logits(found.point))) + goal.margin
    return row


def our_answer_or_refusal(instance: Instance, limits: Limits, *, solver: str, **how: Any) -> Row:
    """Ours; a row too where the solver's licence does not admit our model."""
    try:
        return our_answer(instance, limits, solver=solver, **how)
    except InputError as error:
        if error.subject != f"solver {solver}":
            raise
        return _refused(error.found)


def _refused(reason: str) -> Row:
    nothing = dict.fromkeys(("objective", "lower_bound", "seconds", "seconds_solver"), np.nan)
    return {"status": _REFUSED, "reason": reason, **nothing}


def answers_of(attacked: AttackedNetwork, options: argparse.Namespace) -> dict[str, Answer]:
    """Each package, followed by ours with the same solver."""
    shared: dict[str, Any] = {"network": attacked.network, "distance": options.distance}
    answers: dict[str, Answer] = {}
    for name in options.packages:
        solver = PACKAGES[name].solver
        answers[name] = partial(their_answer, package=name, **shared)
        answers[f"ours, {solver}"] = partial(
            our_answer_or_refusal, solver=solver, failures=options.work_dir, **shared
        )
    return answers


def compared(rows: pd.DataFrame, package: str) -> Row:
    """One package beside ours on one network.

    Where an attack ran out of time its seconds are about the limit: if it is theirs, the ratio is
    a lower bound of the true one, if it is ours, an upper bound. Instances that neither or that
    only a refused solver answered say nothing.
    """
    by_image = rows.set_index("image")
    theirs = by_image[by_image["answer"] == package]
    ours = by_image[by_image["answer"] == f"ours, {PACKAGES[package].solver}"]
    proved = pd.DataFrame({"theirs": theirs["status"], "ours": ours["status"]}) == "optimal"
    admitted = (theirs["status"] != _REFUSED) & (ours["status"] != _REFUSED)
    telling = proved.any(axis=1) & admitted
    both = proved.all(axis=1)
    deviation = (theirs["objective"] / ours["objective"] - 1.0).abs()[both]
    return {
        "images": len(ours),
        "refused": int((~admitted).sum()),
        "they_proved": int(proved["theirs"].sum()),
        "we_proved": int(proved["ours"].sum()),
        "their_seconds": theirs["seconds"].mean(),
        "our_seconds": ours["seconds"].mean(),
        "ratio": _geometric_mean((theirs["seconds"] / ours["seconds"])[telling]),
        "ratio_processor": _geometric_mean(
            (theirs["processor_seconds"] / ours["processor_seconds"])[telling]
        ),
        # Their solver alone against all of ours: what is left if writing models cost nothing.
        "ratio_solver": _geometric_mean((theirs["seconds_solver"] / ours["seconds"])[telling]),
        "largest_deviation": deviation.max(),
        "least_surplus": theirs["surplus"].min() if "surplus" in theirs else np.nan,
    }


def _geometric_mean(values: pd.Series[float]) -> float:
    return float(np.exp(np.log(values).mean()))


def main() -> None:
    options = arguments()
    check_installed(options.packages)
    use_threads(options.threads)
    keep_freed_memory()
    limits = Limits.chosen(options)
    folder: Path = options.work_dir / "exact_attacks_beside_others"
    table: dict[tuple[str, str], Row] = {}
    for file in options.networks:
        attacked = load_attacked_network(file, options.images, options.data_dir)
        answers = answers_of(attacked, options)
        if not table:
            warm_up(attacked, limits, answers)
        path = folder / f"{attacked.name}-{options.distance}"
        rows = answered(path, attacked, limits, answers, distance=options.distance)
        shown = ["answer", "image", "status", "objective", "lower_bound"]
        shown += ["seconds", "seconds_solver", "processor_seconds"]
        print(f"{attacked.name}\n{rows[shown].to_string(index=False, float_format='%.6g')}")
        if "reason" in rows:
            print("\n".join(f"refused: {reason}" for reason in rows["reason"].dropna().unique()))
        for package in options.packages:
            table[attacked.name, package] = compared(rows, package)
    print(pd.DataFrame(table).T.to_string(float_format="%.3g"))


if __name__ == "__main__":
    main()
