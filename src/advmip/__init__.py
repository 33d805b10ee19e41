"""Adversarial robustness of ReLU networks by mathematical programming."""
