"""How expressions are written: as Python, as mathematics in plain text, and as LaTeX."""

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.text.printing.latex import LatexPrinter
from mcmodels.calculus.text.printing.plain import PlainPrinter
from mcmodels.calculus.text.printing.python import PythonPrinter

__all__ = ["latex", "mathematics", "python_text"]


def python_text(expression: Expression) -> str:
    """Python text that `parse` reads back."""
    return PythonPrinter().write(expression)


def mathematics(expression: Expression) -> str:
    """Mathematics in plain text."""
    return PlainPrinter().text(expression)


def latex(expression: Expression) -> str:
    """LaTeX, without dollar signs."""
    return LatexPrinter().text(expression)
