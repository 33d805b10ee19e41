"""How near the nearest adversarial example of an image is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from advmip.checking.replay import Precision
from advmip.durability.storage import write_array
from advmip.extras import EXTRAS, installed, pip_command
from advmip.mip import Attack, minimal_attack
from advmip.mip.attack import check_choices, check_class
from advmip.mip.domain import Domain
from advmip.mip.margins import lead, runner_up
from advmip.mip.solvers import Status
from advmip.networks import Network, staged
from advmip.questions.labelled_images import LabelledImage
from advmip.questions.question import Question, Row, recorded_fields

MISCLASSIFIED = "misclassified"

_log = logging.getLogger(__name__)


class NearestAttack(Question[Attack | None]):
    """How near the nearest adversarial example is; the arguments are those of `minimal_attack`.

    Answered by None where the network misclassifies the image: it needs no attack.
    """

    name: ClassVar[str] = "attack"
    asked_of: ClassVar[Callable[..., object]] = minimal_attack
    columns: ClassVar[tuple[str, ...]] = ("distance", "lower_bound")
    outcomes: ClassVar[tuple[str, ...]] = (*Status, MISCLASSIFIED)
    alone: ClassVar[bool] = True

    def __init__(self, network: Network, failures: Path, how: Mapping[str, Any]) -> None:
        super().__init__(network, failures, how)
        check_choices(**how)
        self._form = staged(network)
        if self.how["target"] is not None:
            check_class("target", self.how["target"], self._form.classes)
        self._domain = Domain.of(*self.span, network)

    def answer(self, each: LabelledImage) -> Attack | None:
        """The nearest attack on an image."""
        if self._takes_for(each) is not None:
            return None
        return minimal_attack(
            self.network, each.image, each.label, failures=self.failures, **self.how
        )

    def recorded(self, answer: Attack | None) -> Any:
        """The attack's fields."""
        return None if answer is None else recorded_fields(answer)

    def restored(self, record: Any) -> Attack | None:
        """The attack of these fields."""
        if record is None:
            return None
        found = record["adversarial"]
        return Attack(
            **record
            | {
                "status": Status(record["status"]),
                "adversarial": None if found is None else np.array(found, np.float64),
                "precision": Precision(record["precision"]),
                "trace": tuple(map(tuple, record["trace"])),
            }
        )

    def row(self, each: LabelledImage, answer: Attack | None) -> Row:
        """How near the attack is, and how near one may be; 0 where none is needed."""
        if answer is None:
            return {
                "outcome": MISCLASSIFIED,
                "predicted": self._takes_for(each),
                "distance": 0.0,
                "lower_bound": 0.0,
                "seconds": 0.0,
            }
        return {
            "outcome": answer.status.value,
            "predicted": answer.predicted,
            "distance": float(answer.distance),
            "lower_bound": float(answer.lower_bound),
            "precision": answer.precision.value,
            "unstable": answer.unstable,
            "nodes": answer.nodes,
            "solver": answer.solver,
            "seconds": answer.seconds,
        }

    def line(self, each: LabelledImage, answer: Attack | None) -> str:
        """The answer in a line."""
        if answer is None:
            return f"{MISCLASSIFIED}, class {each.label} is taken for {self._takes_for(each)}"
        found, distance = self._found(each, answer)
        return f"{answer.status.value}, {found}; {distance}; {answer.seconds:.2f} s"

    def in_full(self, each: LabelledImage, answer: Attack | None) -> str:
        """The answer, and what it took."""
        if answer is None:
            return self.line(each, answer)
        phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in answer.phases.items())
        found, distance = self._found(each, answer)
        lines = [
            f"{answer.status.value}: {found}",
            distance,
            f"{answer.seconds:.2f} s ({phases}), {answer.nodes} nodes, "
            f"{answer.unstable} open neurons",
        ]
        if answer.solver:
            lines.append(f"solver {answer.solver}: {answer.reason}")
        return "\n".join(lines)

    def keep(
        self, each: LabelledImage, answer: Attack | None, stem: Path, *, picture: bool
    ) -> list[Path]:
        """Write the attacked image, and a picture of original, attacked and difference."""
        if answer is None or answer.adversarial is None:
            return []
        saved, drawn = (stem.with_name(stem.name + suffix) for suffix in (".npy", ".png"))
        write_array(saved, answer.adversarial)
        if not (picture and _can_draw()):
            return [saved]
        # Slow to import, and most attacks are not drawn.
        from advmip.reporting.attack_pictures import draw_attack
        from advmip.reporting.figure_files import write_picture

        layout = self.network.layout
        seen = layout.of_image(each.image.shape)
        names = (
            f"original: {each.label}",
            f"attacked: {answer.predicted}",
            f"difference, {self.how['distance']} {answer.distance:.4g}",
        )
        original = seen.picture(layout.own(each.image))
        changed = seen.picture(answer.adversarial)
        write_picture(draw_attack(original, changed, names, self.span), drawn)
        return [saved, drawn]

    def _found(self, each: LabelledImage, answer: Attack) -> tuple[str, str]:
        """What becomes of the class, and how near that is."""
        return (
            "no attack found"
            if answer.adversarial is None
            else f"class {each.label} becomes {answer.predicted}, {answer.precision.in_words}",
            f"{self.how['distance']} distance {answer.distance:.8g}, "
            f"at least {answer.lower_bound:.8g} by proof",
        )

    def _takes_for(self, each: LabelledImage) -> int | None:
        """The class that the network gives an image instead of its own; None if it does not."""
        logits = self._form.logits(self._domain.pixels_of(self.network, each.image))
        check_class("label", each.label, self._form.classes)
        return runner_up(logits, each.label) if lead(logits, each.label) >= 0 else None


@cache
def _can_draw() -> bool:
    """Whether attacks can be drawn; says once what is missing for it."""
    possible = installed(*EXTRAS["figures"])
    if not possible:
        _log.info("attacks are kept without pictures; to have them: %s", pip_command("figures"))
    return possible
