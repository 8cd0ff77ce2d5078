"""Derivations: a gradient, Jacobian or Hessian in numbered steps, each of which can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.pairwise import PAIRWISE
from mcmodels.calculus.core.rewriting import parts_of, substitute
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.core.tensors import shaped
from mcmodels.calculus.derive.differentials import differential, differential_steps
from mcmodels.calculus.derive.gradients import jacobian, symbol_of, symmetrised, without_probability
from mcmodels.calculus.derive.rules import DerivativeError, Rule
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.derive.structures import structure_of
from mcmodels.calculus.derive.trace_form import Pairing, paired, peel
from mcmodels.calculus.derive.vec_form import VEC_RULES, jacobian_of_linear
from mcmodels.calculus.text.printing import (
    latex,
    mathematics,
    tensor_latex,
    tensor_mathematics,
)

__all__ = ["Derivation", "Step", "derive"]


_COLLECT = Rule("collect", "terms that are alike, factors that are shared", "algebra")
_MULTIPLIED_OUT = Rule("multiply out", "α(A + B) = αA + αB", "algebra")
_FIRST = Rule("identification", "df = tr(Gᵀ dX) gives ∂f/∂X = G", f"{MN}, chapter 9")
_SECOND = Rule("identification", "vec dF = J vec dX gives ∂F/∂X = J", f"{MN}, chapter 9")


@dataclass(frozen=True, repr=False)
class Step:
    """One step of a derivation; printing it shows the rules and what they change.

    Attributes
    ----------
    rules : tuple of Rule
        The rules used: each has a ``name``, a ``statement`` and a ``source``.
    before, after : Expression
        Equal in value; in the step of an identification, ``after`` is the derivative that is read
        off ``before``.
    label : str
        What the line is about: ``"df"``, ``"∂f/∂x"``.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> derivation = (x.T @ A @ x).derivation(x)
    >>> print(derivation.steps[0])
    product: d(AB) = (dA)B + A dB  [Petersen & Pedersen (2012), (37)]
    df = d(xᵀAx)
       = (dx)ᵀAx + xᵀA dx
    """

    rules: tuple[Rule, ...]
    before: Expression
    after: Expression
    label: str

    @property
    def identifies(self) -> bool:
        """Whether a derivative is read off, rather than an expression rewritten."""
        return any(rule in (_FIRST, _SECOND) for rule in self.rules)

    @property
    def identifies_gradient(self) -> bool:
        """Whether a gradient is read off, from tr(Gᵀ dX)."""
        return _FIRST in self.rules

    @property
    def rule(self) -> str:
        """The names of the rules used."""
        return ", ".join(rule.name for rule in self.rules)

    def _lines(self, *, from_before: bool) -> Iterator[str]:
        """The formulas, a line each; ``before`` where it does not stand above already."""
        if self.identifies:
            yield f"{self.label} = {tensor_mathematics(self.after)}"
            return
        if from_before:
            yield f"{self.label} = {mathematics(self.before)}"
        yield f"{' ' * len(self.label)} = {mathematics(self.after)}"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.rules), *self._lines(from_before=True)])

    __repr__ = __str__

    def latex(self) -> str:
        """The step as an ``align*`` environment of LaTeX."""
        return _aligned(self._latex_rows("", from_before=True))

    def _latex_rows(self, number: str, *, from_before: bool) -> Iterator[str]:
        label, remark = _latex_label(self.label), rf"&& \text{{{number}{self.rule}}}"
        if self.identifies:
            yield rf"{label} &= {tensor_latex(self.after)} {remark}"
            return
        if from_before:
            yield rf"{label} &= {latex(self.before)}"
        yield rf"&= {latex(self.after)} {remark}"

    def _repr_latex_(self) -> str:
        return self.latex()


@dataclass(frozen=True, repr=False)
class Derivation:
    """A derivation, step by step; printing it shows the steps.

    Attributes
    ----------
    expression : Expression
        What is differentiated.
    variable : Expression
        By what.
    steps : tuple of Step
        Each step starts from what the one before ends with.
    result : Expression or Tensor
        The last line: gradient, Jacobian or Hessian.
    notes : tuple of str
        Where the derivative does not exist, and what is assumed.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> derivation = (x.T @ A @ x).derivation(x)
    >>> derivation.result
    (A + Aᵀ)x
    >>> derivation.check() < 1e-9
    True
    """

    expression: Expression
    variable: N.Symbol
    steps: tuple[Step, ...]
    result: Any
    notes: tuple[str, ...]

    def __str__(self) -> str:
        head = f"f = {mathematics(self.expression)}"
        lines = [f"{head}, by {tensor_mathematics(self.variable)} ({self.variable.described()})"]
        for i, step in enumerate(self.steps, 1):
            lines.append("")
            for j, rule in enumerate(step.rules):
                lines.append((f"{i:>2}. " if j == 0 else "    ") + str(rule))
            lines += [f"    {line}" for line in step._lines(from_before=self._starts_anew(i))]
        for note in self.notes:
            lines += ["", f"Note: {note}"]
        return "\n".join(lines)

    __repr__ = __str__

    def latex(self) -> str:
        """The steps as an ``align*`` environment of LaTeX."""
        return _aligned(
            row
            for i, step in enumerate(self.steps, 1)
            for row in step._latex_rows(f"{i}. ", from_before=self._starts_anew(i))
        )

    def _starts_anew(self, i: int) -> bool:
        """Whether step i, counted from 1, starts from something else than the last line."""
        return i == 1 or self.steps[i - 2].after != self.steps[i - 1].before

    def _repr_latex_(self) -> str:
        return self.latex()

    def check(self, seed: int = 0) -> float:
        """The largest error of any step, measured at random values.

        What stands before a step is compared with what stands after it; d's that are not yet
        carried out are taken by the complex step, which knows nothing of the rules.

        Parameters
        ----------
        seed : int, default=0
            Of the random values.

        Returns
        -------
        float
            Relative to the largest entry. About 1e-9 or less when right.

        Raises
        ------
        EvaluationError
            If no random values are found at which all lines are defined.
        """
        from mcmodels.calculus.study.checks import check_steps  # which needs NumPy

        return check_steps(self, seed)


def derive(f: Expression, x: Any, order: int = 1) -> Derivation:
    """The work of `Expression.derivation`."""
    if order not in (1, 2):
        raise DerivativeError(f"order is 1 or 2; found {order!r}")
    symbol = symbol_of(f, x)
    if order == 2 and not f.is_scalar:
        raise DerivativeError(f"order 2 derives the Hessian of a scalar; {f} is none")
    if isinstance(symbol, TensorSymbol) and (order == 2 or not f.is_scalar):
        raise DerivativeError(
            f"by the tensor {symbol.name} the gradient of a scalar is derived step by step; "
            "tensor_derivative gives all derivatives"
        )
    steps: list[Step] = []
    free, (variable,), stands_for = without_probability(f, symbol)
    if f.is_scalar:
        result = _derive_gradient(free, variable, steps)
        if order == 2:
            result = _derive_jacobian(result, variable, steps, "∇f")
    else:
        result = _derive_jacobian(free, variable, steps, "f")
    result = substitute(result, stands_for).within(f.known)
    notes = tuple(_notes(f, symbol, result))
    last = shaped(result, symbol.dims) if isinstance(symbol, TensorSymbol) else result
    return Derivation(free, variable, tuple(steps), last, notes)


def _derive_gradient(f: Expression, x: N.Symbol, steps: list[Step]) -> Expression:
    variables, dX = frozenset([x]), N.Differential(x)
    for rules, before, after in differential_steps(f, variables):
        steps.append(Step(tuple(rules), before, after, "df"))
    line = differential(f, variables)
    _connect(steps, line, "df")
    waiting: list[Rule] = []
    final = Pairing(arithmetic.zeros_like(dX), dX)
    for rules, pairings in peel(paired(line), dX):
        waiting += [rule for rule in rules if rule not in waiting]
        after = arithmetic.add([pairing.expression() for pairing in pairings])
        if after != line:
            steps.append(Step(tuple(waiting) or (_COLLECT,), line, after, "df"))
            line, waiting = after, []
        final = pairings[0]
    collected = simplify(final.C)
    mirrored = symmetrised(collected, x)
    G = simplify(mirrored)
    structure = structure_of(x)
    tied = _COLLECT if structure is None else structure.rule
    for rule, better in ((_COLLECT, collected), (tied, mirrored), (_COLLECT, G)):
        after = Pairing(better, dX).expression()
        if after != line:
            steps.append(Step((rule,), line, after, "df"))
            line = after
    steps.append(Step((_FIRST,), line, G, f"∂f/∂{tensor_mathematics(x)}"))
    return G


def _derive_jacobian(F: Expression, x: N.Symbol, steps: list[Step], name: str) -> Expression:
    variables, dX = frozenset([x]), N.Differential(x)
    for rules, before, after in differential_steps(F, variables):
        steps.append(Step(tuple(rules), before, after, f"d{name}"))
    dF = differential(F, variables)
    raw, J = jacobian_of_linear(dF, dX), jacobian(F, x)
    label = f"d{name}" if F.is_column else f"vec d{name}"
    _connect(steps, dF, f"d{name}")
    line = arithmetic.vec(dF)
    stages: list[tuple[tuple[Rule, ...], Expression]] = [
        (_vec_rules(dF, dX), raw),
        ((_COLLECT,), J),
    ]
    for used, matrix in stages:
        after = N.Product((matrix, arithmetic.vec(dX)))
        if after != line and not (used == (_COLLECT,) and matrix == raw):
            steps.append(Step(used, line, after, label))
            line = after
    by = mathematics(x)
    derivative = f"∂²f/∂{by}²" if name == "∇f" else f"∂f/∂{by}"
    steps.append(Step((_SECOND,), line, J, derivative))
    return J


def _connect(steps: list[Step], line: Expression, label: str) -> None:
    """Add a step to the next line, where the last step ends in another form of it."""
    if steps and not steps[-1].identifies and steps[-1].after != line:
        steps.append(Step((_MULTIPLIED_OUT,), steps[-1].after, line, label))


def _vec_rules(dF: Expression, dX: N.Differential) -> tuple[Rule, ...]:
    """The rules by which a linear map is written as a matrix, or that terms are collected."""
    rules: list[Rule] = []
    for part in parts_of(dF):
        rule = VEC_RULES.get(type(part))
        if rule is not None and dX in part.used and part.is_array and rule not in rules:
            rules.append(rule)
    return tuple(rules) or (_COLLECT,)


def _notes(f: Expression, x: N.Symbol, result: Expression) -> Iterator[str]:
    """Where the derivative does not exist, and what is assumed."""
    left = set(parts_of(result))
    for part in parts_of(f):
        if not part.depends_on(frozenset([x])):
            continue
        if isinstance(part, N.Elementwise) and FUNCTIONS[part.name].kink:
            yield f"{mathematics(part)} is not differentiable {FUNCTIONS[part.name].kink}"
        elif isinstance(part, N.Norm) and part in left:  # ‖x‖² has a derivative everywhere
            yield f"{mathematics(part)} is not differentiable where its argument is 0"
        elif isinstance(part, N.MatrixPower) and _is_negative(part.exponent):
            yield f"{mathematics(part)} takes for granted that the inverse exists"
        elif (note := _note_of_function(part)) is not None:
            yield f"{mathematics(part)} {note}"
        elif isinstance(part, N.Det | N.LogDet):
            inside = mathematics(part.argument)
            yield f"{mathematics(part)} takes for granted that {inside} is invertible"
    structure = structure_of(x)
    if structure is not None:
        yield f"{mathematics(x)} {structure.note}"
    if "orthogonal" in x.declared:
        yield f"{mathematics(x)} moves freely: that its columns stay orthonormal is not used"
    if "probability" in x.declared:
        yield f"{mathematics(x)} moves freely: that its entries sum to 1 is not used"


def _note_of_function(part: Expression) -> str | None:
    if isinstance(part, F.Pairwise):
        return f"is not differentiable {PAIRWISE[part.name].kink}"
    return _FUNCTION_NOTES.get(type(part))


_FUNCTION_NOTES: dict[type[Expression], str] = {
    F.Where: "need not be differentiable where the two sides of its condition are equal",
    F.Largest: "is not differentiable where the largest entry stands more than once",
    F.NuclearNorm: "is not differentiable where its argument has not full rank",
    F.Pinv: "takes for granted that the rank of its argument does not change",
    F.Eigenvalues: "is not differentiable where eigenvalues coincide",
}


def _is_negative(exponent: Expression) -> bool:
    return isinstance(exponent, N.Number) and exponent.value < 0


def _aligned(rows: Iterable[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _latex_label(label: str) -> str:
    return (
        label.replace("∂²", r"\partial^2 ")
        .replace("∂", r"\partial ")
        .replace("∇", r"\nabla ")
        .replace("²", "^2")
        .replace("vec ", r"\operatorname{vec} ")
    )
