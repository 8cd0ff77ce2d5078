"""The cheat sheet of matrix calculus, written from the catalogue of identities.

``python docs/make_derivations.py`` writes docs/derivations.md; with ``--check`` it fails when the
page is not what the catalogue says now.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

from mcmodels.calculus import identities
from mcmodels.calculus.study.identities import Identity

PAGE = Path(__file__).parent / "derivations.md"
WIDEST = 64  # characters of a formula in a table; longer ones stand in a block of their own

HEADER = """# Derivatives by matrix calculus

Every formula on this page is derived by `mcmodels.calculus`, from the expression in its row, and
checked against finite differences, in fifty digits, and step by step. The page is written by
`docs/make_derivations.py`; do not edit it.

- **Gradient.** The G of df = tr(Gᵀ dX): of the shape of X. By a symmetric matrix (S, Σ), the
  symmetric one.
- **Jacobian.** The J of vec(dF) = J vec(dX): rows for outputs, columns for inputs.
- **Hessian.** The Jacobian of the gradient. By a matrix it acts on vec(dX), the columns stacked; by
  a symmetric one, on symmetric dX.
- **Letters.** A∘B is the elementwise product, A^∘2 the elementwise square, A⊗B the Kronecker
  product, Kₘₙ the commutation matrix (Kₘₙ vec X = vec Xᵀ for X of m×n), 1ₙ a vector of ones, e₀ the
  first unit vector, σ the sigmoid, ‖·‖ the 2-norm, ‖·‖_F that of Frobenius. S, Σ and H are
  symmetric; Σ, H, and S where it is inverted, are positive definite.

```python
>>> from mcmodels.calculus import identities
>>> identities.named("log det(XᵀX)")
f = log|det(XᵀX)|
∂f/∂X = 2X(XᵀX)⁻¹
∂²f/∂X² = 2((XᵀX)⁻¹ ⊗ (I − X(XᵀX)⁻¹Xᵀ)) − 2Kₖₙ(X(XᵀX)⁻¹ ⊗ (XᵀX)⁻¹Xᵀ)
>>> [identity.name for identity in identities.find("rayleigh")]
['Rayleigh quotient', 'Rayleigh quotient as traces', 'Rayleigh quotient of a matrix']
>>> identities.named("Rayleigh quotient").check() < 1e-9
True

```

Expressions of your own are derived in the same way: `f.gradient(X)`, `f.hessian(X)`,
`f.derivation(X, order=2)`. What a critical point is, the Hessian says:

```python
>>> from mcmodels.calculus import critical_point, matrix, vector
>>> x, A = vector("x", "n"), matrix("A", "n", "n", symmetric=True)
>>> critical_point(x.T @ A @ x, x, at={"x": [0.0, 0.0], "A": [[1.0, 2.0], [2.0, 1.0]]})
a saddle: eigenvalues of the Hessian from -2 to 6 (1 positive, 1 negative); the value is 0

```
"""
REFERENCES = """
Absil, Mahony & Sepulchre (2008), *Optimization Algorithms on Matrix Manifolds*, Princeton.
Bishop (2006), *Pattern Recognition and Machine Learning*, Springer. Boyd & Vandenberghe (2004),
*Convex Optimization*, Cambridge. Goodfellow, Bengio & Courville (2016), *Deep Learning*, MIT Press.
Hastie, Tibshirani & Friedman (2009), *The Elements of Statistical Learning*, 2nd ed., Springer.
Koren, Bell & Volinsky (2009), Matrix factorization techniques for recommender systems, *Computer*
42(8). Magnus & Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., Wiley. Nocedal & Wright
(2006), *Numerical Optimization*, 2nd ed., Springer. Petersen & Pedersen (2012), *The Matrix
Cookbook*, version of 15 November 2012.
"""
SHOWN = (
    "quadratic form",
    "logistic loss",
    "Gaussian log-likelihood of n rows in Σ",
    "log det(XᵀX)",
    "softmax",
)


def cell(text: str) -> str:
    """A formula in a table."""
    escaped = text.replace("|", r"\|")
    return f"`{escaped}`"


def section(theme: str, members: list[Identity]) -> str:
    """One theme: a table of its short formulas, blocks for its long ones, remarks below."""
    short, long = [], []
    for identity in members:
        fits = not identity.where and all(len(formula) <= WIDEST for formula in identity.formulas)
        (short if fits else long).append(identity)
    pieces = [f"## {theme}"]
    if short:
        pieces.append(table(short))
    pieces += [f"**{identity.name}**\n\n```text\n{identity}\n```" for identity in long]
    remarks = [f"- {identity.name}: {identity.remark}" for identity in members if identity.remark]
    if remarks:
        pieces.append("\n".join(remarks))
    return "\n\n".join(pieces)


def table(members: list[Identity]) -> str:
    """Short formulas, one identity a row."""
    if members[0].variable is None:
        columns = ["identity", "F", "dF"]
    elif members[0].expression.is_scalar:
        columns = ["identity", "f", "by", "gradient", "Hessian"]
    else:
        columns = ["identity", "F", "by", "Jacobian"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for identity in members:
        expression, *rest = [cell(formula) for formula in identity.formulas]
        by = [] if identity.variable is None else [cell(repr(identity.variable))]
        cells = [identity.name, expression, *by, *rest]
        lines.append(f"| {' | '.join(cells + [''] * (len(columns) - len(cells)))} |")
    return "\n".join(lines)


def sources(members: Iterable[Identity]) -> str:
    """Where each theme can be read up."""
    lines = []
    for theme, group in itertools.groupby(members, key=lambda identity: identity.theme):
        places: dict[str, list[str]] = {}
        for identity in group:
            for source in identity.source.split("; "):
                book, *cited = source.split("), ", 1)
                found = places.setdefault(book if book.endswith(")") else f"{book})", [])
                numbers = [number for text in cited for number in text.split(", ")]
                found += [number for number in numbers if number not in found]
        texts = [", ".join([book, *cited]) for book, cited in places.items()]
        lines.append(f"- {theme}: {'; '.join(texts)}.")
    return "\n".join(["## Sources", "", *lines]) + "\n\n" + REFERENCES.strip()


def page() -> str:
    """The whole page."""
    pieces = [HEADER.rstrip()]
    for theme, group in itertools.groupby(identities.CATALOGUE, key=lambda one: one.theme):
        pieces.append(section(theme, list(group)))
    pieces.append("## Derivations in full")
    for name in SHOWN:
        derivation = identities.named(name).derivation()
        pieces.append(f"### {name[0].upper()}{name[1:]}\n\n```text\n{derivation}\n```")
    pieces.append(sources(identities.CATALOGUE))
    return "\n\n".join(pieces) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or compare it with the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the page")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        print("the page is up to date")
        return 0
    print(f"{PAGE.name} is not what the catalogue says: run python docs/make_derivations.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
