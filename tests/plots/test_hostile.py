"""Names, sizes and units that are hard to draw: texts are inside, apart, and as the user wrote."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mcmodels import PCA, GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from mcmodels.plots import (
    BiplotDisplay,
    CalibrationDisplay,
    CoefficientDisplay,
    CurvatureDisplay,
    EffectDisplay,
    InfluenceDisplay,
    PenaltyCurveDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    ScreeDisplay,
    SeparationDisplay,
)
from mcmodels.plots.names import shortened
from tests.plots.pictures import faults, rendered, texts
from tests.rotation import rotated

NAMES = {
    "TeX": ["$x$", "a_b^{c}", "50 % & more", "$\\frac{$", "\\alpha", "{b}", "#~$"],
    "unicode and blank": ["Größe", "", "возраст", "two\nlines", "ℓ₂‖x‖² ≤ ∞", " ", "\ta  b"],
    "underscores": ["_x", "__", "_", "_nolegend_", "_child0", "x_", "_y_"],
    "40 letters": [f"the_measured_weight_of_the_{k}th_whole_body" for k in range(7)],
    "wide": ["W" * 40 + str(k) for k in range(7)],
}
UNITS = {"plain": 1.0, "tiny": 1e-12, "huge": 1e12}
SEED = 11


def table(names, unit=1.0, n=60):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(n, len(names))) @ (np.eye(len(names)) + 0.3)
    return pd.DataFrame(X * unit, columns=pd.Index(names, dtype=object)), rng


def linear(names, unit=1.0):
    X, rng = table(names, unit)
    # All targets are negative, and in units of their own.
    y = (-100.0 + X.sum(axis=1) / unit + rng.normal(size=len(X))) * unit**0.5
    return LinearRegression().fit(X, y), X, y


def logistic(names, unit=1.0):
    X, rng = table(names[:2], unit)
    p = 1.0 / (1.0 + np.exp(-X.iloc[:, 0] / unit))
    y = np.where(rng.random(len(X)) < p, names[3], names[4])
    return LogisticRegression(C=np.inf).fit(X, y), X, y


def counts(names, unit=1.0):
    X, rng = table(names[:3], unit)
    y = rng.poisson(np.exp(0.3 * X.iloc[:, 0] / unit))
    return GeneralizedLinearRegressor("poisson").fit(X, y), X, y


def separated(names, unit=1.0):
    X, _ = table(names, unit)
    y = np.where(X.iloc[:, 0] + X.iloc[:, 1] > 0, names[3], names[4])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SeparationWarning
        return LogisticRegression(C=np.inf).fit(X, y), X, y


def tuned(names, unit=1.0):
    X, rng = table(names, unit)
    y = rng.poisson(np.exp(0.3 * X.iloc[:, 0] / unit))
    # Empty names of groups are names, too.
    groups = {name: [k] for k, name in enumerate(names[:3])}
    model = GeneralizedLinearRegressor("poisson", alpha="evidence", penalty_groups=groups)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PenaltyBoundWarning
        return model.fit(X, y), X, y


def levels(names, unit=1.0):
    rng = np.random.default_rng(SEED)
    X = pd.DataFrame({names[0]: rng.choice(names, 90), names[1]: rng.choice(names[:3], 90)})
    y = rng.normal(size=90) * unit
    return make_pipeline(OneHotEncoder(drop="first"), LinearRegression()).fit(X, y), X


def _rows_named(names, unit=1.0):
    model, X, y = linear(["a", "b"], unit)
    X = X.set_axis([f"{names[k % 7]}{k // 7 or ''}" for k in range(len(X))])
    return model, X, pd.Series(np.asarray(y), index=X.index)


def _two(names, unit=1.0):
    model, X, y = linear(names, unit)
    small = LinearRegression().fit(X.iloc[:, :3], y)
    return CoefficientDisplay.from_estimator([model, small], labels=names[:2])


MAKE = {
    "coefficients": lambda n, u: CoefficientDisplay.from_estimator(linear(n, u)[0]),
    "coefficients of two": _two,
    "odds ratios": lambda n, u: CoefficientDisplay.from_estimator(
        logistic(n, u)[0], exponentiate=True
    ),
    "effect": lambda n, u: EffectDisplay.from_estimator(*linear(n, u)[:2]),
    "effect of counts": lambda n, u: EffectDisplay.from_estimator(*counts(n, u)[:2]),
    "effect of levels": lambda n, u: EffectDisplay.from_estimator(*levels(n, u), by=n[1]),
    "effect on a class": lambda n, u: EffectDisplay.from_estimator(*logistic(n, u)[:2]),
    "residuals": lambda n, u: ResidualsDisplay.from_estimator(*linear(n, u)),
    "influence": lambda n, u: InfluenceDisplay.from_estimator(*_rows_named(n, u)),
    "influence on one": lambda n, u: InfluenceDisplay.from_estimator(
        *linear(n, u), measure=f"dfbetas_{n[0]}"
    ),
    "scree": lambda n, u: ScreeDisplay.from_estimator(PCA().fit(table(n, u)[0])),
    "biplot": lambda n, u: BiplotDisplay.from_estimator(
        PCA().fit(table(n, u)[0]), table(n, u)[0], [n[k % 7] for k in range(60)]
    ),
    "penalty": lambda n, u: PenaltyCurveDisplay.from_estimator(
        *tuned(n, u), groups=n[:2], values=np.array([0.1, 1.0, 10.0]) * u**2
    ),
    "profile": lambda n, u: ProfileDisplay.from_estimator(*counts(n, u)),
    "curvature": lambda n, u: CurvatureDisplay.from_estimator(*logistic(n, u)),
    "calibration": lambda n, u: CalibrationDisplay.from_estimator(*logistic(n, u), bins=4),
    "separation": lambda n, u: SeparationDisplay.from_estimator(*separated(n, u)),
}


def drawn(make, names, unit):
    with warnings.catch_warnings():
        for fault in (
            "Glyph .* missing",
            "constrained_layout not",
            ".*artist.*label",
            "No .*legend",
        ):
            warnings.filterwarnings("error", fault)
        return make(names, unit)


@pytest.mark.parametrize(("what", "names"), rotated(MAKE, NAMES))
def test_names_are_inside_and_apart(what, names):
    figure = drawn(MAKE[what], NAMES[names], 1.0).figure_
    assert faults(figure) == []


@pytest.mark.parametrize(("what", "unit"), rotated(MAKE, UNITS))
def test_units_are_inside_and_apart(what, unit):
    figure = drawn(MAKE[what], ["a", "b", "c", "d", "e", "f", "g"], UNITS[unit]).figure_
    assert faults(figure) == []
    assert len(rendered(figure)) > 4000


@pytest.mark.parametrize("names", NAMES)
def test_texts_are_as_the_user_wrote(names):
    """No part of a name is read as a formula, and no name is lost."""
    given = NAMES[names]
    display = _two(given)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert len(set(labels)) == len(given)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert len(set(legend)) == 2
    if names in ("TeX", "underscores"):
        assert labels == given
        assert legend == given[:2]
    shown = {text.get_text(): text for text, _ in texts(display.figure_)}
    for name in [*labels, *legend]:
        assert not shown[name].get_parse_math()
        assert not shown[name].get_usetex()
    groups = EffectDisplay.from_estimator(*levels(given), by=given[1]).ax_.get_legend()
    assert len({text.get_text() for text in groups.get_texts()}) == 3


@pytest.mark.parametrize("count", [1, 2, 30, 60])
def test_few_and_many_coefficients(count):
    X, rng = table([f"column_{k}" for k in range(count)], n=2 * count + 20)
    model = LinearRegression().fit(X, rng.normal(size=len(X)))
    display = CoefficientDisplay.from_estimator(model)
    assert faults(display.figure_) == []
    assert len(display.names_) == count
    assert faults(CoefficientDisplay.from_estimator([model] * 7).figure_) == []


def test_blank_names_are_quoted_and_lines_joined():
    assert shortened(["", " ", "two\nlines", "\ttab"], 20) == ["''", "' '", "two lines", "tab"]


def test_wide_letters_count_more():
    """W is as wide as almost two of the letters that names have on average."""
    (short,) = shortened(["W" * 40], 22)
    assert len(short) < 18
    assert shortened(["i" * 22, "the_length_of_the_body"], 22)[1] == "the_length_of_the_body"


def test_a_legend_is_above_the_power_of_ten():
    display = EffectDisplay.from_estimator(*levels(list("abcdefg"), 1e-12), by="b")
    display.figure_.draw_without_rendering()
    power = display.ax_.yaxis.get_offset_text()
    assert power.get_text()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.y0 >= power.get_window_extent().y1 - 1.0  # a pixel of room for accents
