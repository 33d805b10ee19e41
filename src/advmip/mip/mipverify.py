"""A problem as MIPVerify.jl writes it (Tjeng, Xiao & Tedrake 2019), for a general solver.

    minimise    D(v, v')   over the box around the image v                       (Section 3)
    subject to  x = max(p, 0)   for neurons whose input p can have either sign   (Section 4.1)
                o_t >= o_j + margin   for every class j but the target t.

This is the package's minimum adversarial distortion. Columns are the change e = v' - v, of either
sign, and its absolute values (`AbsoluteValues`), and for each unstable neuron an output and a
binary (`OutputBigM`). Stable neurons have none: what enters a neuron stays an affine expression.
One target needs no binary. Where any of several classes may win, o_t is their maximum, with a
binary for each that the bounds do not exclude (`add_maximum`), and j is the true class.

The package minimises sum |e_i| (L1), max |e_i| (L-infinity) or sum e_i^2 (L2). In L-infinity the
column for |e_i|, which adds nothing, is left out; the total variation, which the package lacks, is
written as L1 is.

Bounds and box are the exact attack's, the same for every solver. Our own model splits changes and
inputs into positive and negative parts, and in L1 it has distance-aware cuts
(`formulations.secants`, `formulations.distance_cut`).
"""

from __future__ import annotations

from collections.abc import Sequence

from advmip.errors import InputError
from advmip.mip.bounds.interval import stage_bounds
from advmip.mip.encoding import Interval, encode_hidden
from advmip.mip.formulations import BigM, Formulation, OutputBigM, affine_expression
from advmip.mip.model import Expression, Model, ModelBuilder
from advmip.mip.problem import Problem

# The name that stands for this model in the place of a solver.
MIPVERIFY = "mipverify"


def mipverify_model(problem: Problem, bounds: Sequence[Interval]) -> tuple[Model, Expression]:
    """The model, and the change (pixels,) in its columns.

    Args:
        problem: The problem.
        bounds: Bounds of the inputs of each layer of ReLUs, finite, and last of the logits, that
            hold over the problem's box.
    """
    builder = ModelBuilder()
    absolute = problem.distance.absolute_values(problem.box)
    change = (absolute or problem.distance).encode(builder, problem.box)
    network = problem.network
    layers, _ = encode_hidden(
        builder, problem.layer(change), network.hidden, bounds[:-1], OutputBigM(), substitute=True
    )
    # The maximum needs finite bounds.
    outputs = bounds[-1].intersected(stage_bounds(problem, network.output, bounds[:-1]))
    problem.goal.encode_maximum(builder, affine_expression(network.output, layers), outputs)
    return builder.build(), change


def check_formulation(formulation: Formulation) -> None:
    """The model brings its own formulation.

    Raises:
        InputError: Another one than the default is asked for.
    """
    if not isinstance(formulation, BigM):
        raise InputError(
            subject=f"solver {MIPVERIFY}",
            found=f"formulation {formulation.name}",
            expected='formulation "big-m", which it writes in its own way',
            mend="choose a solver by its own name",
        )
