"""The gradient doctor: says whether a gradient is right, and if not, which mistake made it."""

from mcmodels.calculus.doctor.diagnosis import diagnose
from mcmodels.calculus.doctor.verdict import Diagnosis

__all__ = ["Diagnosis", "diagnose"]
