"""The command line that the standard of VNN-LIB 2 asks of every solver.

`advmip verify query.vnnlib --network name=net.onnx [--timeout s]` prints `sat`, `unsat`, `unknown`
or `timed-out`, and below `sat` the assignment; `advmip supports --...` what can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from advmip.errors import InputError
from advmip.properties import Property, load_property
from advmip.properties.files import is_query, property_text
from advmip.properties.vnnlib2 import Query, read_query
from advmip.verifying_properties import answered


def answer_query(file: Path, networks: Sequence[str], **how: Any) -> None:
    """Answer a query in the standard's words, on standard output; one of version 1, too.

    Args:
        file: The query.
        networks: name=file, for the one network that it declares.
        how: As for `verifying_properties.answered`.

    Raises:
        InputError: The query or the network cannot be used, or it is not that network that is
            named.
        CheckError: The network as it was read does not confirm a counterexample.
    """
    text, subject = property_text(file), f"property {file}"
    query = read_query(text, subject) if is_query(text) else None
    asked: Property = load_property(file) if query is None else query.property
    answer = answered(_network(networks, query, subject), asked, **how)
    if query is None:
        print(answer.in_competition, end="")
        return
    print("timed-out" if answer.word == "timeout" else answer.word)
    if answer.counterexample is not None:
        told = (answer.counterexample.inputs, answer.counterexample.outputs)
        for variable, values in zip(query.variables, told, strict=True):
            print(variable.name, variable.kind, f"[{','.join(map(str, variable.shape))}]")
            print(*values.tolist(), sep="\n")


def _network(networks: Sequence[str], query: Query | None, subject: str) -> Path:
    """The file of the one network of a query."""
    pairs = [each.partition("=") for each in networks]
    declared = "its name" if query is None else query.network
    if len(pairs) != 1 or not pairs[0][2] or (query and pairs[0][0] != query.network):
        raise InputError(
            subject=f"networks of {subject}",
            found=" ".join(networks) or "none",
            expected=f"the file of the one network, {declared}=net.onnx",
            mend=f"write --network {declared}=net.onnx",
        )
    return Path(pairs[0][2])


def _opsets() -> list[str]:
    from onnx.defs import onnx_opset_version

    from advmip.networks.onnx.model import OLDEST_OPSET

    return [str(OLDEST_OPSET), str(onnx_opset_version())]


def _operators() -> list[str]:
    from advmip.networks.onnx.operators import TRANSLATORS

    return sorted(TRANSLATORS)


# What a solver says of itself. Proofs are of real numbers, not of the rounding of a float's run.
CAPABILITIES: dict[str, Callable[[], list[str]]] = {
    "onnx-opset-versions": _opsets,
    "onnx-element-types": lambda: ["real"],
    "onnx-operators": _operators,
    "vnnlib-versions": lambda: ["1.0", "2.0"],
    "hidden-node-theories": lambda: ["NH"],
    "multiple-input-output-theories": lambda: ["SIO"],
    "multiple-network-theories": lambda: ["SNET"],
    "multiple-node-comparison-theories": lambda: ["MNC"],
    "arithmetic-complexity-theories": lambda: ["LIN"],
    "optimised-disjunctive-reasoning": lambda: ["false"],
    "serialise-assignments": lambda: ["false"],
    "unsat-proofs": lambda: ["false"],
}
