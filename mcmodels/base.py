"""What the estimators share: their objective and its derivatives at any point."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sklearn.utils.validation import check_is_fitted

from mcmodels._validation import check_params
from mcmodels.objectives import Objective
from mcmodels.rows.blocks import Array


class DifferentiableMixin:
    """Objective, gradient, Hessian and Hessian-vector product on any data, at any parameters.

    The parameters have the shape of ``params_``: coefficients, then the intercept as the last
    column when one is fitted. A gradient has the shape of the parameters; a Hessian is over
    ``params.ravel()``. docs/conventions.md states every objective exactly.
    """

    params_: Array

    @abstractmethod
    def _objective_on(self, X: Any, y: Any, sample_weight: Any) -> Objective:
        """The estimator's objective over validated data."""

    def objective(
        self, X: Any, y: Any = None, params: Any = None, sample_weight: Any = None
    ) -> float:
        """The objective on the given rows, penalty and weights included.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets; not looked at by estimators that have none.
        params : array-like, the shape of ``params_``, default=None
            Where to evaluate; None stands for ``params_``.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.

        Returns
        -------
        float
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight).value(point)

    def gradient(
        self, X: Any, y: Any = None, params: Any = None, sample_weight: Any = None
    ) -> Array:
        """The gradient of :meth:`objective` with respect to the parameters.

        Parameters are those of :meth:`objective`.

        Returns
        -------
        ndarray, the shape of ``params_``
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight).gradient(point)

    def hessian(
        self, X: Any, y: Any = None, params: Any = None, sample_weight: Any = None
    ) -> Array:
        """The Hessian of :meth:`objective` over ``params.ravel()`` (C order).

        Parameters are those of :meth:`objective`.

        Returns
        -------
        ndarray of shape (n, n), n the number of parameters
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight).hessian(point)

    def hessian_vector_product(
        self,
        X: Any,
        y: Any = None,
        params: Any = None,
        sample_weight: Any = None,
        *,
        vector: Any,
    ) -> Array:
        """The Hessian of :meth:`objective` times a vector, without forming the Hessian.

        Parameters
        ----------
        X, y, params, sample_weight
            As in :meth:`objective`.
        vector : array-like, the shape of ``params_``
            The direction.

        Returns
        -------
        ndarray, the shape of ``params_``
        """
        point = self._point(params)
        direction = check_params(vector, self.params_.shape, "vector")
        return self._objective_on(X, y, sample_weight).hessian_vector_product(point, direction)

    def _point(self, params: Any) -> Array:
        check_is_fitted(self)
        return self.params_ if params is None else check_params(params, self.params_.shape)
