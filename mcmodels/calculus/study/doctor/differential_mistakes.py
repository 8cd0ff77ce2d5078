"""Wrong differentials: a rule with one of its terms changed, and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    parts,
    power,
    scale,
    transpose,
    zeros_like,
)
from mcmodels.calculus.core.elementwise import FUNCTIONS, elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.nodes import Differential, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import exchanged, parts_of
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.rules import rule_of
from mcmodels.calculus.study.doctor.terms import Words, orders

__all__ = [
    "Change",
    "Contribution",
    "Tree",
    "contributions",
    "is_long_sum",
    "slope_by",
    "slope_in",
    "slope_of",
]

_HOLE = "hole_"  # the name of the symbol that stands for an inner differential

_LINEAR = (N.Sum, N.Scaled, N.Total, N.Trace, N.Transpose)  # no outer function of their parts

_MOST_TERMS = 8  # of a sum that is no long one

# Parts of what is put together for the contributions to the differential of a deep function, of
# which each takes as many as it is deep; and three times as many for wrong forms of them.
_MOST_VISITED = 15_000


def is_long_sum(f: Expression) -> bool:
    """Whether it has so many terms that not all pairs of mistakes in it are tried."""
    return isinstance(f, N.Sum) and len(f.children) > _MOST_TERMS


@dataclass(frozen=True)
class Change:
    """A wrong form of a rule.

    Attributes
    ----------
    mistake : str
    words : str or Words
        What went wrong.
    differential : Expression
        What stands for the differential of the part, as far as it comes from the child.
    remedy : str or Words
        What to do; empty where the name of the mistake tells it.
    """

    mistake: str
    words: str | Words
    differential: Expression
    remedy: str | Words = ""


@dataclass(frozen=True)
class Contribution:
    """What the differential of one part, within the rule of its parent, adds to df.

    Attributes
    ----------
    node, child : Expression
        The parent, and the part of it whose differential it is.
    """

    node: Expression
    child: Expression
    _tree: Tree
    _make_rule: Callable[[], Expression]

    @cached_property
    def _rule(self) -> Expression:
        """The rule of the parent, with a hole for the differential of the child."""
        return self._make_rule()

    @cached_property
    def differential(self) -> Expression:
        """The differential of the parent, as far as it comes from the child."""
        return self._filled(self._rule, self.inner)

    @cached_property
    def value(self) -> Expression:
        """What is added; it is linear in dx."""
        return self._tree.outside(self.node, self.differential)

    @property
    def inner(self) -> Expression:
        """The differential of the child."""
        return self._tree.d(self.child)

    @property
    def dx(self) -> Expression:
        """The differential of the variable."""
        return self._tree.dx

    @property
    def takes_dx(self) -> bool:
        """Whether dx may stand for the differential of the child, as where that is forgotten."""
        return self.child != self._tree.x and self.child.shape == self._tree.x.shape

    @property
    def is_in_long_sum(self) -> bool:
        """Whether there are so many others that two mistakes in one rule are not tried."""
        return is_long_sum(self._tree.f)

    @property
    def is_scalar(self) -> bool:
        """Whether its value, and that of any change of its rule, is a number times ``inner``.

        Of a child inside of a sum over an index it is not: there each term has a number of its own.
        """
        alone = all(part.is_scalar for part in (self._tree.f, self.node, self.child))
        return alone and not indices_in(self.child)

    @property
    def direction(self) -> Expression:
        """What the value is a multiple of: ``inner``, which is shorter, or the value itself."""
        return self.inner if self.is_scalar else self.value

    @property
    def is_too_deep(self) -> bool:
        """Whether it is left out, because so many others of a deep function have been made."""
        return "value" not in self.__dict__ and self._tree.visited > _MOST_VISITED

    @property
    def is_changed_too_often(self) -> bool:
        """Whether no more wrong forms of it are put together, of a deep function."""
        return self._tree.visited > 3 * _MOST_VISITED

    def varies(self, part: Expression) -> bool:
        """Whether a part depends on x."""
        return self._tree.x in part.used

    def changes(self) -> Iterator[Change]:
        """The same contribution as the mistakes of the chain and product rules give it."""
        tree = self._tree
        inner = tree.d(self.child)
        node, child, rule = self.node, self.child, self._rule
        for swapped in _swapped(rule, _hole(child)):
            yield Change(
                "product order",
                Words(
                    "in the differential of {} the factors stand in another order: it takes {} "
                    "for {}",
                    (node, partial(_readable, swapped, child), partial(_readable, rule, child)),
                ),
                self._filled(swapped, inner),
            )
        if child.is_square and child.is_array:
            yield Change(
                "mixed layout",
                Words("d({}) is transposed in the differential of {}", (child, node)),
                self._filled(rule, transpose(inner)),
            )
        if self.takes_dx:
            inside = "" if isinstance(node, _LINEAR) else "inner "
            yield Change(
                "chain rule",
                Words(
                    f"the {inside}derivative of {{}} is missing: d({{}}) is taken for {{}}",
                    (child, child, tree.dx),
                ),
                self._filled(rule, tree.dx),
                Words(
                    "multiply by {}",
                    (lambda: _named_derivative(child, slope_in(inner, tree.dx)),),
                ),
            )
        of_each = N.Elementwise | N.Power | N.Softmax
        if isinstance(node, of_each) and child.shape == node.shape:
            named = partial(_named_derivative, node, slope_by(node, child))
            yield Change(
                "chain rule",
                Words("the outer derivative is missing: d({}) is taken for d({})", (node, child)),
                inner,
                Words("multiply by {}", (named,)),
            )
        if isinstance(node, N.Elementwise | N.Power) and child.shape == node.shape:
            yield Change(
                "chain rule",
                Words("the function {} itself stands where its derivative should", (node,)),
                hadamard([node, inner]),
                Words("write {}, in the place of {}", (named, node)),
            )

    def _filled(self, rule: Expression, inner: Expression) -> Expression:
        return _filled(rule, self.child, inner)


def _filled(rule: Expression, child: Expression, inner: Expression) -> Expression:
    """The rule with an expression in its hole, whose indices are those of the sums around it."""
    return exchanged(rule, {_hole(child): inner})


def contributions(tree: Tree) -> Iterator[Contribution]:
    """The contributions to df, from the outermost rules inwards; of deep functions not all."""
    f, x = tree.f, tree.x
    for node in reversed([part for part in parts_of(f) if x in part.used]):
        if isinstance(node, Symbol | SumOver):  # of a sum, a rule has one term for each index
            continue
        if tree.visited > _MOST_VISITED:
            return
        for child, rule in tree.rule_terms(node):
            part = Contribution(node, child, tree, rule)
            if not part.is_scalar:
                part.value  # noqa: B018  # made now, as long as there are not too many
            yield part


class Tree:
    """An expression, and differentials of it in which parts are held constant.

    Parameters
    ----------
    f : Expression
    x : Symbol
    known : dict
        Differentials of parts, by their keys, to which others are added.
    """

    def __init__(self, f: Expression, x: Symbol, known: dict[bytes, Expression]) -> None:
        self.f, self.x, self.dx = f, x, Differential(x)
        self._parents: dict[bytes, list[Expression]] = {}
        for part in parts_of(f):
            for child in part.children:
                self._parents.setdefault(child.key, []).append(part)
        self._known = known
        self.visited = 0  # parts of what `outside` has put together

    def d(self, part: Expression) -> Expression:
        """The differential of a part, where only x varies."""
        return differential(part, frozenset([self.x]), self._known)

    def rule_terms(self, node: Expression) -> Iterator[tuple[Expression, Callable[[], Expression]]]:
        """The rule of a node, one inner differential at a time: which, and the rule with a hole."""
        if isinstance(node, N.Sum):  # of a long one, not all other terms are asked each time
            for child in node.children:
                if self.x in child.used:
                    yield child, partial(_hole, child)
            return
        asked: list[Expression] = []

        def record(child: Expression) -> Expression:
            asked.append(child)
            return zeros_like(child)

        def with_hole(position: int) -> Expression:
            count = iter(range(len(asked)))

            def one(part: Expression) -> Expression:
                return _hole(part) if next(count) == position else zeros_like(part)

            return rule_of(node).apply(node, one)

        if isinstance(node, N.Scaled):
            asked += node.children
        else:
            rule_of(node).apply(node, record)
        for position, child in enumerate(asked):
            if self.x in child.used:
                yield child, partial(with_hole, position)

    def outside(self, node: Expression, change: Expression) -> Expression:
        """The differential of the whole where only ``node`` varies, by ``change``."""
        known: dict[bytes, Expression] = {node.key: change}
        varying = self._around(node)

        def d(part: Expression) -> Expression:
            if part.key not in known:
                found = varied(part) if part.key in varying else zeros_like(part)
                known[part.key] = found
                self.visited += 1 + len(found.children)
            return known[part.key]

        def varied(part: Expression) -> Expression:
            if isinstance(part, N.Sum):  # of a long one, the other terms are left out
                return add([d(child) for child in part.children if child.key in varying])
            return rule_of(part).apply(part, d)

        return d(self.f)

    def _around(self, node: Expression) -> set[bytes]:
        """A part, all that it is in, by their keys."""
        found, waiting = {node.key}, [node.key]
        while waiting:
            for parent in self._parents.get(waiting.pop(), ()):
                if parent.key not in found:
                    found.add(parent.key)
                    waiting.append(parent.key)
        return found


def slope_of(node: Expression) -> Expression | None:
    """The derivative of an elementwise function or power by its argument; None for other nodes."""
    if isinstance(node, N.Elementwise):
        return as_expression(FUNCTIONS[node.name].derivative(node.argument, node))
    if isinstance(node, N.Power):
        return scale(node.exponent, power(node.base, add([node.exponent, number(-1)])))
    return None


def slope_by(node: Expression, child: Expression) -> Expression | None:
    """The same by one child: of a power by its exponent, too."""
    if isinstance(node, N.Power) and child == node.exponent != node.base:
        return hadamard([node, elementwise("log", node.base)])
    return slope_of(node)


def slope_in(d: Expression, dx: Expression) -> Expression | None:
    """The s of a differential d = s ∘ dx; None where it has another form."""
    coefficient, scalars, array = parts(d)
    if array == dx:
        return scale(coefficient, *scalars)
    if isinstance(array, N.Hadamard) and dx in array.children:
        rest = hadamard([child for child in array.children if child != dx])
        return None if dx in rest.used else scale(coefficient, *scalars, rest)
    return None


def _named_derivative(part: Expression, slope: Expression | None) -> str:
    of = f"the derivative of {part.mathematics()}"
    return of if slope is None else f"{slope.mathematics()}, {of}"


def _swapped(rule: Expression, hole: Differential) -> Iterator[Expression]:
    """The rule with the factors of one product around the hole in another order."""
    terms = list(rule.children) if isinstance(rule, N.Sum) else [rule]
    for i, term in enumerate(terms):
        coefficient, scalars, array = parts(term)
        products = [
            part
            for part in (*scalars, *([] if array is None else [array]))
            if isinstance(part, N.Product) and hole in part.used
        ]
        if len(products) != 1:
            continue
        chain = list(products[0].children)
        others = [part for part in (*scalars, array) if part not in (None, products[0])]
        if hole not in chain and transpose(hole) not in chain:
            continue
        for order in orders(chain):
            swapped = scale(coefficient, *others, matmul(order))
            yield add([*terms[:i], swapped, *terms[i + 1 :]])
    if len(terms) == 1:
        return
    merged = _as_for_numbers(terms, hole)
    if merged is not None:
        yield merged


def _as_for_numbers(terms: list[Expression], hole: Differential) -> Expression | None:
    """Every term with the hole at its end: the rule for numbers, applied to matrices."""
    result = []
    for term in terms:
        coefficient, scalars, array = parts(term)
        chain = list(array.children) if isinstance(array, N.Product) else [array]
        if hole not in chain or not all(c is not None and c.is_square for c in chain):
            return None
        rest = [c for c in chain if c is not None and c != hole]
        result.append(scale(coefficient, *scalars, matmul([*rest, hole])))
    return add(result)


def _readable(rule: Expression, child: Expression) -> str:
    text = child.mathematics()
    inner = f"d{text}" if isinstance(child, Symbol) else f"d({text})"
    return rule.mathematics().replace(_hole(child).mathematics(), inner)


def _hole(child: Expression) -> Differential:
    """What stands for the differential of a part until that is filled in."""
    return Differential(Symbol(_HOLE, child.rows, child.cols, frozenset()))
