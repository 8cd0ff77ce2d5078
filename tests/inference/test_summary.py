"""Summaries as people read them: text, HTML, LaTeX, and the numbers behind."""

import re
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.inference import Summary
from mcmodels.inference.summary import number, p_value

TABLE = pd.DataFrame(
    {
        "coefficient": [-2.497844677, 0.0343932311, 249989.0, -3482258.6],
        "standard_error": [0.16604268, 0.0, 12.3456789, 890420.38],
        "z": [-15.0434, np.inf, 1234.567, 0.0],
        "p_value": [2e-51, 1.0, 0.0009876, 0.04999],
        "lower": [np.nan, -1e-8, 1.0, 100000.0],
    },
    index=["sex=male", "age", "50%_&_#more$", "(intercept)"],
)
TEXT = """\
                   coefficient  standard error        z   p-value             lower
sex=male          -2.49784           0.1660      -15.04    <1e-16      NA
age                0.0343932         0.000       inf       1.0000      -1.00000e-08
50%_&_#more$  249989                12.35       1234.57  0.000988       1.00000
(intercept)       -3.48226e+06       8.904e+05     0.00    0.0500  100000"""


def summary(**parts):
    return Summary(**{"title": "A model", "facts": {}, "tables": {"": TABLE}, **parts})


def long_facts():
    return {"rows": "12", "features": ", ".join(f"feature{j}" for j in range(30))}


# Text


def test_numbers_are_aligned_on_their_points():
    assert str(summary()) == f"A model\n\n{TEXT}"


def test_facts_tables_conclusions_and_notes_follow_each_other():
    small = pd.DataFrame({"share": [0.5]}, index=["a"])
    found = Summary(
        "A model",
        {"rows": "12", "penalty": "none"},
        {"first": small, "second": small},
        {"R²": "0.5", "AIC": "12"},
        ("One.", "Two."),
    )
    assert str(found) == (
        "A model\n\n"
        "rows     12\npenalty  none\n\n"
        "first\n      share\na  0.500000\n\n"
        "second\n      share\na  0.500000\n\n"
        "R²   0.5\nAIC  12\n\n"
        "One.\n\nTwo."
    )


def test_long_facts_go_on_below_their_values():
    _, facts, _ = str(summary(facts=long_facts())).split("\n\n")
    lines = facts.splitlines()
    assert lines[0] == "rows      12"
    assert all(len(line) <= 100 for line in lines)
    assert all(line.startswith(" " * 10 + "feature") for line in lines[2:])
    assert " ".join(line[10:] for line in lines[1:]) == long_facts()["features"]


def test_a_path_is_not_broken():
    path = f"/{'long-name/' * 15}data.csv"
    assert f"file  {path}\n" in str(summary(facts={"file": path}))


def test_notes_are_wrapped():
    note = "What a reader of this fit should know. " * 8
    assert all(len(line) <= 100 for line in str(summary(notes=(note,))).splitlines())
    assert " ".join(str(summary(notes=(note,))).split()).endswith(note.strip())


def test_wide_tables_go_on_below_with_the_names_again():
    values = np.arange(1, 61).reshape(2, 30) / 7
    wide = pd.DataFrame(values, index=["a", "b"], columns=[f"pca{j}" for j in range(30)])
    parts = (
        str(summary(tables={"Loadings": wide})).removeprefix("A model\n\nLoadings\n").split("\n\n")
    )
    assert len(parts) > 2
    rows = {"a": [], "b": []}
    for part in parts:
        assert all(len(line) <= 100 for line in part.splitlines())
        for line in part.splitlines()[1:]:
            name, *cells = line.split()
            rows[name] += cells
    np.testing.assert_allclose([[float(v) for v in row] for row in rows.values()], values, 1e-5)
    headings = [heading for part in parts for heading in part.splitlines()[0].split()]
    assert headings == list(wide.columns)


def test_long_names_keep_both_ends():
    name = f"start_{'x' * 90}_end"
    table = TABLE.set_axis([name, "line\nbreak", "a", "b"])
    lines = str(summary(tables={"": table})).splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert any(line.startswith("start_xx") and "xx_end  " in line for line in lines)
    assert any(line.startswith("line break  ") for line in lines)


def test_empty_tables_are_left_out():
    empty = {"rows": TABLE.iloc[:0], "columns": TABLE[[]]}
    assert str(summary(tables=empty)) == "A model"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0000"),
        (0.05004, "0.0500"),
        (0.001, "0.0010"),
        (0.0009, "0.000900"),
        (1.23456e-7, "1.23e-07"),
        (1e-16, "1.00e-16"),
        (3.8e-51, "<1e-16"),
        (0.0, "<1e-16"),
        (np.nan, "nan"),
    ],
)
def test_p_values(value, text):
    assert p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(491.2265524, "491.227"), (60.0, "60"), (np.nan, "undefined")]
)
def test_numbers(value, text):
    assert number(value) == text


# Models


def fits():
    """One fit of each kind that prints otherwise, with names of 60 letters."""
    rng = np.random.default_rng(2)
    names = [f"measurement {j} of {'something ' * 4}" for j in range(12)]
    X = pd.DataFrame(rng.normal(size=(300, 12)) * 10.0 ** np.arange(-6, 6), columns=names)
    score = X.iloc[:, 0] * 1e6 + rng.normal(size=300)
    three = pd.cut(score, 3, labels=["a <&> b", "second", "third"]).astype(str)
    return {
        "linear": LinearRegression().fit(X, score),
        "two targets": LinearRegression().fit(X, np.column_stack([score, score**2])),
        "logistic": LogisticRegression(C=np.inf).fit(X / X.std(), score > 0),
        "penalised": LogisticRegression().fit(X / X.std(), score > 0),
        "three classes": LogisticRegression().fit(X / X.std(), three),
        "pca": PCA().fit(X),
    }


@pytest.fixture(scope="module")
def summaries():
    return {name: model.summary() for name, model in fits().items()}


@pytest.mark.parametrize(
    "name", ["linear", "two targets", "logistic", "penalised", "three classes", "pca"]
)
def test_a_fit_prints_every_parameter_within_100_columns(summaries, name):
    found = summaries[name]
    text = str(found)
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line.endswith(" ") for line in text.splitlines())
    for heading, table in found.tables.items():
        assert f"\n{heading}\n" in text
        assert len(table) >= 12
        assert all(f"{value:#.6g}".removesuffix(".") in text for value in table.iloc[:, 0])


def test_classes_are_headings(summaries):
    assert list(summaries["three classes"].tables) == ["second", "third"]
    assert summaries["three classes"].facts["log-odds against"] == "a <&> b"
    text = str(summaries["three classes"])
    assert text.index("\nsecond\n") < text.index("\nthird\n")


# Frames


def test_frames_hold_unrounded_numbers():
    frame = summary().to_frame()
    pd.testing.assert_frame_equal(frame, TABLE, check_exact=True)
    frame.loc["age", "z"] = 0.0
    assert TABLE.loc["age", "z"] == np.inf


def test_frames_of_several_tables_have_a_level_of_headings(summaries):
    model = fits()["three classes"]
    frame = summaries["three classes"].to_frame()
    names = [*model.feature_names_in_, "(intercept)"]
    for k, label in enumerate(["second", "third"], start=1):
        contrast = model.params_[k] - model.params_[0]
        np.testing.assert_array_equal(frame.loc[label].loc[names, "coefficient"], contrast)


# HTML


NASTY = "<script>alert('&')</script>"


def html(found):
    """The parsed HTML; well-formed, as XML is."""
    return ElementTree.fromstring(f"<div>{found._repr_html_()}</div>")


def cells(table):
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_html_holds_the_same_digits_as_the_text():
    [table] = html(summary()).iter("table")
    words = [[cell.strip() for cell in row] for row in cells(table)]
    assert words[0] == ["", "coefficient", "standard error", "z", "p-value", "lower"]
    assert words[1:] == [line.split() for line in TEXT.splitlines()[1:]]


def test_html_is_escaped():
    table = pd.DataFrame({NASTY: [1.0]}, index=[NASTY])
    found = Summary(NASTY, {NASTY: NASTY}, {NASTY: table}, {NASTY: NASTY}, (NASTY,))
    root = html(found)
    assert list(root.iter("script")) == []
    facts, body, conclusions = root.iter("table")
    assert cells(facts) == cells(conclusions) == [[NASTY, NASTY]]
    assert cells(body) == [["", NASTY], [NASTY, "1.00000"]]
    assert [root.findtext(tag) for tag in ("h4", "h5", "p")] == [NASTY] * 3


def test_html_of_fits_is_well_formed(summaries):
    for found in summaries.values():
        tables = [table for table in html(found).iter("table") if table.get("style")]
        assert [len(cells(table)) - 1 for table in tables] == list(map(len, found.tables.values()))


# LaTeX


def test_latex_is_escaped_and_has_rules():
    found = summary(title="50% & more", tables={"class_#1": TABLE})
    lines = found.to_latex().splitlines()
    assert r"\caption{50\% \& more: class\_\#1}" in lines
    assert r"\begin{tabular}{lrrrrr}" in lines
    rules = [line for line in lines if line.endswith("rule")]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]
    start = lines.index(r"\midrule")
    assert lines[start - 1] == r" & coefficient & standard error & z & p-value & lower \\"
    assert lines[start + 1 : start + 5] == [
        r"sex=male & $-2.49784$ & $0.1660$ & $-15.04$ & $<1 \times 10^{-16}$ & -- \\",
        r"age & $0.0343932$ & $0.000$ & $\infty$ & $1.0000$ & $-1.00000 \times 10^{-8}$ \\",
        r"50\%\_\&\_\#more\$ & $249989$ & $12.35$ & $1234.57$ & $0.000988$ & $1.00000$ \\",
        r"(intercept) & $-3.48226 \times 10^{6}$ & $8.904 \times 10^{5}$ & $0.00$ & $0.0500$ & "
        r"$100000$ \\",
    ]


def test_latex_escapes_every_special_character():
    table = pd.DataFrame({"share": [1.0]}, index=["\\~^{}"])
    expected = r"\textbackslash{}\textasciitilde{}\textasciicircum{}\{\} & $1.00000$ \\"
    assert expected in summary(tables={"": table}).to_latex().splitlines()


def test_latex_reads_no_name_as_a_part_of_the_row_before():
    r"""``\\\\`` takes a star after it, and what stands in brackets, on the next line, too."""
    table = pd.DataFrame({"share": [1.0, 2.0, 3.0]}, index=["a", "*", "[2pt] b"])
    text = summary(tables={"": table}).to_latex()
    assert not re.search(r"\\\\\s*[*\[]", text)
    assert "{*} & $2.00000$" in text
    assert "{[}2pt] b & $3.00000$" in text


def test_latex_has_a_table_for_each(summaries):
    written = summaries["three classes"].to_latex()
    assert written.count(r"\begin{table}") == written.count(r"\end{table}") == 2
    assert r"\caption{Logistic regression: third}" in written


def test_latex_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"pip install 'mcmodels\[latex\]'"):
        summary().to_latex()
