"""The command line: what it prints, what it saves and writes, and how it refuses."""

import gzip
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression as SklearnLinearRegression
from sklearn.pipeline import Pipeline

import mcmodels
from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.cli import main
from mcmodels.cli.model_files import load_model
from mcmodels.solvers import room
from tests.certified import DATASETS, answers

TITANIC, IRIS, MTCARS, USARRESTS = (
    DATASETS / f"{name}.csv" for name in ("titanic_survival", "iris", "mtcars", "usarrests")
)
# The command line and the estimator see the same float64 numbers in another memory order, so that
# sums round otherwise: a few units of 2e-16, times the condition of these small problems (< 1e4).
ROUNDING = 1e-11


def run(capsys, *argv):
    """Exit code, standard output and standard error of one command."""
    try:
        code = main([str(argument) for argument in argv])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def accepted(capsys, *argv):
    code, out, err = run(capsys, *argv)
    assert (code, err) == (0, "")
    return out


def refused(capsys, *argv):
    """The message of a command that must be refused: one line, exit code 2, nothing printed."""
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("mcmodels: error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("mcmodels: error: ").rstrip("\n")


def blocks(report):
    return report.strip("\n").split("\n\n")


def facts(report):
    """What the header and the end of a report say, by name; long values go on in the next line."""
    text = f"{blocks(report)[1]}\n{blocks(report)[end(report)]}"
    pairs = (line.split("  ", 1) for line in re.sub(r"\n +", " ", text).splitlines())
    return {name: value.strip() for name, value in pairs}


def end(report):
    """Which block holds the statistics; the tables are before it, the notes after."""
    [found] = [k for k, block in enumerate(blocks(report)) if "\nstatus  " in block]
    return found


def tables(report):
    """The printed numbers, as text, by row and column; tables by heading."""
    found = {}
    for block in blocks(report)[2 : end(report)]:
        lines = block.splitlines()
        heading = "" if lines[0].startswith(" ") else lines.pop(0)
        columns, *rows = (re.split(" {2,}", line.strip()) for line in lines)
        found[heading] = pd.DataFrame({row[0]: row[1:] for row in rows}, index=columns).T
    return found


def table(report):
    """The only table."""
    [printed] = tables(report).values()
    return printed


def notes(report):
    return " ".join(" ".join(blocks(report)[end(report) + 1 :]).split())


def digits(value, count=6):
    """A number as the tables print it."""
    return f"{float(value):#.{count}g}".removesuffix(".")


@pytest.fixture
def people():
    """Text, level and number columns; row order, levels and target are not sorted."""
    rng = np.random.default_rng(7)
    n = 40
    return pd.DataFrame(
        {
            "sex": rng.choice(["male", "female"], n),
            "age": rng.integers(1, 80, n),
            "deck": rng.choice([3, 1, 2], n),
            "fare": rng.gamma(2.0, 20.0, n),
            "outcome": rng.choice(["saved", "lost"], n),
            "copies": rng.integers(0, 4, n),
        }
    )


@pytest.fixture
def people_csv(people, tmp_path):
    path = tmp_path / "people.csv"
    people.to_csv(path, index=False)
    return path


def write(path, text):
    path.write_text(text)
    return path


# What fit prints


def test_titanic_by_maximum_likelihood_prints_the_reference_digits(capsys):
    reference = answers("titanic_survival")
    out = accepted(capsys, "fit", "logistic", TITANIC, "--target", "survived", "--C", "inf")
    for column, values, count in (
        ("coefficient", reference["params"], 6),
        ("standard error", reference["standard_errors"], 4),
    ):
        expected = {name: digits(value, count) for name, value in values.items()}
        expected["(intercept)"] = expected.pop("intercept")
        assert table(out)[column].to_dict() == expected
    assert facts(out)["objective"] == f"{-float(reference['log_likelihood']):.6g}"
    assert facts(out)["log-likelihood"] == f"{float(reference['log_likelihood']):.6g}"
    assert facts(out)["null log-likelihood"] == f"{float(reference['log_likelihood_null']):.6g}"
    assert facts(out)["AIC"] == f"{float(reference['aic']):.6g}"
    assert facts(out)["penalty"] == "none"
    assert facts(out)["rows"] == "1046"
    assert facts(out)["target"] == "survived"
    assert facts(out)["features"] == "4: sexmale, age, class2nd, class3rd"
    assert facts(out)["classes"] == "0 (619 rows), 1 (427 rows)"
    assert facts(out)["log-odds of"] == "1 against 0"


def test_the_report_says_how_the_fit_went(capsys):
    frame = pd.read_csv(TITANIC)
    X, y = frame.drop(columns="survived"), frame["survived"]
    model = LogisticRegression(C=0.5).fit(X, y)
    out = accepted(capsys, "fit", "logistic", TITANIC, "--target", "survived", "--C", "0.5")
    said = facts(out)
    assert blocks(out)[0] == "Logistic regression"
    assert said["file"] == str(TITANIC)
    assert said["penalty"] == "|coefficients|²/(2C), C = 0.5"
    assert said["objective"] == f"{model.objective_:.6g}"
    assert float(said["largest gradient entry"]) <= model.tol * len(y)
    # The condition number is printed to six digits.
    assert float(said["Hessian condition number"]) == pytest.approx(
        np.linalg.cond(model.hessian_), rel=1e-5
    )
    assert said["iterations"] == str(model.n_iter_[0])
    assert said["solver"] == "newton"
    assert said["status"] == "converged"
    assert said["accuracy"] == f"{model.score(X, y):.6g}"


def test_more_than_two_classes_have_a_table_each_against_the_first(capsys):
    frame = pd.read_csv(IRIS)
    X, y = frame.drop(columns="Species"), frame["Species"]
    model = LogisticRegression(C=2.0).fit(X, y)
    out = accepted(capsys, "fit", "logistic", IRIS, "--target", "Species", "--C", "2")
    printed = tables(out)
    assert list(printed) == ["versicolor", "virginica"]
    assert facts(out)["log-odds against"] == "setosa"
    for k, heading in enumerate(printed, start=1):
        contrast = model.params_[k] - model.params_[0]
        assert list(printed[heading].index) == [*X.columns, "(intercept)"]
        assert printed[heading]["coefficient"].to_list() == [digits(v) for v in contrast]
    assert facts(out)["classes"] == ("setosa (50 rows), versicolor (50 rows), virginica (50 rows)")


def test_penalised_fits_have_no_p_values_and_say_what_their_intervals_are(capsys):
    out = accepted(capsys, "fit", "logistic", TITANIC, "--target", "survived")
    assert list(table(out).columns) == ["coefficient", "standard error", "lower", "upper"]
    assert "normal approximation to the posterior" in notes(out)
    unpenalised = accepted(capsys, "fit", "logistic", TITANIC, "--target", "survived", "--C", "inf")
    assert "p-value" in table(unpenalised)
    assert notes(unpenalised) == ""


@pytest.mark.parametrize("C", ["0.1", "inf"])
def test_condition_of_softmax_is_taken_without_the_shift_of_all_classes(capsys, tmp_path, C):
    # Moving all classes alike changes no probability; across it the Hessian is that of contrasts.
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(90, 2)), columns=["u", "v"])
    frame["y"] = rng.integers(0, 3, 90)
    frame.to_csv(tmp_path / "d.csv", index=False)
    model = LogisticRegression(C=float(C)).fit(frame[["u", "v"]], frame["y"])
    shift = np.kron(np.ones((3, 1)), np.eye(3))  # class-major: (u, v, intercept) in each class
    fixed = shift if C == "inf" else shift[:, 2:]
    basis = np.linalg.qr(np.hstack([fixed, rng.normal(size=(9, 9 - fixed.shape[1]))]))[0]
    across = basis[:, fixed.shape[1] :]
    expected = np.linalg.cond(across.T @ model.hessian_ @ across)
    out = accepted(capsys, "fit", "logistic", tmp_path / "d.csv", "--target", "y", "--C", C)
    [line] = [line for line in out.splitlines() if line.startswith("Hessian condition number")]
    assert line.endswith("(without the shift common to all classes)")
    assert float(line.split()[3]) == pytest.approx(expected, rel=1e-5)  # six digits are printed


def test_linear_prints_coefficients_and_r_squared(capsys):
    frame = pd.read_csv(MTCARS)
    X, y = frame.drop(columns="mpg"), frame["mpg"]
    model = SklearnLinearRegression().fit(X, y)
    out = accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg")
    expected = [digits(value) for value in [*model.coef_, model.intercept_]]
    assert table(out)["coefficient"].to_list() == expected
    said = facts(out)
    assert said["R²"] == f"{model.score(X, y):.6g}"
    assert said["degrees of freedom"] == "21"  # 32 rows, 11 parameters
    assert said["objective"] == f"{((y - model.predict(X)) ** 2).sum():.6g}"
    assert said["solver"] == "normal"
    assert said["iterations"] == "0"
    assert "classes" not in said


def test_linear_prints_the_certified_digits(capsys):
    reference = answers("longley")
    out = accepted(capsys, "fit", "linear", DATASETS / "longley.csv", "--target", "y")
    for column, values, count in (
        ("coefficient", reference["params"], 6),
        ("standard error", reference["standard_errors"], 4),
    ):
        intercept, *slopes = (digits(value, count) for value in values.values())
        assert table(out)[column].to_list() == [*slopes, intercept]
    said = facts(out)
    assert said["residual deviation"] == f"{float(reference['residual_sd']):.6g}"
    assert said["R²"] == f"{float(reference['r_squared']):.6g}"
    statistic = f"{float(reference['f_statistic']):.6g}"
    assert said["F"].startswith(f"{statistic} on 6 and 9 degrees of freedom, p-value ")


def test_linear_solver_is_the_one_that_was_asked_for(capsys):
    out = accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--solver", "pinv")
    assert facts(out)["solver"] == "pinv"


def test_linear_without_intercept(capsys):
    command = ("fit", "linear", MTCARS, "--target", "mpg", "--features", "wt", "hp")
    out = accepted(capsys, *command, "--no-intercept")
    frame = pd.read_csv(MTCARS)
    expected = np.linalg.lstsq(frame[["wt", "hp"]].to_numpy(), frame["mpg"].to_numpy())[0]
    assert table(out)["coefficient"].to_dict() == dict(
        zip(["wt", "hp"], map(digits, expected), strict=True)
    )
    assert facts(out)["features"] == "2: wt, hp"


def test_a_condition_beyond_float64_is_a_bound(capsys):
    out = accepted(capsys, "fit", "linear", DATASETS / "longley.csv", "--target", "y")
    # Seven parameters: 1 / (7ε).
    assert facts(out)["Hessian condition number"] == "above 6e+14"


def test_pca_prints_the_reference_loadings_and_variances(capsys):
    reference = answers("usarrests_unscaled")
    out = accepted(capsys, "fit", "pca", USARRESTS)
    printed = tables(out)
    for j in range(4):
        expected = {
            name: digits(reference["params"][f"PC{j + 1}.{name}"]) for name in reference["columns"]
        }
        assert printed["Loadings"][f"pca{j}"].to_dict() == expected
    variances = np.array(reference["eigenvalues"], dtype=float)
    shares = variances / variances.sum()
    printed_shares = printed["Shares of the variance"]
    assert printed["Variances"]["variance"].to_list() == [digits(v) for v in variances]
    assert printed_shares["share"].to_list() == [digits(v) for v in shares]
    assert printed_shares["cumulative"].to_list() == [digits(v) for v in shares.cumsum()]
    said = facts(out)
    assert blocks(out)[0] == "Principal components"
    assert said["objective"] == f"{variances.sum():.6g}"
    assert float(said["largest gradient entry"]) < 1e-8
    assert said["rank"] == "4 of 4"
    assert said["solver"] == "eigh"
    assert not {"target", "classes", "iterations", "Hessian condition number"} & said.keys()


@pytest.mark.parametrize(
    ("n_components", "expected"), [("2", 2), ("0.99", 2), ("mle", 3), (None, 4)]
)
def test_pca_takes_a_count_a_share_or_mle(capsys, n_components, expected):
    option = [] if n_components is None else ["--n-components", n_components]
    out = accepted(capsys, "fit", "pca", USARRESTS, *option)
    names = [f"pca{j}" for j in range(expected)]
    assert list(tables(out)["Loadings"].columns) == names
    assert list(tables(out)["Variances"].index) == names


def test_weights_count_rows(capsys, people, people_csv, tmp_path):
    repeated = people.loc[people.index.repeat(people["copies"])].drop(columns="copies")
    repeated.to_csv(tmp_path / "repeated.csv", index=False)
    assert set(people["copies"]) == {0, 1, 2, 3}
    for model, options in (
        ("linear", ["--target", "fare", "--features", "age", "deck"]),
        ("logistic", ["--target", "outcome", "--features", "age", "deck"]),
        ("pca", ["--features", "age", "fare"]),
    ):
        weighted = accepted(capsys, "fit", model, people_csv, *options, "--weights", "copies")
        plain = accepted(capsys, "fit", model, tmp_path / "repeated.csv", *options)
        # Six printed digits hide the rounding of sums in another order.
        assert blocks(weighted)[2 : end(weighted)] == blocks(plain)[2 : end(plain)]
        elsewhere = {"file", "rows", "weights", "classes", "largest gradient entry", "iterations"}
        for name in facts(plain).keys() - elsewhere:
            assert facts(weighted)[name] == facts(plain)[name]
        assert facts(weighted)["weights"] == f"copies, sum {len(repeated)}"


def test_weights_and_target_are_no_features_by_default(capsys, people_csv):
    options = ["--target", "fare", "--weights", "copies", "--categorical", "sex", "outcome"]
    out = accepted(capsys, "fit", "linear", people_csv, *options)
    assert facts(out)["features"] == "4: sex, age, deck, outcome"


def test_a_feature_named_twice_counts_once(capsys):
    out = accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--features", "wt", "wt")
    assert facts(out)["features"] == "1: wt"


def test_long_lists_are_cut_and_large_numbers_have_no_bare_point(capsys, tmp_path):
    frame = pd.DataFrame(np.eye(13)[:, :12], columns=[f"x{j}" for j in range(12)])
    frame.assign(y=[250000.0, *range(12)]).to_csv(tmp_path / "d.csv", index=False)
    # The last row is zero in all features: the intercept is its target, 11, and each coefficient
    # the difference of a row's target from it.
    out = accepted(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "y")
    assert facts(out)["features"] == "12: x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 2 more"
    assert table(out)["coefficient"][["x0", "x1", "(intercept)"]].to_list() == [
        "249989",
        "-11.0000",
        "11.0000",
    ]


def test_pca_without_components_is_no_crash(capsys):
    out = accepted(capsys, "fit", "pca", USARRESTS, "--n-components", "0")
    assert "rank                    0 of 0" in out


def test_names_that_the_terminal_cannot_write_are_escaped(tmp_path):
    write(tmp_path / "d.csv", "größe,y\n1,1\n2,3\n3,4\n")
    done = subprocess.run(
        [sys.executable, "-m", "mcmodels", "fit", "linear", "d.csv", "--target", "y"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"gr\xf6\xdfe" in done.stdout


# Standard errors


@pytest.fixture
def clustered_csv(tmp_path):
    """Rows whose noise is shared in clusters, and grows with x."""
    rng = np.random.default_rng(11)
    g = rng.integers(0, 6, 60)
    x = rng.uniform(1, 3, 60)
    noise = rng.normal(size=6)[g] + x * rng.normal(size=60)
    frame = pd.DataFrame({"x": x, "g": g, "one": 1, "y": 2 * x + noise, "up": noise > 0})
    frame.to_csv(tmp_path / "clustered.csv", index=False)
    return tmp_path / "clustered.csv"


def sandwich(path, squares):
    """Coefficients of y on x and an intercept, and the errors that ``squares(scores)`` give."""
    frame = pd.read_csv(path)
    A = np.column_stack([frame["x"], np.ones(len(frame))])
    bread = np.linalg.inv(A.T @ A)
    params = bread @ A.T @ frame["y"]
    scores = A * (frame["y"] - A @ params).to_numpy()[:, None]
    return params, np.sqrt(np.diag(bread @ squares(scores, frame["g"]) @ bread))


@pytest.mark.parametrize("kind", ["HC0", "HC1"])
def test_covariance_is_robust_to_unequal_variances(capsys, clustered_csv, kind):
    scale = {"HC0": 1.0, "HC1": 60 / 58}[kind]
    params, errors = sandwich(clustered_csv, lambda scores, g: scale * scores.T @ scores)
    command = ("fit", "linear", clustered_csv, "--target", "y", "--features", "x")
    out = accepted(capsys, *command, "--covariance", kind)
    assert table(out)["coefficient"].to_list() == [digits(v) for v in params]
    assert table(out)["standard error"].to_list() == [digits(v, 4) for v in errors]
    assert facts(out)["covariance"] == f"robust to unequal variances ({kind})"
    assert facts(out)["degrees of freedom"] == "58"
    assert "F" not in facts(out)  # it is a test under equal variances


def test_clusters_are_no_feature_and_their_number_makes_the_degrees_of_freedom(
    capsys, clustered_csv
):
    def squares(scores, g):
        sums = pd.DataFrame(scores).groupby(g.to_numpy()).sum().to_numpy()
        return 6 / 5 * 59 / 58 * sums.T @ sums

    params, errors = sandwich(clustered_csv, squares)
    pd.read_csv(clustered_csv)[["x", "g", "y"]].to_csv(clustered_csv, index=False)
    out = accepted(capsys, "fit", "linear", clustered_csv, "--target", "y", "--cluster", "g")
    assert facts(out)["features"] == "1: x"
    assert facts(out)["covariance"] == "cluster-robust"
    assert facts(out)["degrees of freedom"] == "5"
    assert table(out)["standard error"].to_list() == [digits(v, 4) for v in errors]
    reach = stats.t(5).isf(0.025) * errors
    assert table(out)["upper"].to_list() == [digits(v) for v in params + reach]


@pytest.mark.parametrize("options", [["--covariance", "HC3"], ["--cluster", "g"]])
@pytest.mark.parametrize("C", ["inf", "1"])
def test_robust_errors_of_logistic_fits_are_the_estimators(capsys, clustered_csv, options, C):
    frame = pd.read_csv(clustered_csv)
    X, y = frame[["x"]], frame["up"]
    model = LogisticRegression(C=float(C)).fit(X, y)
    cluster = "--cluster" in options
    kind, groups = ("cluster", frame["g"]) if cluster else ("HC3", None)
    errors = np.sqrt(np.diag(model.covariance(X, y, kind=kind, groups=groups)))
    command = ("fit", "logistic", clustered_csv, "--target", "up", "--features", "x", "--C", C)
    out = accepted(capsys, *command, *options)
    assert table(out)["standard error"].to_list() == [digits(v, 4) for v in errors]
    assert (
        table(out)["standard error"].to_list()
        != table(accepted(capsys, *command))["standard error"].to_list()
    )
    assert "likelihood ratio" not in facts(out)  # it is a test under independence
    assert "posterior" not in notes(out)


def test_level_widens_the_intervals(capsys):
    command = ("fit", "linear", MTCARS, "--target", "mpg", "--features", "wt")
    out = accepted(capsys, *command, "--level", "0.5")
    assert facts(out)["intervals"] == "50 %"
    row = table(out).loc["wt"].astype(float)
    # Six digits are printed, four of the error.
    reach = stats.t(30).isf(0.25) * row["standard error"]
    assert row["upper"] - row["coefficient"] == pytest.approx(reach, rel=1e-3)
    assert row["coefficient"] - row["lower"] == pytest.approx(reach, rel=1e-3)
    # Of a variance, log λ ± q√(2/ν).
    out = accepted(capsys, "fit", "pca", USARRESTS, "--level", "0.5")
    row = tables(out)["Variances"].loc["pca0"].astype(float)
    width = 2 * stats.norm.isf(0.25) * np.sqrt(2 / 49)
    assert np.log(row["upper"] / row["lower"]) == pytest.approx(width, rel=1e-4)


@pytest.mark.parametrize("level", ["95", "0", "1", "-0.5", "nan", "much"])
@pytest.mark.parametrize("model", ["linear", "pca"])
def test_bad_levels_are_refused(capsys, model, level):
    target = ["--target", "mpg"] if model == "linear" else []
    message = refused(capsys, "fit", model, MTCARS, *target, f"--level={level}")
    assert message == (
        f"argument --level: '{level}' is not a number between 0 and 1, as 0.95 is "
        f"(see mcmodels fit {model} --help)"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cluster", "one"], "groups has a single cluster"),
        (["--cluster", "gg"], "unknown column 'gg'"),
        (["--cluster", "x"], "column 'x' is named twice"),
        (["--cluster", "y"], "column 'y' is named twice"),
        (["--cluster", "g", "--weights", "g"], "column 'g' is named twice"),
        (["--cluster", "g", "--covariance", "HC1"], "--covariance: not allowed with argument"),
        (["--covariance", "HC9"], "argument --covariance: invalid choice: 'HC9'"),
    ],
)
def test_robust_errors_that_cannot_be_had_are_refused(capsys, clustered_csv, options, message):
    command = ("fit", "linear", clustered_csv, "--target", "y", "--features", "x", *options)
    model = clustered_csv.with_name("m.joblib")
    assert message in refused(capsys, *command, "--save", model)
    assert not model.exists()


def test_missing_clusters_are_refused(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "x,y,g\n1,2,a\n2,3,\n4,4,b\n5,5,a\n")
    message = refused(capsys, "fit", "linear", path, "--target", "y", "--cluster", "g")
    assert "missing values in 'g' (1, first in data row 2)" in message


def test_a_row_alone_with_its_column_has_no_hc3(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "x,only,y\n1,0,2\n2,0,3\n4,0,4\n5,1,5\n7,0,7\n")
    command = ("fit", "linear", path, "--target", "y")
    assert "leverage 1" in refused(capsys, *command, "--covariance", "HC3")
    out = accepted(capsys, *command, "--covariance", "HC1")
    assert list(table(out).index) == ["x", "only", "(intercept)"]


@pytest.mark.parametrize("robust", [[], ["--covariance", "HC3"], ["--cluster", "gear"]])
def test_fits_without_standard_errors_print_the_rest_and_say_why(capsys, tmp_path, robust):
    frame = pd.read_csv(MTCARS)[["mpg", "wt", "gear"]].assign(twice=lambda d: 2 * d["wt"])
    frame.to_csv(tmp_path / "d.csv", index=False)
    features = ["--features", "wt", "twice"]
    command = ("fit", "linear", tmp_path / "d.csv", "--target", "mpg", *features, *robust)
    out, _ = warned(capsys, *command)
    intercept = np.polyfit(frame["wt"], frame["mpg"], 1)[1]
    # Of wt and twice only a sum is determined; of the intercept all is.
    assert table(out)["coefficient"].to_dict() == {
        "wt": "NA",
        "twice": "NA",
        "(intercept)": digits(intercept),
    }
    assert table(out).loc["wt"].tolist() == ["NA"] * len(table(out).columns)
    assert "NA" not in table(out).loc["(intercept)"].tolist()
    assert facts(out)["R²"] == f"{np.corrcoef(frame['wt'], frame['mpg'])[0, 1] ** 2:.6g}"
    assert notes(out).startswith("NA: Leave out one of wt, twice, which depend on each other")


def test_separated_classes_have_coefficients_without_errors(capsys, tmp_path):
    options = ("--target", "Species", "--C", "inf")
    out, _ = warned(capsys, "fit", "logistic", IRIS, *options)
    assert list(tables(out)) == ["setosa", "versicolor", "virginica"]
    assert all(list(printed.columns) == ["coefficient"] for printed in tables(out).values())
    assert notes(out).startswith("No standard errors: the classes are separated")
    path = write(tmp_path / "d.csv", "x,y\n1,a\n2,a\n3,b\n4,b\n")
    out, _ = warned(capsys, "fit", "logistic", path, "--target", "y", "--C", "inf")
    assert list(table(out).columns) == ["coefficient"]
    assert facts(out)["log-odds of"] == "b against a"


def test_as_many_parameters_as_rows_leave_no_errors(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "x,y\n1,2\n2,4\n")
    out = accepted(capsys, "fit", "linear", path, "--target", "y")
    assert float(table(out).loc["x", "coefficient"]) == pytest.approx(2, rel=1e-6)
    assert "there are 2 rows" in notes(out)


def test_more_columns_than_a_matrix_has_room_for(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "LARGEST_SIDE", 3)
    for model, path, options in (
        ("linear", MTCARS, ["--target", "mpg"]),
        ("logistic", TITANIC, ["--target", "survived"]),
        ("logistic", IRIS, ["--target", "Species"]),
    ):
        out = accepted(capsys, "fit", model, path, *options)
        assert all(list(printed.columns) == ["coefficient"] for printed in tables(out).values())
        assert re.search(r"No standard errors: a Hessian of \d+ parameters has no room", notes(out))
        assert "Hessian condition number" not in facts(out)
    values = np.random.default_rng(0).normal(size=(60, 20)) * np.arange(1, 21)
    frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(20)])
    frame.to_csv(tmp_path / "d.csv", index=False)
    out = accepted(capsys, "fit", "pca", tmp_path / "d.csv", "--n-components", "1")
    variances, axes = np.linalg.eigh(np.cov(values.T))
    printed = tables(out)
    assert list(printed["Variances"].columns) == ["variance", "share", "cumulative"]
    assert printed["Variances"]["variance"].to_list() == [digits(variances[-1])]
    assert printed["Variances"]["share"].to_list() == [digits(variances[-1] / variances.sum())]
    loadings = printed["Loadings"]["pca0"].astype(float)
    # Six digits are printed, of either sign.
    np.testing.assert_allclose(abs(loadings), abs(axes[:, -1]), rtol=1e-5)
    assert "the covariance of the columns is not kept" in notes(out)


# Coding of levels


@pytest.mark.parametrize("model", ["linear", "logistic"])
def test_coding_is_get_dummies_without_the_first_level(capsys, people, people_csv, model):
    target = {"linear": "fare", "logistic": "outcome"}[model]
    estimator = {"linear": LinearRegression(), "logistic": LogisticRegression()}[model]
    columns = ["age", "sex", "deck"]
    by_hand = pd.get_dummies(
        people[columns], columns=["sex", "deck"], prefix_sep="=", drop_first=True, dtype=float
    )
    estimator.fit(by_hand, people[target])
    options = ["--target", target, "--features", *columns, "--categorical", "sex", "deck"]
    out = accepted(capsys, "fit", model, people_csv, *options)
    printed = table(out)["coefficient"]
    assert list(printed.index) == ["age", "sex=male", "deck=2", "deck=3", "(intercept)"]
    assert printed.to_list() == [digits(value) for value in estimator.params_]
    assert facts(out)["baseline"] == "sex=female, deck=1"


def test_pca_keeps_every_level(capsys, people, people_csv):
    by_hand = pd.get_dummies(people[["age", "sex"]], prefix_sep="=", dtype=float)
    expected = PCA(n_components=2).fit(by_hand)
    options = ["--features", "age", "sex", "--categorical", "sex", "--n-components", "2"]
    out = accepted(capsys, "fit", "pca", people_csv, *options)
    loadings = tables(out)["Loadings"]
    assert list(loadings.index) == ["age", "sex=female", "sex=male"]
    assert loadings["pca1"].to_list() == [digits(v) for v in expected.components_[1]]
    assert "baseline" not in facts(out)


def test_levels_that_look_like_numbers_here_stay_text(capsys, tmp_path):
    train = write(tmp_path / "train.csv", "code,y\n1,1.0\n2,2.0\nA,4.0\n1,1.5\n2,2.5\nA,4.5\n")
    new = write(tmp_path / "new.csv", "code\n2\n1\n")
    model, out = tmp_path / "m.joblib", tmp_path / "o.csv"
    command = ["fit", "linear", train, "--target", "y", "--categorical", "code", "--save", model]
    accepted(capsys, *command)
    accepted(capsys, "predict", model, new, "--output", out)
    # Means of the two levels; exact up to rounding of a handful of operations.
    np.testing.assert_allclose(pd.read_csv(out)["prediction"], [2.25, 1.25], rtol=1e-14)


def test_columns_may_have_any_name(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "self,a b,y\n1,p,1\n2,q,3\n3,p,4\n5,q,2\n")
    out = accepted(capsys, "fit", "linear", path, "--target", "y", "--categorical", "a b")
    assert [line[:11].rstrip() for line in blocks(out)[2].splitlines()[1:]] == [
        "self",
        "a b=q",
        "(intercept)",
    ]


# Warnings


def warned(capsys, *argv):
    code, out, err = run(capsys, *argv)
    assert code == 0
    assert err.startswith("mcmodels: warning: ")
    assert err.count("\n") == 1
    return out, err


def test_rank_deficiency_is_a_warning_that_names_the_columns(capsys, tmp_path):
    frame = pd.read_csv(MTCARS)[["mpg", "wt", "hp"]].assign(twice=lambda d: 2 * d["wt"])
    frame.to_csv(tmp_path / "d.csv", index=False)
    out, err = warned(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "mpg")
    assert "'wt', 'twice'" in err
    assert facts(out)["status"] == "rank deficient"
    assert facts(out)["Hessian condition number"].startswith("above")


def test_warnings_name_the_columns_of_levels(capsys, tmp_path):
    frame = pd.DataFrame(
        {"s": ["a", "b"] * 4, "b": [0, 1] * 4, "x": range(8), "y": [1, 5, 2, 8, 3, 9, 1, 7]}
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    command = ("fit", "linear", tmp_path / "d.csv", "--target", "y", "--categorical", "s")
    assert "'s=b'" in warned(capsys, *command)[1]


def test_separation_is_a_warning(capsys):
    out, err = warned(capsys, "fit", "logistic", IRIS, "--target", "Species", "--C", "inf")
    assert "separated" in err
    assert facts(out)["status"] == "separated"


def test_too_few_steps_are_a_warning(capsys):
    command = ("fit", "logistic", TITANIC, "--target", "survived", "--max-iter", "1")
    out, err = warned(capsys, *command)
    assert "max_iter" in err
    assert facts(out)["iterations"] == "1"


def test_r_squared_of_a_constant_target_is_undefined(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "x,y\n1,2\n2,2\n4,2\n")
    out, err = warned(capsys, "fit", "linear", path, "--target", "y")
    assert "single value" in err
    assert facts(out)["R²"] == "undefined"
    assert not {"adjusted R²", "F"} & facts(out).keys()


def test_warnings_for_programmers_are_not_shown(capsys, monkeypatch):
    read = pd.read_csv

    def old_fashioned(*arguments, **options):
        warnings.warn("this will go", FutureWarning, stacklevel=2)
        warnings.warn("this went", DeprecationWarning, stacklevel=2)
        warnings.warn("look\n at this", UserWarning, stacklevel=2)
        return read(*arguments, **options)

    monkeypatch.setattr(pd, "read_csv", old_fashioned)
    _, err = warned(capsys, "fit", "pca", USARRESTS)
    assert err == "mcmodels: warning: look at this\n"


def test_warnings_stay_warnings_when_python_raises_them(tmp_path):
    argv = ["fit", "logistic", str(IRIS), "--target", "Species", "--C", "inf"]
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-m", "mcmodels", *argv],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr.startswith("mcmodels: warning: the classes are separated")


# Fit, save, predict


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".pq"])
def test_linear_predictions_are_the_estimators(capsys, tmp_path, suffix):
    frame = pd.read_csv(MTCARS)
    X, y = frame.drop(columns="mpg"), frame["mpg"]
    model, out = tmp_path / "m.joblib", tmp_path / f"out{suffix}"
    printed = accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", model)
    assert printed.endswith(f"saved to {model}\n")
    said = accepted(capsys, "predict", model, MTCARS, "--output", out)
    assert said == f"32 rows written to {out}\n"
    predicted = pd.read_csv(out) if ".csv" in suffix else pd.read_parquet(out)
    assert list(predicted.columns) == ["prediction"]
    expected = LinearRegression().fit(X, y).predict(X)
    np.testing.assert_allclose(predicted["prediction"], expected, rtol=ROUNDING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.joblib", f"out{suffix}"]
    if suffix == ".csv.gz":
        assert gzip.decompress(out.read_bytes()).startswith(b"prediction\n")


def test_logistic_predictions_and_probabilities_are_the_estimators(capsys, tmp_path):
    frame = pd.read_csv(IRIS)
    X = frame.drop(columns="Species")
    model, out = tmp_path / "m.joblib", tmp_path / "out.csv"
    accepted(capsys, "fit", "logistic", IRIS, "--target", "Species", "--save", model)
    accepted(capsys, "predict", model, IRIS, "--output", out)
    predicted = pd.read_csv(out)
    expected = LogisticRegression().fit(X, frame["Species"])
    names = [f"probability_{label}" for label in ("setosa", "versicolor", "virginica")]
    assert list(predicted.columns) == ["prediction", *names]
    assert predicted["prediction"].to_list() == expected.predict(X).tolist()
    # Newton stops at a gradient of 1e-8 a row, quadratically: both ends agree far better than that.
    np.testing.assert_allclose(predicted[names], expected.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("whiten", [True, False])
def test_pca_scores_are_the_estimators(capsys, tmp_path, whiten):
    frame = pd.read_csv(USARRESTS)
    model, out = tmp_path / "m.joblib", tmp_path / "out.parquet"
    options = ["--whiten"] if whiten else []
    command = ["fit", "pca", USARRESTS, "--n-components", "2", *options, "--save", model]
    accepted(capsys, *command)
    accepted(capsys, "predict", model, USARRESTS, "--output", out)
    scores = pd.read_parquet(out)
    assert list(scores.columns) == ["pca0", "pca1"]
    expected = PCA(n_components=2, whiten=whiten).fit_transform(frame)
    np.testing.assert_allclose(scores, expected, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([10, 9, 10, 9], ["9", "10"]),
        ([True, False, True, False], ["False", "True"]),
        (["b", "a", "b", "a"], ["a", "b"]),
    ],
)
def test_classes_keep_their_type(capsys, tmp_path, labels, names):
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": labels})
    frame.to_csv(tmp_path / "d.csv", index=False)
    model, out = tmp_path / "m.joblib", tmp_path / "out.parquet"
    accepted(capsys, "fit", "logistic", tmp_path / "d.csv", "--target", "y", "--save", model)
    accepted(capsys, "predict", model, tmp_path / "d.csv", "--output", out)
    predicted = pd.read_parquet(out)
    assert list(predicted.columns) == ["prediction", *(f"probability_{name}" for name in names)]
    assert set(predicted["prediction"]) <= set(labels)
    assert predicted["prediction"].dtype == frame["y"].dtype


def test_the_saved_pipeline_is_of_use_in_python(capsys, people, people_csv, tmp_path):
    model, out = tmp_path / "m.joblib", tmp_path / "out.csv"
    options = ["--features", "age", "sex", "deck", "--categorical", "sex", "deck"]
    command = ["fit", "logistic", people_csv, "--target", "outcome", *options, "--save", model]
    accepted(capsys, *command)
    accepted(capsys, "predict", model, people_csv, "--output", out)
    pipeline = load_model(model)
    assert isinstance(pipeline, Pipeline)
    assert isinstance(pipeline["model"], LogisticRegression)
    assert list(pipeline.feature_names_in_) == ["age", "sex", "deck"]
    assert pipeline.predict(people).tolist() == pd.read_csv(out)["prediction"].to_list()
    with pytest.raises(ValueError, match="deck"):
        pipeline.predict(people.drop(columns="deck"))


def test_columns_are_found_by_name_and_rows_keep_their_order(capsys, people, people_csv, tmp_path):
    model = tmp_path / "m.joblib"
    options = ["--features", "age", "sex", "--categorical", "sex", "--save", model]
    accepted(capsys, "fit", "linear", people_csv, "--target", "fare", *options)
    order = np.random.default_rng(1).permutation(len(people))
    shuffled = people.iloc[order][["outcome", "sex", "deck", "age"]]
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    shuffled.to_parquet(tmp_path / "shuffled.parquet")  # with the permutation as its index
    shuffled.set_axis([0] * len(shuffled)).to_parquet(tmp_path / "same.parquet")
    for name in ("people.csv", "shuffled.csv", "shuffled.parquet", "same.parquet"):
        accepted(capsys, "predict", model, tmp_path / name, "--output", tmp_path / f"o_{name}")
    predicted = pd.read_csv(tmp_path / "o_people.csv")["prediction"].to_numpy()
    assert len(np.unique(predicted)) > 30
    # One and the same model; a row's own dot product may round otherwise in another place.
    for again in (
        pd.read_csv(tmp_path / "o_shuffled.csv"),
        pd.read_parquet(tmp_path / "o_shuffled.parquet"),
        pd.read_parquet(tmp_path / "o_same.parquet"),
    ):
        np.testing.assert_allclose(again["prediction"], predicted[order], rtol=1e-14)


def test_parquet_equals_csv(capsys, people, people_csv, tmp_path):
    people.to_parquet(tmp_path / "people.parquet")
    people.to_csv(tmp_path / "people.csv.gz", index=False)
    options = ["--target", "outcome", "--categorical", "sex", "deck"]
    options += ["--features", "age", "fare", "copies", "sex", "deck"]  # in memory, levels are last
    text, parquet, zipped = (
        accepted(capsys, "fit", "logistic", path, *options).replace(str(path), "FILE")
        for path in (people_csv, tmp_path / "people.parquet", tmp_path / "people.csv.gz")
    )
    assert "sex=male" in text
    assert text == zipped
    # What is read in blocks has the names of a scan, and Newton's method starts elsewhere.
    assert facts(parquet)["baseline"] == "sex_female, deck_1"
    in_memory = table(text).rename(lambda name: name.replace("=", "_")).astype(float)
    # Both have met a gradient of 1e-8 a row, quadratically, and are printed with six digits.
    pd.testing.assert_frame_equal(table(parquet).astype(float), in_memory, rtol=2e-5)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32", "category", "decimal"])
def test_parquet_numbers_of_any_type_are_numbers(capsys, tmp_path, dtype):
    frame = pd.DataFrame({"x": [1, 2, 4, 8], "y": [1.0, 2.0, 2.0, 5.0]})
    expected = [digits(v) for v in LinearRegression().fit(frame[["x"]], frame["y"]).params_]
    if dtype == "decimal":
        cells = pa.array([1, 2, 4, 8]).cast(pa.decimal128(21, 2))
        stored = pa.table({"x": cells, "y": frame["y"]})
    else:
        stored = pa.Table.from_pandas(frame.astype({"x": dtype}))
    pa.parquet.write_table(stored, tmp_path / "d.parquet")
    out = accepted(capsys, "fit", "linear", tmp_path / "d.parquet", "--target", "y")
    assert table(out)["coefficient"].to_list() == expected


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "category", "decimal"])
def test_parquet_levels_of_any_type_are_levels(capsys, tmp_path, dtype):
    frame = pd.DataFrame({"s": [0, 1, 1, 0, 1], "y": [1.0, 2.0, 2.5, 1.5, 6.0]})
    first, second = {
        "boolean": ("False", "True"),
        "decimal": ("0.00", "1.00"),
    }.get(dtype, ("0", "1"))
    stored = pa.Table.from_pandas(frame if dtype == "decimal" else frame.astype({"s": dtype}))
    if dtype == "decimal":
        stored = stored.set_column(0, "s", stored["s"].cast(pa.decimal128(21, 2)))
    data, model, out = (tmp_path / name for name in ("d.parquet", "m.joblib", "o.csv"))
    pa.parquet.write_table(stored, data)
    command = ["fit", "linear", data, "--target", "y", "--categorical", "s", "--save", model]
    report = accepted(capsys, *command)
    assert facts(report)["baseline"] == f"s_{first}"
    assert f"\ns_{second} " in report
    accepted(capsys, "predict", model, data, "--output", out)
    # The means of the two levels, up to rounding.
    expected = np.where(frame["s"] == 1, 3.5, 1.25)
    np.testing.assert_allclose(pd.read_csv(out)["prediction"], expected, rtol=1e-14)


def test_parquet_columns_may_be_numbered(capsys, tmp_path):
    pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [2.0, 4.0, 5.0]}).to_parquet(tmp_path / "d.parquet")
    out = accepted(capsys, "fit", "linear", tmp_path / "d.parquet", "--target", "1")
    assert facts(out)["features"] == "1: 0"


def test_spaces_after_commas_do_not_count(capsys, tmp_path):
    path = write(tmp_path / "d.csv", "x, s, y\n1, a, 1\n2, b, 3\n4, a, 4\n5, b, 1\n")
    out = accepted(capsys, "fit", "linear", path, "--target", "y", "--categorical", "s")
    assert list(table(out).index) == ["x", "s=b", "(intercept)"]


def test_numbers_are_read_to_the_last_bit(capsys, tmp_path):
    values = np.random.default_rng(5).normal(size=(2000, 1))
    lines = "".join(f"{value!r}\n" for value in values.ravel().tolist())
    path, model = write(tmp_path / "d.csv", f"x\n{lines}"), tmp_path / "m.joblib"
    accepted(capsys, "fit", "pca", path, "--save", model)
    fitted = load_model(model)["model"]
    expected = PCA().fit(pd.DataFrame(values, columns=["x"]))
    assert fitted.mean_ == expected.mean_
    assert fitted.explained_variance_ == expected.explained_variance_


def test_files_get_the_permissions_of_any_new_file(capsys, tmp_path):
    model, out, plain = tmp_path / "m.joblib", tmp_path / "o.csv", write(tmp_path / "plain", "")
    accepted(capsys, "fit", "pca", USARRESTS, "--save", model)
    accepted(capsys, "predict", model, USARRESTS, "--output", out)
    assert model.stat().st_mode == out.stat().st_mode == plain.stat().st_mode


def test_an_old_output_is_replaced_only_by_a_whole_one(capsys, tmp_path, monkeypatch):
    model, out = tmp_path / "m.joblib", write(tmp_path / "out.csv", "old\n")
    accepted(capsys, "fit", "pca", USARRESTS, "--save", model)
    saved = model.read_bytes()

    def half(source, path, **options):
        if not Path(path).exists():
            Path(path).write_text("pca0\n1.0\n")
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", half)
        message = refused(capsys, "predict", model, USARRESTS, "--output", out)
        assert message == "the disk is full"
        patch.setattr(Path, "write_bytes", lambda path, value: half(value, path))
        refused(capsys, "fit", "pca", USARRESTS, "--n-components", "1", "--save", model)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", half)  # the one way to take the place of the old output
        refused(capsys, "predict", model, USARRESTS, "--output", out)
    assert out.read_text() == "old\n"
    assert model.read_bytes() == saved
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.joblib", "out.csv"]
    accepted(capsys, "predict", model, USARRESTS, "--output", out)
    assert len(pd.read_csv(out)) == 50


# Refusals


FIT_REFUSALS = {
    "missing file": (
        ["linear", "none.csv", "--target", "y"],
        "no such file: none.csv",
    ),
    "directory": (
        ["linear", "folder", "--target", "y"],
        "{workplace}/folder is a directory without files.",
    ),
    "suffix": (
        ["linear", "notes.txt", "--target", "y"],
        "notes.txt is of an unknown kind; use one of .parquet, .pq, .feather, .arrow, .ipc, .csv, "
        ".csv.gz, .tsv, .tsv.gz",
    ),
    "empty": (["linear", "empty.csv", "--target", "y"], "empty.csv is empty"),
    "header only": (
        ["linear", "header.csv", "--target", "y"],
        "header.csv has a header and no rows",
    ),
    "nearest target": (
        ["linear", "people.csv", "--target", "fair"],
        "unknown column 'fair' in people.csv; did you mean 'fare'?",
    ),
    "nearest feature": (
        ["pca", "people.csv", "--features", "fare", "agee"],
        "unknown column 'agee' in people.csv; did you mean 'age'?",
    ),
    "nearest level column": (
        ["linear", "people.csv", "--target", "fare", "--categorical", "sx"],
        "unknown column 'sx' in people.csv; did you mean 'sex'?",
    ),
    "nothing near": (
        ["pca", "people.csv", "--weights", "w"],
        "unknown column 'w' in people.csv; it has sex, age, deck, fare, outcome, copies",
    ),
    "text features": (
        ["linear", "people.csv", "--target", "fare"],
        "people.csv: 40 of 40 values of 'sex' are not numbers: 'male' in line 2; 40 of 40 values "
        "of 'outcome' are not numbers: 'saved' in line 2; name text of few levels with "
        "--categorical sex outcome, or leave these columns out with --features",
    ),
    "one word among numbers": (
        ["pca", "word.csv"],
        "word.csv: 1 of 3 values of 'a b' is not a number: 'n/k' in line 3; correct these values, "
        "or empty them and add --drop-missing, or leave this column out with --features",
    ),
    "text target": (
        ["linear", "people.csv", "--target", "sex"],
        "people.csv: 40 of 40 values of 'sex' are not numbers: 'male' in line 2; the target of "
        "linear regression must be numeric",
    ),
    "text weights": (
        ["pca", "people.csv", "--features", "age", "--weights", "sex"],
        "people.csv: 40 of 40 values of 'sex' are not numbers: 'male' in line 2; weights must be "
        "numeric",
    ),
    "negative weights": (
        ["pca", "negative.csv", "--weights", "w"],
        "weights must not be negative; column 'w' of negative.csv holds '-2.5' in data row 2",
    ),
    "zero weights": (
        ["pca", "zero.csv", "--weights", "w"],
        "sample_weight is zero in every row; at least one must be positive.",
    ),
    "missing values": (
        ["linear", "gaps.csv", "--target", "y"],
        "gaps.csv has missing values in 'x' (2, first in data row 2), 'y' (1, first in data row "
        "3); fill them in, or drop those rows with --drop-missing",
    ),
    "infinite": (
        ["linear", "infinite.csv", "--target", "y"],
        "column 'x' of infinite.csv holds 'inf' in data row 2; numbers must be finite",
    ),
    "target as feature": (
        ["linear", "people.csv", "--target", "fare", "--features", "age", "fare"],
        "column 'fare' is named twice; target, weights, cluster, offset, exposure and "
        "features must all differ",
    ),
    "weights as feature": (
        ["pca", "people.csv", "--weights", "copies", "--features", "age", "copies"],
        "column 'copies' is named twice; target, weights, cluster, offset, exposure and "
        "features must all differ",
    ),
    "weights as target": (
        ["linear", "people.csv", "--weights", "fare", "--target", "fare", "--features", "age"],
        "column 'fare' is named twice; target, weights, cluster, offset, exposure and "
        "features must all differ",
    ),
    "level column that is no feature": (
        ["linear", "people.csv", "--target", "fare", "--features", "age", "--categorical", "sex"],
        "categorical column 'sex' is not among the features",
    ),
    "no feature": (
        ["linear", "lonely.csv", "--target", "y"],
        "lonely.csv has no column left to be a feature",
    ),
    "single level": (
        ["linear", "level.csv", "--target", "y", "--categorical", "s"],
        "categorical column 's' of level.csv is 'a' in every row; leave it out of the features",
    ),
    "single class": (
        ["logistic", "level.csv", "--target", "s"],
        "y holds only one class: a. Classifying needs at least two classes; check the target, or "
        "the rows that were selected.",
    ),
    "C not positive": (
        ["logistic", "people.csv", "--target", "sex", "--features", "age", "--C", "-1"],
        "C=-1.0 must be greater than 0.",
    ),
    "C not a number": (
        ["logistic", "people.csv", "--target", "sex", "--features", "age", "--C", "nan"],
        "C=nan must be a number.",
    ),
    "C is text": (
        ["logistic", "people.csv", "--target", "sex", "--C", "much"],
        "argument --C: invalid float value: 'much' (see mcmodels fit logistic --help)",
    ),
    "too many components": (
        ["pca", "people.csv", "--features", "age", "fare", "--n-components", "3"],
        "n_components=3 must be between 0 and min(n_samples, n_features)=2 (rows are counted by "
        "their weights).",
    ),
    "components in a word": (
        ["pca", "people.csv", "--features", "age", "--n-components", "all"],
        "n_components='all' is not known; choose one of 'mle'.",
    ),
    "longer rows": (
        ["pca", "long.csv"],
        "the rows of long.csv have more values than its header names",
    ),
    "dates": (
        ["pca", "dates.parquet"],
        "column 't' is timestamp[us], which is no number; convert it to a number, or leave it "
        "out with --features",
    ),
    "input as model": (
        ["pca", "usarrests.csv", "--save", "usarrests.csv"],
        "usarrests.csv is the input file; write to another",
    ),
    "no place to save": (
        ["pca", "usarrests.csv", "--save", "nowhere/m.joblib"],
        "cannot write to nowhere/m.joblib: No such file or directory",
    ),
    "save in a file": (
        ["pca", "usarrests.csv", "--save", "people.csv/m.joblib"],
        "cannot write to people.csv/m.joblib: Not a directory",
    ),
    "save over a directory": (
        ["pca", "usarrests.csv", "--save", "folder"],
        "cannot write to folder: it is a directory",
    ),
}


@pytest.fixture
def workplace(people, tmp_path, monkeypatch):
    """A current directory with files of every fault."""
    monkeypatch.chdir(tmp_path)
    people.loc[0, ["sex", "outcome"]] = ["male", "saved"]
    people.to_csv("people.csv", index=False)
    Path("usarrests.csv").write_bytes(USARRESTS.read_bytes())
    Path("folder").mkdir()
    for name, text in {
        "notes.txt": "x,y\n1,2\n",
        "empty.csv": "",
        "header.csv": "x,y\n",
        "word.csv": "a b,c\n1,1\nn/k,2\n3,5\n",
        "negative.csv": "x,w\n1,1\n2,-2.5\n4,1\n",
        "zero.csv": "x,w\n1,0\n2,0\n4,0\n",
        "gaps.csv": "x,y,z\n1,2,1\n,3,4\nNA,,5\n",
        "infinite.csv": "x,y\n1,2\ninf,3\n3,3\n",
        "lonely.csv": "y\n1\n2\n",
        "level.csv": "s,x,y\na,1,1\na,2,3\na,3,2\n",
        "long.csv": "x,y\n1,2,3\n4,5,6\n",
    }.items():
        Path(name).write_text(text)
    dates = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2020-01-02"]), "x": [1.0, 2.0]})
    dates.astype({"t": "datetime64[us]"}).to_parquet("dates.parquet")
    return tmp_path


def contents(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize("case", FIT_REFUSALS)
def test_fit_refuses(capsys, workplace, case):
    argv, message = FIT_REFUSALS[case]
    argv = argv if "--save" in argv else [*argv, "--save", "model.joblib"]
    before = contents(workplace)
    assert refused(capsys, "fit", *argv) == message.replace("{workplace}", str(workplace))
    assert contents(workplace) == before


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("ragged.csv", b"x,y\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
        ("quote.csv", b'x,y\n1,"2\n', "EOF inside string"),
        ("latin.csv", "x,größe\n1,2\n".encode("latin-1"), "codec can't decode"),
        ("plain.csv.gz", b"x,y\n1,2\n", "Not a gzipped file"),
        ("cut.csv.gz", gzip.compress(b"x,y\n" + b"1,2\n" * 500, mtime=0)[:-20], ""),
        ("text.parquet", b"x,y\n1,2\n", "Parquet"),
        ("nothing.pq", b"", "Parquet"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_refused(capsys, tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    model = tmp_path / "m.joblib"
    message = refused(capsys, "fit", "pca", tmp_path / name, "--save", model)
    path = tmp_path / name
    in_blocks = path.suffix in (".parquet", ".pq")
    said = f"{path} cannot be read as parquet: " if in_blocks else f"cannot read {path}: "
    assert message.startswith(said)
    assert reason in message
    assert not model.exists()


def test_a_continuous_target_has_no_classes(capsys):
    message = refused(capsys, "fit", "logistic", MTCARS, "--target", "mpg")
    assert "continuous" in message


@pytest.mark.parametrize(
    ("argv", "option"),
    [
        (["linear", MTCARS, "--target", "mpg"], ["--C", "1"]),
        (["linear", MTCARS, "--target", "mpg"], ["--n-components", "1"]),
        (["linear", MTCARS, "--target", "mpg"], ["--max-iter", "1"]),
        (["logistic", MTCARS, "--target", "am"], ["--whiten"]),
        (["pca", USARRESTS], ["--target", "Rape"]),
        (["pca", USARRESTS], ["--no-intercept"]),
    ],
)
def test_an_option_of_another_model_is_refused(capsys, argv, option):
    message = refused(capsys, "fit", *argv, *option)
    assert message == f"unrecognized arguments: {' '.join(option)} (see mcmodels --help)"


PREDICT_REFUSALS = {
    "missing column": (
        lambda d: d.rename(columns={"age": "aged"}),
        "unknown column 'age' in new.csv; did you mean 'aged'?",
    ),
    "missing values": (
        lambda d: d.assign(age=d["age"].where(d["age"].index != 4)),
        "new.csv has missing values in 'age' (1, first in data row 5); fill them in, or drop those "
        "rows with --drop-missing",
    ),
    "missing level": (
        lambda d: d.assign(sex=d["sex"].where(d["sex"].index != 0)),
        "new.csv has missing values in 'sex' (1, first in data row 1); fill them in, or drop those "
        "rows with --drop-missing",
    ),
    "unseen text": (
        lambda d: d.assign(sex=d["sex"].where(d["sex"].index != 2, "other")),
        "column 'sex' of new.csv holds 'other' in data row 3, which the model was not fitted to; "
        "it knows female, male",
    ),
    "unseen number": (
        lambda d: d.assign(deck=d["deck"].where(d["deck"].index != 1, 9)),
        "column 'deck' of new.csv holds '9' in data row 2, which the model was not fitted to; it "
        "knows 1, 2, 3",
    ),
    "unseen word among numbers": (
        lambda d: d.assign(deck=d["deck"].astype(object).where(d["deck"].index != 1, "B")),
        "column 'deck' of new.csv holds 'B' in data row 2, which the model was not fitted to; it "
        "knows 1, 2, 3",
    ),
    "text": (
        lambda d: d.assign(age=d["age"].astype(object).where(d["age"].index != 3, "old")),
        "new.csv: 1 of 40 values of 'age' is not a number: 'old' in line 5; the model was fitted "
        "to numbers there",
    ),
    "no rows": (lambda d: d.head(0), "new.csv has a header and no rows"),
}


@pytest.fixture
def model_file(capsys, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people.to_csv("people.csv", index=False)
    options = ["--features", "age", "sex", "deck", "--categorical", "sex", "deck"]
    fit = ["fit", "linear", "people.csv", "--target", "fare", *options, "--save", "m.joblib"]
    accepted(capsys, *fit)
    return tmp_path / "m.joblib"


@pytest.mark.parametrize("case", PREDICT_REFUSALS)
def test_predict_refuses_data(capsys, people, model_file, case):
    change, message = PREDICT_REFUSALS[case]
    change(people).to_csv("new.csv", index=False)
    before = contents(model_file.parent)
    assert refused(capsys, "predict", "m.joblib", "new.csv", "--output", "out.csv") == message
    assert contents(model_file.parent) == before


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["none.joblib", "people.csv", "--output", "o.csv"], "no such file: none.joblib"),
        ([".", "people.csv", "--output", "o.csv"], ". is a directory; name a file"),
        (["m.joblib", "none.csv", "--output", "o.csv"], "no such file: none.csv"),
        (
            ["m.joblib", "people.csv", "--output", "o.xlsx"],
            "o.xlsx is of an unknown kind; use one of .csv, .csv.gz, .tsv, .tsv.gz, .parquet, .pq",
        ),
        (
            ["m.joblib", "people.csv", "--output", "nowhere/o.csv"],
            "cannot write to nowhere/o.csv: No such file or directory",
        ),
        (
            ["m.joblib", "people.csv", "--output", "people.csv"],
            "people.csv is the input file; write to another",
        ),
        (
            ["m.joblib", "people.csv"],
            "the following arguments are required: -o/--output (see mcmodels predict --help)",
        ),
    ],
)
def test_predict_refuses_paths(capsys, model_file, argv, message):
    before = contents(model_file.parent)
    assert refused(capsys, "predict", *argv) == message
    assert contents(model_file.parent) == before


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"garbage", "array"])
def test_predict_refuses_a_file_that_is_not_a_model(capsys, model_file, content):
    other = model_file.with_name("other.npy")
    if content == "array":
        np.save(other, np.ones(3))
    else:
        other.write_bytes(content)
    message = refused(capsys, "predict", other, "people.csv", "--output", "o.csv")
    assert message == f"{other} is not a model saved by 'mcmodels fit --save' of this version"
    assert not Path("o.csv").exists()


def test_parquet_without_its_library_is_refused(capsys, tmp_path, monkeypatch):
    model, data, out = tmp_path / "m.joblib", tmp_path / "d.parquet", tmp_path / "o.parquet"
    accepted(capsys, "fit", "pca", USARRESTS, "--save", model)
    pd.read_csv(USARRESTS).to_parquet(data)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    needed = "Parquet files need pyarrow; install it with: pip install 'mcmodels[parquet]'"
    assert refused(capsys, "fit", "pca", data) == needed
    assert refused(capsys, "predict", model, USARRESTS, "--output", out) == needed
    assert not out.exists()


def test_another_library_that_is_missing_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcmodels.cli.derive", None)
    message = refused(capsys, "derive", "x**2", "--wrt", "x")
    assert "mcmodels.cli.derive" in message
    assert "Parquet" not in message


# The program


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"mcmodels {mcmodels.__version__}\n", "")


def test_no_arguments_print_the_help(capsys):
    code, out, err = run(capsys)
    assert (code, err) == (2, "")
    assert out.startswith("usage: mcmodels ")
    assert run(capsys, "--help") == (0, out, "")


def test_help_of_predict_warns_of_models_of_others(capsys):
    code, out, _ = run(capsys, "predict", "--help")
    assert code == 0
    assert "only load models that you trust" in " ".join(out.split())


def test_abbreviated_options_are_refused(capsys):
    message = refused(capsys, "fit", "linear", MTCARS, "--targ", "mpg")
    assert "one of the arguments --target --formula is required" in message


def test_the_module_runs():
    command = [sys.executable, "-m", "mcmodels", "fit", "pca", str(USARRESTS)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Principal components\n")
    refused = subprocess.run([*command, "--features", "rape"], capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"mcmodels: error: unknown column 'rape' in {USARRESTS}; did you mean 'Rape'?\n"
    )


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("argv", [["fit", "pca", str(USARRESTS)], ["--help"]])
def test_a_reader_that_leaves_early_is_no_error(argv, buffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    command = [sys.executable, "-m", "mcmodels", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_interrupted_fit_leaves_nothing(capsys, tmp_path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(PCA, "fit", interrupt)
    code, out, err = run(capsys, "fit", "pca", USARRESTS, "--save", tmp_path / "m.joblib")
    assert (code, out, err) == (130, "", "")
    assert list(tmp_path.iterdir()) == []
