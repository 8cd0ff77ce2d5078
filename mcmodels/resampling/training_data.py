"""Training rows as a user passes them, and fits of some of them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_weights, refuse_unknown_keywords
from mcmodels.estimators.network_methods import NetworkMethods
from mcmodels.estimators.offsets import with_offsets
from mcmodels.exceptions import InferenceError
from mcmodels.resampling.full_refits import with_same_penalty
from mcmodels.resampling.training_fit import TrainingFit, training_fit
from mcmodels.rows import CodedBlock, RowStream

__all__ = ["TrainingData", "read_here"]

# Networks that are fitted again end where no entry of the gradient exceeds this share of the total
# weight. Then differences of two fits are those of their rows, not of where descents have stopped.
_TIGHT = 1e-10
_MANY_STEPS = 1000
# Entries of a stream in parts up to which its blocks are kept (32 MB).
_MOST_KEPT = 2**22


@dataclass(frozen=True)
class TrainingData:
    """A fitted model with its training rows.

    Parameters
    ----------
    model : estimator
        The fitted model.
    X, y, sample_weight : object
        The rows, as they were given to ``fit``.
    offsets : dict of str to object
        Offsets and exposures, by name.
    """

    model: Any
    X: Any
    y: Any = None
    sample_weight: Any = None
    offsets: dict[str, Any] = field(default_factory=dict)

    def check(self, function: str, arguments: tuple[str, ...]) -> None:
        """Refuse what no function of leaving rows out takes; it has these arguments by name."""
        if getattr(getattr(self.model, "_fit", None), "log_prior", None) is not None:
            raise InferenceError(
                f"{function} is for sums over rows, and Jeffreys' prior is none. Fit without it, "
                "with a penalty if classes are separated."
            )
        names = getattr(self.model, "_offset_names", ())
        for name in self.offsets:
            if name in ("offset", "exposure") and name not in names:
                raise TypeError(
                    f"{function} got {name}, and fits of this {type(self.model).__name__} have "
                    "none. Leave it out."
                )
        refuse_unknown_keywords(self.offsets, (*arguments, *names))

    def streamed(self) -> TrainingData:
        """The same; collections of Dask together as a stream, whose blocks are read here."""
        X, y, weights, _, offsets = with_offsets(self.X, self.y, self.sample_weight, **self.offsets)
        return TrainingData(self.model, read_here(X, self.model), y, weights, offsets)

    def training(self, extras: dict[str, Any]) -> TrainingFit:
        """The fit with its rows, which have further values by name."""
        given = self.X, self.y, self.sample_weight
        return training_fit(self.model, *given, extras=extras, **self.offsets)

    def of(self, model: Any) -> TrainingData:
        """The same rows with another model."""
        return replace(self, model=model)

    def without(self, removed: npt.NDArray[np.bool_]) -> TrainingData:
        """The same rows with weight 0 for some, which is as if they were absent."""
        return TrainingData(self.model, *self._weighted(~removed), self.offsets)

    def fitted(self) -> Any:
        """A new fit to these rows; warnings of the fit are not shown.

        Networks start from the parameters of the model, and end where the gradient is very small.
        """
        if isinstance(self.model, NetworkMethods):
            model = copy.copy(self.model)
            model.set_params(warm_start=True, solver="newton-cg", tol=_TIGHT, max_iter=_MANY_STEPS)
        else:
            model = with_same_penalty(self.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(self.X, *self._targets(), **self.offsets)

    def _targets(self) -> tuple[Any, ...]:
        return () if isinstance(self.X, RowStream) else (self.y, self.sample_weight)

    def _weighted(self, kept: npt.NDArray[np.bool_]) -> tuple[Any, Any, Any]:
        if isinstance(self.X, RowStream):
            return _Masked(self.X, kept).stream, None, None
        given = check_weights(self.sample_weight, self.X)
        weights: Array = kept.astype(np.float64)
        return self.X, self.y, weights if given is None else given * weights


def read_here(X: Any, model: Any) -> Any:
    """X; of a stream in parts elsewhere the same rows, whose parts are read here."""
    if not (isinstance(X, RowStream) and X.in_parts):
        return X
    return _ReadHere(X.bound_to(getattr(model, "table_columns_", None)))


class _ReadHere(RowStream):
    """The rows of a stream in parts, which are read one after the other, and kept if they are few.

    A search for influential rows makes hundreds of fits, and reading a part takes milliseconds.
    """

    def __init__(self, stream: RowStream) -> None:
        super().__init__(self._read)
        self._stream, self.table_columns = stream, stream.table_columns
        self._kept: list[tuple[int, tuple[Any, ...]]] | None = None

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks that have rows, with their numbers."""
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[tuple[int, tuple[Any, ...]]] = []
        entries = 0
        for number, block in self._stream.nonempty():
            entries += int(np.prod(block[0].shape))
            kept = [*kept, (number, block)] if entries <= _MOST_KEPT else []
            yield number, block
        if entries <= _MOST_KEPT:
            self._kept = kept

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return self._stream.place(number)

    def group_labels(self) -> Any:
        """The clusters of the rows, if the stream holds them."""
        return self._stream.group_labels()

    def _read(self) -> Iterator[tuple[Any, ...]]:
        return (block for _, block in self.nonempty())


@dataclass(frozen=True)
class _Masked:
    """A stream in which some rows have weight 0."""

    rows: RowStream
    kept: npt.NDArray[np.bool_]

    @property
    def stream(self) -> RowStream:
        return RowStream(self._blocks)

    def _blocks(self) -> Iterator[tuple[Any, ...]]:
        start = 0
        for X, y, weights, *offsets in self.rows:
            X = X.frame() if isinstance(X, CodedBlock) else X
            size = X.shape[0] if hasattr(X, "shape") else len(X)
            kept = self.kept[start : start + size].astype(np.float64)
            given = kept if weights is None else np.asarray(weights, dtype=np.float64) * kept
            yield (X, y, given, *offsets)
            start += size
