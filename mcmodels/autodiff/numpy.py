"""NumPy for functions that are differentiated: its makers of arrays are followed.

Import it in NumPy's place: ``import mcmodels.autodiff.numpy as np``. All names are NumPy's. While a
derivative is taken,

- arrays of real or complex numbers that ``zeros``, ``ones``, ``empty``, ``full``, ``array``
  and the like make can be filled by index: ``h[t] = p * t``, ``h[1:] += x``. Views share their
  entries, as NumPy's do;
- functions take lists of values that are differentiated, where they take lists of numbers:
  ``np.array([[1, r], [r, 1]])``, ``np.mean([a, b])``, ``np.linalg.det([[1, r], [r, 1]])``.

At any other time the functions are NumPy's, and return its arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from mcmodels.autodiff.namespace import (  # noqa: F401  (names of NumPy)
    Joined,
    Namespace,
    array,
    asarray,
    ascontiguousarray,
    asfortranarray,
    fromiter,
    full,
    ndenumerate,
    vectorize,
    wrapped,
)

__all__ = list(_numpy.__all__)

asanyarray = asarray
r_, c_ = Joined(columns=False), Joined(columns=True)
linalg, fft = Namespace(_numpy.linalg), Namespace(_numpy.fft)


def __getattr__(name: str) -> Any:
    found = wrapped(getattr(_numpy, name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_numpy)})
