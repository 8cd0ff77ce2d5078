"""An objective of several classes in parameters that it determines: differences of classes.

With a vector of parameters θ_k for each class, no probability changes where all θ_k move by the
same vector. So what is determined are the differences ``δ_k = θ_k - θ_0`` from the first class. A
penalty determines the common vector ``c = θ_0``, too, but for the intercept, which it does not
reach. In these coordinates the Hessian is ``TᵀHT``, T the linear map from (δ, c) to θ, which is
regular where columns are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import Objective

__all__ = ["ClassDifferences"]


@dataclass(frozen=True, eq=False)
class ClassDifferences:
    """The objective as a function of (δ, c), with its derivatives; c where a penalty holds it.

    Parameters
    ----------
    objective : Objective
        Of parameters of shape (K, P).
    params : ndarray of shape (K, P)
        A point; what of c is not among the coordinates stays as it is there.
    n_shared : int, default=0
        m: how many entries of c, the first ones, are coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LogisticRegression
    >>> X, y = np.arange(9.0)[:, np.newaxis], [0, 1, 0, 2, 1, 2, 0, 2, 1]
    >>> model = LogisticRegression(C=np.inf).fit(X, y)
    >>> found = ClassDifferences(model._objective_on(X, y, None), model.params_)
    >>> found.start.shape
    (4,)
    >>> bool(np.linalg.eigvalsh(found.hessian(found.start))[0] > 1e-3)
    True
    """

    objective: Objective
    params: Array
    n_shared: int = 0

    @property
    def map(self) -> Array:
        """T, shape (K·P, (K - 1)·P + m)."""
        K, P = self.params.shape
        first = np.zeros((1, K - 1))
        differences = np.kron(np.vstack([first, np.eye(K - 1)]), np.eye(P))
        common = np.kron(np.ones((K, 1)), np.eye(P))[:, : self.n_shared]
        return np.hstack([differences, common])

    @property
    def start(self) -> Array:
        """The coordinates of ``params``."""
        first = self.params[0]
        return np.concatenate([(self.params[1:] - first).ravel(), first[: self.n_shared]])

    def at(self, point: Array) -> Array:
        """θ of shape (K, P) at coordinates."""
        moved = self.map @ (point - self.start)
        return self.params + moved.reshape(self.params.shape)

    def value(self, point: Array) -> float:
        """The objective at coordinates."""
        return float(self.objective.value(self.at(point)))

    def gradient(self, point: Array) -> Array:
        """``Tᵀ∇f``."""
        return np.asarray(self.map.T @ np.ravel(self.objective.gradient(self.at(point))))

    def hessian(self, point: Array) -> Array:
        """``TᵀHT``."""
        T = self.map
        return np.asarray(T.T @ self.objective.hessian(self.at(point)) @ T)

    def hessian_vector_product(self, point: Array, vector: Array) -> Array:
        """``TᵀH(Tv)``."""
        T = self.map
        moved = (T @ vector).reshape(self.params.shape)
        product = self.objective.hessian_vector_product(self.at(point), moved)
        return np.asarray(T.T @ np.ravel(product))
