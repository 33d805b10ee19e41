"""The times of finished instances by kind, and what they say of others."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from advmip.forecast.work import Effort, Kind

# Breakpoints, a radius, or a number of adversarial examples.
_NUMBERED = re.compile(r"(?P<of>l2-|)(?P<number>[1-9]\d*|\d*\.\d+)")


class Sample(NamedTuple):
    """How long some instances of a kind took.

    Attributes:
        kind: What they were.
        seconds: Of one of them for each unit of its amount, or their mean.
        stopped: Whether they were ended by their limit, and not by an answer.
        weight: How many.
    """

    kind: Kind
    seconds: float
    stopped: bool = False
    weight: float = 1.0


class Span(NamedTuple):
    """Seconds that something takes, as far as they are known.

    Attributes:
        least: At least so many.
        most: At most so many.
    """

    least: float
    most: float


class Times:
    """Samples of finished instances.

    Args:
        samples: They.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._by_kind: dict[Kind, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._by_kind[sample.kind].append(sample)

    def expected(self, effort: Effort, limit: float) -> Span | None:
        """What a part of an instance takes; None where nothing bounds it.

        The mean of its kind's samples, none above the limit. One that was stopped before says
        that it takes at least so long, and at most the limit; so do those of the nearest method
        (breakpoints, radius), where there are none of its own.

        Args:
            effort: The part.
            limit: Seconds after which the instance ends; inf for none.
        """
        own = self._by_kind.get(effort.kind)
        samples = own or self._nearest(effort.kind)
        if not samples:
            return None if math.isinf(limit) else Span(0.0, limit)
        weight = sum(sample.weight for sample in samples)
        least = most = 0.0
        for sample in samples:
            seconds, share = min(sample.seconds * effort.amount, limit), sample.weight / weight
            # Without a limit, the nearest method is the best guess that there is.
            ended = math.isinf(limit) or (own is not None and not sample.stopped)
            least += share * seconds
            most += share * (seconds if ended else limit)
        return Span(least, most)

    def _nearest(self, kind: Kind) -> list[Sample]:
        """Samples of the kind that differs by the number in its method alone, and by the least."""
        numbered = _NUMBERED.fullmatch(kind.method)
        if numbered is None:
            return []
        others: dict[float, Kind] = {}
        for other in self._by_kind:
            found = _NUMBERED.fullmatch(other.method)
            alike = other._replace(method="") == kind._replace(method="")
            if alike and found is not None and found["of"] == numbered["of"]:
                others[abs(math.log(float(found["number"]) / float(numbered["number"])))] = other
        return self._by_kind[others[min(others)]] if others else []
