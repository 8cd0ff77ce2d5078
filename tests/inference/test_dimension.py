"""Minka's evidence against the definition in high precision, and shares of variance."""

import mpmath
import numpy as np
import pytest

from mcmodels.inference.dimension import components_for_share, minka_log_evidence


def evidence(variances, n, k):
    """Log of equation 30 of Minka (2000), term by term, in 50 digits."""
    with mpmath.workdps(50):
        lam = [mpmath.mpf(v) for v in variances]
        p = len(lam)
        noise = sum(lam[k:]) / (p - k)
        log_pu = -k * mpmath.log(2)
        for i in range(1, k + 1):
            half = mpmath.mpf(p - i + 1) / 2
            log_pu += mpmath.loggamma(half) - half * mpmath.log(mpmath.pi)
        likelihood = (
            -mpmath.mpf(n) / 2 * (sum(map(mpmath.log, lam[:k])) + (p - k) * mpmath.log(noise))
        )
        m = mpmath.mpf(p * k) - mpmath.mpf(k * (k + 1)) / 2
        hat = lam[:k] + [noise] * (p - k)
        log_az = mpmath.mpf(0)
        for i in range(k):
            for j in range(i + 1, p):
                log_az += mpmath.log((1 / hat[j] - 1 / hat[i]) * (lam[i] - lam[j]) * n)
        return float(
            log_pu
            + likelihood
            + (m + k) / 2 * mpmath.log(2 * mpmath.pi)
            - log_az / 2
            - mpmath.mpf(k) / 2 * mpmath.log(n)
        )


@pytest.mark.parametrize("n", [20, 1000])
def test_evidence(n):
    variances = np.array([9.0, 4.0, 1.1, 0.9, 0.3])
    found = minka_log_evidence(variances, n)
    assert found[0] == -np.inf
    for k in range(1, 5):
        assert found[k] == pytest.approx(evidence(variances.tolist(), n, k), rel=1e-13)


def test_dimensions_without_variance_have_no_evidence():
    found = minka_log_evidence(np.array([4.0, 1.0, 0.5, 0.0, 0.0]), 50)
    assert np.isfinite(found[1:4]).tolist() == [True, True, True] or np.argmax(found) == 3
    assert found[4] == -np.inf


def test_shares():
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    assert [components_for_share(shares, s) for s in (0.1, 0.5, 0.79, 0.9, 0.99)] == [1, 2, 2, 3, 4]
