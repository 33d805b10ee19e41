"""What a question is: an answer for each image, told in words and numbers, kept in files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from advmip.memory import keep_freed_memory
from advmip.networks import Network, load_network
from advmip.provenance import EXACT, code_digest
from advmip.questions.labelled_images import LabelledImage
from advmip.threads import use_threads

Answer = TypeVar("Answer")
Row = dict[str, Any]

# On which code an answer depends besides the question's own.
_CODE = ("checking", *EXACT, "gradient_attacks", "networks")


class Question(ABC, Generic[Answer]):
    """What is asked of each image on one network.

    Args:
        network: The network.
        failures: The folder for an answer that fails its check.
        how: Arguments of `asked_of`, which decide the answers.

    Attributes:
        name: What one answer is, for messages.
        asked_of: What answers, with defaults for arguments that are left out.
        columns: Its own columns, among those that every question's rows have.
        outcomes: What `outcome` may be, in the order in which they are counted.
        alone: Whether the answer for one image alone is told in full.
    """

    name: ClassVar[str]
    asked_of: ClassVar[Callable[..., object]]
    columns: ClassVar[tuple[str, ...]]
    outcomes: ClassVar[tuple[str, ...]]
    alone: ClassVar[bool] = False

    def __init__(self, network: Network, failures: Path, how: Mapping[str, Any]) -> None:
        self.network = network
        self.failures = failures
        defaults = {
            name: parameter.default
            for name, parameter in signature(type(self).asked_of).parameters.items()
            if parameter.default is not Parameter.empty and name != "failures"
        }
        self.how = defaults | dict(how)

    @property
    def identity(self) -> dict[str, Any]:
        """What every answer depends on, as a `Journal` asks."""
        return {
            "code": code_digest(*_CODE, self.__module__.removeprefix("advmip.")),
            "question": self.name,
            "network": self.network.digest,
            "layout": self.network.layout.words,
            **self.how,
        }

    @property
    def span(self) -> tuple[float, float]:
        """The least and the largest value that a pixel may have."""
        return self.how["lower"], self.how["upper"]

    @abstractmethod
    def answer(self, each: LabelledImage) -> Answer:
        """The answer for an image.

        Raises:
            InputError: The image cannot be used.
            CheckError: The answer fails its check.
        """

    @abstractmethod
    def recorded(self, answer: Answer) -> Any:
        """An answer as JSON holds it, as `recorded_fields` does."""

    @abstractmethod
    def restored(self, record: Any) -> Answer:
        """The answer that was recorded."""

    @abstractmethod
    def row(self, each: LabelledImage, answer: Answer) -> Row:
        """The numbers of an answer, by column."""

    @abstractmethod
    def line(self, each: LabelledImage, answer: Answer) -> str:
        """The answer in a line."""

    def in_full(self, each: LabelledImage, answer: Answer) -> str:
        """The answer in as many lines as it needs."""
        return self.line(each, answer)

    @abstractmethod
    def keep(self, each: LabelledImage, answer: Answer, stem: Path, *, picture: bool) -> list[Path]:
        """Write the adversarial image, if there is one.

        Args:
            each: The image.
            answer: The answer.
            stem: Where to write, without suffix.
            picture: Whether to draw it too, where the question has a picture.

        Returns:
            The files.
        """


@dataclass(frozen=True)
class Task(Generic[Answer]):
    """A question on a network in a file, as another process can be told.

    Attributes:
        kind: The question.
        network_file: The network.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        failures: The folder for an answer that fails its check.
        how: The question's other arguments.
    """

    kind: type[Question[Answer]]
    network_file: Path
    layout: str | None
    failures: Path
    how: Mapping[str, Any]

    def question(self) -> Question[Answer]:
        """The question, with the network read and this process prepared for it.

        Raises:
            InputError: The network cannot be read, or an argument is wrong.
        """
        use_threads(self.how.get("threads", 1))
        keep_freed_memory()
        network = load_network(self.network_file, self.layout)
        return self.kind(network, self.failures, self.how)


def recorded_fields(answer: Any) -> dict[str, Any]:
    """The fields of an answer as JSON holds them."""
    values = {field.name: getattr(answer, field.name) for field in fields(answer)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
