"""Random well-shaped expressions over all nodes.

Every production below builds an expression of a wanted shape from smaller ones, so that whatever is
drawn is well shaped; domains are kept by building what must be positive, or invertible, as such.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import assume
from hypothesis import strategies as st

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.named_numbers import pi
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ONE, Size
from tests.calculus.domains import inside

NAMES = ("m", "n", "p")
SIZES = tuple(Size.of(name) for name in NAMES)
DEEPEST = 6


# -- symbols -------------------------------------------------------------------------------------


def _text(size: Size) -> str:
    return str(size).replace("*", "")


def symbols(rows: Size, cols: Size) -> list[Expression]:
    """The symbols of a shape, those with declarations last."""
    if rows == cols == ONE:
        return [mc.scalar("a"), mc.scalar("b")]
    if cols == ONE:
        names = [f"x_{_text(rows)}", f"y_{_text(rows)}"]
        probability = mc.vector(f"q_{_text(rows)}", rows, probability=True)
        return [*(mc.vector(name, rows) for name in names), probability]
    shape = f"{_text(rows)}_{_text(cols)}"
    found = [mc.matrix(f"{name}_{shape}", rows, cols) for name in "AB"]
    if rows == cols:
        found.append(mc.matrix(f"S_{shape}", rows, cols, symmetric=True))
        found.append(mc.matrix(f"P_{shape}", rows, cols, positive_definite=True))
    return found


# -- productions ---------------------------------------------------------------------------------

Build = Callable[["Grower", Size, Size, int], Expression]


@dataclass(frozen=True)
class Production:
    """A way to build an expression of a shape, where it can be built so."""

    name: str
    applies: Callable[[Size, Size], bool]
    build: Build

    @property
    def family(self) -> str:
        if self.applies is not _any:
            return "structure"
        return "arithmetic" if not self.name.isalpha() else "elementwise"


class Grower:
    """Draws expressions of a wanted shape."""

    def __init__(self, draw: Callable) -> None:
        self.draw = draw
        # With one size and few symbols, factors meet that cancel, join or are transposes.
        self.narrow = self.one_of([False, True])

    def one_of(self, options):
        return self.draw(st.sampled_from(options))

    def size(self) -> Size:
        m, n, p = SIZES
        return self.one_of([n] if self.narrow else [n, m, n, n, m, p])

    def shape(self) -> tuple[Size, Size]:
        """The shape of an array, rarely one with a product of sizes."""
        kind = self.one_of(["column", "matrix", "square", "matrix", "square", "row", "large"])
        m, n = self.size(), self.size()
        return {
            "column": (m, ONE),
            "row": (ONE, m),
            "matrix": (m, n),
            "square": (m, m),
            "large": self.one_of([(m * n, ONE), (m * n, m), (n, m * n), (m * n, m * n)]),
        }[kind]

    def leaf(self, rows: Size, cols: Size) -> Expression:
        first, *others = symbols(rows, cols)
        options = [first, *others, first, first, None]
        if self.narrow:
            options = [first, first, first, None]
        if self.narrow and rows == cols != ONE:
            options += others[-2:]
        found = self.one_of(options)
        return self._constant(rows, cols) if found is None else found

    def _constant(self, rows: Size, cols: Size) -> Expression:
        if rows == cols == ONE:
            return as_expression(self.one_of([2, 0.5, -3, 1.25, 0, pi]))
        options = [mc.ones(rows, cols), mc.ones(rows, cols), mc.zeros(rows, cols)]
        if rows == cols:
            options.append(mc.eye(rows))
        if rows == cols and len(rows.names) == 2:
            options.append(mc.commutation(*_halves(rows)))
        if cols == ONE:
            options.append(mc.unit(self.one_of([0, -1]), rows))
        return self.one_of(options)

    def grow(self, rows: Size, cols: Size, depth: int, leaf: bool = True) -> Expression:
        """An expression of the shape, of at most this depth."""
        if depth <= 1:
            return self.leaf(rows, cols)
        families = _families(rows, cols)
        family = self.one_of(_FAMILIES[0 if leaf else 1 :])
        if family == "leaf":
            return self.leaf(rows, cols)
        return self.one_of(families[family]).build(self, rows, cols, depth - 1)

    def positive(self, rows: Size, cols: Size, depth: int) -> Expression:
        z = self.grow(rows, cols, depth)
        return self.one_of(
            [
                lambda: z**2 + 0.5,
                lambda: mc.exp(z),
                lambda: mc.abs(z) + 0.5,
                lambda: mc.softplus(z),
                lambda: mc.sigmoid(z),
                lambda: z * z + 1,
            ]
        )()

    def invertible(self, size: Size, depth: int) -> Expression:
        Z = self.grow(size, size, depth)
        return self.one_of(
            [
                lambda: Z,
                lambda: Z.T @ Z + mc.eye(size),
                lambda: Z @ Z.T + symbols(size, size)[-1],
                lambda: symbols(size, size)[-1],
                lambda: Z + 3 * mc.eye(size),
            ]
        )()


_FAMILIES = ["leaf", "elementwise", *["arithmetic"] * 4, *["structure"] * 6]


def _any(rows: Size, cols: Size) -> bool:
    return True


def _array(rows: Size, cols: Size) -> bool:
    return (rows, cols) != (ONE, ONE)


def _scalar(rows: Size, cols: Size) -> bool:
    return rows == cols == ONE


def _column(rows: Size, cols: Size) -> bool:
    return cols == ONE != rows


def _simple_column(rows: Size, cols: Size) -> bool:
    return _column(rows, cols) and len(rows.names) == 1


def _matrix(rows: Size, cols: Size) -> bool:
    return ONE not in (rows, cols)


def _simple_matrix(rows: Size, cols: Size) -> bool:
    return _matrix(rows, cols) and len(rows.names) == len(cols.names) == 1


def _square(rows: Size, cols: Size) -> bool:
    return rows == cols != ONE


def _long_column(rows: Size, cols: Size) -> bool:
    return _column(rows, cols) and len(rows.names) == 2


def _large(rows: Size, cols: Size) -> bool:
    return max(len(rows.names), len(cols.names)) == 2


def _halves(size: Size) -> tuple[Size, Size]:
    """The two sizes that a product is made of."""
    first, second, *_ = [*(Size.of(name) for name in size.names), ONE, ONE]
    return first, second


def _elementwise(name: str) -> Production:
    function = getattr(mc, name)
    return Production(name, _any, lambda g, r, c, d: function(g.grow(r, c, d)))


def _of_shape(function: Callable) -> Build:
    return lambda g, r, c, d: function(g.grow(*g.shape(), d))


def _of_square(function: Callable) -> Build:
    def build(g: Grower, r: Size, c: Size, d: int) -> Expression:
        size = g.size()
        return function(g.grow(size, size, d))

    return build


def _of_invertible(function: Callable) -> Build:
    return lambda g, r, c, d: function(g.invertible(g.size(), d))


def _product(g: Grower, r: Size, c: Size, d: int) -> Expression:
    middle = g.one_of([*SIZES, *([] if _scalar(r, c) else [ONE])])
    if middle == ONE and ONE in (r, c):
        middle = SIZES[0]
    return g.grow(r, middle, d) @ g.grow(middle, c, d)


def _quadratic_form(g: Grower, r: Size, c: Size, d: int) -> Expression:
    n = g.size()
    x = g.grow(n, ONE, d - 1)
    return x.T @ g.grow(n, n, d) @ x


def _entry(g: Grower, r: Size, c: Size, d: int) -> Expression:
    rows, cols = g.shape()
    i, j = g.one_of([0, -1]), g.one_of([0, -1])
    array = g.grow(rows, cols, d)
    return array[i] if array.is_column else array[i, j]


def _number(g: Grower) -> float:
    return g.one_of([2, -1, 0.5, -3, 1.5])


def _kron(g: Grower, r: Size, c: Size, d: int) -> Expression:
    (r1, r2), (c1, c2) = _halves(r), _halves(c)
    if c2 == ONE and g.one_of([False, True]):
        c1, c2 = c2, c1
    if r2 == ONE and g.one_of([False, True]):
        r1, r2 = r2, r1
    return mc.kron(g.grow(r1, c1, d), g.grow(r2, c2, d))


def _commuted(g: Grower, r: Size, c: Size, d: int) -> Expression:
    m, n = _halves(r)
    return mc.commutation(m, n) @ g.grow(r, c, d)


def _kron_form(g: Grower, r: Size, c: Size, d: int) -> Expression:
    m, n = g.size(), g.size()
    left, right = g.grow(m, n, d - 1), g.grow(m, n, d - 1)
    return mc.vec(left).T @ g.grow(m * n, m * n, d) @ mc.vec(right)


def _diagonal_placed(g: Grower, r: Size, c: Size, d: int) -> Expression:
    return mc.diagonal_selection(r).T @ mc.vec(g.grow(r, r, d))


def _unvec(g: Grower, r: Size, c: Size, d: int) -> Expression:
    return mc.unvec(g.grow(r * c, ONE, d), r, c)


def _block_sum(g: Grower, r: Size, c: Size, d: int) -> Expression:
    m, n = g.size(), g.one_of([ONE, *SIZES])
    return mc.block_sum(g.grow(m * r, n * c, d), g.grow(m, n, d))


def _block_trace(g: Grower, r: Size, c: Size, d: int) -> Expression:
    m, n = g.size(), g.one_of([ONE, *SIZES])
    return mc.block_trace(g.grow(r * m, c * n, d), g.grow(m, n, d))


def _gram(g: Grower, size: Size, d: int) -> Expression:
    Z = g.grow(size, g.size(), d)
    return Z @ Z.T


def _special(name: str) -> Production:
    function = getattr(mc, name)
    return Production(name, _any, lambda g, r, c, d: function(inside(name, g.grow(r, c, d))))


def _of_two(name: str) -> Production:
    def build(g: Grower, r: Size, c: Size, d: int) -> Expression:
        other = g.one_of([(r, c), (ONE, ONE)])
        return getattr(mc, name)(g.grow(r, c, d), g.grow(*other, d))

    return Production(name, _any, build)


def _where(g: Grower, r: Size, c: Size, d: int) -> Expression:
    z = g.grow(*g.one_of([(r, c), (ONE, ONE)]), d)
    condition = g.one_of([lambda: z > 0, lambda: z <= g.grow(r, c, d - 1)])()
    return mc.where(condition, g.grow(r, c, d), g.grow(r, c, d - 1))


def _eigenvalues(g: Grower, r: Size, c: Size, d: int) -> Expression:
    return mc.eigvalsh(symbols(r, r)[-1] + _gram(g, r, d))


MORE_ELEMENTWISE = (
    *("log1p", "expm1", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh"),
    *("arctanh", "erf", "erfc", "norm_cdf", "norm_pdf", "norm_logcdf", "inverse_mills", "gammaln"),
    *("digamma", "gelu"),
)


def _end_of_stack(g: Grower, r: Size, c: Size, d: int) -> Expression:
    first = g.size()
    return mc.tanh(mc.vstack([g.grow(first, c, d), g.grow(r, c, d)]))[first:]


def _first_columns(g: Grower, r: Size, c: Size, d: int) -> Expression:
    return mc.sin(mc.hstack([g.grow(r, c, d), g.grow(r, g.size(), d)]))[:, :c]


PRODUCTIONS = (
    Production("+", _any, lambda g, r, c, d: g.grow(r, c, d) + g.grow(r, c, d)),
    Production("-", _any, lambda g, r, c, d: g.grow(r, c, d) - g.grow(r, c, d)),
    Production("number", _any, lambda g, r, c, d: _number(g) * g.grow(r, c, d)),
    Production("scalar", _any, lambda g, r, c, d: g.grow(ONE, ONE, d) * g.grow(r, c, d)),
    Production("broadcast", _array, lambda g, r, c, d: g.grow(ONE, ONE, d) + g.grow(r, c, d)),
    Production("+ column", _matrix, lambda g, r, c, d: g.grow(r, c, d) + g.grow(r, ONE, d)),
    Production("row -", _matrix, lambda g, r, c, d: g.grow(ONE, c, d) - g.grow(r, c, d)),
    Production("* column", _matrix, lambda g, r, c, d: g.grow(r, c, d) * g.grow(r, ONE, d)),
    Production("/ row", _matrix, lambda g, r, c, d: g.grow(r, c, d) / g.positive(ONE, c, d - 1)),
    Production("*", _array, lambda g, r, c, d: g.grow(r, c, d) * g.grow(r, c, d)),
    Production("/", _any, lambda g, r, c, d: g.grow(r, c, d) / g.positive(r, c, d - 1)),
    Production("/ scalar", _any, lambda g, r, c, d: g.grow(r, c, d) / g.positive(ONE, ONE, d - 1)),
    Production("**", _any, lambda g, r, c, d: g.grow(r, c, d) ** g.one_of([2, 3, -1, -2])),
    Production(
        "** fraction",
        _any,
        lambda g, r, c, d: g.positive(r, c, d - 1) ** g.one_of([0.5, -0.5, 1.5, 0.3]),
    ),
    Production(
        "** scalar", _any, lambda g, r, c, d: g.positive(r, c, d - 1) ** g.grow(ONE, ONE, d - 1)
    ),
    Production("number **", _any, lambda g, r, c, d: 2 ** g.grow(r, c, d)),
    Production("log", _any, lambda g, r, c, d: mc.log(g.positive(r, c, d - 1))),
    Production("sqrt", _any, lambda g, r, c, d: mc.sqrt(g.positive(r, c, d - 1))),
    *(
        _elementwise(name)
        for name in ("exp", "sin", "cos", "tanh", "abs", "sigmoid", "softplus", "relu")
    ),
    *(_special(name) for name in MORE_ELEMENTWISE),
    Production("polygamma", _any, lambda g, r, c, d: mc.polygamma(1, g.positive(r, c, d - 1))),
    *(_of_two(name) for name in ("maximum", "minimum", "hypot")),
    Production("where", _any, _where),
    Production("amax", _scalar, _of_shape(mc.amax)),
    Production("norm 1", _scalar, _of_shape(lambda z: mc.norm(z, 1))),
    Production("norm inf", _scalar, _of_shape(lambda z: mc.norm(z, "inf"))),
    Production("trace of expm", _scalar, _of_square(lambda z: mc.trace(mc.expm(mc.tanh(z))))),
    Production("largest eigenvalue", _scalar, _of_square(lambda z: mc.eigvalsh(z + z.T)[-1])),
    Production("sign", _any, lambda g, r, c, d: mc.sign(g.grow(r, c, d)) * g.grow(r, c, d)),
    Production("step", _any, lambda g, r, c, d: mc.step(g.grow(r, c, d)) * g.grow(r, c, d)),
    Production(".T", _array, lambda g, r, c, d: g.grow(c, r, d).T),
    Production("@", _any, _product),
    Production("quadratic form", _scalar, _quadratic_form),
    Production("form in vec", _scalar, _kron_form),
    Production("sum", _scalar, _of_shape(mc.sum)),
    Production("norm of vech", _scalar, _of_square(lambda Z: mc.norm(mc.vech(Z)))),
    Production("sum of a slice", _scalar,
               lambda g, r, c, d: mc.sum(g.grow(g.size(), ONE, d)[1:] ** 2)),
    Production("mean", _scalar, _of_shape(mc.mean)),
    Production("norm", _scalar, _of_shape(mc.norm)),
    Production("trace", _scalar, _of_square(mc.trace)),
    Production("trace of a product", _scalar,
               lambda g, r, c, d: mc.trace(_product(g, *(2 * (g.size(),)), d))),
    Production("det", _scalar, _of_square(mc.det)),
    Production("logdet", _scalar, _of_invertible(mc.logdet)),
    Production("entry", _scalar, _entry),
    Production("logsumexp", _scalar, lambda g, r, c, d: mc.logsumexp(g.grow(g.size(), ONE, d))),
    Production("sum axis=1", _column, lambda g, r, c, d: mc.sum(g.grow(r, g.size(), d), axis=1)),
    Production("sum axis=0", _column, lambda g, r, c, d: mc.sum(g.grow(g.size(), r, d), axis=0)),
    Production("mean axis=0", _column, lambda g, r, c, d: mc.mean(g.grow(g.size(), r, d), axis=0)),
    Production("norm axis=1", _column,
               lambda g, r, c, d: mc.norm(g.positive(r, g.size(), d - 1), axis=1)),
    Production("logsumexp axis=0", _column,
               lambda g, r, c, d: mc.logsumexp(g.grow(g.size(), r, d), axis=0)),
    Production("slice", _simple_column, _end_of_stack),
    Production("diagonal", _column, lambda g, r, c, d: mc.diag(g.grow(r, r, d))),
    Production("softmax", _column, lambda g, r, c, d: mc.softmax(g.grow(r, ONE, d))),
    Production(
        "logsumexp axis=1", _column, lambda g, r, c, d: mc.logsumexp(g.grow(r, g.size(), d), axis=1)
    ),
    Production(
        "solve", _simple_column, lambda g, r, c, d: mc.inv(g.invertible(r, d)) @ g.grow(r, c, d)
    ),
    Production("column", _column, lambda g, r, c, d: g.grow(r, g.size(), d)[:, g.one_of([0, -1])]),
    Production("row", _column, lambda g, r, c, d: g.grow(g.size(), r, d)[g.one_of([0, -1]), :]),
    Production("vec", _long_column, lambda g, r, c, d: mc.vec(g.grow(*_halves(r), d))),
    Production("commutation", _long_column, _commuted),
    Production("diagonal selection", _simple_column, _diagonal_placed),
    Production("softmax axis=1", _matrix, lambda g, r, c, d: mc.softmax(g.grow(r, c, d), axis=1)),
    Production("softmax axis=0", _matrix, lambda g, r, c, d: mc.softmax(g.grow(r, c, d), axis=0)),
    Production("slice of columns", _simple_matrix, _first_columns),
    Production("outer", _matrix, lambda g, r, c, d: g.grow(r, ONE, d) @ g.grow(c, ONE, d).T),
    Production("tril", _square, lambda g, r, c, d: mc.tril(g.grow(r, c, d))),
    Production("triu", _square, lambda g, r, c, d: mc.triu(g.grow(r, c, d))),
    Production("inv", _square, lambda g, r, c, d: mc.inv(g.invertible(r, d))),
    Production(
        "matrix_power",
        _square,
        lambda g, r, c, d: mc.matrix_power(g.invertible(r, d), g.one_of([2, 3, -2])),
    ),
    Production("eigenvalues", _simple_column, _eigenvalues),
    Production("pinv", _simple_matrix, lambda g, r, c, d: mc.pinv(g.grow(c, r, d))),
    Production("diagonal matrix", _square, lambda g, r, c, d: mc.diag(g.grow(r, ONE, d))),
    Production("unvec", _simple_matrix, _unvec),
    Production("block_sum", _simple_matrix, _block_sum),
    Production("block_trace", _simple_matrix, _block_trace),
    Production("kron", _large, _kron),
)  # fmt: skip


def _families(rows: Size, cols: Size) -> dict[str, list[Production]]:
    """The productions that fit a shape, by family, so that no family drowns the others."""
    key = (rows, cols)
    if key not in _FITTING:
        _FITTING[key] = {"arithmetic": [], "elementwise": [], "structure": []}
        for production in PRODUCTIONS:
            if production.applies(rows, cols):
                _FITTING[key][production.family].append(production)
    return _FITTING[key]


_FITTING: dict[tuple[Size, Size], dict[str, list[Production]]] = {}


# -- strategies ----------------------------------------------------------------------------------


@st.composite
def expressions(draw, rows: Size | None = None, cols: Size = ONE, deepest: int = DEEPEST):
    """An expression of the shape (any, where none is wanted), of depth 3 to ``deepest``."""
    grower = Grower(draw)
    if rows is None:
        rows, cols = grower.shape()
    try:
        return grower.grow(rows, cols, draw(st.integers(3, deepest)), leaf=False)
    except ValueError as error:
        assume("zero" not in str(error))  # 1/0 and the inverse of zeros are refused when built
        raise


def scalar_expressions(deepest: int = DEEPEST):
    return expressions(ONE, ONE, deepest)
