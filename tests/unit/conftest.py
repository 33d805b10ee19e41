"""What tests of several modules start from."""

from pathlib import Path

import pytest

from advmip import load_dataset, save_network
from advmip.networks import ARCHITECTURES
from advmip.networks.training import train


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
