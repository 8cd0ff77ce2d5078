"""Checks of rows and targets that users pass; each error says what was found."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, check_X_y, validate_data

from mcmodels.arrays import Matrix, MatrixLike, Values, VectorLike, refuse_masked
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.numeric_columns import named_columns, refuse_dates
from mcmodels.rows import CodedBlock, Rows, RowStream, StreamedMatrix, StreamedSums

# What ``multi_output`` is where several columns of y are indicators of labels, and one is a vector.
INDICATORS = "indicators"


@dataclass(frozen=True)
class Features:
    """The columns of X in a fit.

    Parameters
    ----------
    n_features : int
        Number of columns.
    names_in : ndarray of shape (n_features,), or None
        Their names, when X has names that are all strings.
    table_columns : TableColumns or None, default=None
        How they come from the columns of a table, if X was a scan.
    """

    n_features: int
    names_in: Values | None
    table_columns: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: those of X, or x0, x1, …."""
        if self.names_in is None:
            return _names_of_columns(self.n_features)
        return tuple(map(str, self.names_in))

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes that scikit-learn sets on a fitted estimator for its columns."""
        found = {
            "n_features_in_": self.n_features,
            "feature_names_in_": self.names_in,
            "table_columns_": self.table_columns,
        }
        return {name: value for name, value in found.items() if value is not None}

    def name(self, columns: Iterable[int]) -> str:
        """Names of these columns, as text for a message."""
        named = self.names_in is not None
        return listed(f"{self.names[j]!r}" if named else f"x{j}" for j in columns)


@functools.lru_cache(maxsize=8)
def _names_of_columns(count: int) -> tuple[str, ...]:
    """x0, x1, …; kept, because small calls of ``partial_fit`` ask for them each time."""
    return tuple(f"x{j}" for j in range(count))


def unfitted(estimator: Any) -> Any:
    """A copy of an estimator without the attributes that a fit has set."""
    blank = object.__new__(type(estimator))
    blank.__dict__ = {
        name: value for name, value in vars(estimator).items() if not is_fitted_name(name)
    }
    return blank


def is_fitted_name(name: str) -> bool:
    """Whether a fit sets this attribute: by scikit-learn's convention, or in our own record."""
    return name in ("_fit", "_sums") or (name.endswith("_") and not name.startswith("_"))


def features_of(estimator: Any) -> Features:
    """The columns that scikit-learn's validation has recorded on an estimator."""
    return Features(
        estimator.n_features_in_,
        getattr(estimator, "feature_names_in_", None),
        getattr(estimator, "table_columns_", None),
    )


def validated_rows(estimator: Any, X: MatrixLike) -> Matrix:
    """X checked by scikit-learn: finite, real, with the columns of the fit.

    X is not converted to float64 here. Each block of rows is converted when it is read.
    """
    if isinstance(X, StreamedMatrix):  # the blocks of a stream were checked
        return X
    return _validate(estimator, X, reset=False)


def training_features(estimator: Any, X: MatrixLike, **options: Any) -> tuple[Features, Matrix]:
    """X of a fit, checked except for NaN and infinity; see :func:`refuse_not_finite`.

    The estimator itself is not changed, because a fit that fails must leave it as it was.
    """
    blank = unfitted(estimator)
    X = _validate(blank, X, finite=False, **options)
    return features_of(blank), X


def continued_features(estimator: Any, X: MatrixLike, *, first: bool) -> tuple[Features, Matrix]:
    """X of a call of ``partial_fit``, checked; after the first call its columns are known."""
    checker = unfitted(estimator) if first else estimator
    X = _validate(checker, X, reset=first)
    return features_of(checker), X


def training_pair(
    estimator: Any, X: MatrixLike, y: Any, **for_y: Any
) -> tuple[Features, Matrix, Values]:
    """X and y of a fit, checked except for NaN and infinity in X; y is required and dense.

    The estimator itself is not changed, because a fit that fails must leave it as it was.
    """
    _refuse_sparse_targets(y)
    blank = unfitted(estimator)
    X, y = _validate(blank, X, y, finite=False, **for_y)
    return features_of(blank), X, y


def continued_pair(
    estimator: Any, X: MatrixLike, y: Any, *, first: bool, **for_y: Any
) -> tuple[Features, Matrix, Values]:
    """X and y of a call of ``partial_fit``, checked except for NaN and infinity in X.

    After the first call the columns are known.
    """
    if first:
        return training_pair(estimator, X, y, **for_y)
    _refuse_missing_targets(y)
    X, y = _validate(estimator, X, y, reset=False, finite=False, **for_y)
    return features_of(estimator), X, y


def validated_pair(estimator: Any, X: MatrixLike, y: Any, **for_y: Any) -> tuple[Matrix, Values]:
    """X and y for a fitted model, checked; y is required and dense."""
    _refuse_missing_targets(y)
    if isinstance(X, StreamedMatrix):  # the blocks of a stream were checked
        return X, y
    for_y = _for_targets(y, for_y)
    if _is_plain(estimator, X, y, finite=True, **for_y):
        return X, y
    rows, y = _validate(estimator, X, y, reset=False, finite=False, **for_y)
    with named_columns(X=X):
        _check_finite(estimator, rows)
    return rows, y


def _validate(
    estimator: Any,
    X: MatrixLike,
    *y: Any,
    finite: bool = True,
    reset: bool = True,
    **options: Any,
) -> Any:
    """X, or X and y, checked by scikit-learn; NaN and infinity in X are refused if ``finite``.

    A fit skips that check: its first sums read every entry of X, and NaN and infinity show there.
    """
    if y:
        options = _for_targets(y[0], options)
    if isinstance(X, CodedBlock):
        return _validated_block_of_table(estimator, X, *y, reset=reset, **options)
    if _is_plain(estimator, X, *y, finite=finite, reset=reset, **options):
        if reset:
            estimator.n_features_in_ = np.shape(X)[1]
        return (X, *y) if y else X
    for name, values in zip("Xy", (X, *y), strict=False):
        refuse_masked(name, values)
    options |= {"accept_sparse": "csr", "dtype": "numeric", "ensure_all_finite": finite}
    numeric_y = options.get("y_numeric", False)
    given = {"X": X} | ({"y" if numeric_y else "labels": y[0]} if y else {})
    with named_columns(**given):
        if reset and type(X) is np.ndarray:
            # validate_data looks for the names of the columns, for a tenth of the time of a small
            # fit; an array has none.
            if y:
                found = check_X_y(X, *y, estimator=estimator, **options)
            else:
                found = check_array(X, input_name="X", estimator=estimator, **options)
            estimator.n_features_in_ = found[0].shape[1] if y else found.shape[1]
        else:
            found = validate_data(estimator, X, *y, reset=reset, **options)
    rows, *targets = found if y else (found,)
    refuse_dates("X", X, rows.dtype.kind)
    if numeric_y:
        refuse_dates("y", y[0], targets[0].dtype.kind)
        if targets[0].dtype.kind in "USV":
            with named_columns(y=y[0]):
                targets = [targets[0].astype(np.float64)]
        if getattr(y[0], "dtype", None) != targets[0].dtype:
            # scikit-learn looks for NaN before it converts objects to numbers.
            with named_columns(y=y[0]):
                _refuse_nested(np.asarray(y[0]))
                assert_all_finite(targets[0], input_name="y")
    if rows.dtype.kind == "O":
        # scikit-learn before 1.9 returns the text columns of a data frame of pandas 3 as objects.
        with named_columns(X=X):
            _refuse_nested(rows)
            rows = rows.astype(np.float64)
        if finite:
            _check_finite(estimator, rows)
    return (rows, *targets) if targets else rows


def _for_targets(y: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options of the checks; with ``multi_output=INDICATORS``, for these targets.

    Labels are then checked as those of an estimator of one output, but several columns are taken.
    """
    if options.get("multi_output") != INDICATORS:
        return options
    shape = getattr(y, "shape", None)
    if shape is None and isinstance(y, Sequence) and not isinstance(y, str) and len(y):
        shape = (len(y), len(y[0])) if isinstance(y[0], Sequence | np.ndarray) else (len(y),)
        shape = (len(y),) if isinstance(y[0], str | bytes) else shape
    return options | {"multi_output": shape is not None and len(shape) == 2 and shape[1] > 1}


def _refuse_nested(values: npt.NDArray[Any]) -> None:
    """Refuse objects that are arrays; older versions of NumPy take one of one number for it."""
    if values.dtype.kind == "O" and any(np.ndim(value) for value in values.flat):
        raise TypeError("an entry is an array")


def _validated_block_of_table(
    estimator: Any, block: CodedBlock, *y: Any, reset: bool, **options: Any
) -> Any:
    """The features of a block, and its targets checked."""
    names = np.asarray(block.names, dtype=object)
    if reset:
        estimator.n_features_in_, estimator.feature_names_in_ = len(names), names
    if not np.array_equal(getattr(estimator, "feature_names_in_", ()), names):
        return _validate(estimator, block.frame(), *y, reset=False, **options)
    rows: Any = block.X
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum(rows.data if issparse(rows) else rows)
    if not np.isfinite(total):
        with named_columns(X=block.frame()):
            _check_finite(estimator, rows)
    if not y:
        return rows
    alone = np.zeros((rows.shape[0], 1))
    return rows, _validate(unfitted(estimator), alone, *y, **options)[1]


def _is_plain(
    estimator: Any,
    X: Any,
    *targets: Any,
    finite: bool,
    reset: bool = False,
    multi_output: bool = False,
    y_numeric: bool = False,
    ensure_min_samples: int = 1,
    **options: Any,
) -> bool:
    """Whether scikit-learn would return X and y as they are: arrays of the columns of the fit.

    Its checks take ten times as long, which matters where there are few rows. A fit, ``reset``,
    takes any columns.
    """
    if options or type(X) is not np.ndarray or X.ndim != 2 or X.dtype.char not in "df":
        return False
    if X.shape[0] < ensure_min_samples or X.shape[1] == 0:
        return False
    known = vars(estimator)
    if not reset and ("feature_names_in_" in known or X.shape[1] != known.get("n_features_in_")):
        return False
    for y in targets:
        if not (
            type(y) is np.ndarray
            and y.dtype.char in ("?bBhHiIlLqQdf" if y_numeric else "?bBhHiIlLqQdfU")
            and (y.ndim == 1 or (y.ndim == 2 and multi_output and y.shape[1] > 0))
            and len(y) == len(X)
        ):
            return False
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = [X] if finite else []
        numbers += [y for y in targets if y.dtype.kind == "f"]
        return all(math.isfinite(values.sum()) for values in numbers)


def _refuse_missing_targets(y: object) -> None:
    _refuse_sparse_targets(y)
    if y is None:
        raise ValueError("y is None; the objective needs the targets of the rows.")


def _refuse_sparse_targets(y: object) -> None:
    if issparse(y):
        raise TypeError("y is a sparse matrix; dense targets are needed. Pass y.toarray().")


def validated_block(
    estimator: Any, X: MatrixLike, y: VectorLike | None, *, reset: bool, **for_y: Any
) -> tuple[Matrix, Values | None]:
    """X and y (or None) of a block of rows, checked as in a fit, and also for NaN."""
    if y is None:
        return _validate(estimator, X, reset=reset), None
    _refuse_sparse_targets(y)
    return _validate(estimator, X, y, reset=reset, **for_y)


class refuse_not_finite:
    """If the code inside raises an error and X is not finite, raise an error that says so."""

    def __init__(self, estimator: Any, X: Matrix | RowStream) -> None:
        self._estimator, self._X = estimator, X

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # The blocks of a stream were checked.
        if isinstance(error, ValueError | LinAlgError) and not isinstance(self._X, RowStream):
            _check_finite(self._estimator, self._X)


def _check_finite(estimator: Any, X: Matrix) -> None:
    rows = X.data if issparse(X) else X
    if not isinstance(rows, np.ndarray):  # a data frame, or nested lists
        rows = check_array(X, dtype=np.float64, ensure_all_finite=False)
    with named_columns(X=X):
        assert_all_finite(rows, input_name="X", estimator_name=type(estimator).__name__)


def check_mergeable(estimator: Any, other: Any, parameters: Sequence[str]) -> None:
    """Refuse another estimator whose sums cannot be added to those of this one."""
    if type(other) is not type(estimator):
        raise TypeError(
            f"other is a {type(other).__name__}; it must be a {type(estimator).__name__}."
        )
    for model, name in ((estimator, "this model"), (other, "other")):
        if model._sums is None:
            raise ValueError(
                f"{name} has no sums to merge; fit both models by partial_fit, which keeps sums."
            )
    for name in parameters:
        if getattr(estimator, name) != getattr(other, name):
            raise ValueError(
                f"other has {name}={getattr(other, name)!r}, this model "
                f"{getattr(estimator, name)!r}; they must agree."
            )
    if estimator.n_features_in_ != other.n_features_in_:
        raise ValueError(
            f"other has {other.n_features_in_} features, this model {estimator.n_features_in_}."
        )
    names, others = (getattr(model, "feature_names_in_", ()) for model in (estimator, other))
    if not np.array_equal(names, others):
        raise ValueError("other has features with other names; the names must agree.")


def check_same_sums(sums: StreamedSums | None, kind: type, rows: Rows) -> None:
    """Refuse parameters that have changed since the first call of partial_fit."""
    if sums is not None and (not isinstance(sums, kind) or sums.seen.intercept != rows.intercept):
        raise ValueError(
            "solver or fit_intercept has changed since the first partial_fit; set it back, or "
            "clone the model and start again."
        )


def target_names(y: object) -> tuple[str, ...]:
    """Names of the targets: those of the columns of a data frame; else none."""
    columns = getattr(y, "columns", None)
    names = () if columns is None else tuple(map(str, columns))
    return names if len(set(names)) == len(names) else ()
