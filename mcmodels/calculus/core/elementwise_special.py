"""Further functions of each entry: one line each, with derivative and source.

``norm_pdf`` and ``inverse_mills`` are derivatives of others: φ of Φ, and φ/Φ of log Φ. The
difference of ``inverse_mills(z)`` and ``-z`` has a name of its own, because both are large and
nearly equal where z is far below zero.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mcmodels.calculus.core.arithmetic import power, scale
from mcmodels.calculus.core.elementwise_base import ElementwiseFunction, elementwise
from mcmodels.calculus.core.function_nodes import Polygamma
from mcmodels.calculus.core.nodes import Transpose
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sources import ABRAMOWITZ_STEGUN as AS

if TYPE_CHECKING:
    from mcmodels.calculus.core.expression import Expression

__all__ = ["SPECIAL", "polygamma_of"]

_HALF = number(Fraction(1, 2))
_MINUS_HALF = number(Fraction(-1, 2))
_ROOT_OF_2 = power(number(2), _HALF)


def _erf_slope(z: Expression) -> Expression:
    """2 exp(−z²)/√π, written as 2√2 φ(√2 z)."""
    return scale(2, _ROOT_OF_2, elementwise("norm_pdf", scale(_ROOT_OF_2, z)))


def _inverse_root(z: Expression) -> Expression:
    return power(z, _MINUS_HALF)


_MILLS = "0.7978845608028654 / special.erfcx(-0.7071067811865476 * ({0}))"
# Far below zero, the continued fraction of Mills' ratio, whose error is of order z⁻⁶ there.
_FAR = "np.maximum(-({0}), 1)"
_MILLS_GAP = f"np.where({{0}} < -200, 1 / ({_FAR} + 2 / ({_FAR} + 3 / {_FAR})), {{0}} + {_MILLS})"

SPECIAL = {
    function.name: function
    for function in (
        ElementwiseFunction("log1p", "log1p′(z) = 1/(1 + z)", f"{AS}, (4.1.46)",
                            lambda z, y: 1 / (1 + z), "np.log1p({})"),
        ElementwiseFunction("expm1", "expm1′ = exp", f"{AS}, (4.2.49)",
                            lambda z, y: elementwise("exp", z), "np.expm1({})"),
        ElementwiseFunction("tan", "tan′ = 1 + tan²", f"{AS}, (4.3.107)",
                            lambda z, y: 1 + y**2, "np.tan({})"),
        ElementwiseFunction("arcsin", "arcsin′(z) = 1/√(1 − z²)", f"{AS}, (4.4.52)",
                            lambda z, y: _inverse_root(1 - z**2), "np.arcsin({})"),
        ElementwiseFunction("arccos", "arccos′(z) = −1/√(1 − z²)", f"{AS}, (4.4.53)",
                            lambda z, y: -_inverse_root(1 - z**2), "np.arccos({})"),
        ElementwiseFunction("arctan", "arctan′(z) = 1/(1 + z²)", f"{AS}, (4.4.54)",
                            lambda z, y: 1 / (1 + z**2), "np.arctan({})"),
        ElementwiseFunction("sinh", "sinh′ = cosh", f"{AS}, (4.5.71)",
                            lambda z, y: elementwise("cosh", z), "np.sinh({})"),
        ElementwiseFunction("cosh", "cosh′ = sinh", f"{AS}, (4.5.72)",
                            lambda z, y: elementwise("sinh", z), "np.cosh({})"),
        ElementwiseFunction("arcsinh", "arcsinh′(z) = 1/√(1 + z²)", f"{AS}, (4.6.37)",
                            lambda z, y: _inverse_root(1 + z**2), "np.arcsinh({})"),
        ElementwiseFunction("arccosh", "arccosh′(z) = 1/√(z² − 1)", f"{AS}, (4.6.38)",
                            lambda z, y: _inverse_root(z**2 - 1), "np.arccosh({})"),
        ElementwiseFunction("arctanh", "arctanh′(z) = 1/(1 − z²)", f"{AS}, (4.6.39)",
                            lambda z, y: 1 / (1 - z**2), "np.arctanh({})"),
        ElementwiseFunction("erf", "erf′(z) = 2 exp(−z²)/√π = 2√2 φ(√2 z)", f"{AS}, (7.1.19)",
                            lambda z, y: _erf_slope(z), "special.erf({})"),
        ElementwiseFunction("erfc", "erfc′(z) = −2 exp(−z²)/√π = −2√2 φ(√2 z)",
                            f"{AS}, (7.1.2), (7.1.19)",
                            lambda z, y: -_erf_slope(z), "special.erfc({})"),
        ElementwiseFunction("norm_cdf", "Φ′ = φ", f"{AS}, (26.2.2)",
                            lambda z, y: elementwise("norm_pdf", z), "special.ndtr({})"),
        ElementwiseFunction("norm_pdf", "φ′(z) = −zφ(z)", f"{AS}, (26.2.1)",
                            lambda z, y: -z * y,
                            "0.3989422804014327 * np.exp(-0.5 * np.square({}))"),
        ElementwiseFunction("norm_logcdf", "(log Φ)′ = φ/Φ, the inverse Mills ratio",
                            f"{AS}, (26.2.1), (26.2.2)",
                            lambda z, y: elementwise("inverse_mills", z), "special.log_ndtr({})"),
        ElementwiseFunction("inverse_mills", "(φ/Φ)′ = −(φ/Φ)(z + φ/Φ)",
                            f"{AS}, (26.2.1), (26.2.2)",
                            lambda z, y: -y * elementwise("inverse_mills_gap", z), _MILLS),
        ElementwiseFunction("inverse_mills_gap", "(z + φ/Φ)′ = 1 − (φ/Φ)(z + φ/Φ)",
                            f"{AS}, (26.2.1), (26.2.2)",
                            lambda z, y: 1 - y * elementwise("inverse_mills", z), _MILLS_GAP),
        ElementwiseFunction("gammaln", "(log|Γ|)′ = digamma", f"{AS}, (6.3.1)",
                            lambda z, y: elementwise("digamma", z), "special.gammaln({})"),
        ElementwiseFunction("digamma", "digamma′ = polygamma of order 1", f"{AS}, (6.4.1)",
                            lambda z, y: polygamma_of(1, z), "special.digamma({})"),
        ElementwiseFunction("gelu", "gelu′(z) = Φ(z) + zφ(z), of gelu(z) = zΦ(z)",
                            "Hendrycks & Gimpel (2016), section 2",
                            lambda z, y: elementwise("norm_cdf", z)
                            + z * elementwise("norm_pdf", z),
                            "{0} * special.ndtr({0})"),
    )
}  # fmt: skip


def polygamma_of(order: int, z: Expression) -> Expression:
    """The derivative of an order of digamma, which is that of order 0."""
    if order == 0:
        return elementwise("digamma", z)
    if isinstance(z, Transpose):
        return Transpose(polygamma_of(order, z.argument))
    return Polygamma(order, z)
