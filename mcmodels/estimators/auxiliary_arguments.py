"""The argument ``auxiliary`` of estimators of a loss of the user's: names and first values."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcmodels.exceptions import example_of
from mcmodels.objectives.auxiliary import AuxiliaryShapes

__all__ = ["auxiliary_shapes", "auxiliary_values"]

_EXAMPLE = "auxiliary={'log_scale': 0.0}, or {'cuts': [-1.0, 1.0]}"


def auxiliary_values(auxiliary: Any) -> dict[str, Any]:
    """The start of each auxiliary parameter: a float or a float64 vector; empty for None.

    Raises
    ------
    TypeError
        If it is not a dict of names and numbers.
    ValueError
        For a name that a loss cannot take, and values that are no finite numbers.
    """
    if auxiliary is None:
        return {}
    if not isinstance(auxiliary, Mapping):
        raise TypeError(
            f"auxiliary is a {type(auxiliary).__name__}; give a dict with the first value of each "
            f"auxiliary parameter, as in {_EXAMPLE}."
        )
    values = {}
    for name, value in auxiliary.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(
                f"auxiliary has the name {example_of(name)}; a name must be a word that Python "
                "allows for a variable."
            )
        if name in ("y", "eta"):
            raise ValueError(
                f"auxiliary has the name {name!r}, which is that of the "
                f"{'target' if name == 'y' else 'linear predictor'} in the loss; take another name."
            )
        values[name] = _checked_value(name, value)
    return values


def _checked_value(name: str, value: Any) -> Any:
    remedy = f"give a finite number, or a vector of them, as in {_EXAMPLE}."
    try:
        found = np.asarray(value)
        if found.dtype.kind not in "fiu":
            raise TypeError
        found = found.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"auxiliary[{name!r}]={example_of(value)} is no number or vector; {remedy}"
        ) from error
    if found.ndim > 1 or not found.size:
        raise ValueError(f"auxiliary[{name!r}] has shape {found.shape}; {remedy}")
    if not np.isfinite(found).all():
        raise ValueError(f"auxiliary[{name!r}]={example_of(value)} is not finite; {remedy}")
    return found if found.ndim else float(found)


def auxiliary_shapes(values: Mapping[str, Any]) -> AuxiliaryShapes:
    """Names and shapes of auxiliary parameters, from their values."""
    return AuxiliaryShapes(tuple((name, np.shape(value)) for name, value in values.items()))
