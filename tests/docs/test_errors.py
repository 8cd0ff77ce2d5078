"""Each class of warnings and errors has a section: its program gives it, the remedy does not."""

import re
import sys
import warnings
from pathlib import Path

import pytest

import mcmodels.autodiff
import mcmodels.calculus
import mcmodels.exceptions

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = {
    part.split(")=", 1)[0]: re.split(r"^## ", part, flags=re.M)[0]
    for part in PAGE.split("\n(error-")[1:]
}
PUBLIC = {
    name
    for module in (mcmodels.exceptions, mcmodels.calculus, mcmodels.autodiff)
    for name in module.__all__
    if name.endswith(("Warning", "Error"))
}
CELL = re.compile(r"^```\{code-cell\}\n(?::tags: [^\n]*\n\n)?(.*?)^```", flags=re.M | re.S)


@pytest.fixture(autouse=True)
def _with_all_modules():
    before = sys.modules.get("mpmath")
    yield
    if before is None:
        sys.modules.pop("mpmath", None)
    else:
        sys.modules["mpmath"] = before


def said_by(code, names):
    """The names of the classes of what a program warns of and raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(code, "<docs/errors.md>", "exec"), names)
        except Exception as error:
            return {w.category.__name__ for w in caught} | {type(error).__name__}
    return {w.category.__name__ for w in caught}


def test_each_class_has_one_section():
    assert sorted(SECTIONS) == sorted(PUBLIC)
    assert PAGE.count("\n(error-") == len(PUBLIC)


def test_each_class_of_the_module_is_exported():
    classes = {
        name
        for name, found in vars(mcmodels.exceptions).items()
        if isinstance(found, type) and issubclass(found, Exception)
    }
    assert classes <= set(mcmodels.exceptions.__all__)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_the_program_gives_it_and_the_remedy_does_not(name):
    if "import dask" in SECTIONS[name]:
        pytest.importorskip("dask.array")
    program, *remedies = CELL.findall(SECTIONS[name])
    names = {"__name__": "__main__"}
    if name == "FitWarning":  # its program catches a subclass, and prints which
        assert said_by(program, names) == set()
        return
    assert "**What to do.**" in SECTIONS[name]
    assert said_by(program, names) == {name}
    for remedy in remedies:
        assert said_by(remedy, names) == set()
