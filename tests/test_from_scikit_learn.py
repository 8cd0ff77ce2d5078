"""The page for those who come from scikit-learn has every argument, and says what is true."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neural_network
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import mcmodels

PAGE = Path(__file__).parent.parent / "docs" / "from_scikit_learn.md"
THEIRS = {
    "LinearRegression": sklearn.linear_model.LinearRegression,
    "LogisticRegression": sklearn.linear_model.LogisticRegression,
    "PCA": sklearn.decomposition.PCA,
    "MLPClassifier": sklearn.neural_network.MLPClassifier,
    "MLPRegressor": sklearn.neural_network.MLPRegressor,
}


# Arguments of other versions of scikit-learn than the one that is installed.
OF_SOME_VERSIONS = {"multi_class", "loss", "power_t", "tol", "penalty", "l1_ratio"}


def text_of(name):
    """The section of an estimator."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    (part,) = (part for part in parts if name in part.split("\n")[0])
    return part


def section(name):
    """The table of an estimator: text by argument, without those of another one alone."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text_of(name), flags=re.MULTILINE)
    own = [(argument, text.removeprefix(f"of `{name}`: ")) for argument, text in rows]
    return {argument: text for argument, text in own if not re.match(r"of `\w+`: ", text)}


def arguments(kind):
    return inspect.signature(kind).parameters


@pytest.mark.parametrize("name", THEIRS)
def test_every_argument_is_on_the_page(name):
    theirs, ours = set(arguments(THEIRS[name])), set(arguments(getattr(mcmodels, name)))
    assert theirs | ours <= set(section(name))
    assert set(section(name)) <= theirs | ours | OF_SOME_VERSIONS


@pytest.mark.parametrize("name", THEIRS)
def test_arguments_that_exist_only_here_are_called_so(name):
    theirs, ours = set(arguments(THEIRS[name])), set(arguments(getattr(mcmodels, name)))
    found = {a for a, text in section(name).items() if text.startswith("only here")}
    assert found == ours - theirs


def test_defaults_that_differ_are_listed():
    listed = {
        (name, argument): (ast.literal_eval(theirs), ast.literal_eval(ours))
        for name, argument, theirs, ours in re.findall(
            r"^\| `(\w+)` \| `(\w+)` \| `(.*)` \| `(.*)` \|$", PAGE.read_text(), flags=re.MULTILINE
        )
    }
    computed = {}
    for name, their_kind in THEIRS.items():
        theirs, ours = arguments(their_kind), arguments(getattr(mcmodels, name))
        for argument in set(theirs) & set(ours):
            if theirs[argument].default != ours[argument].default:
                computed[name, argument] = theirs[argument].default, ours[argument].default
    assert listed == computed


def fitted_pairs(name):
    """Their model and ours, fitted, with one output and with several; theirs also stopped early."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    numbers, labels = X @ rng.normal(size=(4, 2)), (X[:, 0] > 0) + (X[:, 1] > 0)
    regression = "Regressor" in name or name == "LinearRegression"
    for y in (numbers[:, 0], numbers) if regression else (labels > 0, labels):
        more = [{"early_stopping": True}] if name.startswith("MLP") else []
        for options in ({}, *more):
            theirs, ours = THEIRS[name](**options), getattr(mcmodels, name)(**options)
            yield theirs.fit(X, y), ours.fit(X, y)


def fitted_attributes(model):
    return {
        name
        for name in dir(model)
        if name.endswith("_") and name[0] != "_" and not callable(getattr(model, name))
    }


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", THEIRS)
def test_attributes_that_do_not_exist_are_named_and_others_are_alike(name):
    for theirs, ours in fitted_pairs(name):
        for attribute in fitted_attributes(theirs):
            if not hasattr(ours, attribute):
                assert f"`{attribute}`" in text_of(name)
                continue
            their_value, our_value = getattr(theirs, attribute), getattr(ours, attribute)
            if their_value is None:
                continue
            if attribute == "validation_scores_":  # one for each of as many steps, or epochs
                assert {type(score) for score in our_value} == {float}
                assert len(our_value) == ours.n_iter_
            elif isinstance(their_value, list):
                assert [a.shape for a in our_value] == [a.shape for a in their_value]
            else:
                assert np.ndim(their_value) or type(our_value) in (float, int, str)
                assert np.shape(our_value) == np.shape(their_value)
                assert np.asarray(our_value).dtype.kind == np.asarray(their_value).dtype.kind


# Where both have one optimum: arguments that are the same, and those that make theirs exact.
ALIKE = {
    "LinearRegression": ([{}, {"fit_intercept": False}], {}),
    "LogisticRegression": (
        [{}, {"fit_intercept": False}, {"C": 0.1}, {"class_weight": "balanced"}],
        {"tol": 1e-12, "max_iter": 10_000},
    ),
    "PCA": ([{}, {"whiten": True}, {"n_components": 2}, {"whiten": True, "n_components": 2}], {}),
}


@pytest.mark.parametrize("name", ALIKE)
def test_results_that_differ_are_named(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4)) + 3
    numbers = X @ rng.normal(size=(4, 2)) + rng.normal(size=(80, 2))
    labels = (X[:, 0] > 3) + 1 * (X[:, 1] + rng.normal(size=80) > 3)
    targets = (labels, labels > 0) if name == "LogisticRegression" else (numbers, numbers[:, 0])
    differing = set()
    for options in ALIKE[name][0]:
        for y in targets:
            theirs = THEIRS[name](**options, **ALIKE[name][1]).fit(X, y)
            ours = getattr(mcmodels, name)(**options).fit(X, y)
            for what, value in results_of(theirs, X, y).items():
                # Theirs is within the square root of rounding of its optimum.
                if not np.allclose(value, results_of(ours, X, y)[what], rtol=1e-6, atol=1e-6):
                    differing.add(what)
    assert {what for what in differing if f"`{what}`" not in text_of(name)} == set()
    assert differing <= {"n_iter_", "singular_", "rank_", *_METHODS}


_METHODS = ("score_samples", "get_precision", "get_covariance", "score")


def results_of(model, X, y):
    """Fitted attributes and outputs that are numbers."""
    found = {name: getattr(model, name) for name in fitted_attributes(model)}
    for name in ("predict", "transform", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(model, name):
            found[name] = getattr(model, name)(X)
    if hasattr(model, "get_covariance"):
        found |= {"get_covariance": model.get_covariance(), "get_precision": model.get_precision()}
        found |= {"score_samples": model.score_samples(X)}
    found["score"] = model.score(X, y)
    return {name: value for name, value in found.items() if np.asarray(value).dtype.kind in "fiub"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", THEIRS)
def test_attributes_that_the_page_calls_missing_are_missing(name):
    _, ours = next(fitted_pairs(name))
    missing = r"^- ((?:`\w+`(?:, | and )?)+) do(?:es)? not exist"
    for names in re.findall(missing, text_of(name), flags=re.MULTILINE):
        for attribute in re.findall(r"`(\w+)`", names):
            assert not hasattr(ours, attribute)


@pytest.mark.parametrize("name", THEIRS)
def test_what_is_to_be_left_out_does_not_exist_and_what_is_the_same_does(name):
    ours = set(inspect.signature(getattr(mcmodels, name)).parameters)
    theirs = set(arguments(THEIRS[name]))
    for argument, text in section(name).items():
        if text.startswith(("leave it out", "does not exist")):
            assert argument not in ours
        elif text.startswith("the same"):
            assert argument in ours
    for argument in ours & theirs:
        assert not section(name)[argument].startswith(("leave it out", "does not exist"))


@pytest.mark.parametrize("name", THEIRS)
def test_methods_that_do_not_exist_are_named(name):
    text, ours = text_of(name), getattr(mcmodels, name)
    for method in dir(THEIRS[name]):
        if method.startswith(("_", "set_")):
            continue
        if not hasattr(ours, method):
            assert f"`{method}`" in text
        elif inspect.isfunction(theirs := getattr(THEIRS[name], method)):
            known = set(arguments(theirs))
            for argument, what in arguments(getattr(ours, method)).items():
                if argument not in known and what.kind is not what.VAR_KEYWORD:
                    assert f"`{argument}`" in text


@pytest.mark.parametrize("name", THEIRS)
def test_an_argument_that_does_not_exist_says_what_to_do(name):
    kind = getattr(mcmodels, name)
    for argument in set(section(name)) - set(inspect.signature(kind).parameters):
        wanted = f"{name} has no argument '{argument}'; leave it out: "
        with pytest.raises(TypeError, match=wanted) as refusal:
            kind(**{argument: None})
        model = kind()
        before = model.get_params()
        for nested in (model, make_pipeline(model), GridSearchCV(model, {})):
            path = "" if nested is model else f"{name.lower()}__"
            path = "estimator__" if isinstance(nested, GridSearchCV) else path
            with pytest.raises(ValueError, match=re.escape(str(refusal.value))):
                nested.set_params(**{f"{path}{argument}": None})
        other = next(iter(before))
        with pytest.raises(ValueError, match=wanted):
            model.set_params(**{other: "changed", argument: None})
        assert model.get_params() == before  # nothing was set


@pytest.mark.parametrize("name", THEIRS)
def test_an_argument_that_nobody_has_lists_those_that_exist(name):
    with pytest.raises(TypeError, match=f"{name} has no argument 'colour'; it has ") as refusal:
        getattr(mcmodels, name)(colour=1)
    for argument in inspect.signature(getattr(mcmodels, name)).parameters:
        assert argument in str(refusal.value)


@pytest.mark.parametrize("value", [0, -1, None, 1e3, np.inf, True])
@pytest.mark.parametrize("name", ["LogisticRegression", "MLPClassifier", "MLPRegressor"])
def test_a_limit_of_no_steps_says_what_to_do(name, value):
    model = getattr(mcmodels, name)(max_iter=value)
    with pytest.raises(ValueError, match=f"max_iter={value} .* at least 1. Leave it out: "):
        model.fit([[0.0], [1.0], [2.0]], [0, 1, 0])


@pytest.mark.parametrize("name", THEIRS)
def test_every_solver_of_theirs_is_taken_or_has_another(name):
    solvers = {
        "LogisticRegression": ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"),
        "PCA": ("auto", "full", "covariance_eigh", "arpack", "randomized"),
        "MLPClassifier": ("lbfgs", "sgd", "adam"),
        "MLPRegressor": ("lbfgs", "sgd", "adam"),
    }
    rows = [[0.0, 1.0], [1.0, 0.0], [1.0, 3.0], [2.0, 2.0]]
    for solver in solvers.get(name, ()):
        model = getattr(mcmodels, name)(solver=solver)
        try:
            model.fit(rows, [0, 1, 0, 1])
        except ValueError as error:
            assert re.search(f"Instead of '{solver}' take '[a-z-]+'", str(error))  # noqa: PT017


@pytest.mark.parametrize("name", THEIRS)
def test_clones_searches_and_signatures_are_unchanged(name):
    kind = getattr(mcmodels, name)
    model = kind()
    assert clone(model).get_params() == model.get_params()
    assert set(model.get_params()) == set(inspect.signature(kind).parameters)
    with pytest.raises(TypeError, match="positional"):
        kind(*range(30))
