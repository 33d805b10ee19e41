"""The poster's experiments and verifiers by name, as rows and tables write them."""

from __future__ import annotations

ABLATION, ADVERSARIAL_ERROR, FINETUNED = "ablation", "adversarial_error", "finetuned"

# A network of Zhao & Kronqvist, before and after fine-tuning.
STAGES = {"before": "as trained", "after": "fine-tuned"}

WHOLE, CONTROL = "whole", "control"
# What is left out of the published verifier; last, our own way.
VERIFIERS = {
    CONTROL: "(control)",
    "without_progressive": "progressive tightening",
    "without_ball": "use of G(x) when tightening bounds",
    "without_tight": "tight ReLU formulation",
    WHOLE: "ours: linear forms and a gradient attack first",
}
