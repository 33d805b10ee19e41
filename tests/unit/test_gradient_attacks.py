"""FGSM, PGD and the two protocols."""

import dataclasses

import numpy as np
import pytest
import torch

from advmip.datasets import load_dataset
from advmip.gradient_attacks import (
    PROTOCOLS,
    AdversarialSet,
    AttackSettings,
    CarliniWagnerSettings,
    accuracy,
    carlini_wagner,
    evaluate,
    fgsm,
    generate_adversarial_set,
    pgd,
)
from advmip.margins import violation
from advmip.networks import ARCHITECTURES, new_network

SETTINGS = AttackSettings(epsilon=0.1, step=0.03, iterations=5)


@pytest.fixture(params=["digits_cnn_light", "shapes_resnet"])
def network(request):
    return new_network(ARCHITECTURES[request.param], seed=0).frozen()


def subset(network, split, count=300):
    data = load_dataset(network.architecture.dataset, split)
    return dataclasses.replace(data, images=data.images[:count], labels=data.labels[:count])


def test_attacks_stay_in_the_ball_and_in_the_box_where_they_are_clipped(network):
    images = torch.from_numpy(subset(network, "test").images)
    for clip in (True, False):
        for attacked in (
            fgsm(network, images, SETTINGS.epsilon, clip),
            pgd(network, images, SETTINGS, clip),
        ):
            assert float((attacked - images).abs().max()) <= SETTINGS.epsilon + 1e-6
            inside = float(attacked.min()) >= 0 and float(attacked.max()) <= 1
            assert inside == clip


def test_pgd_hurts_more_than_fgsm_and_a_larger_ball_more_than_a_smaller(network):
    test = subset(network, "test")
    wide = AttackSettings(epsilon=0.2, step=0.05, iterations=5)
    for protocol in PROTOCOLS.values():
        small = evaluate(network, test, protocol, SETTINGS, seed=0, progress=False)
        large = evaluate(network, test, protocol, wide, seed=0, progress=False)
        assert small.images == 300
        assert large.pgd <= small.pgd + 1
        assert small.pgd <= small.fgsm + 3
        assert small.fgsm <= small.clean + 3


def test_the_seed_decides(network):
    train = subset(network, "train")
    sets = [
        generate_adversarial_set(
            network, train, PROTOCOLS["published"], SETTINGS, per_label=2, seed=s, progress=False
        )
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(sets[0].inputs, sets[1].inputs)
    assert not np.array_equal(sets[0].inputs, sets[2].inputs)


def test_the_set_holds_the_worst_misclassified_points_of_each_label(network, tmp_path):
    train = subset(network, "train")
    points = generate_adversarial_set(
        network, train, PROTOCOLS["described"], SETTINGS, per_label=2, seed=0, progress=False
    )
    np.testing.assert_array_equal(train.labels[points.image_indices], points.labels)
    with torch.no_grad():
        outputs = network.body(torch.from_numpy(points.inputs))
    found = violation(outputs, torch.from_numpy(points.labels)).numpy()
    np.testing.assert_allclose(found, points.violations, atol=1e-4)
    assert (points.violations > 0).all()
    for label in np.unique(points.labels):
        own = points.violations[points.labels == label]
        assert (np.diff(own) <= 0).all(), "worst first"
    path = tmp_path / "points.npz"
    points.save(path)
    again = AdversarialSet.load(path)
    np.testing.assert_array_equal(again.inputs, points.inputs)


def test_clean_accuracy_is_that_of_the_argmax(network):
    test = subset(network, "test")
    with torch.no_grad():
        predicted = network(torch.from_numpy(test.images)).argmax(dim=1).numpy()
    expected = 100 * float((predicted == test.labels).mean())
    assert accuracy(network, test.images, test.labels) == pytest.approx(expected)


def test_carlini_and_wagner_come_near_the_nearest_attack(network):
    images = torch.from_numpy(subset(network, "test", 4).images)
    before = network(images).argmax(dim=1)
    settings = CarliniWagnerSettings(learning_rate=0.02, iterations=150, searches=6)
    attacked = carlini_wagner(network, images, settings)
    found = network(attacked).argmax(dim=1) != before
    assert float(attacked.min()) >= 0
    assert float(attacked.max()) <= 1
    assert found.any()
    # What it finds is shorter than the shortest sign step that changes the class.
    for image, label, near in zip(images[found], before[found], attacked[found], strict=True):
        radii = np.linspace(0.005, 1.0, 200)
        steps = [fgsm(network, image[None], float(radius), clip=True) for radius in radii]
        leaves = [step for step in steps if int(network(step).argmax()) != int(label)]
        if leaves:
            assert float((near - image).norm()) < float((leaves[0] - image).norm())
    lost = carlini_wagner(network, images, CarliniWagnerSettings(0.02, iterations=1, searches=1))
    unmoved = network(lost).argmax(dim=1) == before
    torch.testing.assert_close(lost[unmoved], images[unmoved])
