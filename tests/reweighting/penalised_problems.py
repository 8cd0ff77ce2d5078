"""Small penalised fits of every kind, refitted to full precision at any penalty."""

import numpy as np

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.objectives.families import Binomial, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.reweighting.penalised_fit import Groups, PenalisedFit
from mcmodels.rows import ArrayRows
from mcmodels.solvers import irls

N, P = 60, 4
FAMILIES = {
    "poisson": (PowerFamily("poisson", 1.0), "log"),
    "gamma": (PowerFamily("gamma", 2.0), "log"),
    "inverse gaussian": (PowerFamily("inverse_gaussian", 3.0), "log"),
    "negative binomial": (NegativeBinomial(0.7), "log"),
    "probit": (Binomial(), "probit"),
    "normal": (PowerFamily("normal", 0.0), "identity"),
}
KINDS = ("binary", "softmax", *FAMILIES)


class Problem:
    """A kind of loss on random rows, with its refits."""

    def __init__(self, kind, of_column=(0, 0, 0, 0), *, intercept=True, weighted=True, seed=0):
        rng = np.random.default_rng(seed)
        self.X = rng.standard_normal((N, P)) * [1.0, 2.0, 0.5, 1.0] + [1.0, 0.0, 0.0, 0.0]
        self.weights = rng.integers(1, 4, N).astype(float) if weighted else None
        eta = self.X @ [0.5, -0.3, 0.4, 0.1]
        self.shape, self.objective = (P + intercept,), LinearPredictorObjective
        if kind == "binary":
            self.y = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(int)
            self.loss, self.values = BinaryCrossEntropy(), BinaryCrossEntropy().value
        elif kind == "softmax":
            self.shape = (3, P + intercept)
            noise = rng.gumbel(size=(N, 3))
            self.y = np.argmax(np.column_stack([0 * eta, eta, -eta]) + noise, axis=1)
            self.loss, self.values = SoftmaxCrossEntropy(), SoftmaxCrossEntropy().value
        else:
            family, link = FAMILIES[kind]
            of_family = FamilyLoss(family, LINKS[link])
            mean = np.exp(0.3 * eta)
            self.y = {
                "poisson": lambda: rng.poisson(mean),
                "negative binomial": lambda: rng.poisson(mean * rng.gamma(1.4, 0.7, N)),
                "probit": lambda: rng.standard_normal(N) < eta,
                "normal": lambda: eta + rng.standard_normal(N),
            }.get(kind, lambda: rng.gamma(2.0, mean / 2.0))()
            self.y = np.asarray(self.y, dtype=float)
            self.loss, self.objective = UserLoss(of_family), UserObjective
            self.values = lambda y, e: of_family.deviance(y, e) / 2.0
        columns = np.asarray(of_column, dtype=np.intp)
        self.groups = Groups(columns, int(columns.max()) + 1)
        self.rows = ArrayRows(self.X, self.y, self.weights, None, intercept=intercept)

    @property
    def total_weight(self):
        return self.rows.total_weight

    def fit(self, log_alphas):
        """The minimum at these penalties, until float64 shows no further decrease."""
        alphas = np.exp(np.atleast_1d(log_alphas))
        penalty = self.groups.penalty(alphas, intercept=self.rows.intercept)
        objective = self.objective(self.rows, self.loss, penalty)
        *_, last = irls.fit(objective, np.zeros(self.shape), tol=1e-15, max_iter=60)
        return PenalisedFit.of(objective, self.groups, last)


def differences(function, at, h=1e-4):
    """The gradient of a function, by central differences of fourth order."""
    found = np.empty(len(at))
    for k in range(len(at)):
        step = np.zeros(len(at))
        step[k] = h
        near = function(at + step) - function(at - step)
        found[k] = (8 * near - function(at + 2 * step) + function(at - 2 * step)) / (12 * h)
    return found
