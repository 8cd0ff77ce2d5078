"""Functions of other languages that there are not here, and what to write for each.

What stands before " for " is written; what follows says when, or what it is.
"""

from __future__ import annotations

__all__ = ["ABSENT", "LARGEST", "REVERSED", "SMALLEST", "WITHOUT"]

REVERSED = "sum(x[j] * y[i], i, j, where=(i + j > n - 2) * (i + j < n)) for sum(x[n - 1 - i] y[i])"
_MEDIAN = ("sum(abs(x - m)) for what the median m minimises",)
_QUANTILE = ("sum(maximum(q * (x - m), (q - 1) * (x - m))) for what the q-quantile m minimises",)
_RANK = ("trace(A @ pinv(A)) for the rank",)
LARGEST = (
    "sum(amax(X[i]), i) for the sum of the largest of each row",
    "amax(X) for the largest of all",
    "logsumexp(X, axis=1) for a smooth maximum of each row",
)
SMALLEST = (
    "sum(amin(X[i]), i) for the sum of the smallest of each row",
    "amin(X) for the smallest of all",
    "-logsumexp(-X, axis=1) for a smooth minimum of each row",
)

ABSENT: dict[str, tuple[str, ...]] = {
    # for each entry
    "cbrt": ("sign(x) * abs(x) ** (1 / 3)", "x ** (1 / 3) for positive x"),
    "elu": ("where(x > 0, x, exp(x) - 1)",),
    "selu": ("1.0507 * where(x > 0, x, 1.67326 * (exp(x) - 1))",),
    "celu": ("where(x > 0, x, a * (exp(x / a) - 1))",),
    "mish": ("x * tanh(softplus(x))",),
    "hardtanh": ("clip(x, -1, 1)",),
    "hardsigmoid": ("clip(x / 6 + 1 / 2, 0, 1)",),
    "hardswish": ("x * clip(x / 6 + 1 / 2, 0, 1)",),
    "tanhshrink": ("x - tanh(x)",),
    "softshrink": ("sign(x) * relu(abs(x) - a)",),
    "softmin": ("softmax(-x)",),
    "softthreshold": ("sign(x) * relu(abs(x) - a)",),
    "hinge": ("relu(1 - y * z)",),
    "huber": ("where(abs(r) <= d, r ** 2 / 2, d * (abs(r) - d / 2))",),
    "logcosh": ("abs(x) + softplus(-2 * abs(x)) - log(2)",),
    "sinc": ("where(abs(x) > 0, sin(pi * x) / (pi * x), 1)",),
    "exp2": ("2 ** x",),
    "exp10": ("10 ** x",),
    "log1mexp": ("log(-expm1(-x)) for x above 0",),
    "logaddexp2": ("a + softplus((b - a) * log(2)) / log(2)",),
    "negative": ("-x",),
    "reciprocal": ("1 / x",),
    "deg2rad": ("x * pi / 180",),
    "radians": ("x * pi / 180",),
    "rad2deg": ("x * 180 / pi",),
    "degrees": ("x * 180 / pi",),
    "fmax": ("maximum(a, b)",),
    "fmin": ("minimum(a, b)",),
    "acot": ("arctan(1 / x) for x above 0",),
    "asec": ("arccos(1 / x)",),
    "acsc": ("arcsin(1 / x)",),
    "xlog1py": ("x * log1p(y)",),
    "entr": ("-x * log(x)",),
    "rel_entr": ("x * log(x / y)",),
    "kl_div": ("x * log(x / y) - x + y",),
    "clamp": ("clip(x, low, high)",),
    "pos": ("relu(x) for the positive part",),
    "neg": ("relu(-x) for the negative part", "-x for minus x"),
    "inv_pos": ("1 / x for positive x",),
    "lerp": ("a + t * (b - a)",),
    "boxcox": ("(x ** lam - 1) / lam",),
    **dict.fromkeys(("invlogit", "inv_logit"), ("sigmoid(x)",)),
    # factorials and their kin
    **dict.fromkeys(("factorial", "fact"), ("exp(gammaln(n + 1))",)),
    **dict.fromkeys(
        ("binom", "comb", "choose", "nchoosek", "binomial"),
        ("exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))",),
    ),
    "poch": ("exp(gammaln(x + m) - gammaln(x))",),
    "multigammaln": ("sum(gammaln(a - i / 2), i, over=n) + n * (n - 1) / 4 * log(pi)",),
    "lbeta": ("gammaln(a) + gammaln(b) - gammaln(a + b)",),
    # of all entries
    **dict.fromkeys(("median", "nanmedian"), _MEDIAN),
    **dict.fromkeys(("quantile", "percentile", "nanquantile"), _QUANTILE),
    "cumprod": ("exp(tril(ones(n, n)) @ log(x)) for positive entries",),
    "logcumsumexp": ("log(tril(ones(n, n)) @ exp(x))",),
    "ptp": ("amax(x) - amin(x)",),
    **dict.fromkeys(("trapz", "trapezoid"), ("sum((y[1:] + y[:-1]) * (x[1:] - x[:-1])) / 2",)),
    "entropy": ("-sum(p * log(p))",),
    **dict.fromkeys(("kl", "kldiv", "kullback_leibler"), ("sum(p * log(p / q))",)),
    "cosine_similarity": ("dot(x, y) / (norm(x) * norm(y))",),
    "skew": ("mean((x - mean(x)) ** 3) / mean((x - mean(x)) ** 2) ** 1.5",),
    "kurtosis": ("mean((x - mean(x)) ** 4) / mean((x - mean(x)) ** 2) ** 2",),
    "rms": ("sqrt(mean(x ** 2))",),
    "geo_mean": ("exp(mean(log(x))) for positive entries",),
    "harmonic_mean": ("1 / mean(1 / x)",),
    "tv": ("sum(abs(x[1:] - x[:-1]))",),
    "any": ("amax(x > 0)",),
    "all": ("amin(x > 0)",),
    "normalize": ("x / norm(x)",),
    "mse_loss": ("mean((x - y) ** 2)",),
    "smooth_l1_loss": ("mean(where(abs(x - y) < 1, (x - y) ** 2 / 2, abs(x - y) - 1 / 2))",),
    "binary_cross_entropy": ("-mean(y * log(p) + (1 - y) * log(1 - p))",),
    "polyval": ("sum(z[i] * x ** i, i) for the coefficient z[i] of x ** i",),
    **dict.fromkeys(("sum_entries", "reduce_sum", "total"), ("sum(X)",)),
    "reduce_mean": ("mean(X)",),
    "reduce_max": ("amax(X)",),
    "vecnorm": ("norm(X, axis=0)",),
    "colmeans": ("mean(X, axis=0)",),
    "rowmeans": ("mean(X, axis=1)",),
    "colsums": ("sum(X, axis=0)",),
    "rowsums": ("sum(X, axis=1)",),
    # of matrices
    **dict.fromkeys(("rank", "matrix_rank"), _RANK),
    "cond": ("norm(A, 2) * norm(inv(A), 2)",),
    **dict.fromkeys(("adj", "adjugate", "adjoint"), ("det(A) * inv(A) for an invertible A",)),
    **dict.fromkeys(("cof", "cofactor"), ("det(A) * inv(A).T for an invertible A",)),
    **dict.fromkeys(("trace_inv", "tr_inv"), ("trace(inv(A))",)),
    "matrix_frac": ("x.T @ inv(A) @ x",),
    "lstsq": ("pinv(A) @ y",),
    "cho_solve": ("solve(A, y) for the matrix A itself",),
    **dict.fromkeys(("roll", "circshift"), ("vstack([x[-1:], x[:-1]])",)),
    **dict.fromkeys(
        ("repeat", "tile", "repmat"),
        ("x @ ones(1, k) for x in every column", "ones(k) @ x.T for x in every row"),
    ),
    "tensordot": ("einsum('ij,jk->ik', A, B)",),
    "multi_dot": ("A @ B @ C",),
    "crossprod": ("X.T @ X",),
    "tcrossprod": ("X @ X.T",),
    "blkdiag": ("block([[A, zeros(n, n)], [zeros(n, n), B]])",),
    "block_diag": ("block([[A, zeros(n, n)], [zeros(n, n), B]])",),
    "flip": (REVERSED,),
    "flipud": (REVERSED,),
    # constants, as matrixcalculus.org and NumPy write them
    "vector": ("ones(n) for a vector of ones", "zeros(n) for one of zeros"),
    "matrix": ("ones(m, n) for a matrix of ones", "zeros(m, n) for one of zeros"),
    "ones_like": ("ones(n) for a vector", "ones(m, n) for a matrix"),
    "zeros_like": ("zeros(n) for a vector", "zeros(m, n) for a matrix"),
    "full": ("c * ones(m, n)",),
    "full_like": ("c * ones(m, n)",),
    "diagflat": ("diag(x)",),
    "tri": ("tril(ones(n, n))",),
    # distributions
    "stats": ("norm_pdf(x) for the standard normal", "norm_cdf(x) for its distribution"),
    "logpdf": ("-x ** 2 / 2 - log(2 * pi) / 2 for the standard normal",),
    "pdf": ("norm_pdf(x) for the standard normal",),
    "cdf": ("norm_cdf(x) for the standard normal",),
}

# Of these nothing is written: they have no derivative, or none in closed form.
WITHOUT: dict[str, str] = {
    **dict.fromkeys(
        ("floor", "ceil", "round", "rint", "trunc", "fix"),
        "it is constant between jumps; take what it gives as a symbol of its own",
    ),
    **dict.fromkeys(
        ("mod", "fmod", "remainder"), "write x - k * m, with the whole number k as a symbol"
    ),
    **dict.fromkeys(
        ("argmax", "argmin", "argsort", "nonzero", "count_nonzero"),
        "its values are places, which have no derivative; hardmax(x) is 1 at the largest entry",
    ),
    **dict.fromkeys(
        ("sort", "partition", "unique", "mode"),
        "the order of entries is not known before there are values; amax(x) and amin(x) are there",
    ),
    **dict.fromkeys(
        ("cholesky", "chol", "lu", "qr", "schur", "null", "orth"),
        "factors are declared as symbols: L lower_triangular for S = L @ L.T, Q orthogonal",
    ),
    **dict.fromkeys(
        ("rand", "randn", "random", "normal", "uniform"),
        "random numbers are no expression; take them as a symbol of their own",
    ),
    **dict.fromkeys(
        ("fft", "ifft", "rfft", "convolve", "conv", "interp", "gradient"),
        "it is linear: declare its matrix F, and write F @ x",
    ),
    **dict.fromkeys(
        ("erfinv", "ppf", "norminv", "qnorm", "ndtri", "probit"),
        "there is no inverse here: declare y, with erf(y) = x or norm_cdf(y) = p",
    ),
    **dict.fromkeys(
        ("nansum", "nanmean", "nanstd", "nanvar", "nan_to_num", "isnan"),
        "missing values have no place in an expression; leave them out of what is given",
    ),
    **dict.fromkeys(
        ("array", "asarray", "tensor"),
        "numbers are given to evaluate as the values of a symbol; vstack puts vectors together",
    ),
    **dict.fromkeys(
        ("arange", "linspace"),
        "write i in a sum over an index, as in sum(i * x[i], i), or take it as a symbol of its own",
    ),
    **dict.fromkeys(("real", "imag", "conj", "angle"), "all numbers are real here"),
    "lambertw": "there is no inverse here: declare y, with y * exp(y) = x",
    **dict.fromkeys(("cross",), "write the three entries, as in a[1] * b[2] - a[2] * b[1]"),
}
