"""What is minimised: pointwise losses, their composition with design rows, PCA's Lagrangian."""

from mcmodels.objectives.linear_predictor import LinearPredictorObjective
from mcmodels.objectives.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError
from mcmodels.objectives.objective import Objective
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
