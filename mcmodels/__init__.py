"""mcmodels: estimators that hand you the exact gradient and Hessian of what they minimised."""

from mcmodels.linear import LinearRegression
from mcmodels.logistic import LogisticRegression
from mcmodels.pca import PCA

__all__ = ["PCA", "LinearRegression", "LogisticRegression"]
__version__ = "0.1.0"
