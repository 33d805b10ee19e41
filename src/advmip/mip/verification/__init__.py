"""From the smallest attack to no attack: proof that a whole ball of images keeps its class.

What a proof needs is found out from cheap to dear, each class that may win being dropped as soon as
it is excluded: intervals, linear forms pulled back to the image, a gradient attack, linear programs
that tighten what is open, and a mixed-integer program for each class that is left (Tjeng 2019).
"""

from advmip.mip.verification.verdict import Evidence, Outcome, Verdict, VerificationIngredients
from advmip.mip.verification.verifier import Verifier, verify

__all__ = ["Evidence", "Outcome", "Verdict", "VerificationIngredients", "Verifier", "verify"]
