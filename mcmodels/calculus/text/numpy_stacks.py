"""Stacks as NumPy's users type them: ``np.hstack((X, y))``, ``np.concatenate``, ``np.c_[X, y]``.

NumPy's vector has one axis, and a vector is a column here. What NumPy makes of it is read where it
is the same, and refused where both may be meant.
"""

from __future__ import annotations

from typing import Any

__all__ = ["STACKS", "name_of_stack", "stacked"]

# By names that no text can hold, so that they are only made of calls with a module before them.
STACKS = frozenset(["np.column_stack", "np.concatenate", "np.hstack", "np.vstack"])


def name_of_stack(attribute: str) -> str | None:
    """The name in `STACKS` of a function of NumPy; None for other functions."""
    name = f"np.{'column_stack' if attribute == 'c_' else attribute}"
    return name if name in STACKS else None


def stacked(name: str, algebra: Any, parts: list[Any], axis: int | None) -> Any:
    """The meaning of such a call in an algebra of expressions or shapes.

    Raises
    ------
    ValueError
        If a vector in it may be meant as a column or as a row.
    """
    vectors = [part for part in parts if part.is_column and not part.is_scalar]
    if name == "np.hstack" and len(vectors) == len(parts):
        raise ValueError(
            "np.hstack makes one long vector of vectors, and a vector is a column here: write "
            "vstack([x, y]) for vectors one below the other, hstack([x, y]) for a matrix with "
            "these columns"
        )
    if name == "np.vstack" and vectors:
        raise ValueError(
            "np.vstack makes a row of a vector, and a vector is a column here: write "
            "vstack([x.T, y.T]) for rows, vstack([x, y]) for vectors one below the other"
        )
    beside = name in ("np.hstack", "np.column_stack")
    if name == "np.concatenate" and axis not in (None, 0):
        if axis not in (1, -1):
            raise ValueError(f"np.concatenate takes axis=0 or axis=1; found axis={axis}")
        beside = axis == 1 or len(vectors) < len(parts)  # -1 is the only axis of a vector
    return algebra.call("hstack" if beside else "vstack", [parts], None)
