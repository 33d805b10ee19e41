"""Properties of tiny networks against every activation pattern in turn; other boxes; masks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, TinyNetwork, out_of_reach
from scipy.optimize import linprog
from tiny_networks import as_network, instance

from advmip import minimal_attack, network_bounds, staged, verify
from advmip.errors import InputError
from advmip.properties import (
    Condition,
    Property,
    all_of,
    any_of,
    feature,
    logit,
    robustness,
)

# What verification may leave open on either side of a border.
CLEAR = 1e-3


def random_condition(random: np.random.Generator, inputs: int = 0) -> Condition:
    """Up to three cases of up to three random conditions on the outputs, and on some inputs."""
    return any_of(
        *(
            all_of(
                *(
                    sum(random.normal() * logit(place) for place in range(CLASSES))
                    + sum(random.normal() * feature(place) for place in range(inputs))
                    >= random.normal()
                    for _ in range(random.integers(1, 4))
                )
            )
            for _ in range(random.integers(1, 4))
        )
    )


def shifted(property_: Property, by: float) -> Property:
    """The property whose conditions ask for so much less."""
    box = property_.cases[0].lower, property_.cases[0].upper
    cases = (
        all_of(*(each.surplus + by >= 0 for each in case.inequalities)) for case in property_.cases
    )
    return Property.of(box, any_of(*cases))


def largest_surplus(tiny: TinyNetwork, property_: Property) -> float:
    """By how much the point that is most a counterexample is one, by brute force."""
    best = -np.inf
    for (rows, sides, matrix, constant), case in product(tiny.regions(), property_.cases):
        if out_of_reach(rows, sides, case.lower, case.upper):
            continue
        inside, outside, asked = case.rows(CLASSES)
        conditions = np.hstack([-outside @ matrix - inside, np.ones((len(asked), 1))])
        found = linprog(
            np.append(np.zeros(4), -1.0),
            np.vstack([np.hstack([rows, np.zeros((len(rows), 1))]), conditions]),
            np.concatenate([sides, outside @ constant - asked]),
            bounds=[*zip(case.lower, case.upper, strict=True), (None, None)],
        )
        if found.status == 0:
            best = max(best, -found.fun)
    return best


@pytest.mark.parametrize("solver", ["gurobi", "scip", "highs"])
@pytest.mark.parametrize("inputs", [0, 3])
@pytest.mark.parametrize("seed", range(8))
def test_a_property_holds_exactly_where_no_pattern_has_a_counterexample(
    seed: int, inputs: int, solver: str
) -> None:
    tiny, network, _, _ = instance(seed)
    random = np.random.default_rng(seed)
    lower = random.uniform(-1.0, 0.5, 4)
    box = lower, lower + random.uniform(0.0, 2.0, 4)
    property_ = Property.of(box, random_condition(random, inputs))
    most = largest_surplus(tiny, property_)
    holds = verify(network, shifted(property_, -most - CLEAR), solver=solver)
    assert holds.status == "holds"
    assert (holds.margins > 0).all()
    assert holds.adversarial is None
    violated = verify(network, shifted(property_, -most + CLEAR), solver=solver)
    assert violated.status == "violated"
    assert violated.adversarial is not None
    point = violated.adversarial.ravel()
    assert shifted(property_, -most + CLEAR).surplus(point, tiny.logits(point)) >= 0


def test_cases_of_several_boxes_are_all_looked_at() -> None:
    _, network, _, _ = instance(0)
    low, high = (np.zeros(4), np.full(4, 0.5)), (np.full(4, 0.5), np.ones(4))
    never = logit(0) >= 1e3
    for first, second, status in (
        (never, never, "holds"),
        (never, logit(0) >= -1e3, "violated"),
        (logit(0) >= -1e3, never, "violated"),
    ):
        cases = Property.of(low, first).cases + Property.of(high, second).cases
        assert verify(network, Property(cases)).status == status


def test_robustness_as_a_property_is_what_is_said_of_the_image() -> None:
    for seed in range(6):
        _, network, image, label = instance(seed)
        for epsilon in (0.02, 0.1, 0.3):
            said = verify(network, image.reshape(SHAPE), label, epsilon)
            property_ = robustness(image.reshape(SHAPE), label, CLASSES, epsilon)
            answer = verify(network, property_)
            assert {"holds": "robust", "violated": "attackable"}[answer.status] == said.status


def test_a_condition_on_inputs_alone_counts() -> None:
    _, network, _, _ = instance(0)
    box = np.zeros(4), np.ones(4)
    anything = logit(0) >= -1e3
    for least, status in ((1.9, "violated"), (2.1, "holds")):
        asked = all_of(anything, feature(0) + feature(3) >= least)
        assert verify(network, Property.of(box, asked)).status == status
        if status == "violated":
            attack = minimal_attack(network, np.zeros(SHAPE), Property.of(box, asked), "l1")
            assert attack.distance == pytest.approx(least, abs=1e-3)


def test_every_point_is_a_counterexample_without_conditions() -> None:
    _, network, _, _ = instance(0)
    box = np.zeros(4), np.ones(4)
    assert verify(network, Property.of(box, all_of())).status == "violated"


def nearest(
    tiny: TinyNetwork,
    image: np.ndarray,
    property_: Property,
    distance: str,
    allowed: np.ndarray,
) -> float:
    """How far the nearest counterexample is in L1 or L-infinity, by brute force."""
    best = np.inf
    for (rows, sides, matrix, constant), case in product(tiny.regions(), property_.cases):
        if out_of_reach(rows, sides, case.lower, case.upper):
            continue
        _, outside, asked = case.rows(CLASSES)
        every = np.vstack([rows, -outside @ matrix])
        limits = np.concatenate([sides, outside @ constant - asked]) - every @ image
        # Changes d, and heights t above |d|: one of all in L-infinity.
        heights = np.eye(4) if distance == "l1" else np.ones((4, 1))
        above = np.vstack([np.hstack([np.eye(4), -heights]), np.hstack([-np.eye(4), -heights])])
        padded = np.hstack([every, np.zeros((len(every), heights.shape[1]))])
        box = zip((case.lower - image) * allowed, (case.upper - image) * allowed, strict=True)
        found = linprog(
            np.append(np.zeros(4), np.ones(heights.shape[1])),
            np.vstack([padded, above]),
            np.concatenate([limits, np.zeros(8)]),
            bounds=[*box, *[(0, None)] * heights.shape[1]],
        )
        if found.status == 0:
            best = min(best, found.fun)
    return best


@pytest.mark.parametrize(("seed", "distance"), list(product(range(6), ("l1", "linf"))))
def test_the_nearest_counterexample_in_a_box_that_is_not_the_unit_cube(
    seed: int, distance: str
) -> None:
    tiny, network, image, _ = instance(seed)
    random = np.random.default_rng(seed)
    box = image - random.uniform(0.2, 2.0, 4), image + random.uniform(0.2, 2.0, 4)
    condition = random_condition(random)
    property_ = Property.of(box, condition)
    # As near to one as a tenth of what the box allows.
    property_ = shifted(property_, -0.9 * largest_surplus(tiny, property_))
    if property_.surplus(image, tiny.logits(image)) >= 0:
        with pytest.raises(InputError, match="a counterexample of"):
            minimal_attack(network, image.reshape(SHAPE), property_, distance)
        return
    allowed = np.arange(4) != seed % 4
    for mask in (np.ones(4, bool), allowed):
        expected = nearest(tiny, image, property_, distance, mask)
        attack = minimal_attack(
            network, image.reshape(SHAPE), property_, distance, allowed=mask.reshape(SHAPE)
        )
        if np.isinf(expected):
            assert attack.status == "infeasible"
            continue
        assert attack.status == "optimal"
        assert attack.distance == pytest.approx(expected, rel=2e-3, abs=1e-5)
        assert attack.adversarial is not None
        moved = attack.adversarial.ravel()
        assert (moved[~mask] == image[~mask]).all()
        assert (moved >= box[0]).all()
        assert (moved <= box[1]).all()


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "l2-5", "linf", "tv", "l1+tv"])
def test_the_same_network_on_shifted_and_stretched_inputs_has_the_same_attacks(
    distance: str,
) -> None:
    tiny, network, image, label = instance(1)
    plain = minimal_attack(network, image.reshape(SHAPE), label, distance)
    # x in [0, 1] is (x' - 3) / 2 with x' in [3, 5].
    stretched = TinyNetwork(1)
    stretched.weights, stretched.biases = list(tiny.weights), list(tiny.biases)
    stretched.weights[0] = tiny.weights[0] / 2
    stretched.biases[0] = tiny.biases[0] - tiny.weights[0] @ np.full(4, 1.5)
    moved = minimal_attack(
        as_network(stretched), 3 + 2 * image.reshape(SHAPE), label, distance, lower=3.0, upper=5.0
    )
    factor = 1.0 if distance == "l0" else 2.0
    assert moved.status == plain.status
    assert moved.distance == pytest.approx(factor * plain.distance, rel=1e-3)
    verdict = verify(
        as_network(stretched),
        3 + 2 * image.reshape(SHAPE),
        label,
        0.4,
        lower=np.full(SHAPE, 3.0),
        upper=5.0,
    )
    assert verdict.status == verify(network, image.reshape(SHAPE), label, 0.2).status


def test_bounds_hold_over_another_domain() -> None:
    tiny, network, _, _ = instance(2)
    lower, upper = np.full(4, -2.0), np.full(4, 0.5)
    random = np.random.default_rng(0)
    outputs = np.array([tiny.logits(random.uniform(lower, upper)) for _ in range(500)])
    for method in ("interval", "lp"):
        last = network_bounds(staged(network), method, lower, upper)[-1]
        assert (outputs >= last.lower - 1e-9).all()
        assert (outputs <= last.upper + 1e-9).all()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"allowed": np.zeros(SHAPE, bool)}, "a mask that allows nothing"),
        ({"lower": 0.5, "upper": 0.2}, "from 0.5 to 0.2"),
        ({"upper": np.inf}, "a value that is not finite"),
        ({"lower": np.zeros((2, 2, 2))}, "shape"),
        ({"upper": 1e-3}, r"outside \[0, 0.001\]"),
    ],
)
def test_what_is_no_domain_or_mask_is_refused(changes, found) -> None:
    _, network, image, label = instance(0)
    with pytest.raises(InputError, match=found):
        minimal_attack(network, image.reshape(SHAPE), label, **changes)


def test_properties_of_other_networks_and_of_several_boxes_are_refused() -> None:
    _, network, image, _ = instance(0)
    unit = np.zeros(4), np.ones(4)
    with pytest.raises(InputError, match="outputs up to number 3"):
        verify(network, Property.of(unit, logit(3) >= 0))
    halves = (
        Property.of(unit, logit(0) >= 9).cases
        + Property.of((np.zeros(4), np.full(4, 0.5)), logit(0) >= 9).cases
    )
    with pytest.raises(InputError, match="2 boxes"):
        minimal_attack(network, image.reshape(SHAPE), Property(halves))
