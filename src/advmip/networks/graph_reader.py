"""Running a network's graph on other values than tensors, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate

from advmip.errors import InputError

# Takes what the stages of the network are collected in, then what torch's operation would take.
Operation = Callable[..., Any]

# What torch computes itself: all else stands for a tensor that depends on the image.
_CONSTANTS = (
    *(Tensor, int, float, str, slice, type(None), type(...)),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format),
)


@dataclass(frozen=True)
class Operations:
    """What is done for each kind of operation in a graph.

    An operation raises TypeError, ValueError or NotImplementedError for arguments that it does not
    take. A layer without an entry is read through the functions that it calls itself.

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

    def known(self, node: fx.Node, module: nn.Module | None) -> bool:
        """Whether there is an operation for a node, which calls this layer if it calls one."""
        if module is None:
            table: Mapping[Any, Operation]
            table = self.functions if node.op == "call_function" else self.methods
            return node.target in table
        return type(module) in self.modules or (
            (inside := _inside(module)) is not None and self.unknown(inside) is None
        )

    def unknown(self, graph: fx.GraphModule) -> InputError | None:
        """The error for the first node that has no operation, if there is one.

        Args:
            graph: A traced network. What does not depend on its input, torch computes itself.
        """
        depending: set[fx.Node] = set()
        for node in graph.graph.nodes:
            if node.op != "placeholder" and not depending.intersection(node.all_input_nodes):
                continue
            if node.op.startswith("call"):
                module = graph.get_submodule(str(node.target)) if "module" in node.op else None
                if not self.known(node, module):
                    return self.refusal(node, kind_of(node, module), "")
            if node.target not in _SIZES:
                depending.add(node)
        return None

    def refusal(self, node: fx.Node, kind: str, reason: str) -> InputError:
        """The error for a node.

        Args:
            node: The node.
            kind: What it does, in a word.
            reason: What is wrong with its arguments; empty if the operation is not supported.
        """
        return InputError(
            subject=f"network, {place_of(node)}: {kind}",
            found=reason or "an operation that is not supported",
            expected=self.expected,
            mend=self.mend,
        )


# What gives numbers even of a tensor that depends on the image.
_SIZES = ("size", "dim", getattr)


def place_of(node: fx.Node) -> str:
    """Where a node stands: the layer's name, or that of the module that calls it and its own."""
    if node.op == "call_module":
        return str(node.target).removeprefix("body.")
    inside = [str(path) for path in node.meta.get("nn_module_stack", {}) if path]
    return ".".join([*inside[-1:], node.name]).removeprefix("body.")


def kind_of(node: fx.Node, module: nn.Module | None) -> str:
    """What a node does, in a word."""
    if module is not None:
        return type(module).__name__
    return str(getattr(node.target, "__name__", node.target))


def _inside(layer: nn.Module) -> fx.GraphModule | None:
    """The functions that a layer calls; None if that depends on its input."""
    try:
        return fx.GraphModule(layer, _Through().trace(layer))
    except Exception:  # whatever the layer's code raises where it meets no tensor
        return None


class _Through(fx.Tracer):
    """Traces a layer with all that it consists of."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """No layer is left as it is."""
        return False


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

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        """A constant, in float64 as all that is computed from it."""
        found = super().get_attr(target, args, kwargs)
        is_float = isinstance(found, Tensor) and found.is_floating_point()
        return found.double() if is_float else found

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a layer."""
        if _are_constants(args, kwargs):
            return super().call_module(target, args, kwargs)
        module = self.fetch_attr(target)
        operation = self._operations.modules.get(type(module))
        if operation is not None:
            return self._apply(operation, (module, *args), kwargs)
        inside = _inside(module)
        if inside is None:
            raise self._refusal("")
        try:
            return GraphReader(inside, self._stages, self._operations).run(*args, **kwargs)
        except InputError as error:
            raise self._refusal(error.found) from error

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a function."""
        if _are_constants(args, kwargs):
            return super().call_function(target, args, kwargs)
        return self._apply(self._operations.functions.get(target), args, kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a tensor's method."""
        if _are_constants(args, kwargs):
            return super().call_method(target, args, kwargs)
        return self._apply(self._operations.methods.get(target), args, kwargs)

    def _apply(self, operation: Operation | None, args: Any, kwargs: Any) -> Any:
        if operation is None:
            raise self._refusal("")
        try:
            return operation(self._stages, *args, **kwargs)
        except (TypeError, ValueError, NotImplementedError, IndexError, RuntimeError) as error:
            raise self._refusal(f"arguments that are not supported ({error})") from error

    def _refusal(self, reason: str) -> InputError:
        is_layer = self._node.op == "call_module"
        module = self.fetch_attr(str(self._node.target)) if is_layer else None
        return self._operations.refusal(self._node, kind_of(self._node, module), reason)


def _are_constants(*arguments: Any) -> bool:
    """Whether none of these arguments depends on the image."""
    found = True

    def noted(argument: Any) -> Any:
        nonlocal found
        found = found and isinstance(argument, _CONSTANTS)
        return argument

    map_aggregate(arguments, noted)
    return found
