"""More remedies, carried out: sums, several terms, derivatives by an exponent or by x."""

import re

import numpy as np

from mcmodels.calculus.core.rewriting import substitute
from tests.calculus.mutations import equal, value_of
from tests.calculus.students.remedies import Reader
from tests.calculus.students.rewriting import with_slope

SUMMED = re.compile(r"^sum its (entries|rows|columns)(?:, and (multiply|divide) the sum by (.+))?$")
OF_TERM = re.compile(r"^(multiply|divide) the term (.+) by (.+?)(, and turn the sign)?$")
BY = re.compile(r"^the derivative of (.+) by (\S+) is (.+): write (.+) in place of (.+)$")
TWO = re.compile(
    r"^the derivative of (.+) is (.+): write (.+) in place of (.+), and multiply by the derivative "
    r"of (.+)$"
)
ENTRIES = re.compile(r"^(multiply|divide) each entry by (\w+) ∘ \((.+)\)$")
AXES = {"entries": None, "rows": 0, "columns": 1}


def carried_out_further(remedy: str, x, reader: Reader, claimed, right, point) -> bool | None:
    """Whether a remedy makes a claim right; None for one of another kind."""
    if (found := SUMMED.match(remedy)) is not None:
        what, action, by = found.groups()
        result = claimed.sum(axis=AXES[what])
        if action is not None:
            factor = reader.factor(by, point)
            result = result * factor if action == "multiply" else result / factor
        return equal(np.asarray(result), right)
    if (found := ENTRIES.match(remedy)) is not None:
        action, first, second = found.groups()
        array = reader.value(first, point) * reader.value(second, point)
        return equal(claimed * array if action == "multiply" else claimed / array, right)
    parts = remedy.split("; ")
    if len(parts) > 1 and all(" the term " in part for part in parts):
        for part in parts:
            claimed = claimed + _correction(part, reader, point)
        return equal(claimed, right)
    if (found := TWO.match(remedy)) is not None:
        node, slope, _, bad, _ = found.groups()
        u = reader.known[node]
        return equal(
            with_slope(reader.f, x, u, reader.value(bad, point), True, point), claimed
        ) and equal(with_slope(reader.f, x, u, reader.value(slope, point), False, point), right)
    if (found := BY.match(remedy)) is not None:
        node, by, _, good, bad = found.groups()
        if by != x.mathematics():
            return None
        u = reader.known[node]
        slopes = [(reader.value(good, point), right)]
        if bad in reader.known:  # a slope that the claim has in another form is not found
            slopes.append((reader.value(bad, point), claimed))
        return all(equal(_by_x(reader, x, u, slope, point), wanted) for slope, wanted in slopes)
    return None


def _by_x(reader: Reader, x, u, slope, point) -> np.ndarray:
    """The derivative of f by a number x, where a part u has this derivative by x."""
    hole = type(x)("hole", u.rows, u.cols, frozenset())
    outer = substitute(reader.f, {u: hole})
    by_u = value_of(substitute(outer.gradient(hole), {hole: u}), point)
    direct = 0.0
    if x in outer.used:
        direct = value_of(substitute(outer.gradient(x), {hole: u}), point)
    return np.asarray(direct + np.sum(by_u * slope))


def _correction(remedy: str, reader: Reader, point) -> np.ndarray:
    """What a remedy of one term adds to the claim."""
    if remedy.startswith("turn the sign of the term "):
        return 2 * reader.value(remedy.removeprefix("turn the sign of the term "), point)
    if remedy.startswith("add the term "):
        return reader.value(remedy.removeprefix("add the term "), point)
    action, term, by, turned = OF_TERM.match(remedy).groups()
    factor = reader.factor(by, point)
    factor = factor if action == "multiply" else 1 / factor
    factor = -factor if turned else factor
    return (1 - 1 / factor) * reader.value(term, point)
