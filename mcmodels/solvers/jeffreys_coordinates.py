"""An objective with Jeffreys' prior as a function of the user's parameters.

It is computed in coordinates in which the columns of the design are orthonormal, and independent
where those of the user are not: then the information has no determinant, and the prior takes the
pseudo-determinant, the product of the eigenvalues that are not zero. With ``γ = Gθ``, where G has
the full rank of its rows, ``pdet(GᵀIG) = det(I) det(GGᵀ)``: the two differ by a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives import LinearPredictorObjective, Loss
from mcmodels.objectives.jeffreys import JeffreysObjective, Prior
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import Derivatives, RowBlock, Rows, Slope
from mcmodels.solvers.coordinates import (
    Coordinates,
    curvature_coordinates,
    orthonormal_coordinates,
)

__all__ = ["ILL_CONDITIONED", "PenalisedByInformation", "Place"]

# From this condition number of the information on, other coordinates are looked for: log det I has
# lost κ²ε.
ILL_CONDITIONED = 1e3


@dataclass(frozen=True)
class Place:
    """An objective with Jeffreys' prior in coordinates of its parameters.

    Parameters
    ----------
    coordinates : Coordinates
        The coordinates γ.
    inner : JeffreysObjective
        The objective over the rows in these coordinates.
    rows : Rows
        The user's rows.
    """

    coordinates: Coordinates
    inner: JeffreysObjective
    rows: Rows

    def to_users(self, params: Array) -> Array:
        """The user's parameters."""
        return self.coordinates.to_users(params, intercept=self.rows.intercept)

    def from_users(self, params: Array) -> Array:
        """Parameters in the coordinates, which give the same linear predictors."""
        if self.coordinates.rank < self.rows.n_features:
            return params @ self.map
        return self.coordinates.from_users(params, intercept=self.rows.intercept)

    def over_users(self, found: Derivatives) -> Derivatives:
        """Derivatives in the coordinates as those over the user's parameters."""
        value = found.value + self.constant(len(np.atleast_2d(found.gradient)))
        hessian = self.square_over_users(found.hessian)
        return Derivatives(value, found.gradient @ self.map.T, hessian)

    def square_over_users(self, matrix: Array) -> Array:
        """``GᵀMG`` of each block."""
        P, r = self.map.shape
        K = len(matrix) // r if r else 1
        blocks = matrix.reshape(K, r, K, r)
        found = np.einsum("pr,krls,qs->kplq", self.map, blocks, self.map, optimize=True)
        square = found.reshape(K * P, K * P)
        return (square + square.T) / 2.0

    def constant(self, n_predictors: int) -> float:
        """What the objective of the user's parameters has more, by ``pdet(GᵀIG)``."""
        determined = max(n_predictors - 1, 1)
        return -self.inner.prior.dispersion / 2.0 * determined * self._log_volume

    @cached_property
    def map(self) -> Array:
        """Gᵀ, shape (P, r).

        Where columns depend on each other, ``x - centre`` is that combination of the new columns z
        which least squares give: without a remainder.
        """
        coordinates, intercept = self.coordinates, self.rows.intercept
        if coordinates.rank == self.rows.n_features:
            return coordinates.from_users(np.eye(self.rows.n_params), intercept=intercept)
        centre, root = coordinates.centre, coordinates.root
        assert root is not None

        def summarise(block: RowBlock) -> Array:
            X = block.X.centred(centre).dense()
            Z = X @ root
            return Z.T @ block.weighted(np.column_stack([Z, X]))

        r = coordinates.rank
        products = self.rows.reduce(summarise)
        found: Array = np.linalg.solve(products[:, :r], products[:, r:]).T.astype(np.float64)
        if not intercept:
            return found
        border = [np.zeros((1, r)), np.ones((1, 1))]
        whole: Array = np.block([[found, centre[:, np.newaxis]], border])
        return whole

    @cached_property
    def _log_volume(self) -> float:
        """``log det(GGᵀ)``, with columns of unit length where G is square."""
        G = self.map.T
        if G.size == 0:
            return 0.0
        lengths = np.linalg.norm(G, axis=0)
        if G.shape[0] == G.shape[1] and lengths.all():
            return 2.0 * float(np.linalg.slogdet(G / lengths)[1] + np.log(lengths).sum())
        factor = linalg.qr(G.T, mode="r")[0][: len(G)]
        return 2.0 * float(np.log(np.abs(np.diagonal(factor))).sum())


class PenalisedByInformation(LinearPredictorObjective):
    """A loss with Jeffreys' prior, as a function of the user's parameters.

    It is computed in the first coordinates, or where the information is ill-conditioned in them, in
    those in which the information is about the identity: then rows far on the right side of a
    separation have little information beside others.

    Parameters
    ----------
    rows : Rows
        Design rows, targets and weights; columns may depend on each other.
    loss : Loss
        The pointwise loss: the kernel of a negative log-likelihood.
    prior : Prior
        The prior.
    """

    def __init__(self, rows: Rows, loss: Loss, prior: Prior) -> None:
        super().__init__(rows, loss)
        self.prior = prior

    @cached_property
    def first_place(self) -> Place:
        """Coordinates in which the columns of the design are orthonormal; two passes find them."""
        return self.place_in(orthonormal_coordinates(self.rows))

    def place_in(self, coordinates: Coordinates) -> Place:
        """The objective in some coordinates."""
        inner = JeffreysObjective(coordinates.transform(self.rows), self.loss, self.prior)
        return Place(coordinates, inner, self.rows)

    def place_by_information(self, params: Array) -> Place | None:
        """Coordinates in which the information at some parameters is about the identity.

        None where it has lower rank than the design, up to rounding.
        """
        loss, weights = self.loss, self.prior.weights
        if weights is not None:
            loss = UserLoss(lambda _, eta, orders: (weights(eta)[0],) * len(orders))
        with np.errstate(all="ignore"):
            found = curvature_coordinates(LinearPredictorObjective(self.rows, loss), params)
        if found is None or found.rank < self.first_place.coordinates.rank:
            return None
        return self.place_in(found)

    def place_at(self, params: Array) -> Place:
        """The coordinates in which the objective is computed at some parameters."""
        first = self.first_place
        if first.inner.condition(first.from_users(params)) <= ILL_CONDITIONED:
            return first
        return self.place_by_information(params) or first

    def value(self, params: Array) -> float:
        """The objective."""
        place = self.place_at(params)
        constant = place.constant(len(np.atleast_2d(params)))
        return place.inner.value(place.from_users(params)) + constant

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        place = self.place_at(params)
        found = place.inner.slope(place.from_users(params))
        constant = place.constant(len(np.atleast_2d(params)))
        return Slope(found.value + constant, found.gradient @ place.map.T)

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""
        return self.slope(params).gradient

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        place = self.place_at(params)
        return place.over_users(place.inner.derivatives(place.from_users(params)))

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian over ``params.ravel()``; with ``safe`` the information."""
        place = self.place_at(params)
        return place.square_over_users(place.inner.hessian(place.from_users(params), safe=safe))

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector; the Hessian is formed."""
        return (self.hessian(params) @ vector.ravel()).reshape(params.shape)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian, in the shape of params."""
        return np.diagonal(self.hessian(params)).reshape(params.shape)

    def over(self, rows: Rows, penalty: Penalty) -> PenalisedByInformation:
        """The same objective over other rows."""
        return PenalisedByInformation(rows, self.loss, self.prior)
