"""Rules of NumPy's discrete Fourier transforms.

They are linear, and the matrix of each is symmetric, so that its transpose is the transform itself,
between numbers cut off and zeros appended: Oppenheim and Schafer (2010), *Discrete-Time Signal
Processing*, 3rd ed., §8.5. A transform of real numbers keeps one half of the spectrum, whose other
half is its conjugate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.rules.complex_numbers import real_part
from mcmodels.autodiff.rules.numpy_arrangement import rearranged
from mcmodels.autodiff.tables import (
    COMPLEX_FUNCTIONS,
    Key,
    Map,
    add,
    call,
    implements,
    linear,
    shape_of,
)
from mcmodels.autodiff.tracing import DerivativeRule, is_complex


def _resized(x: Any, length: int, axis: int) -> Any:
    """The first numbers along an axis, or all of them and zeros."""
    before = (slice(None),) * (axis % len(shape_of(x)))
    found = shape_of(x)[axis]
    if length <= found:
        return x if length == found else x[(*before, slice(0, length))]
    rest = list(shape_of(x))
    rest[axis] = length - found
    return np.concatenate([x, np.zeros(rest)], axis=axis)


def _transform_back(name: str) -> Map:
    def adjoint(g: Any, x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        back = call(name, g, n=shape_of(g)[axis], axis=axis, norm=norm)
        back = _resized(back, shape_of(x)[axis], axis)
        return back if is_complex(x) else real_part(back)

    return adjoint


def _rfft_back(g: Any, x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    n = shape_of(x)[axis] if n is None else n
    back = real_part(call("fft", _resized(g, n, axis), n=n, axis=axis, norm=norm))
    return _resized(back, shape_of(x)[axis], axis)


def _irfft_back(g: Any, x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    n = shape_of(g)[axis]
    back = call("ifft", real_part(g), n=n, axis=axis, norm=norm)
    # All frequencies but 0, and n/2 for even n, stand for their conjugates, too.
    weights = np.full(n // 2 + 1, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    along = [1] * len(shape_of(g))
    along[axis] = -1
    back = _resized(back, n // 2 + 1, axis) * weights.reshape(along)
    return _resized(back, shape_of(x)[axis], axis)


def _complex_rule(name: str, identity: str, adjoint: Map) -> tuple[Key, DerivativeRule]:
    transform = getattr(np.fft, name)
    key, rule = linear(
        name,
        lambda x, n=None, axis=-1, norm=None: transform(x, n=n, axis=axis, norm=norm),
        identity,
        adjoint,
    )
    return key, dataclasses.replace(rule, holomorphic=True)


add(
    _complex_rule("fft", "d Fx = F dx, Fⱼₖ = e^(-2πijk/n)", _transform_back("fft")),
    _complex_rule("ifft", "d F⁻¹x = F⁻¹ dx", _transform_back("ifft")),
    _complex_rule("rfft", "d Fx = F dx, the frequencies up to n/2", _rfft_back),
    _complex_rule("irfft", "d F⁻¹x = F⁻¹ dx, of half a spectrum", _irfft_back),
)


def _register(name: str) -> None:
    def transform(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return call(name, a, n=n, axis=axis, norm=norm)

    implements(getattr(np.fft, name))(transform)


for _name in ("fft", "ifft", "rfft", "irfft"):
    _register(_name)


def _over_axes(a: Any, s: Any, axes: Any) -> tuple[list[Any], list[int]]:
    """The lengths and axes of a transform in several dimensions."""
    if axes is None:
        ndim = len(shape_of(a))
        axes = list(range(ndim)) if s is None else list(range(ndim - len(s), ndim))
    lengths: Sequence[Any] = [shape_of(a)[axis] for axis in axes] if s is None else s
    pairs = zip(lengths, axes, strict=True)
    return [shape_of(a)[axis] if n in (None, -1) else n for n, axis in pairs], list(axes)


def _each_axis(name: str, a: Any, s: Any, axes: Any, norm: Any) -> Any:
    lengths, axes = _over_axes(a, s, axes)
    for n, axis in reversed(list(zip(lengths, axes, strict=True))):
        a = call(name, a, n=n, axis=axis, norm=norm)
    return a


@implements(np.fft.fftn)
def _fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _each_axis("fft", a, s, axes, norm)


@implements(np.fft.ifftn)
def _ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _each_axis("ifft", a, s, axes, norm)


@implements(np.fft.fft2)
def _fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return _each_axis("fft", a, s, axes, norm)


@implements(np.fft.ifft2)
def _ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return _each_axis("ifft", a, s, axes, norm)


@implements(np.fft.rfftn)
def _rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    lengths, axes = _over_axes(a, s, axes)
    a = call("rfft", a, n=lengths[-1], axis=axes[-1], norm=norm)
    return _each_axis("fft", a, lengths[:-1], axes[:-1], norm)


@implements(np.fft.rfft2)
def _rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return _rfftn(a, s, axes, norm)


@implements(np.fft.irfftn)
def _irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    last = 2 * (shape_of(a)[-1 if axes is None else axes[-1]] - 1) if s is None else s[-1]
    lengths, axes = _over_axes(a, s, axes)
    a = _each_axis("ifft", a, lengths[:-1], axes[:-1], norm)
    return call("irfft", a, n=last, axis=axes[-1], norm=norm)


@implements(np.fft.irfft2)
def _irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return _irfftn(a, s, axes, norm)


@implements(np.fft.fftshift)
def _fftshift(x: Any, axes: Any = None) -> Any:
    return rearranged(x, np.fft.fftshift, axes)


@implements(np.fft.ifftshift)
def _ifftshift(x: Any, axes: Any = None) -> Any:
    return rearranged(x, np.fft.ifftshift, axes)


COMPLEX_FUNCTIONS |= {
    np.fft.fft, np.fft.ifft, np.fft.irfft, np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn,
    np.fft.irfft2, np.fft.irfftn, np.fft.fftshift, np.fft.ifftshift,
}  # fmt: skip
