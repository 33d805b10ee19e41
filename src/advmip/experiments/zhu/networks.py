"""The thesis's networks as they came out of training (Table 1)."""

from __future__ import annotations

from pathlib import Path

from advmip.experiments.exact.attacked_network import load_attacked_network
from advmip.experiments.rows import write_rows
from advmip.experiments.zhu.catalogue import CODE
from advmip.networks import staged
from advmip.settings import Settings


def describe_networks(settings: Settings, folder: Path, out: Path) -> None:
    """Write the networks' layers and their accuracies on all test images.

    Args:
        settings: All settings.
        folder: The folder of the networks' weights, by name of the architecture.
        out: The rows, of kind "networks".
    """
    rows = []
    for paper_network, chosen in settings["zhu"]["networks"].items():
        file = folder / f"{chosen['architecture']}.safetensors"
        attacked_network = load_attacked_network(settings, paper_network, file)
        row = {
            "hidden_layers": " ".join(
                str(stage.width) for stage in staged(attacked_network.network).hidden
            ),
            "parameters": sum(values.numel() for values in attacked_network.network.parameters()),
            "accuracy": 100.0 * len(attacked_network.correct) / len(attacked_network.images.labels),
            "test_images": len(attacked_network.images.labels),
        }
        rows.append(attacked_network.columns(settings, "zhu", "networks", CODE["networks"]) | row)
    write_rows("networks", rows, out)
