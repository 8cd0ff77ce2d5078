"""Models side by side: the numbers of the models, and every form of the table read back."""

import html
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    compare,
    results,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from tests.inference.published import data

CARS = data("mtcars")
MPG = CARS["mpg"]


def linear(*names, **options):
    return LinearRegression(**options).fit(CARS[list(names)], MPG)


ONE, TWO, THREE = linear("wt"), linear("hp", "wt"), linear("qsec", "hp", fit_intercept=False)
STRANGE = ["a|b", "<b>x</b>", "50 %_x", "back\\slash", "*bold*", "x" * 300, "line\nend", "[c]"]


def strange():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, len(STRANGE))), columns=STRANGE)
    return LinearRegression().fit(X, rng.normal(size=60))


NORMAL = "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2"


def own(*names, **options):
    """A normal loss of one's own, whose scale is an auxiliary parameter."""
    model = ObjectiveRegressor(NORMAL, auxiliary={"log_sigma": 1.0}, log_likelihood=True, **options)
    return model.fit(CARS[list(names)], MPG)


COMPARISONS = {
    "auxiliary": lambda: compare(own("wt"), TWO, own("hp", "wt", fit_intercept=False)),
    "linear": lambda: compare(ONE, TWO, THREE),
    "intervals": lambda: compare(ONE, TWO, names=["a", "b"], level=0.9),
    "kinds of model": lambda: compare(
        ONE,
        LogisticRegression(C=1.0).fit(CARS[["wt", "hp"]], CARS["gear"]),
        GeneralizedLinearRegressor("gamma", link="log").fit(CARS[["hp", "qsec"]], MPG),
        FirthLogisticRegression().fit(CARS[["wt"]], CARS["am"]),
        LinearRegression().fit(CARS[["wt", "hp"]], CARS[["mpg", "disp"]]),
    ),
    "many": lambda: compare(*[ONE, TWO] * 9),
    "strange names": lambda: compare(strange(), names=["<i>m</i> | 100 %"]),
    "scales": lambda: compare(
        *(LinearRegression().fit(CARS[["wt", "hp"]] * k, MPG) for k in (1e-9, 1e-4, 1e3, 1e9))
    ),
}


@pytest.fixture(params=COMPARISONS)
def found(request):
    return COMPARISONS[request.param]()


def near(cell, value, error=np.nan):
    """Whether a printed number is the value, to half a unit of its last digit."""
    mantissa, _, power = cell.partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    # 1.001: a value whose digits end in 5 may have been rounded either way.
    return abs(float(cell) - value) <= 0.5 * 1.001 * unit and (
        # and the digits are enough: a hundredth of a standard error, or six digits
        not error > 0 or unit <= max(error / 50, abs(value) * 1e-5)
    )


def check(found, read):
    """``read`` has a list of cells for each row of coefficients, of what is below, of measures."""
    frame = found.to_frame()
    names = list(dict.fromkeys(frame.index.get_level_values(0)[: -len(found.statistics)]))
    assert len(read) == 2 * len(names) + len(found.statistics)
    for k, name in enumerate(names):
        for column, above, below in zip(frame, read[2 * k], read[2 * k + 1], strict=True):
            value, error = frame[column][name, "coefficient"], frame[column][name, "standard_error"]
            if np.isnan(value):
                assert (above, below) == ("", "")
                continue
            assert near(above, value, error), (above, value, error)
            if found.level is None:
                assert near(below.strip("()"), error, error)
            else:
                assert below[0] + below[-1] == "[]"
                for end, cell in zip(("lower", "upper"), below[1:-1].split(", "), strict=True):
                    assert near(cell, frame[column][name, end], error)
    for name, cells in zip(found.statistics.index, read[2 * len(names) :], strict=True):
        for column, cell in zip(frame, cells, strict=True):
            value = frame[column][name, "statistic"]
            assert cell == "" if np.isnan(value) else near(cell, value)


def test_markdown_read_back_has_the_same_numbers(found):
    lines = found.to_markdown().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in rows} == {1 + len(found.tables)}
    assert set(rows[1]) == {":--", "--:"}
    check(found, [row[1:] for row in rows[2:]])


def test_html_is_well_formed_and_has_the_same_numbers(found):
    page = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>")
    rows = [["".join(cell.itertext()).strip() for cell in row] for row in page.iter("tr")]
    assert rows[0][1:] == [" ".join(name.split()) for name in found.tables]
    check(found, [row[1:] for row in rows[1:]])
    assert len(list(page.iter("p"))) == len(found.notes)


def test_latex_is_balanced_and_has_the_same_numbers(found):
    text = found.to_latex()
    lines = text.splitlines()
    width = len(found.tables)
    assert lines[0] == rf"\begin{{tabular}}{{l{'r' * width}}}"
    assert lines[-1] == r"\end{tabular}"
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 2, 1]
    bare = re.sub(r"\\[{}$%&_#]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"(?<!\\)[%#]", text)
    rows = [line for line in lines if line.endswith(r"\\") and "multicolumn" not in line]
    cells = [re.split(r"(?<!\\) ?& ?", line.removesuffix(r"\\").strip(" ")) for line in rows]
    assert {len(row) for row in cells} == {1 + width}
    assert not any(line.lstrip().startswith("[") for line in lines)  # an option of the last end
    powers = (re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", line) for line in map("&".join, cells))
    plain = [re.sub(r"\$|\{(?=\[)|(?<=\[)\}", "", line).split("&") for line in powers]
    check(found, [[cell.strip() for cell in row[1:]] for row in plain[1:]])


def test_html_is_that_of_the_notebook(found):
    assert found.to_html() == found._repr_html_()


SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def test_signs_of_names_are_escaped_in_latex():
    """For < > | the fonts of LaTeX have other signs; lines of notes are no wider than in text."""
    names = ["".join(SIGNS) + " a_b 50 % & #1 $x$ {y}", "robust " * 9]
    robust = results(ONE).with_covariance(CARS[["wt"]], MPG, kind="HC3")
    found = compare(robust, TWO, names=names)
    text = found.to_latex()
    left = text
    for written in SIGNS.values():
        assert written in text
        left = left.replace(written, "")
    assert not re.search("[<>|~^]", left.replace("R$^2$", ""))
    notes = [line for line in text.splitlines() if "footnotesize" in line]
    assert len(notes) > len(found.notes)
    read = [line.partition("footnotesize ")[2].removesuffix(r"} \\") for line in notes]
    for plain, written in SIGNS.items():
        read = [line.replace(written, plain) for line in read]
    read = [re.sub(r"\\([&%$#_{}])", r"\1", line) for line in read]
    assert " ".join(read) == " ".join(" ".join(found.notes).split())
    assert max(map(len, read)) <= 100


def test_names_with_a_star_dollars_or_tildes():
    names = ["* x", "$x$", "~~x~~"]
    renamed = pd.DataFrame(
        {name: CARS[of] for name, of in zip(names, ["wt", "hp", "am"], strict=True)}
    )
    found = compare(LinearRegression().fit(renamed, MPG))
    assert "\n{*} x & " in found.to_latex()  # the end of a row takes a star on the next line
    lines = found.to_markdown().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:8:2]] == [
        r"| \* x",
        r"| \$x\$",
        r"| \~\~x\~\~",
    ]


def test_what_no_model_determines_has_one_line():
    levels = np.eye(3)[np.arange(len(MPG)) % 3]
    columns = pd.DataFrame(levels, columns=["a", "b", "c"]).assign(wt=CARS["wt"])
    with pytest.warns(RankDeficiencyWarning):
        model = LinearRegression().fit(columns, MPG)
    lines = compare(model).to_markdown().splitlines()
    assert [line for line in lines if line.startswith("| a ")] == ["| a | NA |"]
    assert lines[lines.index("| a | NA |") + 1] == "| b | NA |"
    assert lines[lines.index("| b | NA |") + 1] == "| c | NA |"
    assert lines[lines.index("| c | NA |") + 2].startswith("|  | (")  # the error of wt


def test_text_is_aligned_and_wraps(found):
    text = str(found)
    assert repr(found) == text
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line != line.rstrip() for line in text.splitlines())
    for name in found.tables:
        assert html.unescape(name).split()[0][:15] in text


def test_columns_that_are_too_wide_are_continued_below():
    text = str(COMPARISONS["many"]())
    parts = text.split("\n\n")
    starts = [part.splitlines()[0] for part in parts if part.lstrip().startswith("(")]
    assert len(starts) == 3
    assert " ".join(starts).split() == [f"({k})" for k in range(1, 19)]
    assert text.count("(intercept)") == 3


def test_decimal_points_stand_below_each_other():
    lines = str(compare(ONE, TWO)).splitlines()
    table = [line for line in lines if line and not line.startswith("Below")][1:]
    points = {line.index(".") for line in table if "." in line[:28]}
    assert len(points) == 1


def test_rows_are_in_order_of_appearance_with_the_intercept_last():
    frame = compare(ONE, THREE, TWO).to_frame()
    names = list(dict.fromkeys(frame.index.get_level_values("row")))
    assert names[:4] == ["wt", "qsec", "hp", "(intercept)"]
    assert names[4:] == ["n_observations", "r_squared", "log_likelihood", "aic", "bic"]


def test_auxiliary_parameters_are_below_the_intercept():
    found = compare(own("wt"), TWO, own("hp", "wt", fit_intercept=False))
    frame = found.to_frame()
    rows = list(dict.fromkeys(frame.index.get_level_values("row")))
    assert rows[:4] == ["wt", "hp", "(intercept)", "log_sigma"]
    assert str(found).count("(intercept)") == 1
    intercepts = frame.loc[("(intercept)", "coefficient")].tolist()
    assert intercepts[:2] == [own("wt").intercept_, TWO.intercept_]
    assert np.isnan(intercepts[2])


def test_likelihoods_of_own_losses_are_said_to_lack_a_constant():
    note = "(2): the log-likelihood is minus the sum of the losses, which may lack a constant"
    assert note in " ".join(compare(TWO, own("hp", "wt")).notes)
    assert "constant" not in " ".join(compare(TWO, ONE).notes)
    assert "constant" not in " ".join(compare(TWO, own("hp"), statistics=["n_observations"]).notes)


def test_numbers_are_those_of_the_models():
    frame = compare(ONE, TWO, names=["one", "two"], level=0.8).to_frame()
    for name, model in (("one", ONE), ("two", TWO)):
        table = model.summary(level=0.8).to_frame()
        for part in ("coefficient", "standard_error", "lower", "upper"):
            column = frame[name].xs(part, level="measure").reindex(table.index)
            np.testing.assert_array_equal(column, table[part])
        for measure in ("n_observations", "r_squared", "log_likelihood", "aic", "bic"):
            assert frame[name][measure, "statistic"] == getattr(model, f"{measure}_")
    assert np.isnan(frame["one"]["hp", "coefficient"])


def test_classes_and_targets_have_columns_and_measures_stand_once():
    found = COMPARISONS["kinds of model"]()
    assert list(found.tables) == ["(1)", "(2) 4", "(2) 5", "(3)", "(4)", "(5) mpg", "(5) disp"]
    statistics = found.statistics
    assert np.isfinite(statistics.at["log_likelihood", "(2) 4"])
    assert np.isnan(statistics.at["log_likelihood", "(2) 5"])
    # R² is one of each target.
    assert statistics.loc["r_squared", ["(5) mpg", "(5) disp"]].notna().all()
    notes = " ".join(found.notes)
    assert "(2): log-odds against 3." in notes
    assert "Laplace" in notes
    assert "Models: (1), (5) LinearRegression; (2) LogisticRegression;" in notes


@pytest.mark.parametrize("kind", ["HC3", "cluster"])
def test_robust_errors(kind):
    X, groups = CARS[["hp", "wt"]], CARS["carb"] if kind == "cluster" else None
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, MPG)
    found = compare(TWO, pipeline, X=X, y=MPG, kind=kind, groups=groups)
    for model, column in ((TWO, "(1)"), (results(pipeline), "(2)")):
        table = model.summary(X, MPG, kind=kind, groups=groups).to_frame()
        np.testing.assert_array_equal(
            found.tables[column]["standard_error"], table["standard_error"]
        )
    assert "robust" in found.notes[0]


def test_results_with_a_covariance_of_their_own_use_it():
    class Robust(type(results(TWO))):
        def _estimate(self):
            return TWO._estimate(CARS[["hp", "wt"]], MPG, None, kind="HC1")[1]

    found = compare(TWO, Robust(TWO))
    table = TWO.summary(CARS[["hp", "wt"]], MPG, kind="HC1").to_frame()
    np.testing.assert_array_equal(found.tables["(2)"]["standard_error"], table["standard_error"])
    assert found.notes[0].endswith(
        "(1) inverse of the Hessian; (2) robust to unequal variances (HC1)."
    )


def test_chosen_measures():
    found = compare(ONE, TWO, statistics=["adjusted_r_squared", "rank"])
    assert list(found.statistics.index) == ["adjusted_r_squared", "rank"]
    assert "adjusted R²" in str(found)
    assert list(compare(ONE, statistics=[]).statistics.index) == []
    with pytest.raises(ValueError, match="no model has a number nothing_; there are n_observ"):
        compare(ONE, TWO, statistics=["aic", "nothing"])


def test_equal_names_in_one_model_are_rows_of_their_own():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "(intercept)"])
    model = LinearRegression().fit(X, rng.normal(size=40))
    found = compare(model, LinearRegression().fit(X[["a"]], rng.normal(size=40)))
    assert str(found).count("(intercept)") == 2
    column = found.to_frame()["(1)"].xs("coefficient", level="measure")
    np.testing.assert_array_equal(column, model.params_)


def test_what_is_refused():
    with pytest.raises(ValueError, match="compare needs at least one fitted model"):
        compare()
    with pytest.raises(ValueError, match="names has 1 names, and there are 2 models"):
        compare(ONE, TWO, names=["a"])
    with pytest.raises(ValueError, match="must differ"):
        compare(ONE, TWO, names=["a", "a"])
    with pytest.raises(ValueError, match="names='ab' must be a list"):
        compare(ONE, TWO, names="ab")
    with pytest.raises(ValueError, match="level=95"):
        compare(ONE, level=95)
    with pytest.raises(TypeError, match="compare needs a model with coefficients, and found PCA"):
        compare(ONE, PCA().fit(CARS[["wt", "hp"]]))
    saturated = LinearRegression().fit(CARS[["wt"]].iloc[1:3], MPG[1:3])
    with pytest.raises(InferenceError, match=r"^model b: there are 2 rows .* for 2 parameters"):
        compare(ONE, saturated, names=["a", "b"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'kinds'"):
        compare(ONE, kinds="HC1")


def test_what_is_not_determined_is_not_a_number():
    with pytest.warns(UserWarning, match="dependen"):
        lost = LinearRegression().fit(CARS[["wt", "hp"]].assign(again=CARS["wt"]), MPG)
    shown = compare(TWO, lost, names=["a", "b"])
    assert shown.to_frame()["b"]["hp", "coefficient"] == pytest.approx(lost.coef_[1])
    lines = {
        line.split()[0]: line.split()[1:] for line in str(shown).split("\n") if line[:1].isalpha()
    }
    assert lines["wt"][-1] == lines["again"][-1] == "NA"
    assert "nan" not in str(shown) + shown._repr_html_() + shown.to_markdown()


def test_the_reader_of_tables_sees_a_wrong_number():
    assert near("-5.344", -5.3444716, 0.559)
    assert not near("-5.345", -5.3444716, 0.559)
    assert not near("-5", -5.3444716, 0.559)
    assert not near("-5.3", -5.3, 0.01)  # too few digits
    assert near("1.2e-05", 1.21e-5)
