"""The networks that are verified: made here, or read from a file."""

from __future__ import annotations

from pathlib import Path

from advmip.errors import unknown_name
from advmip.experiments.tjeng.catalogue import weights_of
from advmip.experiments.tjeng.instances import finetuned_on, settings_of
from advmip.experiments.zhao_kronqvist.classifier import load_classifier, load_points
from advmip.experiments.zhao_kronqvist.instances import adversarial_folder
from advmip.finetuning import finetune
from advmip.networks import Network, load_network, save_network
from advmip.provenance import provenance
from advmip.settings import Settings, finetuning_runs_of


def finetune_network(
    settings: Settings, paper_network: str, network_file: Path, adversarial_sets: Path, out: Path
) -> None:
    """Fine-tune a network of Zhao & Kronqvist as in their Tables 2 and 3, and write it.

    With the points of the protocol as described, which stay among the images, at the first seed,
    and chosen by the first omega.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: Its weights.
        adversarial_sets: The folder of the sets made by `adversarial_sets`, job by job.
        out: A file name ending in .safetensors.

    Raises:
        InputError: The network is unknown or not fine-tuned at this scale, or a file cannot be
            used.
        CheckError: A projection fails its check.
    """
    classifier = load_classifier(settings, paper_network, network_file)
    chosen = finetuning_runs_of(settings, "tables", paper_network)
    if chosen is None:
        raise unknown_name("fine-tuned network", paper_network, settings["zk"]["experiments"])
    attack = finetuned_on(settings)
    folder = adversarial_folder(settings, adversarial_sets, paper_network, attack)
    count = classifier.settings["retraining"]["adversarial_count"]
    omega = settings["zk"]["omega"][0]
    tuned = finetune(
        classifier.network,
        classifier.loss_images,
        load_points(folder / attack.file_name).take(count),
        iterations=chosen["iterations"],
        omega=[omega],
        margin=settings["zk"]["margin"],
        sweeps=settings["zk"]["sweeps"],
        seed=settings["seed"],
    )
    origin = {"weights": "fine-tuned", "adversarial_count": count, "omega": omega}
    network = tuned.model(omega).cpu()
    save_network(network, out, {**origin, **provenance(settings["threads"])})


def network_to_verify(
    settings: Settings, paper_network: str, networks: Path, *, finetuned: bool = False
) -> Network:
    """Load a network that is to be verified.

    Args:
        settings: All settings.
        paper_network: A key of `tjeng.networks` or of `networks` in the settings.
        networks: The folder of networks, each in its place as in `weights_of`.
        finetuned: Whether it is the fine-tuned form of one of `networks`.

    Raises:
        InputError: The network is unknown, or its file is missing or damaged.
    """
    file = settings_of(settings, paper_network).get("file")
    if file is not None:
        return load_network(Path(settings["network_dir"]) / "literature" / file)
    return load_network(networks / weights_of(settings, paper_network, finetuned=finetuned))
