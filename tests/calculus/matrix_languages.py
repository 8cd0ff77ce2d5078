"""A reader of the Julia, MATLAB and R that is exported: their grammar, and functions by NumPy.

The precedence of operators and what a function gives are those of the languages' manuals. What the
languages refuse is refused here, too: shapes that do not fit, a 1×1 matrix of Julia or R used as a
number, a sum of a number and a matrix in Julia.
"""

from __future__ import annotations

import re

import numpy as np
import scipy.linalg
from scipy import special

_TOKENS = {
    "julia": r"\.\*|\./|\.\^|\.\+|\.-|\.>|\.<|[-+*/^\\>:,()\[\]'=]",
    "matlab": r"\.\*|\./|\.\^|[-+*/^\\>:,()\[\]'=;]",
    "r": r"%\*%|<-|[-+*/^>:,()\[\]=$]",
}
_WORD = {"julia": r"[^\W\d]\w*\.?(?=\()|[^\W\d]\w*", "matlab": r"[A-Za-z]\w*",
         "r": r"[^\W\d_][\w.]*"}  # fmt: skip
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?I?"

# Binary operators from loose to tight; unary minus binds where "u" stands.
_LEVELS = {
    "julia": [[".>", ">"], [":"], ["+", "-", ".+", ".-"], ["*", "/", "\\", ".*", "./"], ["u"],
              ["^", ".^"]],
    "matlab": [[">"], [":"], ["+", "-"], ["*", "/", "\\", ".*", "./"], ["u"], ["^", ".^"]],
    "r": [[">"], ["+", "-"], ["*", "/"], ["%*%"], [":"], ["u"], ["^"]],
}  # fmt: skip


class LanguageError(Exception):
    """What the language itself would refuse."""


def is_number(value):
    return np.ndim(value) == 0


def require(condition, message):
    if not condition:
        raise LanguageError(message)


def tokens(text, language):
    pattern = f"\\s*(?:({_NUMBER})|({_WORD[language]})|('\\w+')|({_TOKENS[language]}))"
    if language == "matlab":  # a string only after a comma
        text = re.sub(r", '(\w+)'", r", «\1»", text)
    pattern = pattern.replace("('\\w+')", "(«\\w+»)")
    found, place = [], 0
    while place < len(text.rstrip()):
        match = re.compile(pattern).match(text, place)
        require(match, f"cannot read {text[place:]!r}")
        kind = ("number", "word", "string", "op")[match.lastindex - 1]
        found.append((kind, match.group(match.lastindex)))
        place = match.end()
    return found


class Reader:
    """Evaluates one expression while it reads it."""

    def __init__(self, text, language, names, functions):
        self.tokens = [*tokens(text, language), ("end", "")]
        self.place, self.language = 0, language
        self.names, self.functions = names, functions

    def next(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def sees(self, text):
        kind, found = self.tokens[self.place]
        return found == text and kind == "op"

    def take(self, text):
        require(self.sees(text), f"expected {text!r}; found {self.tokens[self.place]}")
        self.place += 1

    def whole(self):
        value = self.level(0)
        require(self.tokens[self.place][0] == "end", f"more text: {self.tokens[self.place :]}")
        return value

    def level(self, i):
        levels = _LEVELS[self.language]
        if i == len(levels):
            return self.postfix()
        if levels[i] == ["u"]:
            if self.sees("-"):
                self.take("-")
                return -self.level(i)
            return self.level(i + 1)
        left = self.level(i + 1)
        while self.tokens[self.place][0] == "op" and self.tokens[self.place][1] in levels[i]:
            op = self.next()[1]
            # A power takes a sign on its right, and is right-associative in Julia and R.
            tight = op in ("^", ".^")
            right_first = tight and self.language != "matlab"
            sign = -1 if tight and self.sees("-") else 1
            if sign < 0:
                self.take("-")
            right = sign * self.level(i if right_first else i + 1)
            left = self.apply(op, left, right)
        return left

    def postfix(self):
        kind, text = self.next()
        if kind == "number":
            value = np.inf if text == "Inf" else float(text.rstrip("I"))
            if text.endswith("I"):
                value = "I"
        elif kind == "string":
            return text[1:-1]
        elif kind == "word":
            value = self.word(text)
        else:
            require(text == "(", f"unexpected {text!r}")
            value = self.level(0)
            self.take(")")
        while True:
            if self.language != "r" and self.sees("'"):
                self.take("'")
                value = value if is_number(value) else value.T
            elif self.language == "r" and self.sees("$"):
                self.take("$")
                value = value[self.next()[1]]
            else:
                return value

    def word(self, name):
        index = "(" if self.language == "matlab" else "["
        if name in self.names and self.sees(index):
            return self.index(self.names[name], index)
        if name in self.names:
            return self.names[name]
        if self.sees("("):
            self.take("(")
            positional, named = [], {}
            while not self.sees(")"):
                if self.language != "matlab" and self.tokens[self.place + 1] == ("op", "="):
                    key = self.next()[1]
                    self.take("=")
                    named[key] = self.level(0)
                elif self.language == "julia" and self.sees(":"):
                    self.take(":")
                    positional.append(":")
                elif self.language == "matlab" and self.sees("["):
                    self.take("[")
                    self.take("]")
                    positional.append("[]")
                else:
                    positional.append(self.level(0))
                if not self.sees(")"):
                    self.take(",")
            self.take(")")
            require(name in self.functions, f"no function {name!r}")
            return self.functions[name](*positional, **named)
        constants = {"pi": np.pi, "TRUE": True, "FALSE": False}
        require(name in constants, f"no name {name!r}")
        return constants[name]

    def index(self, array, opened):
        self.take(opened)
        closed = ")" if opened == "(" else "]"
        places, named = [], {}
        while not self.sees(closed):
            if self.sees(","):
                places.append(slice(None))
            elif self.sees(":"):
                self.take(":")
                places.append(slice(None))
            elif self.language == "r" and self.tokens[self.place + 1] == ("op", "="):
                key = self.next()[1]
                self.take("=")
                named[key] = self.level(0)
            else:
                found = self.level(0)
                require(isinstance(found, slice), "an index is a range here")
                places.append(found)
            if not self.sees(closed):
                self.take(",")
        self.take(closed)
        if self.language == "r":
            require(named == {"drop": False}, "an index drops dimensions")
        if len(places) == 1:
            return array.T.reshape(-1, 1)
        for place, length in zip(places, array.shape, strict=True):
            require(place.stop is None or 0 <= place.start < place.stop <= length, "out of bounds")
        return array[tuple(places)]

    def apply(self, op, a, b):
        if self.language != "matlab" or op == ":":
            return self.applied(op, a, b)
        # In MATLAB a number is a matrix of 1×1.
        plain = [v[0, 0] if np.shape(v) == (1, 1) else v for v in (a, b)]
        found = self.applied(op, *plain)
        return found if is_number(a) and is_number(b) else np.atleast_2d(found)

    def applied(self, op, a, b):
        if op == ":":
            return slice(int(a) - 1, int(b))
        if isinstance(b, str):  # a multiple of Julia's I
            return a
        numbers = is_number(a), is_number(b)
        if self.language == "r" and op in "+-*/^>" and not any(numbers):
            if np.ndim(a) == 1 and np.ndim(b) == 2:
                require(op == "*" and len(a) == b.shape[0], "recycled in the wrong order")
                a = a.reshape(-1, 1)
            else:
                require(np.shape(a) == np.shape(b), "non-conformable arrays")
        elif op in ("+", "-") and self.language == "julia":
            require(numbers in ((True, True), (False, False)), f"{op} of a number and an array")
            require(np.shape(a) == np.shape(b), "shapes of a sum")
        elif op == "*" and self.language != "r" and not any(numbers):
            return matmul(a, b)
        elif op == "/" and self.language != "r":
            require(numbers[1], "a division by an array")
        elif op == "^" and self.language != "r" and not numbers[0]:
            require(numbers[1] and b == int(b), "a matrix power")
            return np.linalg.matrix_power(a, int(b))
        if op == "%*%":
            return matmul(a, b)
        if op == "\\":
            return solve(a, b)
        plain = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power}
        if op.lstrip(".") == ">":
            return np.asarray(a) > b
        return plain[op.lstrip(".")](a, b)


def matmul(a, b):
    require(np.ndim(a) == np.ndim(b) == 2 and a.shape[1] == b.shape[0], "shapes of a product")
    return a @ b


def solve(a, b):
    if is_number(a):
        return b / a
    require(np.ndim(a) == 2 and a.shape[0] == a.shape[1] == b.shape[0], "shapes of a solve")
    return np.linalg.solve(a, b)


# -- functions -----------------------------------------------------------------------------------

_EACH = {
    **{
        name: getattr(np, name)
        for name in ["exp", "log", "sin", "cos", "tanh", "abs", "sign", "sqrt", "log1p", "expm1"]
    },
    **{name: getattr(np, name) for name in ["tan", "sinh", "cosh"]},
    **{
        f"a{name}": getattr(np, f"arc{name}")
        for name in ["sin", "cos", "tan", "sinh", "cosh", "tanh"]
    },
    "erf": special.erf,
    "erfc": special.erfc,
    "erfcx": special.erfcx,
    "digamma": special.digamma,
}


def column(array):
    return np.asarray(array).T.reshape(-1, 1)


def down_columns(array, m, n):
    return np.asarray(array).T.reshape(int(n), int(m)).T


def fill(number):
    return lambda m, n=None: np.full((int(m), int(m if n is None else n)), number)


def block(name):
    """A helper with loops, by NumPy."""
    from mcmodels.calculus.compute.product_values import block_sum, block_trace

    return {"block_sum": block_sum, "block_trace": block_trace}[name]


def eigen(S):
    values, vectors = np.linalg.eigh(S)
    rows = np.abs(vectors).argmax(axis=0)
    return values.reshape(-1, 1), vectors * np.sign(vectors[rows, np.arange(len(S))])


def reciprocal_gaps(v):
    gaps = v.T - v
    np.fill_diagonal(gaps, np.inf)
    return 1 / gaps


def hardmax(X):
    result = np.zeros(X.shape)
    result.flat[X.argmax()] = 1
    return result


def polar(X):
    u, _, vt = np.linalg.svd(X, full_matrices=False)
    return u @ vt


def commutation(m, n):
    m, n = int(m), int(n)
    return np.eye(m * n)[np.arange(m * n).reshape(n, m).T.ravel()]


def duplication(n):
    from mcmodels.calculus.compute.constant_values import duplication

    return duplication(int(n))


def elimination(n):
    from mcmodels.calculus.compute.constant_values import elimination

    return elimination(int(n))


def diagonal_selection(n):
    n = int(n)
    return np.eye(n * n)[:, :: n + 1]


def rows(function):
    return lambda Z: function(Z, axis=1)


# What is defined beside the function, where it has loops or more than one expression.
_HELPERS = {
    "block_sum": lambda C, A: block("block_sum")([C, A]),
    "block_trace": lambda C, B: block("block_trace")([C, B]),
    "eigvalsh": lambda S: eigen(S)[0],
    "eigvecsh": lambda S: eigen(S)[1],
    "reciprocal_gaps": reciprocal_gaps,
    "hardmax": hardmax,
    "polar": polar,
    "pinv": np.linalg.pinv,
    "expm": scipy.linalg.expm,
    "logm": scipy.linalg.logm,
    "sqrtm": scipy.linalg.sqrtm,
    "commutation": commutation,
    "duplication": duplication,
    "elimination": elimination,
    "diagonal_selection": diagonal_selection,
    "softmax": lambda z: special.softmax(z),
    "softmax_rows": lambda Z: special.softmax(Z, axis=1),
    "log_sum_exp": lambda z: special.logsumexp(z),
    "log_sum_exp_rows": lambda Z: special.logsumexp(Z, axis=1, keepdims=True),
}
_EACH_HELPERS = {
    "norm_logcdf": special.log_ndtr,
    "inverse_mills_gap": lambda z: z + np.sqrt(2 / np.pi) / special.erfcx(-z / np.sqrt(2)),
    "step": lambda z: np.where(z > 0, 1.0, 0.0),
    "gammaln": special.gammaln,
}
_WITH_LOOPS = {*_HELPERS, *_EACH_HELPERS}


def only(X):
    require(np.shape(X) == (1, 1), "only() of more than one entry")
    return X[0, 0]


def as_matrix(X):
    require(np.ndim(X) == 2, "a matrix is needed")
    return X


def on_matrix(function):
    return lambda X: function(as_matrix(X))


JULIA = {
    **{f"{name}.": function for name, function in (_EACH | _EACH_HELPERS).items()},
    **_HELPERS,
    "max": np.maximum,
    "max.": np.maximum,
    "min.": np.minimum,
    "hypot.": np.hypot,
    "polygamma.": lambda k, z: special.polygamma(int(k), z),
    "ifelse.": np.where,
    "Matrix": lambda I, m, n: np.eye(int(m), int(n)),  # noqa: E741
    "ones": fill(1.0),
    "zeros": fill(0.0),
    "tril": np.tril,
    "hcat": lambda *blocks: np.concatenate(blocks, axis=1),
    "vcat": lambda *blocks: np.concatenate(blocks, axis=0),
    "Int": int,
    "first": lambda pair: pair[0],
    "logabsdet": lambda X: np.linalg.slogdet(X)[::-1],
    "logdet": lambda X: np.linalg.slogdet(X)[1],
    "det": on_matrix(np.linalg.det),
    "inv": on_matrix(np.linalg.inv),
    "tr": on_matrix(np.trace),
    "pinv": on_matrix(np.linalg.pinv),
    "sum": np.sum,
    "maximum": np.max,
    "norm": lambda X: np.sqrt(np.sum(X**2)),
    "exp": np.exp,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "erfc": special.erfc,
    "erfcx": special.erfcx,
    "kron": np.kron,
    "diagm": lambda v: np.diag(v[:, 0]) if np.ndim(v) == 2 and v.shape[1] == 1 else np.diag(v),
    "vec": lambda X: X.T.reshape(-1),
    "diag": lambda X: np.diag(as_matrix(X)),
    "reshape": lambda X, m, n: column(X) if m == ":" and n == 1 else down_columns(X, m, n),
    "size": lambda X, axis: X.shape[int(axis) - 1],
    "only": only,
    "svdvals": lambda X: np.linalg.svd(X, compute_uv=False),
    "Symmetric": as_matrix,
    "eigvals": lambda S: np.linalg.eigvalsh(S),
    "logabsgamma": lambda z: (special.gammaln(z), 1),
}


def matlab_sum(X, axis=None):
    require(axis == "all" or np.ndim(X) == 1, "sum() of a matrix sums its columns")
    return np.sum(X)


def matlab_max(a, b, axis=None):
    require((axis == "all") == (isinstance(b, str) and b == "[]"), "max")
    return np.max(a) if axis == "all" else np.maximum(a, b)


def matlab_diag(X):
    if np.shape(X) == (1, 1) or is_number(X):
        return np.reshape(X, (1, 1))
    return np.diag(X[:, 0]) if X.shape[1] == 1 else np.diag(X).reshape(-1, 1)


MATLAB = {
    **_EACH,
    **_HELPERS,
    **_EACH_HELPERS,
    "reallog": np.log,
    "realsqrt": np.sqrt,
    "psi": lambda k, z=None: special.digamma(k) if z is None else special.polygamma(int(k), z),
    "max": matlab_max,
    "min": np.minimum,
    "hypot": np.hypot,
    "choose": lambda c, a, b: np.where(np.asarray(c) > 0, a, b),
    "eye": lambda n: np.eye(int(n)),
    "ones": fill(1.0),
    "zeros": fill(0.0),
    "tril": np.tril,
    "horzcat": lambda *blocks: np.concatenate(blocks, axis=1),
    "vertcat": lambda *blocks: np.concatenate(blocks, axis=0),
    "logdet": lambda X: np.linalg.slogdet(X)[1],
    "positive_logdet": lambda X: np.linalg.slogdet(X)[1],
    "det": np.linalg.det,
    "inv": np.linalg.inv,
    "trace": np.trace,
    "sum": matlab_sum,
    "norm": lambda X, kind: np.sqrt(np.sum(X**2)) if kind == "fro" else None,
    "kron": np.kron,
    "diag": matlab_diag,
    "reshape": lambda X, m, n: column(X) if m == "[]" and n == 1 else down_columns(X, m, n),
    "size": lambda X, axis: X.shape[int(axis) - 1],
    "svd": lambda X: np.linalg.svd(X, compute_uv=False),
}


def matrix(X, nrow=None, ncol=None):
    if is_number(X):
        return np.full((int(nrow), int(ncol)), float(X))
    X = np.asarray(X)
    return column(X) if nrow is None else down_columns(X, nrow, ncol)


def r_diag(X, nrow=None):
    if nrow is None:
        return np.diag(as_matrix(X))
    return np.diag(np.broadcast_to(X, (int(nrow),)))


def drop(X):
    require(np.shape(X) == (1, 1), "drop() of more than one entry")
    return float(X[0, 0])


def r_pnorm(z, **named):
    return special.log_ndtr(z) if named.get("log.p") else special.ndtr(z)


def r_dnorm(z, log=False):
    return (
        -0.5 * z**2 - 0.5 * np.log(2 * np.pi) if log else np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    )


R = {
    **_EACH,
    **_HELPERS,
    "lgamma": special.gammaln,
    "plogis": special.expit,
    "pnorm": r_pnorm,
    "dnorm": r_dnorm,
    "psigamma": lambda z, deriv: special.polygamma(int(deriv), z),
    "pgamma": lambda x, a: special.gammainc(a, x),
    "pmax": lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
    "pmin": np.minimum,
    "hypot": np.hypot,
    "ifelse": np.where,
    "lower": None,
    "lower.tri": lambda X, diag: np.tril(np.ones(X.shape)) if diag else None,
    "cbind": lambda *blocks: np.concatenate(blocks, axis=1),
    "rbind": lambda *blocks: np.concatenate(blocks, axis=0),
    "determinant": lambda X: {"modulus": np.linalg.slogdet(X)[1]},
    "positive_logdet": lambda X: np.linalg.slogdet(X)[1],
    "det": np.linalg.det,
    "solve": lambda A, B=None: np.linalg.inv(A) if B is None else solve(A, B),
    "matrix_power": lambda A, k: np.linalg.matrix_power(A, int(k)),
    "sum": np.sum,
    "max": np.max,
    "kronecker": np.kron,
    "diag": r_diag,
    "matrix": matrix,
    "length": lambda X: np.size(X),
    "c": lambda X: X if is_number(X) else np.asarray(X).T.reshape(-1),
    "t": lambda X: as_matrix(X).T,
    "drop": drop,
    "nrow": lambda X: X.shape[0],
    "ncol": lambda X: X.shape[1],
    "as.matrix": lambda X: X.reshape(-1, 1) if np.ndim(X) == 1 else X,
    "svd": lambda X: {"d": np.linalg.svd(X, compute_uv=False)},
}

FUNCTIONS = {"julia": JULIA, "matlab": MATLAB, "r": R}

_HEADS = {
    "julia": r"^(?:function (\w+)\(([^)]*)\)$|(\w+)\(([^)]*)\) = (.*)$)",
    "matlab": r"^function (?:\w+) = (\w+)\(([^)]*)\)$",
    "r": r"^(\w+) <- function\(([^)]*)\) \{$",
}


def functions_of(code, language):
    """(name, arguments, lines) of each function in the code."""
    found, current = [], None
    for line in code.splitlines():
        match = re.match(_HEADS[language], line)
        if match and language == "julia" and match.group(3):
            found.append((match.group(3), match.group(4), [match.group(5)]))
        elif match:
            current = (match.group(1), match.group(2), [])
            found.append(current)
        elif line in ("end", "}", "") or line.startswith("using "):
            continue
        else:
            current[2].append(line.strip())
    return found


def run(code, language, values):
    """The value of the function ``f`` in the code, for values in the order of its arguments."""
    functions = dict(FUNCTIONS[language])
    defined = {name: (arguments, lines) for name, arguments, lines in functions_of(code, language)}

    def call(name):
        arguments, lines = defined[name]

        def function(*given):
            names = dict(zip(arguments.split(", ") if arguments else [], given, strict=True))
            return body(lines, names)

        return function

    def body(lines, names):
        value = None
        for line in lines:
            line = line.rstrip(";").removeprefix("return ")
            match = re.match(r"^(\w+) (?:=|<-) (.*)$", line)
            name, text = match.groups() if match else (None, line)
            value = Reader(text, language, names, functions).whole()
            if name:
                names[name] = value
        return value

    for name in defined:
        if (
            name not in _WITH_LOOPS
            and name != "f"
            and name not in ("choose", "logdet", "positive_logdet", "hypot", "matrix_power")
        ):
            functions[name] = call(name)
            functions[f"{name}."] = functions[name] if language != "julia" else each(call(name))
    return call("f")(*values)


def each(function):
    """Julia's dot: the function of each entry."""

    def apply(*arguments):
        arrays = np.broadcast_arrays(*arguments)
        if arrays[0].ndim == 0:
            return function(*(float(a) for a in arrays))
        return np.vectorize(function, otypes=[float])(*arrays)

    return apply
