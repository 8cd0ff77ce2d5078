"""How expressions are written: as Python, as mathematics in plain text, and as LaTeX."""

from mcmodels.calculus.core.einsum_nodes import LETTERS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Zeros
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.printing.latex import LatexPrinter
from mcmodels.calculus.text.printing.plain import PlainPrinter
from mcmodels.calculus.text.printing.python import PythonPrinter

__all__ = [
    "latex",
    "mathematics",
    "python_text",
    "tensor_latex",
    "tensor_mathematics",
    "tensor_text",
]


def python_text(expression: Expression) -> str:
    """Python text that `parse` reads back."""
    return PythonPrinter().write(expression)


def mathematics(expression: Expression) -> str:
    """Mathematics in plain text."""
    return PlainPrinter().text(expression)


def latex(expression: Expression) -> str:
    """LaTeX, without dollar signs."""
    return LatexPrinter().text(expression)


def tensor_text(tensor: Tensor) -> str:
    """Python text that `parse` reads back."""
    if isinstance(tensor.entries, Zeros):
        letters = LETTERS[: len(tensor.shape)]
        ones = ", ".join(f"ones({size})" for size in tensor.shape)
        return f"0 * einsum('{','.join(letters)}->{letters}', {ones})"
    return PythonPrinter().of_tensor(tensor.entries)


def tensor_mathematics(entries: Expression) -> str:
    """Mathematics in plain text: a tensor of these entries, or what else an expression is."""
    return PlainPrinter().text(entries, tensor=True)


def tensor_latex(entries: Expression) -> str:
    """LaTeX, without dollar signs: a tensor of these entries, or what else an expression is."""
    return LatexPrinter().text(entries, tensor=True)
