"""Conditions that inputs take part in, as conditions on outputs: of a network that has more.

Behind the network's own outputs stand the linear forms of the inputs that a property speaks of.
Whatever bounds, attacks and encodes outputs then takes care of the conditions too.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from advmip.networks.network import Network
from advmip.properties import Affine, Case, Inequality, Property, logit


def on_outputs_alone(
    network: Network, outputs: int, property_: Property
) -> tuple[Network, Property]:
    """The same question, asked of outputs alone.

    Args:
        network: The network.
        outputs: How many outputs it has.
        property_: A property of it.

    Returns:
        Both as they are if no condition speaks of inputs; else the network with a further output
        for each linear form of the inputs, and the property with conditions on these.
    """
    forms: dict[tuple[tuple[int, float], ...], int] = {}

    def rewritten(each: Inequality) -> Inequality:
        said = each.surplus
        if not said.inputs:
            return each
        form = tuple(sorted(said.inputs.items()))
        place = outputs + forms.setdefault(form, len(forms))
        return Inequality(Affine({}, said.outputs, said.constant) + logit(place))

    cases = tuple(
        Case(case.lower, case.upper, tuple(map(rewritten, case.inequalities)))
        for case in property_.cases
    )
    if not forms:
        return network, property_
    rows = torch.zeros(len(forms), property_.inputs, dtype=torch.float64)
    for form, row in forms.items():
        for place, factor in form:
            rows[row, place] = factor
    # The forms are of the inputs as they come, before any normalisation.
    architecture = replace(network.architecture, mean=(0.0,), std=(1.0,))
    widened = Network(architecture, _WithForms(network, rows)).frozen()
    return widened, Property(cases, property_.name)


class _WithForms(nn.Module):
    """A network, and behind its outputs linear forms of its inputs, in float64.

    Args:
        network: The network.
        rows: The forms (forms, inputs).
    """

    rows: Tensor

    def __init__(self, network: Network, rows: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("rows", rows)

    def forward(self, inputs: Tensor) -> Tensor:
        """The network's outputs and the forms (N, outputs + forms) of inputs (N, ...)."""
        forms = inputs.flatten(1).double() @ self.rows.T
        return torch.cat([self.network(inputs).double(), forms], 1)
