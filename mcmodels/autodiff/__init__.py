"""Automatic differentiation: derivatives of functions written in NumPy.

``grad``, ``value_and_grad``, ``jvp``, ``vjp``, ``jacobian``, ``hessian`` and
``hessian_vector_product`` take ordinary NumPy code, and may be nested in each other. ``vmap`` maps
over rows, ``rule`` gives a function its derivative, ``checkpoint`` saves memory, and
``sparse_jacobian`` sweeps. The rules are the tables in :mod:`mcmodels.autodiff.rules`.
:mod:`mcmodels.autodiff.special`, ``linalg``, ``stats``, ``signal``, ``integrate`` and
``optimize`` have what SciPy does not let us follow.

Some patterns of NumPy code need care. Reverse mode reads the arrays that a function used again
after the function has returned: it copies small ones, and refuses large ones that were overwritten,
as far as a sample of their entries shows it. ``x += 1`` changes x under all its names, but not what
x is a view of, nor views of x.
A traced value is no instance of ``np.ndarray`` or ``float``: code that asks takes the other branch.
``np.array([a, b])`` of traced numbers is an array of objects, and NumPy computes some functions of
it by Python's comparisons: the derivative of ``np.sign`` is 0 there instead of an error, and ties
are not warned about. Use ``np.stack``, or ``np.array`` of :mod:`mcmodels.autodiff.numpy`, a NumPy
whose arrays can be filled by index.
"""

from mcmodels.autodiff import (  # noqa: F401  (in_place adds functions)
    in_place,
    linalg,
    numpy,
    special,
    stats,
)
from mcmodels.autodiff.checkpoints import checkpoint
from mcmodels.autodiff.constants import constant
from mcmodels.autodiff.mapping import vmap
from mcmodels.autodiff.own_rules import rule
from mcmodels.autodiff.second_derivatives import hessian, hessian_vector_product
from mcmodels.autodiff.sparse_jacobians import sparse_jacobian
from mcmodels.autodiff.tracing import NoRuleError
from mcmodels.autodiff.transforms import grad, jacobian, jvp, value_and_grad, vjp
from mcmodels.user_warnings import NonDifferentiableWarning

__all__ = [
    "NoRuleError",
    "NonDifferentiableWarning",
    "checkpoint",
    "constant",
    "grad",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "linalg",
    "numpy",
    "rule",
    "sparse_jacobian",
    "special",
    "stats",
    "value_and_grad",
    "vjp",
    "vmap",
]
