"""HTML for notebooks: whole tags, no id twice, names as text, wide tables that scroll."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    compare,
    fit_formula,
    results,
)

pytest.importorskip("formulaic")

NAMES = ["<script>alert(1)</script>", "a & b", "\"quoted'", "</table></div>", "x" * 80, "&lt;b"]
LABELS = ["<script>alert(2)</script>", "</td>&", "plain"]
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
# Elements of SVG that scikit-learn's diagrams close by themselves.
SELF_CLOSED = {"path", "circle", "rect", "line", "use"}


class Page(HTMLParser):
    """What a page has: tags that are left open, ids, texts, styles of the parents of tables."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.text, self.tags, self.around = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        assert len(named) == len(attributes), f"{tag} has an attribute twice"
        self.tags.append(tag)
        self.ids += [named["id"]] if "id" in named else []
        if tag == "table":
            self.around.append(self.open[-1][1] if self.open else "")
        if tag not in VOID | SELF_CLOSED:
            self.open.append((tag, named.get("style") or ""))

    def handle_endtag(self, tag):
        if tag not in VOID | SELF_CLOSED:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.text.append(data)


def rows():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, len(NAMES))), columns=NAMES)
    return X, rng


def shown():
    """Everything that a notebook shows, by name."""
    X, rng = rows()
    y, labels = rng.normal(size=90), rng.choice(LABELS, 90)
    linear = LinearRegression().fit(X, y)
    classes = LogisticRegression(C=1.0).fit(X, labels)
    two = LogisticRegression(C=np.inf).fit(X, labels == LABELS[0])
    counts = GeneralizedLinearRegressor("poisson").fit(X, rng.poisson(1.0, 90))
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    table = pd.DataFrame({"y": y, "g": labels})
    fit = fit_formula("y ~ g", table, LinearRegression())
    return {
        "linear": linear,
        "classes": classes,
        "two classes": two,
        "counts": counts,
        "components": PCA(2).fit(X),
        "pipeline": pipeline,
        "formula": fit,
        "summary": linear.summary(),
        "summary of classes": classes.summary(),
        "results": results(pipeline),
        "test": linear.wald_test("`a & b` = 0"),
        "comparison": compare(linear, counts, names=LABELS[:2]),
        "wide comparison": compare(*[linear] * 15),
        "analysis": results(fit).summary(table, kind="HC3"),
    }


SHOWN = shown()


@pytest.mark.parametrize("name", SHOWN)
def test_tags_are_whole_and_names_are_text(name):
    page = Page(SHOWN[name]._repr_html_())
    # Scripts are those of scikit-learn's diagrams alone, which have none of the names.
    scripts = page.tags.count("script")
    diagram = hasattr(SHOWN[name], "fit")
    assert scripts <= 2 * diagram
    if name in ("linear", "summary", "comparison", "wide comparison", "counts"):
        said = "".join(page.text)
        for column in NAMES[:4]:
            assert column in said


@pytest.mark.parametrize("name", SHOWN)
def test_no_id_is_there_twice(name):
    page = Page(SHOWN[name]._repr_html_())
    assert len(set(page.ids)) == len(page.ids)


def test_no_id_is_there_twice_in_a_notebook():
    cells = [one._repr_html_() for one in SHOWN.values() for _ in range(2)]
    ids = Page("".join(f"<div>{cell}</div>" for cell in cells)).ids
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ["summary", "comparison", "wide comparison", "linear"])
def test_wide_tables_scroll(name):
    page = Page(SHOWN[name]._repr_html_())
    assert any("overflow-x: auto" in style for style in page.around)


def test_no_colour_is_set_so_that_those_of_the_page_hold():
    for name in ("summary", "comparison", "test"):
        found = SHOWN[name]._repr_html_()
        assert "color:" not in found
        assert "background" not in found


def test_the_checker_finds_planted_faults():
    for wrong in ("<div><p></div></p>", "<div>", "</p>", "<b></b></b>", '<p id="a" id="b"></p>'):
        with pytest.raises(AssertionError):
            Page(wrong)
    assert Page('<p id="a"></p><p id="a"></p>').ids == ["a", "a"]
