"""Shapes that are inferred: right, named in order, and refused with the declaration that helps."""

import pytest

from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.parsing import ParseError, parse
from mcmodels.calculus.text.shape_inference import infer_symbols


def inferred(text, _by=None, **declared):
    made = {name: declaration(name, shape) for name, shape in declared.items()}
    return infer_symbols(text, made, _by)


def shapes(text, **declared):
    return {name: symbol.shape for name, symbol in inferred(text, **declared).items()}


def cases(text):
    """Lines of an expression and its shapes, as in ``A @ x : A m,n  x n``."""
    read = []
    for line in text.strip().splitlines():
        expression, _, expected = line.rpartition(" : ")
        found = {}
        for pair in expected.split("  "):
            name, _, sizes = pair.strip().partition(" ")
            found[name] = () if sizes == "scalar" else tuple(sizes.split(","))
        read.append((expression.strip(), found))
    return read


@pytest.mark.parametrize(
    ("text", "expected"),
    cases("""
        x : x scalar
        X : X m,n
        x.T @ x : x n
        x.T @ A @ x : x n  A n,n
        trace(X.T @ A @ X) : X m,n  A m,m
        pinv(X) @ b : X m,n  b m
        x.T @ solve(A, b) : x n  A n,n  b n
        sum(where(A @ x > b, b, 0)) : A m,n  x n  b m
        maximum(x, y).T @ clip(z, 0, 1) : x n  y n  z n
        trace(A @ expm(B)) + norm(x, inf) : A m,m  B m,m  x n
        norm(A @ x - b, 1) + norm(X, nuc) : A m,n  x n  b m  X p,q
        expm_frechet(A, B) @ x : A n,n  B n,n  x n
        expm_frechet_matrix(A) @ vec(B) : A n,n  B n,n
        reciprocal_gaps(x) @ y : x n  y n
        amax(X @ w) * sum(polygamma(1, w)) : X m,n  w n
        trace(A @ X @ B @ X.T @ C) : A m,n  X n,p  B p,p  C n,m
        norm(A @ x - b)**2 : A m,n  x n  b m
        (x - mu).T @ inv(Sigma) @ (x - mu) : x n  mu n  Sigma n,n
        norm(T - U @ V.T)**2 : T m,n  U m,p  V n,p
        y.T @ log(softmax(W @ x + b)) : y m  W m,n  x n  b m
        sum(softplus(X @ w)) - y.T @ X @ w : X m,n  w n  y m
        -sum(y * log(sigmoid(X @ w)) + (1 - y) * log(1 - sigmoid(X @ w))) : y m  X m,n  w n
        logdet(A @ X @ B) : A m,n  X n,p  B p,m
        det(X) + a.T @ b : X m,m  a n  b n
        X @ X.T @ X : X m,n
        A / B.T + C**2 - 1 : A m,n  B n,m  C m,n
        (A @ B) * C : A m,n  B n,p  C m,p
        diag(x) @ A : x m  A m,n
        diag(A @ B) * x : A m,n  B n,m  x m
        A @ diag(B) : A m,n  B n,n
        vec(A @ X @ B) : A m,n  X n,p  B p,q
        kron(A, B) @ x : A m,n  B p,q  x n*q
        sum(kron(x, y) * z) : x m  y n  z m*n
        kron(B.T, A) @ vec(X) : B m,n  A p,q  X q,m
        vec(X).T @ kron(A, C) @ vec(X) : X m,n  A n,n  C m,m
        kron(A, B) @ kron(C, D) : A m,n  B p,q  C n,r  D q,k
        block_sum(kron(A, X), C) : A m,n  X p,q  C m,n
        sum(X, axis=0) + x : X m,n  x n
        sum(X, axis=1) + x : X m,n  x m
        logsumexp(X, axis=1) - x : X m,n  x m
        softmax(X, axis=1) * Y : X m,n  Y m,n
        logsumexp(x) + trace(A) : x m  A n,n
        X[0, 1] * x[2] : X m,n  x p
        X[0, :] + x : X m,n  x n
        X[:, 0] + x : X m,n  x m
        unvec(x, j, k) @ A : x j*k  A k,n
        (eye(j) - A) @ x : A j,j  x j
        commutation(j, k) @ vec(X) + ones(j*k) : X j,k
        trace(matrix_power(X, k)) : X n,n  k scalar
        2**x : x scalar
        norm(A @ x - b)**2 + lam * norm(x)**2 : A m,n  x n  b m  lam scalar
        lam * X : lam scalar  X m,n
        X + lam * A : X m,n  lam scalar  A m,n
        lam * mu * X : lam scalar  mu scalar  X m,n
        lam * mu * norm(x) : lam scalar  mu scalar  x n
        sum(x ** k) : x n  k scalar
        inv(A + lam * eye(j)) : A j,j  lam scalar
        x.T @ A @ x + trace(A / s) : x n  A n,n  s scalar
        lam * x.T @ x + mu * norm(A @ x - b)**2 : lam scalar  x m  mu scalar  A n,m  b n
        exp(-norm(x - y)**2 / (2 * s**2)) : x n  y n  s scalar
        x.T @ x + b : x n  b scalar
        x.T @ x + sum(b) : x m  b n
        x.T @ x + sum(exp(a * b)) : x m  a n  b n
        norm(c * x) : c n  x n
        (x - mu).T @ x : x n  mu n
        -n / 2 * log(2 * pi * s) - norm(X @ b)**2 / s : n scalar  s scalar  X m,p  b p
        sum(e ** x) + e.T @ y : e n  x scalar  y n
        e ** (-x.T @ x) : x n
    """),
)
def test_shapes_follow_from_use(text, expected):
    found = {name: tuple(map(str, shape)) for name, shape in shapes(text).items()}
    assert found == expected
    assert list(found) == list(expected)  # in order of appearance


class TestNames:
    def test_the_names_of_sizes_are_not_those_of_symbols(self):
        assert shapes("m.T @ X @ n") == {"m": ("p",), "X": ("p", "q"), "n": ("q",)}

    def test_nor_those_of_declared_sizes(self):
        assert shapes("A @ B", A="p,m") == {"A": ("p", "m"), "B": ("m", "n")}

    def test_there_are_enough(self):
        text = " + ".join(f"sum(X{i})" for i in range(40))
        sizes = [size for shape in shapes(text).values() for size in shape]
        assert len(set(sizes)) == 80

    def test_a_whole_number_is_an_exponent(self):
        assert inferred("trace(matrix_power(X, k))")["k"].declared == {"integer"}


class TestDeclared:
    def test_sizes_spread(self):
        found = shapes("norm(A @ x - b)**2", A="3,q")
        assert found == {"A": (3, "q"), "x": ("q",), "b": (3,)}

    def test_a_size_is_the_number_of_a_name(self):
        assert shapes("sum(X @ w) / n", X="n,p") == {"X": ("n", "p"), "w": ("p",)}

    @pytest.mark.parametrize("form", ["symmetric", "positive_definite"])
    def test_properties_without_sizes(self, form):
        found = inferred("x.T @ S @ x", S=f"matrix:{form}")
        assert found["S"].shape == ("n", "n")
        assert form in found["S"].declared

    def test_a_vector_with_a_capital_and_a_matrix_with_a_small_letter(self):
        assert shapes("a @ X", a="matrix", X="vector") == {"a": ("m", "n"), "X": ("n",)}

    def test_scalars(self):
        assert shapes("lam * X", lam="scalar") == {"lam": (), "X": ("m", "n")}

    def test_a_product_that_is_declared(self):
        found = shapes("kron(A, B) @ x", x="j*k", A="3,j")
        assert found == {"A": (3, "j"), "B": ("n", "k"), "x": ("j*k",)}


class TestRefusals:
    def test_of_two_ways_none_is_taken(self):
        with pytest.raises(ShapeError, match=r"--let a=scalar, or --let b=scalar$"):
            inferred("kron(a, b) + a")

    @pytest.mark.parametrize(
        ("text", "declared", "message"),
        [
            ("x @ y", {}, "write x.T @ y for the scalar"),
            ("A @ B", {"A": "m,n", "B": "p,n"}, "a matrix of m×n @ a matrix of p×n does not fit"),
            ("A + B", {"A": "3,4", "B": "3,5"}, "a matrix of 3×4 [+] a matrix of 3×5"),
            ("trace(A)", {"A": "m,n"}, "trace needs a square matrix; found a matrix of m×n"),
            ("A @ x.T", {"x": "n"}, "does not fit"),
            ("kron(A, A) + A", {}, "does not fit"),
            ("x + y.T", {"x": "n", "y": "n"}, "does not fit"),
            ("x.T[0]", {}, "X\\[i, j\\] for a matrix"),
            ("x[0, 0]", {}, "write x\\[i\\] for a vector"),
            ("vec(A) + x", {"x": "12"}, "cannot be told; declare them"),
            ("unvec(x, 2, 3)", {"x": "7"}, "needs a vector of 3\\*2|needs a vector of 6"),
            ("sum(x)", {"n": "n"}, "'n' stands for a size and for a symbol"),
            ("sum(x)", {"y": "n"}, "'y' is declared, but the expression has only x"),
            ("c * x", {"c": "scalar", "x": "n,n:symmetric,wide"}, "may be symmetric"),
        ],
    )
    def test_what_cannot_fit(self, text, declared, message):
        with pytest.raises(ShapeError, match=message):
            inferred(text, **declared)

    def test_what_is_no_expression(self):
        with pytest.raises(ParseError, match="unknown function"):
            inferred("foo(X)")


def test_what_varies_is_no_number():
    assert inferred("pi * c", _by="pi").keys() == {"pi", "c"}
    assert inferred("pi * c", _by="c").keys() == {"c"}
    text = "-n / 2 * log(2 * pi * s) - norm(y)**2 / (2 * s)"
    assert inferred(text, _by="s")["s"].shape == inferred(text, _by="s")["n"].shape == ()


def test_inferred_shapes_are_those_of_the_expression():
    for text in ("norm(A @ x - b)**2", "vec(A @ X @ B)", "kron(A, B) @ x", "softmax(X, axis=1)"):
        symbols = inferred(text)
        f = parse(text, **symbols)
        assert f.symbols == tuple(sorted(symbols.values(), key=lambda symbol: symbol.name))
