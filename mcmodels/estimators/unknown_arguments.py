"""Help with arguments of scikit-learn's estimators that do not exist here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["refuse_unknown_arguments", "with_help"]

_THREADS = "threads are those of NumPy's BLAS"
_BATCHES = "every step sees all rows, and line searches find its length"
# What to do instead. docs/from_scikit_learn.md says more.
_INSTEAD = {
    "copy_X": "X is never changed, and never copied",
    "copy": "X is never changed",
    "n_jobs": _THREADS,
    "positive": "use scikit-learn's LinearRegression, or scipy.optimize.nnls",
    "penalty": "the penalty is ‖coef‖²/(2C); C=np.inf for none",
    "l1_ratio": "there is no L1 penalty; use scikit-learn's solver 'saga'",
    "dual": "with fewer rows than columns the small system is solved anyway",
    "intercept_scaling": "the intercept is never penalised",
    "multi_class": "more than two classes are softmax",
    "verbose": "use set_callbacks, where scikit-learn has it",
    "random_state": "nothing is random",
    "svd_solver": "it is called solver: 'auto', 'eigh' or 'deflation'",
    "iterated_power": "there is no randomized solver",
    "n_oversamples": "there is no randomized solver",
    "power_iteration_normalizer": "there is no randomized solver",
    "tol": "sparse fits stop at the rounding of float64",
    "loss": "squared errors of a regressor, cross-entropy of a classifier",
    "max_fun": "line searches end by themselves",
    **dict.fromkeys(
        (
            *("batch_size", "learning_rate", "learning_rate_init", "power_t", "shuffle"),
            *("momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon"),
        ),
        _BATCHES,
    ),
}


def with_help(init: Any) -> Any:
    """The same ``__init__``, whose error about an unknown argument says what to do instead.

    Its signature, and so ``get_params`` and ``clone``, stay what they are.
    """
    known = list(inspect.signature(init).parameters)[1:]

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        refuse_unknown_arguments(self, given, known, TypeError)
        init(self, *args, **given)

    return checked


def refuse_unknown_arguments(
    estimator: Any, given: Iterable[str], known: Sequence[str], error: type[Exception]
) -> None:
    """Raise the error for an argument that is not known; it says what to do instead."""
    for name in given:
        if name not in known:
            instead = _INSTEAD.get(name)
            remedy = f"leave it out: {instead}" if instead else f"it has {', '.join(known)}"
            raise error(f"{type(estimator).__name__} has no argument {name!r}; {remedy}.")
