"""Networks: what they are built like, how they are trained, read and written."""

from advmip.networks.architectures import ARCHITECTURES, Architecture
from advmip.networks.files import load_network, save_network
from advmip.networks.network import Network, new_network
from advmip.networks.staging import staged
from advmip.networks.tracing import as_classifier, as_function, as_network, from_torch

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Network",
    "as_classifier",
    "as_function",
    "as_network",
    "from_torch",
    "load_network",
    "new_network",
    "save_network",
    "staged",
]
