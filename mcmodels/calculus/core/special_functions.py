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
    """log(1 + x) of each entry, which must be above -1; exact for small ones.

    Examples
    --------
    >>> from mcmodels.calculus import log1p, sum, vector
    >>> x = vector("x", "n")
    >>> sum(log1p(x)).gradient(x)
    1 ⊘ (1 + x)
    """
    return elementwise("log1p", as_expression(x))


def expm1(x: Any) -> Expression:
    """exp(x) - 1 of each entry; exact for small ones.

    Examples
    --------
    >>> from mcmodels.calculus import expm1, sum, vector
    >>> x = vector("x", "n")
    >>> sum(expm1(x)).gradient(x)
    exp(x)
    """
    return elementwise("expm1", as_expression(x))


def tan(x: Any) -> Expression:
    """The tangent of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import sum, tan, vector
    >>> x = vector("x", "n")
    >>> sum(tan(x)).gradient(x)
    1 + tan(x)^∘2
    """
    return elementwise("tan", as_expression(x))


def arcsin(x: Any) -> Expression:
    """The inverse sine of each entry, which must be between -1 and 1.

    Examples
    --------
    >>> from mcmodels.calculus import arcsin, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arcsin(x)).gradient(x)
    1 ⊘ √(1 − x^∘2)
    """
    return elementwise("arcsin", as_expression(x))


def arccos(x: Any) -> Expression:
    """The inverse cosine of each entry, which must be between -1 and 1.

    Examples
    --------
    >>> from mcmodels.calculus import arccos, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arccos(x)).gradient(x)
    −1 ⊘ √(1 − x^∘2)
    """
    return elementwise("arccos", as_expression(x))


def arctan(x: Any) -> Expression:
    """The inverse tangent of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import arctan, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arctan(x)).gradient(x)
    1 ⊘ (1 + x^∘2)
    """
    return elementwise("arctan", as_expression(x))


def sinh(x: Any) -> Expression:
    """The hyperbolic sine of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import sinh, sum, vector
    >>> x = vector("x", "n")
    >>> sum(sinh(x)).gradient(x)
    cosh(x)
    """
    return elementwise("sinh", as_expression(x))


def cosh(x: Any) -> Expression:
    """The hyperbolic cosine of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import cosh, sum, vector
    >>> x = vector("x", "n")
    >>> sum(cosh(x)).gradient(x)
    sinh(x)
    """
    return elementwise("cosh", as_expression(x))


def arcsinh(x: Any) -> Expression:
    """The inverse hyperbolic sine of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import arcsinh, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arcsinh(x)).gradient(x)
    1 ⊘ √(1 + x^∘2)
    """
    return elementwise("arcsinh", as_expression(x))


def arccosh(x: Any) -> Expression:
    """The inverse hyperbolic cosine of each entry, which must be at least 1.

    Examples
    --------
    >>> from mcmodels.calculus import arccosh, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arccosh(x)).gradient(x)
    1 ⊘ √(x^∘2 − 1)
    """
    return elementwise("arccosh", as_expression(x))


def arctanh(x: Any) -> Expression:
    """The inverse hyperbolic tangent of each entry, which must be between -1 and 1.

    Examples
    --------
    >>> from mcmodels.calculus import arctanh, sum, vector
    >>> x = vector("x", "n")
    >>> sum(arctanh(x)).gradient(x)
    1 ⊘ (1 − x^∘2)
    """
    return elementwise("arctanh", as_expression(x))


def erf(x: Any) -> Expression:
    """The error function, 2/√π times the integral of exp(-t²) from 0, of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import erf, sum, vector
    >>> x = vector("x", "n")
    >>> sum(erf(x)).gradient(x)
    2√2 φ(√2 x)
    """
    return elementwise("erf", as_expression(x))


def erfc(x: Any) -> Expression:
    """1 - erf(x) of each entry; exact where that is small.

    Examples
    --------
    >>> from mcmodels.calculus import erfc, sum, vector
    >>> x = vector("x", "n")
    >>> sum(erfc(x)).gradient(x)
    −2√2 φ(√2 x)
    """
    return elementwise("erfc", as_expression(x))


def norm_cdf(x: Any) -> Expression:
    """Φ, the distribution function of the standard normal, of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import norm_cdf, sum, vector
    >>> x = vector("x", "n")
    >>> sum(norm_cdf(x)).gradient(x)
    φ(x)
    """
    return elementwise("norm_cdf", as_expression(x))


def norm_pdf(x: Any) -> Expression:
    """φ, the density of the standard normal, of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import norm_pdf, sum, vector
    >>> x = vector("x", "n")
    >>> sum(norm_pdf(x)).gradient(x)
    −x ∘ φ(x)
    """
    return elementwise("norm_pdf", as_expression(x))


def norm_logcdf(x: Any) -> Expression:
    """``log Φ(x)`` of each entry, also where Φ underflows.

    Examples
    --------
    >>> from mcmodels.calculus import norm_logcdf, sum, vector
    >>> x = vector("x", "n")
    >>> sum(norm_logcdf(x)).gradient(x)
    inverse_mills(x)
    """
    return elementwise("norm_logcdf", as_expression(x))


def inverse_mills(x: Any) -> Expression:
    """φ(x)/Φ(x), the derivative of log Φ, of each entry, also where both underflow.

    Examples
    --------
    >>> from mcmodels.calculus import inverse_mills, sum, vector
    >>> x = vector("x", "n")
    >>> sum(inverse_mills(x)).gradient(x)
    −inverse_mills(x) ∘ inverse_mills_gap(x)
    """
    return elementwise("inverse_mills", as_expression(x))


def inverse_mills_gap(x: Any) -> Expression:
    """``x + φ(x)/Φ(x)`` of each entry, also where the two cancel.

    Examples
    --------
    >>> from mcmodels.calculus import inverse_mills_gap, sum, vector
    >>> x = vector("x", "n")
    >>> sum(inverse_mills_gap(x)).gradient(x)
    1 − inverse_mills_gap(x) ∘ inverse_mills(x)
    """
    return elementwise("inverse_mills_gap", as_expression(x))


def gammaln(x: Any) -> Expression:
    """log|Γ(x)| of each entry, which must not be 0 or a negative whole number.

    Examples
    --------
    >>> from mcmodels.calculus import gammaln, sum, vector
    >>> x = vector("x", "n")
    >>> sum(gammaln(x)).gradient(x)
    digamma(x)
    """
    return elementwise("gammaln", as_expression(x))


def digamma(x: Any) -> Expression:
    """The derivative of `gammaln` of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import digamma, sum, vector
    >>> x = vector("x", "n")
    >>> sum(digamma(x)).gradient(x)
    polygamma(1, x)
    """
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

    Examples
    --------
    >>> from mcmodels.calculus import digamma, polygamma, sum, vector
    >>> x = vector("x", "n")
    >>> sum(digamma(x)).gradient(x) == polygamma(1, x)
    True
    """
    if isinstance(k, bool) or not hasattr(k, "__index__") or k.__index__() < 0:
        raise ShapeError(f"the order of polygamma is a whole number of at least 0; found {k}")
    return polygamma_of(k.__index__(), as_expression(x))


def gelu(x: Any) -> Expression:
    """``x Φ(x)`` of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import gelu, sum, vector
    >>> x = vector("x", "n")
    >>> sum(gelu(x)).gradient(x)
    Φ(x) + x ∘ φ(x)
    """
    return elementwise("gelu", as_expression(x))
