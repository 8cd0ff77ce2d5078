"""Random lines as NumPy's users write them, for tests of what they are read as."""

import random

__all__ = ["line"]

_ENTRYWISE = (
    "np.exp({})",
    "np.tanh({})",
    "-{}",
    "({})**2",
    "np.abs({})",
    "np.square({})",
    "np.exp2({})",
)
_OF_TWO = (
    "({} + {})",
    "({} - {})",
    "{} * {}",
    "{} / (2 + np.cos({}))",
    "np.maximum({}, {})",
    "np.where({} > 0, 1.5, {})",
    "np.add({}, {})",
    "np.logaddexp({}, {})",
    "np.multiply({}, {})",
)
_ALONG = ("np.sum", "np.mean", "np.linalg.norm", "scipy.special.logsumexp", "np.var", "np.std")
_OPTIONS = (
    "",
    "axis=0",
    "axis=1",
    "axis=-1",
    "axis=0, keepdims=True",
    "axis=1, keepdims=True",
    "axis=-1, keepdims=True",
    "axis=-2",
)
_METHODS = ("({}).sum({})", "({}).mean({})", "({}).var({})", "({}).std(ddof=1)")
_LINES = ("({})[:, None]", "({})[None, :]", "({}).reshape(-1, 1)", "({}).reshape(1, -1)")
_MORE = (
    "({}).T",
    "({}).T",
    "np.diag({})",
    "({})[0]",
    "({})[1:]",
    "({})[:, 0]",
    "({})[0, :]",
    "({})[:, :1]",
    "({})[:1]",
    "({}).reshape(-1)",
    "scipy.special.softmax({}, axis=1)",
    "scipy.special.softmax({}, axis=0)",
    "scipy.special.softmax({})",
    "np.var({})",
    "np.max({})",
    "np.cumsum({})",
    "np.diff({})",
    "np.trace({})",
    "np.linalg.norm({}, 1)",
    "np.tril({})",
    "{} / ({}).shape[0]",
    "{} / ({}).shape[1]",
    "{} * len({})",
)
_PRODUCTS = ("({} @ {})", "({} @ {})", "np.dot({}, {})", "({}).dot({})", "np.outer({}, {})")
_MORE_PRODUCTS = ("np.kron({}, {})", "np.inner({}, {})", "np.matmul({}, {})")
_STACKS = (
    "np.concatenate([{}, {}])",
    "np.concatenate([{}, {}], axis=1)",
    "np.hstack([{}, {}])",
    "np.vstack([{}, {}])",
    "np.column_stack([{}, {}])",
    "np.c_[{}, {}]",
    "np.block([[{}, {}]])",
    "np.block([[{}], [{}]])",
)
_ATOMS = ("X", "X", "A", "S", "W", "x", "x", "w", "y", "y", "z", "c", "2", "np.ones((n, 1))")


def line(rng: random.Random, depth: int) -> str:
    """A line of operations on X, A (m×n), S (n×n), W (n×k), x, w (n), y, z (m) and c."""
    if depth <= 0 or rng.random() < 0.1:
        return rng.choice(_ATOMS)
    kinds = (_ENTRYWISE, _OF_TWO, _ALONG, _METHODS, _LINES, _MORE, _PRODUCTS, _MORE_PRODUCTS)
    kind = rng.choices((*kinds, _STACKS), (2, 8, 2, 3, 2, 3, 6, 1, 1))[0]
    first = line(rng, depth - 1)
    if kind is _ALONG:
        options = rng.choice(_OPTIONS)
        return f"{rng.choice(kind)}({first}{', ' if options else ''}{options})"
    form = rng.choice(kind)
    if kind is _METHODS:
        return form.format(first, rng.choice(_OPTIONS))
    if kind is _MORE and form.count("{}") == 2:
        return form.format(first, rng.choice(("X", "S", "x", "y", first)))
    if form.count("{}") == 2:
        return form.format(first, line(rng, depth - 1 - rng.randrange(2)))
    return form.format(first)
