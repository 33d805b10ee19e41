"""The table and figure of VNN-COMP's benchmarks, and its claims."""
