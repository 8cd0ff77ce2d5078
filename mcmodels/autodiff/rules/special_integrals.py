"""Rules of the incomplete integrals of SciPy, their inverses, and of functions near them.

Identities: NIST Digital Library of Mathematical Functions, §5.12 (beta), §6 (exponential
integrals), §7 (error functions), §8 (incomplete gamma and beta), §13.3, 15.5 (hypergeometric),
25.11 (zeta); Huber (1964), *Robust estimation of a location parameter*, for ``huber``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.polygamma import zeta
from mcmodels.autodiff.rules.refused import no_closed_form
from mcmodels.autodiff.tables import add, call, elementwise
from mcmodels.autodiff.tracing import constant

_ROOT_2 = math.sqrt(2.0)
_FAR = 30.0
_ROOT_PI = math.sqrt(math.pi)


def _gamma_density(a: Any, x: Any) -> Any:
    return call("gamma_density", a, x)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return call("beta_density", a, b, x)


def _divisor(density: Any, y: Any) -> Any:
    """The density at y; 1 where y is 0, whatever the parameter is."""
    zero = np.asarray(constant(y)) == 0
    return np.where(zero, 1.0, density) if np.any(zero) else density


def _student_density(df: Any, x: Any) -> Any:
    """The density of Student's t: ``(1 + x²/ν)^(-(ν + 1)/2) / (√ν B(ν/2, ½))``."""
    return np.exp(
        -0.5 * (df + 1) * np.log1p(x * x / df) - 0.5 * np.log(df) - sp.betaln(0.5 * df, 0.5)
    )


def _student_by_df(df: Any, x: Any) -> Any:
    """The derivative by ν of Student's F, which is ``½ I(ν/2, ½, ν/(ν + x²))`` for x < 0."""
    total = df + x * x
    w = df / total
    of_w = np.abs(x) * np.exp((0.5 * df - 1) * np.log(w) - sp.betaln(0.5 * df, 0.5)) * total**-1.5
    of_a = 0.5 * call("lower_beta_moment", 1, 0, 0.5 * df, 0.5, w)
    return -np.sign(constant(x)) * 0.5 * (of_a + of_w)


def slope_of_exprel(u: Any) -> Any:
    """The derivative of ``(eᵘ - 1)/u``, ``(eᵘ(u - 1) + 1)/u²``, which is ½ ₁F₁(2, 3, u) near zero.

    SciPy's series of ₁F₁ has as many terms as u is large: at 1e18 it does not come back.
    """
    is_far = np.abs(constant(u)) > _FAR
    far, near = np.where(is_far, u, _FAR), np.where(is_far, 0.0, u)
    quotient = (np.exp(far) * (1 - 1 / far) + 1 / far) / far
    return np.where(is_far, quotient, 0.5 * sp.hyp1f1(2.0, 3.0, near))


def _unknown(ufunc: np.ufunc, *arguments: str) -> list[Any]:
    return [no_closed_form(f"scipy.special.{ufunc.__name__}", name) for name in arguments]


def _inside(delta: Any, r: Any) -> Any:
    return np.abs(constant(r)) <= constant(delta)


def _hypotenuse(delta: Any, r: Any) -> Any:
    return np.hypot(1.0, r / delta)


def _pseudo_huber_slope(delta: Any, r: Any) -> Any:
    """``r/s``, whose slope ``1/s³`` keeps its digits where r is large."""
    return r / _hypotenuse(delta, r)


_pseudo_huber_slope.__name__ = "pseudo_huber_slope"


add(
    elementwise(
        sp.beta,
        "d B(a, b) = B(a, b)((ψ(a) - ψ(a + b)) da + (ψ(b) - ψ(a + b)) db)",
        lambda t, y, a, b: t * (y * (sp.psi(a) - sp.psi(a + b))),
        lambda t, y, a, b: t * (y * (sp.psi(b) - sp.psi(a + b))),
    ),
    elementwise(
        sp.gammainc,
        "d P(a, x) = C₁ da + xᵃ⁻¹e⁻ˣ/Γ(a) dx, C₁ = ∫₀ˣ (log t - ψ(a)) tᵃ⁻¹e⁻ᵗ/Γ(a) dt",
        lambda t, y, a, x: t * call("lower_gamma_moment", 1, a, x),
        lambda t, y, a, x: t * _gamma_density(a, x),
    ),
    elementwise(
        sp.gammaincc,
        "d Q(a, x) = -xᵃ⁻¹e⁻ˣ/Γ(a) dx",
        lambda t, y, a, x: t * call("upper_gamma_moment", 1, a, x),
        lambda t, y, a, x: -t * _gamma_density(a, x),
    ),
    elementwise(
        sp.gammaincinv,
        "d y = dp Γ(a) y¹⁻ᵃeʸ, the inverse of P(a, y) = p",
        lambda t, y, a, p: (
            -t * (call("lower_gamma_moment", 1, a, y) / _divisor(_gamma_density(a, y), y))
        ),
        lambda t, y, a, p: t / _gamma_density(a, y),
    ),
    elementwise(
        sp.gammainccinv,
        "d y = -dp Γ(a) y¹⁻ᵃeʸ, the inverse of Q(a, y) = p",
        lambda t, y, a, p: (
            t * (call("upper_gamma_moment", 1, a, y) / _divisor(_gamma_density(a, y), y))
        ),
        lambda t, y, a, p: -t / _gamma_density(a, y),
    ),
    elementwise(
        sp.betainc,
        "d I(a, b, x) = xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b) dx",
        lambda t, y, a, b, x: t * call("lower_beta_moment", 1, 0, a, b, x),
        lambda t, y, a, b, x: t * call("lower_beta_moment", 0, 1, a, b, x),
        lambda t, y, a, b, x: t * _beta_density(a, b, x),
    ),
    elementwise(
        sp.betaincc,
        "d(1 - I(a, b, x)) = -xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b) dx",
        lambda t, y, a, b, x: t * call("lower_beta_moment", 0, 1, b, a, 1 - x),
        lambda t, y, a, b, x: t * call("lower_beta_moment", 1, 0, b, a, 1 - x),
        lambda t, y, a, b, x: -t * _beta_density(a, b, x),
    ),
    elementwise(
        sp.betaincinv,
        "d y = dp B(a, b) y¹⁻ᵃ(1 - y)¹⁻ᵇ, the inverse of I(a, b, y) = p",
        lambda t, y, a, b, p: (
            -t * (call("lower_beta_moment", 1, 0, a, b, y) / _beta_density(a, b, y))
        ),
        lambda t, y, a, b, p: (
            -t * (call("lower_beta_moment", 0, 1, a, b, y) / _beta_density(a, b, y))
        ),
        lambda t, y, a, b, p: t / _beta_density(a, b, y),
    ),
    elementwise(
        sp.stdtr,
        "d F(ν, x) = (1 + x²/ν)^(-(ν + 1)/2)/(√ν B(ν/2, ½)) dx",
        lambda t, y, df, x: t * _student_by_df(df, x),
        lambda t, y, df, x: t * _student_density(df, x),
    ),
    elementwise(
        sp.stdtrit,
        "d y = dp √ν B(ν/2, ½)(1 + y²/ν)^((ν + 1)/2), the inverse of F(ν, y) = p",
        lambda t, y, df, p: -t * (_student_by_df(df, y) / _student_density(df, y)),
        lambda t, y, df, p: t / _student_density(df, y),
    ),
    elementwise(
        sp.chdtr,
        "d P(v/2, x/2) = ½ (x/2)^(v/2 - 1)e^(-x/2)/Γ(v/2) dx",
        lambda t, y, v, x: t * (0.5 * call("lower_gamma_moment", 1, 0.5 * v, 0.5 * x)),
        lambda t, y, v, x: t * (0.5 * _gamma_density(0.5 * v, 0.5 * x)),
    ),
    elementwise(
        sp.chdtrc,
        "d Q(v/2, x/2) = -½ (x/2)^(v/2 - 1)e^(-x/2)/Γ(v/2) dx",
        lambda t, y, v, x: t * (0.5 * call("upper_gamma_moment", 1, 0.5 * v, 0.5 * x)),
        lambda t, y, v, x: -t * (0.5 * _gamma_density(0.5 * v, 0.5 * x)),
    ),
    elementwise(
        sp.erfcx,
        "d eˣ²erfc x = -√2 r₀(-√2 x) eˣ²erfc x dx, r₀ = x + φ/Φ",
        lambda t, y, x: -t * (_ROOT_2 * y * call("mills_moment_ratio", 0, -_ROOT_2 * x)),
    ),
    elementwise(
        sp.erfi, "d erfi x = 2/√π e^(x²) dx", lambda t, y, x: t * (2 / _ROOT_PI * np.exp(x * x))
    ),
    elementwise(
        sp.erfcinv,
        "d erfc⁻¹x = -√π/2 e^(y²) dx",
        lambda t, y, x: -t * (_ROOT_PI / 2 * np.exp(y * y)),
    ),
    elementwise(
        sp.ndtri_exp,
        "d y = dp Φ(y)/φ(y), the inverse of log Φ(y) = p",
        lambda t, y, p: t / call("inverse_mills", y),
    ),
    elementwise(sp.exp1, "d E₁(x) = -e⁻ˣ/x dx", lambda t, y, x: -t * (np.exp(-x) / x)),
    elementwise(sp.expi, "d Ei(x) = eˣ/x dx", lambda t, y, x: t * (np.exp(x) / x)),
    elementwise(sp.cosm1, "d(cos x - 1) = -sin x dx", lambda t, y, x: -t * np.sin(x)),
    elementwise(
        sp.exprel,
        "d (eˣ - 1)/x = ½ ₁F₁(2, 3, x) dx",
        lambda t, y, x: t * slope_of_exprel(x),
    ),
    elementwise(
        sp.hyp1f1,
        "d ₁F₁(a, b, x) = a/b ₁F₁(a + 1, b + 1, x) dx",
        *_unknown(sp.hyp1f1, "a", "b"),
        lambda t, y, a, b, x: t * (a / b * sp.hyp1f1(a + 1, b + 1, x)),
    ),
    elementwise(
        sp.hyp2f1,
        "d ₂F₁(a, b, c, x) = ab/c ₂F₁(a + 1, b + 1, c + 1, x) dx",
        *_unknown(sp.hyp2f1, "a", "b", "c"),
        lambda t, y, a, b, c, x: t * (a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, x)),
    ),
    elementwise(
        sp.poch,
        "d (x)ₙ = (x)ₙ((ψ(x + n) - ψ(x)) dx + ψ(x + n) dn)",
        lambda t, y, x, n: t * (y * (sp.psi(x + n) - sp.psi(x))),
        lambda t, y, x, n: t * (y * sp.psi(x + n)),
    ),
    elementwise(
        sp.binom,
        "d C(n, k) = C(n, k)((ψ(n + 1) - ψ(n - k + 1)) dn + (ψ(n - k + 1) - ψ(k + 1)) dk)",
        lambda t, y, n, k: t * (y * (sp.psi(n + 1) - sp.psi(n - k + 1))),
        lambda t, y, n, k: t * (y * (sp.psi(n - k + 1) - sp.psi(k + 1))),
    ),
    elementwise(
        sp.kl_div,
        "d(x log(x/y) - x + y) = log(x/y) dx + (1 - x/y) dy",
        lambda t, z, x, y: t * np.log(x / y),
        lambda t, z, x, y: t * (1 - x / y),
    ),
    elementwise(
        sp.huber,
        "d h = [|r| > δ](|r| - δ) dδ + (r where |r| ≤ δ, δ sign(r) elsewhere) dr",
        lambda t, y, delta, r: (
            t * np.where(_inside(delta, r), 0.0, r * np.sign(constant(r)) - delta)
        ),
        lambda t, y, delta, r: t * np.where(_inside(delta, r), r, delta * np.sign(constant(r))),
    ),
    elementwise(
        sp.pseudo_huber,
        "d δ²(s - 1) = (r/δ)⁴ δ/(s(s + 1)²) dδ + r/s dr, s = √(1 + (r/δ)²)",
        lambda t, y, delta, r: (
            t
            * (
                (r / delta) ** 4
                * delta
                / (_hypotenuse(delta, r) * (1 + _hypotenuse(delta, r)) ** 2)
            )
        ),
        lambda t, y, delta, r: t * call("pseudo_huber_slope", delta, r),
    ),
)
_, _of_zeta = elementwise(
    zeta,
    "d ζ(x, q) = -x ζ(x + 1, q) dq",
    no_closed_form("special.zeta", "x"),
    lambda t, y, x, q: -t * (x * call("zeta", x + 1, q)),
)
add(("zeta", _of_zeta))
_, _of_pseudo_huber_slope = elementwise(
    _pseudo_huber_slope,
    "d(r/s) = (r/δ)³/s³ dδ + 1/s³ dr, s = √(1 + (r/δ)²)",
    lambda t, y, delta, r: t * (y / delta) ** 3,
    lambda t, y, delta, r: t * _hypotenuse(delta, r) ** -3,
)
add(("pseudo_huber_slope", _of_pseudo_huber_slope))
