"""The thesis's experiments by name, as rows and tables write them."""

from __future__ import annotations

PROGRESSIVE = "progressive"
# The attacks on retrained networks, and those on the network as first trained that they are
# compared with, image by image.
RETRAINED, TEST_EXAMPLES = "retrained", "test_examples"
# What the control is trained anew on: the training images alone.
CONTROL = "none"

MODELS = {
    "basic": "basic model",
    "long_basic": "basic model",
    "exact": "exact bounds",
    "weaker": "weaker bounds",
    "long_weaker": "weaker bounds",
    PROGRESSIVE: "ball around the image",
}
