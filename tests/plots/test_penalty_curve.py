"""The curve of a chosen penalty: its numbers are those of the model, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import GeneralizedLinearRegressor, LogisticRegression, fit_formula
from mcmodels.exceptions import InferenceError
from mcmodels.plots import PenaltyCurveDisplay
from mcmodels.rows import RowStream
from tests.plots import displays
from tests.plots.pictures import faults

pytest.importorskip("matplotlib")
# Whether a search ends at a bound does not matter here.
pytestmark = pytest.mark.filterwarnings("ignore::mcmodels.exceptions.PenaltyBoundWarning")

VALUES = [0.01, 0.1, 1.0, 10.0]


def rows(n=120, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, (X[:, 0] - X[:, 1] / 2 + rng.logistic(size=n) > 0).astype(int)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("criterion", ["loo", "evidence", "aic"])
def test_one_penalty(criterion):
    X, y = rows()
    model = LogisticRegression(C=criterion).fit(X, y)
    display = PenaltyCurveDisplay.from_estimator(model, X, y, values=VALUES)
    expected = model.criterion_curve(X, y, values=VALUES)
    curve, line, tried, ticks, mark = display.ax_.lines
    np.testing.assert_array_equal(curve.get_xdata(), VALUES)
    np.testing.assert_array_equal(curve.get_ydata(), expected["criterion"])
    assert line.get_xdata()[0] == model.C_
    path = model.criterion_path_
    inside = path[(path["C"] > 0.005) & (path["C"] < 20.0)]
    np.testing.assert_array_equal(tried.get_ydata(), inside["criterion"])
    np.testing.assert_array_equal(ticks.get_xdata(), inside["C"])
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (model.C_, model.criterion_)
    (freedom,) = display.freedom_axes_
    np.testing.assert_array_equal(freedom.lines[0].get_ydata(), expected["edf"])
    assert display.ax_.get_xscale() == "log"
    assert labels(display.ax_)[2:] == [f"chosen: {model.C_:.3g}", "tried"]
    # A dashed line on the axis that grows with C.
    assert expected["edf"].is_monotonic_increasing
    assert freedom.get_ylabel() == "edf"
    again = display.ax_.lines[0].get_xydata()
    np.testing.assert_array_equal(display.plot().ax_.lines[0].get_xydata(), again)


def test_the_default_is_three_decades_to_both_sides():
    X, y = rows()
    model = LogisticRegression(C="loo").fit(X, y)
    at = PenaltyCurveDisplay.from_estimator(model, X, y).curves[None]["C"]
    assert len(at) == 41
    np.testing.assert_allclose(at.iloc[[0, 20, -1]] / model.C_, [1e-3, 1.0, 1e3], rtol=1e-12)


def test_groups_have_panels_and_names():
    model, X, y = displays.tuned_groups()
    display = PenaltyCurveDisplay.from_estimator(model, X, y, groups=["other", "age"])
    assert list(display.curves) == ["other", "age"]
    assert len(display.axes_) == len(display.freedom_axes_) == 2
    for ax, group in zip(display.axes_, display.curves, strict=True):
        assert ax.get_xlabel() == f"C of {group}, chosen: {model.C_[group]:.3g}"
        curve = model.criterion_curve(X, y, values=display.curves[group]["C"], group=group)
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), curve["criterion"])
        # The curve is least at the chosen value, which is one of its values.
        assert curve["criterion"].min() >= model.criterion_ - 1e-6
        assert curve["criterion"].idxmin() == 20
    (one,) = PenaltyCurveDisplay.from_estimator(model, X, y, groups="age", values=VALUES).axes_
    assert one.get_xlabel().startswith("C of age")


def test_the_first_six_of_many_groups():
    X, y = rows(n=200, p=8)
    model = LogisticRegression(C="evidence", penalty_groups="each").fit(X, y)
    display = PenaltyCurveDisplay.from_estimator(model, X, y, values=VALUES)
    assert list(display.curves) == [f"x{j}" for j in range(6)]
    assert faults(display.figure_) == []
    last = PenaltyCurveDisplay.from_estimator(model, X, y, groups=["x7"], values=VALUES)
    assert repr(last) == "<PenaltyCurveDisplay: −log evidence along C of x7>"


@pytest.mark.parametrize("intercept", [True, False])
def test_the_freedom_of_an_intercept_has_no_penalty(intercept):
    X, y = rows()
    model = LogisticRegression(C="evidence", fit_intercept=intercept).fit(X, y)
    display = PenaltyCurveDisplay.from_estimator(model, X, y, values=[1e-7, 1e7])
    # At such penalties no coefficient is left, or none is held.
    found = display.curves[None]["edf"]
    np.testing.assert_allclose(found, [intercept, 4 + intercept], atol=1e-3)


def test_streams_weights_and_offsets():
    rng = np.random.default_rng(2)
    X, exposure = rng.normal(size=(150, 4)), rng.uniform(0.5, 2.0, 150)
    y, w = rng.poisson(exposure * np.exp(X[:, 0] / 2)), rng.integers(1, 4, 150) * 1.0
    model = GeneralizedLinearRegressor("poisson", alpha="loo").fit(X, y, w, exposure=exposure)
    display = PenaltyCurveDisplay.from_estimator(model, X, y, w, values=VALUES, exposure=exposure)
    expected = model.criterion_curve(X, y, w, values=VALUES, exposure=exposure)
    np.testing.assert_array_equal(display.curves[None], expected)
    assert display.ax_.get_xlabel() == "alpha"
    blocks = [
        (X[k : k + 50], y[k : k + 50], w[k : k + 50], np.log(exposure[k : k + 50]))
        for k in range(0, 150, 50)
    ]
    stream = RowStream(lambda: iter(blocks))
    streamed = PenaltyCurveDisplay.from_estimator(model, stream, values=VALUES)
    # Sums over other blocks round otherwise.
    np.testing.assert_allclose(streamed.curves[None], expected, rtol=1e-8)


def test_pipelines_and_formulas():
    X, y = rows()
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    groups = {"first": [0, 1]}
    model = LogisticRegression(C="aic", penalty_groups=groups)
    step = make_column_transformer((StandardScaler(), list("abcd")))
    pipeline = make_pipeline(step, model).fit(frame, y)
    display = PenaltyCurveDisplay.from_estimator(pipeline, frame, y, values=VALUES)
    direct = pipeline[-1].criterion_curve(step.transform(frame), y, values=VALUES, group="first")
    np.testing.assert_allclose(display.curves["first"], direct, rtol=1e-12)
    pytest.importorskip("formulaic")
    fit = fit_formula("y ~ a + b", frame, LogisticRegression(C="loo"))
    display = PenaltyCurveDisplay.from_estimator(fit, frame, values=VALUES)
    expected = LogisticRegression(C="loo").fit(frame[["a", "b"]], y)
    curve = expected.criterion_curve(frame[["a", "b"]], y, values=VALUES)
    np.testing.assert_allclose(display.curves[None], curve, rtol=1e-7)


def test_where_the_criterion_is_no_number_there_is_a_gap():
    curve = pd.DataFrame(
        {"alpha": VALUES, "criterion": [np.nan, 5.0, 1e9, 4.0], "edf": [np.nan, 3.0, 2.0, 1.0]}
    )
    path = pd.DataFrame({"alpha": [1.0, 9.0], "criterion": [np.inf, 4.0], "edf": [np.nan, 1.0]})
    display = PenaltyCurveDisplay({None: curve}, path, chosen={None: 9.0}, least=4.0).plot()
    assert faults(display.figure_) == []
    assert display.ax_.get_ylim()[1] < 100.0  # beside a pole it has no bound
    everywhere = curve.assign(criterion=4.0, edf=2.0)
    flat = PenaltyCurveDisplay({None: everywhere}, path, chosen={None: 9.0}, least=4.0).plot()
    assert faults(flat.figure_) == []


def test_what_is_refused():
    X, y = rows()
    with pytest.raises(InferenceError, match="C was given as a number; fit with C='loo'"):
        PenaltyCurveDisplay.from_estimator(LogisticRegression().fit(X, y), X, y)
    with pytest.raises(InferenceError, match=r"LinearRegression has none\. Fit LogisticRegression"):
        PenaltyCurveDisplay.from_estimator(*displays.linear())
    model = LogisticRegression(C="loo").fit(X, y)
    for rest, name in (((), "X"), ((X,), "y")):
        with pytest.raises(ValueError, match=f"needs the training rows; pass {name}, too"):
            PenaltyCurveDisplay.from_estimator(model, *rest)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        PenaltyCurveDisplay.from_estimator(model, X + 1.0, y)
    with pytest.raises(ValueError, match="groups='a', and the fit has one penalty"):
        PenaltyCurveDisplay.from_estimator(model, X, y, groups="a")
    grouped = LogisticRegression(C="loo", penalty_groups={"left": [0], "right": [1]}).fit(X, y)
    with pytest.raises(ValueError, match="groups='lefd' is unknown; did you mean 'left'"):
        PenaltyCurveDisplay.from_estimator(grouped, X, y, groups=["lefd"])
    with pytest.raises(ValueError, match="must be at most 6 different names"):
        PenaltyCurveDisplay.from_estimator(grouped, X, y, groups=["left", "left"])
    ax = PenaltyCurveDisplay.from_estimator(model, X, y, values=VALUES).ax_
    with pytest.raises(ValueError, match="ax has 1 axes, and this picture has 3 panels"):
        PenaltyCurveDisplay.from_estimator(grouped, X, y, values=VALUES, ax=ax)
