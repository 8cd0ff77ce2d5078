"""The HTML that a notebook shows of a model: coefficients below scikit-learn's diagram."""

import copy
import html
import re
import warnings
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

from mcmodels import LinearRegression, LogisticRegression
from tests.estimators.states import NAMED, STATES, TARGET, UNFITTED, X

FITTED = [state for state in STATES if state != "PCA, too few rows so far"]


class Balanced(HTMLParser):
    """Raises where a tag is closed that is not open; `open` are those left over."""

    VOID = {"input", "br", "hr", "img", "link", "meta", "path", "circle", "use"}

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def below(model):
    """What stands below the diagram, parsed; None if there is nothing."""
    text, diagram = model._repr_html_(), estimator_html_repr(model)
    assert not Balanced(text).open
    # The number of a diagram is another in each call.
    text, diagram = (re.sub(r"sk-[a-z]+-id-\d+", "", part) for part in (text, diagram))
    assert text.startswith(diagram)
    at = text.rfind('<div style="margin-top: 0.5em">')
    return ElementTree.fromstring(text[at:]) if at >= 0 else None


def rows_of(page):
    return [["".join(cell.itertext()).strip() for cell in row] for row in page.iter("tr")]


@pytest.mark.parametrize("state", FITTED)
def test_every_fitted_model_shows_how_it_ended_and_its_rows(state):
    model = STATES[state]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = below(model)
        bundle = model._repr_mimebundle_()
    facts = dict(row for row in rows_of(page) if len(row) == 2)
    assert facts["status"] == model._fit.status_text
    assert facts["rows"] == str(model._fit.seen.n_rows)
    assert bundle["text/plain"] == repr(model)
    assert '<div style="margin-top: 0.5em">' in bundle["text/html"]


@pytest.mark.parametrize("state", FITTED)
def test_the_table_is_that_of_the_summary_or_the_reason_why_there_is_none(state):
    model = STATES[state]()
    if not hasattr(model, "summary"):
        return
    page, why = below(model), ""
    try:
        table = next(iter(model.summary().tables.values()))
    except ValueError as error:
        why = str(error)
    if why:
        assert why in " ".join("".join(page.itertext()).split())
        return
    shown = [row for row in rows_of(page) if len(row) > 2]
    assert [row[0] for row in shown[1:]] == list(table.index[:20])
    for cells, (_, numbers) in zip(shown[1:], table.iterrows(), strict=False):
        first = numbers.iloc[0]  # printed with six digits
        found = np.nan if cells[1].strip() == "NA" else float(cells[1])
        np.testing.assert_allclose(found, first, rtol=5e-6)


def test_a_long_table_says_what_is_left_out():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(100, 30))
    page = below(LinearRegression().fit(wide, wide[:, 0] + rng.normal(size=100)))
    assert len([row for row in rows_of(page) if len(row) > 2]) == 1 + 20
    assert "11 more rows: summary()" in "".join(page.itertext())
    classes = below(LogisticRegression().fit(wide, rng.integers(0, 3, 100)))
    assert "11 more rows and 1 more table: summary()" in "".join(classes.itertext())


def test_many_parameters_are_not_tabulated_to_be_looked_at():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(30, 1500))
    model = LogisticRegression(C=0.1).fit(wide, rng.integers(0, 2, 30))
    assert "1501 parameters: summary()" in "".join(below(model).itertext())


def test_names_and_labels_are_escaped():
    labels = np.where(TARGET > 0, "<i>up</i>", "<script>")
    three = np.where(np.abs(TARGET) < 1, "b", labels)
    model = LogisticRegression().fit(NAMED.rename(columns={"age": "<b>age</b> & co"}), three)
    text = model._repr_html_()
    assert not Balanced(text).open
    assert html.escape("<b>age</b> & co") in text
    assert "<script>" not in text[text.rfind('<div style="margin-top: 0.5em">') :]


@pytest.mark.parametrize("model", UNFITTED, ids=lambda m: type(m).__name__)
def test_an_unfitted_model_is_its_diagram(model):
    assert below(model) is None


@pytest.mark.parametrize("state", FITTED)
def test_changed_missing_and_broken_models_are_their_diagrams(state):
    model = copy.copy(STATES[state]())
    name = model._coefficients[0]
    setattr(model, name, "nonsense")
    assert below(model) is None
    delattr(model, name)
    assert below(model) is None


def test_a_summary_that_raises_shows_the_diagram():
    class Broken(LinearRegression):
        def summary(self):
            raise RuntimeError("broken")

    assert below(Broken().fit(X, TARGET)) is None


def test_the_display_that_is_set_holds():
    model = STATES["linear"]()
    with sklearn.config_context(display="text"):
        assert not hasattr(model, "_repr_html_")
        assert set(model._repr_mimebundle_()) == {"text/plain"}
    with sklearn.config_context(display="diagram"):
        assert set(model._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_the_diagram_of_a_pipeline_stays():
    text = make_pipeline(STATES["linear"]())._repr_html_()
    assert '<div style="margin-top: 0.5em">' not in text
