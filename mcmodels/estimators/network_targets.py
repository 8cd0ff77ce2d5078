"""The targets of networks: classes, indicators of labels, numbers and counts, as losses need them.

What is known of the targets of a fit (:class:`Targets`) has a function that prepares those of any
rows: of arrays, of a block of a stream, or of rows for a fitted model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes, Labels, Values
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.classes import (
    ClassWeights,
    check_labels,
    codes_of,
    encode,
    kind_of_labels,
    refuse_single_class,
    select,
)
from mcmodels.estimators.logistic_rows import PreparedLabels, present
from mcmodels.estimators.stream_fits import Survey
from mcmodels.estimators.verdicts import warn_constant_targets
from mcmodels.exceptions import ConstantTargetWarning, example_of
from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from mcmodels.objectives.network_objective import HalfSquaredError
from mcmodels.rows import CrossSums, Rows
from mcmodels.solvers.constant_targets import constant_by_cross_sums
from mcmodels.user_warnings import warn_user

__all__ = [
    "LOSSES",
    "Indicators",
    "KnownClasses",
    "Numbers",
    "Targets",
    "check_class_weight",
    "class_targets",
    "class_targets_of_labels",
    "class_targets_of_stream",
    "indicator_targets",
    "number_targets",
    "of_classes",
    "refuse_other_classes",
    "warn_constant",
    "warn_constant_sums",
]

LOSSES: dict[str, Callable[[], Loss]] = {
    "squared_error": HalfSquaredError,
    "poisson": HalfPoissonDeviance,
}

# What is applied to the targets and the weights of rows.
Prepare = Callable[[Any, Array | None], tuple[Any, Array | None]]


@dataclass(frozen=True)
class Targets:
    """What a fit knows of its targets.

    Parameters
    ----------
    names : tuple of str
        Names of the classes, of the labels, or of the targets.
    shape : tuple of int
        Shape of y without its first axis.
    loss : Loss
        The pointwise loss as a function of the outputs.
    n_outputs : int
        Number of outputs of the network.
    prepare : callable
        Makes targets and weights, as the loss needs them, of y and the weights of some rows.
    n_classes : int or None, default=None
        Number of classes, where a row has one class.
    attributes : dict, default={}
        Further attributes that the fit publishes: ``classes_``.
    class_factors : dict, default={}
        Factor of the weights of the rows of each class.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    loss: Loss
    n_outputs: int
    prepare: Prepare
    n_classes: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    class_factors: dict[Any, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Numbers:
    """Targets as float64: a vector for one output; with ``counts`` they must not be negative.

    ``in_blocks`` says that the rows are some of those of a stream, whose numbers are not known.
    """

    n_outputs: int
    counts: bool = False
    in_blocks: bool = False

    def __call__(self, y: Values, weights: Array | None) -> tuple[Array, Array | None]:
        """Refuse another number of targets, and counts below zero in rows that count."""
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        if n_targets != self.n_outputs:
            raise ValueError(
                f"y has {n_targets} target(s); the model was fitted to {self.n_outputs}."
            )
        targets = np.asarray(y, dtype=np.float64)
        if self.counts and targets.size and targets.min() < 0:
            below = (targets < 0).reshape(len(targets), -1).any(axis=1)
            at = np.flatnonzero(below if weights is None else below & (weights > 0))
            if at.size:
                where = "a block" if self.in_blocks else f"row {at[0]} (counted from 0)"
                raise ValueError(
                    f"y must not be negative with loss='poisson'; found {targets[at[0]].min():g} "
                    f"in {where}. Use loss='squared_error' for targets of "
                    "either sign."
                )
        return (targets.reshape(-1) if self.n_outputs == 1 else targets), weights


@dataclass(frozen=True)
class Indicators:
    """Indicators of labels as float64, shape (n, n_labels): 1 where a row has the label."""

    n_labels: int

    def __call__(self, y: Values, weights: Array | None) -> tuple[Array, Array | None]:
        """Refuse another number of labels, and entries other than 0 and 1."""
        n_labels = 1 if y.ndim == 1 else y.shape[1]
        if n_labels != self.n_labels:
            raise ValueError(f"y has {n_labels} label(s); the model was fitted to {self.n_labels}.")
        wrong = (y != 0) & (y != 1)
        if np.any(wrong):
            raise ValueError(
                f"y has {n_labels} columns and holds {example_of(y[wrong][0])}: several columns "
                "are several labels, and hold 1 where a row has the label and else 0. Of sets of "
                "labels sklearn.preprocessing.MultiLabelBinarizer makes such a matrix; for several "
                "targets with more classes, use sklearn.multioutput.MultiOutputClassifier."
            )
        return np.asarray(y, dtype=np.float64), weights


@dataclass(frozen=True)
class ClassCodes:
    """Codes of labels that a first walk has found, and weights with those of the classes."""

    class_weights: ClassWeights
    classes: Labels

    def __call__(self, y: Labels, weights: Array | None) -> tuple[Codes, Array | None]:
        """Any code for a label without weight; later walks have no others."""
        return codes_of(y, self.classes), self.class_weights.times(y, weights)


class KnownClasses(PreparedLabels):
    """The same for other rows; labels that the model does not know are refused."""

    def __call__(self, y: Labels, weights: Array | None) -> tuple[Codes, Array | None]:
        """Refuse indicators of labels, too."""
        if y.ndim > 1:
            raise ValueError(
                f"y has {y.shape[1]} columns, as indicators of labels have, and the model was "
                "fitted to rows of one class each; pass a vector of classes."
            )
        return super().__call__(y, weights)


def check_class_weight(class_weight: Mapping[Any, float] | str | None) -> None:
    """Refuse what is neither a dict, "balanced" nor None."""
    if class_weight is not None and not isinstance(class_weight, dict):
        check_choice("class_weight", class_weight, ("balanced",))


def class_targets(
    y: Labels, weights: Array | None, class_weight: Mapping[Any, float] | str | None
) -> tuple[Targets, Codes, Array | None]:
    """Classes of rows in memory, their codes, and the weights with those of the classes."""
    check_labels(y)
    factors = ClassWeights.of(class_weight, y, weights)
    row_weights = factors.times(y, weights)
    labels, codes = encode(y)
    classes, codes = select(labels, codes, present(labels, codes, weights, row_weights))
    return of_classes(classes, factors), codes, row_weights


def class_targets_of_stream(
    surveyed: Survey, class_weight: Mapping[Any, float] | str | None
) -> tuple[Targets, float]:
    """Classes that a first walk has found, and the total weight of the rows with their factors."""
    labels = surveyed.labels
    check_labels(labels)
    counted = np.array([surveyed.label_weights[label] for label in labels.tolist()])
    factors = ClassWeights.of(class_weight, labels, counted)
    weighted = np.asarray(factors.times(labels, counted))
    known = present(labels, np.arange(len(labels)), counted, weighted)
    targets = of_classes(labels[known], factors)
    return replace(targets, prepare=ClassCodes(factors, labels[known])), float(weighted.sum())


def class_targets_of_labels(
    classes: Any, y: Labels, class_weight: Mapping[Any, float] | str | None
) -> Targets:
    """Targets of these classes, which the user has named, before all rows are known."""
    check_labels(y)
    labels = np.unique(np.asarray(classes))
    check_labels(labels)
    refuse_single_class(labels, np.ones(len(labels), dtype=bool), " in classes")
    known, found = kind_of_labels(labels), kind_of_labels(y)
    if known != found:
        raise ValueError(
            f"y holds labels that are {found}, and those of classes are {known}; convert one."
        )
    return of_classes(labels, ClassWeights.of(class_weight, labels, None))


def refuse_other_classes(classes: Any, known: Labels) -> None:
    """Refuse other classes than those of earlier calls of ``partial_fit``, or of a fit."""
    if not np.array_equal(np.unique(np.asarray(classes)), np.sort(known)):
        raise ValueError(
            f"classes={example_of(classes)} are not those of earlier calls, {known.tolist()}. "
            "Leave them out after the first call."
        )


def of_classes(classes: Labels, factors: ClassWeights) -> Targets:
    """Targets of which each row has one of these classes."""
    n_outputs = 1 if len(classes) == 2 else len(classes)
    return Targets(
        tuple(map(str, classes)),
        (),
        BinaryCrossEntropy() if n_outputs == 1 else SoftmaxCrossEntropy(),
        n_outputs,
        KnownClasses(factors, classes),
        len(classes),
        {"classes_": classes},
        factors.by_label,
    )


def indicator_targets(
    n_labels: int,
    names: tuple[str, ...],
    class_weight: Mapping[Any, float] | str | None,
) -> Targets:
    """Targets of which each row has any of several labels."""
    if class_weight is not None:
        raise ValueError(
            f"class_weight={example_of(class_weight)} was given, and y has {n_labels} columns: a "
            "row that has several labels is of no single class. Pass sample_weight instead, for "
            "example from sklearn.utils.class_weight.compute_sample_weight."
        )
    if len(names) != n_labels:
        names = tuple(map(str, range(n_labels)))
    classes = np.arange(n_labels)
    loss, prepare = LabelCrossEntropy(), Indicators(n_labels)
    return Targets(names, (n_labels,), loss, n_labels, prepare, attributes={"classes_": classes})


def number_targets(
    shape: tuple[int, ...], names: tuple[str, ...], loss: str, *, in_blocks: bool = False
) -> Targets:
    """Targets that are numbers, of this shape without the first axis."""
    n_outputs = shape[0] if shape else 1
    if len(names) != n_outputs:
        names = ("y",) if n_outputs == 1 else tuple(f"y{k}" for k in range(n_outputs))
    prepare = Numbers(n_outputs, counts=loss == "poisson", in_blocks=in_blocks)
    return Targets(names, shape, LOSSES[loss](), n_outputs, prepare)


def warn_constant(targets: Targets, values: Array, weights: Array | None, given: bool) -> None:
    """Warn of targets in memory that take a single value in rows that count.

    ``given`` is whether the names of the targets are the user's.
    """
    counted = values if weights is None else values[weights > 0]
    constant = np.flatnonzero((counted == counted[0]).all(axis=0))
    _warn(targets, constant.tolist(), given)


def warn_constant_sums(targets: Targets, rows: Rows, sums: CrossSums, given: bool) -> None:
    """The same for rows of a stream, of which the sums are known; it is walked only if in doubt."""
    _warn(targets, constant_by_cross_sums(rows, sums), given)


def _warn(targets: Targets, constant: list[int], given: bool) -> None:
    if not constant:
        return
    if isinstance(targets.loss, LabelCrossEntropy):
        which = [targets.names[k] if given else k for k in constant]
        warn_user(
            f"labels {which} of y are in every row or in none: there is nothing to learn of them, "
            "and the sizes of their log-odds say only where the fit stopped. Leave them out.",
            ConstantTargetWarning,
        )
        return
    warn_constant_targets(
        constant,
        targets.names if given else (),
        several=bool(targets.shape),
        consequence="there is nothing to learn",
    )
