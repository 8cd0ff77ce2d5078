"""Labels of ticks, legends and names have room, whatever the data are."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, fit_formula
from mcmodels.plots import BiplotDisplay, InfluenceDisplay, ResidualsDisplay, ScreeDisplay
from tests.plots.pictures import faults

pytest.importorskip("matplotlib")

RNG = np.random.default_rng(1)
N = 60
PAIR = pd.DataFrame(RNG.normal(size=(N, 2)), columns=["u", "v"])


@pytest.mark.parametrize("limits", [(0, 0.1018), (-0.2158, -0.1943), (99_990, 100_007), (-1e-7, 3)])
@pytest.mark.parametrize("width", [0.7, 1.2, 3.0])
def test_labels_of_ticks_do_not_touch(limits, width):
    display = ResidualsDisplay(
        np.linspace(*limits, N), RNG.normal(size=N), leverage=None, standardized=None, n_params=1
    ).plot()
    display.figure_.set_size_inches(2 * width + 0.6, 3.3)
    assert not [
        fault for fault in faults(display.figure_) if " is over " in fault and "fitted" not in fault
    ]
    assert all(len(ax.get_xticks()) for ax in display.axes_[:3])


def test_a_null_model():
    pytest.importorskip("formulaic")
    data = PAIR.assign(y=RNG.normal(-0.205, 1.0, N))
    fit = fit_formula("y ~ 1", data, LinearRegression())
    assert faults(ResidualsDisplay.from_estimator(fit, data).figure_) == []


def test_the_legend_of_few_components_is_beside_them():
    display = ScreeDisplay.from_estimator(PCA().fit(PAIR))
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.y0 >= display.ax_.get_window_extent().y1 - 1.0
    assert faults(display.figure_) == []


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_rows_without_a_class_are_drawn(missing):
    classes = np.where(np.arange(N) % 3 == 0, "a", "b").astype(object)
    classes[::7] = missing
    display = BiplotDisplay.from_estimator(PCA(2).fit(PAIR), PAIR, classes)
    named = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert named == ["b", "a", "NA"]
    assert sum(len(line.get_xdata()) for line in display.ax_.lines[:3]) == N


def test_ellipses_that_are_lines_are_seen():
    """Two columns: loadings only turn, so that their covariances have rank one."""
    display = BiplotDisplay.from_estimator(PCA(2).fit(PAIR), PAIR)
    assert np.linalg.matrix_rank(display.covariances[0], tol=1e-8) == 1
    assert all(patch.get_linewidth() > 0 for patch in display.ax_.patches)
    assert len(display.ax_.patches) == 2


def test_days_have_no_hours():
    y = PAIR["u"] + RNG.normal(size=N)
    rows = PAIR.set_index(pd.date_range("2021-03-01", periods=N))
    display = InfluenceDisplay.from_estimator(LinearRegression().fit(rows, y), rows, y.to_numpy())
    texts = {label.get_text() for label in display.labels_}
    assert texts <= {str(day.date()) for day in rows.index}
