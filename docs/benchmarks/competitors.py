"""Who is measured: for every task a list of named fits, imported only when they are used."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from problems import Problem

FLOOR = "NumPy `X.T @ X`"
OURS = "mcmodels"
TOL = 1e-9  # on the largest gradient entry, per row
COMPONENTS = 10

Fit = Callable[[Problem], Any]


@dataclass(frozen=True)
class Competitor:
    """A named fit; ``load`` imports what it needs, ``read`` takes the parameters from the result.

    Parameters are read as coefficients, then the intercept; of PCA as components. ``headline``
    marks the methods that stand for their package in the sweeps and beside float32.
    """

    name: str
    package: str
    load: Callable[[], Fit]
    read: Callable[[Any], np.ndarray]
    headline: bool = False


def regression_params(model: Any) -> np.ndarray:
    return np.append(np.ravel(model.coef_), model.intercept_)


def constant_first(result: Any) -> np.ndarray:
    return np.roll(result.params, -1)


def components(model: Any) -> np.ndarray:
    return model.components_


def estimator(
    package: str, path: str, target: str, label: str = "", *, headline: bool = False, **options: Any
) -> Competitor:
    """A class with scikit-learn's interface; ``target`` is a field of Problem, or empty."""
    module, _, cls = path.rpartition(".")

    def load() -> Fit:
        made = getattr(import_module(module), cls)

        def fit(data: Problem) -> Any:
            # n_components is a wish: no more than there are columns.
            kept = {k: min(v, data.X.shape[1]) if k == "n_components" else v for k, v in settings}
            penalty = {"C": data.C} if path.endswith("LogisticRegression") else {}
            goal = (getattr(data, target),) if target else ()
            return made(**(penalty | kept)).fit(data.X, *goal)

        return fit

    settings = list(options.items())
    name = f"{package} {label}".strip()
    return Competitor(name, package, load, regression_params if target else components, headline)


def with_hessian(competitor: Competitor) -> Competitor:
    """The same, its Hessian asked for before the clock stops."""

    def load() -> Fit:
        inner = competitor.load()

        def fit(data: Problem) -> Any:
            model = inner(data)
            _ = model.hessian_
            return model

        return fit

    return Competitor(competitor.name, competitor.package, load, competitor.read, True)


def statsmodels(label: str, target: str, *, headline: bool = False, **options: Any) -> Competitor:
    """A statsmodels fit; the column of ones that it needs is part of its cost."""

    def load() -> Fit:
        api = import_module("statsmodels.api")
        cls = getattr(api, label.split()[0])
        extra = {"family": api.families.Binomial()} if label.startswith("GLM") else {}

        def fit(data: Problem) -> Any:
            rows = api.add_constant(data.X, has_constant="add")
            return cls(getattr(data, target), rows, **extra).fit(**options)

        return fit

    return Competitor(f"statsmodels {label}", "statsmodels", load, constant_first, headline)


SKLEARN, INTELEX, GLUM = "scikit-learn", "scikit-learn-intelex", "glum"
_RIDGE, _LEAST = "sklearn.linear_model.Ridge", "sklearn.linear_model.LinearRegression"
_LOGIT, _AXES = "sklearn.linear_model.LogisticRegression", "sklearn.decomposition.PCA"
_GLM = "glum.GeneralizedLinearRegressor"
_ITERATIVE = {"tol": TOL, "max_iter": 2000}


def _ours(task: str) -> Competitor:
    if task == "linear":
        return estimator(OURS, "mcmodels.LinearRegression", "y", headline=True)
    if task == "logistic":
        return estimator(OURS, "mcmodels.LogisticRegression", "labels", headline=True, tol=TOL)
    return estimator(OURS, "mcmodels.PCA", "", headline=True, n_components=COMPONENTS)


def _linear() -> list[Competitor]:
    return [
        with_hessian(_ours("linear")),
        estimator(SKLEARN, _LEAST, "y", "LinearRegression", headline=True),
        estimator(SKLEARN, _RIDGE, "y", "Ridge(alpha=0) cholesky", alpha=0, solver="cholesky"),
        estimator(SKLEARN, _RIDGE, "y", "Ridge(alpha=0) svd", alpha=0, solver="svd"),
        estimator(
            INTELEX,
            "sklearnex.linear_model.LinearRegression",
            "y",
            "LinearRegression",
            headline=True,
        ),
        estimator(GLUM, _GLM, "y", headline=True, family="normal", alpha=0),
        statsmodels("OLS pinv", "y", headline=True),
        statsmodels("OLS qr", "y", method="qr"),
    ]


def _logistic() -> list[Competitor]:
    newton = {"solver": "newton-cholesky"} | _ITERATIVE
    # Without a penalty intelex hands over to scikit-learn; with one this weak it runs itself.
    weak = {"solver": "lbfgs", "C": 1e12} | _ITERATIVE
    intelex = "sklearnex.linear_model.LogisticRegression"
    glum = {"family": "binomial", "alpha": 0, "gradient_tol": TOL, "max_iter": 200}
    return [
        with_hessian(_ours("logistic")),
        estimator(SKLEARN, _LOGIT, "labels", "newton-cholesky", headline=True, **newton),
        estimator(SKLEARN, _LOGIT, "labels", "lbfgs", solver="lbfgs", **_ITERATIVE),
        estimator(SKLEARN, _LOGIT, "labels", "newton-cg", solver="newton-cg", **_ITERATIVE),
        estimator(INTELEX, intelex, "labels", "lbfgs, C=1e12", **weak),
        estimator(GLUM, _GLM, "labels", headline=True, **glum),
        statsmodels("Logit newton", "labels", headline=True, method="newton", maxiter=100, disp=0),
        statsmodels("GLM Binomial", "labels"),
    ]


def _pca() -> list[Competitor]:
    solvers = ("covariance_eigh", "full", "randomized", "arpack")
    theirs = [
        estimator(
            SKLEARN,
            _AXES,
            "",
            solver,
            headline=solver in ("covariance_eigh", "randomized"),
            n_components=COMPONENTS,
            svd_solver=solver,
            random_state=0,
        )
        for solver in solvers
    ]
    intelex = {"n_components": COMPONENTS, "svd_solver": "covariance_eigh"}
    path = "sklearnex.decomposition.PCA"
    return [
        _ours("pca"),
        *theirs,
        estimator(INTELEX, path, "", "covariance_eigh", headline=True, **intelex),
    ]


def _sparse_linear() -> list[Competitor]:
    exact = {"alpha": 0, "tol": 1e-10, "max_iter": 2000}
    return [
        _ours("linear"),
        estimator(SKLEARN, _LEAST, "y", "LinearRegression (LSQR)", tol=1e-10),
        estimator(SKLEARN, _RIDGE, "y", "Ridge(alpha=0) sparse_cg", solver="sparse_cg", **exact),
    ]


def _sparse_logistic() -> list[Competitor]:
    return [
        _ours("logistic"),
        estimator(SKLEARN, _LOGIT, "labels", "lbfgs", solver="lbfgs", **_ITERATIVE),
        estimator(SKLEARN, _LOGIT, "labels", "newton-cg", solver="newton-cg", **_ITERATIVE),
    ]


def _small(task: str) -> list[Competitor]:
    """Everybody's defaults, as in a grid search; the first of scikit-learn's is the base."""
    if task == "linear":
        return [_ours(task), estimator(SKLEARN, _LEAST, "y", "LinearRegression")]
    if task == "pca":
        return [_ours(task), estimator(SKLEARN, _AXES, "", "PCA", n_components=COMPONENTS)]
    newton = {"solver": "newton-cholesky"}
    return [
        estimator(OURS, "mcmodels.LogisticRegression", "labels"),
        estimator(SKLEARN, _LOGIT, "labels", "LogisticRegression (lbfgs)"),
        estimator(SKLEARN, _LOGIT, "labels", "LogisticRegression (newton-cholesky)", **newton),
    ]


DENSE = {"linear": _linear, "logistic": _logistic, "pca": _pca}
SPARSE = {"linear": _sparse_linear, "logistic": _sparse_logistic}
SMALL: dict[str, Callable[[], list[Competitor]]] = {
    task: (lambda task=task: _small(task)) for task in DENSE
}


def load_all(competitors: list[Competitor]) -> tuple[dict[str, Fit], dict[str, str]]:
    """The fits by name, and the names of those that cannot be imported with the reason."""
    fits, absent = {}, {}
    for competitor in competitors:
        try:
            fits[competitor.name] = competitor.load()
        except ImportError as error:
            absent[competitor.name] = f"{type(error).__name__}: {error}"
    return fits, absent
