"""``mcmodels plot``: files of each kind, whole or not at all, and refusals that name options."""

import os
import re
import sys

import numpy as np
import pandas as pd
import pytest

from mcmodels import LinearRegression, LogisticRegression, fit_formula, plots
from mcmodels.cli.model_files import load_model
from mcmodels.cli.plots import _DISPLAYS as DISPLAYS
from mcmodels.cli.plots import OWN_OPTIONS, WHAT
from mcmodels.plots import EffectDisplay
from mcmodels.plots.style import save
from tests.certified import DATASETS
from tests.test_cli import accepted, refused, run
from tests.test_cli_models import rewritten

MTCARS, TITANIC = DATASETS / "mtcars.csv", DATASETS / "titanic_survival.csv"
USARRESTS, ENDOMETRIAL = DATASETS / "usarrests.csv", DATASETS / "endometrial.csv"
START = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture
def models(capsys, tmp_path):
    """Paths of saved models."""
    cars, trip, rates = (tmp_path / f"{name}.model" for name in ("cars", "trip", "rates"))
    options = ["--features", "wt", "cyl", "--categorical", "cyl"]
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", *options, "--save", cars)
    accepted(
        capsys, "fit", "logistic", TITANIC, "--target", "survived", "--C", "inf", "--save", trip
    )
    accepted(capsys, "fit", "pca", USARRESTS, "--save", rates)
    return {"cars": cars, "trip": trip, "rates": rates}


@pytest.mark.parametrize(
    ("what", "model", "rows", "options"),
    [
        ("coefficients", "cars", [], ["--level", "0.9"]),
        ("coefficients", "trip", [], ["--exponentiate"]),
        ("scree", "rates", [], []),
        ("biplot", "rates", [USARRESTS], []),
        ("effects", "cars", [MTCARS], ["--variable", "wt", "--by", "cyl"]),
        ("effects", "trip", [TITANIC], ["--variable", "age"]),
        ("residuals", "cars", [MTCARS], ["--target", "mpg"]),
        ("influence", "cars", [MTCARS], ["--target", "mpg", "--measure", "dfbetas_cyl=8"]),
        ("profile", "trip", [TITANIC], ["--target", "survived", "--parameter", "age"]),
        (
            "curvature",
            "trip",
            [TITANIC],
            ["--target", "survived", "--parameters", "age", "sexmale"],
        ),
        ("calibration", "trip", [TITANIC], ["--target", "survived"]),
    ],
)
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_each_picture_in_each_kind(capsys, models, tmp_path, what, model, rows, options, kind):
    out = tmp_path / f"picture.{kind}"
    given = [models[model], *rows, "--what", what, *options, "--out", out]
    assert accepted(capsys, "plot", *given) == f"{what} written to {out}\n"
    assert out.read_bytes().startswith(START[kind])
    assert len(out.read_bytes()) > 4000
    assert not list(tmp_path.glob(".mcmodels-*"))


def test_separation(capsys, tmp_path):
    model, out = tmp_path / "m.model", tmp_path / "o.svg"
    options = ["--target", "HG", "--C", "inf", "--save", model]
    code, _, _ = run(capsys, "fit", "logistic", ENDOMETRIAL, *options)  # warns of separation
    assert code == 0
    given = ["--what", "separation", "--target", "HG", "--out", out]
    accepted(capsys, "plot", model, ENDOMETRIAL, *given)
    assert b"<svg" in out.read_bytes()


def test_every_picture_has_a_test():
    marks = test_each_picture_in_each_kind.pytestmark
    tested = {case[0] for mark in marks if mark.args[0] != "kind" for case in mark.args[1]}
    assert tested | {"separation"} == set(WHAT)


def test_the_file_is_the_picture_of_python(capsys, models, tmp_path):
    out, same = tmp_path / "a.png", tmp_path / "b.png"
    given = ["--what", "effects", "--variable", "cyl", "--out", out]
    accepted(capsys, "plot", models["cars"], MTCARS, *given)
    X = pd.read_csv(MTCARS)[["wt", "cyl"]]
    display = EffectDisplay.from_estimator(load_model(models["cars"]), X, variable="cyl")
    assert not display.is_numeric  # cylinders are levels, though numbers
    save(display.figure_, same, "png")
    assert out.read_bytes() == same.read_bytes()


def test_weights_of_the_fit(capsys, tmp_path):
    model, out = tmp_path / "m.model", tmp_path / "o.svg"
    options = ["--target", "mpg", "--features", "wt", "hp", "--weights", "carb"]
    accepted(capsys, "fit", "linear", MTCARS, *options, "--save", model)
    given = [model, MTCARS, "--what", "influence", "--target", "mpg", "--out", out]
    assert "Pass the sample_weight of the fit" in refused(capsys, "plot", *given)
    assert not out.exists()
    accepted(capsys, "plot", *given, "--weights", "carb")


@pytest.mark.parametrize(
    ("model", "formula", "whats"),
    [
        ("linear", "mpg ~ wt + C(cyl)", ["residuals", "influence", "profile", "curvature"]),
        ("linear", "log(mpg) ~ wt + C(cyl)", ["residuals", "influence", "profile", "curvature"]),
        ("logistic", "C(am) ~ wt", ["calibration", "residuals", "profile", "influence"]),
        ("logistic", "vs ~ mpg + wt", ["calibration", "residuals", "curvature"]),
    ],
)
def test_a_formula_knows_its_target(capsys, tmp_path, model, formula, whats):
    pytest.importorskip("formulaic")
    saved, out, same = (tmp_path / name for name in ("m.model", "a.png", "b.png"))
    options = ["--C", "inf"] if model == "logistic" else []
    accepted(capsys, "fit", model, MTCARS, "--formula", formula, *options, "--save", saved)
    kind = {"linear": LinearRegression(), "logistic": LogisticRegression(C=np.inf)}[model]
    data = pd.read_csv(MTCARS)
    fit = fit_formula(formula, data, kind)
    for what in whats:
        accepted(capsys, "plot", saved, MTCARS, "--what", what, "--out", out)
        display = getattr(plots, DISPLAYS[what]).from_estimator(fit, data)
        save(display.figure_, same, "png")
        assert out.read_bytes() == same.read_bytes(), what
    given = ["plot", saved, MTCARS, "--what", whats[0], "--out", out, "--target"]
    left = formula.partition(" ~")[0]
    accepted(capsys, *given, left)  # it may be said again
    message = refused(capsys, *given, "qsec")
    assert message == f"{saved} was fitted to {left!r} by a formula; leave --target out"


def test_labels_of_a_formula_are_those_of_the_fit(capsys, tmp_path):
    pytest.importorskip("formulaic")
    saved, other, out = (tmp_path / name for name in ("m.model", "o.csv", "a.png"))
    accepted(capsys, "fit", "logistic", MTCARS, "--formula", "am ~ wt", "--save", saved)
    pd.read_csv(MTCARS).assign(am=2).to_csv(other, index=False)
    message = refused(capsys, "plot", saved, other, "--what", "calibration", "--out", out)
    assert message.startswith(f"column 'am' of {other} holds '2', which is none of the classes")


def test_formulas_of_earlier_versions_need_the_target(capsys, tmp_path):
    pytest.importorskip("formulaic")
    saved, out = tmp_path / "m.model", tmp_path / "a.png"
    accepted(capsys, "fit", "linear", MTCARS, "--formula", "mpg ~ wt", "--save", saved)
    saved.write_bytes(rewritten(saved.read_bytes(), lambda d: d.pop("target") and None))
    given = ["plot", saved, MTCARS, "--what", "residuals", "--out", out]
    assert "add --target" in refused(capsys, *given)
    accepted(capsys, *given, "--target", "mpg")


def test_pictures_of_classes_are_not_offered_for_regressions(capsys, models, tmp_path):
    given = ["plot", "--what", "scree", "--out", tmp_path / "a.png"]
    message = refused(capsys, *given, models["cars"])
    assert message.endswith("coefficients, effects, residuals, influence, profile, curvature")
    assert refused(capsys, *given, models["trip"]).endswith("curvature, calibration, separation")


def cases(models, out):
    cars, trip, rates = models["cars"], models["trip"], models["rates"]
    what = ["--out", out, "--what"]
    return [
        ([cars, *what, "effects"], "--what effects needs rows; name a FILE after the model"),
        (
            [cars, MTCARS, *what, "residuals"],
            "--what residuals needs the column that is explained; add --target",
        ),
        (
            [cars, MTCARS, *what, "effects", "--target", "mpg"],
            "--target is not for --what effects; leave it out",
        ),
        ([cars, *what, "scree"], "--what scree is not for LinearRegression; use one of coef"),
        ([rates, *what, "coefficients"], "--what coefficients is not for PCA; use one of scree"),
        ([cars, *what, "coefficients", "--by", "wt"], "--by is for --what effects"),
        ([trip, *what, "scree", "--exponentiate"], "--exponentiate is for --what coefficients"),
        (
            [cars, MTCARS, *what, "residuals", "--target", "mpg", "--level", "0.9"],
            "--level is for --what coefficients, scree",
        ),
        (
            [cars, MTCARS, *what, "effects", "--weights", "wt"],
            "--weights is for --what residuals, influence",
        ),
        (
            [cars, MTCARS, *what, "effects", "--variable", "wtt"],
            "variable='wtt' is unknown; did you mean 'wt'?",
        ),
        (
            [cars, MTCARS, *what, "influence", "--target", "mgp"],
            f"unknown column 'mgp' in {MTCARS}; did you mean 'mpg'?",
        ),
        (
            [trip, TITANIC, *what, "calibration", "--target", "age"],
            f"column 'age' of {TITANIC} holds '29.0', which is none",
        ),
        ([cars, TITANIC, *what, "effects"], f"unknown column 'wt' in {TITANIC}"),
        ([MTCARS, *what, "coefficients"], f"{MTCARS} is not a model"),
        ([cars, *what, "pie"], "argument --what: invalid choice: 'pie'"),
        ([cars, "--what", "coefficients"], "the following arguments are required: --out"),
    ]


def test_refusals(capsys, models, tmp_path):
    out = tmp_path / "o.png"
    for given, message in cases(models, out):
        assert refused(capsys, "plot", *given).startswith(message)
        assert not out.exists()
    message = refused(capsys, "plot", models["cars"], "--what", "coefficients", "--out", "o.gif")
    assert message == "--out o.gif is of an unknown kind; use .png, .svg or .pdf"


def test_models_of_tables_and_offsets_say_what_there_is(capsys, tmp_path):
    model, out = tmp_path / "m.model", tmp_path / "o.png"
    options = ["--target", "mpg", "--features", "wt", "--where", "hp > 90", "--save", model]
    accepted(capsys, "fit", "linear", MTCARS, *options)
    accepted(capsys, "plot", model, "--what", "coefficients", "--out", out)
    message = refused(capsys, "plot", model, MTCARS, "--what", "effects", "--out", out)
    assert message.startswith(f"{model} was fitted in blocks, and --what effects needs rows in mem")
    options = ["--target", "carb", "--features", "wt", "--family", "poisson", "--exposure", "hp"]
    accepted(capsys, "fit", "glm", MTCARS, *options, "--save", model)
    accepted(capsys, "plot", model, "--what", "coefficients", "--exponentiate", "--out", out)
    message = refused(capsys, "plot", model, MTCARS, "--what", "effects", "--out", out)
    assert "was fitted with an offset or an exposure" in message


def test_files_are_whole_or_as_they_were(capsys, models, tmp_path):
    out = tmp_path / "o.png"
    out.write_bytes(b"before")
    given = ["--what", "effects", "--variable", "none", "--out", out]
    refused(capsys, "plot", models["cars"], MTCARS, *given)
    assert out.read_bytes() == b"before"
    out.chmod(0o400)
    given = ["--what", "coefficients", "--out", out]
    if not os.access(out, os.W_OK):  # root may write everywhere
        assert "it is read-only" in refused(capsys, "plot", models["cars"], *given)
    (tmp_path / "folder.png").mkdir()
    message = refused(
        capsys, "plot", models["cars"], "--what", "coefficients", "--out", tmp_path / "folder.png"
    )
    assert message == f"cannot write to {tmp_path / 'folder.png'}: it is a directory"


def test_without_matplotlib_the_extra_is_named(capsys, models, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    out = tmp_path / "o.png"
    message = refused(capsys, "plot", models["cars"], "--what", "coefficients", "--out", out)
    assert message == "a picture needs matplotlib: pip install 'mcmodels[plot]'."


def test_help_names_the_pictures_of_each_option(capsys):
    out = accepted(capsys, "plot", "--help")
    for name, (of, _, _) in OWN_OPTIONS.items():
        assert f"--{name}" in out
        assert re.search(rf"\({', '.join(of)}\)", " ".join(out.split()))
