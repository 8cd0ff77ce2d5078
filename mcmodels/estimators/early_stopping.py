"""Early stopping: rows that are held out, their score after each step, and the best parameters.

Rules and names are scikit-learn's: the fit stops when the score has not risen by ``tol`` above the
best one in more than ``n_iter_no_change`` steps in a row, and the parameters of the best score are
restored. Source: Prechelt (1998), *Early Stopping – But When?*, in *Neural Networks: Tricks of the
Trade*, Springer (the criterion of a number of strips without a gain).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Values
from mcmodels.estimators.arguments import check_count, check_flag, check_number
from mcmodels.estimators.network_targets import Targets
from mcmodels.inference.network_score import NetworkScore

__all__ = ["EarlyStopping", "check_early_stopping", "held_out"]


def check_early_stopping(early_stopping: object, fraction: object, patience: object) -> None:
    """Refuse arguments of early stopping that are out of range."""
    check_flag("early_stopping", early_stopping)
    check_number("validation_fraction", fraction, above=0)
    if not float(fraction) < 1:  # type: ignore[arg-type]
        raise ValueError(f"validation_fraction={fraction!r} must be less than 1.")
    if patience != np.inf:
        check_count("n_iter_no_change", patience, at_least=1)


def held_out(
    targets: Targets,
    values: Values,
    weights: Array | None,
    fraction: float,
    random: np.random.RandomState,
) -> npt.NDArray[np.bool_]:
    """Which rows are held out, shape (n_rows,); of classes, the same share of each.

    Rows of weight zero are in neither part. With two classes, and without such rows, these are the
    rows that scikit-learn holds out.
    """
    present = np.arange(len(values)) if weights is None else np.flatnonzero(weights > 0)
    n, n_classes = len(present), targets.n_classes
    n_out = int(np.ceil(fraction * n))
    if n_out < 2 or n - n_out < 1:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction:g} holds out {n_out} of {n} "
            "rows; at least 2 are needed for the score, and 1 for the fit. Change "
            "validation_fraction, or leave early_stopping out."
        )
    classes = None
    if n_classes is not None:
        classes = values[present]
        counts = np.bincount(classes, minlength=n_classes)
        if counts.min() < 2 or min(n_out, n - n_out) < n_classes:
            rare = targets.names[int(counts.argmin())]
            raise ValueError(
                f"early_stopping=True needs rows of each class in the fit and in the score: class "
                f"{rare} has {counts.min()} row(s), and with validation_fraction={fraction:g} "
                f"{n_out} of {n} rows are held out for {n_classes} classes. Raise "
                "validation_fraction, join rare classes, or leave early_stopping out."
            )
    from sklearn.model_selection import train_test_split  # slow to import

    _, out = train_test_split(present, random_state=random, test_size=fraction, stratify=classes)
    mask = np.zeros(len(values), dtype=bool)
    mask[out] = True
    return mask


class EarlyStopping:
    """Keeps the best parameters of a descent, and says when to stop it.

    Parameters
    ----------
    score : callable
        The score at some parameters; higher is better.
    tolerance : float
        A step counts as a gain if its score is at least so much above the best before.
    patience : float
        The descent ends when more steps than this in a row were none.

    Attributes
    ----------
    scores : list of float
        The score after each step.
    best : float
        The highest of them.
    params : ndarray or None
        The first parameters with that score.
    stopped : bool
        Whether the descent was ended.
    """

    def __init__(self, score: NetworkScore, tolerance: float, patience: float) -> None:
        self._score, self._tolerance, self._patience = score, tolerance, patience
        self.scores: list[float] = []
        self.best, self.stopped, self._without_gain = -np.inf, False, 0
        self.params: Array | None = None

    def after_step(self, params: Array) -> bool:
        """Take the parameters after a step; return whether the descent ends there."""
        found = self._score(params)
        self.scores.append(found)
        gained = found >= self.best + self._tolerance
        self._without_gain = 0 if gained else self._without_gain + 1
        if found > self.best or self.params is None:
            self.best, self.params = found, params.copy()
        self.stopped = self._without_gain > self._patience
        return self.stopped

    def at_the_end(self, params: Array) -> Array:
        """The best parameters; those given if no step was taken."""
        if self.params is None:
            self.best, self.params = self._score(params), params
        return self.params
