"""The smallest attack equals brute force over all activation patterns, however it is found."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, TinyNetwork, smallest
from tiny_networks import as_network, instance

from advmip import CheckError, InputError, minimal_attack
from advmip.checking.attacks import check_attack
from advmip.mip.distances import DISTANCES, PiecewiseL2, distance_named
from advmip.mip.exact_attack import PROGRESSIVE_VARIANTS, ExactAttack
from advmip.mip.formulations import Partition

EXACT = ("l0", "l1", "l2", "linf", "tv", "l1+tv")
MARGIN = 1e-4
GAP = 1e-6


@pytest.mark.parametrize(("distance", "seed"), list(product(EXACT, (0, 1, 4, 6))))
def test_any_other_class_equals_brute_force(distance: str, seed: int) -> None:
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    # Beating every class or the true one only is the same for the best rival.
    expected = smallest(tiny, image, distance, rivals, 1.0, MARGIN)
    found = minimal_attack(network, image.reshape(SHAPE), label, distance, margin=MARGIN, gap=GAP)
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)
    if np.isfinite(expected):
        assert found.status == "optimal"
        assert found.predicted != label
        assert found.lower_bound == pytest.approx(expected, rel=1e-3, abs=1e-5)
    else:
        assert found.status == "infeasible"


@pytest.mark.parametrize(
    ("distance", "seed"), list(product(("l0", "l1", "l2", "linf"), (1, 4, 5, 9)))
)
def test_a_target_at_a_ratio_equals_brute_force(distance: str, seed: int) -> None:
    tiny, network, image, label = instance(seed)
    target = (label + 1) % CLASSES
    expected = smallest(tiny, image, distance, [target], 1.2, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        distance,
        target=target,
        ratio=1.2,
        margin=MARGIN,
        gap=GAP,
    )
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("distance", "seed"), list(product(("l1", "linf"), (0, 1, 4, 5, 6, 9))))
def test_any_other_class_need_only_beat_the_true_one_at_the_ratio(distance: str, seed: int) -> None:
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, distance, rivals, 1.5, MARGIN, beaten=label)
    found = minimal_attack(
        network, image.reshape(SHAPE), label, distance, ratio=1.5, margin=MARGIN, gap=GAP
    )
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ["tv", "tv-isotropic", "l1+tv"])
def test_variation_reaches_from_a_falling_pixel_to_a_rising_one(name: str) -> None:
    # The only attack turns black pixels white and white ones black, next to each other.
    sign = np.array([[1.0, -1.0, 1.0, -1.0]])
    tiny = TinyNetwork(0, hidden=())
    tiny.weights = [np.vstack([np.zeros(4), sign[0], np.zeros(4)])]
    tiny.biases = [np.array([1.99, 0.0, 0.0])]
    image = np.array([0.0, 1.0, 0.0, 1.0])
    found = minimal_attack(as_network(tiny), image.reshape(SHAPE), 0, name, margin=MARGIN)
    assert found.status == "optimal"
    assert found.adversarial == pytest.approx(1 - image.reshape(SHAPE), abs=0.02)


@pytest.mark.parametrize(
    "formulation", ["big-m", "big-m-output", "indicator", "partition", Partition(3)]
)
@pytest.mark.parametrize("bounds", [*PROGRESSIVE_VARIANTS, "interval", "lp", "exact", "weaker"])
def test_formulations_and_bounds_agree(formulation: str, bounds: str) -> None:
    tiny, network, image, label = instance(1)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, "l1", rivals, 1.0, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        "l1",
        formulation=formulation,
        bounds=bounds,
        margin=MARGIN,
        gap=GAP,
    )
    assert found.status == "optimal"
    assert found.distance == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("solver", ["gurobi", "scip", "highs"])
@pytest.mark.parametrize("distance", ["l0", "l1", "linf", "tv"])
def test_solvers_agree(solver: str, distance: str) -> None:
    tiny, network, image, label = instance(4)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, distance, rivals, 1.0, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        distance,
        solver=solver,
        bounds="interval",
        margin=MARGIN,
        gap=GAP,
    )
    assert found.solver == solver
    assert found.distance == pytest.approx(expected, rel=1e-4)


def test_without_bounds_only_indicators_serve() -> None:
    tiny, network, image, label = instance(1)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, "l1", rivals, 1.0, MARGIN)
    arguments = {"label": label, "distance": "l1", "bounds": "none", "margin": MARGIN}
    found = minimal_attack(network, image.reshape(SHAPE), formulation="indicator", **arguments)
    assert found.distance == pytest.approx(expected, rel=1e-4)
    # Without bounds the solver's tolerances leak: what it proves then is less than what is found.
    assert found.lower_bound <= found.distance
    assert found.status == "feasible" or found.lower_bound == pytest.approx(expected, rel=1e-3)
    with pytest.raises(InputError, match="finite bounds"):
        minimal_attack(network, image.reshape(SHAPE), formulation="big-m", **arguments)


@pytest.mark.parametrize("seed", [1, 4, 5, 6, 9])
def test_distances_are_ordered_in_the_unit_box(seed: int) -> None:
    _, network, image, label = instance(seed)
    found = [
        minimal_attack(network, image.reshape(SHAPE), label, name, margin=MARGIN, gap=GAP).distance
        for name in ("linf", "l2", "l1", "l0")
    ]
    assert found == sorted(found)


def test_more_breakpoints_come_nearer_to_the_euclidean_distance_from_above() -> None:
    _, network, image, label = instance(1)

    def distance(name: object) -> float:
        attack = minimal_attack(network, image.reshape(SHAPE), label, name, margin=MARGIN, gap=GAP)
        return attack.distance

    exact = distance("l2")
    coarse, fine = distance(PiecewiseL2(3)), distance(PiecewiseL2(33))
    assert exact <= fine + 1e-6
    assert fine <= coarse + 1e-6
    assert fine == pytest.approx(exact, rel=0.02)
    demanded = distance(PiecewiseL2(3, sos2=True))
    assert demanded == pytest.approx(coarse, rel=1e-4)


def test_isotropic_variation_is_at_most_the_anisotropic_one() -> None:
    _, network, image, label = instance(1)
    found = {
        name: minimal_attack(network, image.reshape(SHAPE), label, name, margin=MARGIN)
        for name in ("tv", "tv-isotropic")
    }
    assert found["tv-isotropic"].status == "optimal"
    assert found["tv-isotropic"].distance <= found["tv"].distance + 1e-6


def test_too_short_a_time_gives_bounds_and_no_error() -> None:
    _, network, image, label = instance(1)
    found = minimal_attack(network, image.reshape(SHAPE), label, "l1", time_limit=1e-9)
    assert found.status in ("unknown", "feasible")
    assert 0 <= found.lower_bound <= found.distance


# In L2, linear forms settle instance 9 before any ball has to grow.
@pytest.mark.parametrize(
    ("distance", "seed"),
    [*product(("l0", "l1", "linf"), (1, 4, 9)), *product(("l2",), (1, 4, 12))],
)
def test_balls_that_grow_come_to_the_nearest_attack_alone(
    distance: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, distance, rivals, 1.0, MARGIN)
    monkeypatch.setattr(ExactAttack, "_settled", lambda *_: False)
    found = minimal_attack(network, image.reshape(SHAPE), label, distance, margin=MARGIN)
    assert found.status == "optimal"
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert found.lower_bound == pytest.approx(expected, rel=1e-3)
    lower_bounds = [bound for _, _, bound in found.trace]
    assert np.diff(lower_bounds).min() >= -1e-12
    # Within the first balls there was no attack.
    assert 0.0 < lower_bounds[1] < 0.97 * expected


def test_the_trace_only_improves() -> None:
    _, network, image, label = instance(9)
    steps = minimal_attack(network, image.reshape(SHAPE), label, "linf", bounds="interval").trace
    seconds, distances, lower_bounds = map(list, zip(*steps, strict=True))
    assert seconds == sorted(seconds)
    assert distances == sorted(distances, reverse=True)
    assert lower_bounds == sorted(lower_bounds)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"image": np.full(SHAPE, 1.5)}, "finite pixels in"),
        ({"image": np.full(SHAPE, np.nan)}, "finite pixels in"),
        ({"image": np.zeros(4)}, "shape"),
        ({"label": 7}, "a class from 0 to 2"),
        ({"target": 9}, "a class from 0 to 2"),
        ({"distance": "l3"}, "did you mean"),
        ({"formulation": "bigm"}, "did you mean 'big-m'"),
        ({"bounds": "exakt"}, "did you mean 'exact'"),
        ({"solver": "cplex"}, "unknown solver"),
        ({"ratio": 0.5}, "1 or more"),
        ({"margin": 0.0}, "above 0"),
        ({"time_limit": 0.0}, "seconds, above 0"),
        ({"gap": -1.0}, "from 0 to below 1"),
        ({"distance": "tv-isotropic", "solver": "highs"}, "second-order cones"),
        ({"formulation": "indicator", "solver": "highs", "bounds": "interval"}, "indicator"),
    ],
)
def test_bad_input_is_answered_clearly(changes: dict[str, object], named: str) -> None:
    _, network, image, label = instance(1)
    arguments = {"image": image.reshape(SHAPE), "label": label, "distance": "l1", **changes}
    with pytest.raises(InputError, match=named):
        minimal_attack(network, **arguments)


def test_a_label_that_is_not_predicted_and_a_target_that_is_the_label_are_refused() -> None:
    _, network, image, label = instance(1)
    with pytest.raises(InputError, match="needs no attack"):
        minimal_attack(network, image.reshape(SHAPE), (label + 1) % CLASSES)
    with pytest.raises(InputError, match="the true class"):
        minimal_attack(network, image.reshape(SHAPE), label, target=label)


def test_a_wrong_answer_is_an_error_and_saved(tmp_path) -> None:
    _, network, image, _ = instance(1)
    with pytest.raises(CheckError, match="misses the goal") as failure:
        check_attack(
            network,
            image=image.reshape(SHAPE),
            adversarial=image.reshape(SHAPE),
            claimed=0.5,
            measured=0.0,
            surplus=lambda logits: -1.0,
            folder=tmp_path,
        )
    assert "its distance is 0, not 0.5" in str(failure.value)
    with np.load(failure.value.saved) as saved:
        np.testing.assert_array_equal(saved["image"], image.reshape(SHAPE))


def test_every_distance_has_its_name() -> None:
    for name in DISTANCES:
        assert distance_named(name).name == name
    assert distance_named("l2-17").name == "l2-17"
    with pytest.raises(InputError, match="2 or more"):
        distance_named("l2-1")
