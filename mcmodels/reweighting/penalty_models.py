"""How a criterion of a penalty changes with it, from matrices of one fit: no pass over the rows.

Near a fit with penalty A₀, the losses are taken to be quadratic and the curvature of rows to be
constant. Then the minimum at another penalty A is ``θ₀ + δ``,

``δ = -(H_loss + A)⁻¹ (A - A₀) θ₀``,

the losses change by ``-(A₀θ₀)ᵀδ + ½ δᵀH_loss δ``, and a criterion by that times its slope in them,
by ``tr((H_loss + A)⁻¹ B)``, or ``½ log det (H_loss + A) - ½ Σ pₖ log αₖ``, and by ``uᵀδ``, u its
other derivatives by the parameters at the fit. So the slopes of the model are exact there. For one
penalty a generalised eigenvalue problem makes all matrices diagonal: a grid costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.reweighting.criteria import Criterion, Evaluation, Evidence
from mcmodels.reweighting.penalised_fit import PenalisedFit

__all__ = ["BentModel", "PenaltyModel", "Tried", "penalty_model"]

# How far away, in log α, points are that bend a model, and how many of them.
_NEAR, _POINTS = 1.0, 5


class PenaltyModel(ABC):
    """A model of a criterion around a fit.

    Parameters
    ----------
    fit : PenalisedFit
        The fit.
    criterion : Criterion
        The criterion.
    evaluation : Evaluation
        The criterion at the fit.
    """

    def __init__(self, fit: PenalisedFit, criterion: Criterion, evaluation: Evaluation) -> None:
        self.fit = fit
        self.is_evidence = isinstance(criterion, Evidence)
        self.evaluation = evaluation
        self._prepare()
        self._offset = 0.0
        self._offset = evaluation.value - self(np.log(fit.alphas))[0]

    @abstractmethod
    def __call__(self, log_alphas: Array) -> tuple[float, Array]:
        """Value and derivatives by the logarithms of the penalties."""

    @abstractmethod
    def _prepare(self) -> None:
        """Compute what does not depend on the penalties."""


class _OfOne(PenaltyModel):
    """The model for one penalty, in coordinates in which all matrices are diagonal."""

    def _prepare(self) -> None:
        fit = self.fit
        H = fit.shifted_hessian.copy()
        np.einsum("ii->i", H)[:] -= fit.penalised
        held = np.flatnonzero(fit.penalised > 0)
        free = np.flatnonzero(fit.penalised == 0)
        inner, back = H, np.zeros((0, len(held)))
        if free.size:
            across = H[np.ix_(free, held)]
            lower = linalg.cholesky(H[np.ix_(free, free)], lower=True, check_finite=False)
            half = linalg.solve_triangular(lower, across, lower=True, check_finite=False)
            inner = H[np.ix_(held, held)] - half.T @ half
            back = linalg.solve_triangular(lower, half, lower=True, trans=1, check_finite=False)
        values, V = linalg.eigh(inner, check_finite=False, driver="evd")
        U = np.empty((len(H), len(held)))
        U[held], U[free] = V, -back @ V
        self._d = np.maximum(values, 0.0)
        self._tau = V.T @ fit.params.ravel()[held]
        self._spread = np.einsum("ij,ij->j", U, self.evaluation.spread @ U)
        self._pull = self.evaluation.pull @ U

    def _moves(self, alpha: float) -> Array:
        """The change of the minimum, in the diagonal coordinates."""
        found: Array = -(alpha - self.fit.alphas[0]) * self._tau / (self._d + alpha)
        return found

    def values(self, log_alphas: Array) -> Array:
        """Values at many penalties, shape (m,)."""
        alpha, before = np.exp(log_alphas)[:, np.newaxis], float(self.fit.alphas[0])
        d, tau, slope = self._d, self._tau, self.evaluation.loss_slope
        moves = -(alpha - before) * tau / (d + alpha)
        terms = slope * (d * moves**2 / 2.0 - before * tau * moves) + self._pull * moves
        if self.is_evidence:
            terms += slope * alpha * (tau + moves) ** 2 / 2.0 + np.log1p(d / alpha) / 2.0
        else:
            terms += self._spread / (d + alpha)
        return np.asarray(terms.sum(axis=1) + self._offset)

    def __call__(self, log_alphas: Array) -> tuple[float, Array]:
        """Value and derivatives by the logarithms of the penalties."""
        alpha, before = float(np.exp(log_alphas[0])), float(self.fit.alphas[0])
        d, tau, moves = self._d, self._tau, self._moves(float(np.exp(log_alphas[0])))
        # Squares of penalties may be outside the range of float64.
        by_alpha = -tau * ((d + before) / (d + alpha)) / (d + alpha)
        slope = self.evaluation.loss_slope
        value = slope * float(np.sum(-before * tau * moves + d * moves**2 / 2.0))
        value += self._offset + float(self._pull @ moves)
        by_moves = slope * (d * moves - before * tau) + self._pull
        derivative = float(by_moves @ by_alpha)
        if self.is_evidence:
            coef = tau + moves
            value += slope * alpha * float(coef @ coef) / 2.0
            value += float(np.sum(np.log1p(d / alpha))) / 2.0
            derivative += slope * float(coef @ coef / 2.0 + alpha * (coef @ by_alpha))
            derivative -= float(np.sum(d / (d + alpha))) / (2.0 * alpha)
        else:
            value += float(np.sum(self._spread / (d + alpha)))
            derivative -= float(np.sum(self._spread / (d + alpha) / (d + alpha)))
        return value, np.array([alpha * derivative])


class _OfSeveral(PenaltyModel):
    """The model for several penalties: one Cholesky factor for each point."""

    def _prepare(self) -> None:
        fit = self.fit
        self._loss = fit.shifted_hessian.copy()
        np.einsum("ii->i", self._loss)[:] -= fit.penalised
        self._sizes = fit.n_outputs * fit.groups.sizes()

    def _solved(self, A: Array) -> tuple[Array, Array]:
        """``H⁻¹`` at a penalty, and the change of the minimum."""
        H = self._loss.copy()
        np.einsum("ii->i", H)[:] += A
        lower, _ = linalg.lapack.dpotrf(H.T, lower=1, clean=1, overwrite_a=1)
        self._log_determinant = 2.0 * float(np.log(np.diagonal(lower)).sum())
        inverse, _ = linalg.lapack.dpotri(lower, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        return inverse, -inverse @ ((A - self.fit.penalised) * self.fit.params.ravel())

    def __call__(self, log_alphas: Array) -> tuple[float, Array]:
        """Value and derivatives by the logarithms of the penalties."""
        fit, slope = self.fit, self.evaluation.loss_slope
        A = fit.diagonal_of(np.exp(log_alphas))
        inverse, moves = self._solved(A)
        pulled = fit.penalised * fit.params.ravel()
        curved = self._loss @ moves
        pull = self.evaluation.pull
        value = slope * float(curved @ moves / 2.0 - pulled @ moves)
        value += self._offset + float(pull @ moves)
        params = fit.params.ravel() + moves
        # Through the minimum, by the parameters.
        along = -(inverse @ (slope * (curved - pulled) + pull)) * A * params
        if self.is_evidence:
            value += slope * float(A @ params**2) / 2.0 + self._log_determinant / 2.0
            value -= float(self._sizes @ log_alphas) / 2.0
            by_penalty = slope * A * params**2 / 2.0 + A * np.diagonal(inverse) / 2.0
            by_penalty -= slope * (inverse @ (A * params)) * A * params
            return value, fit.by_group(along + by_penalty) - self._sizes / 2.0
        spread = self.evaluation.spread @ inverse
        value += float(np.trace(spread))
        along = along - A * np.einsum("ij,ji->i", inverse, spread)
        return value, fit.by_group(along)


@dataclass(frozen=True)
class Tried:
    """A point of a search.

    Parameters
    ----------
    log_alphas : ndarray of shape (n_groups,)
        Logarithms of the penalties.
    evaluation : Evaluation
        The criterion there.
    freedom : float
        Effective degrees of freedom of the fit.
    """

    log_alphas: Array
    evaluation: Evaluation
    freedom: float


@dataclass(frozen=True)
class BentModel:
    """A model with curvature added, so that its slopes at other points nearby are exact, too.

    The symmetric matrix is found by Powell's updates, the nearest point last: Nocedal and Wright
    (2006), *Numerical Optimization*, 2nd ed., §11.1 and exercise 6.10 (PSB).

    Parameters
    ----------
    model : PenaltyModel
        The model.
    at : ndarray of shape (n_groups,)
        Where it is exact.
    bend : ndarray of shape (n_groups, n_groups)
        The matrix.
    """

    model: PenaltyModel
    at: Array
    bend: Array

    @classmethod
    def of(cls, model: PenaltyModel, at: Array, tried: list[Tried]) -> BentModel:
        """The model, bent by what was learnt at other points."""
        bend = np.zeros((len(at), len(at)))
        steps = [(point.log_alphas - at, point.evaluation) for point in tried]
        near = [(s, e) for s, e in steps if 0 < np.abs(s).max() <= _NEAR and e.is_finite]
        near.sort(key=lambda pair: -float(pair[0] @ pair[0]))
        for s, evaluation in near[-_POINTS:]:
            left = evaluation.gradient - model(at + s)[1] - bend @ s
            square = float(s @ s)
            bend += (np.outer(left, s) + np.outer(s, left)) / square
            bend -= float(left @ s) / square**2 * np.outer(s, s)
        return cls(model, at, bend)

    def __call__(self, log_alphas: Array) -> tuple[float, Array]:
        """Value and derivatives by the logarithms of the penalties."""
        value, gradient = self.model(log_alphas)
        s = log_alphas - self.at
        curved = self.bend @ s
        return value + float(s @ curved) / 2.0, gradient + curved

    def values(self, log_alphas: Array) -> Array:
        """Values at many points of one penalty, shape (m,)."""
        assert isinstance(self.model, _OfOne)
        moves = log_alphas - self.at[0]
        return self.model.values(log_alphas) + self.bend[0, 0] * moves**2 / 2.0


def penalty_model(fit: PenalisedFit, criterion: Criterion, evaluation: Evaluation) -> PenaltyModel:
    """The model of a criterion around a fit, with one penalty or several."""
    kind = _OfOne if fit.groups.count == 1 else _OfSeveral
    return kind(fit, criterion, evaluation)
