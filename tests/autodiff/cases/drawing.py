"""What a case is, and how its arguments are drawn.

A case is a function of float arrays, at a point away from kinks and singularities. Functions that
return several arrays are given as one flat array of all of them; vectors that are determined up to
sign have the sign of their first entries fixed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.autodiff import constant


@dataclass(frozen=True)
class Case:
    """A function, and where it is differentiated.

    ``exact`` is False where the value is computed in another order than NumPy's.
    """

    key: Any
    label: str
    function: Callable[..., Any]
    args: tuple[np.ndarray, ...]
    exact: bool = True

    def __str__(self):
        return f"{_name(self.key)}-{self.label}"


CASES: list[Case] = []


def _name(key):
    """Of a rule as it is, of a function with a dot in front."""
    if isinstance(key, str):
        return key
    return f"{'linalg' * (getattr(key, '__module__', '') == 'numpy.linalg')}.{key.__name__}"


def case(key, label, function, *args, exact=True):
    """Add a case; args are shapes, with a letter in front that says what to fill them with."""
    rng = np.random.default_rng(zlib.crc32(f"{_name(key)}/{label}".encode()))
    CASES.append(Case(key, label, function, tuple(_filled(a, rng) for a in args), exact))


def _filled(arg, rng):
    """An array from a pair of kind and shape, such as ``("positive", (2, 3))``."""
    if isinstance(arg, np.ndarray):
        return arg
    kind, shape = arg
    if kind in ("any", "beside"):  # no entry near 0, and no two of nearly equal size
        size = int(np.prod(shape))
        sizes = 0.3 + 0.1 * rng.permutation(size) + rng.uniform(0.0, 0.03, size)
        sizes += 0.05 * (kind == "beside")
        return (sizes * rng.choice([-1.0, 1.0], size)).reshape(shape)
    if kind == "two and a half":
        return rng.uniform(2.3, 2.7, shape)
    if kind == "one":
        return rng.uniform(0.95, 1.05, shape)
    if kind == "half":
        return rng.uniform(0.4, 0.6, shape)
    if kind == "positive":
        return rng.uniform(0.5, 2.0, shape)
    if kind == "unit":  # in (0, 1)
        return rng.uniform(0.15, 0.85, shape)
    if kind == "inner":  # in (-1, 1)
        return np.asarray(rng.uniform(0.1, 0.8, shape) * rng.choice([-1.0, 1.0], shape))
    if kind == "above one":
        return rng.uniform(1.5, 3.0, shape)
    n, m = shape[-2:]
    if kind == "regular":  # singular values between 1 and 3, apart
        k = min(n, m)
        u, v = (np.linalg.qr(rng.standard_normal((*shape[:-2], size, k)))[0] for size in (n, m))
        return (u * np.linspace(3.0, 1.0, k)) @ np.swapaxes(v, -1, -2)
    assert kind == "definite"
    q = np.linalg.qr(rng.standard_normal(shape))[0]
    return (q * np.linspace(0.7, 2.5, n)) @ np.swapaxes(q, -1, -2)


def flat(parts):
    """All entries of several arrays, one after the other."""
    return np.concatenate([np.ravel(part) for part in parts])


def symmetric(A):
    """The symmetric part."""
    return 0.5 * (A + np.swapaxes(A, -1, -2))


def signed(V):
    """Columns with a positive first entry."""
    return V * np.sign(constant(V)[..., :1, :])


def any_(*shape):
    return "any", shape


def pos(*shape):
    return "positive", shape


def regular(*shape):
    return "regular", shape


def definite(*shape):
    return "definite", shape
