"""The series of a Tweedie density where it has many terms, as with small dispersions."""

import mpmath
import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels.objectives.families import PowerFamily


def log_density(y, mu, p, phi):
    """By the sum of every term that counts, with 40 digits."""
    with mpmath.workdps(40):
        y, mu, p, phi = (mpmath.mpf(float(v)) for v in (y, mu, p, phi))
        a = (2 - p) / (p - 1)
        log_x = a * (mpmath.log(y) - mpmath.log((p - 1) * phi)) - mpmath.log((2 - p) * phi)
        top = y ** (2 - p) / ((2 - p) * phi)
        width = 12 * mpmath.sqrt(top * (p - 1)) + 12
        total = mpmath.mpf(0)
        for j in range(max(int(top - width), 1), int(top + width) + 1):
            total += mpmath.exp(j * log_x - mpmath.loggamma(j + 1) - mpmath.loggamma(j * a))
        kernel = (y * mu ** (1 - p) / (1 - p) - mu ** (2 - p) / (2 - p)) / phi
        return float(mpmath.log(total) - mpmath.log(y) + kernel)


@pytest.mark.parametrize("p", [1.2, 1.5, 1.9])
@pytest.mark.parametrize("phi", [0.3, 1e-2, 1e-3, 2e-5])
def test_every_kth_term_is_enough(p, phi):
    family, y = PowerFamily("tweedie", p), np.array([0.2, 1.0, 3.0])
    mu = y * (1 + np.sqrt(phi) * np.array([0.3, -0.5, 1.0]))
    found = family.log_likelihood(y, mu, np.ones(3), phi)
    expected = [log_density(*pair, p, phi) for pair in zip(y, mu, strict=True)]
    # Terms of the size 1/φ cancel: their rounding errors, of some tens of units, are left.
    np.testing.assert_allclose(found, expected, atol=100 * 2.2e-16 / phi / (2 - p), rtol=1e-12)


def test_a_tiny_dispersion_takes_no_memory():
    """A perfect fit asked for 768 PiB."""
    x = np.linspace(-1.0, 1.0, 30).reshape(-1, 1)
    model = Glm("tweedie").fit(x, np.exp(1.0 + x[:, 0]) * (1 + 1e-14 * np.sin(40 * x[:, 0])))
    assert 0 < model.dispersion_ < 1e-20
    assert np.isfinite(model.log_likelihood_)
