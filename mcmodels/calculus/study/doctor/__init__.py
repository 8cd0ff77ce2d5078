"""The gradient doctor: whether a gradient is right, and if not, which mistake explains it."""

from mcmodels.calculus.study.doctor.diagnosis import diagnose
from mcmodels.calculus.study.doctor.verdict import Diagnosis

__all__ = ["Diagnosis", "diagnose"]
