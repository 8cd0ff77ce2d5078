"""The cheat sheet in the documentation says what the catalogue says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mcmodels.calculus import identities

SCRIPT = Path(__file__).parents[2] / "docs" / "make_derivations.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_derivations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_catalogue_says(script, capsys):
    assert script.main(["--check"]) == 0, "run python docs/make_derivations.py"
    assert "up to date" in capsys.readouterr().out


def test_a_stale_or_missing_page_is_found(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "PAGE", tmp_path / "derivations.md")
    assert script.main(["--check"]) == 1
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
    stale = script.PAGE.read_text(encoding="utf-8").replace("`2Sx`", "`Sx`")
    script.PAGE.write_text(stale, encoding="utf-8")
    assert script.main(["--check"]) == 1
    assert "run python docs/make_derivations.py" in capsys.readouterr().out


def test_every_formula_is_on_the_page(script):
    page = script.PAGE.read_text(encoding="utf-8").replace(r"\|", "|")
    for identity in identities.CATALOGUE:
        assert identity.name in page
        for formula in identity.formulas:
            assert formula in page


def test_rows_of_a_table_have_as_many_cells_as_its_head(script):
    lines = script.PAGE.read_text(encoding="utf-8").replace(r"\|", "").splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert tables
    width = 0
    for line, previous in zip(lines, ["", *lines], strict=False):
        if line.startswith("|"):
            width = line.count("|") if not previous.startswith("|") else width
            assert line.count("|") == width, line
