"""What scikit-learn's callbacks hear of a fit: where it begins and ends, and each of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcmodels.rows.blocks import Array
from mcmodels.solvers import irls


class ToldFit:
    """A fit that callbacks follow, from here on.

    Parameters
    ----------
    estimator : estimator
        With ``max_iter``, and ``_as_attributes(params)``: the attributes that predictions read.
    X, y, weights
        The training rows.
    step : str
        What a step is called.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, weights: Array | None, step: str) -> None:
        self._estimator, self._step = estimator, step
        metadata = None if weights is None else {"sample_weight": weights}
        self._about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=int(estimator.max_iter))
        self._fit.call_on_fit_task_begin(**self._about)
        self._current: Any = None

    def begin_step(self, params: Array | None = None) -> None:
        """A step begins, where the parameters are these."""
        known = None if params is None else self._estimator._as_attributes(params)
        self._current = self._fit.subcontext(task_name=self._step)
        self._current.call_on_fit_task_begin(**self._about, reconstruction_attributes=known)

    def end_step(self, params: Array) -> bool:
        """The step has led to these; whether a callback wants the fit to stop."""
        known = self._estimator._as_attributes(params)
        return bool(
            self._current.call_on_fit_task_end(**self._about, reconstruction_attributes=known)
        )

    def end(self, params: Array) -> None:
        """The fit ends with these parameters."""
        known = self._estimator._as_attributes(params)
        self._fit.call_on_fit_task_end(**self._about, reconstruction_attributes=known)


def told_of_each_step(
    estimator: Any, steps: Iterator[irls.Progress], X: Any, y: Any, weights: Array | None
) -> Iterator[irls.Progress]:
    """The same steps, up to where a callback stops the fit."""
    current = next(steps)
    yield current
    told = ToldFit(estimator, X, y, weights, "newton-step")
    stopped = False
    while current.status is None and not stopped:
        told.begin_step(current.params)
        current = next(steps)
        stopped = told.end_step(current.params)
        yield current
    told.end(current.params)
