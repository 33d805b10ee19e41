"""Classifiers from ONNX files, as torch graphs of few kinds of operations.

The file's nodes are translated one by one; nothing in the file is executed. All arithmetic of the
result is in float64 if the file's is, else in float32. The graph consists of

- the modules Linear, Conv2d, BatchNorm2d, ReLU, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1),
  Flatten and ConstantPad2d with zeros;
- the functions add, sub, mul and truediv of `operator`, between two values or a value and a
  buffer that has as many axes as the value, the first of length 1;
- the methods reshape(-1, ...), permute(0, ...) and mean(dim=(2, 3), keepdim=...).
"""

from advmip.networks.onnx.reading import read_onnx

__all__ = ["read_onnx"]
