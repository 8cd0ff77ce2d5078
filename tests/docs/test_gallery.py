"""The gallery is complete and readable, without running it: the build of the site runs it."""

import ast
import re
import sys
from pathlib import Path

import pytest
from numpy import ones
from sklearn.base import BaseEstimator

import mcmodels
from mcmodels import plots

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SECTIONS = ("fit_and_infer", "geometry", "predict", "derive", "scale")
FILES = sorted(EXAMPLES.glob("*/plot_*.py"))
NAMES = [file.relative_to(EXAMPLES).as_posix() for file in FILES]
ESTIMATORS = [
    name
    for name in mcmodels.__all__
    if isinstance(getattr(mcmodels, name), type)
    and issubclass(getattr(mcmodels, name), BaseEstimator)
]


def imported(file):
    """The names that an example imports from mcmodels."""
    tree = ast.parse(file.read_text())
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("mcmodels")
        for alias in node.names
    }


def test_there_are_enough_and_each_section_says_what_it_is():
    assert len(FILES) >= 26
    assert {file.parent.name for file in FILES} == set(SECTIONS)
    assert not list(EXAMPLES.glob("plot_*.py"))
    for section in SECTIONS:
        title, line, *_, text = (EXAMPLES / section / "GALLERY_HEADER.rst").read_text().splitlines()
        assert len(title) == len(line)
        assert text.endswith(".")


def test_names_of_files_are_unique():
    assert len({file.name for file in FILES}) == len(FILES)  # pictures are named after them


@pytest.mark.parametrize("display", plots.__all__)
def test_each_display_has_an_example(display):
    assert any(display in imported(file) for file in FILES)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_estimator_has_an_example(estimator):
    makers = {"FormulaFit": "fit_formula"}  # what makes one
    assert any(makers.get(estimator, estimator) in imported(file) for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_example_says_what_one_learns_and_what_to_see(file):
    source = file.read_text()
    title, line, blank, *text = ast.get_docstring(ast.parse(source)).splitlines()
    assert line == "=" * len(title)
    assert blank == ""
    assert 1 <= " ".join(text).count(". ") <= 4
    assert 35 <= len(source.splitlines()) <= 90
    assert "# %%\n# " in source  # at least one sentence beside the code
    assert "assert " in source or "print(" in source


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_example_ends_with_pages_that_say_more(file):
    last = file.read_text().splitlines()[-1]
    assert last.startswith("# More on this: ")
    pages = re.findall(r":doc:`/([a-z_]+)`", last)
    assert pages
    assert all((ROOT / "docs" / f"{page}.md").is_file() for page in pages)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_example_reads_data_that_are_there(file):
    source = file.read_text()
    for path in re.findall(r"\"([^\"]*datasets/[^\"]*)\"", source):
        assert path.startswith("../../../datasets/")
        assert (file.parent / path).is_file()
    for word in ("/tmp", "/home", "/work", "http"):
        assert word not in source


def test_a_display_is_shown_once_and_an_array_is_not(tmp_path, monkeypatch):
    pytest.importorskip("sphinx_gallery")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    monkeypatch.delitem(sys.modules, "gallery_pictures", raising=False)
    import gallery_pictures

    X, y = ones((6, 1)).cumsum(axis=0), [1.0, 3, 2, 5, 4, 6]
    shown = plots.CoefficientDisplay.from_estimator(mcmodels.LinearRegression().fit(X, y))
    paths = iter(tmp_path / f"picture_{i}.png" for i in range(9))
    variables = {"example_globals": {"___": shown}, "image_path_iterator": paths}
    settings = {"src_dir": str(tmp_path)}
    directive = gallery_pictures.scrape(None, variables, settings)
    assert "picture_0.png" in directive
    assert (tmp_path / "picture_0.png").stat().st_size > 1000
    assert (tmp_path / "picture_0_2_00x.png").is_file()
    assert gallery_pictures.scrape(None, variables, settings) == ""
    variables["example_globals"]["___"] = ones(3)
    assert gallery_pictures.scrape(None, variables, settings) == ""


def test_first_examples_exist(monkeypatch):
    pytest.importorskip("sphinx_gallery")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    import gallery_pictures

    assert set(gallery_pictures._FIRST) <= {file.name for file in FILES}
    order = gallery_pictures.FirstStepsFirst("")
    names = ["plot_biplot.py", "plot_residuals.py", "plot_coefficients.py"]
    assert sorted(names, key=order) == names[::-1]
