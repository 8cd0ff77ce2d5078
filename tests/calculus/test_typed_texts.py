"""What people type from other languages: read, or refused with what to write."""

import pytest

from mcmodels.calculus import ParseError, ShapeError, matrix, norm, parse, vector

SHAPES = {"x": "n", "mu": "n", "X": "m,n", "z": "scalar"}


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
        ("np.linalg.norm(x)", r"without np\.linalg\."),
        ("np.linalg.det(X @ X.T)", r"without np\.linalg\."),
        ("X.I", r"write inv\(A\)"),
        ("asin(z)", r"write arcsin\(x\)"),
        ("sum(atan(x))", r"write arctan\(x\)"),
        ("lgamma(z)", r"write gammaln\(x\)"),
        ("silu(z)", r"write x \* sigmoid\(x\)"),
        ("cumsum(x)", r"write tril\(ones\(n, n\)\) @ x"),
        ("cov(x, x)", "for two vectors"),
        ("ndtr(z)", r"write norm_cdf\(x\)"),
    ],
)
def test_hints_name_the_right_thing(text, says):
    with pytest.raises(ParseError, match=says):
        parse(text, **SHAPES)


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
