"""Networks from ONNX files, as torch graphs of operations that are affine or piecewise linear.

The file's nodes are translated one by one, to what the staged form knows (`networks/staging.py`);
nothing in the file is executed. What does not depend on the image is computed beforehand, by ONNX's
reference evaluator; shapes are such constants, in which a number stands for the batch's size. All
arithmetic of the result is in float64 if the file's is, else in float32.
"""

from advmip.networks.onnx.reading import read_onnx

__all__ = ["read_onnx"]
