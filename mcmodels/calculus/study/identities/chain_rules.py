"""Chain rules: a composite along one path, and along several paths that meet."""

from mcmodels.calculus.core.functions import exp, log, matrix, norm, sigmoid, sin, sum, tanh, vector
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Chain rules"

_x = vector("x", "n")
_A, _B, _S = matrix("A", "m", "n"), matrix("B", "m", "n"), matrix("S", "n", "n", symmetric=True)

IDENTITIES = (
    Identity(
        "one path, f(z) with z = Ax",
        _THEME,
        sum(exp(_A @ _x)),
        _x,
        f"{MN}, chapter 5",
        remark="∂f/∂x = Jᵀ ∂f/∂z with the Jacobian J = A, ∂f/∂z = exp(z).",
    ),
    Identity(
        "one path, f(z) with z = tanh(Ax)",
        _THEME,
        norm(tanh(_A @ _x)) ** 2,
        _x,
        f"{MN}, chapter 5",
        remark="∂f/∂x = Jᵀ ∂f/∂z with J = diag(1 − z∘z)A, ∂f/∂z = 2z.",
    ),
    Identity(
        "one path through a scalar, f(z) with z = xᵀSx",
        _THEME,
        log(1 + _x.T @ _S @ _x),
        _x,
        f"{MN}, chapter 5",
        remark="∂f/∂x = f′(z) ∂z/∂x, with f′(z) = 1/(1 + z).",
    ),
    Identity(
        "two paths, uᵀv with u = Ax, v = Bx",
        _THEME,
        (_A @ _x).T @ (_B @ _x),
        _x,
        f"{MN}, chapter 5",
        remark="∂f/∂x = Aᵀ ∂f/∂u + Bᵀ ∂f/∂v with ∂f/∂u = v, ∂f/∂v = u.",
    ),
    Identity(
        "two paths, uᵀv with u = exp(x), v = sin(x)",
        _THEME,
        exp(_x).T @ sin(_x),
        _x,
        f"{MN}, chapter 5",
        remark="The two paths give u′∘v and u∘v′.",
    ),
    Identity(
        "two paths, uᵀv with u = σ(Ax), v = tanh(Bx)",
        _THEME,
        sigmoid(_A @ _x).T @ tanh(_B @ _x),
        _x,
        f"{MN}, chapter 5",
        order=1,
        remark="Each path gives its Jacobian, transposed, times the other factor.",
    ),
)
