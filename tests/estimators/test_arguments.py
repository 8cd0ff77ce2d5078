"""What is passed by mistake to a method is refused by its name, in one short line."""

import copy
import inspect

import numpy as np
import pandas as pd
import pytest

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
)
from mcmodels.exceptions import InferenceError

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["a", "b"])
Y = pd.Series(X.to_numpy() @ [1.0, 2.0] + RNG.normal(size=60))
LABELS = (Y > 0).map({True: "yes", False: "no"}).to_numpy()
LOSS = "softplus(eta) - y*eta"
SIGMOID = "sigmoid(eta)"
MODELS = {
    "linear": LinearRegression().fit(X, Y),
    "logistic": LogisticRegression(C=np.inf).fit(X, LABELS),
    "firth": FirthLogisticRegression().fit(X, LABELS),
    "components": PCA(2).fit(X),
    "loss": ObjectiveRegressor("(y - eta)**2", log_likelihood=True).fit(X, Y),
    "classes": ObjectiveClassifier(LOSS, inverse_link=SIGMOID, log_likelihood=True).fit(X, LABELS),
    "glm": GeneralizedLinearRegressor().fit(X, Y),
    "network": MLPRegressor((2,), alpha=5.0, max_iter=2000).fit(X, Y),
    "network of classes": MLPClassifier((2,), alpha=5.0, max_iter=2000).fit(X, LABELS),
}
MODELS["laplace"] = MODELS["network"].laplace(X, Y)
MISTAKES = {
    "a table": X,
    "a column": X["a"],
    "an array": np.array([0.5, 0.9]),
    "a list": [1, 2],
    "a dict": {},
    "an object": object(),
    "a function": np.sin,
    "text": "0.95",
    "a long text": "word " * 200,
    "nothing": None,
    "a number": 7.5,
}
# Where a mistake above is what the argument takes, or scikit-learn refuses it.
TAKEN = {
    ("kind", "nothing"),
    ("groups", "nothing"),
    ("reference", "nothing"),
    ("p_values", "nothing"),
    ("sample_weight", "nothing"),
    ("parameters", "nothing"),
    ("sample_weight", "a number"),
    ("g", "a function"),
    ("candidate", "a column"),
    ("terms", "nothing"),
    ("trials", "nothing"),
    ("vector", "an array"),
    ("vector", "a list"),
    ("max_lags", "nothing"),
    ("null", "a number"),
    ("groups", "a column"),  # of the wild bootstrap: every number is a cluster
}
OTHERS = {
    "params",
    "random_state",
    "robust",
    "fit_params",
    "deep",
    "X",
    "y",
    "input_features",
    "offset",  # tests/test_offsets.py and tests/test_glm.py have these two
    "exposure",
}
NEEDED = {
    "restrictions": "a = 0",
    "g": lambda params: params.sum(),
    "candidate": X["a"] ** 2,
    "vector": None,
    "parameter": "a",
}


def calls():
    for which, model in MODELS.items():
        for method in dir(type(model)):
            function = getattr(type(model), method)
            ours = getattr(function, "__module__", "") or ""
            if method[0] == "_" or not inspect.isfunction(function) or "mcmodels" not in ours:
                continue
            if not hasattr(model, method):  # criterion_curve, of penalties that are chosen
                continue
            if method in ("set_params", "merge", "partial_fit", "score"):
                continue
            parameters = inspect.signature(function).parameters
            names = {name for name in parameters if name != "self"} - OTHERS
            if "robust" in parameters:
                names |= {"kind", "groups", "max_lags"}
            for name in sorted(names):
                yield which, method, name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("which", "method", "name"), list(calls()))
def test_a_mistake_is_refused_by_the_name_of_the_argument(which, method, name):
    model = MODELS[which]
    function = getattr(copy.copy(model), method)  # fit may succeed
    parameters = inspect.signature(function).parameters
    arguments = {other: NEEDED[other] for other in NEEDED if other in parameters}
    if "vector" in arguments:
        arguments["vector"] = model.params_
    if method == "wild_bootstrap_test":
        arguments["groups"] = np.arange(60) % 7
    if "X" in parameters:
        arguments["X"] = X
        if "y" in parameters and which != "components":
            classes = hasattr(model, "classes_")
            arguments["y"] = LABELS if classes else Y
    for what, mistake in MISTAKES.items():
        try:
            function(**arguments | {name: mistake})
        except (TypeError, ValueError, InferenceError) as refusal:
            message = str(refusal)
            assert name.removesuffix("s") in message, (what, message)
            assert "\n" not in message
            assert len(message) < 600
            assert "truth value" not in message.split(". (")[0]
        else:
            assert (name, what) in TAKEN, what


@pytest.mark.parametrize("which", ["linear", "logistic", "loss", "classes"])
def test_rows_in_the_place_of_the_level(which):
    model = MODELS[which]
    with pytest.raises(ValueError, match=r"level=.* must lie between 0 and 1.* Pass rows by their"):
        model.confidence_intervals(X, Y)


@pytest.mark.parametrize("level", [np.float32(0.9), np.array(0.9), 0.9])
def test_levels_of_other_types(level):
    model = MODELS["linear"]
    found = model.confidence_intervals(level)
    # float32 rounds the level by 3e-8, and the quantile by a few times that.
    np.testing.assert_allclose(found, model.confidence_intervals(0.9), rtol=1e-6)


def test_predicting_with_targets():
    with pytest.raises(ValueError, match=r"return_std=.* must be True or False"):
        MODELS["linear"].predict(X, Y)
