"""Proofs in files: what the trees write is checked, and what is altered is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brute_force import smallest
from small_networks import convolutional, residual
from tiny_networks import instance

import advmip.checking
from advmip import (
    InputError,
    Verdict,
    all_of,
    any_of,
    check_proof,
    feature,
    logit,
    staged,
    verify,
)
from advmip.checking.proofs.enclosure import Enclosure, Given, Stages
from advmip.checking.proofs.regions import ball
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Multipliers
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.verification import region_verification
from advmip.mip.verification.verifier import VerificationIngredients
from advmip.mip.verification_tree import InputTree, input_tree, sign_tree
from advmip.networks import Network
from advmip.properties import Property

Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def trees_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree's first turn lasts to its end, however slow the machine is."""
    monkeypatch.setattr(region_verification, "_TURN", 1e6)


def around(network: Network) -> tuple[np.ndarray, int]:
    """An image, and its class."""
    form = staged(network)
    image = np.random.default_rng(3).random(form.input_shape)
    return image, int(form.logits(image.ravel()).argmax())


def proved(file: Path, network: Network, image: np.ndarray, *how: Any, **more: Any) -> Verdict:
    verdict = verify(network, image, *how, proof=file, **more)
    assert verdict.status in ("robust", "holds")
    assert verdict.proof == str(file)
    return verdict


def altered(file: Path, change: Callable[[Arrays], object]) -> Path:
    """A proof some of whose arrays are others; its header is there as `proof.json`."""
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["proof.json"] = json.loads(arrays["proof.json"])
    change(arrays)
    other = file.with_name("altered.npz")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("proof.json", json.dumps(arrays.pop("proof.json")))
        for name, array in arrays.items():
            written = BytesIO()
            np.save(written, array)
            archive.writestr(f"{name}.npy", written.getvalue())
    return other


def refused(file: Path, network: Network, name: str, entry: int, value: int, message: str) -> None:
    """A proof with another number in one of its arrays is none."""

    def change(arrays: Arrays) -> None:
        arrays[name][entry] = value

    with pytest.raises(InputError, match=message):
        check_proof(altered(file, change), network)


@pytest.fixture(scope="module")
def by_signs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Network]:
    """A tree of tens of nodes over signs of a network of convolutions, in an L1 ball."""
    network, file = convolutional(), tmp_path_factory.mktemp("signs") / "proof.npz"
    image, label = around(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_verification, "_TURN", 1e6)
        verdict = proved(file, network, image, label, 5.0, "l1")
    assert verdict.evidence == "tree"
    assert verdict.nodes > 20
    return file, network


def of_several_conditions() -> tuple[Network, Property]:
    """A tiny network of four inputs, and a box with a case of several conditions."""
    _, network, image, label = instance(0, (8, 8, 8))
    others = [rival for rival in range(3) if rival != label]
    box = np.clip(image - 0.3, 0, 1), np.clip(image + 0.3, 0, 1)
    both = all_of(*(logit(rival) >= logit(label) for rival in others))
    first = any_of(logit(others[0]) >= logit(label), both)
    return network, Property.of(box, first, "no other class")


@pytest.fixture(scope="module")
def by_inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Network, Property]:
    """A tree over four inputs, with a case of several conditions."""
    file = tmp_path_factory.mktemp("inputs") / "proof.npz"
    network, property_ = of_several_conditions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_verification, "_TURN", 1e6)
        verdict = verify(network, property_, proof=file)
    assert (verdict.status, verdict.evidence) == ("holds", "tree")
    assert verdict.nodes > 10
    return file, network, property_


@pytest.fixture(scope="module")
def by_signs_in_boxes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Network, Property]:
    """The same by small trees over signs, in boxes of few open neurons."""
    file = tmp_path_factory.mktemp("boxes") / "proof.npz"
    network, property_ = of_several_conditions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_verification, "_TURN", 1e6)
        patch.setattr(InputTree, "_shares", lambda _: [1e-12, 1.0])
        patch.setattr(input_tree, "_FEW", 18)
        patch.setattr(sign_tree, "_BEFORE_CUTS", 200)
        verdict = verify(network, property_, proof=file)
    assert (verdict.status, verdict.evidence) == ("holds", "tree")
    with np.load(file) as archive:
        assert len(archive["region-0/signs"]) > 1
        assert (archive["region-0/cuts"] == -1).any()
    return file, network, property_


@pytest.fixture(scope="module")
def with_cuts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Network]:
    """A tree that began again with cuts, after some nodes without."""
    _, network, image, label = instance(4, (8, 8, 8))
    file = tmp_path_factory.mktemp("cuts") / "proof.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_verification, "_TURN", 1e6)
        patch.setattr(region_verification, "MOST_INPUTS", 0)
        patch.setattr(sign_tree, "_BEFORE_CUTS", 200)
        verdict = verify(network, image.reshape(1, 2, 2), label, 0.15, proof=file)
    assert (verdict.status, verdict.evidence) == ("robust", "tree")
    with np.load(file) as archive:
        assert archive["region-0/cut-nodes-0/quarters"].max() == 3
        assert archive["region-0/cut-nodes-0/weights"].max() > 0
    return file, network


def test_the_checker_knows_nothing_of_the_search() -> None:
    code = (
        "import sys, advmip.checking.proofs; "
        "sys.exit(any(name.startswith('advmip.mip') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    for source in Path(advmip.checking.__file__).parent.rglob("*.py"):
        assert "advmip.mip" not in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("network", [convolutional(), residual()])
def test_the_checker_agrees_with_the_search_up_to_rounding(network: Network, norm: str) -> None:
    form, random = staged(network), np.random.default_rng(7)
    image, radius = random.random(form.pixels), {"linf": 0.1, "l1": 0.8, "l2": 0.3}[norm]
    theirs = LinearBounds(matrix_stages(form), Ball(torch.from_numpy(image[None]), radius, norm))
    region = ball(image, radius, norm, np.zeros(form.pixels), np.ones(form.pixels))
    ours = Enclosure(Stages(form), region)
    for found, expected in zip(ours.by_usual_forms(), theirs.by_forms(), strict=False):
        assert np.allclose(found.lower, expected.lower.numpy(), rtol=0, atol=1e-9)
        assert np.allclose(found.upper, expected.upper.numpy(), rtol=0, atol=1e-9)
    rows, count = random.normal(size=(4, form.classes)), 0
    given, slopes, signs, prices = [], [], [], []
    for layer, sides in enumerate(ours.sides):
        width, unstable = sides.lower.shape[1], np.flatnonzero(sides.unstable[0])
        held, up = unstable[:2], np.resize([True, False], min(2, len(unstable)))
        for neuron, positive in zip(held.tolist(), up, strict=True):
            ours.sides[layer] = ours.sides[layer].held(neuron, bool(positive))
        count += len(held)
        slope, price = random.random((4, width)), random.random((4, width))
        sign = np.zeros(width)
        sign[held] = np.where(up, 1.0, -1.0)
        given.append(Given(unstable, slope[:, unstable], held, -sign[held] * price[:, held]))
        slopes.append(torch.from_numpy(slope[None]))
        prices.append(torch.from_numpy(price[None]))
        signs.append(torch.from_numpy(sign[None, None]))
    assert count > 2
    theirs.given(
        [
            type(known)(torch.from_numpy(each.lower), torch.from_numpy(each.upper))
            for known, each in zip(theirs.by_forms(), ours.sides, strict=False)
        ]
    )
    expected = theirs.forms(torch.from_numpy(rows[None]), Multipliers(slopes, prices), signs)
    found = ours.conditions(np.zeros((4, form.pixels)), rows, np.zeros(4), given)
    assert np.allclose(found, expected.least.numpy(), rtol=0, atol=1e-9)


def test_forms_alone_are_a_tree_of_one_leaf(tmp_path: Path) -> None:
    network = convolutional()
    image, label = around(network)
    for norm, radius, evidence in (("linf", 0.1, "interval"), ("l2", 0.9, "linear")):
        verdict = proved(tmp_path / "proof.npz", network, image, label, radius, norm)
        assert verdict.evidence == evidence
        found = check_proof(tmp_path / "proof.npz", network)
        assert found.proved
        assert found.leaves == 1


def test_a_tree_over_signs_is_proved(by_signs: tuple[Path, Network]) -> None:
    file, network = by_signs
    found = check_proof(file, network)
    assert found.proved
    assert found.leaves > 10


def test_a_tree_with_cuts_is_proved(with_cuts: tuple[Path, Network]) -> None:
    file, network = with_cuts
    found = check_proof(file, network)
    assert found.proved
    assert found.leaves > 1


@pytest.mark.parametrize(
    ("name", "entry", "value", "message"),
    [
        ("cut-nodes-0/weights", 3, 129, r"not in \[0, 1\]"),
        ("cut-nodes-0/quarters", 3, 4, "quarter 4 of 4"),
        ("inputs-of-0", 3, 4, "inputs that there are not"),
        ("inputs-of-1", 0, -1, "inputs that there are not"),
    ],
)
def test_a_number_of_a_cut_out_of_its_range_is_refused(
    with_cuts: tuple[Path, Network], name: str, entry: int, value: int, message: str
) -> None:
    refused(*with_cuts, f"region-0/{name}", entry, value, message)


def test_what_was_proved_without_cuts_does_not_count_beside_them(
    with_cuts: tuple[Path, Network],
) -> None:
    file, network = with_cuts

    def without(arrays: Arrays) -> None:
        for name in [each for each in arrays if each.startswith("region-0/cut-nodes")]:
            del arrays[name]

    assert not check_proof(altered(file, without), network).proved


def test_a_proof_of_the_version_before_cuts_is_read(by_signs: tuple[Path, Network]) -> None:
    file, network = by_signs

    def older(arrays: Arrays) -> None:
        arrays["proof.json"]["version"] = 1

    assert check_proof(altered(file, older), network).proved


def test_a_sum_of_layers_is_proved_by_a_tree(tmp_path: Path) -> None:
    network = residual()
    image, label = around(network)
    with torch.no_grad():
        bias = network.body.last.bias
        bias[label] += 2.0
        bias[label] -= verify(network, image, label, 0.1).margins.min() - 0.02
    verdict = proved(tmp_path / "proof.npz", network, image, label, 0.12)
    assert verdict.evidence == "tree"
    assert check_proof(tmp_path / "proof.npz", network).proved


def test_a_tree_over_inputs_is_proved(by_inputs: tuple[Path, Network, Property]) -> None:
    file, network, property_ = by_inputs
    found = check_proof(file, network, property_)
    assert found.proved
    assert found.leaves > 5


def test_trees_over_signs_in_boxes_are_proved(
    by_signs_in_boxes: tuple[Path, Network, Property],
) -> None:
    file, network, property_ = by_signs_in_boxes
    found = check_proof(file, network, property_)
    assert found.proved
    assert found.leaves > 2


def test_a_box_needs_its_tree_over_signs_and_its_weights(
    by_signs_in_boxes: tuple[Path, Network, Property],
) -> None:
    file, network, _ = by_signs_in_boxes

    def by_forms(arrays: Arrays) -> None:
        arrays["region-0/cuts"][arrays["region-0/cuts"] == -2] = -1

    def none(arrays: Arrays) -> None:
        arrays["region-0/signs"] += 1000

    def fewer(arrays: Arrays) -> None:
        arrays["region-0/signs"] = arrays["region-0/signs"][1:]

    def nothing(arrays: Arrays) -> None:
        arrays["region-0/weights"][:] = 0

    for change in (by_forms, nothing):
        assert "open" in check_proof(altered(file, change), network).missing
    assert "a leaf is missing" in check_proof(altered(file, none), network).missing
    with pytest.raises(InputError, match="another number of leaves"):
        check_proof(altered(file, fewer), network)


def test_each_box_of_a_property_has_a_tree_of_its_own(tmp_path: Path) -> None:
    _, network, image, label = instance(1, (8, 8, 8))
    rivals = [rival for rival in range(3) if rival != label]
    met = any_of(*(logit(rival) >= logit(label) for rival in rivals))
    boxes = [(image - 0.15, image + 0.15), (image - 0.02, image + 0.01)]
    property_ = Property(tuple(case for box in boxes for case in Property.of(box, met).cases))
    file = tmp_path / "proof.npz"
    proved(file, network, property_)
    assert check_proof(file, network, property_).proved

    def fewer(arrays: Arrays) -> None:
        arrays["proof.json"]["regions"] = 1

    def swapped(arrays: Arrays) -> None:
        del arrays["region-0/cuts"]

    with pytest.raises(InputError, match="1 regions of 2"):
        check_proof(altered(file, fewer), network)
    assert "in region 0" in check_proof(altered(file, swapped), network).missing


@pytest.mark.parametrize("most", [0, 20])
def test_conditions_on_inputs_are_proved_too(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_verification, "MOST_INPUTS", most)
    _, network, image, label = instance(1, (8, 8, 8))
    box = np.clip(image - 0.15, 0, 1), np.clip(image + 0.15, 0, 1)
    met = any_of(
        *(
            logit(rival) + 0.01 * feature(0) >= logit(label) + 0.01 * feature(1)
            for rival in range(3)
            if rival != label
        ),
        logit(label) <= -100.0,
    )
    property_ = Property.of(box, met)
    verdict = proved(tmp_path / "proof.npz", network, property_)
    assert verdict.evidence == "tree"
    assert check_proof(tmp_path / "proof.npz", network, property_).proved


@pytest.mark.parametrize(
    ("most", "before_cuts", "worth_bounds"),
    [(0, 10**9, 0.0), (0, 10**9, 1.0), (0, 0, 0.0), (0, 0, 1.0), (20, 0, 0.0)],
)
@pytest.mark.parametrize("seed", [1, 4, 5])
def test_what_is_robust_by_every_activation_pattern_has_a_proof_and_nothing_else(
    seed: int,
    most: int,
    before_cuts: int,
    worth_bounds: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_tree, "_BEFORE_CUTS", before_cuts)
    monkeypatch.setattr(sign_tree, "_WORTH_BOUNDS", worth_bounds)
    monkeypatch.setattr(region_verification, "MOST_INPUTS", most)
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(3) if rival != label]
    nearest = smallest(tiny, image, "linf", rivals, 1.0, 0.0, beaten=label)
    image = image.reshape(1, 2, 2)
    file = tmp_path / "proof.npz"
    proved(file, network, image, label, 0.9 * nearest)
    assert check_proof(file, network).proved

    def beyond(arrays: Arrays) -> None:
        arrays["proof.json"]["question"]["epsilon"] = 1.001 * nearest

    assert not check_proof(altered(file, beyond), network).proved


@pytest.mark.parametrize("entry", [0, -1])
def test_a_multiplier_that_is_altered_leaves_its_leaf_open(
    by_signs: tuple[Path, Network], entry: int
) -> None:
    file, network = by_signs

    def change(arrays: Arrays) -> None:
        arrays["region-0/nodes-0/multipliers"][entry] = 0x7000

    found = check_proof(altered(file, change), network)
    assert not found.proved
    assert "leaf" in found.missing


@pytest.mark.parametrize(
    ("name", "entry", "value", "message"),
    [
        ("multipliers", 3, 0x8000 | 0x3F80, "negative or not finite"),
        ("multipliers", 3, 0x7FC0, "negative or not finite"),
        ("multipliers", 3, 0x7F80, "negative or not finite"),
        ("slopes", 5, 129, r"not in \[0, 1\]"),
        ("places", 2, 10**6, "neurons or conditions that there are not"),
        ("places", 2, -1, "neurons or conditions that there are not"),
        ("heads", 0, 99, "a split by a neuron"),
        ("heads", 2, 99, "more layers than"),
        ("heads", 4, -5, "too few places"),
    ],
)
def test_a_number_out_of_its_range_is_refused(
    by_signs: tuple[Path, Network], name: str, entry: int, value: int, message: str
) -> None:
    refused(*by_signs, f"region-0/nodes-0/{name}", entry, value, message)


def test_a_leaf_that_is_missing_or_too_much_is_seen(by_signs: tuple[Path, Network]) -> None:
    file, network = by_signs
    heads = "region-0/nodes-0/heads"

    def shorter(arrays: Arrays) -> None:
        ((last,),) = [np.flatnonzero(arrays[heads] == -1)[-2:-1]]
        arrays[heads] = arrays[heads][:last]

    def longer(arrays: Arrays) -> None:
        arrays[heads] = np.append(arrays[heads], np.array([-1, -1, 0, 0], np.int32))

    assert "a leaf is missing" in check_proof(altered(file, shorter), network).missing
    with pytest.raises(InputError, match="more nodes than the tree has"):
        check_proof(altered(file, longer), network)


def test_a_tree_over_inputs_needs_every_box_and_weight(
    by_inputs: tuple[Path, Network, Property],
) -> None:
    file, network, _ = by_inputs

    def shorter(arrays: Arrays) -> None:
        arrays["region-0/cuts"] = arrays["region-0/cuts"][:-1]
        arrays["region-0/weights"] = arrays["region-0/weights"][:-1]

    def longer(arrays: Arrays) -> None:
        arrays["region-0/cuts"] = np.append(arrays["region-0/cuts"], np.int32(-1))
        arrays["region-0/weights"] = np.vstack([arrays["region-0/weights"]] * 2)[: longer.leaves]

    longer.leaves = int((np.load(file)["region-0/cuts"] < 0).sum()) + 1

    def beside(arrays: Arrays) -> None:
        arrays["region-0/cuts"][0] = 4

    def nothing(arrays: Arrays) -> None:
        arrays["region-0/weights"][-1] = 0

    assert "a leaf is missing" in check_proof(altered(file, shorter), network).missing
    assert "open" in check_proof(altered(file, nothing), network).missing
    for change, message in ((longer, "more boxes"), (beside, "an input that there is not")):
        with pytest.raises(InputError, match=message):
            check_proof(altered(file, change), network)


def test_another_question_is_not_proved(
    by_signs: tuple[Path, Network], by_inputs: tuple[Path, Network, Property]
) -> None:
    file, network = by_signs

    def larger(arrays: Arrays) -> None:
        arrays["proof.json"]["question"]["epsilon"] *= 1.5

    def other_class(arrays: Arrays) -> None:
        question = arrays["proof.json"]["question"]
        question["label"] = (question["label"] + 1) % 3

    def no_image(arrays: Arrays) -> None:
        arrays["question/image"][0] = np.nan

    for change in (larger, other_class):
        assert not check_proof(altered(file, change), network).proved
    with pytest.raises(InputError, match="not finite"):
        check_proof(altered(file, no_image), network)

    file, network, property_ = by_inputs
    wider = Property.of(
        (property_.cases[0].lower, property_.cases[0].upper + 1e-9),
        any_of(logit(0) >= 1, logit(1) >= logit(2)),
    )
    with pytest.raises(InputError, match="question of proof"):
        check_proof(file, network, wider)
    with pytest.raises(InputError, match="question of proof"):
        check_proof(by_signs[0], by_signs[1], property_)

    def enlarged(arrays: Arrays) -> None:
        arrays["question/lower"] -= 0.2
        arrays["question/upper"] += 0.2

    assert not check_proof(altered(file, enlarged), network).proved


def test_a_network_of_one_other_weight_is_refused(by_signs: tuple[Path, Network]) -> None:
    file, network = by_signs
    other = convolutional()
    label = around(network)[1]
    with torch.no_grad():
        other.body[-1].bias[label] -= 1.0
    with pytest.raises(InputError, match="network of proof"):
        check_proof(file, other)

    def forged(arrays: Arrays) -> None:
        arrays["proof.json"]["network"]["digest"] = other.digest

    assert not check_proof(altered(file, forged), other).proved


def test_what_is_no_proof_is_named(tmp_path: Path, by_signs: tuple[Path, Network]) -> None:
    file, network = by_signs
    torn, text, empty = (tmp_path / name for name in ("torn.npz", "text.npz", "empty.npz"))
    torn.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    text.write_text("no proof")
    np.savez(empty, cuts=np.zeros(3))
    for bad in (torn, text, empty, tmp_path / "nothing.npz"):
        with pytest.raises(InputError, match=f"proof {bad}"):
            check_proof(bad, network)

    def newer(arrays: Arrays) -> None:
        arrays["proof.json"]["version"] = 4

    def without(arrays: Arrays) -> None:
        del arrays["region-0/nodes-0/slopes"]

    def single(arrays: Arrays) -> None:
        arrays["question/image"] = arrays["question/image"].astype(np.float32)

    for change in (newer, without, single):
        with pytest.raises(InputError, match="expected: a proof of version 3"):
            check_proof(altered(file, change), network)


def test_what_programs_prove_has_no_file(tmp_path: Path) -> None:
    _, network, image, label = instance(0, (8, 8, 8))
    programs = VerificationIngredients(tree=False)
    file = tmp_path / "proof.npz"
    verdict = verify(network, image.reshape(1, 2, 2), label, 0.3, ingredients=programs, proof=file)
    assert verdict.status == "robust"
    assert verdict.proof == ""
    assert "rests on programs" in verdict.proof_in_words(asked=True)
    assert not file.exists()


def test_a_proof_has_a_name_that_can_be_written(tmp_path: Path) -> None:
    _, network, image, label = instance(0)
    for name in (tmp_path / "proof.txt", tmp_path):
        with pytest.raises(InputError):
            verify(network, image.reshape(1, 2, 2), label, 0.01, proof=name)
