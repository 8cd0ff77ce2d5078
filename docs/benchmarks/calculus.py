"""Gradients and Hessians: compiled expressions against JAX, PyTorch and autograd.

Run ``python docs/benchmarks/calculus.py`` for the table on the terminal, and with ``--write`` to
put it into calculus.md. Peers that are not installed are left out; ``pip install
'mcmodels[bench]'`` installs them.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import results
from scipy.special import expit
from timing import Patience, in_units, interleave, repeated

from mcmodels import calculus as mc

HERE = Path(__file__).parent
PAGE = HERE / "calculus.md"
OURS = "mcmodels"
VERSIONS = ("mcmodels", "numpy", "scipy", "jax", "torch", "autograd")
BY_HAND = "NumPy by hand"
FLOOR = "floor"

INTRO = """# Gradients and Hessians

Time of one evaluation, medians of runs that were interleaved (round robin, the order rotated each
round, one untimed warm-up each, which also compiles). All in float64; every result was compared
with the one of `mcmodels` before it was timed. `mcmodels` calls `f.gradient(x).compile()` and
`f.hessian(x).compile()`; JAX `jax.jit(jax.grad(f))` and `jax.jit(jax.hessian(f))`; PyTorch
`torch.func.grad` and `torch.func.hessian`; autograd `grad` and `hessian`. Arrays are those of each
library, so that no conversion is timed; JAX's results are waited for.

*Floor* is what a Hessian in NumPy cannot do without: one symmetric product of the rows for the
logistic loss, else writing the result once. No method of this library can be further ahead of the
best peer than the floor is.
"""

REMARKS = """## What was aimed at

Ten times the speed of the best peer on Hessians, never slower than 1.2 times its time on gradients.

- The gradients are within the bound. That of the network over one row takes microseconds: in six
  runs it took 0.85 to 1.0 times the time of JAX, and once 1.3, before calls were made cheaper.
- The Hessians of xᵀAx, of the factorisation and of the network over 500 rows are more than ten
  times as fast.
- Not reached: the logistic loss and the network over one row. The floors say why. Ten times the
  speed of JAX would be below the time of the bare product `X.T @ X`, of which the Hessian takes
  little more: the scaled rows are multiplied with themselves, so the product is symmetric, and half
  the work of the usual `X.T @ (d[:, None] * X)`. And it would be about the time it takes to write
  the 1,200×1,200 entries of the network's Hessian once. Tried for the logistic loss: rows in blocks
  of 500, 1,000 and 2,500, with and without a buffer of their own: no faster (11.5 to 12.0 ms where
  the whole takes 12.2, and `X.T @ X` 9.9). Tried for the network: `np.kron`, whose innermost loop
  runs over a row of the small factor, takes twice as long as the product of repeated rows that is
  written now.
"""

Function = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """A scalar function, what it is differentiated by, and where.

    ``written`` writes it with a library's own functions: np, jax.numpy, torch or autograd.numpy.
    """

    name: str
    expression: mc.Expression
    by: str
    values: dict[str, np.ndarray]
    written: Callable[[Any, dict[str, Any]], Function]
    floor: Function | None = None
    by_hand: tuple[Function, Function] | None = None


def tasks() -> list[Task]:
    """The functions, in the order of the table."""
    rng = np.random.default_rng(0)
    return [quadratic(rng), logistic(rng), factorisation(rng), network(rng), batch(rng)]


def quadratic(rng: np.random.Generator) -> Task:
    n = 1000
    x, A = mc.vector("x", "n"), mc.matrix("A", "n", "n")
    values = {"A": rng.standard_normal((n, n)), "x": rng.standard_normal(n)}
    return Task(
        f"xᵀAx, n = {n:,}",
        x.T @ A @ x,
        "x",
        values,
        lambda xp, v: lambda x: x @ (v["A"] @ x),
        floor=values["A"].copy,
    )


def logistic(rng: np.random.Generator) -> Task:
    n, p = 10_000, 200
    X, w, y = mc.matrix("X", "n", "p"), mc.vector("w", "p"), mc.vector("y", "n")
    rows = rng.standard_normal((n, p))
    coefficients = rng.standard_normal(p) / math.sqrt(p)
    labels = (rows @ coefficients + rng.logistic(size=n) > 0).astype(float)

    def written(xp: Any, v: dict[str, Any]) -> Function:
        softplus = xp.softplus

        def loss(w: Any) -> Any:
            eta = v["X"] @ w
            return softplus(eta).sum() - v["y"] @ eta

        return loss

    f = mc.sum(mc.softplus(X @ w)) - y.T @ X @ w
    values = {"X": rows, "w": coefficients, "y": labels}

    def gradient() -> np.ndarray:
        return rows.T @ (expit(rows @ coefficients) - labels)

    def hessian() -> np.ndarray:
        mu = expit(rows @ coefficients)
        return rows.T @ ((mu * (1 - mu))[:, np.newaxis] * rows)

    return Task(
        f"logistic loss, {n:,}×{p}",
        f,
        "w",
        values,
        written,
        floor=lambda: rows.T @ rows,
        by_hand=(gradient, hessian),
    )


def factorisation(rng: np.random.Generator) -> Task:
    m, n, r = 60, 40, 5
    T, U, V = mc.matrix("T", "m", "n"), mc.matrix("U", "m", "r"), mc.matrix("V", "n", "r")
    values = {
        name: rng.standard_normal(s) for name, s in (("T", (m, n)), ("U", (m, r)), ("V", (n, r)))
    }
    return Task(
        f"‖T − UVᵀ‖² in U, {m}×{n}, rank {r}",
        mc.norm(T - U @ V.T) ** 2,
        "U",
        values,
        lambda xp, v: lambda U: ((v["T"] - U @ v["V"].T) ** 2).sum(),
        floor=lambda: np.full((m * r, m * r), 1.0),
    )


def network(rng: np.random.Generator) -> Task:
    inputs, hidden, outputs = 40, 30, 10
    W1, W2 = mc.matrix("W1", "h", "d"), mc.matrix("W2", "k", "h")
    b1, b2 = mc.vector("b1", "h"), mc.vector("b2", "k")
    x, t = mc.vector("x", "d"), mc.vector("t", "k")
    z = W2 @ mc.tanh(W1 @ x + b1) + b2
    values = {
        "W1": rng.standard_normal((hidden, inputs)) / math.sqrt(inputs),
        "W2": rng.standard_normal((outputs, hidden)) / math.sqrt(hidden),
        "b1": rng.standard_normal(hidden),
        "b2": rng.standard_normal(outputs),
        "x": rng.standard_normal(inputs),
        "t": np.eye(outputs)[3],
    }

    def written(xp: Any, v: dict[str, Any]) -> Function:
        def loss(W1: Any) -> Any:
            z = v["W2"] @ xp.tanh(W1 @ v["x"] + v["b1"]) + v["b2"]
            return xp.log(xp.exp(z).sum()) - v["t"] @ z

        return loss

    name = f"two-layer network in W₁, {inputs}–{hidden}–{outputs}, one row"
    size = inputs * hidden
    floor = lambda: np.full((size, size), 1.0)  # noqa: E731
    return Task(name, mc.logsumexp(z) - t.T @ z, "W1", values, written, floor=floor)


def batch(rng: np.random.Generator) -> Task:
    n, inputs, hidden, outputs = 500, 20, 15, 5
    X, T = mc.matrix("X", "n", "d"), mc.matrix("T", "n", "k")
    W1, W2 = mc.matrix("W1", "d", "h"), mc.matrix("W2", "h", "k")
    Z = mc.tanh(X @ W1) @ W2
    values = {
        "X": rng.standard_normal((n, inputs)),
        "T": np.eye(outputs)[rng.integers(outputs, size=n)],
        "W1": rng.standard_normal((inputs, hidden)) / math.sqrt(inputs),
        "W2": rng.standard_normal((hidden, outputs)) / math.sqrt(hidden),
    }

    def written(xp: Any, v: dict[str, Any]) -> Function:
        def loss(W1: Any) -> Any:
            Z = xp.tanh(v["X"] @ W1) @ v["W2"]
            return xp.log(xp.exp(Z).sum(1)).sum() - (v["T"] * Z).sum()

        return loss

    f = mc.sum(mc.logsumexp(Z, axis=1)) - mc.sum(T * Z)
    name = f"two-layer network in W₁, {inputs}–{hidden}–{outputs}, {n} rows"
    return Task(name, f, "W1", values, written)


# -- who computes ----------------------------------------------------------------------------------


def ours(task: Task) -> tuple[Function, Function]:
    """Gradient and Hessian by compiled expressions."""
    gradient = task.expression.gradient(task.by).compile()
    hessian = task.expression.hessian(task.by).compile()
    return lambda: gradient(**task.values), lambda: hessian(**task.values)


def with_jax(task: Task) -> tuple[Function, Function]:
    import jax

    jax.config.update("jax_enable_x64", True)
    xp = _Names(jax.numpy, lambda z: jax.numpy.logaddexp(0.0, z))
    held = {name: jax.numpy.asarray(value) for name, value in task.values.items()}
    at = held[task.by]

    def made(derivative: Function) -> Function:
        # The data are arguments: as constants, a compiler might compute with them beforehand.
        compiled = jax.jit(lambda x, v: derivative(task.written(xp, v))(x))
        return lambda: compiled(at, held).block_until_ready()

    return made(jax.grad), made(jax.hessian)


def with_torch(task: Task) -> tuple[Function, Function]:
    import torch

    xp = _Names(torch, torch.nn.functional.softplus)
    held = {name: torch.from_numpy(value) for name, value in task.values.items()}
    f = task.written(xp, held)
    gradient, hessian = torch.func.grad(f), torch.func.hessian(f)
    return lambda: gradient(held[task.by]), lambda: hessian(held[task.by])


def with_autograd(task: Task) -> tuple[Function, Function]:
    import autograd
    import autograd.numpy as anp

    xp = _Names(anp, lambda z: anp.logaddexp(0.0, z))
    f = task.written(xp, task.values)
    gradient, hessian = autograd.grad(f), autograd.hessian(f)
    return lambda: gradient(task.values[task.by]), lambda: hessian(task.values[task.by])


class _Names:
    """A library's functions, and softplus by the name that all share here."""

    def __init__(self, library: Any, softplus: Function) -> None:
        self._library, self.softplus = library, softplus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


PEERS = {"JAX": with_jax, "PyTorch": with_torch, "autograd": with_autograd}


# -- measuring -------------------------------------------------------------------------------------


def agreed(task: Task, reference: Any, found: Any) -> bool:
    """Whether a peer's result is that of `mcmodels`, which counts entries down the columns."""
    reference, found = np.asarray(reference), np.asarray(found)
    at = task.values[task.by]
    if found.size == at.size:
        found = found.reshape(reference.shape)
    else:
        order = np.arange(at.size).reshape(at.shape).ravel(order="F")
        found = found.reshape(at.size, at.size)[np.ix_(order, order)]
    return bool(np.abs(found - reference).max() <= 1e-8 * max(1.0, np.abs(reference).max()))


def measure(task: Task, patience: Patience) -> list[dict[str, Any]]:
    """Rows of the table: gradient and Hessian of one function by everybody."""
    methods = {OURS: ours(task)}
    if task.by_hand is not None:
        methods[BY_HAND] = task.by_hand
    for name, make in PEERS.items():
        try:
            methods[name] = make(task)
        except ImportError:
            continue
    rows = []
    for i, what in enumerate(("gradient", "Hessian")):
        reference = methods[OURS][i]()
        runs, counts = {}, {}
        for name, pair in methods.items():
            right = name == OURS or agreed(task, reference, pair[i]())
            assert right, f"{name} disagrees on {what} of {task.name}"
            runs[name], counts[name] = repeated(pair[i])
        if what == "Hessian" and task.floor is not None:
            runs[FLOOR], counts[FLOOR] = repeated(task.floor)
        timings = interleave(runs, {}, patience)
        seconds = {name: timing.median / counts[name] for name, timing in timings.items()}
        rows.append({"function": task.name, "what": what, **seconds})
    return rows


def derivation_times() -> dict[str, float]:
    """Seconds to derive each identity of the catalogue, steps included; the best of five."""
    from mcmodels.calculus.study.identities import CATALOGUE

    times = {}
    for identity in CATALOGUE:
        if identity.variable is None:
            continue  # a rule of differentials
        taken = []
        for _ in range(5):
            start = time.perf_counter()
            identity.derivation()
            taken.append(time.perf_counter() - start)
        times[identity.name] = min(taken)
    return times


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, with the ratio of the best peer to ours."""
    names = [name for name in (OURS, *PEERS, BY_HAND, FLOOR) if any(name in row for row in rows)]
    ratios = (f"best peer / {OURS}", f"best peer / {FLOOR}")
    lines = [
        f"| function | | {' | '.join((*names, *ratios))} |",
        f"|---|---|{'---:|' * (len(names) + 2)}",
    ]
    for row in rows:
        cells = [in_units(row[name]) if name in row else "—" for name in names]
        best = min((row[name] for name in PEERS if name in row), default=math.nan)
        cells += [f"{best / row[name]:.2g}" if name in row else "—" for name in (OURS, FLOOR)]
        lines.append(f"| {row['function']} | {row['what']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(rows: list[dict[str, Any]], derivations: dict[str, float]) -> str:
    slowest = max(derivations, key=lambda name: derivations[name])
    total = len(derivations)
    text = (
        "## Derivations\n\n"
        f"Deriving an identity of the catalogue with all its steps takes between "
        f"{in_units(min(derivations.values()))} and {in_units(max(derivations.values()))} "
        f"({slowest}); {total} identities, the best of five each.\n"
    )
    return (
        f"{INTRO}\n{results.stamp(Path(__file__).name, VERSIONS)}\n{table(rows)}\n{REMARKS}\n{text}"
    )


def main() -> int:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="functions with a word in them")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    chosen = [t for t in tasks() if not options.only or any(w in t.name for w in options.only)]
    rows = []
    for task in chosen:
        rows += measure(task, Patience(repeats=options.repeats))
        print(table(rows[-2:]), flush=True)
    if options.write:
        PAGE.write_text(page(rows, derivation_times()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
