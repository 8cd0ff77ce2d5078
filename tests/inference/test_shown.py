"""What a terminal and a notebook show of results: readable text and tables, not their fields."""

import copy
import pickle
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from mcmodels import PCA, LinearRegression, LogisticRegression, MLPRegressor, likelihood_ratio_test
from mcmodels.calculus import diagnose, scalar

X, y = load_diabetes(return_X_y=True, as_frame=True)
CLASSES = (y > 140).astype(int)


def results():
    linear = LinearRegression().fit(X, y)
    logistic = LogisticRegression(C=np.inf).fit(X, CLASSES)
    small = LogisticRegression(C=np.inf).fit(X.iloc[:, :3], CLASSES)
    network = MLPRegressor((2,), alpha=10.0, random_state=0).fit(X, y)
    t = scalar("t")
    return {
        "wald test": linear.wald_test("bmi = 0"),
        "equal variances": linear.breusch_pagan(X, y),
        "likelihood ratio": likelihood_ratio_test(small, logistic),
        "delta method": linear.delta_method(lambda params: params[0] * params[1]),
        "delta method of all": linear.delta_method(np.tanh),
        "summary": linear.summary(),
        "classes": logistic.summary(),
        "number of components": PCA().fit(X).parallel_analysis(),
        "laplace": network.laplace(X, y),
        "right": diagnose(t**2, t, 2 * t),
        "wrong": diagnose(t**2, t, 3 * t),
    }


RESULTS = results()
TESTS = ("wald test", "equal variances", "likelihood ratio")


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_shown_as_text_and_as_html(name):
    result = RESULTS[name]
    text, html = repr(result), result._repr_html_()
    assert text == str(result)
    assert type(result).__name__ + "(" not in text  # the fields of a dataclass
    assert "array(" not in text + html
    assert max(map(len, text.split("\n"))) <= 100
    assert text.count("\n") < 100
    ElementTree.fromstring(f"<div>{html}</div>")  # raises where tags do not match


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
    if name not in ("right", "wrong", "delta method of all"):
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
