"""Special functions of SciPy that can be differentiated.

SciPy's ufuncs, such as ``scipy.special.expit``, may be called directly. The functions here also
include those that are not ufuncs (``logsumexp``, ``softmax``, ``polygamma``, ``zeta``). Of plain
arrays they return what SciPy's functions return.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from scipy.special import (
    beta,
    betainc,
    betaincc,
    betaincinv,
    betaln,
    binom,
    boxcox,
    boxcox1p,
    cbrt,
    chdtr,
    chdtrc,
    cosdg,
    cosm1,
    ellipe,
    ellipk,
    entr,
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfi,
    erfinv,
    exp1,
    exp2,
    exp10,
    expi,
    expit,
    expm1,
    exprel,
    gamma,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    gammaln,
    huber,
    hyp1f1,
    hyp2f1,
    i0,
    i0e,
    i1,
    i1e,
    inv_boxcox,
    iv,
    ive,
    j0,
    j1,
    jv,
    k0,
    k0e,
    k1,
    k1e,
    kl_div,
    kn,
    kv,
    kve,
    log1p,
    log_expit,
    log_ndtr,
    loggamma,
    logit,
    ndtr,
    ndtri,
    ndtri_exp,
    pdtr,
    pdtrc,
    poch,
    pseudo_huber,
    psi,
    rel_entr,
    rgamma,
    sindg,
    spence,
    stdtr,
    stdtrit,
    tandg,
    xlog1py,
    xlogy,
    y0,
    y1,
    yn,
    yv,
)

from mcmodels.autodiff.rules.weighted_logsumexp import sign_of_sum
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import constant

__all__ = [
    "beta",
    "betainc",
    "betaincc",
    "betaincinv",
    "betaln",
    "binom",
    "boxcox",
    "boxcox1p",
    "cbrt",
    "chdtr",
    "chdtrc",
    "cosdg",
    "cosm1",
    "digamma",
    "ellipe",
    "ellipk",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "exp1",
    "exp2",
    "exp10",
    "expi",
    "expit",
    "expm1",
    "exprel",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammainccinv",
    "gammaincinv",
    "gammaln",
    "huber",
    "hyp1f1",
    "hyp2f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "inv_boxcox",
    "iv",
    "ive",
    "j0",
    "j1",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kl_div",
    "kn",
    "kv",
    "kve",
    "log1p",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "ndtri_exp",
    "pdtr",
    "pdtrc",
    "poch",
    "polygamma",
    "pseudo_huber",
    "psi",
    "rel_entr",
    "rgamma",
    "sindg",
    "softmax",
    "spence",
    "stdtr",
    "stdtrit",
    "tandg",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "yv",
    "zeta",
]

digamma = psi


def softmax(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """``eˣ / Σ eˣ``.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes along which the result sums to one; None stands for all.

    Returns
    -------
    ndarray, the shape of x

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> special.softmax(x).round(6)
    array([0.090031, 0.244728, 0.665241])
    >>> grad(lambda x: special.softmax(x)[0])(x).round(6)
    array([ 0.081925, -0.022033, -0.059892])
    """
    return call("softmax", x, axis=axis)


def logsumexp(
    x: Any,
    axis: int | tuple[int, ...] | None = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Any:
    """``log Σ eˣ``, or with weights b ``log Σ b eˣ``.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes to sum over; None stands for all.
    b : array-like, optional
        Weights, which broadcast with x. They may be 0, which leaves a term out, or negative.
    keepdims : bool, default=False
        Whether the axes summed over are kept, with length one.
    return_sign : bool, default=False
        Whether the sign of the sum is returned, too; the logarithm is then that of its absolute
        value.

    Returns
    -------
    ndarray or float
        With ``return_sign`` a pair of the logarithm and the sign.

    Raises
    ------
    ValueError
        If the sum is negative, and ``return_sign`` is False.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> grad(special.logsumexp)(x).round(6)
    array([0.090031, 0.244728, 0.665241])
    """
    if b is None:
        value = call("logsumexp", x, axis=axis, keepdims=keepdims)
        return (value, np.ones(shape_of(value))) if return_sign else value
    value = call("weighted_logsumexp", x, b, axis=axis, keepdims=keepdims)
    sign = sign_of_sum(x, b, axis, keepdims)
    if return_sign:
        return value, sign
    if np.any(sign < 0):
        raise ValueError(
            "logsumexp: the sum Σ b exp(x) is negative, and has no logarithm; return_sign=True "
            "gives that of its absolute value, and its sign."
        )
    return value


def log_softmax(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """``x - log Σ eˣ``, the logarithm of :func:`softmax`.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes along which the probabilities sum to one; None stands for all.

    Returns
    -------
    ndarray, the shape of x

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> grad(lambda x: special.log_softmax(x)[0])(x).round(6)
    array([ 0.909969, -0.244728, -0.665241])
    """
    return x - logsumexp(x, axis=axis, keepdims=True)


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of the digamma function.

    Parameters
    ----------
    n : int
        Order; 0 is :func:`digamma`.
    x : array-like
        The points.

    Returns
    -------
    ndarray, the shape of x

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> grad(lambda x: np.sum(special.polygamma(1, x)))(np.array([1.0, 2.0])).round(6)
    array([-2.404114, -0.404114])
    """
    return call("polygamma", n, x)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function.

    ``d(d - 1)/4 log π + Σ log Γ(a - j/2)`` over j = 0, …, d - 1: Muirhead (1982), *Aspects of
    Multivariate Statistical Theory*, Theorem 2.1.12.

    Parameters
    ----------
    a : array-like
        The points, greater than (d - 1)/2.
    d : int
        The dimension.

    Returns
    -------
    ndarray, the shape of a

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> grad(lambda a: special.multigammaln(a, 2))(3.0).round(6)
    np.float64(1.625941)
    """
    d = operator.index(d)
    if np.any(np.asarray(constant(a)) <= 0.5 * (d - 1)):
        raise ValueError(f"multigammaln needs a > (d - 1)/2; found {constant(a)} with d = {d}.")
    total = sum(gammaln(a - 0.5 * j) for j in range(1, d))
    return gammaln(a) + total + 0.25 * d * (d - 1) * math.log(math.pi)


def zeta(x: Any, q: Any = 1.0) -> Any:
    """The Hurwitz zeta function ``Σ (k + q)⁻ˣ`` over k = 0, 1, …; Riemann's for q = 1.

    Parameters
    ----------
    x : array-like
        The exponents, greater than 1. The derivative by them has no rule.
    q : array-like, default=1.0
        The shifts, greater than 0.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, special
    >>> special.zeta(2.0).round(6)
    np.float64(1.644934)
    >>> grad(lambda q: special.zeta(2.0, q))(1.0).round(6)
    np.float64(-2.404114)
    """
    return call("zeta", x, q)
