"""How a verifier's time and memory grow with open neurons, layers and the radius.

Each ball around a test image is a process of its own, of one thread, so that its memory is known.
Beside ours stands alpha-beta-CROWN, where a checkout of it is named: the same balls, as VNN-LIB, by
its own command line on the processor; its seconds are those that it says, without its start. A run
that was stopped goes on where it was.

Usage: python benchmarks/growth.py net.onnx deeper.onnx --data-dir data --out docs/gallery/growth
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

import advmip
from advmip.datasets import Dataset, load_dataset
from advmip.durability.storage import write_atomically
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.operators import matrix_stages
from advmip.progress import track
from advmip.reporting import style
from advmip.reporting.figure_files import save_figure
from advmip.threads import use_threads

_OURS, _THEIRS = "advmip", "alpha-beta-CROWN"
_DECIDED = {"robust": "holds", "attackable": "violated", "safe": "holds", "unsafe": "violated"}
_SETTINGS = """
general: {{device: cpu, root_path: {folder}, csv_name: instances.csv, save_output: false}}
model: {{input_shape: [-1, {pixels}]}}
solver: {{batch_size: 256}}
"""
# Ours and theirs; a marker for each network, a line's dashes too.
_COLOURS = {_OURS: style.BLUE, _THEIRS: style.VERMILION}
_MARKERS, _DASHES = ("o", "s", "D", "^"), ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Question:
    """A ball around an image.

    Attributes:
        file: The network's.
        image: As the data set has it.
        label: Its class.
        epsilon: The radius in L-infinity.
        time_limit: In seconds.
    """

    file: Path
    image: NDArray[np.float32]
    label: int
    epsilon: float
    time_limit: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", type=Path, nargs="+", help="ONNX files, for MNIST")
    parser.add_argument("--images", type=int, default=3, help="that all classify correctly")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[0.01, 0.02, 0.03, 0.04, 0.05])
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/growth"))
    parser.add_argument("--crown", type=Path, help="a checkout of alpha-beta-CROWN")
    parser.add_argument("--crown-python", default="python", help="the interpreter that has it")
    return parser.parse_args()


def ours(asked: Question) -> dict[str, Any]:
    """Our answer, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_answered, asked).result()


def _answered(asked: Question) -> dict[str, Any]:
    use_threads(1)
    network = advmip.load_network(asked.file)
    verdict = advmip.verify(
        network, asked.image, asked.label, asked.epsilon, time_limit=asked.time_limit
    )
    return {
        "answer": _DECIDED.get(verdict.status.value, "open"),
        "seconds": verdict.seconds,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def theirs(asked: Question, checkout: Path, python: str) -> dict[str, Any]:
    """The answer of alpha-beta-CROWN."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ball.vnnlib").write_text(vnnlib(asked))
        (folder / "instances.csv").write_text(
            f"{asked.file.absolute()},ball.vnnlib,{asked.time_limit}\n"
        )
        settings, log = folder / "settings.yaml", folder / "log.txt"
        settings.write_text(_SETTINGS.format(folder=folder, pixels=asked.image.size))
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        paths = {"PYTHONPATH": str((checkout / "auto_LiRPA").absolute())}
        with log.open("w") as output:
            process = subprocess.Popen(
                [python, "abcrown.py", "--config", settings, "--timeout", str(asked.time_limit)],
                cwd=checkout / "complete_verifier",
                env=os.environ | threads | paths,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            _, _, used = os.wait4(process.pid, 0)
        said = re.search(r"^Result: (\w+)\S* in ([\d.]+) seconds", log.read_text(), re.MULTILINE)
        if said is None:
            raise SystemExit(f"alpha-beta-CROWN said nothing:\n{log.read_text()[-2000:]}")
        return {
            "answer": _DECIDED.get(said[1], "open"),
            "seconds": float(said[2]),
            "memory_mb": used.ru_maxrss / 1024,
        }


def vnnlib(asked: Question) -> str:
    """The question in VNN-LIB: a point of the ball at which another class wins."""
    image = asked.image.ravel().astype(np.float64)
    lower, upper = (np.clip(image + s * asked.epsilon, 0.0, 1.0) for s in (-1, 1))
    lines = [f"(declare-const X_{i} Real)" for i in range(len(image))]
    lines += [f"(declare-const Y_{i} Real)" for i in range(10)]
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        lines += [f"(assert (>= X_{i} {low:.9f}))", f"(assert (<= X_{i} {high:.9f}))"]
    others = [f"(and (>= Y_{j} Y_{asked.label}))" for j in range(10) if j != asked.label]
    return "\n".join([*lines, f"(assert (or {' '.join(others)}))", ""])


@torch.no_grad()
def open_neurons(asked: Question) -> int:
    """How many signs linear forms leave open in the ball."""
    network = advmip.load_network(asked.file)
    image = torch.from_numpy(asked.image.reshape(1, -1).astype(np.float64))
    bounds = LinearBounds(matrix_stages(advmip.staged(network)), Ball(image, asked.epsilon, "linf"))
    return sum(int(each.unstable().sum()) for each in bounds.by_forms()[:-1])


def questions(options: argparse.Namespace) -> list[Question]:
    """Every network, image and radius."""
    data = load_dataset("mnist", "test", options.data_dir)
    networks = [advmip.load_network(file) for file in options.networks]
    places = _classified(networks, data, options.images)
    return [
        Question(file, data.images[place], int(data.labels[place]), epsilon, options.time_limit)
        for file, place, epsilon in product(options.networks, places, options.epsilons)
    ]


def _classified(networks: list[advmip.Network], data: Dataset, count: int) -> list[int]:
    found: list[int] = []
    for place in range(len(data.labels)):
        if all(each.answer(data.images[place]) == data.labels[place] for each in networks):
            found.append(place)
        if len(found) == count:
            break
    return found


def measured(options: argparse.Namespace, file: Path) -> pd.DataFrame:
    """A row for each question and verifier; those that the file has already are kept."""
    verifiers: dict[str, Callable[[Question], dict[str, Any]]] = {_OURS: ours}
    if options.crown is not None:
        verifiers[_THEIRS] = lambda asked: theirs(asked, options.crown, options.crown_python)
    rows = pd.read_csv(file).to_dict("records") if file.is_file() else []
    todo = list(product(enumerate(questions(options)), verifiers.items()))
    for (number, asked), (name, answer) in track(todo[len(rows) :], "balls", enabled=True):
        about = {"number": number, "network": asked.file.stem, "epsilon": asked.epsilon}
        found = {**about, "open": open_neurons(asked), "verifier": name, **answer(asked)}
        rows.append(found)
        with write_atomically(file) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)
    return pd.DataFrame(rows)


def draw(figure: Figure, rows: pd.DataFrame) -> None:
    """Seconds and memory against open neurons, and seconds against the radius."""
    figure.set_size_inches(8.4, 3.1)
    seconds, memory, radius = figure.subplots(1, 3)
    networks = list(rows["network"].unique())
    for (verifier, network), group in rows.groupby(["verifier", "network"], sort=False):
        colour, place = _COLOURS[str(verifier)], networks.index(network)
        ended = group["answer"] != "open"
        for some, face in ((ended, colour), (~ended, "white")):
            chosen = group[some]
            how: dict[str, Any] = {
                "marker": _MARKERS[place],
                "s": 22,
                "facecolors": face,
                "edgecolors": colour,
            }
            seconds.scatter(chosen["open"], chosen["seconds"], **how)
            memory.scatter(chosen["open"], chosen["memory_mb"] / 1024, **how)
        middle = group.groupby("epsilon")["seconds"].median()
        radius.plot(middle.index, middle, color=colour, linestyle=_DASHES[place], linewidth=1.6)
    for panel, label in ((seconds, "open neurons"), (memory, "open neurons"), (radius, "radius")):
        panel.set_xlabel(label)
    seconds.set(yscale="log", ylabel="seconds")
    most = rows["memory_mb"].max() / 1024
    memory.set(ylabel="peak memory, GiB", ylim=(0, 1.1 * most))
    radius.set(yscale="log", ylabel="median seconds")
    black: dict[str, Any] = {"color": style.GREY, "markersize": 5}
    keys = [Line2D([], [], color=_COLOURS[name], linewidth=4) for name in rows["verifier"].unique()]
    names = [str(name) for name in rows["verifier"].unique()]
    for place, network in enumerate(networks):
        line: dict[str, Any] = {"marker": _MARKERS[place], "linestyle": _DASHES[place]}
        keys.append(Line2D([], [], **line, **black))
        names.append(str(network).removeprefix("mnist-net_"))
    figure.legend(keys, names, loc="outside upper center", ncols=len(keys))


def main() -> None:
    options = arguments()
    use_threads(1)
    out: Path = options.out
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = measured(options, out.with_suffix(".csv"))
    with style.figure_style():
        figure = Figure(layout="constrained")
        draw(figure, rows)
        save_figure(figure, rows, out)
    print(out, flush=True)


if __name__ == "__main__":
    main()
