"""Probit losses as people type them, where Φ is 0 or 1 in float64, against mpmath."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import parse

# Values and derivatives are of size 1 to 1e6; scipy's log_ndtr has errors of a few units in the
# last place, and second derivatives cancel up to two digits more per digit of the margin.
CLOSE = 1e-12
CLOSE_IN_SECOND = {5.0: 1e-12, 40.0: 1e-11, 300.0: 1e-9}

TEXTS = [
    ("log(norm_cdf(z))", lambda z: mpmath.log(mpmath.ncdf(z))),
    ("log(1 - norm_cdf(z))", lambda z: mpmath.log(mpmath.ncdf(-z))),
    ("-y*log(norm_cdf(z)) - (1 - y)*log(1 - norm_cdf(z))",
     lambda z: -0.25 * mpmath.log(mpmath.ncdf(z)) - 0.75 * mpmath.log(mpmath.ncdf(-z))),
    ("norm_pdf(z)/norm_cdf(z)", lambda z: mpmath.npdf(z) / mpmath.ncdf(z)),
    ("norm_pdf(z)/(1 - norm_cdf(z))", lambda z: mpmath.npdf(z) / mpmath.ncdf(-z)),
]  # fmt: skip


# Terms of derivatives of the ratio as it is typed cancel; those of log(norm_cdf(z)) do not.
CASES = [
    (text, exact, order)
    for text, exact in TEXTS
    for order in (range(3) if "log" in text else range(1))
]


@pytest.mark.parametrize("margin", [-300.0, -40.0, -5.0, 0.5, 5.0, 40.0, 300.0])
@pytest.mark.parametrize(("text", "exact", "order"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_against_mpmath(text, exact, margin, order):
    f = parse(text, z="scalar", y="scalar")
    found = [f, f.gradient("z"), f.hessian("z")][order]
    with mpmath.workdps(400 if abs(margin) > 100 else 60):
        right = float(mpmath.diff(exact, mpmath.mpf(margin), order))
    values = {"z": margin, "y": 0.25}
    given = {symbol.name: values[symbol.name] for symbol in found.symbols}
    close = CLOSE if order < 2 else CLOSE_IN_SECOND.get(abs(margin), CLOSE)
    for value in (found.evaluate(**given), found.compile()(**given)):
        # Below 1e-300 the smallest numbers of float64 have fewer digits.
        assert float(value) == pytest.approx(right, rel=close, abs=1e-290)


def test_a_loss_over_rows_in_both_tails():
    loss = parse(
        "-sum(y*log(norm_cdf(X@b)) + (1 - y)*log(1 - norm_cdf(X@b)))", X="n,p", b="p", y="n"
    )
    X, y = np.array([[60.0], [-60.0], [1.0]]), np.array([0.0, 1.0, 1.0])
    G = loss.gradient("b")
    found = G.compile()(X=X, b=np.array([1.0]), y=y)
    with mpmath.workdps(60):
        terms = [(-1 if label else 1) * row * mpmath.npdf(row) / mpmath.ncdf(row if label else -row)
                 for row, label in zip(X[:, 0], y, strict=True)]  # fmt: skip
        right = float(mpmath.fsum(terms))
    assert found[0] == pytest.approx(right, rel=CLOSE)
