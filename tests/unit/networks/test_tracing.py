"""Networks from any module of torch: the same function, and refusals that say where and why."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from advmip import InputError, Verifier, from_torch, minimal_attack, save_network, staged, verify
from advmip.networks import as_classifier, as_network
from advmip.properties import Property, logit

IMAGE = (1, 6, 5)


class Residual(nn.Module):
    """Layers, functions and methods side by side, as people write them."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1)
        )
        self.shortcut = nn.Conv2d(1, 4, 1)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4 * 3 * 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        hidden = functional.relu6(self.features(x) + self.shortcut(x))
        assert hidden is not None
        hidden = functional.max_pool2d(hidden, 2)[:, :, : height // 2, : width // 2]
        out: Tensor = self.fc(self.drop(hidden).view(batch, -1))
        return out


def trained() -> Residual:
    """As it comes from training: in training mode, with statistics, on its way to be trained on."""
    torch.manual_seed(0)
    module = Residual()
    for _ in range(3):
        module(torch.rand(8, *IMAGE))
    return module


def outputs(module: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = module(images)
    return found


def test_a_module_becomes_the_network_that_it_is_in_evaluation() -> None:
    module = trained()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network = from_torch(module, IMAGE)
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(torch.equal(before[name], each) for name, each in module.state_dict().items())
    images = torch.rand(5, *IMAGE)
    torch.testing.assert_close(outputs(network, images), outputs(module.eval(), images))
    form = staged(network)
    found = form.logits(images.reshape(5, -1).T.double().numpy()).T
    np.testing.assert_allclose(found, outputs(network, images), atol=1e-5)
    assert (form.input_shape, form.classes) == (IMAGE, 3)
    assert network.layout.planes.shape == IMAGE
    with torch.no_grad():
        module.fc.bias += 1.0
    assert from_torch(module, IMAGE).digest != network.digest


def test_an_attack_and_a_verification_take_the_module_itself(tmp_path: Any) -> None:
    module = trained()
    image = np.random.default_rng(0).random(IMAGE)
    network = from_torch(module, IMAGE)
    label = network.answer(image)
    attack = minimal_attack(module, image, label, "linf", failures=tmp_path)
    assert attack.status == "optimal"
    assert attack.adversarial is not None
    assert network.answer(attack.adversarial) != label
    below = verify(module, image, label, 0.9 * attack.lower_bound, failures=tmp_path)
    assert below.status == "robust"
    # The staged form is made once for a module, until its weights change.
    assert as_network(module, IMAGE) is as_network(module, IMAGE)
    with torch.no_grad():
        module.fc.bias += 1.0
    assert as_network(module, IMAGE).digest != network.digest
    with pytest.raises(InputError, match="from_torch"):
        Verifier(module)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="from_torch"):
        staged(module)


def test_a_network_of_torchvision_is_read() -> None:
    from torchvision.models import resnet18

    module = resnet18(num_classes=7).eval()
    network = from_torch(module, (3, 32, 32), mean=(0.5, 0.4, 0.3), std=0.25)
    images = torch.rand(2, 3, 32, 32)
    normal = (images - torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)) / 0.25
    torch.testing.assert_close(outputs(network, images), outputs(module, normal))


@pytest.mark.parametrize("shape", [(5,), (784, 1), (1, 1, 5), (3, 4, 4), (2, 1, 3, 2)])
@pytest.mark.parametrize("width", [1, 2, 1000])
def test_images_and_outputs_may_have_any_size(shape: tuple[int, ...], width: int) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), width))
    network = from_torch(module, shape)
    assert network.architecture.input_shape == shape == staged(network).input_shape
    assert (network.outputs(), staged(network).classes) == (width, width)
    with pytest.raises(InputError, match=str(shape)[1:-1]):
        network.answer(np.zeros((9, 9)))


def test_outputs_of_several_axes_are_a_row() -> None:
    network = from_torch(nn.Conv1d(2, 3, 2), (2, 5))
    assert network.outputs() == staged(network).classes == 12
    scalar = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
    assert from_torch(scalar, (4,)).outputs() == 1


def test_channels_last_are_found_from_the_layers() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.permute(0, 3, 1, 2)).flatten(1)

    network = from_torch(Last(), (6, 5, 2))
    assert network.layout.words == "hwc:6x5x2"
    assert from_torch(Last(), (6, 5, 2), layout="chw").layout.planes.shape == (6, 5, 2)


class Sigmoids(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (nn.Softmax(dim=1), "Softmax"),
        (nn.LogSoftmax(dim=-1), "LogSoftmax"),
        (nn.Sigmoid(), "Sigmoid"),
        (Sigmoids(), "Sigmoid"),
    ],
)
def test_a_last_softmax_or_sigmoid_is_left_out(
    last: nn.Module, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    logits = nn.Sequential(nn.Flatten(), nn.Linear(30, 4))
    with caplog.at_level(logging.INFO):
        network = from_torch(nn.Sequential(logits, last), IMAGE)
    assert f"module Sequential: its last {name} is left out" in caplog.text
    assert network.architecture.left_out == name
    images = torch.rand(3, *IMAGE)
    torch.testing.assert_close(outputs(network, images), outputs(logits, images))
    assert from_torch(logits, IMAGE).architecture.left_out == ""
    with pytest.raises(InputError, match="1: Softmax"):
        from_torch(nn.Sequential(logits, nn.Softmax(dim=0)), IMAGE)


def test_a_single_logit_means_two_classes_where_that_is_asked() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(30, 1), nn.Sigmoid())
    image = np.full(IMAGE, 0.5)
    for question in (minimal_attack, verify):
        with pytest.raises(InputError, match="with_two_classes"):
            question(module, image, 0)
    network = from_torch(module, IMAGE)
    with pytest.raises(InputError, match="with_two_classes"):
        as_classifier(network)
    classifier = network.with_two_classes()
    images = torch.rand(20, *IMAGE)
    expected = (outputs(module, images)[:, 0] > 0.5).long()
    assert torch.equal(outputs(classifier, images).argmax(dim=1), expected)
    assert classifier.digest != network.digest
    label = classifier.answer(image)
    attack = minimal_attack(classifier, image, label, "l1")
    assert (attack.status, attack.predicted) == ("optimal", 1 - label)
    with pytest.raises(InputError, match="2 outputs"):
        classifier.with_two_classes()


def test_a_property_of_numbers_is_asked_of_the_very_outputs() -> None:
    module = nn.Sequential(nn.Linear(3, 1, bias=False))
    nn.init.constant_(module[0].weight, 1.0)
    network = from_torch(module, (3,))
    box = (np.zeros(3), np.ones(3))
    assert verify(network, Property.of(box, logit(0) >= 3.5)).status == "holds"
    assert verify(network, Property.of(box, logit(0) >= 2.5)).status == "violated"
    squashed = from_torch(nn.Sequential(module, nn.Sigmoid()), (3,))
    with pytest.raises(InputError, match="without its last Sigmoid"):
        verify(squashed, Property.of(box, logit(0) >= 0.5))


def test_float64_is_kept_and_numbers_of_16_bits_are_widened() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(30, 2))
    assert outputs(from_torch(module.half(), IMAGE), torch.rand(1, *IMAGE)).dtype == torch.float32
    double = from_torch(module.double(), IMAGE)
    assert outputs(double, torch.rand(1, *IMAGE)).dtype == torch.float64


def test_a_network_of_torch_is_not_written_as_safetensors(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="no graph"):
        save_network(from_torch(trained(), IMAGE), tmp_path / "network.safetensors", {})


class Code(nn.Module):
    """A module of this code alone."""

    def __init__(self, code: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.code = code

    def forward(self, x: Tensor) -> Any:
        return self.code(x)


class Branch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return x
        return -x


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def with_nan() -> nn.Module:
    layer = nn.Linear(5, 2)
    nn.init.constant_(layer.weight, float("nan"))
    return layer


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.LSTM(30, 4))

    def forward(self, x: Tensor) -> Any:
        return self.fc(x)


@pytest.mark.parametrize(
    ("module", "subject", "found"),
    [
        (nn.Sequential(nn.ReLU(), nn.GELU()), "1: GELU", "not supported"),
        (Deep(), "fc.2: LSTM", "not supported"),
        (nn.Module(), "0: Module", "not supported"),
        (nn.Sequential(nn.ReLU(inplace=True)), "module Sequential", "overwrites the images"),
        (Code(lambda x: torch.exp(x)), "exp: exp", "not supported"),
        (Code(lambda x: x.cumsum(1)), "cumsum: cumsum", "not supported"),
        (Branch(), "in forward: if x.sum() > 0:", "control flow"),
        (Code(lambda x: x * float(x.mean())), "float(x.mean())", "cannot be traced"),
        (TwoInputs(), "inputs", "x, y"),
        (Code(lambda x: (x, x)), "outputs", "a tuple"),
        (Code(lambda x: x.flatten()), "outputs", r"shape \(30,\)"),
        (Code(lambda x: x.view(3, -1)), "outputs", r"shape \(3, 10\)"),
        (nn.Linear(7, 2), "module Linear", "5 and 7"),
        (Code(lambda x: x + torch.rand(1)), "module Code", "differ by"),
        (with_nan(), "layer weight", "NaN"),
        (nn.LazyLinear(3), "layer weight", "not there yet"),
        ("resnet", "network", "a str"),
    ],
)
def test_what_is_no_network_is_refused_with_its_place(
    module: Any, subject: str, found: str
) -> None:
    with pytest.raises(InputError, match=found) as refusal:
        from_torch(module, IMAGE)
    assert subject.removeprefix("in forward: ") in refusal.value.subject


def test_an_operation_in_place_on_what_is_read_again_is_noticed() -> None:
    def twice(x: Tensor) -> Tensor:
        hidden = x - 0.5
        return torch.relu_(hidden.view(x.shape)) + hidden

    with pytest.raises(InputError, match="in place"):
        staged(from_torch(Code(twice), IMAGE))
    harmless = from_torch(nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(inplace=True)), IMAGE)
    assert staged(harmless).neurons == 40


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        ({"input_shape": (0, 5)}, "shape of the input"),
        ({"input_shape": (None, 5)}, "shape of the input"),
        ({"input_shape": 5}, "shape of the input"),
        ({"input_shape": ()}, "shape of the input"),
        ({"mean": (0.1, 0.2)}, "mean"),
        ({"mean": float("nan")}, "mean"),
        ({"std": 0.0}, "std"),
        ({"layout": "hw"}, "layout"),
    ],
)
def test_odd_shapes_and_numbers_are_refused(options: dict[str, Any], subject: str) -> None:
    with pytest.raises(InputError) as refusal:
        from_torch(trained(), **({"input_shape": IMAGE} | options))
    assert subject in refusal.value.subject
