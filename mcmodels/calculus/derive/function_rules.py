"""The differentials of the nodes of `core.function_nodes`: one line each, with their sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    identity,
    is_zero,
    matmul,
    ones,
    scale,
    total,
    trace,
    transpose,
    upright,
    zeros_like,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.elementwise_special import polygamma_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.matrix_functions import MATRIX_CONSTRUCTORS, frechet, slope_of
from mcmodels.calculus.core.pairwise import PAIRWISE, complement
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.core.sources import (
    ABRAMOWITZ_STEGUN,
    BOYD,
    GOLUB_PEREYRA,
    HIGHAM,
    WATSON,
)
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.core.tensors import dims_of
from mcmodels.calculus.derive.rule import DerivativeError, Rule

__all__ = ["FUNCTION_RULES", "trace_of_function"]

D = Callable[[Expression], Expression]


def _polygamma(e: Any, d: D) -> Expression:
    return hadamard([polygamma_of(e.order + 1, e.argument), d(e.argument)])


def _pairwise(e: Any, d: D) -> Expression:
    known = PAIRWISE[e.name]
    terms = []
    for child, slope in ((e.left, known.left), (e.right, known.right)):
        change = d(child)
        if not is_zero(change):
            terms.append(hadamard([slope(e.left, e.right, e), change]))
    return add(terms) if terms else zeros_like(e)


def _where(e: Any, d: D) -> Expression:
    first, second = d(e.left), d(e.right)
    chosen = elementwise("step", e.condition)
    return add([hadamard([chosen, first]), hadamard([complement(e.condition), second])])


def _largest(e: Any, d: D) -> Expression:
    if dims_of(e.argument) is not None:
        return total(hadamard([functions.hardmax(e.argument), d(e.argument)]))
    return trace(matmul([transpose(functions.hardmax(e.argument)), d(e.argument)]))


def _nuclear_norm(e: Any, d: D) -> Expression:
    return trace(matmul([transpose(functions.polar(e.argument)), d(e.argument)]))


def _polar(e: Any, d: D) -> Expression:
    if is_zero(d(e.argument)):
        return zeros_like(e)
    raise DerivativeError(
        f"{e} is the derivative of a nuclear norm, and has no derivative in closed form here: a "
        "nuclear norm has a gradient, and no Hessian. For X of full column rank, "
        "trace(sqrtm(X.T @ X)) is the same function"
    )


def _pinv(e: Any, d: D) -> Expression:
    X, P = e.argument, e
    dX = d(X)
    rows, cols = identity(X.rows), identity(X.cols)
    off_rows = add([rows, scale(-1, matmul([X, P]))])
    off_cols = add([cols, scale(-1, matmul([P, X]))])
    return add(
        [
            scale(-1, matmul([P, dX, P])),
            matmul([P, transpose(P), transpose(dX), off_rows]),
            matmul([off_cols, transpose(dX), transpose(P), P]),
        ]
    )


def _matrix_function(e: Any, d: D) -> Expression:
    return frechet(e.name, e.argument, d(e.argument))


def trace_of_function(X: F.MatrixFunction, d: D) -> Expression:
    """D tr f(X) = tr(f′(X) dX)."""
    return trace(matmul([slope_of(X.name, X.argument), d(X.argument)]))


def _frechet(e: Any, d: D) -> Expression:
    if is_zero(d(e.argument)):
        return frechet(e.name, e.argument, d(e.direction))
    raise _no_second(e)


def _frechet_matrix(e: Any, d: D) -> Expression:
    if is_zero(d(e.argument)):
        return zeros_like(e)
    raise _no_second(e)


def _no_second(e: Any) -> DerivativeError:
    return DerivativeError(
        f"{e.name}({upright(e.argument)}) has a first derivative (a gradient, a Jacobian), and no "
        f"second one in closed form here; trace({e.name}(…)) has both, and V @ diag(f(λ)) @ V.T "
        "has for a symmetric matrix, with λ = eigvalsh(S) and V = eigvecsh(S)"
    )


def _eigenvalues(e: Any, d: D) -> Expression:
    V = MATRIX_CONSTRUCTORS[F.Eigenvectors](e.argument)
    return functions.diag(matmul([transpose(V), d(e.argument), V]))


def _eigenvectors(e: Any, d: D) -> Expression:
    gaps = functions.reciprocal_gaps(MATRIX_CONSTRUCTORS[F.Eigenvalues](e.argument))
    inner = matmul([transpose(e), d(e.argument), e])
    return matmul([e, hadamard([gaps, inner])])


def _gaps(e: Any, d: D) -> Expression:
    dv = d(e.argument)
    one = ones(dv.rows, ONE)
    gap = add([matmul([one, transpose(dv)]), scale(-1, matmul([dv, transpose(one)]))])
    return scale(-1, hadamard([e, e, gap]))


FUNCTION_RULES: dict[type[Expression], Rule] = {
    F.Polygamma: Rule("polygamma", "d ψₖ(z) = ψₖ₊₁(z)∘dz", f"{ABRAMOWITZ_STEGUN}, (6.4.1)",
                      _polygamma),
    F.Pairwise: Rule("elementwise function of two", "d f(A, B) = ∂f/∂a∘dA + ∂f/∂b∘dB",
                     f"{MN}, chapter 5", _pairwise),
    F.Where: Rule("choice of entries", "d where(Z > 0, A, B) = step(Z)∘dA + (1 − step(Z))∘dB",
                  "from its definition, piece by piece", _where),
    F.Largest: Rule("largest entry", "d max(X) = tr(hardmax(X)ᵀ dX)", f"{BOYD}, 3.2.3", _largest),
    F.Hardmax: Rule("place of the largest entry", "d hardmax(X) = 0",
                    "from its definition, piece by piece", lambda e, d: zeros_like(e)),
    F.NuclearNorm: Rule("nuclear norm", "d‖X‖_* = tr((UVᵀ)ᵀ dX), X = UΣVᵀ",
                        f"{WATSON}, theorem 1", _nuclear_norm),
    F.Polar: Rule("polar factor", "refused", f"{HIGHAM}, 8.2", _polar),
    F.Pinv: Rule("pseudoinverse",
                 "dX⁺ = −X⁺ dX X⁺ + X⁺X⁺ᵀ(dX)ᵀ(I − XX⁺) + (I − X⁺X)(dX)ᵀX⁺ᵀX⁺",
                 f"{GOLUB_PEREYRA}, (4.12)", _pinv),
    F.MatrixFunction: Rule("matrix function", "d f(X) = L(X, dX); d tr f(X) = tr(f′(X) dX)",
                           f"{HIGHAM}, 3.1, 3.2", _matrix_function),
    F.Frechet: Rule("Fréchet derivative", "d L(X, E) = L(X, dE)", f"{HIGHAM}, 3.1", _frechet),
    F.FrechetMatrix: Rule("Kronecker form", "refused", f"{HIGHAM}, 3.2", _frechet_matrix),
    F.Eigenvalues: Rule("eigenvalues of a symmetric matrix", "dλ = diag(Vᵀ dS V)",
                        f"{MN}, 8.9", _eigenvalues),
    F.Eigenvectors: Rule("eigenvectors of a symmetric matrix",
                         "dV = V(G∘(Vᵀ dS V)), gᵢⱼ = 1/(λⱼ − λᵢ)", f"{MN}, 8.9", _eigenvectors),
    F.ReciprocalGaps: Rule("reciprocal gaps", "dG = −G∘G∘(1(dv)ᵀ − dv 1ᵀ), gᵢⱼ = 1/(vⱼ − vᵢ)",
                           f"{MN}, 8.2", _gaps),
}  # fmt: skip
