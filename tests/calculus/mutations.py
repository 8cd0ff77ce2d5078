"""Wrong gradients made of right ones: a corpus of planted mistakes for the gradient doctor.

Nothing here knows of the doctor. A mistake is planted by an edit of the tree of the right gradient,
of the differential, or of the expression before it is differentiated, or in the numbers.

Two mistakes may give the same wrong values (where a matrix is symmetric, or two terms are equal).
`equivalent_kinds` lists, for a planted mistake, all kinds whose mutants of the same identity have
the same values at a random point; to name one of these is as right as to name the planted one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, permutations
from typing import Any

import numpy as np

from mcmodels.calculus import size, trace
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of, substitute, with_children
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import symmetrised
from mcmodels.calculus.derive.trace_form import paired, peel
from mcmodels.calculus.derive.vec_form import jacobian_of_linear
from mcmodels.calculus.study.instances import random_instance
from tests.calculus.mutated_identities import IDENTITIES, SQUARE, symbols


@dataclass(frozen=True)
class Mutant:
    """A wrong gradient.

    ``change`` turns the values of the right gradient into the claimed ones where no formula does.
    """

    identity: str
    kind: str
    what: str
    claimed: Expression | None
    change: Callable[[np.ndarray], np.ndarray] | None = None
    place: str = ""

    def value(self, instance: Any) -> np.ndarray:
        _, _, right = derived(self.identity)
        if self.claimed is None:
            assert self.change is not None
            return self.change(value_of(right, instance))
        return value_of(self.claimed, instance)


def value_of(expression: Expression, instance: Any) -> np.ndarray:
    """The value in its natural shape, symbols being found by name."""
    values, sizes = instance
    by_name = {symbol.name: array for symbol, array in values.items()}
    with np.errstate(all="ignore"):
        array = walk(expression, {s: by_name[s.name] for s in expression.used}, sizes)
    return array.reshape([size.value(sizes) for size in natural_shape(expression)])


def natural_shape(expression: Expression) -> list[Any]:
    sizes = [expression.rows, expression.cols]
    return [] if expression.is_scalar else sizes[:1] if expression.is_column else sizes


@cache
def derived(identity: str) -> tuple[Expression, Expression, Expression]:
    """The expression, the variable, and the right derivative."""
    build, name = IDENTITIES[identity]
    s = symbols()
    f, x = build(s), getattr(s, name)
    return f, x, f.gradient(x) if f.is_scalar else f.jacobian(x)


@cache
def instance_of(identity: str) -> Any:
    """A random point for comparing values, not one of those that the doctor draws."""
    f, _, right = derived(identity)
    s = symbols()
    everything = [f, right, *(getattr(s, symbol.name) for symbol in f.symbols)]
    return random_instance(everything, seed=4321)


# -- edits of trees ------------------------------------------------------------------------------


def places(expression: Expression) -> Iterator[tuple[tuple[int, ...], Expression]]:
    """Every occurrence of a part, with the path to it."""
    yield (), expression
    for i, child in enumerate(expression.children):
        for path, part in places(child):
            yield (i, *path), part


def replaced(expression: Expression, path: tuple[int, ...], new: Expression) -> Expression:
    if not path:
        return new
    children = list(expression.children)
    children[path[0]] = replaced(children[path[0]], path[1:], new)
    return with_children(expression, children)


def product_of(factors: Any) -> Expression:
    result = factors[0]
    for factor in factors[1:]:
        result = result @ factor
    return result


def elementwise_product_of(factors: Any) -> Expression:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def total_of(terms: Any) -> Expression:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def identified(df: Expression, f: Expression, x: Expression) -> Expression:
    dX = N.Differential(x)
    if not f.is_scalar:
        return jacobian_of_linear(df, dX)
    *_, (_, (final,)) = peel(paired(df), dX)
    return symmetrised(final.C, x)


LINEAR = (N.Sum, N.Scaled, N.Product, N.Transpose)


def stands_linear(expression: Expression, path: tuple[int, ...]) -> bool:
    for i in path:
        if not isinstance(expression, LINEAR):
            return False
        expression = expression.children[i]
    return True


# -- the kinds -----------------------------------------------------------------------------------

Planted = Iterator[tuple[str, Expression]]


def factors(identity: str) -> Planted:
    f, _, right = derived(identity)
    for c in (2, 0.5, -1, 3, -2, 0.25):
        yield f"times {c}", c * right
    for name in sorted(f.size_names):
        yield f"times {name}", size(name) * right
        yield f"over {name}", right / size(name)
        yield f"twice over {name}", 2 * right / size(name)
    if "lam" in {symbol.name for symbol in f.symbols}:
        yield "times lam", symbols().lam * right


def transposed(identity: str) -> Planted:
    yield "transposed", derived(identity)[2].T


def assumed_symmetric(identity: str) -> Planted:
    build, name = IDENTITIES[identity]
    used = {symbol.name for symbol in derived(identity)[0].symbols}
    for A in SQUARE:
        if A in used:
            s = symbols(A)
            f, x = build(s), getattr(s, name)
            wrong = f.gradient(x) if f.is_scalar else f.jacobian(x)
            # Who takes A for symmetric writes A or Aᵀ as it comes.
            symmetric, general = getattr(s, A), getattr(symbols(), A)
            yield f"{A} symmetric", substitute(wrong, {symmetric: general})
            yield f"{A} symmetric, as {A}ᵀ", substitute(wrong, {symmetric: general.T})


def dropped(identity: str) -> Planted:
    _, _, right = derived(identity)
    for path, part in places(right):
        if isinstance(part, N.Sum):
            for i, term in enumerate(part.children):
                rest = [*part.children[:i], *part.children[i + 1 :]]
                yield f"without {term}", replaced(right, path, total_of(rest))
    f, x, _ = derived(identity)
    df = differential(f, frozenset([x]))
    if isinstance(df, N.Sum):
        for i, term in enumerate(df.children):
            rest = [*df.children[:i], *df.children[i + 1 :]]
            yield f"df without {term}", identified(total_of(rest), f, x)


def signs(identity: str) -> Planted:
    _, _, right = derived(identity)
    for path, part in places(right):
        if isinstance(part, N.Sum):
            for i, term in enumerate(part.children):
                rest = [*part.children[:i], *part.children[i + 1 :]]
                yield f"minus {term}", replaced(right, path, total_of([*rest, -term]))


def term_factors(identity: str) -> Planted:
    _, _, right = derived(identity)
    for path, part in places(right):
        if isinstance(part, N.Sum) and stands_linear(right, path):
            for i, term in enumerate(part.children):
                rest = [*part.children[:i], *part.children[i + 1 :]]
                for c in (2, 0.5, 3):
                    yield f"{c} times {term}", replaced(right, path, total_of([*rest, c * term]))


def product_orders(identity: str) -> Planted:
    f, x, right = derived(identity)
    dX = N.Differential(x)
    df = differential(f, frozenset([x]))
    for path, part in places(df):
        if isinstance(part, N.Product) and dX in part.used:
            for i, (left, other) in enumerate(pairwise(part.children)):
                if left.is_square and other.is_square and dX in left.used | other.used:
                    chain = [*part.children[:i], other, left, *part.children[i + 2 :]]
                    changed = replaced(df, path, product_of(chain))
                    yield f"d: {part} as {product_of(chain)}", identified(changed, f, x)
    for path, part in places(right):
        if isinstance(part, N.Product):
            for i, (left, other) in enumerate(pairwise(part.children)):
                if left.is_square and other.is_square:
                    chain = [*part.children[:i], other, left, *part.children[i + 2 :]]
                    yield f"{part} as {product_of(chain)}", replaced(right, path, product_of(chain))


def trace_orders(identity: str) -> Planted:
    f, x, _ = derived(identity)
    df = differential(f, frozenset([x]))
    for source in (f, df):
        for path, part in places(source):
            if not (isinstance(part, N.Trace) and isinstance(part.argument, N.Product)):
                continue
            chain = part.argument.children
            for order in permutations(range(len(chain))):
                first = order.index(0)
                turned = [*order[first:], *order[:first]]
                other = [chain[i] for i in order]
                fits = all(a.cols == b.rows for a, b in pairwise([*other, other[0]]))
                if turned == sorted(turned) or not fits:
                    continue
                changed = replaced(source, path, trace(product_of(other)))
                change = changed if source is df else differential(changed, frozenset([x]))
                yield f"{part} as {trace(product_of(other))}", identified(change, f, x)


def mixed_layouts(identity: str) -> Planted:
    _, _, right = derived(identity)
    for path, part in places(right):
        if isinstance(part, N.Product):
            for i, factor in enumerate(part.children):
                if factor.is_square and factor.is_array:
                    chain = [*part.children[:i], factor.T, *part.children[i + 1 :]]
                    yield f"{factor} transposed", replaced(right, path, product_of(chain))
        if isinstance(part, N.Sum) and part.is_square and part.is_array:
            for i, term in enumerate(part.children):
                rest = [*part.children[:i], *part.children[i + 1 :]]
                yield f"{term} transposed", replaced(right, path, total_of([*rest, term.T]))
        if isinstance(part, N.Symbol) and part.is_square and part.is_array:
            yield f"{part} transposed at {path}", replaced(right, path, part.T)
            yield f"{part} transposed", substitute(right, {part: part.T})


def chain_rules(identity: str) -> Planted:
    f, x, _ = derived(identity)
    dX = N.Differential(x)
    if not f.is_scalar:
        return
    df = differential(f, frozenset([x]))
    for path, part in places(df):
        if isinstance(part, N.Hadamard) and dX in part.used:
            for i, slope in enumerate(part.children):
                if x in slope.used and dX not in slope.used:
                    rest = [*part.children[:i], *part.children[i + 1 :]]
                    without = elementwise_product_of(rest)
                    yield f"{part} without {slope}", identified(replaced(df, path, without), f, x)
    for part in parts_of(f):
        if part in (f, x) or x not in part.used or isinstance(part, N.Transpose):
            continue
        if part.is_scalar:
            continue
        u = N.Symbol("u", part.rows, part.cols, frozenset())
        outer = substitute(f, {part: u})
        if x not in outer.used:
            yield f"by {part}", substitute(outer.gradient(u), {u: part})


def rules_for_numbers(identity: str) -> Planted:
    """d(X⁻¹) as −X⁻² dX or −dX X⁻², and the transposes of what this gives."""
    f, x, _ = derived(identity)
    dX = N.Differential(x)
    df = differential(f, frozenset([x]))
    for path, part in places(df):
        if not isinstance(part, N.Product):
            continue
        for i, (left, middle, right) in enumerate(
            zip(part.children, part.children[1:], part.children[2:], strict=False)
        ):
            if left != right or not isinstance(left, N.MatrixPower) or dX not in middle.used:
                continue
            for chain in ((middle, left, right), (left, right, middle)):
                factors = [*part.children[:i], *chain, *part.children[i + 3 :]]
                changed = identified(replaced(df, path, product_of(factors)), f, x)
                yield f"d: {left}² d", changed
                if changed.is_square:
                    yield f"d: {left}² d, transposed", changed.T


def not_symmetrised(identity: str) -> Planted:
    """The gradient by a symmetric matrix as the differential has it, and its transpose."""
    f, x, _ = derived(identity)
    if f.is_scalar and "symmetric" in x.declared:
        df = differential(f, frozenset([x]))
        *_, (_, (final,)) = peel(paired(df), N.Differential(x))
        yield "not symmetrised", final.C
        yield "not symmetrised, transposed", final.C.T


def other_variables(identity: str) -> Planted:
    f, x, _ = derived(identity)
    for symbol in f.symbols:
        if symbol != x and natural_shape(symbol) == natural_shape(x) and f.is_scalar:
            yield f"by {symbol}", f.gradient(symbol)


FORMULAS = {
    "factor": factors,
    "transposed layout": transposed,
    "assumed symmetric": assumed_symmetric,
    "dropped term": dropped,
    "sign of a term": signs,
    "factor of a term": term_factors,
    "product order": product_orders,
    "trace order": trace_orders,
    "symmetric convention": not_symmetrised,
    "rule for numbers": rules_for_numbers,
    "mixed layout": mixed_layouts,
    "chain rule": chain_rules,
    "another variable": other_variables,
}


def numeric_mutants(identity: str) -> Iterator[Mutant]:
    """Mistakes in the numbers: places, and shapes."""

    def at(index: Any, change: Callable[[Any], Any]) -> Callable[[np.ndarray], np.ndarray]:
        def changed(right: np.ndarray) -> np.ndarray:
            result = right.copy()
            result[index] = change(result[index])
            return result

        return changed

    _, _, right = derived(identity)
    everything = slice(None)
    if right.is_scalar:
        return
    if right.is_column:
        for place, index in (("entry 0", 0), ("entry 2", 2), ("entry -1", -1)):
            yield Mutant(identity, "wrong entries", place, None, at(index, lambda v: v + 1), place)
        yield Mutant(identity, "wrong shape", "as a column", None, lambda g: g[:, None])
        yield Mutant(identity, "transposed layout", "as a row", None, lambda g: g[None, :])
        return
    for place, index, change in (
        ("row 1", (1, everything), lambda v: v + 1),
        ("column 2", (everything, 2), lambda v: 2 * v + 1),
        ("entry (0, 1)", (0, 1), lambda v: v + 1),
        ("row 0", (0, everything), lambda v: v - 3),
    ):
        yield Mutant(identity, "wrong entries", place, None, at(index, change), place)
    if right.is_square:
        yield Mutant(
            identity, "wrong entries", "diagonal", None,
            lambda g: g + np.eye(len(g)), "the diagonal",
        )  # fmt: skip
    yield Mutant(identity, "wrong shape", "stacked", None, lambda g: g.T.ravel())


@cache
def all_mutants(identity: str) -> tuple[Mutant, ...]:
    """All mutants of an identity whose values are not the right ones."""
    _, _, right = derived(identity)
    instance = instance_of(identity)
    expected = value_of(right, instance)
    found = []
    for kind, planted in FORMULAS.items():
        for what, claimed in planted(identity):
            found.append(Mutant(identity, kind, what, claimed))
    found.extend(numeric_mutants(identity))
    return tuple(mutant for mutant in found if not equal(mutant.value(instance), expected))


def equal(a: np.ndarray, b: np.ndarray) -> bool:
    # Both are formulas at one point, so rounding alone separates equal ones: 1e-12 times the
    # condition of small random matrices.
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-8, atol=1e-9 * np.abs(b).max(initial=1))


def equivalent_kinds(mutant: Mutant) -> set[str]:
    instance = instance_of(mutant.identity)
    value = mutant.value(instance)
    others = all_mutants(mutant.identity)
    return {other.kind for other in others if equal(other.value(instance), value)}


def corpus(seed: int, most: int = 2) -> list[Mutant]:
    """For each identity, up to ``most`` mutants of each kind, drawn at random."""
    rng = np.random.default_rng(seed)
    chosen = []
    for identity in IDENTITIES:
        by_kind: dict[str, list[Mutant]] = {}
        for mutant in all_mutants(identity):
            by_kind.setdefault(mutant.kind, []).append(mutant)
        for mutants in by_kind.values():
            count = min(most, len(mutants))
            chosen += [mutants[i] for i in sorted(rng.choice(len(mutants), count, replace=False))]
    return chosen
