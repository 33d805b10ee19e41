"""Ground truth for tiny networks: every activation pattern in turn, each a small convex program.

Shares no code with the library: patterns are composed with plain matrices, the programs go to
SciPy and Clarabel.
"""

from __future__ import annotations

import pickle
from copy import copy
from itertools import combinations, pairwise, product

import numpy as np
import qpsolvers
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

SHAPE = (1, 2, 2)
CLASSES = 3
# By so much a condition must be out of reach of the box before a program is not asked: what
# programs themselves allow for.
_TOLERANCE = 1e-6


class TinyNetwork:
    """Random dense layers 4 - 3 - 3 - 3 with ReLUs between, as plain matrices.

    Neurons change their sign and classes meet in the middle of the box, so that attacks exist.
    """

    def __init__(self, seed: int, hidden: tuple[int, ...] = (3, 3)) -> None:
        random = np.random.default_rng(seed)
        widths = (4, *hidden, CLASSES)
        self.weights = [
            random.normal(size=(after, before)) / np.sqrt(before)
            for before, after in pairwise(widths)
        ]
        self.biases = []
        values = np.full(4, 0.5)
        for weight in self.weights:
            self.biases.append(0.05 * random.normal(size=len(weight)) - weight @ values)
            values = np.maximum(weight @ values + self.biases[-1], 0)
        self.hidden = hidden
        # Those that are gone through, all of them where none are named.
        self.patterns: list[tuple[float, ...]] | None = None

    def logits(self, image: np.ndarray) -> np.ndarray:
        values = image
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(weight @ values + bias, 0)
        return self.weights[-1] @ values + self.biases[-1]

    def regions(self):
        """Per pattern: rows G, h with G x <= h where it holds, and the logits' C, c there."""
        every = product((0.0, 1.0), repeat=sum(self.hidden))
        for pattern in every if self.patterns is None else self.patterns:
            inputs = self.weights[0].shape[1]
            matrix, constant = np.eye(inputs), np.zeros(inputs)
            rows, sides = [np.empty((0, inputs))], [np.empty(0)]
            parts = np.split(np.array(pattern), np.cumsum(self.hidden, dtype=int))[:-1]
            for weight, bias, active in zip(
                self.weights[:-1], self.biases[:-1], parts, strict=True
            ):
                entering, offset = weight @ matrix, weight @ constant + bias
                sign = 1 - 2 * active
                rows.append(sign[:, None] * entering)
                sides.append(-sign * offset)
                matrix, constant = active[:, None] * entering, active * offset
            yield (
                np.vstack(rows),
                np.concatenate(sides),
                self.weights[-1] @ matrix,
                self.weights[-1] @ constant + self.biases[-1],
            )


def strongest(network: TinyNetwork, layer: int, unit: int) -> float:
    """The most that an image in the box brings to a neuron: of layer 1 on, the last the logits."""
    front = copy(network)
    front.weights, front.biases = network.weights[:layer], network.biases[:layer]
    front.hidden = network.hidden[: layer - 1]
    best = -np.inf
    inputs = network.weights[0].shape[1]
    for rows, sides, matrix, constant in front.regions():
        if out_of_reach(rows, sides, np.zeros(inputs), np.ones(inputs)):
            continue
        answer = linprog(-matrix[unit], rows, sides, bounds=(0, 1))
        if answer.status == 0:
            best = max(best, constant[unit] - answer.fun)
    return best


def once(ask):
    """A question of a network that several tests ask, answered once."""
    known = {}

    def answered(network: TinyNetwork, *question, **named):
        asked = pickle.dumps((vars(network), question, named))
        if asked not in known:
            known[asked] = ask(network, *question, **named)
        return known[asked]

    return answered


@once
def smallest(
    network: TinyNetwork,
    image: np.ndarray,
    distance: str,
    rivals: list[int],
    ratio: float,
    margin: float,
    beaten: int | None = None,
) -> float:
    """The smallest distance at which one of the rivals beats one other class, or every one."""
    best = np.inf
    for rows, sides, matrix, constant in network.regions():
        for rival in rivals:
            goal, asked = [], []
            for other in range(CLASSES):
                if other != rival and beaten in (None, other):
                    goal.append(ratio * matrix[other] - matrix[rival])
                    asked.append(constant[rival] - ratio * constant[other] - margin)
            if ratio != 1.0:
                goal.append(-matrix[rival])
                asked.append(constant[rival] - margin)
            all_rows, all_sides = np.vstack([rows, goal]), np.concatenate([sides, asked])
            room = all_sides - all_rows @ image
            if not out_of_reach(all_rows, room, -image, 1 - image):
                best = min(best, _nearest(distance, all_rows, room, image, best))
    return best


def out_of_reach(rows: np.ndarray, sides: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> bool:
    """Whether one of rows @ x <= sides alone has no x in the box."""
    least = np.minimum(rows * lower, rows * upper).sum(axis=1)
    return bool(np.any(least > sides + _TOLERANCE))


def _nearest(
    distance: str, rows: np.ndarray, sides: np.ndarray, image: np.ndarray, below: float
) -> float:
    """min distance(d) subject to rows @ d <= sides and the box, if it is below a number."""
    box = list(zip(-image, 1 - image, strict=True))
    count = len(image)
    if distance == "l0":
        if linprog(np.zeros(count), rows, sides, bounds=box).status != 0:
            return np.inf
        for size in range(int(min(count + 1, below))):
            for kept in combinations(range(count), size):
                bounds = [box[i] if i in kept else (0.0, 0.0) for i in range(count)]
                if linprog(np.zeros(count), rows, sides, bounds=bounds).status == 0:
                    return float(size)
        return np.inf
    if distance == "l2":
        feasible = linprog(np.zeros(count), rows, sides, bounds=box)
        if feasible.status != 0:
            return np.inf
        lower, upper = np.array(box).T
        point = qpsolvers.solve_qp(
            csc_matrix(2 * np.eye(count)),
            np.zeros(count),
            csc_matrix(rows),
            sides,
            lb=lower,
            ub=upper,
            solver="clarabel",
        )
        return np.inf if point is None else float(np.linalg.norm(point))
    # Linear distances: sums of heights t above absolute values of linear forms F d + f.
    forms, weights = {
        "l1": (np.eye(count), np.ones(count)),
        "linf": (np.eye(count), None),
        "tv": (_differences(), np.ones(4)),
        "l1+tv": (np.vstack([np.eye(count), _differences()]), np.ones(count + 4)),
    }[distance]
    heights = 1 if weights is None else len(forms)
    above = -np.eye(heights) if weights is not None else -np.ones((len(forms), 1))
    system = np.vstack(
        [
            np.hstack([rows, np.zeros((len(rows), heights))]),
            np.hstack([forms, above]),
            np.hstack([-forms, above]),
        ]
    )
    limits = np.concatenate([sides, np.zeros(2 * len(forms))])
    costs = np.concatenate([np.zeros(count), np.ones(heights)])
    answer = linprog(costs, system, limits, bounds=box + [(0, None)] * heights)
    return float(answer.fun) if answer.status == 0 else np.inf


def _differences() -> np.ndarray:
    """The differences of neighbouring pixels of a 2 x 2 image."""
    return np.array([[1, -1, 0, 0], [0, 0, 1, -1], [1, 0, -1, 0], [0, 1, 0, -1]], float)
