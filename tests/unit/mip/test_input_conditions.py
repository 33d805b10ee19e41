"""A network with linear forms of its inputs behind its outputs is still the same function."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from advmip import from_torch, staged
from advmip.mip.input_conditions import on_outputs_alone
from advmip.properties import Property, all_of, feature, logit

SHAPE = (2, 4, 4)


def test_the_forms_are_of_the_inputs_as_they_come_before_any_normalisation() -> None:
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5), nn.ReLU())
    network = from_torch(nn.Sequential(*layers, nn.Linear(5, 2)), SHAPE, (0.4, 0.5), (0.2, 0.3))
    form = 0.1 * feature(3) - feature(20)
    condition = all_of(form >= 0, logit(1) + form >= 2, logit(0) - 2 * feature(0) >= 0)
    property_ = Property.of((np.zeros(SHAPE), np.ones(SHAPE)), condition)
    widened, asked = on_outputs_alone(network, 2, property_)
    image = np.random.default_rng(0).random(SHAPE)
    expected = [*staged(network).logits(image.ravel())]
    expected += [0.1 * image.ravel()[3] - image.ravel()[20], -2 * image.ravel()[0]]
    outputs = staged(widened).logits(image.ravel())
    assert np.allclose(outputs, expected, rtol=0, atol=1e-12)
    assert not any(each.surplus.inputs for case in asked.cases for each in case.inequalities)
    surplus = property_.surplus(image.ravel(), np.array(expected[:2]))
    assert np.isclose(asked.surplus(image.ravel(), outputs), surplus)


def test_a_question_about_outputs_alone_stays_as_it_is() -> None:
    network = from_torch(nn.Sequential(nn.Flatten(), nn.Linear(32, 2)), SHAPE)
    property_ = Property.of((np.zeros(SHAPE), np.ones(SHAPE)), logit(0) >= 0)
    assert on_outputs_alone(network, 2, property_) == (network, property_)
