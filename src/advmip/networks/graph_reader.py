"""Running a network's graph on other values than tensors, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from advmip.errors import InputError

# Takes what the stages of the network are collected in, then what torch's operation would take.
Operation = Callable[..., Any]


@dataclass(frozen=True)
class Operations:
    """What is done for each kind of operation in a graph.

    An operation raises TypeError, ValueError or NotImplementedError for arguments that it does not
    take.

    Attributes:
        modules: By the type of a layer; the layer itself is the first argument.
        functions: By the function that is called.
        methods: By the name of a tensor's method.
        expected: Which operations there are, in words.
        mend: What to do about another one.
    """

    modules: Mapping[type[nn.Module], Operation]
    functions: Mapping[Callable[..., Any], Operation]
    methods: Mapping[str, Operation]
    expected: str
    mend: str


class GraphReader(fx.Interpreter):
    """Runs a graph on values that stand for its tensors.

    Args:
        graph: The traced network.
        stages: The first argument of each operation.
        operations: What is done for each kind of operation.

    Raises:
        InputError: From `run`, for an operation that is not among them; the message names it and
            where it stands.
    """

    def __init__(self, graph: fx.GraphModule, stages: object, operations: Operations) -> None:
        super().__init__(graph)
        self.extra_traceback = False  # errors here say themselves where they arose
        self._stages = stages
        self._operations = operations
        self._node: fx.Node

    def run_node(self, n: fx.Node) -> Any:
        """The value of a node, whose name an error then gives."""
        self._node = n
        return super().run_node(n)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a layer."""
        module = self.fetch_attr(target)
        operation = self._operations.modules.get(type(module))
        return self._apply(operation, type(module).__name__, (module, *args), kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a function."""
        return self._apply(self._operations.functions.get(target), target.__name__, args, kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a tensor's method."""
        return self._apply(self._operations.methods.get(target), target, args, kwargs)

    def _apply(self, operation: Operation | None, name: str, args: Any, kwargs: Any) -> Any:
        if operation is None:
            raise self._unsupported(name)
        try:
            return operation(self._stages, *args, **kwargs)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise self._unsupported(f"{name} with these arguments ({error})") from error

    def _unsupported(self, name: str) -> InputError:
        return InputError(
            subject=f"operation {self._node.name} of the network",
            found=name,
            expected=self._operations.expected,
            mend=self._operations.mend,
        )
