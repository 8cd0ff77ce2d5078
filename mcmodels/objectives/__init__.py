"""What is minimised: pointwise losses, their composition with design rows, PCA's Lagrangian.

Networks are imported from their own modules, so that estimators without one do not load them.
"""

from mcmodels.objectives.linear_predictor import LinearPredictorObjective
from mcmodels.objectives.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError
from mcmodels.objectives.protocol import Objective
from mcmodels.objectives.quadratic import QuadraticObjective
from mcmodels.objectives.variance import VarianceLagrangian

__all__ = [
    "BinaryCrossEntropy",
    "LinearPredictorObjective",
    "Loss",
    "Objective",
    "QuadraticObjective",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "VarianceLagrangian",
]
