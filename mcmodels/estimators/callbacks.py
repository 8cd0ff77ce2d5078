"""scikit-learn's fit callbacks, where there are any: a fit begins, takes steps, and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mcmodels.arrays import Array, MatrixLike, VectorLike
from mcmodels.rows import RowStream
from mcmodels.solvers import irls

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's class of this name, which this version does not have."""

    def with_callbacks(method: Any) -> Any:
        """Stand for scikit-learn's decorator of this name, which this version does not have."""
        return method


__all__ = ["CallbackSupportMixin", "FitCallbacks", "with_callbacks"]


class FitCallbacks:
    """Calls the callbacks of a fit; nothing where scikit-learn has none.

    Parameters
    ----------
    estimator : estimator
        With ``max_iter``.
    attributes_of : callable
        From parameters to the attributes that predictions are made with.
    X, y, weights
        The training rows.
    step : str
        What a step is called.
    """

    def __init__(
        self,
        estimator: Any,
        attributes_of: Callable[[Array], dict[str, Any]],
        X: MatrixLike | RowStream,
        y: VectorLike | None,
        weights: Array | None,
        step: str,
    ) -> None:
        self._estimator, self._attributes_of, self._step = estimator, attributes_of, step
        metadata = None if weights is None else {"sample_weight": weights}
        self._data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit: Any = None
        self._current: Any = None

    def last_of(self, steps: Iterator[irls.Progress]) -> irls.Progress:
        """Take the steps of a fit, of which the first is its start, to the end.

        The end is where the solver ends, or where a callback asks the fit to stop.
        """
        for count, step in enumerate(steps):
            stop = False
            if count == 0:
                self.begin()
            else:
                stop = self.end_step(step.params)
            if stop or step.status is not None:
                break
            self.begin_step(step.params)
        self.end(step.params)
        return step

    def begin(self) -> None:
        """The fit begins."""
        if hasattr(self._estimator, "_init_callback_context"):
            steps = int(self._estimator.max_iter)
            self._fit = self._estimator._init_callback_context(max_subtasks=steps)
            self._fit.call_on_fit_task_begin(**self._data)

    def begin_step(self, params: Array | None = None) -> None:
        """A step begins at these parameters."""
        if self._fit is not None:
            self._current = self._fit.subcontext(task_name=self._step)
            self._current.call_on_fit_task_begin(**self._data, **self._reconstruction(params))

    def end_step(self, params: Array) -> bool:
        """The step has led to these parameters; whether a callback asks the fit to stop."""
        if self._fit is None:
            return False
        return bool(
            self._current.call_on_fit_task_end(**self._data, **self._reconstruction(params))
        )

    def end(self, params: Array) -> None:
        """The fit ends with these parameters."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self._data, **self._reconstruction(params))

    def _reconstruction(self, params: Array | None) -> dict[str, Any]:
        known = None if params is None else self._attributes_of(params)
        return {"reconstruction_attributes": known}
