"""Inference from the curvature of a fit: covariance, tests, intervals, influence, dimension."""

from mcmodels.inference.delta import DeltaMethod
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.outliers import OutlierTest
from mcmodels.inference.principal_components import ComponentCount
from mcmodels.inference.summary import Summary
from mcmodels.inference.wild_bootstrap import WildBootstrapTest

__all__ = [
    "ComponentCount",
    "DeltaMethod",
    "Estimate",
    "HypothesisTest",
    "OutlierTest",
    "Summary",
    "WildBootstrapTest",
]
