"""Whether a function is convex or concave: proved from its structure, or refuted by a witness."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from mcmodels.calculus.core.arithmetic import add, is_zero, scale, total
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nesting import NestingError, refuses_depth
from mcmodels.calculus.core.nodes import Scaled, Sum, Symbol, Total
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.rule import DerivativeError
from mcmodels.calculus.study.convexity.composition import Composition
from mcmodels.calculus.study.convexity.constants import constant_is_definite
from mcmodels.calculus.study.convexity.curvature import AFFINE, CONCAVE, CONVEX, Curvature
from mcmodels.calculus.study.convexity.ranges import Ranges
from mcmodels.calculus.study.convexity.smoothness import bounded_below, is_smooth
from mcmodels.calculus.study.convexity.witness import Bend, Witness, find_witness

__all__ = ["Bend", "Convexity", "Witness", "convexity", "proved_without_witness"]


@dataclass(frozen=True, repr=False, eq=False)
class Convexity:
    """What is known of the convexity of a function; printing it says so in words.

    Attributes
    ----------
    kind : {"convex", "concave", "affine", "neither", "unknown"}
        "affine" is both convex and concave.
    reason : str
        What proves it; of "unknown", the part of which nothing is known.
    hessian : Expression or None
        The Hessian, where its structure proves it.
    witness : Witness or None
        Of "neither", where the function bends up and where down.
    where : str or None
        Of "neither" and "unknown", what would make it convex or concave, where that is known.

    Examples
    --------
    >>> from mcmodels.calculus import convexity, exp, sum, vector
    >>> x = vector("x", "n")
    >>> found = convexity(sum(exp(x)), x)
    >>> found.kind
    'convex'
    >>> print(found)
    convex: by composition
    """

    kind: str
    reason: str
    hessian: Expression | None = None
    witness: Witness | None = None
    where: str | None = None

    @property
    def is_convex(self) -> bool:
        """Whether it is proved to be convex."""
        return self.kind in ("convex", "affine")

    @property
    def is_concave(self) -> bool:
        """Whether it is proved to be concave."""
        return self.kind in ("concave", "affine")

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}" + (f"; {self.where}" if self.where else "")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


Hessian = Callable[[Expression], Expression | None]

# Terms of Hessians, beyond which conditions are no longer searched for.
_MOST_DERIVED = 150


@refuses_depth
def convexity(f: Expression, x: Any, *, nonnegative: Iterable[Any] = ()) -> Convexity:
    """Whether a scalar function is convex or concave in a symbol, for all values of the others.

    Parameters
    ----------
    f : Expression
        A scalar.
    x : Expression or str
        The symbol that varies, or its name.
    nonnegative : iterable of Expression or str, default=()
        Symbols, or their names, whose entries are at least 0. ``x`` may be one of them.

    Returns
    -------
    Convexity
        "convex", "concave" and "affine" are proved, and "neither" has a witness: points at which
        the function bends up and down, for the same values of the other symbols. "unknown" means
        that neither a proof nor a witness was found.

    Raises
    ------
    DerivativeError
        If ``f`` is no scalar, or ``x`` no symbol, or declared orthogonal.

    Notes
    -----
    The set of ``x`` is where the function is defined, and what is declared of ``x`` holds. A
    function that is not defined on a convex set, as 1/x², is neither convex nor concave; where
    there is no witness to that, the answer is "unknown".

    First the rules of composition are tried. Where they do not decide, the Hessian is derived, and
    proved to be semidefinite where it is a sum of XᵀDX with D ≥ 0, of Kronecker products of
    semidefinite matrices, or of diag(s) − ssᵀ with shares s. This counts only for functions that
    are twice differentiable on a convex set. A witness is checked by second differences of
    values, without derivatives.

    References
    ----------
    Boyd and Vandenberghe (2004), *Convex Optimization*, chapter 3. Grant, Boyd and Ye (2006),
    "Disciplined Convex Programming".

    Examples
    --------
    >>> from mcmodels.calculus import convexity, matrix, norm, scalar, vector
    >>> w, y, X, lam = vector("w", "p"), vector("y", "n"), matrix("X", "n", "p"), scalar("lam")
    >>> convexity(norm(X @ w - y) ** 2, w)
    convex: by composition
    >>> convexity(w.T @ X.T @ X @ w - y.T @ X @ w, w)
    convex: by composition: wᵀXᵀXw is convex, −yᵀXw is affine
    >>> ridge = norm(X @ w - y) ** 2 + lam * norm(w) ** 2
    >>> convexity(ridge, w, nonnegative=[lam])
    convex: by composition: ‖Xw − y‖² is convex, λ‖w‖² is convex
    """
    f, symbol, signed = _asked(f, x, nonnegative)
    hessian = _hessians(f, symbol)
    found = _proved(f, symbol, signed, hessian)
    if found.kind != "unknown":
        return found
    witness = find_witness(f, symbol, signed, hessian(f))
    if witness is not None:
        found = Convexity("neither", _told(symbol, witness), witness=witness)
    return replace(found, where=_condition(f, symbol, signed, hessian))


@refuses_depth
def proved_without_witness(f: Expression, x: Any, *, nonnegative: Iterable[Any] = ()) -> Convexity:
    """As :func:`convexity`, but "unknown" where only a witness could tell; in a few milliseconds.

    For callers that look for a witness in their own data.
    """
    f, symbol, signed = _asked(f, x, nonnegative)
    return _proved(f, symbol, signed, _hessians(f, symbol))


def _asked(
    f: Expression, x: Any, nonnegative: Iterable[Any]
) -> tuple[Expression, Symbol, frozenset[Symbol]]:
    """The function, the symbol that varies, and those of at least 0; checked."""
    f = as_expression(f)
    gradients.require_scalar(f)
    symbol = gradients.symbol_of(f, x)
    if "orthogonal" in symbol.declared:
        raise DerivativeError(
            f"{symbol.name!r} is declared orthogonal, and orthogonal matrices are no convex set; "
            "leave the declaration out"
        )
    if isinstance(nonnegative, str | Expression):
        nonnegative = [nonnegative]
    return f, symbol, frozenset(gradients.symbol_of(f, given) for given in nonnegative)


def _hessians(f: Expression, x: Symbol) -> Hessian:
    """Hessians of parts of f, each derived once; None where there is none, or none is worth it."""
    derived = 0

    @cache  # the same for all that may be assumed of the other symbols
    def hessian(part: Expression) -> Expression | None:
        nonlocal derived
        derived += len(_terms(part))
        if derived > _MOST_DERIVED and part != f:
            return None
        try:
            return gradients.hessian(part, x, x)
        except (DerivativeError, NestingError):
            return None

    return hessian


def _proved(
    f: Expression, x: Symbol, nonnegative: frozenset[Symbol], hessian: Hessian
) -> Convexity:
    plain = Composition(x, Ranges(nonnegative))
    bounded = bounded_below(f, plain)
    composition = Composition(x, Ranges({*nonnegative, *bounded}))
    terms = _terms(f)
    each = [composition.of(term) for term in terms]
    found = frozenset.intersection(*each)
    if found:
        return Convexity(_kind(found), _by_composition(terms, each))
    # The Hessian of what composition leaves open decides, or that of all terms together.
    left = [term for term, found in zip(terms, each, strict=True) if not found]
    rest = [found for found in each if found]
    for smooth, others in ((left, rest), (terms, [])):
        for sign, kind in ((1, CONVEX), (-1, CONCAVE)):
            if smooth and all(found >= kind for found in others):
                H = _semidefinite(add(smooth), x, composition, sign, hessian)
                if H is not None:
                    linear = is_zero(H) and all(found >= AFFINE for found in others)
                    proved = _kind(AFFINE if linear else kind)
                    return Convexity(proved, _by_hessian(smooth, others, H, sign), H)
    part = composition.unknown[0] if composition.unknown else f
    what = "it" if part == f else part.mathematics()
    return Convexity("unknown", f"no rule says whether {what} is convex or concave")


def _terms(f: Expression) -> list[Expression]:
    """The terms of a sum, also of a sum of all entries of one."""
    if isinstance(f, Sum):
        return [part for term in f.terms for part in _terms(term)]
    if isinstance(f, Total) and isinstance(f.argument, Sum):
        return [part for term in f.argument.terms for part in _terms(total(term))]
    if isinstance(f, Scaled) and len(f.scalars) == 1 and f.array is None:
        inside = _terms(f.scalars[0])
        return [f] if len(inside) == 1 else [scale(f.coefficient, term) for term in inside]
    return [f]


def _semidefinite(
    f: Expression, x: Symbol, composition: Composition, sign: int, hessian: Hessian
) -> Expression | None:
    """The Hessian, where f is smooth and it, or its negative, is proved to be semidefinite."""
    if x not in f.used or not is_smooth(f, composition):
        return None
    H = hessian(f)
    if H is None:
        return None
    proved = composition.ranges.definite(H, sign) or constant_is_definite(H, sign)
    return H if proved else None


def _by_composition(terms: list[Expression], each: list[Curvature]) -> str:
    if len(terms) == 1:
        return "by composition"
    told = [f"{t.mathematics()} is {_kind(c)}" for t, c in zip(terms, each, strict=True)]
    return "by composition: " + ", ".join(told)


def _by_hessian(smooth: list[Expression], others: list[Curvature], H: Expression, sign: int) -> str:
    shown = scale(sign, H).mathematics()
    if is_zero(H) and not others:
        return "its Hessian is 0"
    if not others:
        start = "its Hessian" if sign > 0 else "the negative of its Hessian,"
        return f"{start} {shown} is positive semidefinite"
    start = "the Hessian" if sign > 0 else "the negative of the Hessian"
    return (
        f"{start} of {add(smooth).mathematics()}, {shown}, is positive semidefinite, and the "
        f"other terms are {'convex' if sign > 0 else 'concave'} by composition"
    )


def _kind(found: Curvature) -> str:
    if found >= AFFINE:
        return "affine"
    return "convex" if found >= CONVEX else "concave" if found >= CONCAVE else "unknown"


def _condition(
    f: Expression, x: Symbol, nonnegative: frozenset[Symbol], hessian: Hessian
) -> str | None:
    """What is proved where one symbol, or all others, or x as well, are at least 0."""
    others = sorted(f.used - nonnegative - {x}, key=lambda symbol: symbol.name)
    others = [s for s in others if not s.declared & {"positive_definite", "probability"}]
    # One symbol alone can only decide where it stands in all that is open without it.
    composition = Composition(x, Ranges(nonnegative))
    left_open = [term.used for term in _terms(f) if not composition.of(term)]
    common = frozenset.intersection(*left_open) if left_open else f.used
    choices = [[symbol] for symbol in others if symbol in common]
    choices += [others] if len(others) > 1 else []
    if x not in nonnegative and not x.declared & {"positive_definite", "probability"}:
        choices += [[x], [x, *others]]
    everything = nonnegative.union(*choices)
    if _proved(f, x, everything, hessian).kind == "unknown":  # so nothing less decides
        return None
    for chosen in choices:
        found = _proved(f, x, nonnegative | set(chosen), hessian)
        if found.kind != "unknown":
            names = " and ".join(f"{symbol} ≥ 0" for symbol in map(Symbol.mathematics, chosen))
            return f"{found.kind} where {names}"
    return None


def _told(x: Symbol, witness: Witness) -> str:
    up, down = witness.up, witness.down
    if up.curvature is None or down.curvature is None:
        return (
            f"at one value of {x.mathematics()} it lies below the middle of a chord, and at "
            "another above the middle of one"
        )
    return (
        f"vᵀHv is {up.curvature:.3g} at one value of {x.mathematics()} and direction v, and "
        f"{down.curvature:.3g} at another"
    )
