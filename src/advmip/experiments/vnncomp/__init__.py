"""Benchmarks of VNN-COMP: which of their instances are answered, and how."""
