"""What is written for a function that there is not: it is read, and has the function's values."""

import re

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.special as sc
import scipy.stats

from mcmodels.calculus import ParseError, critical_point, log, parse, relu, scalar, sqrt
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.text.absent_functions import ABSENT, LARGEST, REVERSED, SMALLEST, WITHOUT

RNG = np.random.default_rng(3)
SHAPES = {
    "x": "n", "y": "n", "z": "n", "r": "n", "p": "n", "q": "n", "c": "n", "w": "n",
    "A": "n,n", "B": "n,n", "C": "n,n", "X": "m,n",
}  # fmt: skip
VALUES = {
    **{name: RNG.uniform(0.2, 0.9, 5) for name in "xyzrpqcw"},
    **{name: RNG.standard_normal((5, 5)) for name in "ABC"},
    "X": RNG.standard_normal((4, 5)),
    "a": 0.3,
    "b": 0.7,
    "d": 0.4,
    "m": 4.0,
    "k": 2.0,
}
V = VALUES
x, y, A, X = V["x"], V["y"], V["A"], V["X"]


def remedies():
    for name, options in ABSENT.items():
        for option in options:
            yield name, option.split(" for ")[0]


@pytest.mark.parametrize(("name", "text"), [*remedies()], ids=lambda v: v[:30])
def test_every_remedy_is_read(name, text):
    used = {n: shape for n, shape in SHAPES.items() if re.search(rf"\b{n}\b", text)}
    # Names that are sizes in this text are none of its symbols.
    sizes = set(re.findall(r"(?:ones|zeros)\(([^()]*)\)", text))
    taken = {size.strip() for pair in sizes for size in pair.split(",")}
    if name in ("full", "full_like", "poch", "multigammaln") or "gammaln(k + 1)" in text:
        used = {}
    parse(text, **{n: shape for n, shape in used.items() if n not in taken})


REFERENCES = {
    "cbrt": (np.cbrt, -x),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), x - 0.5),
    "selu": (lambda x: np.where(x > 0, 1.0507 * x, 1.0507 * 1.67326 * np.expm1(x)), x - 0.5),
    "mish": (lambda x: x * np.tanh(np.log1p(np.exp(x))), x),
    "hardtanh": (lambda x: np.clip(x, -1, 1), 4 * x - 2),
    "hardsigmoid": (lambda x: np.clip((x + 3) / 6, 0, 1), 9 * x - 4),
    "hardswish": (lambda x: x * np.clip(x + 3, 0, 6) / 6, 9 * x - 4),
    "tanhshrink": (lambda x: x - np.tanh(x), x),
    "softmin": (lambda x: sc.softmax(-x), x),
    "logcosh": (lambda x: np.log(np.cosh(x)), x),
    "sinc": (np.sinc, np.array([0.0, 0.5, 1.0, -0.3, 2.2])),
    "exp2": (np.exp2, x),
    "log1mexp": (lambda x: np.log(1 - np.exp(-x)), x),
    "reciprocal": (np.reciprocal, x),
    "deg2rad": (np.deg2rad, x),
    "rad2deg": (np.rad2deg, x),
    "entr": (sc.entr, x),
    "ptp": (np.ptp, x),
    "rms": (lambda x: np.sqrt(np.mean(x**2)), x),
    "skew": (scipy.stats.skew, x),
    "kurtosis": (lambda x: scipy.stats.kurtosis(x, fisher=False), x),
    "cumprod": (np.cumprod, x),
    "logcumsumexp": (lambda x: np.logaddexp.accumulate(x), x),
    "logpdf": (scipy.stats.norm.logpdf, x),
}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_it_has_the_values_of_the_function(name):
    function, at = REFERENCES[name]
    found = parse(ABSENT[name][0].split(" for ")[0], x="n")
    # Rounding of a few operations on numbers of size 1; cbrt by logarithms.
    np.testing.assert_allclose(found.evaluate(x=at), function(at), rtol=1e-13)


OF_MORE = {
    "clamp": (np.clip(x, 0.3, 0.6), {"x": x, "low": 0.3, "high": 0.6}),
    "neg": (-np.minimum(x - 0.5, 0), {"x": x - 0.5}),
    "pos": (np.maximum(x - 0.5, 0), {"x": x - 0.5}),
    "lerp": (x + 0.25 * (y - x), {"a": x, "b": y, "t": 0.25}),
    "boxcox": (sc.boxcox(x, 0.3), {"x": x, "lam": 0.3}),
    "invlogit": (sc.expit(x), {"x": x}),
    "lbeta": (sc.betaln(0.3, 0.7), {"a": 0.3, "b": 0.7}),
    "geo_mean": (scipy.stats.gmean(x), {"x": x}),
    "harmonic_mean": (scipy.stats.hmean(x), {"x": x}),
    "tv": (np.abs(np.diff(x)).sum(), {"x": x}),
    "any": (1, {"x": x - 0.5}),
    "all": (0, {"x": x - 0.5}),
    "normalize": (x / np.sqrt(x @ x), {"x": x}),
    "mse_loss": (np.square(x - y).sum() / 5, {"x": x, "y": y}),
    "smooth_l1_loss": (sc.huber(1, 4 * x - y).mean(), {"x": 4 * x, "y": y}),
    "binary_cross_entropy": (
        np.mean(-sc.xlogy(y, x) - sc.xlog1py(1 - y, -x)),
        {"y": y, "p": x},
    ),
    "polyval": (np.polynomial.polynomial.polyval(0.3, x), {"z": x, "x": 0.3}),
    "reduce_mean": (X.mean(), {"X": X}),
    "reduce_max": (X.max(), {"X": X}),
    "vecnorm": (np.sqrt((X**2).sum(axis=0)), {"X": X}),
    "tr_inv": (np.trace(np.linalg.inv(A)), {"A": A}),
    "matrix_frac": (x @ np.linalg.inv(A) @ x, {"x": x, "A": A}),
    "lstsq": (np.linalg.lstsq(A, y)[0], {"A": A, "y": y}),
    "cho_solve": (np.linalg.solve(A, y), {"A": A, "y": y}),
    "roll": (np.roll(x, 1), {"x": x}),
    "entropy": (np.sum(sc.entr(x)), {"p": x}),
    "factorial": (sc.factorial(4.0), {"n": 4.0}),
    "hinge": (np.maximum(1 - y * 3 * x, 0), {"y": y, "z": 3 * x}),
    "exp10": (10**x, {"x": x}),
    "fmax": (np.fmax(x, y), {"a": x, "b": y}),
    "fmin": (np.fmin(x, y), {"a": x, "b": y}),
    "acot": (np.arctan2(1, x), {"x": x}),
    "asec": (np.arccos(1 / (1 + x)), {"x": 1 + x}),
    "acsc": (np.arcsin(1 / (1 + x)), {"x": 1 + x}),
    "cosine_similarity": (
        1 - scipy.spatial.distance.cosine(x, y),
        {"x": x, "y": y},
    ),
    "tcrossprod": (X @ X.T, {"X": X}),
    "colsums": (X.sum(axis=0), {"X": X}),
    "rowmeans": (X.mean(axis=1), {"X": X}),
    "cdf": (scipy.stats.norm.cdf(x), {"x": x}),
    "pdf": (scipy.stats.norm.pdf(x), {"x": x}),
    "logaddexp2": (np.logaddexp2(x, y), {"a": x, "b": y}),
    "softshrink": (np.sign(x) * np.maximum(np.abs(x) - 0.3, 0), {"x": x, "a": 0.3}),
    "huber": (sc.huber(0.4, x), {"r": x, "d": 0.4}),
    "kl_div": (sc.kl_div(x, y), {"x": x, "y": y}),
    "rel_entr": (sc.rel_entr(x, y), {"x": x, "y": y}),
    "xlog1py": (sc.xlog1py(x, y), {"x": x, "y": y}),
    "kl": (np.sum(sc.rel_entr(x, y)), {"p": x, "q": y}),
    "trapz": (np.trapezoid(y, x), {"x": x, "y": y}),
    "binom": (sc.binom(7.5, 2.5), {"n": 7.5, "k": 2.5}),
    "poch": (sc.poch(1.5, 2.5), {"x": 1.5, "m": 2.5}),
    "celu": (np.where(x > 0.5, x - 0.5, 0.3 * np.expm1((x - 0.5) / 0.3)), {"x": x - 0.5, "a": 0.3}),
    "rank": (3, {"A": A[:, :3] @ A[:3]}),
    "cond": (np.linalg.cond(A), {"A": A}),
    "adj": (np.linalg.det(A) * np.linalg.inv(A), {"A": A}),
    "crossprod": (X.T @ X, {"X": X}),
    "colmeans": (X.mean(axis=0), {"X": X}),
    "rowsums": (X.sum(axis=1), {"X": X}),
    "multigammaln": (sc.multigammaln(4.5, 3), {"a": 4.5, "n": 3}),
}


@pytest.mark.parametrize("name", sorted(OF_MORE))
def test_of_several_arguments_it_has_the_values_too(name):
    expected, given = OF_MORE[name]
    sizes = {5: "s", 4: "t"}
    shapes = {n: tuple(sizes[length] for length in np.shape(v)) for n, v in given.items()}
    if name == "multigammaln":
        del shapes["n"]  # a size
    f = parse(ABSENT[name][0].split(" for ")[0], **shapes)
    # The condition number of A is below 1e3, and pinv cuts singular values at 1e-15.
    np.testing.assert_allclose(f.evaluate(**given), expected, rtol=1e-10)


def test_what_quantiles_minimise():
    data = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    grid = np.linspace(0, 17, 3401)
    for name, at, more in (("median", 4.0, {}), ("quantile", 8.0, {"q": 0.7})):
        f = parse(ABSENT[name][0].split(" for ")[0], x="n").compile()
        values = [f(x=data, m=m, **more) for m in grid]
        assert grid[int(np.argmin(values))] == pytest.approx(at, abs=0.006)  # the grid's step


def test_a_vector_in_every_column_and_in_every_row():
    columns, rows = (option.split(" for ")[0] for option in ABSENT["repmat"])
    np.testing.assert_array_equal(parse(columns, x="n").evaluate(x=x, k=3), np.tile(x, (3, 1)).T)
    np.testing.assert_array_equal(parse(rows, x="n").evaluate(x=x, k=3), np.tile(x, (3, 1)))


def test_sums_and_means_of_tensorflow():
    for name in ("sum", "mean"):
        for axis in ("", ", axis=0", ", axis=-1"):
            text, other = f"tf.reduce_{name}(X{axis})", f"np.{name}(X{axis})"
            assert parse(text, X="m,n") == parse(other, X="m,n")
    assert parse("X - tf.reduce_mean(X, 0)", X="n,n") == parse("X - X.mean(0)", X="n,n")


def test_functions_of_nested_modules():
    for text in ("jax.nn.softmax(x)", "torch.nn.functional.softmax(x)", "tf.nn.softmax(x)"):
        assert parse(text, x="n") == parse("softmax(x)", x="n")


def test_an_index_that_runs_the_other_way():
    f = parse(REVERSED.split(" for ")[0], x="n", y="n")
    assert f.evaluate(x=[1.0, 2.0, 5.0], y=[1.0, 10.0, 100.0]) == 5 + 20 + 100
    with pytest.raises(ParseError, match=r"whole number here; an index .* by two: sum\(x\[j\]"):
        parse("sum(x[n - 1 - i] * c[i], i)", x="n", c="n")


def test_the_largest_of_each_row():
    f = parse(LARGEST[0].split(" for ")[0], X="m,n")
    assert f.evaluate(X=X) == pytest.approx(X.max(axis=1).sum())
    f = parse(SMALLEST[0].split(" for ")[0], X="m,n")
    assert f.evaluate(X=X) == pytest.approx(X.min(axis=1).sum())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sum(elu(x))", r"unknown function 'elu'; write where\(x > 0, x, exp\(x\) - 1\)$"),
        ("cbrt(x)", r"write sign\(x\) \* abs\(x\) \*\* \(1 / 3\), or x \*\* \(1 / 3\) for pos"),
        ("factorial(x)", r"write exp\(gammaln\(n \+ 1\)\)"),
        ("rank(A)", r"write trace\(A @ pinv\(A\)\) for the rank"),
        ("median(x)", r"write sum\(abs\(x - m\)\) for what the median m minimises"),
        ("A @ vector(1)", r"write ones\(n\) for a vector of ones"),
        ("argmax(x)", "its values are places"),
        ("floor(x)", "constant between jumps"),
        (
            "np.prod(x)",
            r"found \.prod; write exp\(sum\(log\(x\)\)\) for pos.*, without np\.",
        ),
        ("np.median(x)", r"found \.median; write sum\(abs\(x - m\)\)"),
        ("np.linalg.cholesky(A)", r"found \.cholesky; factors are declared"),
        ("np.roll(x)", r"write vstack\(\[x\[-1:\], x\[:-1\]\]\) without np\."),
        ("scipy.stats.norm.logpdf(x)", r"found \.stats; write norm_pdf\(x\) for the standard"),
        ("np.array(x)", "given to evaluate as the values of a symbol"),
        ("np.busday_count(x)", "there is no busday_count here: write the function without np"),
        ("np.average(x, weights=w)", r"but axis; write dot\(w, x\) / sum\(w\) for weights"),
        ("np.max(X, axis=1)", r"write sum\(amax\(X\[i\]\), i\) for the sum of the largest"),
        ("np.var(x, where=1)", "no argument by name but axis and ddof"),
        ("sigmiod(x)", "did you mean 'sigmoid'"),
        ("nomr(x)", "did you mean 'norm'"),
        ("tarce(A)", "did you mean 'trace'"),
        ("zzz(x)", "known: "),
    ],
)
def test_hints(text, says):
    with pytest.raises(ParseError, match=says):
        parse(text, **SHAPES)


def test_a_number_of_a_module_that_is_declared_is_said_to_be():
    with pytest.raises(ParseError, match=r"found \.pi; pi is declared as a symbol: rename that$"):
        parse("np.pi * x", x="n", pi="scalar")


def test_no_name_is_in_both_tables():
    assert not WITHOUT.keys() & ABSENT.keys()


def test_errors_at_kinks_name_what_was_written():
    t = scalar("t")
    for f, part in ((sqrt(mc.abs(t)), r"sqrt\(abs\(t\)\)"), (sqrt(relu(t)), r"sqrt\(relu\(t\)\)")):
        with pytest.raises(EvaluationError, match=rf"1 / {part} is not finite here"):
            critical_point(f, t, at=0.0)
    with pytest.raises(EvaluationError, match=r"log\(abs\(t\)\)|1 / abs\(t\)"):
        critical_point(log(mc.abs(t)), t, at=0.0)
