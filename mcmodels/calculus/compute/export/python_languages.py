"""JAX and PyTorch."""

from __future__ import annotations

from functools import partial

from mcmodels.calculus.compute.export.language import (
    PHI_AT_0,
    ROOT_2_OVER_PI,
    ROOT_HALF,
    Language,
    of_each,
)

__all__ = ["JAX", "TORCH"]

_KEYWORDS = (
    "False None True and as assert async await break class continue def del elif else except "
    "finally for from global if import in is lambda nonlocal not or pass raise return try while "
    "with yield float int len range"
)

_FUNCTIONS = (
    "exp log sin cos tanh abs sign sqrt log1p expm1 tan arcsin arccos arctan sinh cosh arcsinh "
    "arccosh arctanh"
)

# Functions that both have under one name, with the module in place of §.
_SAME = {
    **of_each(_FUNCTIONS, "§.#({0})"),
    "maximum": "§.maximum({0}, {1})",
    "minimum": "§.minimum({0}, {1})",
    "hypot": "§.hypot({0}, {1})",
    "where": "§.where({g0} > 0, {1}, {2})",
    "solve": "§.linalg.solve({0}, {1})",
    "inv": "§.linalg.inv({0})",
    "det": "§.linalg.det({0})",
    "logdet": "§.linalg.slogdet({0})[1]",
    "positive_logdet": "positive_logdet({0})",
    "matrix_power": "§.linalg.matrix_power({0}, int({1}))",
    "pinv": "§.linalg.pinv({0})",
    "nuclear_norm": "§.linalg.svdvals({0}).sum()",
    "polar": "polar({0})",
    "trace": "§.trace({0})",
    "total": "{g0}.sum()",
    "norm": "§.sqrt(({g0} ** 2).sum())",
    "kron": "§.kron({0}, {1})",
    "transpose": "{g0}.T",
    "matmul": "@",
    "only": "{g0}[0, 0]",
    "all": ":",
    "take": "{0}[{1}, {2}]",
    "column": "{0}.reshape(-1, 1)",
    "line": "{g0}.reshape(-1)",
    "rows": "{0}.shape[0]",
    "cols": "{0}.shape[1]",
    "vec": "{g0}.T.reshape(-1, 1)",
    "unvec": "{g0}.reshape({n}, {m}).T",
    "diagonal": "§.diagonal({0}).reshape(-1, 1)",
    "scale_rows": "~{g0} * {g1}",
    "block_sum": "block_sum({0}, {1})",
    "block_trace": "block_trace({0}, {1})",
    "hardmax": "hardmax({0})",
    "eigvalsh": "§.linalg.eigvalsh({0}).reshape(-1, 1)",
    "eigvecsh": "eigvecsh({0})",
    "reciprocal_gaps": "reciprocal_gaps({0})",
    "norm_pdf": f"~{PHI_AT_0} * §.exp(-0.5 * {{g0}} ** 2)",
    "inverse_mills": "inverse_mills({0})",
    "inverse_mills_gap": "inverse_mills_gap({0})",
    "einsum": "§.einsum({0})",
    "reshape": "{g0}.reshape({1})",
    "length": "{0}.shape[{1}]",
    "pi": "3.141592653589793",
    "e": "2.718281828459045",
}

_SAME_HELPERS = {
    "positive_logdet": """\
def positive_logdet(X):
    sign, value = §.linalg.slogdet(X)
    return §.where(sign > 0, value, §.nan)""",
    "polar": """\
def polar(X):
    u, s, vt = §.linalg.svd(X, full_matrices=False)
    return §.where(s[-1] > 1e-14 * s[0], u @ vt, §.nan)""",
    "block_sum": """\
def block_sum(C, A):
    m, n = A.shape
    blocks = C.reshape(m, C.shape[0] // m, n, C.shape[1] // n)
    return §.einsum("ij,ikjl->kl", A, blocks)""",
    "block_trace": """\
def block_trace(C, B):
    m, n = B.shape
    blocks = C.reshape(C.shape[0] // m, m, C.shape[1] // n, n)
    return §.einsum("kl,ikjl->ij", B, blocks)""",
    "far_gap": """\
def far_gap(z):
    x = §.where(z < -4, -z, 4 + 0 * z)
    fraction = x
    for k in range(60, 1, -1):
        fraction = x + k / fraction
    return 1 / fraction""",
    "inverse_mills_gap": """\
def inverse_mills_gap(z):
    return §.where(z < -4, far_gap(z), z + inverse_mills(z))""",
    # Below zero JAX has wrong values, and PyTorch counts up to nine one by one: DLMF (5.15.6).
    "reflected_polygamma": """\
def reflected_polygamma(k, z):
    outer = polygamma_above(k, §.where(z > 0, z, 1 - z))
    nearest = §.round(z)
    near = §.where(z > 0, 0.5, §.abs(z - nearest))
    r, rest = §.where(z < nearest, 1 - near, near), §.where(z < nearest, near, 1 - near)
    inner = polygamma_above(k, r) - (-1) ** k * polygamma_above(k, rest)
    return §.where(z > 0, outer, inner + (-1) ** k * outer)""",
    "eigvecsh": """\
def eigvecsh(S):
    values, vectors = §.linalg.eigh(S)
    rows = §.argmax(§.abs(vectors), 0)
    vectors = vectors * §.sign(vectors[rows, §.arange(len(S)LIKE)])
    repeated = (values[1:] - values[:-1] <= 1e-12 * §.abs(values).max()).any()
    return §.where(repeated, §.nan, vectors)""",
    "reciprocal_gaps": """\
def reciprocal_gaps(v):
    gaps = v.reshape(1, -1) - v
    return §.where(EYE(gaps) > 0, 0 * gaps, 1 / (gaps + EYE(gaps)))""",
    "frechet": """\
def frechet(function, A, E):
    n = len(A)
    above = §.concatenate([A, E], 1)
    below = §.concatenate([0 * A, A], 1)
    return function(§.concatenate([above, below], 0))[:n, n:]""",
    "frechet_matrix": """\
def frechet_matrix(function, A):
    n = len(A)
    units = §.eye(n * nLIKE)
    columns = [frechet(function, A, unit.reshape(n, n).T).T.reshape(-1, 1) for unit in units]
    return §.concatenate(columns, 1)""",
}


def _with(module: str, like: str, eye: str, templates: dict[str, str]) -> dict[str, str]:
    return {
        name: text.replace("§", module).replace("LIKE", like).replace("EYE(gaps)", eye)
        for name, text in templates.items()
    }


_python = partial(
    Language,
    opening="def f({arguments}):",
    closing="",
    space="\n\n\n",
    assign="{} = {}",
    give="return {}",
    times=("*", "*"),
    over=("/", "/"),
    power=("**", "**"),
    plus=("+", "+"),
    divide_sizes="({}) // {}",
    reserved=_KEYWORDS,
)

JAX = _python(
    title="JAX",
    templates={
        **_with("jnp", "", "jnp.eye(len(v))", _SAME),
        "eye": "jnp.eye({n})",
        "ones": "jnp.ones(({m}, {n}))",
        "zeros": "jnp.zeros(({m}, {n}))",
        "commutation": "commutation({m}, {n})",
        "diagonal_selection": "diagonal_selection({n})",
        "triangle": "jnp.tri({n})",
        "duplication": "duplication({n})",
        "elimination": "elimination({n})",
        "as_array": "jnp.asarray(1.0 * {g0})",
        "one_by_one": "jnp.reshape({0}, (1, 1))",
        "side_by_side": "jnp.concatenate([{0}], axis=1)",
        "below": "jnp.concatenate([{0}], axis=0)",
        "diagonal_matrix": "jnp.diag({g0}.reshape(-1))",
        "sigmoid": "special.expit({0})",
        "softplus": "jnp.logaddexp(0, {0})",
        "relu": "jnp.maximum({0}, 0)",
        "step": "jnp.heaviside({0}, 0)",
        "frechet": "frechet(expm, {1}, {2})",
        "frechet_matrix": "frechet_matrix(expm, {1})",
        "amax": "jnp.max({0})",
        "softmax": "jax.nn.softmax({0}, axis=0)",
        "softmax_rows": "jax.nn.softmax({0}, axis=1)",
        "log_sum_exp": "special.logsumexp({0})",
        "log_sum_exp_rows": "special.logsumexp({0}, axis=1, keepdims=True)",
        "erf": "special.erf({0})",
        "erfc": "special.erfc({0})",
        "norm_cdf": "special.ndtr({0})",
        "norm_logcdf": "special.log_ndtr({0})",
        "gammaln": "special.gammaln({0})",
        "digamma": "special.digamma({0})",
        "polygamma": "reflected_polygamma({0}, {1})",
        "gelu": "~{g0} * special.ndtr({0})",
        "expm": "expm({0})",
    },
    helpers={
        **_with("jnp", "", "jnp.eye(len(v))", _SAME_HELPERS),
        "polygamma_above": """\
def polygamma_above(k, z):
    return special.polygamma(k, z)""",
        "inverse_mills": f"""\
def inverse_mills(z):
    near = {PHI_AT_0} * jnp.exp(-0.5 * z**2) / special.ndtr(jnp.maximum(z, -5))
    return jnp.where(z < -4, far_gap(z) - z, near)""",
        "commutation": """\
def commutation(m, n):
    return jnp.eye(m * n)[jnp.arange(m * n).reshape(n, m).T.reshape(-1)]""",
        "diagonal_selection": """\
def diagonal_selection(n):
    return jnp.eye(n * n)[:, :: n + 1]""",
        "duplication": """\
def duplication(n):
    cols, rows = jnp.triu_indices(n)
    below = jnp.eye(n * n)[cols * n + rows]
    return jnp.maximum(below, jnp.eye(n * n)[rows * n + cols]).T""",
        "elimination": """\
def elimination(n):
    cols, rows = jnp.triu_indices(n)
    return jnp.eye(n * n)[cols * n + rows]""",
        "hardmax": """\
def hardmax(X):
    return (jnp.arange(X.size) == jnp.argmax(X)).reshape(X.shape) * 1.0""",
    },
    imports={
        "jax.nn": "import jax",
        "jnp.": "import jax.numpy as jnp",
        "special.": "from jax.scipy import special",
        "expm": "from jax.scipy.linalg import expm",
    },
)

TORCH = _python(
    title="PyTorch",
    templates={
        **_with("torch", "", "torch.eye(len(v)).to(v)", _SAME),
        "like": 'like = {{"dtype": {0}.dtype, "device": {0}.device}}',
        "like_nothing": 'like = {{"dtype": torch.float64}}',
        "eye": "torch.eye({n}, **like)",
        "ones": "torch.ones({m}, {n}, **like)",
        "zeros": "torch.zeros({m}, {n}, **like)",
        "commutation": "commutation({m}, {n}, like)",
        "diagonal_selection": "torch.eye({n} * {n}, **like)[:, :: {n} + 1]",
        "triangle": "torch.tril(torch.ones({n}, {n}, **like))",
        "duplication": "duplication({n}, like)",
        "elimination": "elimination({n}, like)",
        "as_array": "torch.as_tensor({0}, **like)",
        "one_by_one": "torch.as_tensor({0}, **like).reshape(1, 1)",
        "side_by_side": "torch.cat([{0}], 1)",
        "below": "torch.cat([{0}], 0)",
        "diagonal_matrix": "torch.diag({g0}.reshape(-1))",
        "sigmoid": "torch.sigmoid({0})",
        "softplus": "softplus({0})",
        "relu": "torch.relu({0})",
        "step": "step({0})",
        "amax": "torch.max({0})",
        "softmax": "torch.softmax({0}, 0)",
        "softmax_rows": "torch.softmax({0}, 1)",
        "log_sum_exp": "torch.logsumexp({0}, (0, 1))",
        "log_sum_exp_rows": "torch.logsumexp({0}, 1, keepdim=True)",
        "erf": "torch.erf({0})",
        "erfc": "torch.erfc({0})",
        "norm_cdf": "torch.special.ndtr({0})",
        "norm_logcdf": "torch.special.log_ndtr({0})",
        "gammaln": "torch.lgamma({0})",
        "digamma": "torch.digamma({0})",
        "polygamma": "reflected_polygamma({0}, {1})",
        "gelu": "~{g0} * torch.special.ndtr({0})",
        "expm": "torch.matrix_exp({0})",
        "kron": "kron({0}, {1})",
        "frechet": "frechet(torch.matrix_exp, {1}, {2})",
        "frechet_matrix": "frechet_matrix(torch.matrix_exp, {1})",
    },
    helpers={
        **_with(
            "torch", ", dtype=A.dtype, device=A.device", "torch.eye(len(v)).to(v)", _SAME_HELPERS
        ),
        "inverse_mills": f"""\
def inverse_mills(z):
    return {ROOT_2_OVER_PI} / torch.special.erfcx(-{ROOT_HALF} * z)""",
        "eigvecsh": """\
def eigvecsh(S):
    values, vectors = torch.linalg.eigh(S)
    rows = torch.argmax(torch.abs(vectors), 0)
    vectors = vectors * torch.sign(vectors[rows, torch.arange(len(S), device=S.device)])
    repeated = (values[1:] - values[:-1] <= 1e-12 * torch.abs(values).max()).any()
    return torch.where(repeated, torch.nan, vectors)""",
        # torch.polygamma of order 1 has nine digits.
        "polygamma_above": """\
def polygamma_above(k, z):
    factor = -1.0
    for i in range(1, k + 1):
        factor = -i * factor
    return factor * torch.special.zeta(k + 1.0, z)""",
        # torch.kron fails for columns whose strides are those of their transposes, as of solve.
        "kron": """\
def kron(A, B):
    (m, n), (p, q) = A.shape, B.shape
    return (A.reshape(m, 1, n, 1) * B.reshape(1, p, 1, q)).reshape(m * p, n * q)""",
        "softplus": """\
def softplus(z):
    return torch.logaddexp(torch.zeros_like(z), z)""",
        "step": """\
def step(z):
    return (z > 0).to(z.dtype)""",
        "commutation": """\
def commutation(m, n, like):
    return torch.eye(m * n, **like)[torch.arange(m * n).reshape(n, m).T.reshape(-1)]""",
        "duplication": """\
def duplication(n, like):
    cols, rows = torch.triu_indices(n, n)
    below = torch.eye(n * n, **like)[cols * n + rows]
    return torch.maximum(below, torch.eye(n * n, **like)[rows * n + cols]).T""",
        "elimination": """\
def elimination(n, like):
    cols, rows = torch.triu_indices(n, n)
    return torch.eye(n * n, **like)[cols * n + rows]""",
        "hardmax": """\
def hardmax(X):
    place = torch.arange(X.numel(), device=X.device) == torch.argmax(X)
    return place.reshape(X.shape).to(X.dtype)""",
    },
    imports={"torch.": "import torch"},
    reserved=_KEYWORDS + " like",
)
