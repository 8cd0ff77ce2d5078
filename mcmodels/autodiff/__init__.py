"""Derivatives of functions written in NumPy: the rules of the calculus, run by machine.

``grad``, ``value_and_grad``, ``jvp``, ``vjp``, ``jacobian``, ``hessian`` and
``hessian_vector_product`` take ordinary NumPy code, and may be nested in each other. The rules are
the tables in :mod:`mcmodels.autodiff.rules`; :mod:`mcmodels.autodiff.special` holds special
functions.

Some habits of NumPy code are not followed. Reverse mode reads the arrays that a function used once
more when it has ended: a buffer that was overwritten meanwhile gives a wrong gradient. ``x += 1``
makes a new array of a traced x, so other names of the old one do not see the change. And
``np.array([a, b])`` of traced numbers is an array of objects, whose functions NumPy may write with
comparisons: ``np.sign`` of it is 0 in every derivative, and ties are not told. Use ``np.stack``.
"""

from mcmodels.autodiff import special
from mcmodels.autodiff.tracing import NoRuleError, constant
from mcmodels.autodiff.transforms import (
    grad,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from mcmodels.user_warnings import NonDifferentiableWarning

__all__ = [
    "NoRuleError",
    "NonDifferentiableWarning",
    "constant",
    "grad",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "special",
    "value_and_grad",
    "vjp",
]
