"""Proofs in files, and a checker that shares nothing with the search that found them.

A proof (`files.py`) is a question (`questions.py`), the network's digest, and for each region a
tree: its splits, and the numbers by which forms bound neurons and conditions in each node. The
checker (`check.py`) bounds everything anew (`enclosure.py`). Any slopes and multipliers give bounds
that hold, so that nothing in a file has to be trusted.
"""

from advmip.checking.proofs.check import ProofCheck, check_proof
from advmip.checking.proofs.files import ProofWriter, check_proof_name
from advmip.checking.proofs.questions import BallQuestion

__all__ = ["BallQuestion", "ProofCheck", "ProofWriter", "check_proof", "check_proof_name"]
