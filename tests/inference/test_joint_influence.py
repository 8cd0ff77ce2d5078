"""Influence of rows beside auxiliary parameters: dense Newton steps, refits and laws."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mcmodels import ObjectiveRegressor, RowStream, results
from mcmodels.exceptions import FewCurvedRowsWarning, LeverageWarning
from tests.auxiliary_problems import PROBLEMS, data, model, quietly

# Student's loss bends downwards in rows far out, as one test looks for.
pytestmark = pytest.mark.filterwarnings(
    "ignore::mcmodels.exceptions.FewCurvedRowsWarning",
)
NAMES = list(PROBLEMS)
KINDS = ("frequency", "precision", "probability")


def changes(table, found):
    """``θ̂ - θ̂₍ᵢ₎``, from the DFBETAS of a likelihood."""
    return table.filter(like="dfbetas").to_numpy() * np.sqrt(np.diag(found.covariance_))


def fitted(name, n=90, seed=1, weighted=False, **options):
    X, y = data(PROBLEMS[name].targets, n, seed)
    w = np.random.default_rng(seed).uniform(0.5, 2, n) if weighted else None
    return quietly(model(name, tol=1e-12, **options), X, y, w), X, y, w


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_step_is_that_of_newton_without_the_row(name, weighted):
    """By the gradient and the Hessian of the other rows, which other tests prove."""
    found, X, y, w = fitted(name, weighted=weighted)
    table = found.influence(X, y, w)
    assert table["leverage"].sum() == pytest.approx(found.params_.size, rel=1e-9)
    w = np.ones(len(y)) if w is None else w
    whole = found.hessian(X, y, sample_weight=w)
    for i in range(0, 90, 9):
        others = w * (np.arange(90) != i)
        left = found.hessian(X, y, sample_weight=others)
        expected = np.linalg.solve(left, found.gradient(X, y, sample_weight=others))
        # The gradient of all rows is zero to 1e-12 of the rows; systems are well-conditioned.
        np.testing.assert_allclose(changes(table, found)[i], expected, rtol=1e-6, atol=1e-8)
        share = np.trace(np.linalg.solve(whole, whole - left))
        assert table["leverage"][i] == pytest.approx(share, rel=1e-6, abs=1e-9)
        size = expected @ whole @ expected / len(expected)
        assert table["cooks_distance"][i] == pytest.approx(size, rel=1e-5)


@pytest.mark.parametrize("name", ["student", "beta", "ordinal logit", "negative binomial"])
def test_one_step_is_near_the_refit_without_the_row(name):
    """The error of a step is of second order in the change, which falls as 1/n."""
    errors = []
    for n in (100, 400):
        found, X, y, _ = fitted(name, n, n)
        table = found.influence(X, y)
        chosen = np.argsort(-table["cooks_distance"].to_numpy())[:12]
        true = np.empty((12, found.params_.size))
        for k, i in enumerate(chosen):
            keep = np.arange(n) != i
            true[k] = found.params_ - quietly(model(name, tol=1e-12), X[keep], y[keep]).params_
        errors.append(np.abs(changes(table, found)[chosen] - true).max())
        # A quarter of the change itself, of the rows that change most.
        assert errors[-1] < 0.25 * np.abs(true).max()
    # 16 times smaller on average; maxima over rows vary.
    assert errors[1] < errors[0] / 3


@pytest.mark.parametrize("weights", KINDS)
def test_a_loss_times_a_number_has_the_same_measures(weights):
    text = "log_scale + 2.5*log(1 + (y - eta)**2 * exp(-2*log_scale) / 4)"
    X, y = data("numbers", 80)
    w = np.random.default_rng(3).uniform(0.5, 2, 80)
    tables = [
        quietly(
            ObjectiveRegressor(loss, auxiliary={"log_scale": 0.0}, weights=weights, tol=1e-13),
            X,
            y,
            w,
        ).influence(X, y, w)
        for loss in (text, f"40*({text})")
    ]
    kept = [name for name in tables[0] if name != "score_residual"]
    # Two fits, each to a negligible step.
    pd.testing.assert_frame_equal(tables[0][kept], tables[1][kept], rtol=1e-6, atol=1e-9)


def test_storages_are_the_same_table():
    found, X, y, w = fitted("negative binomial", weighted=True)
    expected = found.influence(X, y, w)
    half = (slice(0, 40), slice(40, None))
    stream = RowStream(lambda: ((X[s], y[s], w[s]) for s in half))
    for again in (
        found.influence(stream),
        found.influence(sparse.csr_matrix(X), y, w),
        results(found).influence(X, y, w),
    ):
        pd.testing.assert_frame_equal(again, expected, rtol=1e-9, atol=1e-12)
    frame = pd.DataFrame(X, index=np.arange(90) + 7)
    assert list(found.influence(frame, y, w).index) == list(frame.index)


def test_a_row_that_alone_determines_a_column_is_said():
    X, y = data("numbers", 40)
    alone = np.column_stack([X, np.arange(40) == 5])
    student = model("student")
    found = quietly(student, alone, y)
    with pytest.warns(LeverageWarning, match="row 5 the Hessian"):
        table = found.influence(alone, y)
    assert np.isnan(table["cooks_distance"][5])
    assert np.isfinite(table["cooks_distance"].drop(5)).all()


def test_rows_that_bend_downwards_are_said():
    X, y = data("numbers", 60)
    y[3] += 60.0
    found = quietly(model("student"), X, y)
    with pytest.warns(FewCurvedRowsWarning, match="does not bend upwards in η"):
        table = found.influence(X, y)
    assert np.isnan(table["standardized_residual"][3])
    assert np.isfinite(table["cooks_distance"]).all()
