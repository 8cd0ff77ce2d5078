"""The folders of the calculus: imports run one way, without circles, and upwards in one file."""

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import mcmodels

ROOT = Path(mcmodels.__file__).parent.parent
ROOM = "mcmodels.calculus"
FACADES = (f"{ROOM}.facade", f"{ROOM}.tensor_facade", f"{ROOM}.operator_facade")
OFFERED = {
    (f"{ROOM}.core.expression", FACADES[0]),
    (f"{ROOM}.core.tensors", FACADES[1]),
    (f"{ROOM}.core.expression", FACADES[2]),
}
# Each folder may import itself and those before it.
FOLDERS = ("core", "text", "derive", "compute", "study")
WITH_NUMBERS = ("compute", "study")
OUTSIDE = {"mcmodels.differences", "mcmodels.plain", "mcmodels.user_warnings"}
NUMERICAL = {"numpy", "scipy", "pandas", "sklearn"}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path.read_text() for path in ROOT.glob("mcmodels/calculus/**/*.py")}


def imports(source, known):
    """(module, whether it is imported inside a function), without those for type checkers."""
    found = []

    def visit(node, inside):
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found.append((module if module in known else node.module, inside))
        for child in ast.iter_child_nodes(node):
            visit(child, inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    visit(ast.parse(source), False)
    return found


def folder_of(name):
    parts = name.removeprefix(f"{ROOM}.").split(".")
    return parts[0] if parts[0] in FOLDERS else None


def violations(sources):
    """Imports against the direction, as (importer, imported)."""
    for name, source in sources.items():
        own = folder_of(name)
        for module, inside in imports(source, sources):
            target = folder_of(module)
            if name == ROOM or (name in FACADES and inside):
                allowed = True
            elif name in FACADES:
                allowed = not module.startswith("mcmodels") or module == f"{ROOM}.core.nesting"
            elif own is None:
                allowed = False  # nothing lies beside the folders
            elif module in FACADES:
                allowed = (name, module) in OFFERED
            elif target is not None:
                allowed = FOLDERS.index(target) <= FOLDERS.index(own)
            elif module.split(".")[0] in NUMERICAL or module in OUTSIDE:
                allowed = own in WITH_NUMBERS
            else:
                allowed = not module.startswith("mcmodels")
            if not allowed:
                yield name, module


def circle(sources):
    """Modules that import each other in a circle, also inside functions; None if there is none."""
    graph = defaultdict(set)
    for name, source in sources.items():
        for module, inside in imports(source, sources):
            if module in sources and not (name in FACADES and inside):
                graph[name].add(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def with_line(name, line):
    return SOURCES | {name: f"{SOURCES.get(name, '')}\n{line}\n"}


def test_imports_run_one_way_and_upwards_only_in_the_facade():
    assert not list(violations(SOURCES))


def test_no_modules_import_each_other():
    assert circle(SOURCES) is None


@pytest.mark.parametrize(
    ("name", "line", "module"),
    [
        ("core.nodes", "from mcmodels.calculus.text import printing", "text.printing"),
        ("core.nodes", "def f():\n    import mcmodels.calculus.study", "study"),
        ("derive.rules", "from mcmodels.calculus.compute.evaluate import walk", "compute.evaluate"),
        ("text.parsing", "from mcmodels.calculus import facade", "facade"),
        ("facade", "from mcmodels.calculus.core import operators", "core.operators"),
        ("beside", "from mcmodels.calculus.core.nodes import Sum", "core.nodes"),
    ],
)
def test_a_planted_import_is_caught(name, line, module):
    planted = with_line(f"{ROOM}.{name}", line)
    assert list(violations(planted)) == [(f"{ROOM}.{name}", f"{ROOM}.{module}")]


@pytest.mark.slow
def test_a_planted_import_of_numpy_or_of_another_room_is_caught():
    for line in (
        "import numpy as np",
        "from mcmodels.rows import Rows",
        "import mcmodels.calculus",
    ):
        assert list(violations(with_line(f"{ROOM}.derive.rules", line)))
    assert not list(violations(with_line(f"{ROOM}.compute.binding", "import scipy.linalg")))


@pytest.mark.slow
def test_a_planted_circle_is_caught():
    name = f"{ROOM}.core.arithmetic.constants"
    line = "from mcmodels.calculus.core.arithmetic.products import kron"
    assert name in circle(with_line(name, line))
    assert name in circle(with_line(name, f"def f():\n    {line}"))


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout


def test_symbols_work_without_numpy():
    code = f"""
import sys
for blocked in {sorted(NUMERICAL)}:
    sys.modules[blocked] = None
from mcmodels import calculus
from mcmodels.calculus import identities, parse
derived = 0
for identity in identities.CATALOGUE[::6]:
    assert str(identity)
    if identity.variable is not None:
        derivation = identity.derivation()
        assert derivation.steps and str(derivation) and derivation.latex()
        derived += 1
assert derived >= 10
f = parse("x.T @ A @ x + 0.5 * sum(exp(x))", x="n", A=("n", "n"))
print(f.gradient("x"), repr(f.hessian("x")), f.latex(), sep="; ")
try:
    f.evaluate(n=3)
except ImportError as error:
    print(error.name)
"""
    assert run(code).splitlines() == [
        "(A + A.T) @ x + 0.5 * exp(x); A + Aᵀ + ½ diag(exp(x)); "
        r"x^{\top} A x + \frac{1}{2} \operatorname{sum}(\exp(x))",
        "numpy",
    ]


BLOCKED = {
    "as missing": f"for name in {sorted(NUMERICAL)}: sys.modules[name] = None",
    "by a finder": f"""
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(NUMERICAL)}:
            raise ImportError(name)
sys.meta_path.insert(0, Finder())
""",
}


@pytest.mark.parametrize("how", BLOCKED)
def test_all_names_of_symbols_are_imported_without_numpy(how):
    code = f"""
import sys
{BLOCKED[how]}
import inspect
import mcmodels.calculus
assert len(inspect.getmembers(mcmodels.calculus)) > 50
from mcmodels.calculus import *
x = vector("x", "n")
print(norm(x).gradient(x), "diagnose" in globals())
"""
    assert run(code) == "x / norm(x) True\n"


def test_each_loads_no_more_than_it_uses():
    code = "import sys; from {} import {}; print(*sys.modules)"
    loaded = set(run(code.format("mcmodels.calculus", "parse, identities")).split())
    assert not loaded & NUMERICAL
    ours = run(
        code.format("mcmodels", "LinearRegression, LogisticRegression, PCA, likelihood_ratio_test")
    )
    assert not {ROOM, "mcmodels.autodiff", "mcmodels.mlp"} & set(ours.split())
    models = "sklearn.decomposition, sklearn.linear_model"
    theirs = run(f"import sys, {models}; print(*sys.modules)")
    beyond = {name for name in set(ours.split()) - set(theirs.split()) if "." not in name}
    assert beyond == {"mcmodels"}


def test_every_public_name_can_be_imported_and_is_listed():
    code = (
        "import {0}; names = {0}.__all__; assert set(names) <= set(dir({0})); "
        "from {0} import *; print(all(name in globals() for name in names))"
    )
    assert run(code.format("mcmodels")) == run(code.format(ROOM)) == "True\n"


def test_modules_are_reachable_from_the_package():
    code = """
import mcmodels
print(mcmodels.calculus.vector("x", 3), mcmodels.exceptions.__name__, hasattr(mcmodels, "nothing"))
"""
    assert run(code) == "x mcmodels.exceptions False\n"


def test_code_and_the_doctor_work_without_numpy():
    code = f"""
import sys
for blocked in {sorted(NUMERICAL)}:
    sys.modules[blocked] = None
from mcmodels.calculus import diagnose, parse
shapes = dict(x="n", A="n,n", b="n")
f = parse("norm(A @ x - b)**2", **shapes)
for claim in ("2 * A.T @ (A @ x - b)", "A.T @ (A @ x - b)", "2 * A @ (A @ x - b)"):
    print(diagnose(f, "x", parse(claim, **shapes)).mistake)
gradient = f.gradient("x")
for language in ("numpy", "jax", "torch", "julia", "matlab", "r"):
    assert "f" in gradient.code(language)
print(gradient.code("latex"))
"""
    assert run(code).splitlines() == [
        "None",
        "factor",
        "mixed layout",
        r"2 A^{\top} (A x - b)",
    ]
