"""NumPy code for each node: rows and columns are arrays of one dimension, scalars are floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mcmodels.calculus import nodes as N
from mcmodels.calculus.arithmetic import matmul, parts, scale, transpose
from mcmodels.calculus.compiling import chains
from mcmodels.calculus.compiling.applying import applied, two_dimensional
from mcmodels.calculus.compiling.code import Code, Text
from mcmodels.calculus.compiling.signs import is_nonnegative
from mcmodels.calculus.compiling.strands import sandwich
from mcmodels.calculus.elementwise import FUNCTIONS
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.numbers import Value
from mcmodels.calculus.printing.structure import fraction, is_half
from mcmodels.calculus.rewriting import parts_of
from mcmodels.calculus.sizes import ONE, Size

__all__ = ["Writer", "write_function"]


def write_function(expression: Expression, arguments: list[str], sizes: Mapping[str, int]) -> str:
    """The source of a function of the arguments, in the cheapest order for these sizes."""
    writer = Writer(expression, sizes)
    for symbol in sorted(expression.used, key=lambda s: s.name):
        if symbol.rows == ONE and symbol.is_array:
            writer.code.do(f"{symbol.name} = {symbol.name}[0]")
    result = writer.result(expression)
    text = str(result)
    if expression.rows == ONE and expression.is_array:
        text = f"{result.grouped}[np.newaxis, :]"
    body = [*writer.code.lines, f"return {text}"]
    imports = ["import numpy as np", *sorted(writer.code.imports)]
    indented = "\n".join(f"    {line}" for line in body)
    return "\n".join([*imports, "", "", f"def f({', '.join(arguments)}):", indented, ""])


_APPLIED = (N.DiagonalMatrix, N.Transpose, N.Kron, N.MatrixPower)  # seldom given a value


class Writer:
    """Writes the value of an expression, every part of it once."""

    def __init__(self, expression: Expression, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        names = {symbol.name for symbol in expression.used} | set(expression.size_names)
        self.code = Code(taken=names | {"np", "f"})
        self.known: dict[bytes, Text] = {}
        self.factored: dict[bytes, Text] = {}
        self.uses = _uses(expression)
        self.solves = _solves(expression)

    def value(self, e: Expression) -> Text:
        """Text for the value; what is used again gets a name."""
        if e.key in self.known:
            return self.known[e.key]
        flipped = transpose(e) if isinstance(e, N.Product) else None
        if flipped is not None and flipped.key in self.known:
            found = self.known[flipped.key]
            return found if _is_line(e) else found.transposed
        text = WRITERS[type(e)](self, e)
        plain = text.text.replace(".T", "").isidentifier()
        if not plain and e.children and (self.uses.get(e.key, 0) > 1 or isinstance(e, N.Product)):
            text = self.code.assign(text)
        self.known[e.key] = text
        return text

    def result(self, e: Expression) -> Text:
        """Text for the value that is returned, which needs no name."""
        return WRITERS[type(e)](self, e)

    def size(self, size: Size) -> str:
        """A size as code."""
        return str(size.value(self.sizes))


def _uses(expression: Expression) -> dict[bytes, int]:
    """How often the value of each part is asked for."""
    uses: dict[bytes, int] = {expression.key: 1}
    for part in reversed(list(parts_of(expression))):
        often = uses[part.key] if isinstance(part, _APPLIED) else 1
        for child in part.children:
            uses[child.key] = uses.get(child.key, 0) + often
    return uses


def _solves(expression: Expression) -> dict[bytes, int]:
    """How often each matrix is inverted by different products."""
    count: dict[bytes, int] = {}
    for part in parts_of(expression):
        for child in part.children:
            inner = child.children[0] if isinstance(child, N.Transpose) else child
            if chains.is_inverse(inner):
                key = inner.children[0].key
                count[key] = count.get(key, 0) + 1
    return count


def _is_line(e: Expression) -> bool:
    """Whether its array has one dimension."""
    return e.is_column or e.rows == ONE


def _number(value: Value) -> Text:
    if isinstance(value, Fraction) and value.denominator == 1:
        return Text(str(value.numerator), atom=value >= 0)
    return Text(repr(float(value)), atom=value >= 0)


# -- sums and multiples ----------------------------------------------------------------------------


def _sum(w: Writer, e: N.Sum) -> Text:
    """Dense terms first; multiples of the identity and diagonal matrices are added in place."""
    on_diagonal = [t for t in e.children if isinstance(parts(t)[2], N.Identity | N.DiagonalMatrix)]
    dense = [term for term in e.children if term not in on_diagonal]
    if not on_diagonal or not dense:
        return _plain_sum(w, list(e.children))
    if len(dense) > 1:
        total = w.code.assign(_plain_sum(w, dense))
    elif dense[0].key in w.known or w.uses.get(dense[0].key, 0) > 1 or not dense[0].children:
        total = w.code.assign(f"{w.value(dense[0]).grouped} + 0.0")
    else:
        text = WRITERS[type(dense[0])](w, dense[0])
        total = w.code.assign(text if text.fresh else f"{text.grouped} + 0.0")
    for term in on_diagonal:
        coefficient, scalars, array = parts(term)
        assert array is not None
        body = [array.children[0]] if isinstance(array, N.DiagonalMatrix) else []
        entries = w.value(scale(coefficient, *scalars, *body))
        w.code.do(f"{total}.flat[:: {total}.shape[0] + 1] += {entries}")
    return total


def _plain_sum(w: Writer, terms: list[Expression]) -> Text:
    text = ""
    filled = [isinstance(parts(term)[2], N.Ones) for term in terms]
    ordered = sorted(terms, key=lambda term: parts(term)[0] < 0)
    for term in ordered:
        coefficient, scalars, array = parts(term)
        if isinstance(array, N.Ones) and not all(filled):
            array = None
        body = scale(abs(coefficient), *scalars, *([] if array is None else [array]))
        value = w.value(body)
        piece = value.text if value.atom or "+" not in value.text else value.grouped
        negative = coefficient < 0
        if not text:
            text = f"-{value.grouped}" if negative else piece
        else:
            text += f" - {value.grouped}" if negative else f" + {piece}"
    return Text(text, atom=False, fresh=True)


def _scaled(w: Writer, e: N.Scaled) -> Text:
    above, below = fraction(e.scalars)
    array = e.array
    size = abs(e.coefficient)
    factors = [] if size == 1 else [_number(size)]
    factors += [w.value(factor) for factor in above]
    if isinstance(array, N.Kron) and factors and not _is_line(array):
        # The scalars meet the small factor, not the large product.
        inner = scale(e.coefficient, *e.scalars, array.left)
        return Text(f"np.kron({two_dimensional(w, inner)}, {two_dimensional(w, array.right)})")
    if array is not None:
        factors.append(w.value(array))
    text = " * ".join(factor.grouped for factor in factors) or "1.0"
    for factor in below:
        text += f" / {w.value(factor).grouped}"
    return Text(f"-{text}" if e.coefficient < 0 else text, atom=False, fresh=e.is_array)


def _hadamard(w: Writer, e: N.Hadamard) -> Text:
    above, below = fraction(e.children)
    text = " * ".join(_spread(w, factor) for factor in above) or "1.0"
    for factor in below:
        text += f" / {_spread(w, factor)}"
    return Text(text, atom=False, fresh=True)


def _spread(w: Writer, factor: Expression) -> str:
    """A factor of an elementwise product; u1ᵀ is broadcast rather than formed."""
    if isinstance(factor, N.Product) and not _is_line(factor):
        first, last = factor.children[0], factor.children[-1]
        if isinstance(last, N.Ones) and last.rows == ONE:
            return f"{w.value(matmul(factor.children[:-1])).grouped}[:, np.newaxis]"
        if isinstance(first, N.Ones) and first.is_column:
            return f"{w.value(matmul(factor.children[1:])).grouped}[np.newaxis, :]"
    return w.value(factor).grouped


def _power(w: Writer, e: N.Power) -> Text:
    base = w.value(e.base)
    if isinstance(e.exponent, N.Number):
        exponent = e.exponent.value
        if is_half(exponent):
            return Text(f"np.sqrt({base})", fresh=True)
        if exponent < 0:
            return Text(f"1 / {w.value(fraction((e,))[1][0]).grouped}", atom=False, fresh=True)
        return Text(f"{base.grouped} ** {_number(exponent).grouped}", atom=False, fresh=True)
    return Text(f"{base.grouped} ** {w.value(e.exponent).grouped}", atom=False, fresh=True)


# -- products --------------------------------------------------------------------------------------


def _product(w: Writer, e: N.Product) -> Text:
    special = sandwich(w, e.children) or _as_square(w, e)
    if special is not None:
        return special
    return _ordered(w, list(e.children), chains.best_order(e.children, w.sizes))


def _as_square(w: Writer, e: N.Product) -> Text | None:
    """Pᵀ D P with no negative entry in D as RᵀR with R = √D P: half the work, and symmetric."""
    c = e.children
    half, odd = divmod(len(c), 2)
    if not all(transpose(c[i]) == c[-1 - i] for i in range(half)):
        return None
    middle = c[half] if odd else None
    if middle is not None and not (
        isinstance(middle, N.DiagonalMatrix) and is_nonnegative(middle.argument)
    ):
        return None
    right = c[half + odd :]
    inner, cols = right[0].rows.value(w.sizes), right[-1].cols.value(w.sizes)
    cost = chains.cost_of_order(right, w.sizes) + inner * cols**2 / 2
    if cost > chains.cost_of_order(c, w.sizes):
        return None
    R = w.value(matmul(right))
    if middle is not None:
        root = f"np.sqrt({w.value(middle.children[0])})"
        line = _is_line(matmul(right))
        scaled = f"{root} * {R}" if line else f"{root}[:, np.newaxis] * {R}"
        R = w.code.assign(Text(scaled, False, True))
    if e.is_scalar:
        return Text(f"{R} @ {R}", atom=False)
    if right[0].rows == ONE:
        return Text(f"np.outer({R}, {R})", fresh=True)
    return Text(f"{R.transposed} @ {R}", atom=False, fresh=True)


def _ordered(w: Writer, factors: list[Expression], tree: chains.Tree) -> Text:
    """The product in the order of the tree."""
    if isinstance(tree, int):
        return w.value(factors[tree])
    left, right = tree
    first = factors[left] if isinstance(left, int) else None
    second = factors[right] if isinstance(right, int) else None
    left_shape, right_shape = _interval(factors, left), _interval(factors, right)
    if first is not None and chains.is_special(first):
        other = _named(w, factors, right)
        done = applied(w, first, other, _is_line(right_shape))
        if done is not None:
            return done
    if second is not None and chains.is_special(second):
        other = _named(w, factors, left)
        line = _is_line(left_shape)
        flipped = other if line else other.transposed
        done = applied(w, transpose(second), flipped, line)
        if done is not None:
            return done if line else done.transposed
    a, b = _named(w, factors, left), _named(w, factors, right)
    if left_shape.is_column and right_shape.rows == ONE:
        return Text(f"np.outer({a}, {b})", fresh=True)
    return Text(f"{a.grouped} @ {b.grouped}", atom=False, fresh=True)


def _interval(factors: list[Expression], tree: chains.Tree) -> Expression:
    """The factors that a tree spans, as one product."""
    first, last = tree, tree
    while not isinstance(first, int):
        first = first[0]
    while not isinstance(last, int):
        last = last[1]
    return factors[first] if first == last else N.Product(factors[first : last + 1])


def _named(w: Writer, factors: list[Expression], tree: chains.Tree) -> Text:
    """The product of a tree under a name that equal products share."""
    if isinstance(tree, int):
        return w.value(factors[tree])
    key = _interval(factors, tree).key
    if key not in w.known:
        w.known[key] = w.code.assign(_ordered(w, factors, tree))
    return w.known[key]


def _trace(w: Writer, e: N.Trace) -> Text:
    """tr(AB) as the sum of A∘Bᵀ, without the product."""
    argument = e.argument
    if not isinstance(argument, N.Product):
        return Text(f"np.trace({w.value(argument)})")
    c = argument.children
    k = chains.best_split(c, w.sizes)
    left, right = matmul(c[:k]), transpose(matmul(c[k:]))
    a, b = w.value(left), w.value(right)
    if _is_line(left):
        return Text(f"{a.grouped} @ {b.grouped}", atom=False)
    return Text(f"np.vdot({a}, {b})")


def _total(w: Writer, e: N.Total) -> Text:
    argument = e.argument
    if isinstance(argument, N.Hadamard) and len(argument.children) == 2:
        a, b = (w.value(child) for child in argument.children)
        return Text(f"np.vdot({a}, {b})")
    return Text(f"np.sum({w.value(argument)})")


def _norm(w: Writer, e: N.Norm) -> Text:
    return Text(f"np.linalg.norm({w.value(e.argument)})")


# -- inverses and determinants -----------------------------------------------------------------------


def _matrix_power(w: Writer, e: N.MatrixPower) -> Text:
    base = w.value(e.base)
    if not isinstance(e.exponent, N.Number):
        return Text(f"np.linalg.matrix_power({base}, int({w.value(e.exponent)}))", fresh=True)
    if e.exponent.value == -1:
        return Text(f"np.linalg.inv({base})", fresh=True)
    return Text(f"np.linalg.matrix_power({base}, {e.exponent.value})", fresh=True)


def _logdet(w: Writer, e: N.LogDet) -> Text:
    return Text(f"np.linalg.slogdet({w.value(e.argument)})[1]")


# -- functions ---------------------------------------------------------------------------------------


def _elementwise(w: Writer, e: N.Elementwise) -> Text:
    stable = _stable_log(w, e) if e.name == "log" else None
    if stable is not None:
        return stable
    code = FUNCTIONS[e.name].code
    if "expit" in code:
        w.code.use("from scipy.special import expit")
    return Text(code.format(w.value(e.argument)), fresh=True)


def _stable_log(w: Writer, e: N.Elementwise) -> Text | None:
    """log σ(z) and log softmax(z), which must not be the logarithm of an underflow."""
    inner = e.argument
    if isinstance(inner, N.Elementwise) and inner.name == "sigmoid":
        return Text(f"-np.logaddexp(0, -{w.value(inner.argument).grouped})", False, True)
    if isinstance(inner, N.Softmax):
        z, total = w.value(inner.argument), w.value(N.LogSumExp(inner.argument))
        if not inner.is_column:
            total = Text(f"{total.grouped}[:, np.newaxis]")
        return Text(f"{z.grouped} - {total.grouped}", False, True)
    return None


def _softmax(w: Writer, e: N.Softmax) -> Text:
    z = w.value(e.argument)
    over = "" if e.argument.is_column else "axis=1, keepdims=True"
    exponentials = w.code.assign(f"np.exp({z.grouped} - np.max({z}{', ' + over if over else ''}))")
    return Text(f"{exponentials} / {exponentials}.sum({over})", False, True)


def _logsumexp(w: Writer, e: N.LogSumExp) -> Text:
    z = w.value(e.argument)
    if e.argument.is_column:
        top = w.code.assign(f"np.max({z})")
        return Text(f"{top} + np.log(np.sum(np.exp({z.grouped} - {top})))", False)
    top = w.code.assign(f"np.max({z}, axis=1)")
    inside = f"np.exp({z.grouped} - {top}[:, np.newaxis])"
    return Text(f"{top} + np.log(np.sum({inside}, axis=1))", False, True)


def _transpose(w: Writer, e: N.Transpose) -> Text:
    inner = w.value(e.argument)
    return inner if _is_line(e) else inner.transposed


def _ones(name: str) -> Callable[[Writer, Any], Text]:
    def write(w: Writer, e: Expression) -> Text:
        if _is_line(e):
            length = w.size(e.rows if e.is_column else e.cols)
            return Text(f"np.{name}({length})", fresh=True)
        return Text(f"np.{name}(({w.size(e.rows)}, {w.size(e.cols)}))", fresh=True)

    return write


def _unit(w: Writer, e: N.Unit) -> Text:
    name = w.code.assign(f"np.zeros({w.size(e.rows)})")
    w.code.do(f"{name}[{e.index}] = 1")
    return name


def _formed(w: Writer, e: Expression) -> Text:
    """A matrix of zeros and ones, as a product with the identity."""
    done = applied(w, e, Text(f"np.eye({w.size(e.cols)})"), False)
    assert done is not None
    return done


def _diagonal_matrix(w: Writer, e: N.DiagonalMatrix) -> Text:
    return Text(f"np.diag({w.value(e.argument)})", fresh=True)


def _diagonal(w: Writer, e: N.Diagonal) -> Text:
    argument = e.argument
    if isinstance(argument, N.Product):
        c = argument.children
        k = chains.best_split(c, w.sizes)
        a, b = matmul(c[:k]), matmul(c[k:])
        if not (_is_line(a) or _is_line(b)):
            return Text(f"np.einsum('ij,ji->i', {w.value(a)}, {w.value(b)})", fresh=True)
    return Text(f"np.diagonal({w.value(argument)})")


def _vec(w: Writer, e: N.Vec) -> Text:
    return Text(f"{w.value(e.argument).grouped}.ravel(order='F')")


def _unvec(w: Writer, e: N.Unvec) -> Text:
    shape = f"({w.size(e.rows)}, {w.size(e.cols)})"
    return Text(f"{w.value(e.argument).grouped}.reshape({shape}, order='F')")


def _kron(w: Writer, e: N.Kron) -> Text:
    if _is_line(e):
        return Text(f"np.kron({w.value(e.left)}, {w.value(e.right)})", fresh=True)
    return Text(f"np.kron({two_dimensional(w, e.left)}, {two_dimensional(w, e.right)})", fresh=True)


def _blocks(w: Writer, e: Expression, subscripts: str, inner: Expression) -> Text:
    C, other = e.children
    r, c = (other.rows, other.cols) if isinstance(e, N.BlockSum) else (e.rows, e.cols)
    p, q = (e.rows, e.cols) if isinstance(e, N.BlockSum) else (other.rows, other.cols)
    shape = ", ".join(w.size(size) for size in (r, p, c, q))
    text = f"np.einsum('{subscripts}', {two_dimensional(w, C)}.reshape({shape}), {two_dimensional(w, other)})"
    if e.is_scalar:
        return Text(f"{text}[0, 0]")
    return Text(f"{text}.ravel()" if _is_line(e) else text, fresh=True)


Write = Callable[[Writer, Any], Text]

WRITERS: dict[type[Expression], Write] = {
    N.Symbol: lambda w, e: Text(e.name),
    N.Differential: lambda w, e: Text(e.name),
    N.Number: lambda w, e: _number(e.value),
    N.SizeValue: lambda w, e: Text(str(w.sizes[e.name])),
    N.Identity: lambda w, e: Text(f"np.eye({w.size(e.rows)})", fresh=True),
    N.Zeros: _ones("zeros"),
    N.Ones: _ones("ones"),
    N.Unit: _unit,
    N.Commutation: _formed,
    N.DiagonalSelection: _formed,
    N.Sum: _sum,
    N.Scaled: _scaled,
    N.Product: _product,
    N.Hadamard: _hadamard,
    N.Power: _power,
    N.MatrixPower: _matrix_power,
    N.Transpose: _transpose,
    N.Elementwise: _elementwise,
    N.Trace: _trace,
    N.Det: lambda w, e: Text(f"np.linalg.det({w.value(e.argument)})"),
    N.LogDet: _logdet,
    N.Norm: _norm,
    N.Total: _total,
    N.DiagonalMatrix: _diagonal_matrix,
    N.Diagonal: _diagonal,
    N.Vec: _vec,
    N.Unvec: _unvec,
    N.Kron: _kron,
    N.Softmax: _softmax,
    N.LogSumExp: _logsumexp,
    N.BlockSum: lambda w, e: _blocks(w, e, "ipjq,ij->pq", e),
    N.BlockTrace: lambda w, e: _blocks(w, e, "ipjq,pq->ij", e),
}
