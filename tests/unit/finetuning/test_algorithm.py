"""Algorithm 1 on a trained tiny network, from the attack to the chosen weights."""

import dataclasses

import numpy as np
import pytest
import torch

from advmip.checking.finetuned import check_finetuned
from advmip.datasets import load_dataset
from advmip.errors import CheckError, InputError
from advmip.finetuning import finetune
from advmip.gradient_attacks import PROTOCOLS, AttackSettings, evaluate, generate_adversarial_set
from advmip.networks import ARCHITECTURES, load_network
from advmip.networks.training import train

ATTACK = AttackSettings(epsilon=0.1, step=0.02, iterations=10)
PUBLISHED = PROTOCOLS["published"]


@pytest.fixture(scope="module")
def story():
    """A network trained on digits, and its ten worst adversarial points."""
    data = load_dataset("digits", "train")
    network = train(
        ARCHITECTURES["digits_cnn_light"],
        data,
        epochs=20,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.005,
        decay=0.9,
        seed=0,
        progress=False,
    ).frozen()
    points = generate_adversarial_set(
        network, data, PUBLISHED, ATTACK, per_label=1, seed=0, progress=False
    )
    return network, data, points


@pytest.fixture(scope="module")
def tuned(story):
    network, data, points = story
    return finetune(network, data, points, iterations=8, progress=False)


def test_ten_points_make_the_network_more_robust_at_little_cost(story, tuned):
    network, _, _ = story
    test = load_dataset("digits", "test")
    before = evaluate(network, test, PUBLISHED, ATTACK, seed=0, progress=False)
    after = evaluate(tuned.model(0.2), test, PUBLISHED, ATTACK, seed=0, progress=False)
    assert after.pgd > before.pgd + 5
    assert after.clean > before.clean - 6


def test_violation_falls_to_nothing(tuned):
    violations = tuned.pool.set_index(["iteration", "alpha"])["violation"]
    assert violations[(0, 0.0)] > 10 * tuned.iterations["violation"].min()


def test_every_projection_is_proved(tuned):
    assert (tuned.iterations["infeasibility"] <= 1e-6).all()
    assert (tuned.iterations["duality_gap"] <= 1e-6).all()
    # More cuts never bring the projection nearer to the initial weights.
    assert tuned.iterations["distance"].is_monotonic_increasing
    assert list(tuned.iterations["rows"]) == [91 * k for k in range(1, 9)]


def test_what_the_pool_states_is_what_the_networks_do(story, tuned, tmp_path):
    _, data, points = story
    for omega in tuned.omega:
        chosen = tuned.choice(omega)
        claims = {"claimed_violation": chosen["violation"], "claimed_loss": chosen["loss"]}
        arguments = {"adversarial": points, "train": data, "seed": 0, "folder": tmp_path}
        check_finetuned(tuned.model(omega), **claims, **arguments)
        wrong = claims | {"claimed_loss": chosen["loss"] * 0.9}
        with pytest.raises(CheckError, match="training loss"):
            check_finetuned(tuned.model(omega), **wrong, **arguments)
    saved = list(tmp_path.glob("failed_check_*.safetensors"))
    assert saved
    assert load_network(saved[0]).architecture.name == "digits_cnn_light"


def test_candidates_given_up_early_are_truly_dominated(story, tuned):
    network, data, points = story
    complete = finetune(network, data, points, iterations=8, complete_pool=True, progress=False)
    assert complete.pool["complete"].all()
    assert not tuned.pool["complete"].all(), "nothing was saved"
    np.testing.assert_array_equal(complete.pool["pareto"], tuned.pool["pareto"])
    assert (tuned.pool["loss"] <= complete.pool["loss"] + 1e-6).all()


def test_the_same_again_gives_the_same(story, tuned):
    network, data, points = story
    again = finetune(network, data, points, iterations=8, progress=False)
    assert again.model(0.0).digest == tuned.model(0.0).digest
    assert again.last().digest == tuned.last().digest


def test_the_network_given_is_left_as_it_was(story, tuned):
    network, _, _ = story
    assert tuned.candidate(0, 0.0).digest == network.digest
    assert tuned.last().digest != network.digest


def test_fixing_most_weights_still_removes_the_violation(story):
    network, data, points = story
    blocks = finetune(network, data, points, iterations=4, fixed_ratio=0.8, progress=False)
    exact = finetune(network, data, points, iterations=4, progress=False)
    assert blocks.iterations["violation"].min() < 0.1 * blocks.pool["violation"].max()
    assert blocks.iterations["distance"][0] > exact.iterations["distance"][0]


def test_duplicated_points_change_nothing(story):
    network, data, points = story
    twice = dataclasses.replace(
        points,
        **{
            f.name: np.concatenate([getattr(points, f.name)] * 2)
            for f in dataclasses.fields(points)
        },
    )
    once = finetune(network, data, points, iterations=2, progress=False)
    doubled = finetune(network, data, twice, iterations=2, progress=False)
    torch.testing.assert_close(doubled.steps[1], once.steps[1], rtol=0, atol=1e-5)


class TestBadInput:
    def replace(self, points, **changes):
        return dataclasses.replace(points, **changes)

    def test_empty_adversarial_set(self, story):
        network, data, points = story
        empty = self.replace(points, inputs=points.inputs[:0], labels=points.labels[:0])
        with pytest.raises(InputError, match="at least one misclassified point"):
            finetune(network, data, empty, progress=False)

    def test_points_that_are_classified_correctly(self, story):
        network, data, points = story
        with torch.no_grad():
            predicted = network.body(torch.from_numpy(points.inputs)).argmax(dim=1).numpy()
        with pytest.raises(InputError, match="classifies correctly"):
            finetune(network, data, self.replace(points, labels=predicted), progress=False)

    @pytest.mark.parametrize("label", [-1, 10])
    def test_labels_outside_the_range(self, story, label):
        network, data, points = story
        wrong = self.replace(points, labels=np.full_like(points.labels, label))
        with pytest.raises(InputError, match="0 to 9"):
            finetune(network, data, wrong, progress=False)

    @pytest.mark.parametrize(
        "arguments",
        [{"iterations": 0}, {"omega": (1.5,)}, {"fixed_ratio": 1.0}, {"sweeps": 0}],
        ids=str,
    )
    def test_arguments_outside_their_range(self, story, arguments):
        network, data, points = story
        with pytest.raises(InputError, match=next(iter(arguments))):
            finetune(network, data, points, progress=False, **arguments)

    def test_more_points_than_there_are(self, story):
        with pytest.raises(InputError, match="fewer than 3 misclassified points"):
            story[2].take(30)

    @pytest.mark.parametrize("count", [0, 15, -10])
    def test_a_number_of_points_that_is_no_multiple_of_ten(self, story, count):
        with pytest.raises(InputError, match="multiple of ten"):
            story[2].take(count)


def test_a_network_in_double_precision_is_attacked_and_tuned_in_it(story, tmp_path):
    network, data, _ = story
    arrays = {name: tensor.double().numpy() for name, tensor in network.body.state_dict().items()}
    np.savez(tmp_path / "double.npz", **arrays)
    double = load_network(tmp_path / "double.npz")
    points = generate_adversarial_set(
        double, data, PUBLISHED, ATTACK, per_label=1, seed=0, progress=False
    )
    tuned = finetune(double, data, points, iterations=2, progress=False)
    chosen = tuned.model(0.0)
    assert chosen.body.fc1.weight.dtype == torch.float64
    choice = tuned.choice(0.0)
    claims = {"claimed_violation": choice["violation"], "claimed_loss": choice["loss"]}
    arguments = {"adversarial": points, "train": data, "seed": 0, "folder": tmp_path}
    check_finetuned(chosen, **claims, **arguments)
