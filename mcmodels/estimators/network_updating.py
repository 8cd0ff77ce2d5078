"""``partial_fit`` of networks: updates by Adam from rows that arrive in parts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.network_layers import network_rows
from mcmodels.estimators.network_targets import Targets
from mcmodels.estimators.networks import NetworkEstimator
from mcmodels.estimators.streams import refuse_stream
from mcmodels.estimators.validation import (
    Features,
    continued_pair,
    refuse_not_finite,
    target_names,
)
from mcmodels.estimators.verdicts import warn_columns_as_given
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.objectives.network_units import NetworkInUnits
from mcmodels.records.networks import NetworkRecord, NetworkUpdates
from mcmodels.records.record import digest
from mcmodels.rows import ArrayRows, Seen
from mcmodels.solvers import Status
from mcmodels.solvers.adam import AdamState
from mcmodels.solvers.network_start import in_units, start_in_units

__all__ = ["NetworkUpdating"]

# Rows of one update, as in scikit-learn.
_BATCH = 200


class NetworkUpdating(NetworkEstimator):
    """A network that rows can update; a subclass says what the targets of the first call are."""

    @abstractmethod
    def _targets_of_first_call(
        self, y: Values, names: tuple[str, ...], classes: VectorLike | None
    ) -> Targets:
        """What is known of the targets before any fit."""

    @abstractmethod
    def _targets_of_later_call(self, record: NetworkRecord, classes: VectorLike | None) -> Targets:
        """What the record of a fit, or of earlier calls, says of the targets."""

    def _update(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: Weights,
        classes: VectorLike | None = None,
    ) -> Self:
        """One pass over the rows, an update for each batch of them."""
        hidden = self._check_parameters()
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it sees too few rows to hold "
                "some out. Set early_stopping=False, and stop calling it when score(X, y) of other "
                "rows no longer rises."
            )
        refuse_stream(X)
        record: NetworkRecord | None = self._fit
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        given, names = X, target_names(y)
        features, X, y = continued_pair(self, X, y, first=record is None, **self._for_y)
        if record is None:
            targets = self._targets_of_first_call(y, names, classes)
        else:
            targets = self._targets_of_later_call(record, classes)
        values, weights = targets.prepare(y, check_weights(sample_weight, X))
        network = Network((X.shape[1], *hidden, targets.n_outputs), self.activation)
        if record is None:
            start = self._start(network, check_random_state(self.random_state))
        else:
            self._refuse_other_network(network)
            start = self.params_
        with refuse_not_finite(self, given):
            return self._updated(network, targets, features, start, X, values, weights)

    def _updated(
        self,
        network: Network,
        targets: Targets,
        features: Features,
        params: Array,
        X: Any,
        values: Values,
        weights: Array | None,
    ) -> Self:
        record = self._fit
        earlier = record if isinstance(record, NetworkUpdates) else None
        adam = AdamState.start(params.size) if earlier is None else earlier.adam
        seen = Seen.of(ArrayRows(X, None, weights, intercept=False))
        if weights is not None and not weights.all():  # rows of weight zero are absent
            present = weights > 0
            X, values, weights = X[present], values[present], weights[present]
        units = earlier.target_units if earlier is not None else None
        if earlier is None:
            all_rows = network_rows(network, X, values, weights)
            found = in_units(NetworkObjective(all_rows, network, targets.loss, float(self.alpha)))
            if found is not None:
                units = found.targets
                if found.columns is not None:
                    warn_columns_as_given(features, *found.columns)
        if units is not None and record is None:
            params = start_in_units(network, units, params)
        elif units is not None:
            params = params.copy()
            units.move_in(network.unflatten(params))
        total = weight = 0.0
        for start in range(0, X.shape[0], _BATCH):
            part = slice(start, start + _BATCH)
            block = X[part] if issparse(X) else np.asarray(X[part])
            rows = network_rows(
                network, block, values[part], None if weights is None else weights[part]
            )
            objective = NetworkObjective(rows, network, targets.loss, float(self.alpha))
            if units is not None:
                objective = NetworkInUnits(objective, targets=units)
            with np.errstate(over="ignore", invalid="ignore"):
                slope = objective.slope(params)
                params, adam = adam.updated(params, slope.gradient / rows.total_weight)
            if not (np.isfinite(slope.value) and np.isfinite(adam.second).all()):
                raise ValueError(
                    "the objective of these rows, or its gradient, overflows float64; scale the "
                    "columns of X, the targets or the weights to moderate sizes. The model is as "
                    "it was."
                )
            total, weight = total + slope.value, weight + rows.total_weight
        if units is not None:
            units.move_out(network.unflatten(params))
            total *= units.factor
        coefs, intercepts = network.unflatten(params)
        published = {"coefs_": coefs, "intercepts_": intercepts} | targets.attributes
        update = NetworkUpdates(
            status=Status.NOT_CONVERGED,
            method="adam",
            n_iter=adam.count,
            names=features.names,
            seen=seen if earlier is None else earlier.seen + seen,
            digest=digest([*coefs, *intercepts, *targets.attributes.values()]),
            network=network,
            pointwise=targets.loss,
            target_names=targets.names,
            target_shape=targets.shape,
            class_factors=targets.class_factors,
            n_passes=1 if earlier is None else earlier.n_passes + 1,
            loss=total / weight,
            adam=adam,
            target_units=units,
        )
        return self._publish(published | features.attributes | {"_fit": update})

    def _refuse_other_network(self, network: Network) -> None:
        """Refuse layers or an activation that were changed since the network was made."""
        if self._network != network:
            before, now = self._network, network
            raise ValueError(
                f"the network has layers of {before.sizes} units with activation="
                f"{before.activation!r}, and the parameters ask for {now.sizes} and "
                f"{now.activation!r}. Set them back, or clone the model and start again."
            )
