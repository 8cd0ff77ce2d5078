"""Tables of intervals or sets of new rows: arguments checked, rows in any storage."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Labels, MatrixLike, Weights
from mcmodels.estimators.arguments import check_weights, listed
from mcmodels.estimators.parameter_methods import output_table
from mcmodels.exceptions import FewRowsWarning, InferenceError
from mcmodels.inference.weighting import Weighting
from mcmodels.resampling.new_rows import NEW_WEIGHT, IntervalsOfRows
from mcmodels.reweighting.conformal import needed_weight
from mcmodels.rows import RowStream
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import is_dask, refuse_mixed
from mcmodels.user_warnings import warn_user

__all__ = ["NewRowTable"]

_SIZE = "size"


@dataclass(frozen=True)
class NewRowTable:
    """Intervals or sets as a table with the index of the new rows.

    It holds no training rows, so that it can be sent to where new rows are.

    Parameters
    ----------
    model : estimator
        The fitted model.
    method : str
        What the user has called, for errors.
    values : IntervalsOfRows, SetsOfRows, IntervalsByModels or SetsByModels
        What is computed of each row.
    """

    model: Any
    method: str
    values: Any

    @property
    def table_columns_(self) -> Any:
        """The columns of the table that the model was fitted to, or None."""
        return getattr(self.model, "table_columns_", None)

    def asked(
        self, X: MatrixLike | RowStream, sample_weight: Weights, offsets: dict[str, Any]
    ) -> pd.DataFrame:
        """The table of new rows; of collections of Dask it is computed when it is asked for."""
        known = getattr(self.model, "_offset_names", ())
        for name, value in offsets.items():
            if value is not None and name not in known:
                raise TypeError(f"{self.method}: {type(self.model).__name__} takes no {name}.")
        taken = {name: value for name, value in offsets.items() if name in known}
        self._check_weighting(sample_weight)
        if not self.values.counted:
            self._warn_of_few(np.ones(1))
        if not any(map(is_dask, (X, sample_weight, *taken.values()))):
            return self.of(X, sample_weight=sample_weight, **taken)
        self.model._refuse_missing_offset(taken)
        given: dict[str, Any] = {"X": X, **taken}
        of_all: dict[str, Any] = {}
        if sample_weight is None or isinstance(sample_weight, Real):
            of_all["sample_weight"] = sample_weight
        else:
            given["sample_weight"] = sample_weight
        given = {name: value for name, value in given.items() if value is not None}
        refuse_mixed(given)
        return lazily(self, "of", given, **of_all)

    def of(self, X: Any, *, sample_weight: Weights = None, **offsets: Any) -> pd.DataFrame:
        """The table of rows that are here."""

        def further(features: Any) -> dict[str, Array]:
            return {NEW_WEIGHT: self._weights_of(features, sample_weight)}

        rows, index = self.model._indexed_rows(X, None, further, weighted=False, **offsets)
        found = rows.map(self.values)
        if isinstance(self.values, IntervalsOfRows):
            self.values.means.warn_of_missing(found[:, 0, 0])
            columns = ["prediction", "lower", "upper"]
            targets = self.model._record().targets if found.shape[1] > 1 else range(1)
            return output_table(found, columns, targets, "target", index)
        table = pd.DataFrame(found, columns=self.model.classes_, index=index)
        table[_SIZE] = found.sum(axis=1)
        return table

    def _weights_of(self, features: Any, sample_weight: Weights) -> Array:
        """The weights of new rows, ones where there are none; warn where they are too large."""
        weights = check_weights(sample_weight, features, allow_all_zero=True)
        if weights is None:
            return np.ones(features.shape[0])
        if not (weights > 0).all():
            row = int((~(weights > 0)).argmax())
            raise ValueError(
                f"{self.method}: sample_weight of new rows must be positive; found "
                f"{weights[row]:g} in row {row}."
            )
        if self.values.counted:
            self._warn_of_few(weights)
        return weights

    def refuse_class_of_this_name(self) -> None:
        """Refuse a class that is named as the column of sizes."""
        if _SIZE in self.model.classes_.tolist():
            raise InferenceError(
                f"{self.method} names a column {_SIZE!r}, and so is a class of the model; give "
                "the class another label."
            )

    @property
    def _weighting(self) -> Weighting:
        found: Weighting = self.model._record().weighting
        return found

    def _check_weighting(self, sample_weight: Weights) -> None:
        weighting = self._weighting
        if sample_weight is None and weighting is Weighting.PROBABILITY:
            raise ValueError(
                f"{self.method}: the fit has weights='probability', so that intervals and sets "
                "depend on the weight that each new row would have had in the sample. Pass these "
                "as sample_weight; a number stands for all rows."
            )
        is_read = self.values.counted or getattr(self.values, "precise", False)
        if sample_weight is not None and not is_read:
            raise ValueError(
                f"{self.method}: sample_weight of new rows was given, and nothing depends on it "
                f"here, with weights={weighting.value!r} of the fit; leave it out."
            )

    def _warn_of_few(self, new: Array) -> None:
        """Warn where training rows, or those of some classes, have too little weight."""
        values, level = self.values, self.values.level
        totals = np.array([compared.total for compared in values.compared])[:, np.newaxis]
        known = np.array([compared.weights.sum() for compared in values.compared])[:, np.newaxis]
        few = needed_weight(level, totals, new) > known
        if not few.any():
            return
        consequence, of_class = "the ends of intervals are infinite", ""
        if hasattr(values, "by_class"):
            consequence = "sets hold every class"
            if values.by_class:
                classes: Labels = self.model.classes_[few.any(axis=1)]
                consequence, of_class = f"every set holds {listed(classes)}", " of each class"
        if values.counted:
            said = (
                f"{np.count_nonzero(few.any(axis=0))} new rows have more than {1.0 - level:.3g} of "
                "the weight of the training rows and their own"
            )
        else:
            least = int(np.ceil(level / (1.0 - level) - 1e-9))
            said = (
                f"level={level:g} needs at least {least} rows{of_class}, and there are "
                f"{totals.min():g}"
            )
        lost = (totals - known)[few.any(axis=1)].max()
        if lost > 0:
            said += f", of which {lost:g} leave fits that are not determined"
        warn_user(f"{said}: {consequence}. Lower the level.", FewRowsWarning)
