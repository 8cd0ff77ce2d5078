"""What to write for names and signs that have no meaning in an expression."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Collection

from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.text.absent_functions import ABSENT, LARGEST, SMALLEST, WITHOUT
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.numpy_calls import divides_by_one_less, is_module
from mcmodels.calculus.text.numpy_functions import name_of_function
from mcmodels.calculus.text.numpy_stacks import name_of_stack

__all__ = [
    "SIGNS",
    "WORDS",
    "for_attribute",
    "for_function",
    "for_options",
    "how_called",
    "is_named_as_function",
]

SIGNS = {
    "^": "write ** for a power",
    "'": "write .T for a transpose",
    "’": "write .T or ' for a transpose",
    "′": "write .T or ' for a transpose",
    "−": "write - for minus",
    "·": "write @ for a matrix product, * for an elementwise one",
    "×": "write @ for a matrix product, * for an elementwise one",
    "⋅": "write @ for a matrix product, * for an elementwise one",
    "÷": "write /",
    "⊗": "write kron(A, B)",
    "∘": "write * for an elementwise product",
    "⊙": "write * for an elementwise product",
    "ᵀ": "write .T for a transpose",
    "⊤": "write .T for a transpose",
    "²": "write ** 2 for a square",
    "³": "write ** 3",
    "⁻": "write inv(A) for an inverse",
    "½": "write 1/2",
    "√": "write sqrt(x)",
    "∑": "write sum(x)",
    "‖": "write norm(x)",
    "|": "write norm(x) for ||x||, abs(x) for |x|, det(X) for a determinant",
    "&": "multiply comparisons that must both hold, as in (x > 0) * (x < 1)",
    ";": "write vstack([A, B]) for one below the other",
    "{": "write ( and ) for a group",
    "\\": "write inv(A) @ b for A⁻¹b",
    "%": "write @ for a matrix product, * for an elementwise one",
}

# Words of Python that people type, and what to write for them.
WORDS = {
    "and": SIGNS["&"],
    "if": "write where(x > 0, a, b) for a choice",
    "lambda": "write lambda_ for λ",
    "None": "a vector is a column here: write x for the column, x.T for the row",
}

# What to write for a function that there is not: all that exist of these, in this order.
_STACKS = (
    "vstack([x, y]) for vectors and for matrices one below the other",
    "hstack([A, B]) for matrices side by side",
)
_INSTEAD = {
    "Sum": ("sum(f, i) for a sum over the index i", "sum(x) for that of all entries"),
    **dict.fromkeys(("append", "concat", "row_stack", "stack"), _STACKS),
    **dict.fromkeys(("c_", "cat", "horzcat", "r_", "vertcat"), _STACKS),
    **dict.fromkeys(("length", "nrow", "shape"), ("len(X) for the number of its rows",)),
    "ncol": ("len(X.T) for the number of its columns",),
    "numel": ("len(vec(X)) for the number of its entries",),
    "abs2": ("x ** 2",),
    "absolute": ("abs(x)",),
    "average": ("mean(x)",),
    "cross_entropy": ("-t.T @ log(softmax(z))",),
    "determinant": ("det(A)",),
    "diagonal": ("diag(A)",),
    "dotproduct": ("dot(x, y)",),
    "expit": ("sigmoid(x)",),
    "fabs": ("abs(x)",),
    "frobenius": ("norm(A)",),
    "hadamard": ("a * b",),
    "heaviside": ("step(x)",),
    "identity": ("eye(n)",),
    "inner": ("dot(x, y)",),
    "inverse": ("inv(A)",),
    "invert": ("inv(A)",),
    "ln": ("log(x)",),
    "log10": ("log(x) / log(10)",),
    "log2": ("log(x) / log(2)",),
    "log_sigmoid": ("log(sigmoid(x))",),
    "log_softmax": ("log(softmax(x))",),
    "logit": ("log(p / (1 - p))",),
    "logsigmoid": ("log(sigmoid(x))",),
    "logistic": ("sigmoid(x)",),
    "matmul": ("A @ B",),
    "max": (
        "amax(x) for the largest entry",
        "maximum(a, b) for the larger of two",
        "logsumexp(x) for a smooth maximum of all entries",
    ),
    "min": (
        "amin(x) for the smallest entry",
        "minimum(a, b) for the smaller of two",
        "-logsumexp(-x) for a smooth minimum of all entries",
    ),
    "mm": ("A @ B",),
    "mse": ("mean((y - z) ** 2)",),
    "mul": ("a * b",),
    "multiply": ("a * b",),
    "mv": ("A @ x",),
    "norm1": ("sum(abs(x)) for the 1-norm",),
    "norm2": ("norm(x)",),
    "pow": ("x ** p",),
    "power": ("x ** p",),
    "prod": ("exp(sum(log(x))) for positive entries",),
    "rsqrt": ("1 / sqrt(x)",),
    "sgn": ("sign(x)",),
    "slogdet": ("logdet(A)",),
    "square": ("x ** 2",),
    "std": ("sqrt(mean((x - mean(x)) ** 2))",),
    "sumsqr": ("norm(x) ** 2",),
    "sum_squares": ("norm(x) ** 2",),
    "t": ("x.T",),
    "var": ("mean((x - mean(x)) ** 2)",),
    "vdot": ("dot(x, y)",),
    "acos": ("arccos(x)",),
    "acosh": ("arccosh(x)",),
    "arctan2": ("arctan(y / x) for positive x",),
    "asin": ("arcsin(x)",),
    "asinh": ("arcsinh(x)",),
    "atan": ("arctan(x)",),
    "atan2": ("arctan(y / x) for positive x",),
    "atanh": ("arctanh(x)",),
    "beta": ("exp(gammaln(a) + gammaln(b) - gammaln(a + b))",),
    "betaln": ("gammaln(a) + gammaln(b) - gammaln(a + b)",),
    "corrcoef": ("dot(x - mean(x), y - mean(y)) / (norm(x - mean(x)) * norm(y - mean(y)))",),
    "cot": ("1 / tan(x)",),
    "coth": ("1 / tanh(x)",),
    "cov": ("mean((x - mean(x)) * (y - mean(y))) for two vectors",),
    "csc": ("1 / sin(x)",),
    "cumsum": ("tril(ones(n, n)) @ x",),
    "diff": ("x[1:] - x[:-1]",),
    "dnorm": ("norm_pdf(x)",),
    "eig": ("eigvalsh(S) for the eigenvalues of a symmetric matrix", "eigvecsh(S) for its vectors"),
    "eigh": (
        "eigvalsh(S) for the eigenvalues of a symmetric matrix",
        "eigvecsh(S) for its vectors",
    ),
    "eigvals": ("eigvalsh(S) for a symmetric matrix",),
    **dict.fromkeys(
        ("flatten", "ravel"),
        (
            "vec(X.T) for its rows one after the other, as NumPy",
            "vec(X) for its columns one after the other",
        ),
    ),
    "fro": ("norm(A)",),
    "gamma": ("exp(gammaln(x)) for positive x",),
    "i": ("inv(A)",),
    "lambda_max": ("eigvalsh(S)[-1]",),
    "lambda_min": ("eigvalsh(S)[0]",),
    "leaky_relu": ("maximum(x, 0.01 * x)",),
    "lgamma": ("gammaln(x)",),
    "log_ndtr": ("norm_logcdf(x)",),
    "log_sum_exp": ("logsumexp(x)",),
    "logaddexp": ("a + softplus(b - a)",),
    "logcdf": ("norm_logcdf(x)",),
    "loggamma": ("gammaln(x)",),
    "newaxis": ("x for the column", "x.T for the row"),
    "ndtr": ("norm_cdf(x)",),
    "normcdf": ("norm_cdf(x)",),
    "normpdf": ("norm_pdf(x)",),
    "phi": ("norm_cdf(x) for Φ", "norm_pdf(x) for φ"),
    "pnorm": ("norm_cdf(x)",),
    "psi": ("digamma(x)",),
    "quad_form": ("x.T @ A @ x",),
    "quad_over_lin": ("norm(x) ** 2 / y",),
    "reshape": ("vec(X) for one column", "x.T for a row"),
    "relu6": ("clip(x, 0, 6)",),
    "sec": ("1 / cos(x)",),
    "sech": ("1 / cosh(x)",),
    "sigma_max": ("norm(A, 2)",),
    "silu": ("x * sigmoid(x)",),
    "softsign": ("x / (1 + abs(x))",),
    "sumsq": ("norm(x) ** 2",),
    "svd": ("norm(A, 2) for the largest singular value", "norm(A, nuc) for the sum of all"),
    "swish": ("x * sigmoid(x)",),
    "trigamma": ("polygamma(1, x)",),
    "xlogy": ("x * log(y)",),
}
_INSTEAD |= ABSENT
_NORM1 = frozenset({"l1", "l1_norm", "norm_1"})


_ALIKE = 0.74  # two letters of four exchanged, one of five or more missing
_MOST_NAMES = 250  # characters of the functions that a message lists


def _known() -> frozenset[str]:
    return frozenset(SIGNATURES) | frozenset(ALIASES)


def _instead(name: str) -> str:
    """What to write for a function of that name; empty where nothing is known."""
    simple = name.strip("_")
    options = _INSTEAD.get(simple) or _INSTEAD.get(simple.lower(), ())
    if simple.lower() in _NORM1:
        options = _INSTEAD["norm1"]
    known = _known()
    exist = [
        text for text in options if set(re.findall(r"(\w+)\(", text.split(" for ")[0])) <= known
    ]
    return f"write {', or '.join(exist)}" if exist else ""


def for_function(name: str) -> str:
    """What to write instead of an unknown function: the like of it, a near name, or all names."""
    simple = name.lower()
    if name.startswith("torch."):
        return f"PyTorch's divides by n - 1: write .{name[6:]}(correction=1), or correction=0 for n"
    if name in _INSTEAD:
        return _instead(name)
    if simple != name and simple in _known():
        return f"write {simple}(…)"
    found = _instead(name)
    if found:
        return found
    if simple in WITHOUT:
        return WITHOUT[simple]
    nearest = difflib.get_close_matches(name, sorted(_known()), n=1, cutoff=_ALIKE)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    names = ", ".join(sorted(SIGNATURES))
    return f"known: {textwrap.shorten(names, _MOST_NAMES, placeholder=' …')}"


def for_options(name: str, options: Collection[str]) -> str:
    """What to write instead of an argument by name that a function does not take."""
    if options:
        more = "; write dot(w, x) / sum(w) for weights" if name == "np.average" else ""
        return f"{name} takes no argument by name but {' and '.join(options)}{more}"
    message = f"{name} takes no argument by name here"
    instead = LARGEST if name == "np.max" else SMALLEST if name == "np.min" else ()
    return f"{message}; write {', or '.join(instead)}" if instead else message


def is_named_as_function(name: str, declared: Collection[str]) -> bool:
    """Whether a name before a bracket is that of a function as in ``Log[x]`` of Mathematica."""
    if name in declared or not name[:1].isupper() or len(name) == 1:
        return False
    return name in _INSTEAD or name.lower() in _known() or name.lower() in _INSTEAD


def how_called(name: str) -> str:
    """How a function is called that stands behind a point without arguments."""
    if name == "c_":
        return "np.c_[A, B]"
    if name_of_stack(name):
        return f"{name_of_stack(name)}([A, B])"
    return f"{name_of_function(name) or name}(…)"


def for_attribute(name: str, owner: str, declared: Collection[str]) -> str:
    """What to write for ``owner.name``, which is not .T; empty where nothing is known."""
    if name in ("transpose", "t", "mT", "H"):
        return "write .T"
    if is_module(owner, declared) and divides_by_one_less(name, owner):
        return (
            f"{owner}.{name} divides by n - 1: write sum((x - mean(x)) ** 2) / (len(x) - 1) for "
            f"the variance, np.{name}(x) for division by n"
        )
    call = f"{name}(…)" if name in _known() else ""
    found = f"write {call}" if call else _instead(name)
    if is_module(owner, declared):
        if name in declared:
            return f"{name} is declared as a symbol: rename that"
        if not found and name.lower() in WITHOUT:
            return WITHOUT[name.lower()]
        separator = "," if ", or " in found or " for " in found else ""
        if not found:
            return f"there is no {name} here: write the function without {owner}., by others"
        return f"{found}{separator} without {owner}."
    if not found and name in declared:
        return "write @ for the matrix product"
    return found
