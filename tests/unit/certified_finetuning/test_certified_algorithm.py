"""Theorem 1 at work: balls that held adversarial points hold none, and that is proved."""

import dataclasses

import numpy as np
import pytest
from torch import nn

from advmip import InputError, Verifier, from_torch, load_dataset, load_network, robustify
from advmip.certified_finetuning import CUTS, Fate
from advmip.finetuning.run import Run
from advmip.networks import ARCHITECTURES
from advmip.networks.training import train

EPSILON = 0.06  # on the plane
RADIUS = 0.1  # on digits


@pytest.fixture(scope="module", params=CUTS)
def robust(request, plane):
    return robustify(*plane, EPSILON, cuts=request.param, progress=False)


def test_balls_that_held_adversarial_points_hold_none(plane, robust, winners):
    network, _, images = plane
    assert any(winners(network, *labelled) for labelled in images)
    assert not any(winners(robust.network, *labelled) for labelled in images)


def test_every_image_is_proved_and_the_weights_hardly_move(plane, robust):
    network, _, images = plane
    assert robust.stopped == "converged"
    assert [each.fate for each in robust.images] == [Fate.PROVED] * len(images)
    assert all(each.margin > 0 for each in robust.images)
    norm = sum(float(weights.square().sum()) for weights in network.parameters()) ** 0.5
    assert 0 < robust.distance < 0.05 * norm
    assert robust.distance == pytest.approx(robust.iterations["distance"].iloc[-1], rel=1e-5)
    assert robust.accuracy.split == "train"
    assert robust.accuracy.after > robust.accuracy.before - 2


def test_what_is_robust_already_is_left_as_it_is(plane, robust):
    _, data, images = plane
    again = robustify(robust.network, data, images, EPSILON, progress=False)
    assert again.distance == 0.0
    assert again.proved == len(images)
    assert again.network.digest == robust.network.digest


@pytest.mark.parametrize("cuts", CUTS)
def test_a_run_that_was_stopped_comes_to_the_same_weights(digits, tmp_path, monkeypatch, cuts):
    network, data, images = digits
    # Verdicts that a limit ends are no matter of the weights alone.
    how = {"cuts": cuts, "progress": False, "iterations": 2, "separation_time_limit": 60.0}
    whole = robustify(network, data, images[:4], RADIUS, **how)
    assert len(whole.iterations) == 2

    iterate = Run.iterate

    def stopped(self):
        if len(self.projections) == 1:
            raise KeyboardInterrupt
        iterate(self)

    journal = tmp_path / "run.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(Run, "iterate", stopped)
        with pytest.raises(KeyboardInterrupt):
            robustify(network, data, images[:4], RADIUS, journal=journal, **how)
    (known,) = (tmp_path / "run").iterdir()
    written = known.stat().st_mtime_ns
    resumed = robustify(network, data, images[:4], RADIUS, journal=journal, **how)
    assert known.stat().st_mtime_ns == written, "an iterate was not recalled"
    assert resumed.network.digest == whole.network.digest
    # A damaged file is no iterate, and another radius has nothing to go on from.
    known.write_bytes(b"torn")
    again = robustify(network, data, images[:4], RADIUS, journal=journal, **how)
    assert again.network.digest == whole.network.digest
    other = robustify(network, data, images[:4], 0.9 * RADIUS, journal=journal, **how)
    assert other.network.digest != whole.network.digest


def test_before_the_end_the_answer_says_what_is_proved(digits):
    network, data, images = digits
    robust = robustify(network, data, images, 0.14, iterations=1, progress=False)
    assert robust.stopped == "iterations"
    assert robust.proved > 0
    for each, (image, label) in zip(robust.images, images, strict=True):
        assert (each.margin > 0) == (each.fate is Fate.PROVED)
        assert (each.adversarial is not None) == (each.fate is Fate.ATTACKABLE)
        if each.adversarial is not None:
            assert robust.network.answer(each.adversarial) != label
            assert np.abs(each.adversarial - image).max() <= 0.14 + 1e-12


def test_time_that_is_up_ends_it_after_an_iteration(digits):
    network, data, images = digits
    robust = robustify(network, data, images, RADIUS, time_limit=1e-6, progress=False)
    assert robust.stopped == "time"
    assert len(robust.iterations) == 1


def test_what_is_proved_is_proved_of_the_file(digits, tmp_path):
    network, data, images = digits
    out = tmp_path / "tuned.safetensors"
    robust = robustify(network, data, images[:2], RADIUS, out=out, progress=False)
    assert robust.network.digest != network.digest
    assert robust.proved == 2
    verifier = Verifier(load_network(out), RADIUS)
    assert [verifier.verdict(*labelled).status for labelled in images[:2]] == ["robust"] * 2


def test_the_choice_may_weigh_the_loss(digits):
    network, data, images = digits
    proved = robustify(network, data, images[:2], RADIUS, progress=False)
    weighed = robustify(network, data, images[:2], RADIUS, omega=0.9, progress=False)
    assert len(weighed.pool) > len(proved.pool)
    assert weighed.distance < proved.distance


class TestImagesThatCannotBeProved:
    def pair(self, plane):
        """Two images of different classes on both sides of a border."""
        return [(np.float32([[[0.9, y]]]), label) for y, label in ((0.54, 0), (0.46, 2))]

    def test_an_impossible_pair_is_refused_by_name(self, plane):
        network, data, images = plane
        with pytest.raises(InputError, match=r"a:1 \(class 0\) within 2 epsilon of a:2"):
            robustify(
                network,
                data,
                [images[0], *self.pair(plane)],
                EPSILON,
                names=["a:0", "a:1", "a:2"],
                progress=False,
            )

    def test_an_impossible_pair_is_left_out_and_named(self, plane):
        network, data, images = plane
        chosen = [images[0], *self.pair(plane)]
        robust = robustify(network, data, chosen, EPSILON, unfit="leave-out", progress=False)
        assert [each.fate for each in robust.images] == [
            Fate.PROVED,
            Fate.IMPOSSIBLE,
            Fate.IMPOSSIBLE,
        ]
        assert [each.rival for each in robust.images] == [None, 2, 1]

    def test_an_image_misclassified_at_the_start(self, plane):
        network, data, images = plane
        image, label = images[0]
        wrong = [(image, (label + 1) % 3), images[1]]
        with pytest.raises(InputError, match=f"taken for class {label}"):
            robustify(network, data, wrong, 0.001, progress=False)
        robust = robustify(network, data, wrong, 0.001, unfit="leave-out", progress=False)
        assert [each.fate for each in robust.images] == [Fate.MISCLASSIFIED, Fate.PROVED]
        assert robust.images[0].predicted == label

    @pytest.mark.parametrize("cuts", CUTS)
    def test_an_image_misclassified_at_the_start_is_made_right(self, plane, winners, cuts):
        network, data, images = plane
        image, label = images[0]
        other = (label + 1) % 3
        wrong = [(image, other), *(each for each in images[1:] if each[1] == other)]
        how = {"cuts": cuts, "repair": True, "progress": False}
        robust = robustify(network, data, wrong, 0.02, **how)
        assert [each.fate for each in robust.images] == [Fate.PROVED] * len(wrong)
        assert network.answer(image) == label
        assert not any(winners(robust.network, *labelled, 0.02) for labelled in wrong)
        with pytest.raises(InputError, match="within 2 epsilon"):
            robustify(network, data, self.pair(plane), EPSILON, **how)

    def test_none_is_left(self, plane):
        network, data, _ = plane
        with pytest.raises(InputError, match="within 2 epsilon"):
            robustify(network, data, self.pair(plane), EPSILON, unfit="leave-out", progress=False)


class TestBadInput:
    @pytest.mark.parametrize("epsilon", [0.0, -0.1, 1.5, float("nan")])
    def test_a_radius_out_of_range(self, plane, epsilon):
        with pytest.raises(InputError, match="epsilon"):
            robustify(*plane, epsilon, progress=False)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"cuts": "certificate"},
            {"unfit": "keep"},
            {"iterations": 0},
            {"omega": 1.5},
            {"margin": 0.0},
            {"time_limit": 0.0},
            {"image_time_limit": 0.0},
        ],
        ids=str,
    )
    def test_arguments_out_of_range(self, plane, arguments):
        with pytest.raises(InputError):
            robustify(*plane, EPSILON, progress=False, **arguments)

    def test_no_image(self, plane):
        network, data, _ = plane
        with pytest.raises(InputError, match="none"):
            robustify(network, data, [], EPSILON, progress=False)

    def test_an_image_of_another_shape_or_class(self, plane):
        network, data, images = plane
        for wrong in ((np.zeros((1, 3, 3)), 0), (images[0][0], 3), (images[0][0] + 2, 0)):
            with pytest.raises(InputError):
                robustify(network, data, [wrong], EPSILON, progress=False)

    def test_an_image_of_the_test_set(self, plane):
        network, data, images = plane
        test = dataclasses.replace(data, split="test")
        with pytest.raises(InputError, match="image 0 and 11 more"):
            robustify(network, data, images, EPSILON, test=test, progress=False)

    def test_training_images_of_another_shape(self, plane):
        network, _, images = plane
        with pytest.raises(InputError, match="training images"):
            robustify(network, load_dataset("digits", "train"), images, EPSILON, progress=False)

    def test_a_file_that_cannot_hold_the_network(self, plane, tmp_path):
        for name in ("tuned.safetensors", "tuned.npz"):
            with pytest.raises(InputError, match="safetensors"):
                robustify(*plane, EPSILON, out=tmp_path / name, progress=False)

    def test_a_layer_that_cannot_be_bounded_in_training(self, plane):
        _, data, images = plane
        module = nn.Sequential(nn.Flatten(), nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
        network = from_torch(module.eval(), input_shape=(1, 1, 2))
        fitting = [(image, network.answer(image)) for image, _ in images[:1]]
        with pytest.raises(InputError, match="BatchNorm"):
            robustify(network, data, fitting, 0.001, progress=False)


@pytest.fixture(scope="module")
def digits():
    """A small convolutional network, its training data, and some of its images."""
    data = load_dataset("digits", "train")
    network = train(
        ARCHITECTURES["digits_cnn_light"],
        data,
        epochs=10,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.005,
        decay=0.9,
        progress=False,
    ).frozen()
    right = [
        place for place in range(12) if network.answer(data.images[place]) == data.labels[place]
    ]
    return network, data, [(data.images[place], int(data.labels[place])) for place in right[:8]]
