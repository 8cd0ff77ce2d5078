"""The page for those who come from scikit-learn has every argument, and says what is true."""

import inspect
import re
from pathlib import Path

import pytest
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neural_network

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
def test_an_argument_that_does_not_exist_is_an_error(name):
    for argument, text in section(name).items():
        if text.startswith("leave it out"):
            with pytest.raises(TypeError, match=argument):
                getattr(mcmodels, name)(**{argument: None})
