"""``checkpoint``: parts of a function that reverse mode computes once more, to need less memory.

The part is called once for its value, and again for each derivative. Both calls must be the same
computation. So the variables that the part reads from around it are kept as they were, and what was
computed is compared: functions, constants and results. A difference is refused.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import marshal
from collections.abc import Callable, Sequence
from types import CellType, FunctionType
from typing import Any

import numpy as np

from mcmodels.autodiff.captured import SMALL, refuse_overwritten, sample
from mcmodels.autodiff.filling import FilledArray, copied, settled
from mcmodels.autodiff.forward import Forward
from mcmodels.autodiff.operators import changed_to
from mcmodels.autodiff.own_rules import refuse_traced
from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.reverse import Entry, Tape
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import DerivativeRule, NoRuleError, Traced, apply, constant, tracing
from mcmodels.autodiff.trees import Tree, joined, parted, tree_of

__all__ = ["checkpoint"]

# Two calls may round differently; what changed in between rarely changes so little.
_TOLERANCE = 1e-6
_WITHOUT_REFERENCES = 2  # a version of the format of marshal


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of which reverse mode keeps the arguments alone, and computes the rest again.

    A loop of many steps, each of them checkpointed, then needs the memory of one step and of the
    states between the steps. It takes the time of one more evaluation.

    Parameters
    ----------
    f : callable
        NumPy code of arrays or containers of arrays; returns an array or a container of arrays.
        Everything that is differentiated must be a positional argument, and must be returned. It
        must compute the same when it is called again: it may read variables of the code around it,
        also a loop variable (their values at the first call count), and draw random numbers of a
        generator that it is passed, or that is such a variable.

    Returns
    -------
    callable
        The same function. In forward mode it is ``f`` itself.

    Raises
    ------
    NoRuleError
        When called, if ``f`` computes with a differentiated value that is none of its arguments.
        When a derivative is taken, if ``f`` then computes something else than before.
    ValueError
        When a derivative is taken, if the result depends on a value that ``f`` keeps in a list,
        an attribute or the like, and does not return.

    Notes
    -----
    Source: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §12.1.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import checkpoint, grad
    >>> step = checkpoint(lambda h, w: np.tanh(w * h + 1.0))
    >>> def last(w):
    ...     h = np.zeros(())
    ...     for _ in range(100):
    ...         h = step(h, w)
    ...     return h
    >>> round(float(grad(last)(0.5)), 4)
    0.1974
    """
    name = getattr(f, "__qualname__", repr(f))

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        trees = [tree_of(x) for x in args]
        given = [leaf for tree in trees for leaf in tree.leaves]
        leaves = [settled(leaf) for leaf in given]
        # An array that is passed twice is one argument: it may be changed in place.
        places: dict[int, list[int]] = {}
        for k, leaf in enumerate(leaves):
            if isinstance(leaf, Traced):
                places.setdefault(id(leaf), []).append(k)
        varied = list(places.values())
        if not varied:
            return f(*args, **kwargs)
        highest = max((leaves[at[0]].tracer for at in varied), key=lambda tracer: tracer.level)
        if isinstance(highest, Forward):  # it keeps nothing
            return f(*args, **kwargs)
        part = _Part(f, name, trees, leaves, varied, kwargs)
        vector = apply(part.rule, [leaves[at[0]] for at in varied], {})
        return part.returned(vector, [given[at[0]] for at in varied])

    return checkpointed


class _Part:
    """One call of a checkpointed function: the arguments that vary are those of a rule.

    Parameters
    ----------
    f : callable
        The function.
    name : str
        Its name for users.
    trees : sequence of Tree
        Its positional arguments.
    leaves : sequence
        Their arrays.
    varied : sequence of lists of int
        The places of each of those that are being differentiated.
    kwargs : dict
        Its keyword arguments.

    Attributes
    ----------
    rule : DerivativeRule
        Its function returns what the part returns, and the arguments that it changes in place.
    computed : bytes
        A digest of what was computed.
    """

    computed: bytes
    # What the part returned, which results are arguments themselves, and which can be filled by
    # index.
    _made: tuple[Tree, dict[int, int], list[int]]
    _shapes: list[tuple[int, ...]]
    _swept: tuple[Any, Sequence[Any]] | None = None

    def __init__(
        self,
        f: Callable[..., Any],
        name: str,
        trees: Sequence[Tree],
        leaves: Sequence[Any],
        varied: Sequence[list[int]],
        kwargs: dict[str, Any],
    ) -> None:
        self._name, self._trees, self._varied = name, trees, varied
        # For the call that gives the value.
        self._first: tuple[Any, Sequence[Any], Any] | None = (f, leaves, kwargs)
        known: dict[int, Any] = {}
        self._kept = (
            _as_it_is(f, known),
            [None if isinstance(leaf, Traced) else _as_it_is(leaf, known) for leaf in leaves],
            {key: _as_it_is(value, known) for key, value in kwargs.items()},
        )
        self._watched = [
            (leaf, sample(leaf))
            for leaf in leaves
            if type(leaf) is np.ndarray and leaf.size > SMALL and leaf.dtype != object
        ]
        self._changed: list[int] = []
        self.rule = DerivativeRule(name, self._function, name, self._push, self._pull)

    def _called(self, call: tuple[Any, Sequence[Any], Any], moved: Sequence[Any]) -> Tree:
        """What a call returns, with other values of the arguments that vary."""
        f, leaves, kwargs = call
        leaves = list(leaves)
        for at, x in zip(self._varied, moved, strict=True):
            for k in at:
                leaves[k] = x
        args, start = [], 0
        for tree in self._trees:
            stop = start + len(tree.leaves)
            args.append(tree.rebuilt(leaves[start:stop]))
            start = stop
        return tree_of(f(*args, **kwargs))

    def _repeated(self, *moved: Any) -> Any:
        """What the rule returns, from the same values as in the first call."""
        f, leaves, kwargs = self._kept
        known: dict[int, Any] = {}
        call = (
            _as_it_is(f, known),
            [_as_it_is(leaf, known) for leaf in leaves],
            {key: _as_it_is(value, known) for key, value in kwargs.items()},
        )
        made = self._called(call, moved)
        return _real(joined([*map(settled, made.leaves), *(moved[k] for k in self._changed)]))

    def _function(self, *points: Any) -> Any:
        """The value, computed on a tape of its own, which is dropped."""
        first, self._first = self._first, None
        if first is None:
            return self._repeated(*points)

        def function(*moved: Any) -> Any:
            before = [x.value for x in moved]
            made = self._called(first, moved)
            self._changed = [
                k
                for k, (x, value) in enumerate(zip(moved, before, strict=True))
                if x.value is not value
            ]
            same = {
                j: k for j, leaf in enumerate(made.leaves) for k, x in enumerate(moved) if leaf is x
            }
            filled = [j for j, leaf in enumerate(made.leaves) if isinstance(leaf, FilledArray)]
            self._made = made, same, filled
            found = [*map(settled, made.leaves), *(moved[k] for k in self._changed)]
            self._shapes = [shape_of(leaf) for leaf in found]
            return _real(joined(found))

        points = tuple(map(_as_array, points))
        self._depth = tracing.depth
        recorded = Recorded(function, tuple(range(len(points))), points, {})
        refuse_traced([recorded.value], self._name)
        self.computed = _digest(recorded.tape.entries[len(points) :])
        return recorded.value

    def returned(self, vector: Any, arguments: Sequence[Any]) -> Any:
        """The results in their containers; arguments that were changed in place are changed."""
        made, same, filled = self._made
        del self._made  # it holds the values of the first call
        found = parted(vector, self._shapes)
        for k, value in zip(self._changed, found[len(made.leaves) :], strict=True):
            if isinstance(arguments[k], FilledArray):
                arguments[k][...] = value
            else:
                changed_to(arguments[k], value)
        results = found[: len(made.leaves)]
        for j in range(len(results)):
            if j in same:
                results[j] = arguments[same[j]]
            elif j in filled:
                results[j] = copied(results[j])
        return made.rebuilt(results)

    def _again(self, y: Any, points: Sequence[Any]) -> Recorded:
        """The same computation, recorded."""
        for array, before in self._watched:
            if sample(array) != before:
                refuse_overwritten(array, self._name)

        points = list(map(_as_array, points))
        depth = tracing.depth
        tracing.depth = max(depth, self._depth)  # roots take as many steps as derivatives
        try:
            recorded = Recorded(self._repeated, tuple(range(len(points))), points, {})
        finally:
            tracing.depth = depth
        same = shape_of(recorded.value) == shape_of(y) and _near(recorded.value, y)
        if same and type(recorded.tape) is Tape:
            same = _digest(recorded.tape.entries[len(points) :]) == self.computed
        if not same:
            raise NoRuleError(
                f"checkpoint: {self._name} computed something else when it was called again for "
                "its derivative. It depends on what changed since then: a list, a large array, an "
                "attribute, a global variable, or new random numbers. Pass that as an argument, "
                "and draw random numbers outside."
            )
        return recorded

    def _push(self, i: int, dx: Any, y: Any, points: Sequence[Any], _: dict[str, Any]) -> Any:
        return self._again(y, points).along([dx if k == i else None for k in range(len(points))])

    def _pull(self, i: int, g: Any, y: Any, points: Sequence[Any], _: dict[str, Any]) -> Any:
        # A tape asks for each argument in turn: one sweep answers for all of them.
        if self._swept is None or self._swept[0] is not g:
            self._swept = g, self._again(y, points).pull(g)
        return self._swept[1][i]


def _as_array(x: Any) -> Any:
    return np.asarray(x) if type(x) is np.float64 else x


def _real(x: Any) -> Any:
    """Results that are counts, say, as real numbers."""
    if isinstance(x, Traced) or np.asarray(x).dtype.kind not in "iub":
        return x
    return np.asarray(x, np.float64)


def _as_it_is(x: Any, known: dict[int, Any]) -> Any:
    """A function with its own copy of the variables that it reads from around it.

    Of small arrays, arrays that are filled and random generators a copy; everything else stays
    what it is.
    """
    if isinstance(x, np.random.Generator | np.random.RandomState):
        return known.setdefault(id(x), copy.deepcopy(x))
    if type(x) is np.ndarray and x.size <= SMALL:
        return known.setdefault(id(x), x.copy(order="K"))
    if isinstance(x, FilledArray):
        return x if isinstance(settled(x), Traced) else known.setdefault(id(x), copied(x))
    if isinstance(x, functools.partial):
        f = _as_it_is(x.func, known)
        return x if f is x.func else functools.partial(f, *x.args, **x.keywords)
    if type(x) is not FunctionType or x.__closure__ is None:
        return x
    if id(x) not in known:
        cells = tuple(CellType() for _ in x.__closure__)
        f = FunctionType(x.__code__, x.__globals__, x.__name__, x.__defaults__, cells)
        f.__kwdefaults__ = x.__kwdefaults__
        f.__dict__.update(x.__dict__)
        known[id(x)] = f  # a function may read itself
        for own, cell in zip(cells, x.__closure__, strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # it has none yet
                continue
            own.cell_contents = _as_it_is(content, known)
    return known[id(x)]


def _near(x: Any, y: Any) -> bool:
    """Whether values are the same, up to rounding."""
    x, y = np.asarray(constant(x)), np.asarray(constant(y))
    if (x == y).all():
        return True
    finite = np.abs(y[np.isfinite(y)])
    size = float(finite.max()) if finite.size else 0.0
    known = ~np.isnan(y)  # the limit of 0/0 may have been found since
    return bool(np.allclose(x[known], y[known], rtol=_TOLERANCE, atol=_TOLERANCE * size))


def _digest(entries: Sequence[Entry]) -> bytes:
    """The functions of some lines of a tape, what they were called with, and the constants."""
    seen: list[Any] = []
    for rule, _, values, kwargs, parents in entries:
        if rule is not None:
            part = getattr(rule.function, "__self__", None)
            seen.append(rule.name)
            if isinstance(part, _Part):
                seen.append(part.computed)
        seen.append(parents)
        if len(parents) < len(values):
            lines = dict(parents)
            for i, value in enumerate(values):
                if i not in lines:
                    _mark(seen, value)
        if kwargs:
            _mark(seen, kwargs)
    # In this format equal values have equal bytes, whichever objects they are.
    return hashlib.blake2b(marshal.dumps(seen, _WITHOUT_REFERENCES), digest_size=16).digest()


def _mark(seen: list[Any], x: Any) -> None:
    """Add a constant: of a large array a sample, of real numbers seven digits."""
    x = constant(x)
    if type(x) is float:
        seen.append(x)
    elif isinstance(x, np.ndarray | np.generic):
        array = np.asarray(x)
        if array.dtype.kind not in "fiubc":
            return
        entries = array if array.size <= SMALL else array.flat[:: array.size >> 4]
        if array.dtype.kind == "f":
            with np.errstate(over="ignore", under="ignore"):
                entries = entries.astype(np.float32)
        seen += array.dtype.str, array.shape, entries.tobytes()
    elif isinstance(x, tuple | list):
        seen += type(x).__name__, len(x)
        for part in x:
            _mark(seen, part)
    elif isinstance(x, dict):
        for key, value in x.items():
            seen.append(repr(key))
            _mark(seen, value)
    elif isinstance(x, float | int | complex | str | slice | type(None)):
        seen.append(repr(x))
