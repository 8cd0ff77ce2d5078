"""Functions of the normal distribution with digits where mpmath cannot square its argument."""

import pytest
from mpmath import mp

import mcmodels.calculus as mc

t = mc.scalar("t")


@pytest.mark.parametrize("point", [0.3, 1e5, 1e10, 1e40])
def test_the_exponent_has_its_digits(point):
    """The square of 1e10 has 20 digits before the point, which the exponential must not lose."""
    with mp.workdps(200):
        z = mp.mpf(point)
        for f, at, right in (
            (mc.norm_cdf(t), -point, mp.erfc(z / mp.sqrt(2)) / 2),
            (mc.norm_pdf(t), point, mp.npdf(z)),
            (mc.erfc(t), point, mp.erfc(z)),
        ):
            found = f.evaluate(t=at, digits=30)
            assert abs(found / right - 1) < mp.mpf(10) ** -29, (str(f), at)


@pytest.mark.parametrize("point", [1e99, 1.01e100, 1e150, 1e200, 1e300])
def test_tails_are_their_asymptotic_forms(point):
    """DLMF (7.12.1): the next term is z⁻² times the first, below 1e-190 of it."""
    with mp.workdps(700):  # the exponent has 600 digits before the point
        z = mp.mpf(point)
        of_erfc = mp.exp(-z * z) / (z * mp.sqrt(mp.pi))
        of_cdf = mp.exp(-z * z / 2) / (z * mp.sqrt(2 * mp.pi))
        for f, at, right in (
            (mc.erfc(t), point, of_erfc),
            (mc.norm_cdf(t), -point, of_cdf),
            (mc.gelu(t), -point, -z * of_cdf),
            (mc.norm_logcdf(t), point, -of_cdf),
            (mc.norm_cdf(t), point, mp.mpf(1)),
            (mc.erfc(t), -point, mp.mpf(2)),
        ):
            found = f.evaluate(t=at, digits=30)
            assert abs(found / right - 1) < mp.mpf(10) ** -29, (str(f), at)
        # The logarithm has all digits where its value is a square.
        assert abs(mc.norm_logcdf(t).evaluate(t=-point, digits=30) / (-z * z / 2) - 1) < 1e-29
