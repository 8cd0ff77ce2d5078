"""Normal densities at two places: the Greeks of Black and Scholes, and values that are kept."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import exp, log, norm_cdf, norm_pdf, parse, scalar, sqrt
from mcmodels.calculus.core.arithmetic import add
from mcmodels.calculus.derive.simplification import normals, simplify

S, K, r, s, T, x = (scalar(name) for name in ("S", "K", "r", "s", "T", "x"))
D1 = (log(S / K) + (r + s**2 / 2) * T) / (s * sqrt(T))
D2 = D1 - s * sqrt(T)
CALL = S * norm_cdf(D1) - K * exp(-r * T) * norm_cdf(D2)
TYPED = (
    "S*norm_cdf((log(S/K) + (r + s**2/2)*T)/(s*sqrt(T)))"
    " - K*exp(-r*T)*norm_cdf((log(S/K) + (r - s**2/2)*T)/(s*sqrt(T)))"
)
AT = {"S": 95.0, "K": 100.0, "r": 0.03, "s": 0.2, "T": 0.75}
GREEKS = {  # Hull (2018), Options, Futures, and Other Derivatives, chapter 19
    "S": norm_cdf(D1),
    "s": S * norm_pdf(D1) * sqrt(T),
    "r": K * T * exp(-r * T) * norm_cdf(D2),
    "K": -exp(-r * T) * norm_cdf(D2),
    "T": K * exp(-r * T) * (r * norm_cdf(D2) + s * norm_pdf(D2) / (2 * sqrt(T))),
}


def by_mpmath(orders):
    """A derivative of the price by the names in order, to 50 digits."""
    names = list(AT)

    def price(*values):
        S, K, r, s, T = values
        d1 = (mpmath.log(S / K) + (r + s**2 / 2) * T) / (s * mpmath.sqrt(T))
        below = K * mpmath.exp(-r * T) * mpmath.ncdf(d1 - s * mpmath.sqrt(T))
        return S * mpmath.ncdf(d1) - below

    with mpmath.workdps(50):
        point = tuple(mpmath.mpf(AT[name]) for name in names)
        return float(mpmath.diff(price, point, tuple(orders.count(name) for name in names)))


@pytest.mark.parametrize("name", sorted(GREEKS))
def test_the_greeks_are_those_of_the_book(name):
    G = CALL.gradient(name)
    assert G == GREEKS[name]
    # A few operations on numbers of size 100.
    assert G.evaluate(**AT) == pytest.approx(by_mpmath(name), rel=1e-12)


def test_gamma_and_mixed_derivatives():
    assert CALL.hessian("S") == norm_pdf(D1) / (S * s * sqrt(T))
    for first in "SsT":
        for second in "SsrKT":
            found = CALL.gradient(first).gradient(second).evaluate(**AT)
            assert found == pytest.approx(by_mpmath(first + second), rel=1e-10, abs=1e-12)


def test_places_may_be_written_apart():
    # Nothing but multiplying out shows that both places differ by s√T.
    f = parse(TYPED, **dict.fromkeys(AT, "scalar"))
    assert len(repr(f.gradient("s"))) < 60
    for name in AT:
        assert f.gradient(name).evaluate(**AT) == pytest.approx(by_mpmath(name), rel=1e-12)
    assert f.derivation("s", order=2).check() < 1e-6  # differences of second derivatives


@pytest.mark.parametrize(
    ("f", "shown"),
    [
        (norm_pdf(x) + norm_pdf(-x), "2φ(x)"),
        (norm_pdf(x - 1) * exp(-x) - 2 * exp(-(1 / 2)) * norm_pdf(x), None),
        (norm_pdf(x) - exp(x - 1 / 2) * norm_pdf(x + 1) * exp(-2 * x + 1) * exp(x), None),
        (norm_pdf(x) + norm_pdf(x - 3), "φ(x) + φ(x − 3)"),
        (norm_pdf(x) * norm_pdf(x - 1) + norm_pdf(x), None),
        (norm_pdf(x) ** 2 + norm_pdf(x + 1), None),
    ],
)
def test_values_stay_the_same(f, shown):
    simple = simplify(f)
    if shown is not None:
        assert repr(simple) == shown
    for at in (-1.3, 0.0, 0.4, 2.5):
        assert simple.evaluate(x=at) == pytest.approx(f.evaluate(x=at), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_the_rewrite_keeps_values_also_where_it_is_longer(seed):
    rng = np.random.default_rng(seed)
    a, b = (float(v) for v in rng.integers(-3, 4, 2))
    u, v = x * a + s, x * a + s * b + 1
    terms = [2 * norm_pdf(u) * exp(-x), -x * norm_pdf(v) * exp(s), norm_pdf(v) * s**2, x * s]
    e = add(terms)
    gap = normals._gap(u, v)
    assert gap is not None
    found = normals._joined(e, u, v, gap)
    assert found is not None
    assert "norm_pdf" in str(found)
    for at in rng.uniform(-1, 1, (3, 2)):
        given = dict(zip("xs", at, strict=True))
        given = {name: given[name] for name in "xs" if name in {q.name for q in e.symbols}}
        assert found.evaluate(**given) == pytest.approx(e.evaluate(**given), rel=1e-12)
