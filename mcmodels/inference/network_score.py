"""How good the predictions of a network are at any parameters, by the measure of ``score``."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.scores import PredictionScore
from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_losses import LabelCrossEntropy, mean_of_outputs
from mcmodels.rows import RowBlock, Rows

__all__ = ["NetworkScore"]


class NetworkScore:
    """R² of the predictions for some rows, or the share of rows whose labels are all right.

    Parameters
    ----------
    rows : Rows
        The rows, with targets as the loss needs them.
    network : Network
        The network.
    loss : Loss
        The loss of its outputs.
    """

    def __init__(self, rows: Rows, network: Network, loss: Loss) -> None:
        self._rows, self._network, self._loss = rows, network, loss
        self._of_classes = isinstance(
            loss, BinaryCrossEntropy | SoftmaxCrossEntropy | LabelCrossEntropy
        )

    def __call__(self, params: Array) -> float:
        """The score at these parameters; -inf where predictions overflow."""
        with np.errstate(over="ignore", invalid="ignore"):
            score = self._rows.reduce(lambda block: self._of_block(block, params)).score(
                self._of_classes
            )
        return score if np.isfinite(score) else -np.inf

    def refuse_undefined(self, params: Array) -> None:
        """Raise ValueError if these rows, or their outputs where a descent starts, are not finite.

        A hidden unit may hide what is not: tanh of infinity is one.
        """

        def not_finite(block: RowBlock) -> int:
            eta = self._network.outputs(block.X, params)
            totals = block.X.products(np.ones(block.X.n_rows))
            return int(np.count_nonzero(~np.isfinite(eta)) + np.count_nonzero(~np.isfinite(totals)))

        with np.errstate(over="ignore", invalid="ignore"):
            count = self._rows.reduce(not_finite)
        if count:
            raise ValueError(
                "the rows that are held out, or outputs for them, overflow float64 at the start; "
                "scale the columns of X to moderate sizes."
            )

    def _of_block(self, block: RowBlock, params: Array) -> PredictionScore:
        eta = self._network.outputs(block.X, params)
        w: Any = block.weights_or_ones
        if not self._of_classes:
            return PredictionScore.of(w, block.y, mean_of_outputs(self._loss, eta))
        if isinstance(self._loss, SoftmaxCrossEntropy):
            correct = eta.argmax(axis=1) == block.y
        else:
            correct = (eta > 0) == block.y
        if correct.ndim > 1:
            correct = correct.all(axis=1)
        return PredictionScore.of_classes(w, float(w @ correct))
