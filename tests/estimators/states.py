"""Every estimator in every state that a fit can leave it in."""

import warnings

import numpy as np
import pandas as pd

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    QuantileRegressor,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
TARGET = X @ [1.0, -2.0, 0.5] + rng.normal(size=60)
CLASSES = np.where(X[:, 0] + rng.normal(size=60) > 0, "yes", "no")
THREE = np.array(["a", "b", "c"])[rng.integers(0, 3, 60)]
TWO_TARGETS = np.column_stack([TARGET, -TARGET + rng.normal(size=60)])
DEPENDENT = np.column_stack([X, X[:, 0] + X[:, 1]])
SEPARATED = (X[:, 0] > 0).astype(int)
NAMED = pd.DataFrame(X, columns=["age", "dose", "a b"])
WIDE = rng.normal(size=(8, 20))

_NORMAL = "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2"

UNFITTED = [
    LinearRegression(),
    LogisticRegression(),
    FirthLogisticRegression(),
    PCA(),
    MLPClassifier((3,)),
    MLPRegressor((3,)),
    GeneralizedLinearRegressor("poisson"),
    ObjectiveRegressor("(y - eta)**2"),
    ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}),
    ObjectiveClassifier("log(1 + exp(-(2*y - 1)*eta))"),
    QuantileRegressor(),
]


def fitted_states():
    """Name and maker of each; a maker fits anew."""

    def fit(model, *data, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(*data, **options)

    def partly(model, *data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.partial_fit(*data)

    poisson = "exp(eta) - y*eta"
    counts = rng.poisson(2.0, 60)
    states = {
        "linear": lambda: fit(LinearRegression(), X, TARGET),
        "linear, weighted": lambda: fit(LinearRegression(), X, TARGET, sample_weight=counts + 1),
        "linear, no intercept": lambda: fit(LinearRegression(fit_intercept=False), X, TARGET),
        "linear, two targets": lambda: fit(LinearRegression(), X, TWO_TARGETS),
        "linear, rank deficient": lambda: fit(LinearRegression(), DEPENDENT, TARGET),
        "linear, fewer rows than columns": lambda: fit(LinearRegression(), WIDE, TARGET[:8]),
        "linear, constant target": lambda: fit(LinearRegression(), X, np.ones(60)),
        "linear, precisions": lambda: fit(
            LinearRegression(weights="precision"), X, TARGET, sample_weight=counts / 2
        ),
        "linear, survey": lambda: fit(
            LinearRegression(weights="probability"), NAMED, TARGET, sample_weight=counts
        ),
        "linear, survey in parts": lambda: partly(
            LinearRegression(weights="probability"), X, TARGET
        ),
        "linear, exact fit": lambda: fit(LinearRegression(), X, X[:, 0]),
        "linear, pinv": lambda: fit(LinearRegression(solver="pinv"), X, TARGET),
        "linear, named": lambda: fit(LinearRegression(), NAMED, TARGET),
        "linear, in parts": lambda: partly(LinearRegression(), X, TARGET),
        "linear, one row in parts": lambda: partly(LinearRegression(), X[:1], TARGET[:1]),
        "logistic, default": lambda: fit(LogisticRegression(), X, CLASSES),
        "logistic, no penalty": lambda: fit(LogisticRegression(C=np.inf), X, CLASSES),
        "logistic, no intercept": lambda: fit(LogisticRegression(fit_intercept=False), X, CLASSES),
        "logistic, balanced": lambda: fit(
            LogisticRegression(C=np.inf, class_weight="balanced"), X, CLASSES
        ),
        "logistic, three classes": lambda: fit(LogisticRegression(), X, THREE),
        "logistic, three classes, no penalty": lambda: fit(LogisticRegression(C=np.inf), X, THREE),
        "logistic, survey": lambda: fit(
            LogisticRegression(C=np.inf, weights="probability"), X, CLASSES, sample_weight=counts
        ),
        "logistic, three classes, survey": lambda: fit(
            LogisticRegression(weights="probability"), X, THREE
        ),
        "logistic, separated, survey": lambda: fit(
            LogisticRegression(C=np.inf, weights="probability"), X, SEPARATED
        ),
        "logistic, separated": lambda: fit(LogisticRegression(C=np.inf), X, SEPARATED),
        "logistic, rank deficient": lambda: fit(LogisticRegression(C=np.inf), DEPENDENT, CLASSES),
        "logistic, fewer rows than columns": lambda: fit(LogisticRegression(), WIDE, CLASSES[:8]),
        "logistic, stopped": lambda: fit(LogisticRegression(max_iter=1), X, CLASSES),
        "logistic, newton-cg": lambda: fit(LogisticRegression(solver="newton-cg"), X, CLASSES),
        "quantile": lambda: fit(QuantileRegressor(), X, TARGET),
        "quantile, weighted, named": lambda: fit(QuantileRegressor(0.3), NAMED, TARGET, counts),
        "quantile, rank deficient": lambda: fit(QuantileRegressor(0.3), DEPENDENT, TARGET),
        "quantile, fewer rows than columns": lambda: fit(QuantileRegressor(), WIDE, TARGET[:8]),
        "quantile, constant target": lambda: fit(QuantileRegressor(), X, np.ones(60)),
        "quantile, not unique": lambda: fit(QuantileRegressor(), X[:, :1] > 0, TARGET > 0),
        "firth": lambda: fit(FirthLogisticRegression(), X, CLASSES),
        "firth, three classes": lambda: fit(FirthLogisticRegression(), X, THREE),
        "firth, separated": lambda: fit(FirthLogisticRegression(), NAMED, SEPARATED),
        "firth, rank deficient": lambda: fit(FirthLogisticRegression(), DEPENDENT, CLASSES),
        "firth, stopped": lambda: fit(FirthLogisticRegression(max_iter=1), X, CLASSES),
        "PCA": lambda: fit(PCA(), X),
        "PCA, one component": lambda: fit(PCA(1), NAMED),
        "PCA, whitened, rank deficient": lambda: fit(PCA(whiten=True), DEPENDENT),
        "PCA, fewer rows than columns": lambda: fit(PCA(), WIDE),
        "PCA, deflation": lambda: fit(PCA(solver="deflation"), X),
        "PCA, no variance": lambda: fit(PCA(), np.ones((5, 2))),
        "PCA, in parts": lambda: partly(PCA(), X),
        "PCA, too few rows so far": lambda: partly(PCA(3), X[:1]),
        "network of classes": lambda: fit(
            MLPClassifier((3,), random_state=0, compute_hessian=True), X, CLASSES
        ),
        "network of three classes": lambda: fit(MLPClassifier((3,), random_state=0), X, THREE),
        "network, two targets": lambda: fit(
            MLPRegressor((3,), "tanh", random_state=0, compute_hessian=True), X, TWO_TARGETS
        ),
        "network, stopped": lambda: fit(
            MLPRegressor((3,), max_iter=1, random_state=0, compute_hessian=True), X, TARGET
        ),
        "network, counts": lambda: fit(
            MLPRegressor((3,), "tanh", loss="poisson", random_state=0), NAMED, counts
        ),
        "network, labels": lambda: fit(
            MLPClassifier((3,), "tanh", alpha=1.0, random_state=0, compute_hessian=True),
            X,
            X[:, :2] > 0,
        ),
        "network, weights of classes": lambda: fit(
            MLPClassifier((3,), "tanh", alpha=1.0, random_state=0, class_weight="balanced"),
            X,
            THREE,
        ),
        "network, stopped early": lambda: fit(
            MLPClassifier((9,), random_state=0, early_stopping=True, compute_hessian=True),
            NAMED,
            CLASSES,
        ),
        "network, in parts": lambda: partly(MLPRegressor((3,), random_state=0), NAMED, TARGET),
        "network of labels, in parts": lambda: partly(MLPClassifier((3,)), X, X[:, :2] > 0),
        "glm": lambda: fit(GeneralizedLinearRegressor("poisson"), X, counts),
        "glm, rank deficient": lambda: fit(
            GeneralizedLinearRegressor("gamma"), DEPENDENT, counts + 1
        ),
        "glm, penalised": lambda: fit(GeneralizedLinearRegressor(alpha=1.0), NAMED, TARGET),
        "glm, Jeffreys' prior": lambda: fit(
            GeneralizedLinearRegressor("poisson", prior="jeffreys"), X, counts
        ),
        "glm, precisions": lambda: fit(
            GeneralizedLinearRegressor("gamma", weights="precision"), X, counts + 1, counts / 3
        ),
        "glm, survey": lambda: fit(
            GeneralizedLinearRegressor("poisson", weights="probability"), X, counts
        ),
        "glm, survey, saturated": lambda: fit(
            GeneralizedLinearRegressor("gamma", weights="probability"), X[:4], counts[:4] + 1
        ),
        "glm, no minimum": lambda: fit(GeneralizedLinearRegressor("poisson"), X, 0 * counts),
        "glm, saturated": lambda: fit(GeneralizedLinearRegressor("gamma"), X[:4], counts[:4] + 1),
        "own likelihood": lambda: fit(ObjectiveRegressor(poisson, log_likelihood=True), X, counts),
        "own loss": lambda: fit(ObjectiveRegressor("(y - eta)**2", alpha=1.0), X, TARGET),
        "own loss, survey": lambda: fit(
            ObjectiveRegressor("(y - eta)**2", weights="probability"), X, TARGET
        ),
        "own loss, no minimum": lambda: fit(ObjectiveRegressor("-y*eta"), X, counts),
        "own likelihood with a scale": lambda: fit(
            ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}, log_likelihood=True),
            NAMED,
            TARGET,
        ),
        "own loss with a scale": lambda: fit(
            ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}), X, TARGET
        ),
        "own loss with a scale, survey": lambda: fit(
            ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}, weights="probability"),
            X,
            TARGET,
            counts,
        ),
        "own loss with a scale, rank deficient": lambda: fit(
            ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}, log_likelihood=True),
            DEPENDENT,
            TARGET,
        ),
        "own loss with a scale, exact fit": lambda: fit(
            ObjectiveRegressor(_NORMAL, auxiliary={"log_sigma": 0.0}), X, X[:, 0]
        ),
        "own loss of classes": lambda: fit(
            ObjectiveClassifier("relu(1 - (2*y - 1)*eta)**2"), X, CLASSES
        ),
    }
    return states


STATES = fitted_states()
