"""Random sums over indices, and the same sums written out term by term."""

from __future__ import annotations

import random

import numpy as np

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import add, is_zero, zeros_like
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.indices import index
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import rewrite
from mcmodels.calculus.core.summation import sum_over
from mcmodels.calculus.core.symbols import matrix, scalar, vector

N, K, P = 4, 3, 2  # rows, components, columns: all differ, so that none is taken for another
LETTERS = "ijkl"


def symbols(sizes=("n", "K", "p")):
    """The data and the parameters, of symbolic sizes or of numbers."""
    n, k, p = sizes
    return {
        "X": matrix("X", n, p),
        "y": vector("y", n),
        "t": vector("t", n),
        "M": matrix("M", k, p),
        "q": vector("q", k),
        "R": matrix("R", n, k),
        "w": vector("w", p),
        "S": matrix("S", p, p, symmetric=True),
        "c": scalar("c"),
    }


def values(seed):
    rng = np.random.default_rng(seed)
    S = rng.standard_normal((P, P))
    return {
        "X": rng.standard_normal((N, P)),
        "y": rng.standard_normal(N),
        "t": rng.standard_normal(N),
        "M": rng.standard_normal((K, P)),
        "q": rng.uniform(0.5, 1.5, K),
        "R": rng.standard_normal((N, K)),
        "w": rng.standard_normal(P),
        "S": S + S.T,
        "c": float(rng.standard_normal()),
    }


class Grower:
    """Draws sums whose terms stay of the order of 1."""

    def __init__(self, seed: int, sizes=("n", "K", "p")) -> None:
        self.draw = random.Random(seed)
        self.sizes = sizes
        self.s = symbols(sizes)

    def index(self, scope):
        kind = self.draw.choice("nK")
        name = LETTERS[len(scope)]
        over = self.sizes["nK".index(kind)]
        return kind, index(name, over=over)

    def at(self, scope, kind):
        found = [i for k, i in scope if k == kind]
        return self.draw.choice(found) if found else None

    def scalar(self, scope, depth: int) -> Expression:
        """A scalar that depends on the innermost index where it can."""
        s, draw = self.s, self.draw
        if depth <= 0:
            kind, i = scope[-1]
            if kind == "n":
                options = [s["y"][i], s["t"][i], s["X"][i].T @ s["w"], s["X"][i, 0]]
            else:
                options = [s["q"][i], s["M"][i].T @ s["w"], s["M"][i, -1]]
            rows, columns = self.at(scope, "n"), self.at(scope, "K")
            if rows is not None and columns is not None:
                options += [s["R"][rows, columns], s["X"][rows].T @ s["M"][columns]]
            return draw.choice(options)
        way = draw.randrange(11)
        if way == 9:
            return mc.relu(self.scalar(scope, depth - 1)) * self.scalar(scope, depth - 2)
        if way == 10:
            z = self.scalar(scope, depth - 1)
            return mc.where(z > 0.1, mc.tanh(z), self.scalar(scope, depth - 2))
        if way == 0:
            return self.scalar(scope, depth - 1) * self.scalar(scope, depth - 1)
        if way == 1:
            return self.scalar(scope, depth - 1) + s["c"] * self.scalar(scope, depth - 2)
        if way == 2:
            return mc.tanh(self.scalar(scope, depth - 1))
        if way == 3:
            return mc.exp(mc.tanh(self.scalar(scope, depth - 1)))
        if way == 4:
            return mc.sigmoid(self.scalar(scope, depth - 1)) - 0.25
        if way == 5:
            return mc.norm(self.vector(scope, depth - 1)) ** 2 / 4
        if way == 6:
            return self.vector(scope, depth - 1).T @ s["S"] @ self.vector(scope, depth - 2)
        if len(scope) > 2:
            return self.scalar(scope, depth - 1) ** 2
        inner = [*scope, self.index(scope)]
        if way == 7:
            body = mc.exp(mc.sin(self.scalar(inner, depth - 1)))
            return mc.log(sum_over(body, inner[-1][1]))
        return sum_over(self.scalar(inner, depth - 1), inner[-1][1], where=self.where(inner)) / 4

    def vector(self, scope, depth: int) -> Expression:
        """A vector of p entries."""
        s, draw = self.s, self.draw
        if depth <= 0:
            kind, i = scope[-1]
            row = s["X"][i] if kind == "n" else s["M"][i]
            return draw.choice([row, row, s["w"] * row])
        way = draw.randrange(7)
        if way == 6:
            return mc.relu(self.vector(scope, depth - 1))
        if way == 0:
            return self.vector(scope, depth - 1) - self.vector(scope[:1], depth - 2)
        if way == 1:
            return self.scalar(scope, depth - 1) * self.vector(scope, depth - 2)
        if way == 2:
            return mc.tanh(self.vector(scope, depth - 1))
        if way == 3:
            return s["S"] @ self.vector(scope, depth - 1)
        if way == 4 or len(scope) > 2:
            return mc.softmax(self.vector(scope, depth - 1))
        inner = [*scope, self.index(scope)]
        return sum_over(self.vector(inner, depth - 1), inner[-1][1], where=self.where(inner)) / 4

    def where(self, scope):
        """No condition, mostly, or one between the innermost index and another."""
        kind, j = scope[-1]
        others = [i for k, i in scope[:-1] if k == kind]
        if not others or self.draw.random() < 0.5:
            return None
        i, t = self.draw.choice(others), self.s["t"] if kind == "n" else self.s["q"]
        return self.draw.choice([t[j] >= t[i], j < i, abs(i - j) > 0, t[i] > 0.6, t[j] > 0.6])

    def sum(self, depth: int = 3) -> Expression:
        """A scalar."""
        scope = [self.index([])]
        return sum_over(self.scalar(scope, depth), scope[0][1])


def _at(e: Expression, i: Expression, k: int) -> Expression:
    """The expression where an index has a value."""

    def replaced(part: Expression) -> Expression | None:
        if isinstance(part, SumOver) and part.index == i:
            return part
        return number(k) if part == i else None

    return rewrite(e, replaced)


def written_out(e: Expression) -> Expression:
    """The expression with each sum over an index written term by term; sizes are numbers.

    The indices become numbers. So nothing of what is known of sums over indices is used.
    """

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, SumOver):
            return None
        terms = [zeros_like(part.body)]
        for k in range(int(part.over.number)):
            body, condition = (_at(child, part.index, k) for child in part.children)
            body = written_out(body)
            if is_zero(condition):
                continue
            # A condition on values stays in the text: the terms are finite, so 0 leaves them out.
            terms.append(body if condition == number(1) else condition * body)
        return add(terms)

    return rewrite(e, replaced)
