"""Classes: labels as integer codes, class weights, predictions from log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from mcmodels.arrays import Array, Codes, Labels
from mcmodels.exceptions import InferenceError, example_of

__all__ = [
    "ClassWeights",
    "check_labels",
    "codes_of",
    "encode",
    "kind_of_labels",
    "labels_of",
    "log_probabilities",
    "most_probable",
    "probabilities",
    "refuse_single_class",
    "refuse_unknown",
    "select",
    "totals",
]

# Integer labels whose range is smaller than this are found by counting, which needs no hashing.
_COUNTED_RANGE = 2**12
# What labels of a kind of array are.
_KINDS = dict.fromkeys("biuf", "numbers") | {"U": "text", "S": "bytes"}


def encode(y: Labels) -> tuple[Labels, Codes]:
    """Labels in ascending order, and the position among them of each entry of y.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.

    Returns
    -------
    labels : ndarray of shape (k,)
        The distinct labels.
    codes : ndarray of shape (n,)
        Integers below k, of the smallest type that holds them.
    """
    if y.dtype.kind == "b":
        present = np.array([not y.all(), y.any()])
        labels = np.array([False, True])[present]
        return labels, (y.astype(np.int8) if present.all() else np.zeros(len(y), np.int8))
    if y.dtype.kind in "iu":
        low, high = int(y.min()), int(y.max())
        if high - low == 1:
            return np.array([low, high], dtype=y.dtype), (y == high).view(np.int8)
        if high - low < _COUNTED_RANGE:
            # A difference may overflow the type of y; read as unsigned, the same bits are right.
            offset = np.asarray(low).astype(y.dtype)
            shifted = (y - offset).view(f"u{y.dtype.itemsize}").astype(np.intp)
            found = np.flatnonzero(np.bincount(shifted, minlength=high - low + 1))
            position = np.zeros(high - low + 1, dtype=_smallest_integer_type(found.size))
            position[found] = np.arange(found.size)
            return found.astype(y.dtype) + offset, position[shifted]
    codes, distinct = pd.factorize(y)
    labels, rank = np.unique(np.asarray(distinct, dtype=y.dtype), return_inverse=True)
    return labels, rank.astype(_smallest_integer_type(labels.size))[codes]


def select(labels: Labels, codes: Codes, present: npt.NDArray[np.bool_]) -> tuple[Labels, Codes]:
    """Only the labels that are present; rows with other labels get the code of any label."""
    if present.all():
        return labels, codes
    position = np.maximum(np.cumsum(present) - 1, 0).astype(codes.dtype)
    return labels[present], position[codes]


def check_labels(y: Labels) -> None:
    """Refuse targets that are not class labels, such as fractions or several types of labels."""
    if y.dtype.kind in "biuUS":
        return
    if y.dtype.kind in "mM":
        _refuse_missing(y)
    if y.dtype.kind == "O" and kind_of_labels(y) == "numbers":
        raise ValueError(
            f"Unknown label type: y has the dtype object and holds {example_of(y.flat[0])} in "
            "row 0. Labels are text, whole numbers or booleans: convert y, for example by "
            "y.astype(int)."
        )
    try:
        check_classification_targets(y)
    except ValueError as error:
        if y.dtype.kind == "f" and y.ndim == 1:
            row = int((y != np.round(y)).argmax())
            raise ValueError(
                f"{str(error).split('.')[0]}: y holds {example_of(y[row])} in row {row} (counted "
                "from 0), and labels are text, whole numbers or booleans. Fit a regressor, or make "
                "classes of y, for example by pd.cut."
            ) from error
        if y.dtype.kind != "O":
            raise
        raise ValueError(
            f"{str(error).split('.')[0]}: y has the dtype object and holds {example_of(y.flat[0])} "
            "in row 0. Labels are text, whole numbers or booleans: convert y, for example by "
            "y.astype(str)."
        ) from error


def kind_of_labels(y: Labels) -> str:
    """What the labels are: "numbers", "text" or another type; refuse several, and missing ones."""
    if y.dtype.kind != "O":
        return _KINDS.get(y.dtype.kind) or str(y.dtype)
    _refuse_missing(y)
    try:
        labels = pd.unique(y.ravel())
    except TypeError as error:  # what cannot be hashed, such as a dict, cannot be compared
        raise ValueError(
            f"Unknown label type: y holds {example_of(y.flat[0])} in row 0. Labels are text, whole "
            "numbers or booleans."
        ) from error
    found = {
        "text" if isinstance(v, str) else "numbers" if isinstance(v, Real) else type(v).__name__
        for v in labels.tolist()
    }
    if len(found) > 1:
        raise ValueError(
            f"y holds labels of several types ({', '.join(sorted(found))}); convert y to one type, "
            "for example by astype(str)."
        )
    return found.pop()


def _refuse_missing(y: Labels) -> None:
    missing = pd.isna(y.ravel())
    if missing.any():
        raise ValueError(
            f"Input y contains NaN: {np.count_nonzero(missing)} missing labels, the first in row "
            f"{int(missing.argmax())} (counted from 0). Drop such rows, or name a class for them."
        )


def codes_of(y: Labels, classes: Labels) -> npt.NDArray[np.intp]:
    """Positions in ``classes``, in any order; any position for a label that is not among them."""
    order = np.argsort(classes)
    return order[np.minimum(np.searchsorted(classes, y, sorter=order), len(classes) - 1)]


def labels_of(model: Any, n_outputs: int) -> Labels:
    """``classes_`` of a model; refused if they are not as many as its outputs predict."""
    classes, expected = np.asarray(model._given("classes_")), max(n_outputs, 2)
    if classes.shape != (expected,):
        raise InferenceError(
            f"classes_ has shape {classes.shape}, and the coefficients are those of {expected} "
            f"classes; assign an array of {expected} labels."
        )
    return classes


def refuse_single_class(labels: Labels, present: npt.NDArray[np.bool_], where: str = "") -> None:
    """Raise ValueError unless at least two classes have rows.

    ``where`` ends the sentence "y holds only one class", as " in the rows of positive weight" does.
    """
    if np.count_nonzero(present) < 2:
        found = ", ".join(map(str, labels[present])) or "none"
        raise ValueError(
            f"y holds only one class{where}: {found}. Classifying needs at least two classes; "
            "check the target, or the rows that were selected."
        )


def refuse_unknown(y: Labels, weights: Array | None, classes: Labels) -> None:
    """Raise ValueError if a row of positive weight has a label that is not among the classes."""
    unknown = np.setdiff1d(y if weights is None else y[weights > 0], classes)
    if unknown.size:
        raise ValueError(
            f"y holds the class {unknown.tolist()[0]!r}, which was not in the training rows; the "
            f"classes are {classes.tolist()}."
        )


def totals(codes: Codes, weights: Array | None, n_labels: int) -> npt.NDArray[np.float64]:
    """Total weight of the rows of each code; their number if there are no weights."""
    if weights is None and n_labels == 2:
        second = float(np.count_nonzero(codes))
        return np.array([len(codes) - second, second])
    return np.bincount(codes, weights=weights, minlength=n_labels).astype(np.float64)


def _smallest_integer_type(n_labels: int) -> np.dtype[Any]:
    return np.min_scalar_type(-max(n_labels, 1))


@dataclass(frozen=True)
class ClassWeights:
    """Factors for the weights of the rows of each class.

    Parameters
    ----------
    by_label : dict
        The factor of each label; 1 for labels that are not in it.
    """

    by_label: dict[Any, float]

    @classmethod
    def of(
        cls, class_weight: Mapping[Any, float] | str | None, y: Labels, weights: Array | None
    ) -> Self:
        """The factors for these rows by ``class_weight``: a dict, "balanced" or None."""
        if class_weight is None:
            return cls({})
        if class_weight == "balanced":
            if weights is not None:
                y, weights = y[weights > 0], weights[weights > 0]
            labels, codes = np.unique(y, return_inverse=True)
            # scikit-learn's rule; its own function takes no row weights before version 1.7.
            counts = np.bincount(codes, weights)
            with np.errstate(over="ignore"):
                factors = counts.sum() / (len(labels) * counts)
        else:
            labels = np.unique(y)
            try:
                factors = compute_class_weight(class_weight, classes=labels, y=y)
            except ValueError as error:
                raise _without_rows(class_weight, labels) or error from None
        if not (np.isfinite(factors).all() and (factors >= 0).all()):
            raise ValueError(
                f"class_weight={example_of(class_weight)} must hold finite numbers of at least 0."
            )
        return cls(dict(zip(labels.tolist(), factors.tolist(), strict=True)))

    def times(self, y: Labels, weights: Array | None) -> Array | None:
        """Weights of rows times the factors of their classes; None means that all are one."""
        if not self.by_label:
            return weights
        labels, codes = np.unique(y, return_inverse=True)
        factors = np.array([self.by_label.get(label, 1.0) for label in labels.tolist()])
        return factors[codes] if weights is None else weights * factors[codes]


def _without_rows(class_weight: Any, labels: Labels) -> ValueError | None:
    """An error that names labels in ``class_weight`` of which there are no rows; None without."""
    if not isinstance(class_weight, Mapping):
        return None
    unknown = [label for label in class_weight if label not in labels.tolist()]
    if not unknown:
        return None
    return ValueError(
        f"class_weight holds {example_of(unknown)}, of which y has no rows; its classes are "
        f"{example_of(labels.tolist())}. Leave out what is no class, or write labels as y has them."
    )


def most_probable(model: Any, eta: Array) -> Labels:
    """The most probable class of each row, from its linear predictors."""
    classes = labels_of(model, 1 if eta.ndim == 1 else eta.shape[1])
    return classes[(eta > 0).astype(int) if eta.ndim == 1 else eta.argmax(axis=1)]


def log_probabilities(eta: Array) -> Array:
    """Logarithms of the probabilities by class; finite even where these underflow."""
    if eta.ndim == 1:
        logarithms = np.column_stack([log_expit(-eta), log_expit(eta)])
    else:
        logarithms = np.asarray(log_softmax(eta, axis=1))
    if logarithms.dtype == np.float32:
        p = probabilities(eta)
        np.log(p, out=logarithms, where=p > 0.5)
        np.maximum(logarithms, np.log(np.finfo(p.dtype).smallest_subnormal), out=logarithms)
    return logarithms


def probabilities(eta: Array) -> Array:
    """Probabilities by class: never zero, but the smallest number where they underflow.

    So their logarithms are finite, as those of predict_log_proba are.
    """
    if eta.ndim == 1:
        p = np.column_stack([expit(-eta), expit(eta)])
    else:
        p = np.asarray(softmax(eta, axis=1))
    return np.maximum(p, np.finfo(p.dtype).smallest_subnormal, out=p)
