"""Row files: one answer a row, the same columns whatever wrote them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from advmip.durability.storage import write_atomically
from advmip.errors import InputError

Row = dict[str, Any]

IDENTITY_COLUMNS = (
    *("source", "experiment", "network", "paper_network", "dataset"),
    *("network_digest", "dataset_digest", "protocol", "seed"),
)
_ORIGIN_COLUMNS = ("threads", "code", "provenance")
_FINETUNING_COLUMNS = ("adversarial_count", "attacked_images", "radius", "fixed_ratio")
_SECONDS = ("seconds_projection", "seconds_gradient", "seconds_line_search")

COLUMNS: dict[str, tuple[str, ...]] = {
    "evaluations": (
        *IDENTITY_COLUMNS,
        "method",
        *_FINETUNING_COLUMNS,
        *("iterations", "omega", "chosen_iteration", "chosen_alpha", "violation"),
        *("training_loss", "clean_accuracy", "fgsm_accuracy", "pgd_accuracy", "test_images"),
        *("seconds_total", *_SECONDS, "seconds_evaluation", "status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    "iterations": (
        *IDENTITY_COLUMNS,
        *_FINETUNING_COLUMNS,
        *("iterations", "iteration", "violation", "loss", "pgd_accuracy"),
        *("rows", "working_rows", "active_rows", "distance", "duality_gap", "infeasibility"),
        *_SECONDS,
        *_ORIGIN_COLUMNS,
    ),
    "pool": (
        *IDENTITY_COLUMNS,
        *_FINETUNING_COLUMNS,
        *("iterations", "iteration", "alpha", "violation", "loss", "complete", "pareto"),
        *_ORIGIN_COLUMNS,
    ),
    # Networks made robust, and what was proved of images of them; shares are in percent. A repair
    # has a task, training images that were wrong, and others that were.
    "robustness": (
        *IDENTITY_COLUMNS,
        *("task", "method", "epsilon", "training_images", "training_right", "training_proved"),
        *("other_images", "others_right", "verified_images"),
        *("proved", "linear", "unbroken", "pgd_accuracy", "clean_accuracy", "test_images"),
        *("distance", "iterations", "points", "constraints", "stopped", "time_limit"),
        *("seconds_total", "seconds_separation", *_SECONDS, "seconds_evaluation"),
        *("status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    "timings": (*IDENTITY_COLUMNS, "what", "seconds", *_ORIGIN_COLUMNS),
    "networks": (
        *IDENTITY_COLUMNS,
        *("hidden_layers", "parameters", "units", "layers", "accuracy", "test_images"),
        *_ORIGIN_COLUMNS,
    ),
    "bounds": (
        *IDENTITY_COLUMNS,
        *("bounds", "neurons", "unstable", "seconds", "bound_time_limit"),
        *_ORIGIN_COLUMNS,
    ),
    "accuracies": (
        *IDENTITY_COLUMNS,
        *("trained_on", "examples_added", "distance_name", "accuracy", "test_images"),
        *_ORIGIN_COLUMNS,
    ),
    "attacks": (
        *IDENTITY_COLUMNS,
        *("trained_on", "examples_added"),
        *("image", "rank", "label", "target", "predicted", "ratio", "distance_name"),
        *("formulation", "bounds", "solver", "time_limit", "gap"),
        *("outcome", "distance", "lower_bound", "changed_pixels", "total_change", "euclidean"),
        *("largest_change", "solver_taken", "solver_reason", "nodes", "neurons", "unstable"),
        *("seconds_total", "seconds_search", "seconds_bounds", "seconds_solver"),
        *("status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # Neurons: bounds of what enters them, and the most that does.
    "neurons": (
        *IDENTITY_COLUMNS,
        *("layer", "unit", "bounds", "lower", "upper", "time_limit"),
        *("outcome", "activation", "activation_bound", "solver_taken", "solver_reason", "nodes"),
        *("seconds_total", "seconds_solver", "status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # Grey images; the pixels are text, row by row.
    "pictures": (
        *IDENTITY_COLUMNS,
        *("shown", "image", "label", "layer", "unit", "height", "width", "pixels", "variation"),
        *("status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # What attacks of several methods look like; shares and the similarity are in percent.
    "perturbations": (
        *IDENTITY_COLUMNS,
        *("image", "rank", "label", "method", "predicted", "outcome", "success"),
        *("distance", "lower_bound", "solver_taken"),
        *("unchanged_share", "busy_share", "similarity"),
        *("total_change", "variation", "image_variation", "seconds_total"),
        *("status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # A tree of a branch and bound, in the order in which its nodes were evaluated.
    "nodes": (
        *IDENTITY_COLUMNS,
        *("number", "parent", "neuron", "active", "value", "outcome", "status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # Balls around images: proved robust, or attacked.
    "verifications": (
        *IDENTITY_COLUMNS,
        *("variant", "image", "label", "epsilon", "solver", "time_limit", "pgd_attacked"),
        *("outcome", "predicted", "evidence", "least_margin", "unstable", "nodes"),
        *("solver_taken", "solver_reason", "seconds_total", "seconds_interval"),
        *("seconds_linear", "seconds_attack", "seconds_tree", "seconds_lp", "seconds_mip"),
        *("status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    # Properties of a benchmark: our answers, and those of tools. Seconds are of wall time, as the
    # time limits are; the processor's are those of a verification that ended by itself.
    "answers": (
        *IDENTITY_COLUMNS,
        *("instance", "onnx", "vnnlib", "population", "solver", "time_limit", "published_limit"),
        *("answer", "evidence", "counterexample", "nodes", "solver_taken", "solver_reason"),
        *("seconds_total", "seconds_processor", "status", "checked"),
        *_ORIGIN_COLUMNS,
    ),
    "published_answers": (
        *IDENTITY_COLUMNS,
        *("instance", "tool", "answer", "seconds"),
        *_ORIGIN_COLUMNS,
    ),
    # A function of one or two numbers, between its bounds in a model.
    "samples": (*IDENTITY_COLUMNS, "x1", "x2", "value", "lower", "upper", *_ORIGIN_COLUMNS),
}


def write_rows(kind: str, rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows of one kind as CSV, atomically; a column that a row lacks stays empty.

    Args:
        kind: A key of `COLUMNS`.
        rows: Column to value; a column that the kind does not have raises ValueError.
        path: The file.
    """
    with write_atomically(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS[kind], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def gather_rows(files: Sequence[Path], folder: Path) -> None:
    """Join the row files of several runs into one file of each kind.

    Args:
        files: Row files, each named after its kind.
        folder: Where the joined files go; a kind without rows becomes a file of column names.

    Raises:
        InputError: A file is missing, or its columns are not those of its kind.
    """
    for kind in COLUMNS:
        parts = [read_rows(kind, file) for file in files if file.stem == kind]
        write_rows(kind, [row for part in parts for row in part], folder / f"{kind}.csv")


def read_rows(kind: str, path: Path) -> list[Row]:
    """The rows of a file, every value as text.

    Args:
        kind: A key of `COLUMNS`.
        path: The file.

    Raises:
        InputError: It is missing or cut short, or its columns are not those of its kind.
    """
    if not path.is_file():
        raise InputError(
            subject=f"row file {path}",
            found="no such file",
            expected=f"a CSV file of {kind}",
            mend="run the experiment that writes it; the workflow does so by itself",
        )
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS[kind]:
            raise InputError(
                subject=f"row file {path}",
                found=f"the columns {', '.join(reader.fieldnames or ()) or 'of an empty file'}",
                expected=", ".join(COLUMNS[kind]),
                mend="remove the file and run the experiment again",
            )
        rows = list(reader)
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        whole = file.read() == b"\n" and all(None not in row.values() for row in rows)
    if not whole:
        raise InputError(
            subject=f"row file {path}",
            found="a last row that is cut short",
            expected="whole rows",
            mend="remove the file and run the experiment again; finished instances are kept",
        )
    return rows
