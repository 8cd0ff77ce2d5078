"""``--formula``: fits are those of fit_formula, saved models predict, and nothing else is run."""

import json

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    Formula,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)
from mcmodels.cli.model_files import load_model
from tests.formulas.designs import table
from tests.test_cli import accepted, refused
from tests.test_cli_models import rewritten

pytest.importorskip("formulaic")

DATA = table().drop(columns="size").assign(zip=lambda d: np.where(d["x"] > 0, "01234", "11111"))
TEXT = "x*sex + C(k) + bs(z, df=4) + flag + C(zip) + log(income)"


@pytest.fixture
def files(tmp_path):
    """The data as text and as Parquet: to_csv and read_csv keep every bit."""
    DATA.to_csv(tmp_path / "data.csv", index=False)
    DATA.to_parquet(tmp_path / "data.parquet")
    return tmp_path / "data.csv", tmp_path / "data.parquet"


def tables_of(out):
    rows = json.loads(out)["tables"][0]["rows"]
    return pd.DataFrame(rows).set_index("name")


CASES = [
    ("linear", "log(income) ~ ", {}, LinearRegression(), {}),
    ("logistic", "sex ~ ", {"--C": "inf"}, LogisticRegression(C=np.inf), {}),
    (
        "glm",
        "counts ~ ",
        {"--family": "poisson", "--exposure": "odd name", "--weights": "k"},
        GeneralizedLinearRegressor("poisson"),
        {"exposure": "odd name", "sample_weight": "k"},
    ),
]
RIGHT = {"sex ~ ": TEXT.replace("*sex", "")}


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("is_null", [False, True])
@pytest.mark.parametrize(("model", "left", "options", "estimator", "named"), CASES)
def test_fits_and_predictions_are_those_of_fit_formula(
    capsys, files, tmp_path, kind, is_null, model, left, options, estimator, named
):
    text = left + ("1" if is_null else RIGHT.get(left, TEXT))
    flags = [word for pair in options.items() for word in pair]
    saved, out = tmp_path / "m.model", tmp_path / "p.csv"
    report = accepted(
        capsys, "fit", model, files[kind], "--formula", text, *flags, "--save", saved,
        *("--covariance", "HC1", "--format", "json"),
    )  # fmt: skip
    direct = fit_formula(text, DATA, estimator, **named)
    expected = results(direct).summary(DATA, kind="HC1").to_frame()
    found = tables_of(report)
    assert list(found.index) == list(expected.index)
    # The same columns in another order of memory: roundings times a condition below 1e5.
    np.testing.assert_allclose(found["coefficient"], expected["coefficient"], rtol=1e-9)
    np.testing.assert_allclose(found["standard_error"], expected["standard_error"], rtol=1e-9)
    added = ["--exposure", "odd name"] if "exposure" in named else []
    for rows, source in [(DATA, files[0]), (DATA, files[1])]:
        accepted(capsys, "predict", saved, source, "-o", out, *added)
        written = pd.read_csv(out)["prediction"]
        if model == "logistic":
            assert written.tolist() == direct.predict(rows).tolist()
        else:
            np.testing.assert_allclose(written, direct.predict(rows), rtol=1e-9)
    one = tmp_path / "one.csv"
    DATA.iloc[[17]].to_csv(one, index=False)
    accepted(capsys, "predict", saved, one, "-o", out, "--keep", "k", *added)
    last = pd.read_csv(out)["prediction"][0]
    assert last == written[17] or last == pytest.approx(written[17], rel=1e-12)
    loaded = load_model(saved)
    offsets = {"exposure": DATA["odd name"]} if added else {}
    again = loaded.predict(DATA, **offsets)
    assert again[17] == written[17] or again[17] == pytest.approx(written[17], rel=1e-12)


def test_components(capsys, files, tmp_path):
    saved, out = tmp_path / "m.model", tmp_path / "p.csv"
    accepted(capsys, "fit", "pca", files[0], "--formula", "x + z + C(k)", "--save", saved)
    accepted(capsys, "predict", saved, files[0], "-o", out)
    scores = PCA().fit_transform(Formula("x + z + C(k)").fit_transform(DATA))
    np.testing.assert_allclose(pd.read_csv(out), scores, rtol=0, atol=1e-12)


def test_the_report_names_the_formula(capsys, files):
    text = "log(income) ~ 0 + C(k) + x"
    out = accepted(capsys, "fit", "linear", files[0], "--formula", text)
    facts = dict(line.split(maxsplit=1) for line in out.splitlines()[2:8])
    assert facts["formula"] == text
    assert facts["target"] == "log(income)"
    assert "C(k)[1]" in out
    assert "(intercept)" not in out
    out = accepted(capsys, "fit", "linear", files[0], "--formula", "y ~ C(zip)")
    assert "C(zip)[T.11111]" in out  # codes stay as they are written


def test_missing_values(capsys, tmp_path):
    holed = DATA.copy()
    holed.loc[[3, 5], "x"] = np.nan
    holed.to_csv(tmp_path / "d.csv", index=False)
    command = ["fit", "linear", tmp_path / "d.csv", "--formula", "y ~ x + sex", "--format", "json"]
    assert "'x' (2, first in data row 4)" in refused(capsys, *command)
    found = tables_of(accepted(capsys, *command, "--drop-missing"))
    direct = fit_formula("y ~ x + sex", holed, LinearRegression(), na="drop")
    np.testing.assert_allclose(found["coefficient"], direct["model"].params_, rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--formula", "y ~ xx"], "--formula: the formula names 'xx'"),
        (["--formula", "yy ~ x"], "--formula: the formula names 'yy'"),
        (["--formula", "x"], "--formula: there is no target; write 'target ~ x'"),
        (["--formula", "y ~ x + ("], "--formula: "),
        (["--formula", "y ~ __import__('os')"], "--formula: in the formula '__import__' is not"),
        (["--formula", "sex ~ x"], "--formula: the left side 'sex' holds"),
        (["--formula", "y ~ log(x)"], "--formula: log(x) is nan in"),
        (["--formula", "y ~ x", "--target", "y"], "not allowed with argument --formula"),
        (["--formula", "y ~ x", "--features", "z"], "--features: the formula names the columns"),
        (["--formula", "y ~ x", "--categorical", "z"], "--categorical: the formula names"),
        (["--formula", "y ~ x", "--where", "x > 0"], "--where: the formula names the columns"),
        (["--formula", "y ~ x", "--no-intercept"], "--formula: write '0 + …' on its right side"),
        (["--formula", "y ~ x", "--weights", "ww"], "unknown column 'ww'"),
        ([], "one of the arguments --target --formula is required"),
    ],
)
def test_refusals(capsys, files, options, message):
    assert message in refused(capsys, "fit", "linear", files[0], *options)


def split_into(folder, kind):
    """The data in three files, of which one has a single row, and one more that is hidden."""
    folder.mkdir()
    parts = [DATA.iloc[:40], DATA.iloc[40:41], DATA.iloc[41:]]
    for k, part in enumerate(parts):
        path = folder / f"part{k}.{kind}"
        if kind == "csv":
            part.to_csv(path, index=False)
        elif kind == "parquet":
            part.to_parquet(path)
        else:
            part.reset_index(drop=True).to_feather(path)
    (folder / "_SUCCESS").touch()
    return sorted(folder.glob(f"*.{kind}"))


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_several_files_patterns_and_directories(capsys, files, tmp_path, kind):
    parts, folder = split_into(tmp_path / "parts", kind), tmp_path / "parts"
    saved, out, one = (tmp_path / name for name in ("m.model", "p.csv", "one.csv"))
    command = ["--formula", "log(income) ~ " + TEXT, "--format", "json"]
    expected = tables_of(accepted(capsys, "fit", "linear", files[0], *command, "--save", saved))
    keep = ["--keep", "zip", "x"]
    accepted(capsys, "predict", saved, files[0], "-o", one, *keep)
    for given in (parts, [folder], [str(folder / f"*.{kind}")]):
        found = tables_of(accepted(capsys, "fit", "linear", *given, *command))
        # The same rows: text keeps all bits, and sums are in the same order.
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
        accepted(capsys, "predict", saved, *given, "-o", out, *keep)
        again, direct = (pd.read_csv(path, dtype={"zip": str}) for path in (out, one))
        assert set(again["zip"]) == {"01234", "11111"}
        pd.testing.assert_frame_equal(again, direct, rtol=1e-12)
    if kind == "feather":  # one file of a kind that is otherwise read in blocks
        accepted(capsys, "fit", "linear", parts[2], "--formula", "y ~ x")


def test_several_files_say_what_is_wrong(capsys, tmp_path):
    parts = split_into(tmp_path / "parts", "parquet")
    command = ["--formula", "y ~ x"]
    DATA.iloc[:3].assign(z="text").to_parquet(parts[1])
    message = refused(capsys, "fit", "linear", *parts, "--formula", "y ~ x + z")
    assert message.startswith("column 'z' of 3 files cannot be read: it is ")
    assert "part1.parquet" in message
    accepted(capsys, "fit", "linear", *parts, *command)  # z is not used
    DATA.iloc[:3].assign(x=[1.0, np.nan, 2.0]).to_parquet(parts[1])
    message = refused(capsys, "fit", "linear", *parts, *command)
    assert "'x' (1, first in data row 42)" in message  # counted over all files
    assert "dropped" in accepted(capsys, "fit", "linear", *parts, *command, "--drop-missing")
    DATA.iloc[:0].to_parquet(parts[1])
    accepted(capsys, "fit", "linear", *parts, *command)  # a file without rows is one
    message = refused(capsys, "fit", "linear", *parts, *command, "--sep", ";")
    assert message.startswith("--sep is for one text file")
    message = refused(capsys, "fit", "linear", parts[0], tmp_path / "none.parquet", *command)
    assert "no such file" in message
    for part in parts:
        DATA.iloc[:0].to_parquet(part)
    assert "has a header and no rows" in refused(capsys, "fit", "linear", *parts, *command)


def test_what_memory_it_takes_is_in_the_help(capsys):
    out = " ".join(accepted(capsys, "fit", "linear", "--help").split())
    assert "All rows of DATA are then read into memory, which takes about five times" in out


def test_other_choices_are_refused(capsys, files, tmp_path):
    saved, out = tmp_path / "m.model", tmp_path / "p.csv"
    accepted(capsys, "fit", "linear", files[0], "--formula", "y ~ x + sex", "--save", saved)
    message = refused(capsys, "predict", saved, files[0], "-o", out, "--unseen", "baseline")
    assert message.startswith("--unseen baseline: the model has a formula")
    DATA.assign(sex="other").to_csv(tmp_path / "o.csv", index=False)
    message = refused(capsys, "predict", saved, tmp_path / "o.csv", "-o", out)
    assert "column 'sex'" in message
    assert "'other' in data row 1" in message


def fields(document):
    return document["formula"]["fields"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: fields(d).update(formula="x + __import__('os')"), "'__import__' is not"),
        (lambda d: fields(d).update(formula="x + I(x.real)"), "x.real"),
        (lambda d: fields(d).update(formula="x + unknown"), "'unknown'"),
        (lambda d: d["features"].append("more"), "features are not those of its formula"),
        (lambda d: fields(d)["names"]["tuple"].append("w"), "its formula makes other columns"),
        (lambda d: fields(d).pop("terms") and None, "has other fields"),
        (lambda d: d.update(formula={"list": []}), "features are not those of its formula"),
        (lambda d: d.update(target={"list": []}), "its target is no left side of a formula"),
        (
            lambda d: d["target"]["fields"]["recipe"]["fields"].update(formula="__import__('os')"),
            "'__import__' is not",
        ),
    ],
)
def test_files_of_others_run_no_code(capsys, files, tmp_path, change, message):
    saved = tmp_path / "m.model"
    accepted(
        capsys, "fit", "linear", files[0], "--formula", "log(income) ~ x + sex", "--save", saved
    )
    saved.write_bytes(rewritten(saved.read_bytes(), change))
    assert message in refused(capsys, "predict", saved, files[0], "-o", tmp_path / "p.csv")


def test_models_without_a_formula_keep_their_format(capsys, files, tmp_path):
    """Earlier versions read them; of a model with a formula they say that it is newer."""
    formats = {}

    def seen(name):
        return lambda document: formats.update({name: document["format"]})

    for name, options in [
        ("with", ["--formula", "y ~ x"]),
        ("without", ["--target", "y", "--features", "x"]),
    ]:
        saved = tmp_path / f"{name}.model"
        accepted(capsys, "fit", "linear", files[0], *options, "--save", saved)
        rewritten(saved.read_bytes(), seen(name))
    assert formats == {"with": 2, "without": 1}
