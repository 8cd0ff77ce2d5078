"""What people type from other languages: read, or refused with what to write."""

import pytest

from mcmodels.calculus import ParseError, ShapeError, matrix, norm, parse, vector
from mcmodels.calculus.text.shape_inference import infer_symbols

SHAPES = {"x": "n", "mu": "n", "X": "m,n", "S": "n,n", "z": "scalar"}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('norm(X, "nuc")', "norm(X, nuc)"),
        ("norm(X, 'fro')", "norm(X, fro)"),
        ("norm(X'@X, 'fro')^2", "norm(X.T @ X)**2"),
        ("norm(x,'inf')", "norm(x, inf)"),
    ],
)
def test_a_norm_may_be_quoted(text, same):
    assert parse(text, **SHAPES) == parse(same, **SHAPES)


def test_quotes_elsewhere_are_not_read():
    with pytest.raises(ParseError, match="transpose of what it stands behind"):
        parse("norm(X, 'two')", **SHAPES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("||x||^2", r"write norm\(x\) for \|\|x\|\|"),
        ("where((z > 0) & (z < 1), z, 0)", r"\(x > 0\) \* \(x < 1\)"),
        ("where(z > 0 and z < 1, z, 0)", r"\(x > 0\) \* \(x < 1\)"),
        ("np.linalg.cond(X)", r"without np\.linalg\."),
        ("X.I", r"write inv\(A\)"),
        ("asin(z)", r"write arcsin\(x\)"),
        ("sum(atan(x))", r"write arctan\(x\)"),
        ("lgamma(z)", r"write gammaln\(x\)"),
        ("silu(z)", r"write x \* sigmoid\(x\)"),
        ("cumsum(x)", r"write tril\(ones\(n, n\)\) @ x"),
        ("cov(x, x)", "for two vectors"),
        ("ndtr(z)", r"write norm_cdf\(x\)"),
        (r"\sum_i x_i", r"\\sum is LaTeX, which is not read; write sum\(f, i\)"),
        (r"\frac{1}{2} x^T x", r"\\frac is LaTeX.*write a / b"),
        (r"\|x\|^2", r"is LaTeX.*write norm\(x\)"),
        (r"x^\top X", r"\\top is LaTeX.*write \.T"),
        (r"x \cdot x", r"\\cdot is LaTeX.*write @ for a matrix product"),
        (r"\tanh(z)", r"write tanh\(x\)"),
        (r"\lambda z", "write lambda_"),
        (r"X\x", r"write inv\(A\) @ b"),
        ("Log[z]", r"arguments stand in \( and \); write log\("),
        ("Tr[X.X]", r"arguments stand in \( and \); write tr\("),
        ("X.x", "write @ for the matrix product"),
        ("torch.var(x)", r"divides by n - 1: .*\(len\(x\) - 1\).*np\.var\(x\) for division by n"),
        ("torch.std(x)", "divides by n - 1"),
        ("[X, x]", r"hstack\(\[A, B\]\), one below the other vstack"),
        ("None", r"write x for the column, x\.T for the row"),
        ("X.ravel()", r"write vec\(X\.T\) for its rows"),
        ("S^(1/2)", r"write sqrtm\(S\) for the square root of the matrix"),
        ("S^-0.5", r"write inv\(sqrtm\(S\)\)"),
        ("S^(1/3)", r"write expm\(1/3 \* logm\(S\)\)"),
        ("S^3", r"write matrix_power\(S, 3\)"),
        ("norm(x, -inf)", r"no number is inf here; .* norm\(x, inf\)"),
        ("np.minimum(x, np.inf)", "no number is inf here"),
        ("z * nan", "no number is nan here"),
        ("sum(X, keepdims=True, axis=0, axis=1)", "cannot read"),
        ("mean(X, axis=0, keepdims=2)", "no argument by name but axis"),
        ("softmax(X, axis=0, keepdims=True)", "no argument by name but axis"),
    ],
)
def test_hints_name_the_right_thing(text, says):
    with pytest.raises(ParseError, match=says):
        parse(text, **SHAPES)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("np.exp(x)", "exp(x)"),
        ("np.linalg.norm(x)**2", "norm(x)**2"),
        ("np.linalg.norm(x, ord=1)", "norm(x, 1)"),
        ("np.linalg.norm(X, ord='nuc')", "norm(X, nuc)"),
        ("np.linalg.det(X @ X.T)", "det(X @ X.T)"),
        ("scipy.special.logsumexp(X, axis=1)", "logsumexp(X, axis=1)"),
        ("np.dot(x.T, np.dot(X.T, X @ x))", "x.T @ X.T @ X @ x"),
        ("np.pi * x.sum() + np.e", "pi * sum(x) + e"),
        ("((X @ x)**2).mean()", "mean((X @ x)**2)"),
        ("X.mean(axis=0)", "mean(X, axis=0)"),
        ("X.mean(0)", "mean(X, axis=0)"),
        ("np.sum(X, -1)", "sum(X, axis=1)"),
        ("X.sum(axis=0, keepdims=True)", "sum(X, axis=0).T"),
        ("X.sum(dim=1, keepdim=True)", "sum(X, axis=1)"),
        ("np.mean(X, keepdims=True, axis=-2)", "mean(X, axis=0).T"),
        ("X.mean(axis=0, keepdims=False)", "mean(X, axis=0)"),
        ("np.linalg.norm(x, np.inf)", "norm(x, inf)"),
        ("np.concatenate([x, x])", "vstack([x, x])"),
        ("np.concatenate((X, X), axis=0)", "vstack([X, X])"),
        ("concatenate((X, X), axis=0)", "vstack([X, X])"),
        ("column_stack([X @ x, X])", "hstack([X @ x, X])"),
        ("np.concatenate([X, X], axis=-1)", "hstack([X, X])"),
        ("np.column_stack([X @ x, X])", "hstack([X @ x, X])"),
        ("np.linalg.norm(X, ord=np.inf)", "norm(X, inf)"),
        ("x.T.dot(X.T).dot(X).dot(x)", "x.T @ X.T @ X @ x"),
        ("np.ones((m, 1)) @ x.T", "ones(m, 1) @ x.T"),
        ("np.where(x > 0, x, 0).sum()", "sum(where(x > 0, x, 0))"),
        ("np.einsum('ij,j->i', X, x)", "X @ x"),
        ("torch.sigmoid(X@x).sum()", "sum(sigmoid(X @ x))"),
        ("torch.logsumexp(X, dim=1).sum()", "sum(logsumexp(X, axis=1))"),
        ("sum((X@x).^2)/m", "sum((X @ x)**2)/m"),
        ("x.*x./(1 .+ x.^2)", "x*x/(1 + x**2)"),
        ("1./(1+exp(-X@x))", "1/(1 + exp(-X @ x))"),
        ("log.(1 .+ exp.(X@x))", "log(1 + exp(X @ x))"),
        ("X.'*2.*X.'", "X.T*2*X.T"),
        ("α.*x.^2", "α*x**2"),
    ],
)
def test_calls_of_numpy_and_signs_of_matlab_are_read(text, same):
    shapes = {**SHAPES, "α": "scalar"}
    assert parse(text, **shapes) == parse(same, **shapes)


def test_a_declared_name_is_no_module_and_no_function():
    F = matrix("F", "n", "n")
    assert parse("F.sum()", F=F) == parse("sum(F)", F=F)
    with pytest.raises(ParseError, match=r"found \.e"):
        parse("np.e**x", x="n", e="scalar")
    with pytest.raises(ParseError, match="exp takes 1, found 2"):
        parse("np.exp(x)", x="n", np="n,n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x.*(X'*X*x)", r"\* of two arrays beside \.\*.* write @ for the matrix product, \.\*"),
        ("x.^2/x", r"/ of two arrays beside \.\*.* write inv\(B\) @ or @ inv\(B\), \./"),
    ],
)
def test_a_star_beside_pointed_ones_may_mean_two_things(text, says):
    with pytest.raises(ParseError, match=says):
        parse(text, x="m", X="m,m")
    assert parse("2*x.*x/3", x="m") == parse("2*x*x/3", x="m")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x @ X.T @ x", r"found vector of n \(x\) .*a vector is a column: write x\.T @ \(X\.T\)"),
        ("X @ x.T", r"a vector is a column: write X @ x$"),
        ("mu @ X.T", r"write mu\.T @ \(X\.T\)"),
    ],
)
def test_a_product_with_a_vector_of_numpy_says_where_the_transpose_stands(text, says):
    with pytest.raises(ShapeError, match=says):
        parse(text, **SHAPES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x' * mu", r"Write x\.T @ mu for the inner product, x for the vector"),
        ("x * mu'", r"Write x @ mu\.T for the outer product"),
        ("x - mu'", r"Write mu for the vector, or x\.T for the row"),
        ("(x - mu) @ x", r"write \(x - mu\)\.T @ x for the scalar, or \(x - mu\) @ x\.T"),
    ],
)
def test_a_column_and_a_row_of_one_size_name_the_product_of_two_vectors(text, says):
    with pytest.raises(ShapeError, match=says):
        parse(text, **SHAPES)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("F.softmax(x, dim=-1)", "softmax(x)"),
        ("logsumexp(x, axis=0)", "logsumexp(x)"),
        ("np.sum(x * mu, axis=0)", "sum(x * mu)"),
        ("(X @ x).mean(axis=-1)", "mean(X @ x)"),
        ("np.linalg.norm(x, axis=0)", "norm(x)"),
    ],
)
def test_a_vector_has_one_axis(text, same):
    assert parse(text, **SHAPES) == parse(same, **SHAPES)


def test_a_vector_has_no_second_axis():
    with pytest.raises(ShapeError, match="axis=1"):
        parse("sum(x, axis=1)", **SHAPES)
    with pytest.raises(ShapeError, match="axis=0"):
        parse("sum(z, axis=0)", **SHAPES)


def test_an_elementwise_product_that_does_not_fit_names_the_matrix_product():
    with pytest.raises(ShapeError, match=r"write X @ x for the matrix product, or x\.T for every"):
        parse("X*x", **SHAPES)
    with pytest.raises(
        ShapeError, match=r"^/ .elementwise. takes .* \(x\); write x\.T for every row"
    ):
        parse("X/x", **SHAPES)


@pytest.mark.parametrize("text", ["X - mu", "norm(X - mu)"])
def test_what_is_subtracted_is_named_as_it_was_typed(text):
    with pytest.raises(ShapeError, match=r"- takes .* found m×n \(X\) and .*\(mu\); write mu\.T"):
        parse(text, **SHAPES)


def test_operators_and_text_say_the_same():
    X, mu = matrix("X", "m", "n"), vector("mu", "n")
    with pytest.raises(ShapeError) as by_operator:
        norm(X - mu)
    with pytest.raises(ShapeError) as by_text:
        parse("norm(X - mu)", **SHAPES)
    assert str(by_operator.value) == str(by_text.value)


def test_sizes_of_texts_with_pointed_signs():
    made = infer_symbols("sum(log(1 + exp(-y.*(X@w))))", {})
    assert [str(made[name].shape) for name in "yXw"] == ["('m',)", "('m', 'n')", "('n',)"]
    assert infer_symbols("sum(c*x.^2 + a*x.*x)", {})["a"].is_scalar
    with pytest.raises(ShapeError, match="@ is the matrix product"):
        infer_symbols("sum(log(1 + exp(-y.*(X*w))))", {})


def test_a_vector_before_a_matrix_of_unknown_size():
    with pytest.raises(ShapeError, match=r"a vector is a column: write x\.T @ A"):
        infer_symbols("x @ A @ x", {})


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("x'*A*x", r"\*"),
        ("trace(X'*B)", r"\*"),
        ("c*X'*X", r"\*"),
        ("sum(y'*log(1/(1+exp(-X*w))))", r"\*"),
        ("X'/A", "/"),
    ],
)
def test_products_of_matlab_are_not_taken_entry_by_entry(text, sign):
    # Of square matrices both would have the same shape.
    shapes = {**dict.fromkeys("ABX", "n,n"), **dict.fromkeys("wxy", "n")}
    with pytest.raises(ParseError, match=rf"{sign} of two arrays beside x' may mean two things"):
        parse(text, **shapes)


def test_other_texts_with_marks_mean_what_they_did():
    shapes = {**dict.fromkeys("AX", "n,n"), **dict.fromkeys("wy", "n")}
    assert parse("X' @ (y * (X @ w))", **shapes) == parse("X.T @ (y * (X @ w))", **shapes)
    assert parse("2*A'*c/norm(w)", **shapes) == parse("2*c*A.T/norm(w)", **shapes)
    assert parse("X'.*A", **shapes) == parse("X.T*A", **shapes)
    assert parse("x.T * A * x", A="n,n", x="n").shape == ("n", "n")
