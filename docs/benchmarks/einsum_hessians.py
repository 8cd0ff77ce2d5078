"""Hessians of functions written by einsum: compiled expressions against JAX and PyTorch.

Run ``python docs/benchmarks/einsum_hessians.py`` for the table on the terminal, with ``--write`` to
put it into einsum_hessians.md, with ``--small`` for a trial. Peers that are not installed are left
out; ``pip install 'mcmodels[bench]'`` installs them.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import results
from timing import Patience, in_units, interleave, repeated

from mcmodels import calculus as mc

HERE = Path(__file__).parent
PAGE = HERE / "einsum_hessians.md"
OURS = "mcmodels"
VERSIONS = ("mcmodels", "numpy", "jax", "torch", "opt_einsum")

INTRO = """# Hessians by einsum

Time of one Hessian, medians of runs that were interleaved (round robin, the order rotated each
round, one untimed warm-up each, which also compiles). All in float64. `mcmodels` calls
`tensor_derivative(f, x, x).compile()`, JAX `jax.jit(jax.hessian(f))`, PyTorch
`torch.func.hessian(f)`; all give an array of twice the rank of x. The functions are those of Laue,
Mitterreiter and Giesen (2018), and tensor factorisations. *Error* is the largest deviation from
the central differences of the gradient, relative to the largest entry, at eight random entries of
x; differences are right to about 1e-8. Data are arguments, never constants; JAX's results are
waited for.
"""

Function = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """A scalar function, what it is differentiated by, and where.

    ``written`` writes it with a library's own functions: jax.numpy or torch.
    """

    name: str
    expression: Any
    by: str
    values: dict[str, np.ndarray]
    written: Callable[[Any, dict[str, Any]], Any]


def tasks(small: bool) -> list[Task]:
    """The functions, in the order of the table."""
    rng = np.random.default_rng(0)
    makers = (logistic, factorisation, network, canonical, tucker, attention)
    return [make(rng, small) for make in makers]


def _normal(rng: np.random.Generator, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name: rng.standard_normal(shape) / shape[-1] ** 0.5 for name, shape in shapes.items()}


def logistic(rng: np.random.Generator, small: bool) -> Task:
    n, p = (200, 10) if small else (10_000, 200)
    X, w, y = mc.matrix("X", "n", "p"), mc.vector("w", "p"), mc.vector("y", "n")
    values = _normal(rng, X=(n, p), w=(p,)) | {"y": rng.choice([-1.0, 1.0], n)}
    return Task(
        f"logistic loss, {n:,}×{p}",
        mc.sum(mc.softplus(-y * mc.einsum("ij,j->i", X, w))),
        "w",
        values,
        lambda xp, v: xp.softplus(-v["y"] * xp.einsum("ij,j->i", v["X"], v["w"])).sum(),
    )


def factorisation(rng: np.random.Generator, small: bool) -> Task:
    m, n, r = (8, 6, 3) if small else (60, 40, 5)
    T, U, V = mc.matrix("T", "m", "n"), mc.matrix("U", "m", "r"), mc.matrix("V", "n", "r")
    return Task(
        f"‖T − UVᵀ‖² in U, {m}×{n}, rank {r}",
        mc.norm(T - mc.einsum("ik,jk->ij", U, V)) ** 2,
        "U",
        _normal(rng, T=(m, n), U=(m, r), V=(n, r)),
        lambda xp, v: ((v["T"] - xp.einsum("ik,jk->ij", v["U"], v["V"])) ** 2).sum(),
    )


def network(rng: np.random.Generator, small: bool) -> Task:
    n, d, h, k = (30, 5, 4, 3) if small else (500, 20, 15, 5)
    X, T = mc.matrix("X", "n", "d"), mc.matrix("T", "n", "k")
    W1, W2 = mc.matrix("W1", "h", "d"), mc.matrix("W2", "k", "h")
    Z = mc.einsum("nh,kh->nk", mc.tanh(mc.einsum("nd,hd->nh", X, W1)), W2)

    def written(xp: Any, v: dict[str, Any]) -> Any:
        hidden = xp.tanh(xp.einsum("nd,hd->nh", v["X"], v["W1"]))
        Z = xp.einsum("nh,kh->nk", hidden, v["W2"])
        return xp.log(xp.exp(Z).sum(1)).sum() - (v["T"] * Z).sum()

    values = _normal(rng, X=(n, d), W1=(h, d), W2=(k, h)) | {
        "T": np.eye(k)[rng.integers(k, size=n)]
    }
    name = f"network in W₁, {d}–{h}–{k}, {n} rows"
    f = mc.sum(mc.logsumexp(Z, axis=1)) - mc.sum(T * Z)
    return Task(name, f, "W1", values, written)


def canonical(rng: np.random.Generator, small: bool) -> Task:
    n, r = (5, 2) if small else (30, 8)
    T = mc.tensor("T", ("n", "m", "k"))
    A, B, C = mc.matrix("A", "n", "r"), mc.matrix("B", "m", "r"), mc.matrix("C", "k", "r")

    def written(xp: Any, v: dict[str, Any]) -> Any:
        return ((v["T"] - xp.einsum("ir,jr,kr->ijk", v["A"], v["B"], v["C"])) ** 2).sum()

    return Task(
        f"CP factorisation in A, {n}×{n}×{n}, rank {r}",
        mc.norm(T - mc.einsum("ir,jr,kr->ijk", A, B, C)) ** 2,
        "A",
        _normal(rng, T=(n, n, n), A=(n, r), B=(n, r), C=(n, r)),
        written,
    )


def tucker(rng: np.random.Generator, small: bool) -> Task:
    n, r = (4, 2) if small else (15, 5)
    T, G = mc.tensor("T", ("n", "m", "k")), mc.tensor("G", ("p", "q", "r"))
    A, B, C = mc.matrix("A", "n", "p"), mc.matrix("B", "m", "q"), mc.matrix("C", "k", "r")
    spec = "pqr,ip,jq,kr->ijk"

    def written(xp: Any, v: dict[str, Any]) -> Any:
        return ((v["T"] - xp.einsum(spec, v["G"], v["A"], v["B"], v["C"])) ** 2).sum()

    return Task(
        f"Tucker factorisation in the core, {n}×{n}×{n} from {r}×{r}×{r}",
        mc.norm(T - mc.einsum(spec, G, A, B, C)) ** 2,
        "G",
        _normal(rng, T=(n, n, n), G=(r, r, r), A=(n, r), B=(n, r), C=(n, r)),
        written,
    )


def attention(rng: np.random.Generator, small: bool) -> Task:
    b, h, q, k, d = (1, 2, 3, 3, 2) if small else (2, 2, 8, 8, 4)
    Q, K = mc.tensor("Q", ("b", "h", "q", "d")), mc.tensor("K", ("b", "h", "k", "d"))
    spec = "bhqd,bhkd->bhqk"
    return Task(
        f"scores of attention in the queries, {b}×{h}×{q}×{k}, {d} entries each",
        mc.sum(mc.exp(mc.einsum(spec, Q, K)) ** 2),
        "Q",
        _normal(rng, Q=(b, h, q, d), K=(b, h, k, d)),
        lambda xp, v: (xp.exp(xp.einsum(spec, v["Q"], v["K"])) ** 2).sum(),
    )


# -- who computes ----------------------------------------------------------------------------------


class _Names:
    """A library's functions, and softplus by the name that both share here."""

    def __init__(self, library: Any, softplus: Function) -> None:
        self._library, self.softplus = library, softplus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def ours(task: Task) -> Function:
    hessian = mc.tensor_derivative(task.expression, task.by, task.by).compile()
    values = {name: task.values[name] for name in hessian.arguments if name in task.values}
    values.setdefault(task.by, task.values[task.by])
    return lambda: hessian(**values)


def with_jax(task: Task) -> Function:
    import jax

    jax.config.update("jax_enable_x64", True)
    xp = _Names(jax.numpy, lambda z: jax.numpy.logaddexp(0.0, z))
    held = {name: jax.numpy.asarray(value) for name, value in task.values.items()}
    at = held[task.by]
    # The data are arguments: as constants, a compiler might compute with them beforehand.
    compiled = jax.jit(lambda x, v: jax.hessian(lambda x: task.written(xp, {**v, task.by: x}))(x))
    return lambda: compiled(at, held).block_until_ready()


def with_torch(task: Task) -> Function:
    import torch

    xp = _Names(torch, torch.nn.functional.softplus)
    held = {name: torch.from_numpy(value) for name, value in task.values.items()}
    hessian = torch.func.hessian(lambda x: task.written(xp, {**held, task.by: x}))
    return lambda: hessian(held[task.by])


PEERS = {"JAX": with_jax, "PyTorch": with_torch}


# -- measuring -------------------------------------------------------------------------------------


def error_of(task: Task, hessian: Any) -> float:
    """The largest deviation from central differences of the gradient, at eight entries of x."""
    gradient = task.expression.gradient(task.by).compile()
    at = task.values[task.by]
    rows = np.asarray(hessian).reshape(at.size, at.size)
    chosen = np.random.default_rng(1).choice(at.size, min(8, at.size), replace=False)
    worst = 0.0
    for place in chosen:
        E = np.zeros(at.size)
        E[place] = 1e-5
        E = E.reshape(at.shape)
        ahead, behind = (gradient(**{**task.values, task.by: at + sign * E}) for sign in (1, -1))
        worst = max(worst, float(np.abs(rows[place] - (ahead - behind).ravel() / 2e-5).max()))
    return worst / float(np.abs(rows).max())


def measure(task: Task, patience: Patience) -> dict[str, Any]:
    """A row of the table: the Hessian of one function by everybody."""
    methods = {OURS: ours(task)}
    for name, make in PEERS.items():
        try:
            methods[name] = make(task)
        except ImportError:
            continue
    runs, counts, row = {}, {}, {"function": task.name, "errors": {}}
    for name, run in methods.items():
        row["errors"][name] = error_of(task, run())
        runs[name], counts[name] = repeated(run)
    timings = interleave(runs, {}, patience)
    return row | {name: timing.median / counts[name] for name, timing in timings.items()}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, with the ratio of the best peer to ours."""
    names = [name for name in (OURS, *PEERS) if any(name in row for row in rows)]
    heads = [head for name in names for head in (name, "error")]
    lines = [
        f"| function | {' | '.join(heads)} | best peer / {OURS} |",
        f"|---|{'---:|' * (len(heads) + 1)}",
    ]
    for row in rows:
        cells = []
        for name in names:
            cells += (
                [in_units(row[name]), f"{row['errors'][name]:.0e}"] if name in row else ["—"] * 2
            )
        peers = [row[name] for name in PEERS if name in row]
        ratio = f"{min(peers) / row[OURS]:.2g}" if peers else "—"
        lines.append(f"| {row['function']} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="functions with a word in them")
    parser.add_argument("--small", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    rows = []
    for task in tasks(options.small):
        if options.only and not any(word in task.name for word in options.only):
            continue
        rows.append(measure(task, Patience(repeats=options.repeats)))
        print(table(rows[-1:]), flush=True)
    if options.write:
        stamp = results.stamp(Path(__file__).name, VERSIONS)
        PAGE.write_text(f"{INTRO}\n{stamp}\n{table(rows)}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
