"""A ball is robust exactly if the smallest attack, found by brute force, lies outside of it."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from brute_force import CLASSES, SHAPE, TinyNetwork, smallest
from exact_arithmetic import exactly
from small_networks import network_of
from tiny_networks import as_network, instance
from torch import nn

from advmip import CheckError, InputError, Network, VerificationIngredients, Verifier, verify
from advmip.mip import deadline
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.programs import linear_program
from advmip.mip.verification import region_verification, seeking

SEEDS = (0, 1, 4, 6, 9)
NO_TREE = VerificationIngredients(tree=False)
WITHOUT = [
    VerificationIngredients(),
    *(VerificationIngredients(**{each.name: False}) for each in fields(VerificationIngredients)),
]


def shaped_instance(seed: int) -> tuple[Network, np.ndarray, int, TinyNetwork]:
    """A network, an image as it takes it, and the class that it gives the image."""
    tiny, network, image, label = instance(seed)
    return network, image.reshape(SHAPE), label, tiny


def nearest(tiny: TinyNetwork, image: np.ndarray, label: int, norm: str) -> float:
    rivals = [rival for rival in range(CLASSES) if rival != label]
    return smallest(tiny, image.ravel(), norm, rivals, 1.0, 0.0)


@pytest.mark.parametrize("norm", ["linf", "l1", "l2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_robust_inside_the_smallest_attack_and_attackable_outside(norm: str, seed: int) -> None:
    network, image, label, tiny = shaped_instance(seed)
    distance = nearest(tiny, image, label, norm)
    if not np.isfinite(distance):
        assert verify(network, image, label, 0.9, norm).status == "robust"
        return
    inside = verify(network, image, label, 0.98 * distance, norm)
    assert inside.status == "robust"
    assert inside.evidence in ("interval", "linear", "tree", "lp", "mip")
    assert inside.adversarial is None
    assert (inside.margins > 0).all()
    outside = verify(network, image, label, min(1.02 * distance, 1.0), norm)
    assert outside.status == "attackable"
    assert outside.adversarial is not None
    order = {"linf": np.inf, "l1": 1, "l2": 2}[norm]
    away = np.linalg.norm((outside.adversarial - image).ravel(), ord=order)
    assert away <= 1.02 * distance * (1 + 1e-9)
    assert np.argmax(tiny.logits(outside.adversarial.ravel())) == outside.predicted != label
    assert outside.margins.min() <= 0


@pytest.mark.parametrize("ingredients", WITHOUT)
@pytest.mark.parametrize("solver", ["gurobi", "scip", "highs"])
@pytest.mark.parametrize("seed", [1, 4])
def test_every_way_gives_the_same_verdict(
    ingredients: VerificationIngredients, solver: str, seed: int
) -> None:
    network, image, label, tiny = shaped_instance(seed)
    distance = nearest(tiny, image, label, "linf")
    for factor, status in ((0.95, "robust"), (1.05, "attackable")):
        how = {"solver": solver, "ingredients": ingredients}
        assert verify(network, image, label, factor * distance, **how).status == status


@pytest.fixture
def only_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No attack is found and no class excluded before the mixed-integer programs."""

    def hopeless(*_: object) -> torch.Tensor:
        return torch.empty(0, 4)

    def uncertain(self: LinearBounds, coefficients: torch.Tensor):
        forms = honest(self, coefficients)
        return replace(forms, least=forms.least - 1e3)

    honest = LinearBounds.forms
    monkeypatch.setattr(seeking, "attack_in_ball", hopeless)
    monkeypatch.setattr(LinearBounds, "forms", uncertain)
    monkeypatch.setattr(region_verification.LinearProgram, "lower_bound", lambda *_: -np.inf)


@pytest.mark.usefixtures("only_programs")
@pytest.mark.parametrize("norm", ["linf", "l1", "l2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_mixed_integer_programs_alone_decide(norm: str, seed: int) -> None:
    network, image, label, tiny = shaped_instance(seed)
    distance = nearest(tiny, image, label, norm)
    if np.isfinite(distance):
        inside = verify(network, image, label, 0.98 * distance, norm, ingredients=NO_TREE)
        assert (inside.status, inside.evidence) in (("robust", "mip"), ("robust", "interval"))
        radius = min(1.02 * distance, 1.0)
        outside = verify(network, image, label, radius, norm, ingredients=NO_TREE)
        assert outside.status == "attackable"


@pytest.mark.usefixtures("only_programs")
@pytest.mark.parametrize(("status", "bound"), [("optimal", 1e-9), ("infeasible", np.inf)])
def test_a_solver_that_ends_without_a_bound_certifies_nothing(
    monkeypatch: pytest.MonkeyPatch, status: str, bound: float
) -> None:
    network, image, label, tiny = shaped_instance(1)
    epsilon = 0.9 * nearest(tiny, image, label, "linf")
    honest = region_verification.choose

    def boasting(name: str, model: object):
        choice = honest(name, model)

        def solve(model: object, options: object):
            solution = choice.solver.solve(model, options)
            return replace(solution, status=status, bound=bound)

        return replace(choice, solver=replace(choice.solver, solve=solve))

    monkeypatch.setattr(region_verification, "choose", boasting)
    verdict = verify(network, image, label, epsilon, ingredients=NO_TREE)
    assert verdict.status == "unknown"


@pytest.mark.parametrize("seed", SEEDS)
def test_margins_hold_for_random_points(seed: int) -> None:
    network, image, label, tiny = shaped_instance(seed)
    margins = verify(network, image, label, 0.15).margins
    steps = np.random.default_rng(0).uniform(-0.15, 0.15, (500, 4))
    for point in np.clip(image.ravel() + steps, 0, 1):
        logits = tiny.logits(point)
        others = np.arange(CLASSES) != label
        assert ((logits[label] - logits)[others] >= margins[others]).all()


def test_a_tie_is_misclassified_and_needs_no_ball() -> None:
    body = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    nn.init.zeros_(body[1].weight)
    nn.init.zeros_(body[1].bias)
    verdict = verify(network_of(body, SHAPE), np.full(SHAPE, 0.5), 0)
    assert verdict.status == "misclassified"
    assert verdict.predicted == 1


def test_too_short_a_time_is_unknown_and_no_error() -> None:
    network, image, label, tiny = shaped_instance(9)
    epsilon = 0.999 * nearest(tiny, image, label, "linf")
    verdict = verify(network, image, label, epsilon, time_limit=1e-9)
    assert verdict.status in ("unknown", "robust")


def many_pixels() -> tuple[Network, np.ndarray, int]:
    """A random network of 768 pixels and 100 neurons, an image, and the class that it gives it."""
    random, modules = np.random.default_rng(5), [nn.Flatten()]
    for before, after in ((768, 100), (100, 10)):
        layer = nn.Linear(before, after)
        for weights in (layer.weight, layer.bias):
            drawn = random.uniform(-1, 1, tuple(weights.shape)) / np.sqrt(before)
            weights.data = torch.from_numpy(drawn).float()
        modules += [layer, nn.ReLU()]
    network = network_of(nn.Sequential(*modules[:-1]), (3, 16, 16)).frozen()
    image = random.random((3, 16, 16))
    return network, image, int(network(torch.from_numpy(image[None]).float()).argmax())


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """HiGHS's side of all linear programs; the last one made is that of the margins."""
    made, honest = [], linear_program.quiet_solver

    def recorded() -> object:
        made.append(honest())
        return made[-1]

    monkeypatch.setattr(linear_program, "quiet_solver", recorded)
    return made


def test_a_margin_takes_few_simplex_iterations(programs: list[object]) -> None:
    """The dual simplex method takes 51, the primal one 1,445."""
    network, image, label = many_pixels()
    verdict = verify(network, image, label, 0.01, ingredients=NO_TREE)
    assert verdict.status == "robust"
    assert verdict.evidence == "mip"
    assert 0 < programs[-1].getInfo().simplex_iteration_count < 300


def test_a_margins_program_ends_with_the_images_time(
    monkeypatch: pytest.MonkeyPatch, programs: list[object]
) -> None:
    # Where the clock stands still, the solver alone can notice that the time is over.
    stopped = SimpleNamespace(perf_counter=lambda: 0.0, process_time=lambda: 0.0)
    for module in (region_verification, deadline):
        monkeypatch.setattr(module, "time", stopped)
    network, image, label = many_pixels()
    verdict = verify(network, image, label, 0.01, time_limit=1e-6, ingredients=NO_TREE)
    assert verdict.status == "unknown"
    assert programs[-1].getInfo().simplex_iteration_count == 0


def test_an_adversarial_image_that_the_network_denies_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    network, image, label, tiny = shaped_instance(1)
    epsilon = min(1.3 * nearest(tiny, image, label, "linf"), 1.0)
    verifier = Verifier(network, epsilon, failures=tmp_path)
    network.body[-1].bias.data[label] += 1e3
    with pytest.raises(CheckError, match="misses the goal"):
        verifier.verdict(image, label)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epsilon": 0.0}, "above 0, at most 1"),
        ({"epsilon": -0.1}, "above 0, at most 1"),
        ({"epsilon": 1.5}, "above 0, at most 1"),
        ({"epsilon": np.nan}, "above 0, at most 1"),
        ({"epsilon": 4.5, "norm": "l1"}, "above 0, at most 4"),
        ({"norm": "l0"}, "unknown norm"),
        ({"solver": "cplex"}, "unknown solver"),
        ({"solver": "highs", "norm": "l2"}, "HiGHS has no second-order cones"),
        ({"time_limit": 0.0}, "seconds, above 0"),
        ({"label": 7}, "a class from 0 to 2"),
        ({"image": np.full(SHAPE, 1.5)}, "finite pixels in"),
        ({"image": np.zeros(4)}, "shape"),
    ],
)
def test_bad_input_is_answered_clearly(changes: dict[str, object], named: str) -> None:
    network, image, label, _ = shaped_instance(1)
    arguments = {"image": image, "label": label, **changes}
    with pytest.raises(InputError, match=named):
        verify(network, **arguments)


def dense(*layers: tuple[list[list[float]], list[float]]) -> Network:
    """A network of these float32 weights and biases, with ReLUs between."""
    modules: list[nn.Module] = [nn.Flatten()]
    for weight, bias in layers:
        layer = nn.Linear(len(weight[0]), len(weight))
        layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
        modules += [layer, nn.ReLU()]
    return network_of(nn.Sequential(*modules[:-1]), SHAPE).frozen()


def test_a_margin_that_float64_absorbs_is_no_certificate() -> None:
    """Zombori et al. (2021): a sum that loses its small term looks constant in floats.

    The first neuron is 2^60 + x - 1/2, which floats round to 2^60; the second takes 2^60 off
    again. In exact arithmetic the margin is x - 1/2 + 1/4, so images near 0 are attacks; floats
    see a margin of 1/4 everywhere.
    """
    huge = 2.0**60
    network = dense(
        ([[1.0, 0.0, 0.0, 0.0]], [huge]),
        ([[1.0]], [-huge]),
        ([[1.0], [0.0]], [-0.25, 0.0]),
    )
    # Floats: max(2^60 + x, 0) - 2^60 = 0, so the logits look like (-1/4, 0) for every x.
    verdict = verify(network, np.full(SHAPE, 0.1), 1, 0.5)
    assert verdict.status == "unknown"
    assert "no solver's bound is a proof" in verdict.reason


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e25])
def test_certificates_hold_at_any_scale_of_the_weights(scale: float) -> None:
    """The first layer times a number, the second divided by it: the same function."""
    for seed in SEEDS:
        _, image, label, tiny = shaped_instance(seed)
        distance = nearest(tiny, image, label, "linf")
        if not np.isfinite(distance):
            continue
        tiny.weights[0], tiny.biases[0] = tiny.weights[0] * scale, tiny.biases[0] * scale
        tiny.weights[1] = tiny.weights[1] / scale
        network = as_network(tiny)
        outside = verify(network, image, label, min(1.1 * distance, 1.0))
        assert outside.status in ("attackable", "unknown")
        inside = verify(network, image, label, 0.9 * distance)
        assert inside.status in ("robust", "unknown")


@pytest.mark.parametrize("seed", range(150))
def test_no_verdict_is_wrong_in_exact_arithmetic_on_huge_and_tiny_weights(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes, matrices, spread = [(3, 4), (3, 3), (2, 3)], [], random.choice([1, 4, 12])
    for shape in shapes:
        weights = random.normal(size=shape) * 10.0 ** random.uniform(-spread, spread, shape)
        biases = random.normal(size=shape[0]) * 10.0 ** random.uniform(-spread, spread, shape[0])
        # Rows that cancel: floats lose what is left.
        if random.random() < 0.5:
            weights[:, 1] = -weights[:, 0]
        matrices.append((weights.astype(np.float32), biases.astype(np.float32)))
    network = dense(*((weights.tolist(), biases.tolist()) for weights, biases in matrices))
    image = random.random(4).round(1)
    image[1] = image[0]
    label = int(_winner(matrices, image) != 0)
    epsilon = 10.0 ** random.uniform(-9, -0.5)
    verdict = verify(network, image.reshape(SHAPE), label, epsilon, time_limit=10.0)
    if verdict.status == "robust":
        signs = random.choice([-1.0, 0.0, 1.0], (200, 4))
        for point in np.clip(image + epsilon * (1 - 1e-9) * signs, 0, 1):
            assert _winner(matrices, point) == label
    if verdict.status == "attackable":
        assert _winner(matrices, verdict.adversarial.ravel()) == verdict.predicted


def _winner(matrices: list[tuple[np.ndarray, np.ndarray]], point: np.ndarray) -> int:
    """The class by exact arithmetic."""
    values = [Fraction(each) for each in point.tolist()]
    for layer, (weights, biases) in enumerate(matrices):
        values = [max(each, Fraction(0)) for each in values] if layer else values
        values = exactly(weights.astype(np.float64), biases.astype(np.float64), values)
    return int(np.argmax(values))
