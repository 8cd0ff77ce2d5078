"""The rows of a fit of a network, in memory or a stream, with what is known of their targets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.early_stopping import held_out
from mcmodels.estimators.network_layers import network_rows
from mcmodels.estimators.network_methods import NetworkMethods
from mcmodels.estimators.network_targets import Targets, warn_constant
from mcmodels.estimators.stream_fits import Survey, stream_rows, survey
from mcmodels.estimators.streams import in_memory_but_X, refuse_other_arguments
from mcmodels.estimators.validation import (
    Features,
    features_of,
    target_names,
    training_pair,
    unfitted,
)
from mcmodels.objectives.network import Network
from mcmodels.rows import Rows, RowStream

__all__ = ["NetworkRows", "TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The rows of a fit, checked, and what is known of them before it.

    Parameters
    ----------
    features : Features
        The columns.
    targets : Targets
        What is known of the targets.
    given_names : tuple of str
        Names of the targets that the user has given.
    rows : callable
        The rows for a network.
    shown : object
        The rows as callbacks see them: X, or the stream.
    y, weights : ndarray, or None
        Targets and weights as the user gave them, if they are in memory.
    values : ndarray or None
        The targets as the loss needs them, if they are in memory.
    row_weights : ndarray or None
        The weights with those of the classes, if they are in memory.
    """

    features: Features
    targets: Targets
    given_names: tuple[str, ...]
    rows: Callable[[Network], Rows]
    shown: Any
    y: Values | None = None
    weights: Array | None = None
    values: Values | None = None
    row_weights: Array | None = None

    def held_out(self, fraction: float, random: np.random.RandomState) -> npt.NDArray[np.bool_]:
        """Which of the rows in memory are held out."""
        assert self.values is not None
        return held_out(self.targets, self.values, self.row_weights, fraction, random)

    def part(self, network: Network, taken: npt.NDArray[np.bool_]) -> Rows:
        """Some of the rows in memory: the others have weight zero."""
        weights = 1.0 if self.row_weights is None else self.row_weights
        return network_rows(network, self.shown, self.values, np.where(taken, weights, 0.0))


class NetworkRows(NetworkMethods):
    """What the fit of a network needs of rows; a subclass defines the targets."""

    early_stopping: bool

    @abstractmethod
    def _targets_of_fit(
        self, y: Values, weights: Array | None, names: tuple[str, ...]
    ) -> tuple[Targets, Values, Array | None]:
        """What is known of targets in memory, these as the loss needs them, and the weights."""

    @abstractmethod
    def _targets_of_stream(self, surveyed: Survey) -> tuple[Targets, float | None]:
        """The same of a stream, and the total of its weights where these have factors."""

    def _rows_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> TrainingData:
        """The rows of a fit, checked."""
        if isinstance(X, RowStream) and not self.early_stopping:
            refuse_other_arguments(y, sample_weight)
            return self._rows_of_stream(X)
        features, matrix, values, weights, names = self._data_of_fit(X, y, sample_weight)
        targets, values_of_loss, row_weights = self._targets_of_fit(values, weights, names)
        if targets.n_classes is None:
            warn_constant(targets, values_of_loss, row_weights, names == targets.names)

        def rows(network: Network) -> Rows:
            return network_rows(network, matrix, values_of_loss, row_weights)

        in_memory = values, weights, values_of_loss, row_weights
        return TrainingData(features, targets, names, rows, matrix, *in_memory)

    def _rows_of_stream(self, stream: RowStream) -> TrainingData:
        """The same of a stream; nothing as long as its rows is held in memory."""
        labels = not self._for_y.get("y_numeric", False)
        surveyed = survey(self, stream, intercept=False, labels=labels, **self._for_y)
        targets, total = self._targets_of_stream(surveyed)
        rows = stream_rows(stream, surveyed, targets.prepare, **self._for_y)
        if total is not None:
            rows = rows.reweighted(total)
        return TrainingData(
            surveyed.features, targets, surveyed.target_names, lambda network: rows, stream
        )

    def _data_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> tuple[Features, Any, Values, Array | None, tuple[str, ...]]:
        """The columns, X, y and weights of a fit, checked, and the names of the targets."""
        if isinstance(X, RowStream):
            checker, names = unfitted(self), list[str]()
            matrix, targets, weights = in_memory_but_X(
                checker, X, y, sample_weight, names, fresh=True, **self._for_y
            )
            return (
                features_of(checker),
                matrix,
                targets,
                check_weights(weights, matrix),
                tuple(names),
            )
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        features, matrix, targets = training_pair(self, X, y, **self._for_y)
        return features, matrix, targets, check_weights(sample_weight, matrix), target_names(y)
