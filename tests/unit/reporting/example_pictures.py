"""Rows behind the figures of the thesis and of the lecture, from simple formulas."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from advmip.pictures import picture_columns

DISTANCES = {"l0": 3.0, "l1": 2.5, "l2-17": 0.8, "linf": 0.1}
SIDE = 4

Found = dict[str, list[dict[str, Any]]]


def picture_rows(network: str, dataset: str) -> Found:
    """The rows by kind; network and dataset are those that stand for DNN1.

    The image of digit d is uniformly d / 20 bright; attacks in L-infinity brighten its left half.
    """
    dnn1 = {"source": "zhu", "network": network, "paper_network": "DNN1", "dataset": dataset}
    answer = {"protocol": "published", "seed": 0, "status": "ok", "checked": True}
    gallery = {**dnn1, **answer, "experiment": "gallery"}
    features = {**dnn1, **answer, "experiment": "features"}
    rows: Found = {"attacks": [], "pictures": [], "neurons": [], "samples": []}
    for digit in range(10):
        image = np.full((1, SIDE, SIDE), digit / 20)
        about = {"image": 100 + digit, "label": digit}
        rows["pictures"].append({**gallery, **about, "shown": "original", **picture_columns(image)})
        for name, distance in DISTANCES.items():
            attacked = image.copy()
            attacked[..., : SIDE // 2] += distance if name == "linf" else 0.5
            rows["pictures"].append(
                {**gallery, **about, "shown": name, **picture_columns(attacked)}
            )
            found = {"outcome": "optimal", "distance": distance, "lower_bound": distance}
            target = {"rank": digit, "target": (digit + 5) % 10, "distance_name": name}
            rows["attacks"].append({**gallery, **about, **target, **found, "euclidean": 1.0})
    for layer, width in ((1, 8), (2, 8), (3, 8), (4, 10)):
        for unit in range(width):
            place = {**features, "layer": layer, "unit": unit}
            found = {"outcome": "optimal", "activation": layer + unit / 10, "seconds_solver": 0.3}
            rows["neurons"].append({**place, **found, "activation_bound": layer + unit / 10})
            picture = picture_columns(np.full((1, SIDE, SIDE), unit / 10))
            rows["pictures"].append({**place, "shown": "strongest input", **picture})
    lecture = {"source": "kronqvist", "experiment": "relaxation", "protocol": "published"}
    nodes = {**lecture, "paper_network": "TwoNodes", "network": "two_nodes", "dataset": "lecture"}
    for layer, lower, upper in ((1, -67.0, 73.0), (2, -96.0, 50.0), (3, 0.0, 50.0)):
        bounds = {"layer": layer, "unit": 0, "lower": lower, "upper": upper}
        rows["neurons"].append(
            {**nodes, **bounds, "seed": 0, "status": "ok", "checked": True, "outcome": "optimal"}
        )
    for x1, x2 in product(np.linspace(-10, 10, 5), np.linspace(-5, 5, 3)):
        value = max(50 - 2 * max(5 * x1 - 4 * x2 + 3, 0), 0)
        point = {"x1": x1, "x2": x2, "value": value, "lower": 0.0, "upper": 50.0}
        rows["samples"].append({**nodes, **point})
    for x in np.linspace(0, 1, 9):
        above = float(np.interp(x, np.linspace(0, 1, 5), np.linspace(0, 1, 5) ** 2))
        point = {"x1": x, "value": x**2, "upper": above}
        rows["samples"].append({"source": "zhu", "experiment": "square", **point})
    return rows
