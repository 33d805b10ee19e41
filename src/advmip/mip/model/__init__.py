"""Mixed-integer programs as data, known to no solver."""

from advmip.mip.model.arrays import Flags, Indices, Matrix, Vector
from advmip.mip.model.builder import ModelBuilder
from advmip.mip.model.expression import Expression, range_over
from advmip.mip.model.model import Cone, Cuts, Indicator, Model, Separator, Size

__all__ = [
    "Cone",
    "Cuts",
    "Expression",
    "Flags",
    "Indicator",
    "Indices",
    "Matrix",
    "Model",
    "ModelBuilder",
    "Separator",
    "Size",
    "Vector",
    "range_over",
]
