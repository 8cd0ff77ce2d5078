"""Who trains networks, each showing its loss, seconds and passes as they come."""

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import results
from sklearn.neural_network import MLPClassifier as PeerClassifier

from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.lbfgs import minimise_by_lbfgs
from mcmodels.solvers.trust_region import minimise_in_trust_region

BATCH = 200  # rows of a step of Adam, scikit-learn's default


class Enough(Exception):
    """A training has had its time."""


@dataclass
class Watch:
    """What a training shows: loss per row, seconds and passes, as they come."""

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)
    begun: float = 0.0
    limit: float = np.inf

    @property
    def least(self) -> float:
        """The least loss; infinite where there was no time for any."""
        return min(self.losses, default=np.inf)

    def begin(self) -> None:
        """Start the clock."""
        self.begun = time.perf_counter()

    def saw(self, loss: float, passes: int = 1) -> None:
        """Note a loss, seen after so many passes."""
        self.seconds.append(time.perf_counter() - self.begun)
        if self.seconds[-1] > self.limit:
            self.seconds.pop()
            raise Enough
        self.losses.append(loss)
        self.passes.append(passes)

    def unwatched(self, since: float) -> None:
        """What happened since then was not training."""
        self.begun += time.perf_counter() - since

    def place(self, loss: float) -> int | None:
        """Which entry is the first with no more than a loss, if one is."""
        found = np.flatnonzero(np.array(self.losses) <= loss)
        return int(found[0]) if found.size else None


@dataclass(frozen=True)
class Problem:
    """Rows, classes as codes, and the network to train on them."""

    name: str
    X: np.ndarray
    codes: np.ndarray
    hidden: tuple[int, ...]
    activation: str
    alpha: float

    @property
    def n_outputs(self) -> int:
        """One for two classes, else one for each class."""
        n_classes = int(self.codes.max()) + 1
        return 1 if n_classes == 2 else n_classes

    @property
    def network(self) -> Network:
        """Layers, as mcmodels has them."""
        return Network((self.X.shape[1], *self.hidden, self.n_outputs), self.activation)

    def objective(self) -> NetworkObjective:
        """As MLPClassifier makes it."""
        rows = ArrayRows(self.X, self.codes, None, intercept=False, block_rows=2048)
        loss = BinaryCrossEntropy() if self.n_outputs == 1 else SoftmaxCrossEntropy()
        return NetworkObjective(rows, self.network, loss, self.alpha)

    def peer(self, seed: int, **options: Any) -> PeerClassifier:
        """scikit-learn's network."""
        return PeerClassifier(self.hidden, self.activation, random_state=seed, **options)

    def start(self, seed: int) -> list[np.ndarray]:
        """scikit-learn's W and b, before any step."""
        peer = self.peer(seed, solver="sgd", learning_rate_init=1e-300, batch_size=len(self.X))
        peer.partial_fit(self.X, self.codes, classes=np.arange(self.codes.max() + 1))
        return [*peer.coefs_, *peer.intercepts_]


def flat(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(part) for part in parts])


class Watched:
    """An objective that shows its values."""

    def __init__(self, objective: NetworkObjective, watch: Watch) -> None:
        self.objective, self.watch, self.taken = objective, watch, 0

    def slope(self, params: np.ndarray) -> Any:
        """Value and gradient."""
        return self._seen(self.objective.slope(params))

    def conditioned_slope(self, params: np.ndarray) -> Any:
        """Value, gradient and approximate curvature."""
        return self._seen(self.objective.conditioned_slope(params))

    def hessian_vector_product(self, params: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """The Hessian times a vector."""
        self.taken += 1
        return self.objective.hessian_vector_product(params, vector)

    def _seen(self, slope: Any) -> Any:
        self.taken += 1
        self.watch.saw(slope.value / self.objective.rows.n_rows, self.taken)
        return slope


# -- who trains ------------------------------------------------------------------------------------


def with_lbfgs(problem: Problem, seed: int, watch: Watch, tolerance: float = 1e-7) -> None:
    objective, start = problem.objective(), flat(problem.start(seed))
    n = len(problem.X)
    watch.begin()
    minimise_by_lbfgs(
        Watched(objective, watch), start, scale=n, gradient_tolerance=tolerance * n, max_iter=20_000
    )


def with_newton(problem: Problem, seed: int, watch: Watch, tolerance: float = 1e-7) -> None:
    objective, start = problem.objective(), flat(problem.start(seed))
    n = len(problem.X)
    watch.begin()
    minimise_in_trust_region(
        Watched(objective, watch), start, gradient_tolerance=tolerance * n, max_iter=2_000
    )


def with_sklearn(problem: Problem, seed: int, watch: Watch) -> None:
    class Shown(PeerClassifier):
        def _loss_grad_lbfgs(self, *args: Any) -> Any:
            if not watch.losses:
                watch.begin()
            found = super()._loss_grad_lbfgs(*args)
            watch.saw(found[0])
            return found

    peer = Shown(
        problem.hidden,
        problem.activation,
        solver="lbfgs",
        alpha=problem.alpha,
        random_state=seed,
        tol=1e-7,
        max_iter=20_000,
        max_fun=10**6,
    )
    peer.fit(problem.X, problem.codes)


def with_sklearn_adam(problem: Problem, seed: int, watch: Watch, rate: float) -> None:
    objective, n = problem.objective(), len(problem.X)
    alpha = problem.alpha * BATCH / n
    peer = problem.peer(seed, alpha=alpha, batch_size=BATCH, learning_rate_init=rate)
    classes = np.unique(problem.codes)
    watch.begin()
    while True:
        peer.partial_fit(problem.X, problem.codes, classes=classes)
        watch.saw(0.0)
        since = time.perf_counter()
        watch.losses[-1] = objective.value(flat([*peer.coefs_, *peer.intercepts_])) / n
        watch.unwatched(since)


def torch_loss(problem: Problem, seed: int) -> tuple[list[Any], Callable[..., Any]]:
    """PyTorch's tensors of the parameters, and the mean loss over rows by index."""
    import torch

    torch.set_num_threads(2)
    layers = len(problem.hidden) + 1
    parameters = [torch.from_numpy(part.copy()) for part in problem.start(seed)]
    for part in parameters:
        part.requires_grad_(True)
    X, y = torch.from_numpy(problem.X), torch.from_numpy(problem.codes)
    activation = {"tanh": torch.tanh, "relu": torch.relu}[problem.activation]

    def loss(rows: Any = slice(None)) -> Any:
        h = X[rows]
        for layer, (W, b) in enumerate(zip(parameters[:layers], parameters[layers:], strict=True)):
            h = torch.addmm(b, h, W)
            if layer < layers - 1:
                h = activation(h)
        penalty = sum((W * W).sum() for W in parameters[:layers])
        if problem.n_outputs == 1:
            target = y[rows].to(h.dtype)
            mean = torch.nn.functional.binary_cross_entropy_with_logits(h[:, 0], target)
        else:
            mean = torch.nn.functional.cross_entropy(h, y[rows])
        return mean + problem.alpha / (2 * len(X)) * penalty

    return parameters, loss


def with_torch(problem: Problem, seed: int, watch: Watch) -> None:
    import torch

    parameters, loss = torch_loss(problem, seed)
    optimizer = torch.optim.LBFGS(
        parameters,
        max_iter=20_000,
        max_eval=10**6,
        tolerance_grad=1e-7,
        tolerance_change=1e-15,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        watch.saw(value.item())
        return value

    watch.begin()
    optimizer.step(closure)


def with_torch_adam(problem: Problem, seed: int, watch: Watch, rate: float) -> None:
    import torch

    parameters, loss = torch_loss(problem, seed)
    optimizer = torch.optim.Adam(parameters, lr=rate)
    order = np.random.default_rng(seed)
    watch.begin()
    while True:
        shuffled = torch.from_numpy(order.permutation(len(problem.X)))
        for rows in shuffled.split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss(rows).backward()
            optimizer.step()
        watch.saw(0.0)
        since = time.perf_counter()
        with torch.no_grad():
            watch.losses[-1] = loss().item()
        watch.unwatched(since)


Training = Callable[..., None]
DETERMINISTIC: dict[str, Training] = {
    "mcmodels lbfgs": with_lbfgs,
    "mcmodels newton-cg": with_newton,
    "scikit-learn lbfgs": with_sklearn,
    "PyTorch L-BFGS": with_torch,
}
STOCHASTIC: dict[str, Training] = {
    "scikit-learn adam": with_sklearn_adam,
    "PyTorch Adam": with_torch_adam,
}


def watched(train: Training, problem: Problem, seed: int, limit: float, **options: Any) -> Watch:
    """Train, for so many seconds at most."""
    watch = Watch(limit=limit)
    with warnings.catch_warnings(), suppress(Enough):
        warnings.simplefilter("ignore")
        train(problem, seed, watch, **options)
    return watch


def installed(name: str) -> bool:
    return not name.startswith("PyTorch") or results.version("torch") is not None
