"""The gradient doctor: says whether a gradient is right, and if not, which mistake made it."""

from mcmodels.calculus.doctor.diagnosis import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
