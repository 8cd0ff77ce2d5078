"""Calls scikit-learn's callbacks, if it has them: in a fit, its steps, and its passes over rows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self

from mcmodels.arrays import Array
from mcmodels.rows import PassListener, RowStream, passes_told_to
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

# Parts of a pass whose ends are reported.
_PARTS = 100


class FitCallbacks:
    """Calls the callbacks of a fit; does nothing if scikit-learn has no callbacks.

    In a ``with`` block around all that reads rows, callbacks hear of each pass over a stream, as a
    task of the step to which it belongs. A pass is a hundred equal tasks where the number of rows
    is known: from the file, or from the pass before.

    Parameters
    ----------
    estimator : estimator
        The estimator that is fitted.
    X : array, sparse matrix or RowStream
        The training rows, as the user has given them.
    step : str, default=""
        Name of a step.
    several : bool, default=False
        Whether there are several fits, so that ``max_iter`` is not the number of all steps.
    """

    def __init__(self, estimator: Any, X: Any, step: str = "", *, several: bool = False) -> None:
        self._estimator, self._step, self._several = estimator, step, several
        self._streams = isinstance(X, RowStream) and not X.in_parts
        self._data: dict[str, Any] = {"estimator": estimator, "X": X}
        self._attributes_of: Callable[[Array], dict[str, Any]] | None = None
        self._fit_context: Any = None
        self._step_context: Any = None
        self._has_begun = False
        self._found: dict[str, Any] | None = None
        self._listener: _Passes | None = None

    def __enter__(self) -> Self:
        if self._streams and getattr(self._estimator, "_skl_callbacks", None):
            self.begin()
            self._listener = _Passes(self)
            self._told = passes_told_to(self._listener)
            self._told.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        if self._listener is not None:
            self._told.__exit__(kind, *error)
        if kind is None:
            if self._listener is not None:
                self._listener.end_pass()
            self._end()

    def know(
        self,
        X: Any,
        y: Any,
        weights: Any,
        attributes_of: Callable[[Array], dict[str, Any]] | None = None,
    ) -> None:
        """Take the training rows as they were checked, and what predictions need of parameters."""
        metadata = None if weights is None else {"sample_weight": weights}
        self._data |= {"X": X, "y": y, "metadata": metadata}
        self._attributes_of = attributes_of

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
            return True
        self.begin_step(step.params)
        return False

    def begin(self) -> None:
        """Report that the fit begins, if that was not reported."""
        if self._fit_context is None and hasattr(self._estimator, "_init_callback_context"):
            # The passes over a stream before and after all steps are tasks, too.
            unknown = self._streams or self._several
            steps = None if unknown else int(getattr(self._estimator, "max_iter", 0))
            self._fit_context = self._estimator._init_callback_context(max_subtasks=steps)
            self._fit_context.call_on_fit_task_begin(**self._data)

    def begin_step(self, params: Array | None = None) -> None:
        """Report that a step begins at these parameters."""
        if self._fit_context is not None:
            passes = None if self._streams else 0
            step = self._fit_context.subcontext(task_name=self._step, max_subtasks=passes)
            self._step_context = step
            with passes_told_to(None):
                step.call_on_fit_task_begin(**self._data, **self._reconstruction(params))

    def end_step(self, params: Array) -> bool:
        """Report the parameters after the step; return whether a callback stops the fit."""
        if self._fit_context is None:
            return False
        step, self._step_context = self._step_context, None
        with passes_told_to(None):
            return bool(step.call_on_fit_task_end(**self._data, **self._reconstruction(params)))

    def conclude(self, attributes: dict[str, Any]) -> None:
        """Take the attributes of the fitted model that predictions need, for the end of the fit."""
        self._found = attributes

    def _end(self) -> None:
        if self._fit_context is not None:
            self._fit_context.call_on_fit_task_end(
                **self._data, reconstruction_attributes=self._found
            )

    def begin_pass(self, n_parts: int | None) -> Any:
        """Begin the task of a pass, in the step that is taken, or else in the fit."""
        parent = self._fit_context if self._step_context is None else self._step_context
        return self._begun(parent.subcontext(task_name="pass", max_subtasks=n_parts))

    def report_part(self, of_pass: Any) -> None:
        """Report a part of a pass, which has ended."""
        self.end_task(self._begun(of_pass.subcontext(task_name="rows")))

    def end_task(self, task: Any) -> None:
        """End a task that has no parameters."""
        with passes_told_to(None):
            task.call_on_fit_task_end(estimator=self._estimator)

    def _begun(self, task: Any) -> Any:
        with passes_told_to(None):  # a callback may read rows itself
            return task.call_on_fit_task_begin(estimator=self._estimator)

    def _reconstruction(self, params: Array | None) -> dict[str, Any]:
        # A function, which is called only for a callback that asks for the fitted estimator.
        known = None
        if params is not None and self._attributes_of is not None:
            known = functools.partial(self._attributes_of, params)
        return {"reconstruction_attributes": known}


class _Passes(PassListener):
    """Tells the callbacks of a fit of its passes over a stream.

    Parameters
    ----------
    callbacks : FitCallbacks
        Those of the fit.
    """

    def __init__(self, callbacks: FitCallbacks) -> None:
        super().__init__()
        self._callbacks = callbacks
        self._task: Any = None
        self._n_rows: int | None = None
        self._read = self._parts = 0

    def begin_pass(self, n_rows: int | None) -> None:
        """A pass begins; one that was left early ends."""
        self.end_pass()
        self._n_rows, self._read, self._parts = n_rows or None, 0, 0
        self._task = self._callbacks.begin_pass(None if self._n_rows is None else _PARTS)

    def add_rows(self, count: int) -> None:
        """So many more rows were read: some of the parts of the pass have ended."""
        self._read += count
        if self._n_rows is None:
            return
        done = min(_PARTS * self._read // self._n_rows, _PARTS)
        for _ in range(self._parts, done):
            self._callbacks.report_part(self._task)
        self._parts = done

    def end_pass(self) -> None:
        """The pass ends, if one has begun."""
        if self._task is not None:
            self._callbacks.end_task(self._task)
            self._task = None
