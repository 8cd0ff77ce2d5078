"""What all estimators share: a fit published at once, its record, derivatives at any point."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from scipy.linalg import LinAlgError
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.validation import check_params, is_fitted_name
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Objective
from mcmodels.results.record import digest
from mcmodels.rows import StreamedSums

__all__ = ["Fitted", "Model", "numbers"]


class Fitted:
    """A fitted attribute: read from the record of the fit.

    Parameters
    ----------
    of : str
        Attribute of the record.
    doc : str
        Docstring of the attribute.
    describes_coefficients : bool, default=True
        Whether it describes the coefficients of the fit, and is refused when they were changed.
    """

    def __init__(self, of: str, doc: str, *, describes_coefficients: bool = True) -> None:
        self._of, self.__doc__ = of, doc
        self._describes_coefficients = describes_coefficients

    def __get__(self, model: Model | None, owner: type) -> Any:
        if model is None:
            return self
        record = model._record() if self._describes_coefficients else model._record_of_any_fit()
        with attribute_error(self._of):
            found = getattr(record, self._of)
        if isinstance(found, np.ndarray):
            # Other results are computed from the same array: the user reads, and does not write.
            found = found.view()
            found.flags.writeable = False
        return found


@contextmanager
def attribute_error(name: str) -> Iterator[None]:
    """Turn errors of a computation into ones that ``hasattr`` and notebooks understand."""
    try:
        yield
    except (LinAlgError, ArithmeticError, MemoryError) as error:
        raise InferenceError(f"{name} cannot be computed for this fit: {error}") from error


def numbers(name: str, value: Any) -> Array:
    """Coefficients as a float64 array, which is the same one where it is that already.

    Raises
    ------
    InferenceError
        Where they are no numbers; an AttributeError, so that consoles can look at the model.
    """
    try:
        return np.asarray(value.toarray() if issparse(value) else value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InferenceError(f"{name} is not an array of numbers: {error}") from error


class Model(BaseEstimator):
    """Objective, gradient, Hessian and Hessian-vector product on any data, at any parameters.

    The parameters have the shape of ``params_``: coefficients, then the intercept as the last
    column when one is fitted. A gradient has the shape of the parameters; a Hessian is over
    ``params.ravel()``. docs/conventions.md states every objective exactly.
    """

    # What every prediction is made with, as in scikit-learn, and all that some are made with:
    # where the user changes one of these, the record of the fit no longer describes the model.
    _coefficients: tuple[str, ...] = ("coef_", "intercept_")
    _tracked: tuple[str, ...] = _coefficients
    _fit: Any = None
    _sums: StreamedSums | None = None

    @property
    @abstractmethod
    def params_(self) -> Array:
        """All free parameters, read from the coefficients that predictions use."""

    @abstractmethod
    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> Objective:
        """The estimator's objective over rows, which it validates."""

    def _publish(self, attributes: Mapping[str, Any]) -> Self:
        """Replace all that earlier fits have left by these attributes, in one step.

        An interrupt finds all of the old fit or all of the new one.
        """
        own = {name: value for name, value in vars(self).items() if not is_fitted_name(name)}
        self.__dict__ = own | dict(attributes)
        return self

    def _record(self) -> Any:
        """The record of the fit; refused when the coefficients are no longer those of the fit."""
        record = self._record_of_any_fit()
        if record.digest != digest(self._coefficient_arrays()):
            names = " or ".join(self._tracked)
            raise InferenceError(
                f"{names} was changed after the fit, and this describes the coefficients of the "
                "fit. Fit again; or call objective(X, y), gradient(X, y) or hessian(X, y), which "
                "take the coefficients as they are now."
            )
        return record

    def _record_of_any_fit(self) -> Any:
        self._check_has_coefficients()
        if self._fit is None:
            raise NotFittedError(
                f"This {type(self).__name__} was given coefficients and has not been fitted: it "
                "predicts, and has no standard errors, tests or curvature of a fit. Call 'fit'."
            )
        return self._fit

    def _check_has_coefficients(self) -> None:
        """Raise NotFittedError where nothing can be predicted."""
        missing = [name for name in self._coefficients if name not in vars(self)]
        if missing:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet: it has no "
                f"{' and no '.join(missing)}. Call 'fit' with appropriate arguments before using "
                "this estimator."
            )

    def _coefficient_arrays(self) -> Iterator[Any]:
        for name in self._tracked:
            value = vars(self).get(name, ())
            yield from value if isinstance(value, list | tuple) else (value,)

    def __dir__(self) -> list[str]:
        """Names of what is there, as scikit-learn lists them from 1.8 on."""
        return [name for name in object.__dir__(self) if hasattr(self, name)]

    def __sklearn_is_fitted__(self) -> bool:
        return all(name in vars(self) for name in self._coefficients)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def objective(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
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
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
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
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
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
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        vector: VectorLike,
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
        direction = check_params(vector, point.shape, "vector")
        return self._objective_on(X, y, sample_weight).hessian_vector_product(point, direction)

    def _point(self, params: VectorLike | None) -> Array:
        self._check_has_coefficients()
        fitted = self.params_
        return fitted if params is None else check_params(params, fitted.shape)
