"""Types of arrays: what users pass, what formulas compute with, what rows are stored in; masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Array",
    "Codes",
    "Labels",
    "Matrix",
    "MatrixLike",
    "Penalty",
    "RandomState",
    "Values",
    "VectorLike",
    "Weights",
    "refuse_masked",
]

# Vectors and matrices that formulas compute with.
Array: TypeAlias = npt.NDArray[np.float64]
# Features as they are stored: an array or memory map of any real type, or a sparse matrix.
Matrix: TypeAlias = npt.NDArray[Any] | sparse.sparray | sparse.spmatrix
# Features as users pass them, before validation.
MatrixLike: TypeAlias = "npt.ArrayLike | sparse.sparray | sparse.spmatrix | pd.DataFrame"
# Strength of a penalty: for all columns, or for each parameter of an output.
Penalty: TypeAlias = float | Array
# Targets, labels and parameters as users pass them, before validation.
VectorLike: TypeAlias = "npt.ArrayLike | pd.Series | pd.DataFrame"
# Weights of rows as users pass them; None means that all are one.
Weights: TypeAlias = "VectorLike | None"
# Targets after validation, of any type: numbers or labels.
Values: TypeAlias = npt.NDArray[Any]
# Class labels after validation: integers, strings, booleans or objects.
Labels: TypeAlias = npt.NDArray[Any]
# Positions of labels in the array of class labels.
Codes: TypeAlias = npt.NDArray[np.integer]
# A source of random numbers: a seed, a generator, or None for NumPy's global one.
RandomState: TypeAlias = int | np.random.RandomState | None


def refuse_masked(name: str, values: object) -> None:
    """Refuse an array with masked entries, which NumPy would read as if there were no mask.

    It would read masked arrays inside a list in the same way.
    """
    if isinstance(values, list | tuple):
        for row, value in enumerate(values):
            if isinstance(value, np.ma.MaskedArray):
                refuse_masked(f"{name}[{row}]", value)
    elif isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(values)} masked entries, and their "
            f"values are not meant to be read. Leave out the rows that have them, or fill them: "
            f"{name}.filled(…)."
        )
