"""A claim under examination: the right derivative, the points, and tests of what may explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.undefined import EvaluationError
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.arithmetic import parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.nodes import Differential, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, symbols_but_indices
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import gradient, symmetrised
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.derive.trace_form import paired, peel
from mcmodels.calculus.derive.vec_form import jacobian_of_linear
from mcmodels.calculus.study.doctor.deviations import Deviations, deviations
from mcmodels.calculus.study.doctor.differential_mistakes import (
    Contribution,
    Tree,
    contributions,
    is_long_sum,
)
from mcmodels.calculus.study.doctor.factors import USUAL, Quantity, ratios_of
from mcmodels.calculus.study.doctor.quantities import quantities_of
from mcmodels.calculus.study.doctor.samples import Sample, Tolerance
from mcmodels.calculus.study.doctor.terms import (
    Edit,
    Local,
    Variants,
    edited,
    expanded,
)
from mcmodels.calculus.study.instances import as_declared
from mcmodels.plain import np

__all__ = ["FACTOR_TOLERANCE", "Case", "Finding"]

T = TypeVar("T")

_DIRECTIONS = 2  # random ones in which differentials are compared
_HIGHEST = 30  # of a right derivative of which all are sought
_MOST_PARTS = 300  # of a right derivative of which all mistakes that explain a claim are sought
FACTOR_TOLERANCE = 1e-6  # relative, of a ratio; the closest simple ratios are 1/132 apart


@dataclass(frozen=True)
class Finding:
    """A mistake that gives exactly what was claimed.

    Attributes
    ----------
    words : str
        What was done, in this case.
    reproduced : Expression or None
        What the mistake gives.
    remedy : str
        What to do in this case; empty where the remedy of the mistake says it all.
    yields_to : frozenset of str
        The mistakes that are named in place of this one where they explain the case, too.
    """

    words: str
    reproduced: Expression | None
    remedy: str = ""
    yields_to: frozenset[str] = frozenset()


class Case:
    """An expression, a symbol, the right derivative, and a wrong one at some points.

    Parameters
    ----------
    f : Expression
    x : Symbol
    right : Expression
        The gradient of a scalar, else the Jacobian.
    samples : sequence of Sample
    tolerance : Tolerance
    seed : int
        Of the directions in which differentials are compared.

    Attributes
    ----------
    multiples : set of Fraction
        The usual factors by which answers that were tried differ from what was claimed.
    """

    def __init__(
        self,
        f: Expression,
        x: Symbol,
        right: Expression,
        samples: Sequence[Sample],
        tolerance: Tolerance,
        seed: int = 0,
    ) -> None:
        self.f, self.x, self.right = f, x, right
        self.samples, self.tolerance, self._seed = samples, tolerance, seed
        self.dX = Differential(x)
        self.multiples: set[Fraction] = set()
        self._found: dict[str, list[Any]] = {}
        self._derived: dict[str, list[Any]] = {}
        self._off_in: dict[bytes, bool] = {}
        self._differentials: dict[bytes, Expression] = {}
        rng = np.random.default_rng(seed)
        shape = samples[0].values[x].shape
        self._directions = [np.asarray(rng.standard_normal(shape)) for _ in range(_DIRECTIONS)]
        if "symmetric" in x.declared:
            self._directions = [E + E.T for E in self._directions]
        self._directions = [as_declared(x, E) for E in self._directions]
        self._known_along: list[dict[bytes, Array]] = [{} for _ in self._directions]

    @property
    def kind(self) -> str:
        """What the derivative is called."""
        return "gradient" if self.f.is_scalar else "Jacobian"

    @property
    def is_long(self) -> bool:
        """Whether f is a sum of so many terms that variants of the whole take too long to try."""
        return is_long_sum(self.f)

    @cached_property
    def is_large(self) -> bool:
        """Whether the first mistake that explains the claim must do."""
        return sum(1 for _ in parts_of(self.right)) > _MOST_PARTS or self.right.height > _HIGHEST

    @cached_property
    def df(self) -> Expression:
        """The differential, where only x varies."""
        return self.d(self.f)

    @cached_property
    def contributions(self) -> list[Contribution]:
        """What each rule adds to the differential."""
        return list(contributions(self._tree))

    @cached_property
    def _tree(self) -> Tree:
        return Tree(self.f, self.x, self._differentials)

    def outside(self, node: Expression, change: Expression) -> Expression:
        """The differential of f where only ``node``, a part of it, varies, by ``change``."""
        return self._tree.outside(node, change)

    def d(self, part: Expression) -> Expression:
        """The differential of a part of f."""
        return self._tree.d(part)

    def gradient(self, part: Expression) -> Expression:
        """The gradient of a scalar part of f."""
        return self.derived(f"gradient {part.key!r}", lambda case: [gradient(part, case.x)])[0]

    @cached_property
    def terms(self) -> list[Expression]:
        """The right derivative, multiplied out."""
        return expanded(self.right)

    @cached_property
    def quantities(self) -> list[Quantity]:
        """What factors may be made of: sizes, scalar symbols, scalar parts of the derivative."""
        return quantities_of(self.f, self.right, self.samples)

    @property
    def shape_is_right(self) -> bool:
        """Whether what was claimed has the right shape at all points."""
        return all(sample.claimed.shape == sample.right.shape for sample in self.samples)

    def derive(self, df: Expression) -> Expression:
        """The derivative that a differential identifies."""
        return simplify(self.derived_from(df))

    def derived_from(self, df: Expression) -> Expression:
        """The same derivative, not simplified."""
        if self.f.is_scalar:
            return symmetrised(self.derive_plain(df), self.x)
        return jacobian_of_linear(df, self.dX)

    def derive_plain(self, df: Expression) -> Expression:
        """The G of df = tr(Gᵀ dX), not made symmetric where X is."""
        *_, (_, (final,)) = peel(paired(df), self.dX)
        return final.C

    def divided(self, factor: Fraction) -> Case:
        """The same case, with the claim divided by a factor; what was derived is kept."""
        return self._claiming([s.claimed / float(factor) for s in self.samples])

    def turned(self) -> Case:
        """The same case, with the claim transposed."""
        return self._claiming([s.claimed.T for s in self.samples])

    def _claiming(self, claims: Sequence[Array]) -> Case:
        other = copy(self)
        other.samples = [
            replace(s, claimed=claim) for s, claim in zip(self.samples, claims, strict=True)
        ]
        other.multiples, other._found, other._off_in = set(), {}, {}
        for name in ("claimed_along", "_limits", "_deviations", "_deviations_along"):
            other.__dict__.pop(name, None)
        return other

    def once(self, name: str, work: Callable[[Case], Iterable[T]]) -> list[T]:
        """The result of ``work`` for this case, computed once."""
        if name not in self._found:
            self._found[name] = list(work(self))
        return self._found[name]

    def derived(self, name: str, work: Callable[[Case], Iterable[T]]) -> list[T]:
        """The same for work that does not ask what was claimed."""
        if name not in self._derived:
            self._derived[name] = list(work(self))
        return self._derived[name]

    def is_claimed(self, expression: Expression) -> bool:
        """Whether an expression has the claimed value at all points."""
        try:
            return all(self._agrees(sample, sample.value(expression)) for sample in self.samples)
        except EvaluationError:  # as the inverse of 11ᵀ
            return False

    def _agrees(self, sample: Sample, value: Array) -> bool:
        if not sample.differs(value, sample.claimed, self.tolerance):
            return True
        self._note_multiple([(sample.claimed, value)], [self.allowed(sample)])
        return False

    def _note_multiple(self, pairs: list[tuple[Array, Array]], allowed: list[float]) -> None:
        """Keep the factor by which a wrong answer misses what was claimed, where it is usual."""
        if sum(claimed.size for claimed, _ in pairs) < 2:
            return
        ratios = ratios_of(pairs, allowed)
        if ratios is not None:
            self.multiples |= {c for c in USUAL if abs(ratios[0] / c - 1) <= FACTOR_TOLERANCE}

    def is_claimed_after(self, change: Local) -> bool:
        """Whether the right derivative has the claimed value after a change of it."""
        return bool(change.changed) and self.is_claimed_with(change.removed, change.added)

    def is_claimed_with(self, term: Expression, changed: Expression) -> bool:
        """Whether the right derivative has the claimed value with one term changed."""
        try:
            with np.errstate(invalid="ignore"):  # what is infinite agrees with nothing
                return all(
                    self._agrees(sample, sample.right - sample.value(term) + sample.value(changed))
                    for sample in self.samples
                )
        except EvaluationError:
            return False

    def differs_from_right(self, expression: Expression) -> bool:
        """Whether an expression has another value than the right derivative at some point."""
        return any(
            sample.differs(sample.value(expression), sample.right, self.tolerance)
            for sample in self.samples
        )

    def along(self, df: Expression, by: Symbol | None = None) -> list[Array]:
        """The values of a differential in some directions, at the first point.

        It is one of x, or ``by`` another symbol of the same shape, which takes the directions.
        """
        first, dX = self.samples[0], self.dX if by is None else Differential(by)
        return [
            np.ravel(first.along(df, dX, E, known).T)
            for E, known in zip(self._directions, self._known_along, strict=True)
        ]

    def product_with(self, derivative: Array) -> list[Array]:
        """The products of a derivative with the same directions."""
        if self.f.is_scalar:
            first = self.samples[0].values[self.x].shape
            return [np.array([np.sum(derivative.reshape(first) * E)]) for E in self._directions]
        return [derivative.reshape(-1, E.size) @ E.T.reshape(-1) for E in self._directions]

    @cached_property
    def claimed_along(self) -> list[Array]:
        """The differential that was claimed, in the directions of `along`."""
        return self.product_with(self.samples[0].claimed)

    @cached_property
    def right_along(self) -> list[Array]:
        """The right differential in the same directions."""
        return self.product_with(self.samples[0].right)

    def identified(self, df: Expression) -> Expression | None:
        """The derivative that a wrong differential identifies, where it is the one claimed."""
        return self._identified(df, self.along(df))

    def identified_change(self, removed: Expression, added: Expression) -> Expression | None:
        """The same for the right differential with one part replaced."""
        values = [
            right - old + new
            for right, old, new in zip(
                self.right_along, self.along(removed), self.along(added), strict=True
            )
        ]
        if not self._close(values):
            return None
        return self._identified(arithmetic.add([self.df, scale(-1, removed), added]), values)

    def identified_within(
        self, node: Expression, removed: Expression, added: Expression
    ) -> Expression | None:
        """The same with one differential of a part of f replaced by another.

        What a scalar part adds to the differential is its own differential times a number, which
        is computed once, so that few wrong answers are put together.
        """
        if self.f.is_scalar and node.is_scalar and not indices_in(node):
            name = f"weight of {node.key!r}"
            (outer,) = self.derived(name, lambda case: [case.outside(node, number(1))])
            along = zip(self.right_along, self.along(removed), self.along(added), strict=True)
            weight = self.samples[0].number(outer)
            values = [right + weight * (new - old) for right, old, new in along]
            if np.isfinite(weight) and not self._close(values):
                return None
        return self.identified_change(*(self.outside(node, d) for d in (removed, added)))

    def _identified(self, df: Expression, values: list[Array]) -> Expression | None:
        if not self._close(values):
            return None
        derivative = self.derive(df)
        return derivative if self.is_claimed(derivative) else None

    def is_claimed_along(self, df: Expression, by: Symbol) -> bool:
        """Whether a differential by another symbol has the claimed values in some directions."""
        return self._close(self.along(df, by))

    @cached_property
    def _limits(self) -> list[float]:
        """How far differentials may be apart that count as equal, in each direction."""
        allowed = self.allowed(self.samples[0]) * 10
        return [allowed * max(1.0, float(np.abs(E).sum())) for E in self._directions]

    def _close(self, values: list[Array]) -> bool:
        if all(
            bool(np.abs(found - wanted).max() <= limit)
            for found, wanted, limit in zip(values, self.claimed_along, self._limits, strict=True)
        ):
            return True
        pair = (np.concatenate(self.claimed_along), np.concatenate(values))
        self._note_multiple([pair], [max(self._limits)])
        return False

    @cached_property
    def _deviations_along(self) -> Deviations:
        claimed, right = map(np.concatenate, (self.claimed_along, self.right_along))
        return deviations(claimed, right, max(self._limits))

    @cached_property
    def _deviations(self) -> Deviations:
        first = self.samples[0]
        return deviations(first.claimed, first.right, 2 * self.allowed(first))

    def may_be_off_along(self, df: Expression) -> bool:
        """Whether the right differential plus a multiple of this one may give the claim.

        The claim may also be off by a usual factor. This is asked of each term of a sum, before
        wrong answers are made.
        """
        return self._deviations_along.may_be_multiple_of(np.concatenate(self.along(df)))

    def may_be_off_in(self, term: Expression, part: Expression) -> bool:
        """Whether a change of a part of one term of the right derivative may give the claim.

        A scalar factor of the term changes its size alone, so that it is enough to look at
        multiples of the term.
        """
        array = parts(term)[2]
        if array is None or part.is_array:
            return True
        if symbols_but_indices(part) <= array.used and part.height < array.height:
            return True
        if term.key not in self._off_in:
            value = self.samples[0].value(term)
            self._off_in[term.key] = self._deviations.may_be_multiple_of(value)
        return self._off_in[term.key]

    def edits(self, variants: Variants, inside: bool = False) -> Iterator[Edit]:
        """The right derivative with one part edited, as in `edited`, where that may explain."""
        return edited(self.right, variants, inside, self.may_be_off_in)

    def other_functions(self, variants: Variants) -> Iterator[tuple[Edit, Expression]]:
        """Each f with one part edited whose right derivative is the one claimed, and that."""
        for edit in edited(self.f, variants):
            f = edit.result
            if f.shape != self.f.shape or self.x not in f.used:
                continue
            try:
                derivative = self.identified(differential(f, frozenset([self.x])))
            except EvaluationError:  # the other function is not defined at the points
                continue
            if derivative is not None:
                yield edit, derivative

    def allowed(self, sample: Sample) -> float:
        """How far two values may be apart at a point."""
        largest = max(
            float(np.abs(sample.right).max(initial=0)), float(np.abs(sample.claimed).max(initial=0))
        )
        return self.tolerance.relative * largest + self.tolerance.rounding * sample.largest_term
