"""Dawson's integral and Owen's T against mpmath."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special as sp
from mpmath import mp, mpf, quad

from mcmodels.autodiff import grad, jvp


def dawson(x):
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


# Relative errors: up to 6.5 the recurrence of derivatives loses digits, as 1 - 2xD does; the series
# beyond has all of them.
@pytest.mark.parametrize("x", [-7.0, -1.0, 0.3, 2.0, 6.0, 6.49, 6.51, 8.0, 20.0, 1e3])
def test_derivatives_of_dawson_keep_their_digits(x):
    with mp.workdps(60):
        exact = [float(mp.diff(dawson, mpf(x), n)) for n in (1, 2, 3)]
    near = 6.0 <= x <= 6.5
    f, slopes = sp.dawsn, []
    for _ in range(3):
        f = grad(f)
        slopes.append(f(x))
    for found, expected, tolerance in zip(
        slopes, exact, (1e-12, 1e-10, 1e-8) if near else (1e-14, 1e-13, 1e-12), strict=True
    ):
        assert found == pytest.approx(expected, rel=tolerance)
    second = jvp(lambda z: jvp(sp.dawsn, (z,), (1.0,))[1], (x,), (1.0,))[1]
    assert second == pytest.approx(exact[1], rel=1e-10)


@pytest.mark.parametrize(("h", "a"), [(0.3, 0.7), (-1.2, 2.0), (2.0, -0.5), (0.0, 1.0)])
def test_derivatives_of_owens_t(h, a):
    def exact(h, a):
        return quad(lambda x: mp.exp(-h * h * (1 + x * x) / 2) / (1 + x * x), [0, a]) / (2 * mp.pi)

    with mp.workdps(40):
        slopes = [float(mp.diff(exact, (mpf(h), mpf(a)), n)) for n in ((1, 0), (0, 1))]
        second = float(mp.diff(exact, (mpf(h), mpf(a)), (1, 1)))
    found = grad(sp.owens_t, (0, 1))(h, a)
    np.testing.assert_allclose(found, slopes, rtol=1e-13, atol=1e-16)  # closed forms
    mixed = grad(lambda h: grad(sp.owens_t, 1)(h, a))(h)
    np.testing.assert_allclose(mixed, second, rtol=1e-13, atol=1e-15)
