"""Which steps of a pipeline were fitted to y, however deep they lie in other steps."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from sklearn.feature_selection import SelectorMixin, VarianceThreshold
from sklearn.utils import get_tags

__all__ = ["is_frozen", "is_step", "step_fitted_to_targets"]

# Attributes in which searches, and pipelines, unions and column transformers, hold what they have
# fitted: one step, or a list of tuples with a name first.
_HOLD_ONE = ("best_estimator_",)
_HOLD_MANY = ("steps", "transformer_list", "transformers_")


def step_fitted_to_targets(step: Any) -> Any:
    """The first step that was fitted to y: this one, or one inside it; None if there is none."""
    return next((part for part in _parts_of(step) if _reads_targets(part)), None)


def is_step(step: Any) -> bool:
    """Whether something is done to the rows: "passthrough", "drop" and None do nothing."""
    return step is not None and not isinstance(step, str)


def is_frozen(step: Any) -> bool:
    """Whether this is scikit-learn's FrozenEstimator, which no fit changes."""
    return type(step).__name__ == "FrozenEstimator"


def _parts_of(step: Any) -> Iterator[Any]:
    """The steps inside a step, or itself if it holds none.

    What holds others reads y only through them; its tags are those of its last step, frozen or not.
    What is frozen was fitted to other rows, and has no parts here.
    """
    if not is_step(step) or is_frozen(step):
        return
    held = [getattr(step, name) for name in _HOLD_ONE if hasattr(step, name)]
    for name in _HOLD_MANY:
        entries = getattr(step, name, None)
        held += [entry[1] for entry in entries] if isinstance(entries, list) else []
    if not held:
        yield step
    for part in held:
        yield from _parts_of(part)


def _reads_targets(step: Any) -> bool:
    """Whether a step was fitted to y: it selects by y, predicts y, or cannot be fitted without."""
    if isinstance(step, SelectorMixin):
        return not isinstance(step, VarianceThreshold)
    try:
        tags = get_tags(step)
    except Exception:  # a step of another library may have none
        return _requires_targets(step)
    predicts = tags.estimator_type in ("regressor", "classifier")
    return bool(tags.target_tags.required) or predicts or _requires_targets(step)


def _requires_targets(step: Any) -> bool:
    """Whether ``fit`` has an argument y without a default."""
    try:
        y = inspect.signature(type(step).fit).parameters.get("y")
    except (AttributeError, TypeError, ValueError):  # no function of Python
        return False
    return y is not None and y.default is inspect.Parameter.empty
