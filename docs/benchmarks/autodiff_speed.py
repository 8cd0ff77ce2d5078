"""Derivatives of NumPy code: mcmodels.autodiff against autograd, JAX, PyTorch and code by hand.

Run ``python docs/benchmarks/autodiff_speed.py`` for the table on the terminal, and with ``--write``
to put it into autodiff.md. Peers that are not installed are left out; ``pip install
'mcmodels[bench]'`` installs them.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import results
from scipy.special import expit
from timing import Patience, in_units, interleave, repeated

from mcmodels import autodiff

PAGE = Path(__file__).parent / "autodiff.md"
OURS, BY_HAND, VALUE = "mcmodels", "NumPy by hand", "value alone"
VERSIONS = ("mcmodels", "numpy", "scipy", "autograd", "jax", "torch")

INTRO = """# Derivatives of NumPy code

Time of one evaluation, medians of runs that were interleaved (round robin, the order rotated each
round, one untimed warm-up each, which also compiles). All in float64; every result was compared
with the one of `mcmodels` before it was timed. `mcmodels.autodiff.grad` and autograd's `grad` trace
the function at every call, as does `torch.func.grad`; JAX's is compiled once by `jax.jit`. Arrays
are those of each library, so that no conversion is timed; JAX's results are waited for. *By hand*
is the gradient as one would write it in NumPy; *value alone* is the function itself, without a
derivative.
"""

REMARKS = """## What was aimed at

The gradient of the logistic loss over 100,000×50 rows within 1.5 times the time of the one written
by hand, and ahead of autograd. Reverse mode computes the value, too, which the gradient by hand
does without. The rule of `np.logaddexp` computes it by `maximum`, `exp` and `log1p` of whole arrays
instead of NumPy's loop over single numbers, which alone takes longer than all the other functions
of entries here (*value alone* has it).
"""

Function = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """A scalar function of one array, in the functions of a library, and the point."""

    name: str
    written: Callable[[Any, dict[str, Any]], Function]
    values: dict[str, np.ndarray]
    at: np.ndarray
    by_hand: Function | None = None


def tasks() -> list[Task]:
    """The functions, in the order of the table."""
    rng = np.random.default_rng(0)
    return [
        logistic(rng, 100_000, 50),
        logistic(rng, 1_000, 10),
        network(rng),
        process(rng),
        tiny(),
    ]


def logistic(rng: np.random.Generator, n: int, p: int) -> Task:
    rows = rng.standard_normal((n, p))
    theta = rng.standard_normal(p) / math.sqrt(p)
    labels = (rows @ theta + rng.logistic(size=n) > 0).astype(float)

    def written(xp: Any, v: dict[str, Any]) -> Function:
        def loss(theta: Any) -> Any:
            eta = v["X"] @ theta
            return xp.sum(xp.logaddexp(v["0"], eta)) - v["y"] @ eta

        return loss

    return Task(
        f"logistic loss, {n:,}×{p}",
        written,
        {"X": rows, "y": labels, "0": np.zeros(())},
        theta,
        lambda theta: rows.T @ (expit(rows @ theta) - labels),
    )


def network(rng: np.random.Generator) -> Task:
    n, inputs, hidden, outputs = 500, 20, 15, 5
    X, T = rng.standard_normal((n, inputs)), np.eye(outputs)[rng.integers(outputs, size=n)]
    W1 = rng.standard_normal((inputs, hidden)) / math.sqrt(inputs)
    W2 = rng.standard_normal((hidden, outputs)) / math.sqrt(hidden)

    def written(xp: Any, v: dict[str, Any]) -> Function:
        def loss(W1: Any) -> Any:
            Z = xp.tanh(v["X"] @ W1) @ v["W2"]
            return xp.sum(xp.log(xp.sum(xp.exp(Z), 1))) - xp.sum(v["T"] * Z)

        return loss

    def by_hand(W1: np.ndarray) -> np.ndarray:
        H = np.tanh(X @ W1)
        E = np.exp(H @ W2)
        delta = (E / E.sum(axis=1, keepdims=True) - T) @ W2.T
        return X.T @ (delta * (1 - H * H))

    name = f"two-layer network in W₁, {inputs}–{hidden}–{outputs}, {n} rows"
    return Task(name, written, {"X": X, "T": T, "W2": W2}, W1, by_hand)


def process(rng: np.random.Generator) -> Task:
    n = 200
    x = np.sort(rng.uniform(0, 10, n))
    D = (x[:, np.newaxis] - x) ** 2
    values = {"D": D, "y": np.sin(x) + 0.1 * rng.standard_normal(n), "I": np.eye(n)}

    def written(xp: Any, v: dict[str, Any]) -> Function:
        def loss(theta: Any) -> Any:
            e = xp.exp(theta)
            K = e[0] * xp.exp(-v["D"] / (2 * e[1])) + e[2] * v["I"]
            return xp.linalg.slogdet(K)[1] + v["y"] @ xp.linalg.solve(K, v["y"])

        return loss

    theta = np.array([0.1, 0.3, -2.0])
    return Task(f"likelihood of a Gaussian process, n = {n}", written, values, theta)


def tiny() -> Task:
    return Task(
        "Σ x exp(x), n = 5",
        lambda xp, v: lambda x: xp.sum(x * xp.exp(x)),
        {},
        np.linspace(0, 1, 5),
        lambda x: (1 + x) * np.exp(x),
    )


# -- who computes ----------------------------------------------------------------------------------


def with_autograd(task: Task) -> Function:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(task.written(anp, task.values))
    return lambda: gradient(task.at)


def with_jax(task: Task) -> Function:
    import jax

    jax.config.update("jax_enable_x64", True)
    held = {name: jax.numpy.asarray(value) for name, value in task.values.items()}
    at = jax.numpy.asarray(task.at)
    # The data are arguments: as constants, a compiler might compute with them beforehand.
    compiled = jax.jit(lambda x, v: jax.grad(task.written(jax.numpy, v))(x))
    return lambda: compiled(at, held).block_until_ready()


def with_torch(task: Task) -> Function:
    import torch

    held = {name: torch.from_numpy(np.asarray(value)) for name, value in task.values.items()}
    at = torch.from_numpy(task.at)
    gradient = torch.func.grad(task.written(torch, held))
    return lambda: gradient(at)


PEERS = {"autograd": with_autograd, "JAX": with_jax, "PyTorch": with_torch}


def measure(task: Task, patience: Patience) -> dict[str, Any]:
    """A row of the table: the gradient of one function by everybody."""
    f = task.written(np, task.values)
    ours = autodiff.grad(f)
    methods: dict[str, Function] = {OURS: lambda: ours(task.at)}
    if task.by_hand is not None:
        by_hand = task.by_hand
        methods[BY_HAND] = lambda: by_hand(task.at)
    for name, make in PEERS.items():
        try:
            methods[name] = make(task)
        except ImportError:
            continue
    reference = methods[OURS]()
    for name, run in methods.items():
        error = np.abs(np.asarray(run()) - reference).max() / np.abs(reference).max()
        assert error <= 1e-9, f"{name} disagrees on {task.name}: {error:.1e}"
    methods[VALUE] = lambda: f(task.at)
    runs, counts = {}, {}
    for name, run in methods.items():
        runs[name], counts[name] = repeated(run)
    timings = interleave(runs, {}, patience)
    seconds = {name: timing.median / counts[name] for name, timing in timings.items()}
    return {"function": task.name, **seconds}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, with the ratios that were aimed at."""
    names = [name for name in (OURS, BY_HAND, VALUE, *PEERS) if any(name in row for row in rows)]
    ratios = (f"{OURS} / by hand", f"autograd / {OURS}")
    lines = [
        f"| gradient of | {' | '.join((*names, *ratios))} |",
        f"|---|{'---:|' * (len(names) + 2)}",
    ]
    for row in rows:
        cells = [in_units(row[name]) if name in row else "—" for name in names]
        cells.append(f"{row[OURS] / row[BY_HAND]:.2f}" if BY_HAND in row else "—")
        cells.append(f"{row['autograd'] / row[OURS]:.2f}" if "autograd" in row else "—")
        lines.append(f"| {row['function']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="functions with a word in them")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    rows = []
    for task in tasks():
        if not options.only or any(word in task.name for word in options.only):
            rows.append(measure(task, Patience(repeats=options.repeats)))
            print(table(rows[-1:]), flush=True)
    if options.write:
        stamp = results.stamp(Path(__file__).name, VERSIONS)
        PAGE.write_text(f"{INTRO}\n{stamp}\n{table(rows)}\n{REMARKS}")


if __name__ == "__main__":
    main()
