"""Remedies that change a derivative inside: carried out where the function is taken apart.

Of a scalar f = g(x, u(z)) with z = z(x), the gradient is g_x + z′ᵀ(u′ ∘ g_u), and of f = g(x, u(x))
with an elementwise u it is g_x + u′ ∘ g_u. Another derivative in the place of u′ gives what was
claimed. The parts are derived by the calculus, and put together here.
"""

import re

import numpy as np

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.derive.gradients import derivative
from tests.calculus.mutations import equal, value_of
from tests.calculus.students.remedies import Reader, replacements

OUTER = re.compile(
    r"^(?:in the (?:gradient|Jacobian) of .+?, )?multiply by (.+), the derivative of (.+)$"
)
ITSELF = re.compile(r"^write (.+), the derivative of (.+), in the place of (.+)$")
ANOTHER = re.compile(r"^the derivative of (.+) is (.+): write (.+) in place of (.+)$")


def carried_out(remedy: str, explanation: str, x, reader: Reader, claimed, right, point):
    """Whether what the remedy replaces makes the claim, and what it writes makes it right.

    None for a remedy of another kind.
    """
    found = OUTER.match(remedy)
    if found is not None:
        slope, node = found.groups()
        bad = None
        inside = f"the inner derivative of {node} is missing" in explanation
    elif (found := ITSELF.match(remedy)) is not None:
        slope, node, bad = found.groups()
        inside = False
    elif (found := ANOTHER.match(remedy)) is not None:
        node, slope, _, bad = found.groups()
        inside = False
    else:
        return None
    u = reader.known[node]
    if any(isinstance(symbol, Index) for symbol in u.used):
        return None
    good = reader.value(slope, point)
    wrong = np.ones_like(good) if bad is None else reader.value(bad, point)
    return equal(with_slope(reader.f, x, u, wrong, inside, point), claimed) and equal(
        with_slope(reader.f, x, u, good, inside, point), right
    )


def with_slope(f: Expression, x, u: Expression, slope, inside: bool, point) -> np.ndarray:
    """The gradient of f by x where the derivative of one part is ``slope``.

    ``inside`` says that it is the derivative by x, else by the argument.
    """
    hole = N.Symbol("hole", u.rows, u.cols, frozenset())
    outer = substitute(f, {u: hole})

    def at_u(expression: Expression) -> np.ndarray:
        return value_of(substitute(expression, {hole: u}), point)

    if not f.is_scalar:
        (z,) = (child for child in u.children if x in child.used)
        by_u = at_u(outer.jacobian(hole)) * np.ravel(slope, order="F")
        direct = at_u(outer.jacobian(x)) if x in outer.used else 0.0
        return direct + by_u @ value_of(z.jacobian(x), point)
    by_u = slope * at_u(outer.gradient(hole))
    direct = at_u(outer.gradient(x)) if x in outer.used else 0.0
    if inside:
        return direct + by_u
    (z,) = (child for child in u.children if x in child.used)
    along = np.atleast_2d(value_of(z.jacobian(x), point)).T @ np.ravel(by_u, order="F")
    shape = value_of(x, point).shape
    return direct + along.reshape(shape, order="F")


OF_F = re.compile(r"^differentiate f with (.+) in place of (.+?)( \(in one place\))?$")
TOO = re.compile(r"^differentiate (.+), too$")


def derived_anew(remedy: str, x, reader: Reader, claimed, point) -> bool | None:
    """Whether what a remedy says of f makes the claim when it is left undone.

    That is where f has another part, or where parts of it are held constant. None for a remedy of
    another kind.
    """
    if (found := OF_F.match(remedy)) is not None:
        try:
            good, bad = reader.find(found.group(1)), reader.find(found.group(2))
        except KeyError:  # an identity that does not hold has another form on its other side
            return None
        others = list(replacements(reader.f, good, bad))
    elif (found := TOO.match(remedy)) is not None:
        held = [reader.find(text) for text in found.group(1).split(" and ")]
        holes = {u: N.Symbol(f"h{i}", u.rows, u.cols, frozenset()) for i, u in enumerate(held)}
        back = {hole: u for u, hole in holes.items()}
        wrong = derivative(substitute(reader.f, holes), x)
        return equal(value_of(substitute(wrong, back), point), claimed)
    else:
        return None
    return any(equal(value_of(derivative(f, x), point), claimed) for f in others if x in f.used)
