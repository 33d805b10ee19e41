"""The image that excites a neuron most equals brute force over all activation patterns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brute_force import SHAPE, TinyNetwork, strongest
from tiny_networks import as_network
from torch import nn

from advmip import CheckError, InputError, Network, maximise_activation
from advmip.checking.activations import check_activation

SOLVERS = ("gurobi", "highs", "scip")


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_neuron_equals_brute_force(seed: int, layer: int) -> None:
    tiny = TinyNetwork(seed)
    network = as_network(tiny)
    for unit in range(3):
        found = maximise_activation(network, layer, unit)
        assert found.status == "optimal"
        assert found.activation == pytest.approx(strongest(tiny, layer, unit), abs=1e-5)
        assert found.activation <= found.upper_bound + 1e-5
        assert found.image is not None
        assert found.image.shape == SHAPE
        assert 0 <= found.image.min() <= found.image.max() <= 1


@pytest.mark.parametrize("bounds", ["interval", "lp", "exact"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_bounds_and_solvers_agree(solver: str, bounds: str) -> None:
    tiny = TinyNetwork(4)
    network = as_network(tiny)
    found = maximise_activation(network, 3, 1, solver=solver, bounds=bounds)
    assert found.solver == solver
    assert found.activation == pytest.approx(strongest(tiny, 3, 1), abs=1e-5)


def test_a_neuron_that_nothing_excites_has_a_negative_activation() -> None:
    tiny = TinyNetwork(0)
    tiny.biases[0] = tiny.biases[0] - 100.0
    network = as_network(tiny)
    assert maximise_activation(network, 1, 0).activation < -90


@pytest.mark.parametrize(("layer", "unit"), [(0, 0), (4, 0), (1, 3), (2, -1)])
def test_a_neuron_that_is_not_there_is_refused(layer: int, unit: int) -> None:
    with pytest.raises(InputError, match="from"):
        maximise_activation(as_network(TinyNetwork(0)), layer, unit)


def test_max_pooling_is_refused() -> None:
    network = as_network(TinyNetwork(0))
    body = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 3))
    pooled = Network(replace(network.architecture, build=lambda: body), body).frozen()
    with pytest.raises(InputError, match="max pooling"):
        maximise_activation(pooled, 1, 0)


def test_a_wrong_answer_is_an_error_and_saved(tmp_path: Path) -> None:
    network = as_network(TinyNetwork(0))
    image = np.full(SHAPE, 1.5)
    with pytest.raises(CheckError, match=r"leaves \[0, 1\].*not 7.*above the bound") as failure:
        check_activation(
            network, image=image, layer=2, unit=0, claimed=7.0, upper_bound=6.0, folder=tmp_path
        )
    with np.load(failure.value.saved) as saved:
        np.testing.assert_array_equal(saved["image"], image)
