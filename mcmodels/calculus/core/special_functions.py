"""What users write for functions of each entry beyond the elementary ones."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.elementwise_special import polygamma_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ShapeError

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cosh",
    "digamma",
    "erf",
    "erfc",
    "expm1",
    "gammaln",
    "gelu",
    "inverse_mills",
    "inverse_mills_gap",
    "log1p",
    "norm_cdf",
    "norm_logcdf",
    "norm_pdf",
    "polygamma",
    "sinh",
    "tan",
]


def log1p(x: Any) -> Expression:
    """log(1 + x) of each entry, which must be above -1; exact for small ones."""
    return elementwise("log1p", as_expression(x))


def expm1(x: Any) -> Expression:
    """exp(x) - 1 of each entry; exact for small ones."""
    return elementwise("expm1", as_expression(x))


def tan(x: Any) -> Expression:
    """The tangent of each entry."""
    return elementwise("tan", as_expression(x))


def arcsin(x: Any) -> Expression:
    """The inverse sine of each entry, which must be between -1 and 1."""
    return elementwise("arcsin", as_expression(x))


def arccos(x: Any) -> Expression:
    """The inverse cosine of each entry, which must be between -1 and 1."""
    return elementwise("arccos", as_expression(x))


def arctan(x: Any) -> Expression:
    """The inverse tangent of each entry."""
    return elementwise("arctan", as_expression(x))


def sinh(x: Any) -> Expression:
    """The hyperbolic sine of each entry."""
    return elementwise("sinh", as_expression(x))


def cosh(x: Any) -> Expression:
    """The hyperbolic cosine of each entry."""
    return elementwise("cosh", as_expression(x))


def arcsinh(x: Any) -> Expression:
    """The inverse hyperbolic sine of each entry."""
    return elementwise("arcsinh", as_expression(x))


def arccosh(x: Any) -> Expression:
    """The inverse hyperbolic cosine of each entry, which must be at least 1."""
    return elementwise("arccosh", as_expression(x))


def arctanh(x: Any) -> Expression:
    """The inverse hyperbolic tangent of each entry, which must be between -1 and 1."""
    return elementwise("arctanh", as_expression(x))


def erf(x: Any) -> Expression:
    """The error function, 2/√π times the integral of exp(-t²) from 0, of each entry."""
    return elementwise("erf", as_expression(x))


def erfc(x: Any) -> Expression:
    """1 - erf(x) of each entry; exact where that is small."""
    return elementwise("erfc", as_expression(x))


def norm_cdf(x: Any) -> Expression:
    """Φ, the distribution function of the standard normal, of each entry."""
    return elementwise("norm_cdf", as_expression(x))


def norm_pdf(x: Any) -> Expression:
    """φ, the density of the standard normal, of each entry."""
    return elementwise("norm_pdf", as_expression(x))


def norm_logcdf(x: Any) -> Expression:
    """Log Φ of each entry, also where Φ underflows."""
    return elementwise("norm_logcdf", as_expression(x))


def inverse_mills(x: Any) -> Expression:
    """φ(x)/Φ(x), the derivative of log Φ, of each entry, also where both underflow."""
    return elementwise("inverse_mills", as_expression(x))


def inverse_mills_gap(x: Any) -> Expression:
    """X + φ(x)/Φ(x) of each entry, also where the two cancel."""
    return elementwise("inverse_mills_gap", as_expression(x))


def gammaln(x: Any) -> Expression:
    """log|Γ(x)| of each entry, which must not be 0 or a negative whole number."""
    return elementwise("gammaln", as_expression(x))


def digamma(x: Any) -> Expression:
    """The derivative of `gammaln` of each entry."""
    return elementwise("digamma", as_expression(x))


def polygamma(k: Any, x: Any) -> Expression:
    """The k-th derivative of `digamma` of each entry.

    Parameters
    ----------
    k : int
        The order; 0 is `digamma` itself.
    x : Expression

    Returns
    -------
    Expression
        Of the shape of ``x``.

    Raises
    ------
    ShapeError
        If the order is no whole number, or negative.
    """
    if isinstance(k, bool) or not hasattr(k, "__index__") or k.__index__() < 0:
        raise ShapeError(f"the order of polygamma is a whole number of at least 0; found {k}")
    return polygamma_of(k.__index__(), as_expression(x))


def gelu(x: Any) -> Expression:
    """X Φ(x) of each entry."""
    return elementwise("gelu", as_expression(x))
