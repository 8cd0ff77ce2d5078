"""Every argument of every method of results with bad values: the error names the argument."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    Results,
    results,
)
from mcmodels.exceptions import InferenceError
from mcmodels.reports import contrasts
from tests.rotation import rotated

N = 40
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {"a": RNG.normal(size=N), "b": RNG.normal(size=N), "c": RNG.integers(0, 2, size=N)}
)

NOISY = X["a"] + RNG.normal(size=N)
EXPOSURE = RNG.uniform(1.0, 2.0, N)


def half_square(y, eta):
    return 0.5 * (y - eta) ** 2


MODELS = {
    "linear": (LinearRegression(), NOISY),
    "logistic": (LogisticRegression(C=np.inf), np.where(NOISY > 0, "yes", "no")),
    "classes": (LogisticRegression(C=np.inf), np.arange(N) % 3),
    "poisson": (GeneralizedLinearRegressor("poisson"), RNG.poisson(np.exp(X["a"] / 2))),
    "own": (ObjectiveRegressor(half_square, log_likelihood=True), NOISY),
}
# What methods cannot do without.
NEEDED = {
    "wald_test": {"restrictions": "a = 0"},
    "delta_method": {"g": lambda params: params.ravel()[:1]},
    "marginal_means": {"variables": "c"},
    "contrasts": {"variable": "c"},
    "with_covariance": {"kind": "HC0"},
}
# What some options are read beside.
CLUSTERS = {"kind": "cluster", "groups": np.arange(N) // 4}
BESIDE = {
    "groups": {"kind": "cluster"},
    "max_lags": {"kind": "HAC"},
    "use_correction": CLUSTERS,
    "df_correction": CLUSTERS,
}
COVARIANCE = ("kind", "groups", "max_lags", "use_correction", "df_correction")
ROBUST = {"summary", "confidence_intervals", "covariance", "delta_method", "with_covariance"}
ROBUST |= {"wald_test", "anova"}
VALUES = (
    object(),
    -3,
    7.5,
    True,
    np.nan,
    "nonsense",
    [1, 2],
    {"no such input": 3},
    np.full(3, 1.0),
    np.full(N, np.nan),
)
METHODS = [
    name for name in dir(Results) if not name.startswith("_") and callable(getattr(Results, name))
]
# scikit-learn words errors of the shapes of X and y, and does not name them.
OF_SHAPES = re.compile("Expected 2D array|at least 1 dimension|inconsistent numbers of samples")


def arguments_of(said, method):
    """Arguments that are named, and those of the model that options stand for."""
    own = inspect.signature(getattr(Results, method)).parameters
    named = [name for name, of in own.items() if of.kind is not of.VAR_KEYWORD and name != "self"]
    if len(named) < len(own) - 1:
        inner = getattr(said.model, method, None)
        if inner is not None and inner.__module__.startswith("mcmodels.estimators"):
            named += [
                name
                for name, of in inspect.signature(inner).parameters.items()
                if of.kind is not of.VAR_KEYWORD
            ]
        if method in ROBUST:
            named += COVARIANCE
        named += said.model._offset_names
    return list(dict.fromkeys(named))


def complaints(name, piped, method):
    """Errors of bad values that do not name their argument; None where the model has no method."""
    model, y = MODELS[name]
    model = clone(model)
    if piped:
        model = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
    said = results(model.fit(X, y))
    takes = inspect.signature(getattr(Results, method)).parameters
    call = NEEDED.get(method, {}) | {k: of for k, of in (("X", X), ("y", y)) if k in takes}
    if (name, method) == ("classes", "wald_test"):
        call["restrictions"] = "`2:a` = 0"
    try:
        getattr(said, method)(**call)
    except InferenceError:
        return None
    found = []
    for argument in arguments_of(said, method):
        plain = {key: value for key, value in call.items() if key != "restrictions"}
        with_it = plain if argument == "terms" else call
        for value in VALUES:
            try:
                getattr(said, method)(**with_it | BESIDE.get(argument, {}) | {argument: value})
            except Exception as error:
                if argument in ("X", "y") and OF_SHAPES.search(str(error)):
                    continue
                ours = isinstance(error, ValueError | TypeError)
                if not (ours and re.search(rf"(?<!\w){argument}(?!\w)", str(error))):
                    kind = type(error).__name__
                    found.append(f"{method}({argument}={value!r}): {kind}: {error}")
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("method", "fit"),
    rotated(METHODS, [*((name, False) for name in MODELS), ("linear", True), ("poisson", True)]),
)
def test_errors_name_the_argument(method, fit):
    """A bad value is refused by its name, or has a meaning; nothing else of the call is blamed."""
    assert not complaints(*fit, method)


def test_a_wrong_name_is_found(monkeypatch):
    right = contrasts.variable_of
    monkeypatch.setattr(contrasts, "variable_of", lambda of, all, _: right(of, all, "variables"))
    found = complaints("linear", False, "contrasts")
    assert any("contrasts(by='nonsense'): ValueError: variables" in one for one in found)
    assert any("contrasts(variable='nonsense')" in one for one in found)


@pytest.mark.parametrize("argument", ["exposure", "offset"])
def test_errors_of_offsets_name_the_argument(argument):
    y = MODELS["poisson"][1]
    said = results(GeneralizedLinearRegressor("poisson").fit(X, y, exposure=EXPOSURE))
    values = (-EXPOSURE, 1.5 * EXPOSURE, EXPOSURE[:3], "x", 7.0, np.full(N, np.nan), [object()] * N)
    for method in ("summary", "influence", "deviance_table", "confidence_intervals"):
        kind = {"kind": "HC0"} if method in ROBUST else {}
        for value in values:
            with pytest.raises((ValueError, TypeError), match=rf"\b{argument}\b"):
                getattr(said, method)(X=X, y=y, **kind, **{argument: value})


def test_contrasts_name_what_has_asked():
    said = results(LinearRegression().fit(X, NOISY))
    for argument, ask in (
        ("variables", lambda name: said.marginal_means(X, name)),
        ("variable", lambda name: said.contrasts(X, name)),
        ("by", lambda name: said.contrasts(X, "c", by=name)),
    ):
        with pytest.raises(ValueError, match=f"^{argument}: X has no input 'age'"):
            ask("age")
        with pytest.raises(ValueError, match=f"^{argument}: 'a' is a number; "):
            ask("a")


def test_anova_names_only_tables_that_there_are():
    model, y = MODELS["own"]
    with pytest.raises(InferenceError, match=r"ObjectiveRegressor; call wald_test\(terms=True\)"):
        results(clone(model).fit(X, y)).anova()
    model, y = MODELS["poisson"]
    with pytest.raises(InferenceError, match=r"call deviance_table\(X, y\), or wald_test"):
        results(clone(model).fit(X, y)).anova()
    survey = clone(model).set_params(weights="probability").fit(X, y)
    with pytest.raises(InferenceError, match=r"Regressor; call wald_test\(terms=True\)"):
        results(survey).anova()
