"""Types of arrays: what formulas compute with, and what rows are stored in."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Array", "Matrix"]

# Vectors and matrices of formulas.
Array: TypeAlias = npt.NDArray[np.float64]
# Features as they are stored: an array or memory map of any real type, or a sparse matrix.
Matrix: TypeAlias = npt.NDArray[Any] | sparse.sparray | sparse.spmatrix
