"""Test derive.html in a browser: ``python -m docs.browser_test``, after ``python -m docs.build``.

What the page must show is computed here, by mcmodels with NumPy; ``docs/derive/browser_test.mjs``
drives Chromium (its path is in the environment variable CHROMIUM) and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mcmodels.calculus import diagnose, parse

DOCS = Path(__file__).resolve().parent
SITE = DOCS / "_build" / "html"
CHROMIUM = "/usr/bin/chromium-headless-shell"

# Expression, variable, what is found, declarations.
DERIVATIVES = (
    ("a.T @ x", "x", "gradient", "a=n; x=n"),
    ("x.T @ A @ x", "x", "gradient", "A=n,n; x=n"),
    ("x.T @ A @ x", "x", "Hessian", "A=n,n; x=n"),
    ("x.T @ A @ x", "x", "gradient", "A=n,n:symmetric; x=n"),
    ("x.T @ A @ x", "A", "gradient", "A=n,n; x=n"),
    ("x' @ A^T @ y", "x", "gradient", "x=n; y=m; A=m,n"),
    ("norm(x)", "x", "gradient", "x=n"),
    ("norm(x)", "x", "Hessian", "x=n"),
    ("norm(A @ x - b)**2", "x", "gradient", "A=m,n; x=n; b=m"),
    ("norm(A @ x - b)**2", "x", "Hessian", "A=m,n; x=n; b=m"),
    ("norm(A @ x - b)**2", "A", "gradient", "A=m,n; x=n; b=m"),
    ("norm(X @ w - y)**2 + lam * norm(w)**2", "w", "gradient", "X=n,p; w=p; y=n; lam=scalar"),
    ("(X @ w - y).T @ W @ (X @ w - y)", "w", "gradient", "X=n,p; w=p; y=n; W=n,n:symmetric"),
    ("(x.T @ A @ x) / (x.T @ x)", "x", "gradient", "A=n,n:symmetric; x=n"),
    ("sigmoid(z)", "z", "gradient", "z=scalar"),
    ("sigmoid(z)", "z", "Hessian", "z=scalar"),
    ("sum(softplus(X @ w) - y * (X @ w))", "w", "gradient", "X=n,p; w=p; y=n"),
    ("sum(softplus(X @ w) - y * (X @ w))", "w", "Hessian", "X=n,p; w=p; y=n"),
    ("sum(log(1 + exp(-y * (X @ w))))", "w", "gradient", "X=n,p; w=p; y=n"),
    ("logsumexp(z) - t.T @ z", "z", "gradient", "z=k; t=k"),
    ("logsumexp(z)", "z", "Hessian", "z=k"),
    ("trace(A @ X)", "X", "gradient", "A=n,m; X=m,n"),
    ("trace(X.T @ A @ X)", "X", "gradient", "A=m,m; X=m,n"),
    ("trace(A @ X @ B @ X.T @ C)", "X", "gradient", "A=k,m; X=m,n; B=n,n; C=m,k"),
    ("det(X)", "X", "gradient", "X=n,n"),
    ("logdet(X)", "X", "gradient", "X=n,n"),
    ("logdet(X)", "X", "Hessian", "X=n,n"),
    ("logdet(X.T @ X)", "X", "gradient", "X=m,n"),
    ("trace(inv(X) @ A)", "X", "gradient", "X=n,n; A=n,n"),
    ("a.T @ inv(X) @ b", "X", "gradient", "X=n,n; a=n; b=n"),
    ("norm(A @ X - B)**2", "X", "gradient", "A=m,k; X=k,n; B=m,n"),
    (
        "-(logdet(S) + (x - mu).T @ inv(S) @ (x - mu)) / 2",
        "S",
        "gradient",
        "S=n,n:positive_definite; x=n; mu=n",
    ),
    ("A @ x", "x", "Jacobian", "A=m,n; x=n"),
    ("softmax(z)", "z", "Jacobian", "z=k"),
    ("tanh(W @ x + b)", "W", "Jacobian", "W=m,n; x=n; b=m"),
    ("x.T @ A @ x", "x", "Jacobian", "A=n,n; x=n"),
    ("norm(tanh(W @ x + b) - y)**2", "W", "gradient", "W=m,n; x=n; b=m; y=m"),
    ("norm(V @ relu(W @ x) - y)**2", "W", "gradient", "V=k,m; W=m,n; x=n; y=k"),
    ("sum(where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5))", "r", "gradient", "r=n"),
    ("np.mean((X @ w - y)**2)", "w", "gradient", "X=n,p; w=p; y=n"),
    ("sum(exp(A @ x))", "x", "Hessian", "A=m,n; x=n"),
    ("trace(expm(A))", "A", "gradient", "A=n,n"),
)
# Expression, variable, declarations, a wrong derivative.
MISTAKES = (
    ("norm(A @ x - b)**2", "x", "A=m,n; x=n; b=m", "A.T @ (A @ x - b)"),
    ("x.T @ A @ x", "x", "A=n,n; x=n", "2 * A @ x"),
    ("x.T @ A @ x", "x", "A=n,n; x=n", "A @ x"),
    ("trace(A @ X)", "X", "A=n,n; X=n,n", "A"),
    ("logdet(X)", "X", "X=n,n", "inv(X)"),
    ("sum(softplus(X @ w) - y * (X @ w))", "w", "X=n,p; w=p; y=n", "X.T @ (y - sigmoid(X @ w))"),
    ("sum(tanh(A @ x))", "x", "A=m,n; x=n", "A.T @ (1 - tanh(A @ x))"),
    ("norm(x)", "x", "x=n", "x"),
    ("softmax(z)", "z", "z=k", "diag(softmax(z))"),
    ("trace(inv(X) @ A)", "X", "X=n,n; A=n,n", "-(inv(X) @ inv(X) @ A).T"),
)


def _shapes(declarations: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in declarations.split(";"))
    return {name.strip(): shape.strip() for name, shape in pairs}


def _derivative(text: str, variable: str, order: str, declarations: str) -> dict[str, Any]:
    f = parse(text, **_shapes(declarations))
    how = {"gradient": f.gradient, "Hessian": f.hessian, "Jacobian": f.jacobian}[order]
    return {
        "expression": text,
        "variable": variable,
        "order": order,
        "declarations": declarations,
        "python": str(how(variable)),
    }


def _mistake(text: str, variable: str, declarations: str, claim: str) -> dict[str, Any]:
    shapes = _shapes(declarations)
    found = diagnose(parse(text, **shapes), variable, parse(claim, **shapes))
    assert not found.correct, claim
    return {
        "expression": text,
        "variable": variable,
        "declarations": declarations,
        "claim": claim,
        "mistake": found.mistake,
        "explanation": found.explanation,
        "right": str(found.right),
    }


def expected() -> dict[str, Any]:
    """What the page must show, by Python."""
    return {
        "derivatives": [_derivative(*case) for case in DERIVATIVES],
        "mistakes": [_mistake(*case) for case in MISTAKES],
    }


def main() -> int:
    """Write what is expected, and run the browser."""
    if not (SITE / "derive.html").is_file():
        sys.exit("there is no docs/_build/html/derive.html; run python -m docs.build")
    environment = {"CHROMIUM": CHROMIUM, **os.environ}
    if not Path(environment["CHROMIUM"]).exists():
        sys.exit(f"no browser at {environment['CHROMIUM']}; set CHROMIUM to a Chromium's path")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "expected.json"
        file.write_text(json.dumps(expected(), ensure_ascii=False), encoding="utf-8")
        command = ["node", str(DOCS / "derive" / "browser_test.mjs"), str(SITE), str(file)]
        return subprocess.run(command, env=environment, timeout=900).returncode


if __name__ == "__main__":
    raise SystemExit(main())
