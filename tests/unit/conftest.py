"""What tests of several modules start from."""

from pathlib import Path

import pytest
import torch

from advmip import load_dataset, save_network
from advmip.networks import ARCHITECTURES
from advmip.networks.training import train


@pytest.fixture(autouse=True)
def same_weights_each_time() -> None:
    """Layers that a test makes start from the same weights, alone and among others."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def digits_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small network that was trained on digits."""
    trained = train(
        ARCHITECTURES["digits_dnn1"],
        load_dataset("digits", "train"),
        epochs=30,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
        progress=False,
    )
    file = tmp_path_factory.mktemp("network") / "net.safetensors"
    save_network(trained, file, {})
    return file
