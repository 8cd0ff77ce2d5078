"""Networks of classes and labels, and of numbers and counts: their targets and their losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin

from mcmodels.arrays import Array, Values, VectorLike
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.classes import ClassWeights, labels_of
from mcmodels.estimators.label_predictions import LabelPredictions
from mcmodels.estimators.network_targets import (
    LOSSES,
    Indicators,
    KnownClasses,
    Numbers,
    Prepare,
    Targets,
    check_class_weight,
    class_targets,
    class_targets_of_labels,
    class_targets_of_stream,
    indicator_targets,
    number_targets,
    of_classes,
    refuse_other_classes,
)
from mcmodels.estimators.network_updating import NetworkUpdating
from mcmodels.estimators.stream_fits import Survey
from mcmodels.estimators.validation import INDICATORS
from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from mcmodels.records.networks import NetworkRecord

__all__ = ["NetworkOfClasses", "NetworkOfNumbers"]


class NetworkOfClasses(LabelPredictions, ClassifierMixin, NetworkUpdating):
    """A network whose rows have one of several classes, or any of several labels."""

    _tracked = ("coefs_", "intercepts_", "classes_")
    _for_y: dict[str, Any] = {"multi_output": INDICATORS}
    class_weight: Mapping[Any, float] | str | None

    @property
    def out_activation_(self) -> str:
        """Activation of the outputs: "softmax" with more than two classes, else "logistic"."""
        return "logistic" if self.n_outputs_ == 1 or self._is_multilabel else "softmax"

    @property
    def _is_multilabel(self) -> bool:
        """Whether the outputs are the log-odds of labels that a row may have together."""
        return self._fit is not None and isinstance(self._fit.pointwise, LabelCrossEntropy)

    def _targets_of_fit(
        self, y: Values, weights: Array | None, names: tuple[str, ...]
    ) -> tuple[Targets, Values, Array | None]:
        if y.ndim == 1:
            return class_targets(y, weights, self.class_weight)
        targets = indicator_targets(y.shape[1], names, self.class_weight)
        return targets, *targets.prepare(y, weights)

    def _targets_of_stream(self, surveyed: Survey) -> tuple[Targets, float | None]:
        if not surveyed.y_shape:
            return class_targets_of_stream(surveyed, self.class_weight)
        names = surveyed.target_names
        return indicator_targets(surveyed.y_shape[0], names, self.class_weight), None

    def _targets_of_first_call(
        self, y: Values, names: tuple[str, ...], classes: VectorLike | None
    ) -> Targets:
        if y.ndim == 2:
            return indicator_targets(y.shape[1], names, self.class_weight)
        if classes is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all of them, by keyword, "
                "as in classes=np.unique(all_labels)."
            )
        return class_targets_of_labels(classes, y, self.class_weight)

    def _targets_of_later_call(self, record: NetworkRecord, classes: VectorLike | None) -> Targets:
        if classes is not None:
            refuse_other_classes(classes, self.classes_)
        if self._is_multilabel:
            return indicator_targets(self.n_outputs_, record.target_names, self.class_weight)
        factors = ClassWeights(record.class_factors)
        return of_classes(labels_of(self, self.n_outputs_), factors)

    def _preparation(self) -> Prepare:
        n_outputs = self.n_outputs_
        if self._is_multilabel:
            return Indicators(n_outputs)
        factors = {} if self._fit is None else self._fit.class_factors
        return KnownClasses(ClassWeights(factors), labels_of(self, n_outputs))

    def _loss_of_outputs(self, n_outputs: int) -> Loss:
        return BinaryCrossEntropy() if n_outputs == 1 else SoftmaxCrossEntropy()

    def _check_parameters(self) -> tuple[int, ...]:
        check_class_weight(self.class_weight)
        return super()._check_parameters()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetworkOfNumbers(MultiOutputMixin, RegressorMixin, NetworkUpdating):
    """A network of regression."""

    _for_y: dict[str, Any] = {"multi_output": True, "y_numeric": True}
    loss: str

    @property
    def out_activation_(self) -> str:
        """The function that turns outputs into predictions: "identity", or "exp" for counts."""
        self._check_has_coefficients()
        return "exp" if isinstance(self._loss(), HalfPoissonDeviance) else "identity"

    def _targets_of_fit(
        self, y: Values, weights: Array | None, names: tuple[str, ...]
    ) -> tuple[Targets, Values, Array | None]:
        targets = number_targets(y.shape[1:], names, self.loss)
        return targets, *targets.prepare(y, weights)

    def _targets_of_stream(self, surveyed: Survey) -> tuple[Targets, float | None]:
        known = surveyed.y_shape or (), surveyed.target_names, self.loss
        return number_targets(*known, in_blocks=True), None

    def _targets_of_first_call(
        self, y: Values, names: tuple[str, ...], classes: VectorLike | None
    ) -> Targets:
        return number_targets(y.shape[1:], names, self.loss)

    def _targets_of_later_call(self, record: NetworkRecord, classes: VectorLike | None) -> Targets:
        if type(record.pointwise) is not type(LOSSES[self.loss]()):
            raise ValueError(
                f"loss={self.loss!r} is not that of the rows before. Set it back, or clone the "
                "model and start again."
            )
        return number_targets(record.target_shape, record.target_names, self.loss)

    def _preparation(self) -> Prepare:
        return Numbers(self.n_outputs_, counts=self.out_activation_ == "exp")

    def _loss_of_outputs(self, n_outputs: int) -> Loss:
        return LOSSES[self.loss]()

    def _check_parameters(self) -> tuple[int, ...]:
        check_choice("loss", self.loss, tuple(LOSSES))
        return super()._check_parameters()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
