"""How expressions are written: as Python, as mathematics in plain text, and as LaTeX."""

from mcmodels.calculus.core.einsum_nodes import LETTERS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Zeros
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.printing.latex import LatexPrinter
from mcmodels.calculus.text.printing.plain import PlainPrinter
from mcmodels.calculus.text.printing.python import PythonPrinter
from mcmodels.calculus.text.printing.shared import with_names

__all__ = [
    "latex",
    "mathematics",
    "python_text",
    "tensor_latex",
    "tensor_mathematics",
    "tensor_text",
]


def python_text(expression: Expression) -> str:
    """Python text that `parse` reads back; of what is too long, with names for parts before it."""
    named, expression = with_names(expression)
    text = PythonPrinter().write(expression)
    before = [f"{name.name} = {PythonPrinter().write(part)}" for name, part in named]
    return "; ".join([*before, text])


def mathematics(expression: Expression) -> str:
    """Mathematics in plain text; of what is too long, with names for parts behind it."""
    named, expression = with_names(expression)
    text = PlainPrinter().text(expression)
    behind = [f"{PlainPrinter().text(name)} = {PlainPrinter().text(part)}" for name, part in named]
    return f"{text}, where {'; '.join(behind)}" if named else text


def latex(expression: Expression) -> str:
    """LaTeX, without dollar signs; of what is too long, with names for parts behind it."""
    named, expression = with_names(expression)
    text = LatexPrinter().text(expression)
    behind = [f"{LatexPrinter().text(name)} = {LatexPrinter().text(part)}" for name, part in named]
    return text + r", \text{ where } " + r",\; ".join(behind) if named else text


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
