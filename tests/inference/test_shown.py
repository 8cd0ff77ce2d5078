"""What a terminal and a notebook show of results: readable text and tables, not their fields."""

import copy
import dataclasses
import inspect
import pickle
import sys
import typing
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, load_digits

import mcmodels
from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
    autodiff,
    calculus,
    check_gradient,
    check_hessian,
    check_rule,
    compare,
    derivative_checks,
    differences,
    inference,
    likelihood_ratio_test,
    scan,
    summarize,
)
from mcmodels.calculus import critical_point, diagnose, identities, matrix, scalar, vector
from mcmodels.calculus.compute.export.code import exported
from mcmodels.differences import numerical_derivative

X, y = load_diabetes(return_X_y=True, as_frame=True)
HAS_JAX = find_spec("jax") is not None  # of the extra `bench` alone
CLASSES = (y > 140).astype(int)


def results():
    linear = LinearRegression().fit(X, y)
    logistic = LogisticRegression(C=np.inf).fit(X, CLASSES)
    small = LogisticRegression(C=np.inf).fit(X.iloc[:, :3], CLASSES)
    left_out = mcmodels.leave_one_out(logistic, X, CLASSES)
    network = MLPRegressor((2,), alpha=10.0, random_state=0, max_iter=5000).fit(X, y)
    laplace = network.laplace(X, y)
    t, x, A = scalar("t"), vector("x", "n"), matrix("A", "n", "n")
    pair = vector("x", 2)
    i = calculus.index("i", over="n")
    derivation = (x.T @ A @ x).derivation(x)
    some = np.arange(3.0)
    bent = calculus.convexity(calculus.sum(calculus.exp(x)) - x.T @ x, x)
    return {
        "convexity": bent,
        "two bends": bent.witness,
        **({"an exported function": exported(pair.T @ pair, "jax")} if HAS_JAX else {}),
        "a bend": bent.witness.up,
        "lagrangian": calculus.lagrangian(pair.T @ pair, [calculus.sum(pair) - 1]),
        "wald test": linear.wald_test("bmi = 0"),
        "equal variances": linear.breusch_pagan(X, y),
        "what is determined": LinearRegression()
        .fit(X[["bmi", "bp"]].assign(twice=2 * X["bmi"]), y)
        ._fit.estimable,
        "degrees of freedom": linear.delta_method(
            np.tanh, X, y, kind="CR2", groups=np.arange(len(X)) % 7
        ).values.satterthwaite,
        "outliers": linear.outlier_test(X, y),
        "left out": left_out,
        "difference of scores": left_out.compare(
            mcmodels.leave_one_out(small, X.iloc[:, :3], CLASSES)
        ),
        "attribution": mcmodels.attribution(linear, X, y, of="bmi"),
        "a prediction": mcmodels.prediction_at(X.iloc[0]),
        "a loss": mcmodels.loss_on(X, y),
        "influential rows": mcmodels.most_influential(linear, X, y, of="age"),
        "bootstrap": mcmodels.bootstrap(linear, X, y, draws=50, random_state=0),
        "few clusters": linear.wild_bootstrap_test("bmi", X, y, groups=np.arange(len(X)) % 7),
        "likelihood ratio": likelihood_ratio_test(small, logistic),
        "delta method": linear.delta_method(lambda params: params[0] * params[1]),
        "delta method of all": linear.delta_method(np.tanh),
        "values": linear.delta_method(np.tanh).values,
        "many restrictions": linear.wald_test(np.eye(11)[:10] + 0.1),
        "summary": linear.summary(),
        "all results": mcmodels.results(linear),
        "no results": mcmodels.results(LinearRegression().fit(X.iloc[:2], y[:2])),
        "terms": mcmodels.results(linear).terms,
        "odds ratios": logistic.summary(exponentiate=True),
        "side by side": compare(linear, logistic),
        "classes": logistic.summary(),
        "number of components": PCA().fit(X).parallel_analysis(),
        "laplace": laplace,
        "posterior": laplace.posterior,
        "right": diagnose(t**2, t, 2 * t),
        "wrong": diagnose(t**2, t, 3 * t),
        "wrong values": check_gradient(_half_square, lambda x: 2 * x, some).diagnosis,
        "derivation": derivation,
        "step": derivation.steps[0],
        "last step": derivation.steps[-1],
        "rule": derivation.steps[0].rules[0],
        "symbol": x,
        "size": x.rows,
        "gradient": derivation.result,
        "tensor": calculus.einsum("i,j,k->ijk", x, x, x),
        "sum over rows": calculus.sum_over(calculus.vector("y", "n")[i] ** 2, i),
        "compiled": derivation.result.compile(),
        "identity": identities.named("quadratic form"),
        "saddle": critical_point(pair[0] ** 2 - pair[1] ** 2, pair, at=[0.0, 0.0]),
        "gradient check": check_gradient(_half_square, lambda x: 2 * x, some),
        "rule check": check_rule(np.sin, some),
        "hessian check": check_hessian(_half_square, lambda x: np.eye(3), some),
        "numerical derivative": numerical_derivative(_half_square, some, np.asarray(2.5)),
        "stream": RowStream([(X, y)]),
        "stream of a function": RowStream(results),
        "scan": scan(pd.DataFrame({"x": [1.0, 2.0], "zone": ["a", "b"]}), categorical=["zone"]),
        "columns of a scan": scan(pd.DataFrame({"x": [1.0, 2.0]})).table_columns,
    }


def _half_square(x):
    return np.sum(x**2) / 2


RESULTS = results()
TESTS = ("wald test", "equal variances", "likelihood ratio")


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_shown_as_text_and_as_html(name):
    result = RESULTS[name]
    text, html = repr(result), _in_a_notebook(result)
    # An expression's text is code that `parse` reads, and it is shown as mathematics.
    as_code = isinstance(result, calculus.Expression | calculus.Lagrangian | calculus.Tensor)
    assert text == str(result) or as_code
    assert type(result).__name__ + "(" not in text  # the fields of a dataclass
    assert "array(" not in text + html
    assert " at 0x" not in text + html
    widest = 100 if "<table" in html else 120  # sentences and formulas are not broken
    assert max(map(len, text.split("\n"))) <= widest
    assert text.count("\n") < 100
    ElementTree.fromstring(f"<div>{html}</div>")  # raises where tags do not match


def _in_a_notebook(result):
    """The HTML; where a notebook shows a formula, or the text, nothing."""
    if hasattr(result, "_repr_html_"):
        return result._repr_html_()
    assert hasattr(result, "_repr_latex_") or type(result).__name__ in SHORT_TEXT
    return ""


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_compared_and_hashed_without_error(name):
    result = RESULTS[name]
    assert result == result
    assert result != "something else"
    for other in RESULTS.values():
        assert isinstance(other == result, bool)
    assert isinstance(result == copy.deepcopy(result), bool)
    assert result in {result}


# What is one line of text, or a few; a notebook shows that as it is.
SHORT_TEXT = {
    "CompiledFunction",
    "EstimableSpace",
    "LossOn",
    "PredictionAt",
    "Terms",
    "Identity",
    "NumericalDerivative",
    "RowStream",
    "Bend",
    "ExportedFunction",
    "Witness",
    "Lagrangian",
    "Rule",
    "Satterthwaite",
    "Size",
    "TableColumns",
    "TableStream",
}
# Rooms below inference: what they return stays within the package.
WITHIN = ("mcmodels.objectives.", "mcmodels.rows.", "mcmodels.solvers.")
PUBLIC = (mcmodels, autodiff, calculus, derivative_checks, differences, identities, inference)
PACKAGE = Path(mcmodels.__file__).parent


def public_classes():
    """The classes of what can be reached from public names, by annotations and fields."""
    found, waiting = set(), [getattr(room, name) for room in PUBLIC for name in room.__all__]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, type):
            if thing in found or not thing.__module__.startswith("mcmodels."):
                continue
            if thing.__module__.startswith(WITHIN) and thing is not RowStream:
                continue
            found.add(thing)
            members = [inspect.getattr_static(thing, name) for name in dir(thing) if name[0] != "_"]
            waiting += [member for member in members if not isinstance(member, type)]
            if dataclasses.is_dataclass(thing):
                waiting += classes_in(inspect.get_annotations(thing).values(), thing.__module__)
        elif isinstance(thing, property | cached_property | staticmethod | classmethod):
            functions = ("fget", "func", "__func__")
            waiting.append(next(getattr(thing, f) for f in functions if hasattr(thing, f)))
        elif inspect.isfunction(thing):
            function = inspect.unwrap(thing)
            waiting += classes_in([function.__annotations__.get("return")], function.__module__)
    return found


def classes_in(annotations, module):
    """The classes that annotations name, within unions and containers."""
    names = {
        name: value
        for loaded in list(sys.modules.values())
        if getattr(loaded, "__name__", "").startswith("mcmodels")
        for name, value in vars(loaded).items()
        if isinstance(value, type)
    } | {"np": np, "Array": np.ndarray, **vars(sys.modules[module])}
    waiting = [eval(a, names) if isinstance(a, str) else a for a in annotations]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and not typing.get_args(annotation):
            yield annotation
        elif typing.get_origin(annotation) is not typing.Literal:
            waiting += [a for a in typing.get_args(annotation) if not isinstance(a, str)]


def test_every_public_class_has_a_repr_of_its_own_and_an_example_here():
    classes = public_classes()
    assert {calculus.Step, inference.Summary, inference.Estimate, RowStream} <= classes
    shown = {kind for result in RESULTS.values() for kind in type(result).__mro__}
    for kind in classes:
        if not issubclass(kind, BaseEstimator | Exception | Warning):
            written_in = Path(inspect.unwrap(kind.__repr__).__code__.co_filename)
            assert written_in.is_relative_to(PACKAGE), f"{kind} is shown as a dump of its fields"
            if kind.__name__ == "ExportedFunction" and not HAS_JAX:
                continue
            assert kind in shown or any(issubclass(other, kind) for other in shown)


def test_the_rule_sees_dumps():
    @dataclasses.dataclass
    class Dump:
        field: int

    written_in = inspect.unwrap(Dump.__repr__).__code__.co_filename
    assert not Path(written_in).is_relative_to(PACKAGE)
    assert not hasattr(object.__repr__, "__code__")


# HTML, line ends, LaTeX's special characters, no name at all, a name longer than a line.
STRANGE = ("<b>x</b>", "a\nb\n\nc", "", " ", "x" * 300, "{%_$}\\", "a`b", "&amp;", "(intercept)")


def strange_results():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, len(STRANGE))), columns=STRANGE)
    Y = pd.DataFrame(rng.normal(size=(90, 2)), columns=["<i>y</i>", "z\n" + "q" * 200])
    labels = np.array(["<u>a</u>", "b\n\nc" + "w" * 300, "c"], dtype=object)
    three, two = np.tile(labels, 30), np.repeat(labels[:2], 45)
    linear, components = LinearRegression().fit(X, Y.iloc[:, 0]), PCA(3).fit(X)
    loss = ObjectiveRegressor("(y - eta)**4").fit(X, Y.iloc[:, 0])
    return {
        "linear": linear.summary(),
        "two targets": LinearRegression().fit(X, Y).summary(),
        "two classes": LogisticRegression().fit(X, two).summary(),
        "three classes": summarize(LogisticRegression().fit(X, three)),
        "own loss": loss.summary(X, Y.iloc[:, 0], kind="HC1"),
        "components": components.summary(),
        "test": linear.wald_test(np.eye(10)[:9]),
        "stick": components.broken_stick(),
        "side by side": compare(linear, LogisticRegression().fit(X, three), names=STRANGE[:2]),
        "values": linear.delta_method(np.tanh).values,
    }


def test_names_are_shown_as_text_wherever_they_come_from():
    for result in strange_results().values():
        text, html = repr(result), result._repr_html_()
        assert max(map(len, text.split("\n"))) <= 100
        tags = {element.tag for element in ElementTree.fromstring(f"<div>{html}</div>").iter()}
        assert tags <= {"div", "h4", "h5", "table", "tr", "th", "td", "p"}
        if hasattr(result, "to_latex") and result.tables:
            latex = result.to_latex()
            rows = latex.split("\\midrule\n")[1].split("\\bottomrule")[0].strip().split("\n")
            assert all(row.endswith("\\\\") for row in rows)  # a row of the table on each line


@pytest.mark.parametrize("name", TESTS)
def test_a_test_shows_its_p_value(name):
    result = RESULTS[name]
    shown = repr(result).split("p = ")[1]
    assert float(shown) == pytest.approx(result.p_value, rel=5e-3)  # three digits
    assert "p-value" in result._repr_html_()


def test_a_p_value_below_rounding_is_a_bound():
    strong = LinearRegression().fit(X, y).wald_test("bmi = 1e6")
    assert strong.p_value < 1e-16
    assert repr(strong).endswith("p <1e-16")
    assert "&lt;1e-16" in strong._repr_html_()


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_shown_survives_copies(name):
    result = RESULTS[name]
    assert repr(copy.deepcopy(result)) == repr(result)
    if name != "stream of a function":  # a function of a test, which is not pickled
        assert repr(pickle.loads(pickle.dumps(result))) == repr(result)


def test_the_delta_method_shows_value_error_and_interval():
    found = RESULTS["delta method"]
    (row,) = (line for line in repr(found).split("\n") if line.startswith("g "))
    expected = (found.estimate, found.standard_error, *found.interval())
    np.testing.assert_allclose([float(cell) for cell in row.split()[1:]], expected, rtol=1e-3)


def test_a_long_summary_shows_its_beginning_and_says_what_is_left_out():
    summary = PCA().fit(load_digits().data).summary()
    text = str(summary)
    assert text.count("\n") < 100
    assert text.count("more rows") == 4
    assert "Standard errors of the loadings" in text
    whole = summary.to_text()
    assert whole.count("\n") > 1000
    assert len(summary.to_frame()) == 4 * 64


# The joint covariance of many parameters takes long: fewer targets of many columns.
SIZES = [(p, m) for p in (1, 5, 40) for m in (1, 3, 8, 20, 60, 200) if p * m <= 2400]


@pytest.mark.parametrize(("n_columns", "n_targets"), SIZES)
def test_a_summary_of_many_targets_is_a_screen(n_targets, n_columns):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(100, n_columns)), rng.normal(size=(100, n_targets))
    summary = LinearRegression().fit(X, Y).summary()
    text, html = str(summary), summary._repr_html_()
    assert text.count("\n") < 100
    assert html.count("<tr>") < 100
    assert ("\ny0" in text) == (n_targets > 1)
    assert ("more" in text) == (summary.to_text() != text)
    assert len(summary.to_frame()) == n_targets * (n_columns + 1)


def test_a_summary_of_up_to_100_lines_is_whole():
    for n_columns, is_whole in ((60, True), (150, False)):
        rng = np.random.default_rng(0)
        summary = (
            LinearRegression()
            .fit(rng.normal(size=(400, n_columns)), rng.normal(size=400))
            .summary()
        )
        assert (str(summary) == summary.to_text()) == is_whole
        assert str(summary).count("\n") < 100
