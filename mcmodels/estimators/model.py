"""Base class of all estimators: publishes a fit, reads its record, evaluates derivatives."""

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

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import check_params
from mcmodels.estimators.notebook import NotebookHtml
from mcmodels.estimators.unknown_arguments import refuse_unknown_arguments, with_help
from mcmodels.estimators.validation import features_of, is_fitted_name, unfitted
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Objective
from mcmodels.records.record import digest
from mcmodels.rows import StreamedSums

__all__ = ["Fitted", "Model", "coefficient_array"]


class Fitted:
    """A fitted attribute: read from the record of the fit.

    Parameters
    ----------
    name : str
        Name of the attribute of the record.
    doc : str
        Docstring of the attribute.
    describes_coefficients : bool, default=True
        Whether it describes the coefficients of the fit. If so, reading it raises an error after
        the user has changed them.
    """

    def __init__(self, name: str, doc: str, *, describes_coefficients: bool = True) -> None:
        self._name, self.__doc__ = name, doc
        self._describes_coefficients = describes_coefficients

    def __get__(self, model: Model | None, owner: type) -> Any:
        if model is None:
            return self
        record = model._record() if self._describes_coefficients else model._unchecked_record()
        with as_inference_error(self._name):
            value = getattr(record, self._name)
        return read_only(value)


def read_only(value: Any) -> Any:
    """Arrays that the user cannot write into, because other results are computed from them."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    elif isinstance(value, list):
        value = [read_only(part) for part in value]
    elif hasattr(value, "_make"):  # a NamedTuple: the layers of a network
        value = value._make(map(read_only, value))
    return value


@contextmanager
def as_inference_error(name: str) -> Iterator[None]:
    """Raise numerical errors as an InferenceError, which ``hasattr`` and notebooks expect."""
    try:
        yield
    except (LinAlgError, ArithmeticError, MemoryError) as error:
        raise InferenceError(f"{name} cannot be computed for this fit: {error}") from error


def coefficient_array(name: str, value: Any) -> Array:
    """Coefficients as a float64 array; not copied if they are one.

    Raises
    ------
    InferenceError
        If they are not numbers. It is also an AttributeError, so that consoles can show the model.
    """
    try:
        refuse_masked(name, value)
        array = np.asarray(value.toarray() if issparse(value) else value)
        if array.dtype.kind == "c":
            raise TypeError("its numbers are complex")
        return np.asarray(array, dtype=np.float64)
    except Exception as error:  # whatever an object of the user's raises
        raise InferenceError(f"{name} is not an array of numbers: {error}") from error


class Model(NotebookHtml, BaseEstimator):
    """Objective, gradient, Hessian and Hessian-vector product on any data, at any parameters.

    The parameters have the shape of ``params_``: coefficients, then the intercept as the last
    column when one is fitted. A gradient has the shape of the parameters; a Hessian is over
    ``params.ravel()``. docs/conventions.md states every objective exactly.
    """

    # The attributes that every prediction uses, and those that at least some predictions use. If
    # the user changes one of the latter, the record of the fit no longer describes the model.
    _coefficients: tuple[str, ...] = ("coef_", "intercept_")
    _tracked: tuple[str, ...] = _coefficients
    _fit: Any = None
    # What fit and other methods take beside the rows and add to linear predictors: keywords of
    # methods, and further parts of the blocks of a stream. `_offsets_of` checks them.
    _offset_names: tuple[str, ...] = ()
    _sums: StreamedSums | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls) and cls.__module__.startswith("mcmodels."):
            setattr(cls, "__init__", with_help(cls.__init__))  # noqa: B010

    def set_params(self, **params: Any) -> Self:
        """Set arguments by name, as in scikit-learn; an unknown one is an error that says more.

        Parameters
        ----------
        **params
            Arguments of the constructor.

        Returns
        -------
        estimator
            Itself.
        """
        refuse_unknown_arguments(self, params, self._get_param_names(), ValueError)
        super().set_params(**params)
        return self

    @property
    @abstractmethod
    def params_(self) -> Array:
        """All free parameters, read from the coefficients that predictions use."""

    @abstractmethod
    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> Objective:
        """The estimator's objective over rows, which it validates."""

    def _offsets_of(self, X: Any, **options: Any) -> dict[str, Array]:
        """The offset of each row, as an extra of the rows; empty where there is none."""
        return {}

    def _check_order(
        self, X: Any, y: Any = None, sample_weight: Any = None, **options: Any
    ) -> None:
        """Refuse offsets whose index says that they are in another order than the rows."""

    def _refuse_missing_offset(self, extras: Mapping[str, Any]) -> None:
        """Refuse rows without an offset where the fit had one."""

    def _checker(self) -> Self:
        """A copy of a fitted model that knows no more than it needs to check blocks of rows.

        It is what is sent to parts of the rows that are elsewhere.
        """
        checker = unfitted(self)
        checker.__dict__ |= features_of(self).attributes
        return checker

    def _publish(self, attributes: Mapping[str, Any]) -> Self:
        """Replace the attributes of earlier fits by these, in one step.

        So an interrupt leaves either the whole old fit or the whole new fit.
        """
        own = {name: value for name, value in vars(self).items() if not is_fitted_name(name)}
        self.__dict__ = own | dict(attributes)
        return self

    def _record(self) -> Any:
        """The record of the fit; raises InferenceError if the coefficients were changed since."""
        record = self._unchecked_record()
        if record.digest != digest(self._coefficient_arrays()):
            names = " or ".join(self._tracked_names)
            raise InferenceError(
                f"{names} was changed after the fit, and this result describes the coefficients "
                "of the fit. Fit again; or call objective(X, y), gradient(X, y) or hessian(X, y), "
                "which use the current coefficients."
            )
        return record

    def _unchecked_record(self) -> Any:
        """The record of the fit, also if the coefficients were changed since."""
        self._check_has_coefficients()
        if self._fit is None:
            raise NotFittedError(
                f"This {type(self).__name__} has assigned coefficients but has not been fitted. "
                "It can predict, but has no standard errors, tests or curvature. Call 'fit'."
            )
        return self._fit

    def _check_has_coefficients(self) -> None:
        """Raise NotFittedError if an attribute that predictions use is missing."""
        missing = [name for name in self._coefficients if name not in vars(self)]
        if missing:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet: it has no "
                f"{' and no '.join(missing)}. Call 'fit' with appropriate arguments before using "
                "this estimator."
            )

    def _given(self, name: str) -> Any:
        """An attribute that a fit or the user has set, which some predictions use."""
        self._check_has_coefficients()
        if name not in vars(self):
            raise NotFittedError(
                f"This {type(self).__name__} has no {name}, which this result needs. Assign it, "
                "or call 'fit'."
            )
        return vars(self)[name]

    @property
    def _tracked_names(self) -> tuple[str, ...]:
        """The attributes whose change makes the record of the fit invalid."""
        return self._tracked

    def _coefficient_arrays(self) -> Iterator[Any]:
        for name in self._tracked:
            value = vars(self).get(name, ())
            yield from value if isinstance(value, list | tuple) else (value,)

    def __dir__(self) -> list[str]:
        """Names of the available attributes, as in scikit-learn since version 1.8."""
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
            Targets; ignored by estimators that have none.
        params : array-like, the shape of ``params_``, default=None
            Parameters at which to evaluate; ``params_`` by default.
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
