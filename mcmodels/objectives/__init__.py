"""What is minimised: pointwise losses, their composition with design rows, PCA's Lagrangian."""

from mcmodels.objectives.linear_predictor import LinearPredictorObjective
from mcmodels.objectives.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.objectives.protocol import Objective
from mcmodels.objectives.quadratic import QuadraticObjective
from mcmodels.objectives.variance import VarianceLagrangian

__all__ = [
    "BinaryCrossEntropy",
    "HalfSquaredError",
    "LinearPredictorObjective",
    "Loss",
    "Network",
    "NetworkObjective",
    "NetworkParameters",
    "Objective",
    "QuadraticObjective",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "VarianceLagrangian",
]
