"""Every public name is on a page of the reference, and its docstring has an example that runs."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "reference"
# The modules whose names are public. `autodiff.numpy` has NumPy's own names, and a page for all.
MODULES = (
    "mcmodels",
    "mcmodels.autodiff",
    "mcmodels.autodiff.integrate",
    "mcmodels.autodiff.linalg",
    "mcmodels.autodiff.optimize",
    "mcmodels.autodiff.signal",
    "mcmodels.autodiff.special",
    "mcmodels.autodiff.stats",
    "mcmodels.calculus",
    "mcmodels.derivative_checks",
    "mcmodels.exceptions",
    "mcmodels.inference",
    "mcmodels.plots",
    "mcmodels.tables",
)
# A helper for messages.
NOT_LISTED = {"mcmodels.exceptions.example_of"}
# It shrinks: the example needs JAX or PyTorch, which the tests do not install.
WITHOUT_EXAMPLE = {"mcmodels.calculus.ExportedFunction"}
# These have their own pages, whose cells run: tests/docs/test_errors.py, and below.
EXCEPTIONS = ("Warning", "Error")
EXECUTED = {
    "mcmodels.autodiff.special": "autodiff_special.md",
    "mcmodels.autodiff.stats": "autodiff_stats.md",
}


def public():
    """Each object once, under the name of the first module that has it."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            found.setdefault(id(getattr(module, name)), f"{module.__name__}.{name}")
    return sorted(set(found.values()) - NOT_LISTED)


def object_of(full_name):
    module, _, name = full_name.rpartition(".")
    return getattr(importlib.import_module(module), name)


def listed():
    """The names in the autosummary tables of all pages, in full."""
    names = set()
    for page in (*PAGES.glob("*.rst"), *PAGES.glob("*.md")):
        module, inside = "", False
        for line in page.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"\.\. (?:current)?module:: (\S+)", line):
                module = match[1]
            elif line.startswith(".. "):
                inside = line.startswith(".. autosummary::")
            elif inside and re.fullmatch(r"   \w+", line):
                names.add(f"{module}.{line.strip()}")
            elif line and not line.startswith(" "):
                inside = False
    return names


def text_of(module):
    return (PAGES / EXECUTED[module]).read_text(encoding="utf-8")


def is_in_a_cell(full_name):
    """Whether a page calls it in a cell, as `erf(0.4)` or `norm.logpdf(0.4)`."""
    module, _, name = full_name.rpartition(".")
    return module in EXECUTED and bool(re.search(rf"\b{name}(\.log(pdf|pmf))?\(", text_of(module)))


NAMES = public()


def test_every_public_name_is_on_a_page():
    tables = listed()
    modules = {name for name in NAMES if inspect.ismodule(object_of(name))}
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES.iterdir() if page.is_file())
    assert {name for name in modules if name not in text} == set()
    missing = {
        name
        for name in set(NAMES) - modules
        if name not in tables and not is_in_a_cell(name) and not _elsewhere(name, tables)
    }
    assert missing == set()


def _elsewhere(name, tables):
    """Whether a table has the object under the name of another public module."""
    found = object_of(name)
    return any(
        getattr(importlib.import_module(module), name.rpartition(".")[2], None) is found
        and f"{module}.{name.rpartition('.')[2]}" in tables
        for module in MODULES
    )


def test_what_tables_list_is_there():
    for name in listed():
        object_of(name)


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith(EXCEPTIONS)])
def test_its_docstring_has_an_example(name):
    found = object_of(name)
    if inspect.ismodule(found) or is_in_a_cell(name):
        return
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(found) or "")
    assert bool(examples) != (name in WITHOUT_EXAMPLE)


def test_no_line_of_a_docstring_is_taken_for_a_list():
    """A line as "J." begins a list with letters: its page would show "10."."""
    taken = {
        name: found
        for name in NAMES
        if (found := re.findall(r"^ +[A-Za-z]\.(?: .*)?$", inspect.getdoc(object_of(name)), re.M))
        and not name.startswith(tuple(EXECUTED))
    }
    assert taken == {}


def test_few_names_have_no_example():
    assert len(WITHOUT_EXAMPLE) == 1


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("mcmodels.calculus.")])
def test_examples_run_that_wrapped_functions_have(name):
    """Functions that a decorator wraps: their examples are run here, whoever else collects them."""
    found = object_of(name)
    parsed = doctest.DocTestParser().get_doctest(inspect.getdoc(found) or "", {}, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    said = []
    assert runner.run(parsed, out=said.append).failed == 0, "".join(said)
