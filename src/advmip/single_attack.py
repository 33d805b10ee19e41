"""One attack on a network and an image of the user's own: the answer printed, the image kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advmip.datasets.image_files import read_image
from advmip.errors import InputError
from advmip.mip.attack import minimal_attack
from advmip.mip.exact_attack import Attack
from advmip.networks import load_network
from advmip.reporting.attack_pictures import draw_attack, write_picture
from advmip.storage import check_writable, write_array


def attack_image(
    network_file: Path,
    image_file: Path,
    out: Path,
    *,
    label: int | None,
    layout: str | None = None,
    **how: Any,
) -> Attack:
    """Attack an image, print the answer, and write the attacked image and a picture.

    Args:
        network_file: The network.
        image_file: The image.
        out: Where to write, without suffix: `.npy` for the attacked image, `.png` for a picture of
            original, attacked and difference. Nothing is written without an attack.
        label: The image's class; the network's own answer if left out.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        how: The other arguments of `minimal_attack`.

    Raises:
        InputError: A file is missing or unfit, nothing can be written to `out`, or an argument is
            wrong.
        CheckError: The network itself does not confirm the answer.
    """
    if not out.name:
        raise InputError(
            subject=f"files {out}.npy and {out}.png",
            found="no name, which cannot be written to",
            expected="the beginning of a file's name",
            mend="name another place to write to",
        )
    saved, picture = (out.parent / (out.name + suffix) for suffix in (".npy", ".png"))
    for file in (saved, picture):
        check_writable(file)
    network = load_network(network_file, layout)
    image = read_image(image_file, network.layout)
    if label is None:
        label = network.answer(image)
    attack = minimal_attack(network, image, label, failures=out.parent, **how)
    print(_summary(attack, label, str(how["distance"])))
    if attack.adversarial is not None:
        write_array(saved, attack.adversarial)
        names = (
            f"original: {label}",
            f"attacked: {attack.predicted}",
            f"difference, {how['distance']} {attack.distance:.4g}",
        )
        seen = network.layout.of_image(image.shape)
        original = seen.picture(network.layout.own(image))
        changed = seen.picture(attack.adversarial)
        write_picture(draw_attack(original, changed, names), picture)
        print(f"written: {saved}, {picture}")
    return attack


def _summary(attack: Attack, label: int, distance: str) -> str:
    """The answer in a few lines."""
    phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in attack.phases.items())
    lines = [
        f"{attack.status}: class {label} becomes {attack.predicted}, {attack.precision.in_words}"
        if attack.adversarial is not None
        else f"{attack.status}: no attack found",
        f"{distance} distance {attack.distance:.8g}, at least {attack.lower_bound:.8g} by proof",
        f"{attack.seconds:.2f} s ({phases}), {attack.nodes} nodes, {attack.unstable} open neurons",
    ]
    if attack.solver:
        lines.append(f"solver {attack.solver}: {attack.reason}")
    return "\n".join(lines)
