"""The page for those who come from scikit-learn has every argument, and says what is true."""

import inspect
import re
from pathlib import Path

import pytest
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neural_network
from sklearn.base import clone

import mcmodels

PAGE = Path(__file__).parent.parent / "docs" / "from_scikit_learn.md"
THEIRS = {
    "LinearRegression": sklearn.linear_model.LinearRegression,
    "LogisticRegression": sklearn.linear_model.LogisticRegression,
    "PCA": sklearn.decomposition.PCA,
    "MLPClassifier": sklearn.neural_network.MLPClassifier,
    "MLPRegressor": sklearn.neural_network.MLPRegressor,
}


def section(name):
    """The table of an estimator: text by argument."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    (part,) = (part for part in parts if name in part.split("\n")[0])
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", part, flags=re.MULTILINE))


@pytest.mark.parametrize("name", THEIRS)
def test_every_argument_is_on_the_page(name):
    theirs = set(inspect.signature(THEIRS[name]).parameters)
    assert theirs <= set(section(name))


@pytest.mark.parametrize("name", THEIRS)
def test_what_is_to_be_left_out_does_not_exist_and_what_is_the_same_does(name):
    ours = set(inspect.signature(getattr(mcmodels, name)).parameters)
    theirs = set(inspect.signature(THEIRS[name]).parameters)
    for argument, text in section(name).items():
        if text.startswith(("leave it out", "does not exist")):
            assert argument not in ours
        elif text.startswith("the same"):
            assert argument in ours
    for argument in ours & theirs:
        assert not section(name)[argument].startswith(("leave it out", "does not exist"))


@pytest.mark.parametrize("name", THEIRS)
def test_methods_that_do_not_exist_are_named(name):
    text = PAGE.read_text()
    for method in dir(THEIRS[name]):
        public = not method.startswith(("_", "set_"))
        if public and not hasattr(getattr(mcmodels, name), method):
            assert f"`{method}`" in text


@pytest.mark.parametrize("name", THEIRS)
def test_an_argument_that_does_not_exist_says_what_to_do(name):
    kind = getattr(mcmodels, name)
    for argument in set(section(name)) - set(inspect.signature(kind).parameters):
        with pytest.raises(TypeError, match=f"{name} has no argument '{argument}'; leave it out: "):
            kind(**{argument: None})


@pytest.mark.parametrize("name", THEIRS)
def test_an_argument_that_nobody_has_lists_those_that_exist(name):
    with pytest.raises(TypeError, match=f"{name} has no argument 'colour'; it has ") as refusal:
        getattr(mcmodels, name)(colour=1)
    for argument in inspect.signature(getattr(mcmodels, name)).parameters:
        assert argument in str(refusal.value)


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
