"""Calls scikit-learn's callbacks, if it has them, at the start, each step and the end of a fit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from mcmodels.arrays import Array, MatrixLike, VectorLike
from mcmodels.rows import RowStream
from mcmodels.solvers.fit_state import Progress

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces scikit-learn's class of this name, which this version does not have."""

    def with_callbacks(method: Any) -> Any:
        """Replace scikit-learn's decorator of this name, which this version does not have."""
        return method


__all__ = ["CallbackSupportMixin", "FitCallbacks", "with_callbacks"]


class FitCallbacks:
    """Calls the callbacks of a fit; does nothing if scikit-learn has no callbacks.

    Parameters
    ----------
    estimator : estimator
        The estimator that is fitted; it has ``max_iter``.
    attributes_of : callable
        Takes parameters; returns the attributes that predictions need.
    X, y, weights
        The training rows.
    step : str
        Name of a step.
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
        self._fit_context: Any = None
        self._step_context: Any = None
        self._has_begun = False

    def end_after(self, step: Progress) -> bool:
        """Tell that a step of a fit was taken; the first is its start.

        Returns
        -------
        bool
            Whether the fit ends here: where the solver has ended, or where a callback asks for it.
        """
        stop = False
        if self._has_begun:
            stop = self.end_step(step.params)
        else:
            self.begin()
            self._has_begun = True
        if stop or step.status is not None:
            self.end(step.params)
            return True
        self.begin_step(step.params)
        return False

    def begin(self) -> None:
        """Report that the fit begins."""
        if hasattr(self._estimator, "_init_callback_context"):
            steps = int(self._estimator.max_iter)
            self._fit_context = self._estimator._init_callback_context(max_subtasks=steps)
            self._fit_context.call_on_fit_task_begin(**self._data)

    def begin_step(self, params: Array | None = None) -> None:
        """Report that a step begins at these parameters."""
        if self._fit_context is not None:
            self._step_context = self._fit_context.subcontext(task_name=self._step)
            self._step_context.call_on_fit_task_begin(**self._data, **self._reconstruction(params))

    def end_step(self, params: Array) -> bool:
        """Report the parameters after the step; return whether a callback stops the fit."""
        if self._fit_context is None:
            return False
        return bool(
            self._step_context.call_on_fit_task_end(**self._data, **self._reconstruction(params))
        )

    def end(self, params: Array) -> None:
        """Report that the fit ends with these parameters."""
        if self._fit_context is not None:
            self._fit_context.call_on_fit_task_end(**self._data, **self._reconstruction(params))

    def _reconstruction(self, params: Array | None) -> dict[str, Any]:
        # A function, which is called only for a callback that asks for the fitted estimator.
        known = None if params is None else functools.partial(self._attributes_of, params)
        return {"reconstruction_attributes": known}
