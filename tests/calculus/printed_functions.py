"""Expressions with the functions of `core.function_nodes`, and how they are printed."""

from __future__ import annotations

from mcmodels.calculus.core import functions as mc

x, y, b = mc.vector("x", "n"), mc.vector("y", "n"), mc.vector("b", "m")
A, B, M = mc.matrix("A", "n", "n"), mc.matrix("B", "n", "n"), mc.matrix("M", "m", "n")
S = mc.matrix("S", "n", "n", symmetric=True)
c, lam = mc.scalar("c"), mc.scalar("lam")

# fmt: off
FUNCTIONS_PLAIN = [
    (mc.log1p(x) + mc.expm1(x), "log1p(x) + expm1(x)"),
    (mc.norm_cdf(x) * mc.norm_pdf(x), "Φ(x) ∘ φ(x)"),
    (mc.norm_cdf(c) * (c + 1), "Φ(c) (c + 1)"),
    (mc.scalar("Phi") * (c + 1), "Φ (c + 1)"),
    (mc.gammaln(c) + mc.digamma(c), "gammaln(c) + digamma(c)"),
    (mc.polygamma(1, x), "polygamma(1, x)"),
    (mc.maximum(x, y), "max(x, y)"),
    (mc.minimum(x, 0.5), "min(x, ½)"),
    (mc.clip(x, 0, 1), "min(max(x, 0), 1)"),
    (mc.hypot(x, y), "hypot(x, y)"),
    (mc.where(x > y, x, 0), "where(x > y, x, 0)"),
    (mc.where(x <= 0, -x, A @ y), "where(x > 0, Ay, −x)"),
    (mc.where(x > 1, x ** 2, c), "where(x > 1, x^∘2, c)"),
    (mc.where(c > lam, c, 1), "where(c > λ, c, 1)"),
    (mc.amax(mc.abs(x)), "max(|x|)"),
    (mc.hardmax(x), "hardmax(x)"),
    (mc.norm(M, "nuc"), "‖M‖_*"),
    (mc.norm(x, 3), "sum(|x|^∘3)^(1/3)"),
    (mc.polar(M), "polar(M)"),
    (mc.pinv(M) @ b, "M⁺b"),
    (mc.pinv(M).T, "(M⁺)ᵀ"),
    (mc.expm(A).T, "expm(A)ᵀ"),
    (mc.inv(mc.sqrtm(S)), "sqrtm(S)⁻¹"),
    (mc.expm_frechet(A, B), "expm_frechet(A, B)"),
    (mc.logm_frechet_matrix(A), "logm_frechet_matrix(A)"),
    (mc.eigvalsh(S), "eigvalsh(S)"),
    (mc.eigvecsh(S) @ x, "eigvecsh(S) x"),
    (mc.reciprocal_gaps(x), "reciprocal_gaps(x)"),
]

FUNCTIONS_LATEX = [
    (mc.arcsin(x) + mc.sinh(x), r"\arcsin(x) + \sinh(x)"),
    (mc.norm_cdf(c) * (c + 1), r"\Phi(c) (c + 1)"),
    (mc.scalar("Phi") * (c + 1), r"\Phi \, (c + 1)"),
    (mc.norm_logcdf(x), r"\operatorname{norm\_logcdf}(x)"),
    (mc.polygamma(1, x), r"\operatorname{polygamma}(1, x)"),
    (mc.minimum(x, 0.5), r"\min\left(x, \frac{1}{2}\right)"),
    (mc.where(x > y, x, 0), r"\operatorname{where}(x > y, x, 0)"),
    (mc.amax(mc.abs(x)), r"\max(\left| x \right|)"),
    (mc.hardmax(x), r"\operatorname{hardmax}(x)"),
    (mc.norm(M, "nuc") ** 2, r"\left\| M \right\|_{*}^{2}"),
    (mc.polar(M), r"\operatorname{polar}(M)"),
    (mc.pinv(M) @ b, "M^{+} b"),
    (mc.expm(A).T, r"\operatorname{expm}(A)^{\top}"),
    (mc.expm_frechet(A, B), r"\operatorname{expm\_frechet}(A, B)"),
    (mc.logm_frechet_matrix(A), r"\operatorname{logm\_frechet\_matrix}(A)"),
    (mc.eigvecsh(S) @ mc.eigvalsh(S), r"\operatorname{eigvecsh}(S) \operatorname{eigvalsh}(S)"),
    (mc.reciprocal_gaps(x), r"\operatorname{reciprocal\_gaps}(x)"),
]
# fmt: on
