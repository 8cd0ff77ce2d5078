"""Text to expressions and back: what is read, what is printed, what is pickled."""

import copy
import math
import pickle
import random
from contextlib import suppress
from fractions import Fraction
from functools import partial

import pytest

from mcmodels.calculus import matrix, scalar, vector
from mcmodels.calculus.core import aliases, functions
from mcmodels.calculus.core.named_numbers import pi
from mcmodels.calculus.core.nodes import Number, SizeValue, Symbol, Unevaluated
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.text.parsing import ParseError, parse

SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        *(vector(name, "n") for name in "xaw"),
        *(vector(name, "m") for name in "by"),
        *(matrix(name, "n", "n") for name in "AXC"),
        *(matrix(name, "m", "n") for name in "BM"),
        matrix("S", "n", "n", positive_definite=True),
        matrix("Q", "n", "n", symmetric=True),
        matrix("R", 1, "n"),
        matrix("Z", 4, 5),
        vector("z", 5),
        vector("p", "n", probability=True),
        scalar("c"),
        scalar("d"),
        scalar("k", integer=True),
    )
}

# Python reads these, too: with the functions, the symbols above, and sizes under their names.
TEXTS = """
x | c | A | S | R | x.T | A.T | S.T | X @ x | x.T @ A | x @ a.T | x.T @ a | x.T @ A @ x
A @ X @ C | A @ X.T @ C.T | inv(A) | inv(A).T | inv(A @ X) | A @ inv(A) @ x | matrix_power(A, 3)
matrix_power(A, -2) | matrix_power(A, k) | matrix_power(A.T, k + 1) | matrix_power(A, 2 * k - 1)
2 * x | -x | +x | --x | x / 3 | 0.1 * x | 1e-20 * x | 3.141592653589793 * x | x * 123456.789
-x / 7 | c * x | c * d * x | c * x / d | x / (c + d) | x / (c * d) | c / d | 1 / c | 1 / (c * d)
-1 / c | c ** 2 / d ** 0.5 | -c / d | (c + d) * x | -(c + d) * x | 2 * (c + d) * x
(c - d) * (c + d) | x + a | x - a | -x - a | x + 1 | 1 - x | x + c | c - x | c + d + x
x + c + d | x + (c + d) | x - (c + d) | x - 2 * (c + d) | 1 - x - a | -c - x | A + 1 | A + c * d
1 + c * d - A | c - d - x | (c + d) * ones(n) | c * ones(n) + d * ones(n)
x + c * ones(n) + d * ones(n) | 1 - c + x - d | c * ones(n) + d * ones(n) + x
(c + d) * ones(n) + c * ones(n) - x | x + c - a + d - w | x * a | x * a * w | 2 * x * a | x / a
x * a / w | 1 / x | 1 / (x * a) | c / x | c * x / a | x / (a * w) | x / (a + w) | (x + a) * w
(x + a) / (w - 1) | A * X | A * X.T | A / X | c * x * d * a | (A * X) @ x | A @ x * a
(A @ x) * (X @ a) | A @ (x * a) | (A @ X) * C | c * (A @ X) * C | c * (A * X)
2 * c * (A @ x) / d | c * A @ x | c * (A + X) @ x | (A + X) @ (x + a) | (A + X).T
(A + X).T @ x | x.T @ (A + X) | (A * X + C).T | (A * X).T @ x | exp(A).T @ x | x.T * a.T
x.T / a.T | -((A + X) @ x) | -((x + a) * w) | c - (x + a) * w + d | -((c + d) / c) * x
-((c + d) * (x * a)) | -(x.T @ a) * w | -(x.T @ a + 1) * w | -1 / (c + d)
-((c + d) * x / (a + w)) | -(c + d) / (a + w) | -c * ((A + X) @ x) | (A + X) @ x / -c
-(((x.T @ w) + c) * a.T) | -inv(A + X) | -(A + X).T | exp(x).T | exp(x.T) | (x ** 2).T
x.T ** 2 | sqrt(x).T | x ** 2 | x ** -1 | x ** -2 | x ** 0.5 | x ** -0.5 | x ** 1.5 | x ** c
x ** -c | x ** (c + 1) | x ** (c / 2) | c ** x | 2 ** x | (-x) ** 2 | -x ** 2 | (x + a) ** 2
(2 * x) ** 2 | (2 * x) ** c | c ** d | c ** -d | (c * d) ** 0.5 | sqrt(c * d) | sqrt(x + a)
sqrt(2 * x) | 2 ** c | -2 ** c | sqrt(x * a) | 1 / sqrt(x) | 1 / sqrt(c) | x / sqrt(c) | A ** 2
A ** 2 @ x | (c + d) ** 2 | (c ** 2) ** 0.5 | (c ** 0.5) ** 2 | (x ** c) ** d | (x ** c) ** 2
x ** (c ** 2) | c ** d ** 2 | (x ** 2) ** c | abs(x) ** 2 | (x.T @ a) ** 2 | (x.T @ a) ** -1
norm(x) ** 3 / c | x ** 3 * a ** 2 | exp(x) | log(x) | sin(x) | cos(x) | tanh(x) | abs(x)
sign(x) | sigmoid(x) | softplus(x) | relu(x) | step(x) | exp(-x) | exp(2 * x + 1) | log(1 - x)
exp(A) | exp(c) | trace(A) | trace(A @ X) | trace(A.T @ X) | det(A) | det(A @ X) | logdet(A)
logdet(A @ X.T) | inv(A + X) | norm(x) | norm(A) | norm(A @ x - w) | sum(x) | sum(A)
sum(A, axis=0) | sum(A, axis=1) | sum(M, axis=0) | mean(x) | mean(A) | mean(M) | diag(x)
diag(A) | diag(A @ X) | diag(x) @ A | A @ diag(x) | diag(x * a) | diag(2 * x) | diag(exp(x))
diag(x) ** 2 | diag(A).T | diag(1 - x) | softmax(x) | softmax(A, axis=1) | logsumexp(x)
logsumexp(A, axis=1) | softmax(M @ x) | softmax(x).T @ a | softmax(A, axis=1).T
logsumexp(M, axis=1).T | kron(A, X) | kron(x, a) | kron(x, A) | kron(A.T, X)
kron(A, X) @ vec(C) | kron(A, X).T | kron(A, X) @ kron(C, A) | kron(A + X, C) | vec(A)
vec(A @ X) | vec(A * X) | vec(A + X) | vec(x @ a.T) | vec(M).T | unvec(kron(x, a), n, n)
unvec(vec(A) * vec(X), n, n) | unvec(vec(M) + 1, m, n) | commutation(m, n)
commutation(m, n) @ vec(M + M) | commutation(m, n) @ kron(x, b) | diagonal_selection(n)
diagonal_selection(n) @ x | diagonal_selection(n).T @ vec(A @ X)
block_sum(kron(A, X) + kron(X, A), C) | block_trace(kron(A, X) + kron(X, A), C)
block_sum(exp(kron(A, M)), A) | block_trace(exp(kron(A, M)), M) | eye(n) | eye(3) | eye(m * n)
ones(n) | ones(n, m) | ones(m, n * n) | ones(1, n) | zeros(n) | zeros(m, n) | zeros(1, n)
unit(0, n) | unit(-1, n) | unit(2, 5) | size(n) | size(q) | size(m * n) | size(q * m)
size(q) * c | trace(eye(q)) | size(q) * x | 1 / size(n) | size(n) * c | trace(eye(q)) * trace(A)
x[0] | x[-1] | A[0, 1] | A[-1, 0] | A[0, :] | A[:, 1] | (A @ x)[0] | (A @ X)[1, 2] | exp(x)[1]
z[4] | Z[1, 4] | Z[1, :] | M[0, 0] * x | x[0] ** 2 | x[0] * x | A[0, :].T @ x | (A + X)[0, 1]
x.T[0, 1] | A + eye(n) | A - c * eye(n) | inv(A - c * eye(n)) | x.T @ inv(S) @ x | S @ x | Q @ x
(eye(n) - A) @ (eye(n) - A) | x @ x.T + c * S | c * x @ x.T | c * (x.T @ a) | c * (x.T @ a) * w
x.T @ a * (w.T @ A @ x) | A @ x @ (a.T @ w) | A @ x @ a.T @ w
norm(B @ x - b) ** 2 + c * norm(x) ** 2 | sum(softplus(B @ x)) - b.T @ B @ x
logsumexp(x) - p.T @ x | (w.T @ S @ w) / (w.T @ w)
-sum(b * log(sigmoid(B @ x)) + (1 - b) * log(1 - sigmoid(B @ x)))
sum((M @ w - y) ** 2) / size(m) | mean((M @ w - y) ** 2)
sum(softmax(M, axis=1) * log(softmax(M, axis=1)))
pi | 2 * pi * c | c / pi | pi ** 2 * x | x ** pi | pi ** c | pi ** x | sqrt(2 * pi)
log(2 * pi * c) | tr(A) | dot(x, a) | dot(A, x) | dot(x, A) | outer(x, b) | transpose(B) @ y
-0.5 * logdet(S) - 0.5 * (x - w).T @ inv(S) @ (x - w) | x.T @ A @ x + c * sum(exp(x))
"""
TEXTS = TEXTS.strip().replace("\n", " | ").split(" | ")
NAMESPACE = {
    "pi": pi,
    **{name: getattr(aliases, name) for name in ("dot", "outer", "tr", "transpose")},
    **{name: getattr(functions, name) for name in functions.__all__},
    **{name: Size.of(name) for name in "mnq"},
    **SYMBOLS,
}


def declared(expression):
    return {symbol.name: symbol for symbol in expression.symbols}


def read_back(expression):
    return parse(str(expression), **declared(expression))


def derivatives(expression):
    """The differential, and all first and second derivatives that there are."""
    ways = [expression.differential]
    for x in expression.symbols:
        orders = (
            [expression.gradient, expression.hessian]
            if expression.shape == ()
            else [expression.jacobian]
        )
        ways += [partial(order, x) for order in orders]
    for way in ways:
        with suppress(DerivativeError):
            yield way()


@pytest.mark.parametrize("text", TEXTS)
class TestEveryText:
    def test_is_read_as_python_reads_it(self, text):
        assert parse(text, **SYMBOLS) == eval(text, dict(NAMESPACE))

    def test_is_printed_as_text_that_is_read_back(self, text):
        expression = parse(text, **SYMBOLS)
        back = read_back(expression)
        assert back == expression
        assert str(back) == str(expression)
        assert back.shape == expression.shape

    def test_its_derivatives_are_read_back(self, text):
        for derivative in derivatives(parse(text, **SYMBOLS)):
            assert read_back(derivative) == derivative, str(derivative)

    def test_it_can_be_copied_and_pickled(self, text):
        expression = parse(text, **SYMBOLS)
        for made in (expression, *derivatives(expression)):
            for copied in (copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))):
                other = copied(made)
                assert other == made
                assert (str(other), other.used) == (str(made), made.used)
                assert other.context == made.context


class TestRandomExpressions:
    UNARY = (
        *(getattr(functions, name) for name in ("exp", "log", "sqrt", "abs", "trace", "inv")),
        *(getattr(functions, name) for name in ("norm", "sum", "mean", "diag", "vec", "softmax")),
        lambda e: -e,
        lambda e: e.T,
        lambda e: 1 - e,
        lambda e: e / 3,
        lambda e: e**-1,
        lambda e: e**-0.5,
        lambda e: e + SYMBOLS["c"],
        lambda e: -(SYMBOLS["c"] + SYMBOLS["d"]) * e,
        lambda e: SYMBOLS["c"] + SYMBOLS["d"] + e,
        lambda e: e[0],
        lambda e: e[0, :],
        lambda e: functions.matrix_power(e, -2),
        lambda e: functions.sum(e, axis=1),
    )
    BINARY = (
        lambda e, f: e + f,
        lambda e, f: e - f,
        lambda e, f: e * f,
        lambda e, f: e / f,
        lambda e, f: e @ f,
        lambda e, f: e.T @ f,
        lambda e, f: e @ f.T,
        lambda e, f: e**f,
        functions.kron,
    )

    @pytest.mark.parametrize("seed", range(8))
    def test_are_read_back(self, seed):
        rng = random.Random(seed)
        pool = [parse(text, **SYMBOLS) for text in TEXTS]
        built = []
        while len(built) < 250:
            try:
                if rng.random() < 0.4:
                    made = rng.choice(self.UNARY)(rng.choice(pool))
                else:
                    made = rng.choice(self.BINARY)(rng.choice(pool), rng.choice(pool))
            except ValueError:  # shapes that do not fit, or a division by zero
                continue
            if len(str(made)) < 400:
                built.append(made)
                pool.append(made)
        assert [made for made in built if read_back(made) != made] == []


class TestNames:
    def test_the_example_of_an_undeclared_scalar(self):
        x, A, c = vector("x", "n"), matrix("A", "n", "n"), scalar("c")
        f = parse("x.T @ A @ x + c * sum(exp(x))", x="n", A=("n", "n"))
        assert f == x.T @ A @ x + c * functions.sum(functions.exp(x))

    def test_a_size_of_a_declaration_is_its_number(self):
        assert parse("sum(x) / n", x="n") == functions.mean(vector("x", "n"))

    def test_a_name_in_the_place_of_a_size_is_a_size_everywhere(self):
        assert parse("q * trace(eye(q))") == parse("size(q) ** 2")
        assert isinstance(parse("q + 0 * trace(eye(q)) * size(q)"), SizeValue)

    def test_the_exponent_of_a_matrix_is_a_whole_number(self):
        assert parse("matrix_power(A, k) * k", A=("n", "n")).symbols[1] == scalar("k", integer=True)

    def test_an_undeclared_capital_is_refused(self):
        with pytest.raises(ParseError, match=r"column 7: 'A' is not declared.*A=\(\"m\", \"n\"\)"):
            parse("x.T @ A @ x", x="n")

    def test_a_scalar_that_was_meant_to_be_a_vector(self):
        with pytest.raises(ParseError, match="column 3: 'w' is not declared, and ther"):
            parse("X@w - y", X=("n", "p"))
        with pytest.raises(ShapeError, match=r"takes no scalar; write c \* A"):
            parse("c @ A", A=("n", "n"), c=())

    def test_a_size_and_a_symbol_of_one_name_are_refused(self):
        with pytest.raises(
            ShapeError, match="'n' stands for a size and for a symbol, a vector of m"
        ):
            parse("sum(x)", x="n", n="m")
        with pytest.raises(ShapeError, match="'x' stands for a size and for a symbol"):
            parse("eye(x)", x="n")

    def test_text_may_be_a_name(self):
        assert parse("text.T @ text", text="n") == vector("text", "n").T @ vector("text", "n")

    def test_names_that_python_spells_in_another_way(self):
        sign, letter = "\u00b5", "\u03bc"  # Python reads the micro sign as the letter mu
        micro = vector(sign, "n")
        assert parse(str(micro), **{sign: micro}) == micro
        assert parse(f"{sign}.T @ {letter}", **{sign: "n"}).symbols == (micro,)
        with pytest.raises(ShapeError, match="cannot tell the names"):
            parse("1", **{sign: "n", letter: "n"})

    def test_declared_names_may_start_with_an_underscore(self):
        assert parse("_x", _x="n") == vector("_x", "n")

    def test_greek_names(self):
        assert parse("(x - μ).T @ Σ @ x", x="n", μ="n", Σ=("n", "n")).shape == ()

    def test_no_symbol_has_the_name_of_a_function(self):
        makers = {"matrix", "scalar", "tensor", "vector"}
        assert set(functions.__all__) - makers == set(SIGNATURES)
        for name in SIGNATURES:
            with pytest.raises(ShapeError, match="is the name of a function"):
                vector(name, "n")
            with pytest.raises(ShapeError, match="is the name of a function"):
                parse("1", **{name: "n"})


class TestDeclarations:
    @pytest.mark.parametrize(
        ("shape", "symbol"),
        [
            ("n", vector("A", "n")),
            (3, vector("A", 3)),
            ("3", vector("A", 3)),
            ("2*n", vector("A", "2*n")),
            (Size.of("n"), vector("A", "n")),
            (("n",), vector("A", "n")),
            (("n", 1), vector("A", "n")),
            ((1, 1), scalar("A")),
            (1, scalar("A")),
            ((), scalar("A")),
            ("scalar", scalar("A")),
            ("scalar:integer", scalar("A", integer=True)),
            (("m", "n"), matrix("A", "m", "n")),
            (["m", 4], matrix("A", "m", 4)),
            ((1, "n"), matrix("A", 1, "n")),
            ("m,n", matrix("A", "m", "n")),
            ("n, n : symmetric", matrix("A", "n", "n", symmetric=True)),
            ("n,n:positive_definite", matrix("A", "n", "n", positive_definite=True)),
            ("n:probability", vector("A", "n", probability=True)),
            (matrix("A", "n", "n", symmetric=True), matrix("A", "n", "n", symmetric=True)),
        ],
    )
    def test_forms(self, shape, symbol):
        assert parse("A", A=shape) == symbol

    def test_the_shape_of_an_expression_declares_its_like(self):
        for symbol in SYMBOLS.values():
            assert parse(symbol.name, **{symbol.name: symbol.shape}).shape == symbol.shape

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            (3.5, "positive whole number"),
            (0, "at least 1"),
            (True, "positive whole number"),
            (None, "positive whole number"),
            ("n/m", "a number, a name, a product or a sum"),
            ("", "a number, a name, a product or a sum"),
            ("n:symmetric", "a vector may be probability"),
            ("n,n:wide", "a matrix may be symmetric or positive_definite or diagonal"),
            ("m,n:symmetric", "square"),
            ("matrix", "without sizes"),
            ("vector:probability", "without sizes"),
            (vector("x", "n"), "declared as the symbol 'x'"),
            (vector("A", "n") + 1, "the shape of 'A' must be a size"),
        ],
    )
    def test_refusals(self, shape, message):
        with pytest.raises(ShapeError, match=message):
            parse("A", A=shape)


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1/3", Fraction(1, 3)),
            ("0.1", Fraction(1, 10)),
            (".5", Fraction(1, 2)),
            ("2.", Fraction(2)),
            ("1_000", Fraction(1000)),
            ("1e-3", Fraction(1, 1000)),
            ("1.5E+2", Fraction(150)),
            ("-2 ** 2", Fraction(-4)),
            ("2 ** -2", Fraction(1, 4)),
            ("0.0", Fraction(0)),
            (repr(math.pi), math.pi),
        ],
    )
    def test_are_exact(self, text, value):
        assert parse(text) == Number(value)

    def test_a_tower_of_powers_is_not_worked_out(self):
        assert str(parse("9**9**9**9")) == "9 ** (9 ** 387420489)"


class TestPickling:
    def test_recorded_layers_of_a_differential(self):
        f = parse("x.T @ A @ x", **SYMBOLS)
        pending = Unevaluated(f, frozenset([SYMBOLS["x"]])) + 1
        back = pickle.loads(pickle.dumps(pending))
        assert back == pending
        assert back.used == pending.used

    def test_declarations_are_kept(self):
        for symbol in SYMBOLS.values():
            back = copy.deepcopy(symbol)
            assert isinstance(back, Symbol)
            assert back.described() == symbol.described()

    def test_nesting_deeper_than_pickle_follows(self):
        e = SYMBOLS["x"]
        for _ in range(3000):
            e = functions.sin(e)
        assert pickle.loads(pickle.dumps(e)) == e

    def test_what_is_shared_is_kept_once(self):
        e = SYMBOLS["A"]
        for _ in range(40):  # written out, this would have 2⁴⁰ letters
            e = functions.exp(e) @ functions.sin(e)
        assert len(pickle.dumps(e)) < 10_000
        assert copy.deepcopy(e) == e


def test_an_entry_of_a_tensor_is_refused_with_what_to_write():
    with pytest.raises(ParseError, match=r"write einsum\('ijk,i->jk', T, unit\(0, n\)\)"):
        parse("T[0, 1, 2]", T="n,m,k")
