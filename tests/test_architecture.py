"""The rooms of the package: imports run one way and in no circle, shells hold no mathematics."""

import ast
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import mcmodels
from mcmodels import LinearRegression, LogisticRegression

PACKAGE = Path(mcmodels.__file__).parent
SHELLS = {
    "linear",
    "logistic",
    "pca",
    "mlp",
    "objective_models",
    "quantile",
    "formula",
    "formula_fit",
}
# What every room may import: types of arrays, classes of warnings.
COMMON = {"arrays", "exceptions", "user_warnings"}
MAY_IMPORT = {
    "rows": COMMON,
    "tables": {"rows"} | COMMON,
    "formulas": {"tables", "rows"} | COMMON,
    "objectives": {"rows"} | COMMON,
    "solvers": {"objectives", "rows"} | COMMON,
    "inference": {"autodiff", "differences", "solvers", "objectives", "rows"} | COMMON,
    "reweighting": {"inference", "solvers", "objectives", "rows"} | COMMON,
    "records": {"calculus", "reweighting", "inference", "solvers", "objectives", "rows"} | COMMON,
    "estimators": {
        "autodiff",
        "calculus",
        "records",
        "reweighting",
        "inference",
        "solvers",
        "objectives",
        "tables",
        "rows",
    }
    | COMMON,
    "reports": {
        "autodiff",
        "estimators",
        "records",
        "inference",
        "solvers",
        "objectives",
        "tables",
        "rows",
    }
    | COMMON,
    "resampling": {
        "autodiff",
        "estimators",
        "records",
        "reports",
        "reweighting",
        "inference",
        "solvers",
        "objectives",
        "tables",
        "rows",
    }
    | COMMON,
    "plots": {
        "estimators",
        "inference",
        "objectives",
        "records",
        "reports",
        "resampling",
        "rows",
        "solvers",
        "tables",
    }
    | COMMON,
    "shell": {
        "estimators",
        "formulas",
        "records",
        "reweighting",
        "inference",
        "solvers",
        "objectives",
        "tables",
        "rows",
    }
    | COMMON,
    "calculus": {"differences", "plain", "user_warnings"},
    "autodiff": {"user_warnings"},
    "differences": {"plain"},
    "plain": set(),
    "arrays": set(),
    "exceptions": {"user_warnings"},
    "user_warnings": set(),
}
# Files that may import another room, each for one purpose.
ALSO = {
    "mcmodels.estimators.loss_convexity": {"calculus"},
    "mcmodels.estimators.pointwise": {"autodiff", "calculus"},
    "mcmodels.estimators.auxiliary_pointwise": {"autodiff", "calculus"},
    "mcmodels.formulas.exact_slopes": {"autodiff"},
    "mcmodels.records.networks": {"calculus"},
    "mcmodels.inference.delta": {"autodiff", "differences"},
}
RESERVED = {"autodiff", "calculus"}
# What is mathematics: products of matrices, factorisations, functions of analysis.
MATHEMATICS = {
    "cholesky",
    "cross",
    "det",
    "diag",
    "dot",
    "eigh",
    "eigvalsh",
    "einsum",
    "exp",
    "expm1",
    "inner",
    "inv",
    "kron",
    "linalg",
    "log",
    "log1p",
    "logaddexp",
    "lstsq",
    "matmul",
    "norm",
    "null_space",
    "outer",
    "pinv",
    "power",
    "qr",
    "solve",
    "special",
    "sqrt",
    "square",
    "svd",
    "tensordot",
    "vdot",
}
# Probabilities from log-odds are part of what classes are.
MAY_COMPUTE = {"mcmodels.estimators.classes"}


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}


def room_of(module):
    parts = module.split(".")
    if len(parts) == 1:
        return "package"
    return "shell" if parts[1] in SHELLS else parts[1]


def imports(source, known=SOURCES):
    """Modules of ours that are imported, inside functions, too; not those for type checkers."""

    def visit(node):
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("mcmodels"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module.partition(".")[0] == "mcmodels":
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    submodule = whole in known or node.module == "mcmodels"
                    yield whole if submodule else node.module
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return set(visit(ast.parse(source)))


def forbidden(module, source):
    """Imports of this module that go against the direction."""
    own = room_of(module)
    if own not in MAY_IMPORT:
        return set()
    allowed = MAY_IMPORT[own] - RESERVED | ALSO.get(module, set()) | {own}
    if own in ("calculus", "autodiff"):
        allowed |= MAY_IMPORT[own]
    return {found for found in imports(source) if room_of(found) not in allowed}


def mathematics(source):
    """Lines of a file that compute what belongs to another room."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            yield node.lineno, "@"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            if not isinstance(node.left, ast.Constant):  # 2**17 is a number
                yield node.lineno, "**"
        elif isinstance(node, ast.Attribute) and node.attr in MATHEMATICS:
            if isinstance(node.value, ast.Name) and node.value.id in ("np", "scipy", "linalg"):
                yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scipy"):
            names = {alias.name for alias in node.names} - {"LinAlgError"}
            found = names | ({node.module.rpartition(".")[2]} if names else set())
            yield from ((node.lineno, name) for name in found & MATHEMATICS)


def test_imports_run_one_way():
    assert not {
        module: found for module, text in SOURCES.items() if (found := forbidden(module, text))
    }


FACADES = {"mcmodels"} | {
    f"mcmodels.calculus.{name}" for name in ("facade", "operator_facade", "tensor_facade")
}


def test_no_module_imports_itself_on_a_way_round():
    graph = {
        module: {found for found in imports(text) if found != module and found in SOURCES}
        for module, text in SOURCES.items()
        # The facades of the calculus reach upwards: see tests/calculus/test_architecture.py.
        if module not in FACADES
    }
    # A package stands for what its __init__ collects; its files import each other directly.
    packages = {module for module in graph if any(m.startswith(f"{module}.") for m in graph)}
    for module in graph:
        graph[module] -= {package for package in packages if module.startswith(f"{package}.")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


def test_shells_hold_no_mathematics():
    found = defaultdict(list)
    for module, text in SOURCES.items():
        if room_of(module) in ("shell", "estimators") and module not in MAY_COMPUTE:
            for line, what in mathematics(text):
                found[module].append((line, what))
    assert not found


def test_a_file_does_one_thing():
    for module, text in SOURCES.items():
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), f"{module}: the first line says what it does"
        assert text.count("\n") < 480, f"{module}: does this file mix two things?"


def test_planted_violations_are_caught():
    assert forbidden("mcmodels.rows.blocks", "from mcmodels.solvers import Solution")
    assert forbidden("mcmodels.objectives.losses", "import mcmodels.linear")
    assert forbidden("mcmodels.solvers.irls", "from mcmodels import pca")
    assert forbidden("mcmodels.inference.robust", "from mcmodels.records import record")
    assert forbidden("mcmodels.records.linear", "from mcmodels.estimators import model")
    assert forbidden("mcmodels.records.linear", "def f():\n    import mcmodels.estimators.model")
    assert forbidden("mcmodels.records.linear", "from mcmodels.calculus import parse")
    assert forbidden("mcmodels.linear", "from mcmodels.calculus import parse")
    assert forbidden("mcmodels.calculus.core.nodes", "from mcmodels.exceptions import FitWarning")
    assert not forbidden("mcmodels.solvers.irls", "from mcmodels.rows import Rows")
    assert not forbidden("mcmodels.estimators.pointwise", "from mcmodels.calculus import parse")
    for text in ("y = X @ w", "import numpy as np\nnp.linalg.eigh(S)", "s = r**2", "np.sqrt(v)"):
        assert list(mathematics(text))
    assert list(mathematics("from scipy.special import expit"))
    assert list(mathematics("from scipy import linalg"))
    assert not list(mathematics("from scipy.linalg import LinAlgError"))
    assert not list(mathematics("lower = prediction - reach; n = np.zeros(3).sum()"))


@pytest.mark.parametrize(
    ("model", "last", "most"),
    [
        (LinearRegression(), "DenseDesign.sandwich", 7),
        (LogisticRegression(), "BinaryCrossEntropy.at", 8),
    ],
)
def test_the_way_from_fit_to_the_mathematics_is_short(model, last, most):
    """The calls that docs/architecture.md lists, in a fit with one thread."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    depths: list[int] = []

    def count(frame, event, _):
        if event == "call" and frame.f_code.co_qualname == last:
            depth, at = 0, frame
            while at is not None:
                depth += str(PACKAGE) in at.f_code.co_filename
                at = at.f_back
            depths.append(depth)

    with threadpool_limits(1):
        sys.setprofile(count)
        try:
            model.fit(X, (X[:, 0] > 0).astype(int))
        finally:
            sys.setprofile(None)
    assert min(depths) <= most
