"""Tolerances of inference: which numbers count as zero or as rounding errors, and why."""

from __future__ import annotations

import numpy as np

_EPSILON = float(np.finfo(np.float64).eps)

# Eigenvalues of a matrix of order n have rounding errors of up to about this times n times the
# largest eigenvalue.
EIGENVALUE_ROUNDING = 64 * _EPSILON
# The same of the variances of principal components. It is smaller, because it decides whether two
# variances are equal.
VARIANCE_ROUNDING = 8 * _EPSILON
# Columns have a constant in their span if what least squares leaves of it is below this many units
# of rounding of the squares of its terms ...
CONSTANT_ROUNDING = 64.0
# ... and below this share of its own squares: with large terms the rounding says little.
LARGEST_CONSTANT_REST = 1e-8
# A target is constant if it varies about its mean by less than this share of the mean: rounding of
# the mean makes the same number in every row vary by that much.
ROUNDING_OF_MEAN = 8 * _EPSILON
# Residuals are rounding errors if they are this many units of the terms that they are left of.
RESIDUAL_ROUNDING = 4.0
# A larger t of a fit whose residuals are rounding errors is infinite.
LARGEST_STATISTIC = 1e6
# The sum of weights that were normalised differs from a whole number by less than this share.
WEIGHT_ROUNDING = 1e-12
# Sums of squares below this may have lost digits to gradual underflow: their terms are near the
# smallest normal number, 2e-308 ...
SMALLEST_SQUARES = 1e-290
# ... and so have variances below this, which are sums of few terms.
UNDERFLOWN_VARIANCE = 1e-305
# Sums of scores that should be zero are this share of the scores at most, times the root of their
# number: in least squares by rounding ...
SCORE_ROUNDING = 64 * _EPSILON
# ... and after Newton's method by the gradient at which it stops.
SCORE_LEFT = 1e-8
# If 1 - h of a row with leverage h is smaller than this, its residual is only rounding error. The
# same of an eigenvalue of I - H of a cluster.
SMALLEST_REST = 1e-12
# A candidate of a score test is a linear combination of the fitted columns if the part that they do
# not explain is less than this share of its standard deviation ...
CANDIDATE_REST = 1e-6
# ... or less than this share of its length, which is the rounding error of that part.
CANDIDATE_ROUNDING = 1e-11
# In Minka's evidence no noise variance is smaller than this, as in scikit-learn.
SMALLEST_VARIANCE = 1e-15
# An output of a network depends on a direction without curvature if its derivative along it is
# larger than this share of its gradient.
FLAT_DERIVATIVE = 1e-6
# Fits stop a little below the maximum: the larger of two nested models may have a log-likelihood
# that is lower by this share.
LIKELIHOOD_ROUNDING = 1e-8
# How much lower than at its end the objective of a fit that did not converge may be, by φ: no
# statistic that is compared with quantiles of χ² shows it.
NEGLIGIBLE_GAIN = 1e-6
# Entries of a Jacobian of a network that are in memory at once (32 MB).
JACOBIAN_ENTRIES = 2**22
# A fit of a nearly kinked loss passes through as many rows as it has parameters. With fewer than
# this many rows of curvature a parameter, the curvature is largely that of these rows.
CURVED_ROWS_PER_PARAMETER = 10
# Entries of the matrices of all clusters (128 MB).
GRAM_ENTRIES = 2**24
# A combination of parameters that has less than this share of the variance that independent noise
# gives it has none: the residuals of the clusters that tell it are zero.
NO_VARIANCE = 1e-10
# Statistics of a bootstrap that differ by less than this share are equal in exact numbers, as where
# the signs of a cluster without residuals are changed.
TIED_STATISTICS = 1e-9
# Entries of the draws of a bootstrap that are in memory at once (32 MB).
DRAW_ENTRIES = 2**22
