"""The QPs (13) of one CNNLight run: our projection against general solvers, growing k.

All solve the same problems in one process with the same number of threads. The general solvers get
the primal problem with its matrix written out, as the paper's authors gave it to Gurobi; writing it
out is not counted. Ours is timed from the cuts to the step, gradients of the rows included, once
warm-started from the last iteration as in Algorithm 1 and once from nothing.

Usage: python benchmarks/projection_solvers.py [--adversarial-points 10] ...
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import clarabel
import highspy
import numpy as np
import osqp
import pandas as pd
import piqp
import scipy.sparse
import torch
from finetuning_speed import ATTACKS, adversarial_set
from numpy.typing import NDArray

from advmip.datasets import load_dataset
from advmip.finetuning import finetune
from advmip.finetuning.adversarial_points import AdversarialPoints
from advmip.finetuning.cuts import CutBlock
from advmip.finetuning.projection import Projection, ProjectionResult
from advmip.finetuning.run import Run
from advmip.memory import keep_freed_memory
from advmip.networks.released import released_network
from advmip.threads import use_threads

ACCURACY = 1e-8

Vector = NDArray[np.float64]
# The step, and how the solver ended.
Solution = tuple[Vector | None, str]


def with_clarabel(matrix: Vector, right: Vector, limit: float) -> Solution:
    length = matrix.shape[1]
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.time_limit = False, limit
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = ACCURACY
    solution = clarabel.DefaultSolver(
        scipy.sparse.eye(length, format="csc"),
        np.zeros(length),
        scipy.sparse.csc_matrix(-matrix),
        -right,
        [clarabel.NonnegativeConeT(len(right))],
        settings,
    ).solve()
    return np.array(solution.x), str(solution.status)


def with_osqp(matrix: Vector, right: Vector, limit: float) -> Solution:
    length = matrix.shape[1]
    solver = osqp.OSQP()
    solver.setup(
        P=scipy.sparse.eye(length, format="csc"),
        q=np.zeros(length),
        A=scipy.sparse.csc_matrix(matrix),
        l=right,
        u=np.full(len(right), np.inf),
        verbose=False,
        eps_abs=ACCURACY,
        eps_rel=ACCURACY,
        max_iter=10**6,
        time_limit=limit,
    )
    result = solver.solve(raise_error=False)
    return result.x, result.info.status


def with_piqp(matrix: Vector, right: Vector, limit: float) -> Solution:
    del limit  # PIQP knows none; the caller stops growing k instead.
    length = matrix.shape[1]
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = ACCURACY
    solver.setup(
        scipy.sparse.eye(length, format="csc"),
        np.zeros(length),
        G=scipy.sparse.csc_matrix(-matrix),
        h_u=-right,
    )
    status = solver.solve()
    return solver.result.x, str(status)


def with_highs(matrix: Vector, right: Vector, limit: float) -> Solution:
    rows, length = matrix.shape
    model = highspy.HighsModel()
    problem = model.lp_
    problem.num_col_, problem.num_row_ = length, rows
    problem.col_cost_ = np.zeros(length)
    problem.col_lower_ = np.full(length, -highspy.kHighsInf)
    problem.col_upper_ = np.full(length, highspy.kHighsInf)
    problem.row_lower_, problem.row_upper_ = right, np.full(rows, highspy.kHighsInf)
    sparse = scipy.sparse.csc_matrix(matrix)
    problem.a_matrix_.start_ = sparse.indptr
    problem.a_matrix_.index_ = sparse.indices
    problem.a_matrix_.value_ = sparse.data
    model.hessian_.dim_ = length
    model.hessian_.format_ = highspy.HessianFormat.kTriangular
    model.hessian_.start_ = np.arange(length + 1)
    model.hessian_.index_ = np.arange(length)
    model.hessian_.value_ = np.ones(length)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", limit)
    solver.passModel(model)
    solver.run()
    return np.array(solver.getSolution().col_value), str(solver.getModelStatus())


GENERAL = {
    "Clarabel": with_clarabel,
    "PIQP": with_piqp,
    "OSQP": with_osqp,
    "HiGHS": with_highs,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--adversarial-points", type=int, default=10)
    parser.add_argument("--iterates", type=int, nargs="+", default=[1, 2, 5, 10, 20])
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a solve")
    parser.add_argument("--solvers", nargs="+", choices=list(GENERAL), default=list(GENERAL))
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--network-dir", type=Path, default=Path("networks"))
    parser.add_argument("--work-dir", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def problems(
    options: argparse.Namespace,
) -> Iterator[tuple[int, list[CutBlock], ProjectionResult, float]]:
    """Runs Algorithm 1 and yields its QPs: (k, blocks, step, seconds warm, seconds cold)."""
    network = released_network("cnn_light", options.network_dir, options.work_dir)
    train = load_dataset("mnist", "train", options.data_dir)
    points = adversarial_set(
        network, train, ATTACKS["mnist"], options.adversarial_points, 0, options.work_dir
    )
    separation = AdversarialPoints(network, points, margin=1e-5, radius=0.0)
    run = Run(network, train, separation, loss_slack=0.0, seed=0)
    # The first call of anything in torch pays for its loading.
    finetune(network, train, points, iterations=1, progress=False)
    for k in range(1, max(options.iterates) + 1):
        run.iterate()
        warm = run.projections[-1]
        if k in options.iterates:
            blocks = list(run.blocks)
            cold = Projection(len(warm.step), torch.device("cpu"))
            for block in blocks:
                cold.add(block)
            yield k, blocks, warm, cold.solve().seconds


def written_out(blocks: list[CutBlock]) -> tuple[Vector, Vector]:
    rows, right = [], []
    for block in blocks:
        count = len(block.right_hand_side)
        rows.append(block.gradients(torch.arange(count)).written_out().numpy())
        right.append(block.right_hand_side.numpy())
    return np.concatenate(rows), np.concatenate(right)


def main() -> None:
    options = arguments()
    use_threads(options.threads)
    keep_freed_memory()
    table, given_up = [], set()
    for k, blocks, warm, cold_seconds in problems(options):
        matrix, right = written_out(blocks)
        objective = 0.5 * warm.distance**2
        print(f"k = {k}: {matrix.shape[0]} rows, {matrix.shape[1]} columns", flush=True)
        for name, seconds in (("ours, warm", warm.seconds), ("ours, cold", cold_seconds)):
            table.append([k, len(right), name, seconds, objective, 0.0, "optimal"])
            print(f"  {name}: {seconds:.3f} s, objective {objective:.9f}", flush=True)
        for name in options.solvers:
            if name in given_up:
                table.append([k, len(right), name, math.nan, math.nan, math.nan, "not tried"])
                continue
            started = time.perf_counter()
            step, status = GENERAL[name](matrix, right, options.limit)
            seconds = time.perf_counter() - started
            theirs = 0.5 * float(step @ step) if step is not None and len(step) else math.nan
            difference = abs(theirs - objective) / objective
            table.append([k, len(right), name, seconds, theirs, difference, status])
            print(
                f"  {name}: {seconds:.1f} s, objective {theirs:.9f} "
                f"(relative difference {difference:.1e}), {status}, "
                f"{seconds / warm.seconds:.0f} times ours",
                flush=True,
            )
            if seconds > options.limit:
                given_up.add(name)
    columns = ["k", "rows", "solver", "seconds", "objective", "relative_difference", "status"]
    frame = pd.DataFrame(table, columns=columns)
    options.work_dir.mkdir(parents=True, exist_ok=True)
    frame.to_csv(options.work_dir / "projection_solvers.csv", index=False)
    print(frame.pivot(index=["k", "rows"], columns="solver", values="seconds").round(3).to_string())


if __name__ == "__main__":
    main()
