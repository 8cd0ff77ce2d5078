"""Imports run one way: shells → solvers → objectives → rows; files stay small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mcmodels"
MAY_IMPORT = {
    "rows": {"arrays", "rows"},
    "objectives": {"arrays", "objectives", "rows"},
    "solvers": {"arrays", "solvers", "objectives", "rows"},
    "inference": {
        "arrays",
        "inference",
        "autodiff",
        "differences",
        "exceptions",
        "user_warnings",
        "solvers",
        "objectives",
        "rows",
    },
    "calculus": {"calculus", "differences", "user_warnings"},
    "autodiff": {"autodiff", "user_warnings"},
    "differences": {"differences"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else "shell"


def imported_rooms(source):
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module]
            if node.module == "mcmodels":
                names = [f"mcmodels.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name and name.startswith("mcmodels."):
                yield name.split(".")[1]


def violations(room, source):
    return set(imported_rooms(source)) - MAY_IMPORT[room] if room in MAY_IMPORT else set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    assert not violations(room_of(path), path.read_text())


def test_a_planted_import_is_caught():
    assert violations("rows", "from mcmodels.solvers import Solution") == {"solvers"}
    assert violations("objectives", "import mcmodels.linear") == {"linear"}
    assert violations("solvers", "from mcmodels import pca") == {"pca"}
    assert not violations("solvers", "from mcmodels.rows import Rows")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_does_one_thing(path):
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source)), "the first line says what the file does"
    assert source.count("\n") < 480, "does this file mix two things?"
