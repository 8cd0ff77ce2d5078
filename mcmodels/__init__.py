"""mcmodels: estimators that hand you the exact gradient and Hessian of what they minimised."""

from mcmodels.derivative_checks import check_gradient, check_hessian
from mcmodels.linear import LinearRegression
from mcmodels.logistic import LogisticRegression
from mcmodels.mlp import MLPClassifier, MLPRegressor
from mcmodels.objective_models import ObjectiveClassifier, ObjectiveRegressor
from mcmodels.pca import PCA
from mcmodels.results.comparison import likelihood_ratio_test
from mcmodels.results.pipelines import summarize
from mcmodels.rows import RowStream

__all__ = [
    "PCA",
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "ObjectiveClassifier",
    "ObjectiveRegressor",
    "RowStream",
    "check_gradient",
    "check_hessian",
    "likelihood_ratio_test",
    "summarize",
]
__version__ = "0.1.0"
