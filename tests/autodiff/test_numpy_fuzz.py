"""NumPy's functions at random shapes and options: values, both modes, differences."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mcmodels.autodiff import jvp, vjp

METHODS = ["linear", "hazen", "weibull", "midpoint", "lower", "median_unbiased", "nearest"]
MODES = ["full", "same", "valid"]
BORDERS = ["constant", "edge", "reflect", "symmetric", "wrap"]


def drawn(rng):
    """A function of an array, called in one of many ways, and the array."""
    shape = tuple(rng.integers(1, 5, size=rng.integers(1, 4)).tolist())
    ndim, x, kept = len(shape), rng.standard_normal(shape), bool(rng.integers(2))
    a = int(rng.integers(-ndim, ndim))
    some = tuple(rng.permutation(ndim)[: rng.integers(1, ndim + 1)].tolist())
    axes = [None, a, some][rng.integers(3)]
    missing = rng.random(shape) < 0.2
    q = rng.random(rng.integers(1, 4)) if rng.integers(2) else float(rng.random())
    method, mode, border = rng.choice(METHODS), rng.choice(MODES), rng.choice(BORDERS)
    place, other = int(rng.integers(0, shape[a])), rng.standard_normal(rng.integers(1, 6))
    places, widths = rng.integers(0, shape[a], size=3), rng.integers(0, 3, size=(ndim, 2))
    knots, choice = np.sort(rng.standard_normal(4)), rng.integers(0, 3, size=shape)
    chosen, count = rng.random(shape[a]) < 0.5, int(rng.integers(0, 5))
    edge = int(rng.integers(1, 3))

    def holed(x):
        return np.where(missing, np.nan, x)

    forms = [
        lambda x: np.quantile(x, q, axis=axes, keepdims=kept, method=method),
        lambda x: np.percentile(x, np.multiply(q, 100), axes, None, False, method, kept),
        lambda x: np.median(x, axes, keepdims=kept),
        lambda x: np.nanquantile(holed(x), q, axis=axes, keepdims=kept),
        lambda x: np.nanmean(holed(x), axes, keepdims=kept),
        lambda x: np.nanstd(holed(x), axes, ddof=1, keepdims=kept),
        lambda x: np.nanmax(holed(x), axes, keepdims=kept),
        lambda x: np.mean(x, axes, where=~missing, keepdims=kept),
        lambda x: np.max(x, axes, where=~missing, initial=-0.3, keepdims=kept),
        lambda x: np.partition(x, place, axis=a),
        lambda x: np.pad(x, widths, mode=border),
        lambda x: np.insert(x, place, 0.3, axis=a),
        lambda x: np.convolve(x.ravel(), other, mode),
        lambda x: np.correlate(x.ravel(), other, mode),
        lambda x: np.interp(x, knots, knots**2, left=0.7 if kept else None),
        lambda x: np.interp(x, knots, np.cos(knots), period=3.7),
        lambda x: np.gradient(x, 0.7, axis=a, edge_order=edge),
        lambda x: np.trapezoid(x, dx=0.3, axis=a),
        lambda x: np.cov(x, rowvar=kept, ddof=0),
        lambda x: np.cumprod(x, axis=a),
        lambda x: np.maximum.accumulate(x, axis=a),
        lambda x: np.logaddexp.reduce(x, axis=axes, keepdims=kept),
        lambda x: np.add.reduceat(x, places, axis=a),
        lambda x: np.subtract.reduce(x, axis=a, keepdims=kept),
        lambda x: np.block([[x, x * x], [x * 3, x]]),
        lambda x: np.select([x > 0.5, x < -0.5], [x * x, 2.0], default=x),
        lambda x: np.choose(choice, [x, x * x, 1.0]),
        lambda x: np.compress(chosen, x, axis=a),
        lambda x: np.linspace(x, 1.0, count, endpoint=kept, axis=a),
        lambda x: np.piecewise(x, [x < 0, x > 1], [np.exp, lambda t: t * t, 3.0]),
        lambda x: np.apply_along_axis(lambda r: r[:2] * r[0], a, x),
        lambda x: np.diff(x, axis=a, prepend=0.5),
        lambda x: np.unwrap(4 * x, axis=a),
        lambda x: np.linalg.qr(x)[1],
        lambda x: np.linalg.pinv(x),
    ]
    return forms[rng.integers(len(forms))], x


@pytest.mark.parametrize("seed", range(6))
def test_random_calls(seed):
    rng, step, compared = np.random.default_rng(seed), 1e-6, 0
    for _ in range(150):
        f, x = drawn(rng)
        v = rng.standard_normal(x.shape)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                expected = np.asarray(f(x))
            except Exception:  # NumPy refuses: so do we
                with pytest.raises(Exception):  # noqa: B017, PT011
                    jvp(f, (x,), (v,))
                continue
            slope = np.asarray(f(x + step * v)) - np.asarray(f(x - step * v))
            value, tangent = jvp(f, (x,), (v,))
            u = np.where(np.isfinite(expected), rng.standard_normal(expected.shape), 0.0)
            pulled = vjp(f, x)[1](u)
        # Sums in another order than NumPy's, of some dozens of numbers of size 1.
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-11)
        finite = np.isfinite(slope) & np.isfinite(expected)
        if not finite.any():
            continue
        # Differences with step 1e-6: rounding of 1e-10, and of pinv a condition of some thousands.
        scale = 1.0 + np.abs(slope[finite]).max() / (2 * step)
        assert np.abs(tangent - slope / (2 * step))[finite].max() < 1e-5 * scale
        if np.isfinite(expected).all():
            left, right = np.sum(pulled * v), np.sum(u * tangent)
            assert abs(left - right) < 1e-9 * (1.0 + np.sum(np.abs(u * tangent)))
        compared += 1
    assert compared > 90  # of 150; the others are refused by NumPy, or empty
