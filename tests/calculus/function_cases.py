"""Expressions whose outermost node is one of `core.function_nodes`, for the tests of rules."""

from __future__ import annotations

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Differential

a, b = mc.scalar("a"), mc.scalar("b")
x, y = mc.vector("x", "n"), mc.vector("y", "n")
A, B, C = (mc.matrix(name, "n", "n") for name in "ABC")
X, Z = mc.matrix("X", "m", "n"), mc.matrix("Z", "m", "n")
S = mc.matrix("S", "n", "n", symmetric=True)
# A matrix with eigenvalues that are positive, whatever A is.
M = A @ A.T + mc.eye("n")

FUNCTION_CASES: dict[type[Expression], list[Expression]] = {
    F.Polygamma: [mc.polygamma(1, a * a + 0.5), mc.polygamma(2, X * X + 0.5)],
    F.Pairwise: [
        mc.maximum(a, b),
        mc.maximum(x, 0.75 * y),
        mc.minimum(X, Z),
        mc.minimum(x * x, 1.5),
        mc.hypot(a, b),
        mc.hypot(X, 2 * Z),
    ],
    F.Where: [
        mc.where(a > b, a * b, b**2),
        mc.where(x >= y, mc.sin(x), x * y),
        mc.where(X < 1, X * Z, 3),
        mc.where(a > 0.9, X, X * Z),
    ],
    F.Largest: [mc.amax(x), mc.amax(X * Z)],
    F.Hardmax: [mc.hardmax(x), mc.hardmax(X * Z)],
    F.NuclearNorm: [mc.norm(X, "nuc"), mc.norm(A @ B, "nuc"), mc.norm(X.T, "nuc")],
    F.Pinv: [mc.pinv(X), mc.pinv(X * Z), mc.pinv(x)],
    F.MatrixFunction: [mc.expm(A), mc.expm(S), mc.sqrtm(M), mc.logm(M), mc.expm(0.5 * A @ B)],
    F.Eigenvalues: [mc.eigvalsh(S), mc.eigvalsh(X @ X.T), mc.eigvalsh((A + A.T) / 2)],
    F.Eigenvectors: [mc.eigvecsh(S), mc.eigvecsh((A + A.T) / 2)],
    F.ReciprocalGaps: [mc.reciprocal_gaps(x), mc.reciprocal_gaps(x * y)],
}

# First derivatives alone.
ONCE = {F.NuclearNorm, F.MatrixFunction}
# Nodes that only derivatives hold, and that have no derivative by all that they hold.
REFUSED = {F.Polar, F.Frechet, F.FrechetMatrix}

dA, dS = Differential(A), Differential(S)
LINEAR_FUNCTIONS: dict[type[Expression], list[tuple[Expression, Differential]]] = {
    F.Frechet: [
        (mc.expm_frechet(B, dA), dA),
        (mc.sqrtm_frechet(B @ B.T + mc.eye("n"), dA), dA),
        (mc.logm_frechet(B @ B.T + mc.eye("n"), dA), dA),
    ],
}
