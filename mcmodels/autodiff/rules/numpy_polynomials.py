"""NumPy's polynomials by their coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import dtype_of, implements, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, stack_list, stack_objects

__all__: list[str] = []


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    p = p if isinstance(p, Traced) else np.asarray(p)
    x = stack_list(x)
    y: Any = np.zeros(shape_of(x), dtype_of(p, x))
    for k in range(shape_of(p)[0]):
        y = y * x + p[k]
    return y


@implements(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    if len(shape_of(x)) != 1:
        raise ValueError(f"numpy.vander needs a vector; found an array of shape {shape_of(x)}")
    n = shape_of(x)[0] if N is None else N
    if n == 0:
        return np.zeros((*shape_of(x), 0))
    powers = [np.ones(shape_of(x))]  # of float64, as NumPy
    for _ in range(n - 1):
        powers.append(powers[-1] * x)
    return np.stack(powers if increasing else powers[::-1], axis=-1)


@implements(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    zeros = np.atleast_1d(seq_of_zeros)
    if len(shape_of(zeros)) != 1:
        raise NoRuleError(
            "numpy.poly has a rule for the zeros only: of a matrix take np.linalg.eigvals first."
        )
    coefficients: Any = np.ones(1)
    for k in range(shape_of(zeros)[0]):
        coefficients = np.convolve(coefficients, np.stack([1.0, -zeros[k]]))
    return coefficients


@implements(np.roots)
def _roots(p: Any) -> Any:
    """The eigenvalues of the companion matrix."""
    if isinstance(p, np.ndarray) and p.dtype.hasobject:
        p = stack_objects(p)
    plain = np.asarray(constant(p))
    if plain.ndim != 1 or plain.size < 2 or plain[0] == 0 or plain[-1] == 0:
        raise NoRuleError(
            "numpy.roots has a rule for a vector of coefficients whose first and last are not 0."
        )
    n = plain.size - 1
    return np.linalg.eigvals(np.concatenate([-p[np.newaxis, 1:] / p[0], np.eye(n)[:-1]]))


@implements(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    for _ in range(m):
        n = shape_of(p)[0] - 1
        p = p[:-1] * np.arange(n, 0, -1)
    return p


@implements(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    constants = np.broadcast_to(np.atleast_1d(0.0 if k is None else k), (m,))
    for i in range(m):
        n = shape_of(p)[0]
        p = np.concatenate([p / np.arange(n, 0, -1), constants[i : i + 1]])
    return p


def _aligned(a1: Any, a2: Any) -> tuple[Any, Any]:
    """Coefficients with zeros in front, so that both have as many."""
    a1, a2 = np.atleast_1d(a1, a2)
    n = max(shape_of(a1)[0], shape_of(a2)[0])
    first, second = (np.pad(a, (n - shape_of(a)[0], 0)) for a in (a1, a2))
    return first, second


@implements(np.polyadd)
def _polyadd(a1: Any, a2: Any) -> Any:
    first, second = _aligned(a1, a2)
    return first + second


@implements(np.polysub)
def _polysub(a1: Any, a2: Any) -> Any:
    first, second = _aligned(a1, a2)
    return first - second


@implements(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(*np.atleast_1d(a1, a2))


@implements(np.polyfit)
def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, w: Any = None) -> Any:
    if np.ndim(constant(deg)) > 0:
        raise NoRuleError("numpy.polyfit has no rule for a list of degrees.")
    X = np.vander(x, deg + 1)
    if w is not None:
        X = X * np.reshape(w, (-1, 1))
        y = np.transpose(np.transpose(y) * w)
    scale = np.sqrt(np.sum(np.square(X), axis=0))
    found = np.linalg.lstsq(X / scale, y, rcond)[0]
    return np.transpose(np.transpose(found) / scale)
