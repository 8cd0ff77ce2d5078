"""Numbers that several solvers share: rounding, line searches, condition numbers, sizes of data.

A number that only one file uses is at the top of that file.
"""

from __future__ import annotations

import numpy as np

# Rounding. ----------------------------------------------------------------------------------------

FLOAT64_EPSILON = float(np.finfo(np.float64).eps)
FLOAT64_TINY = float(np.finfo(np.float64).tiny)

# A direction counts as real when it is longer than this many standard deviations of the rounding
# errors in the entries of X.
NOISE_MARGIN = 2.0

# A predicted decrease of the objective below this share of its value cannot be verified: values are
# sums over many rows, and carry up to about a thousand rounding errors.
UNVERIFIABLE_DECREASE = 1e3 * FLOAT64_EPSILON

# Eigenvalues of a Hessian below this share of the largest count as zero: it has no more digits.
ZERO_EIGENVALUE = 1e-9


def factorisation_error(size: int) -> float:
    """Relative error of the factors of a matrix with ``size`` columns, from rounding alone.

    The bound of the backward error of Cholesky is about the size times ε: Higham (2002), *Accuracy
    and Stability of Numerical Algorithms*, 2nd ed., theorem 10.3. The factor 8 is a margin, also
    for QR and eigenvalues.
    """
    return 8 * size * FLOAT64_EPSILON


# Line searches. -----------------------------------------------------------------------------------

# A step is accepted when it decreases the objective by this share of what its model predicts (the
# Armijo condition). Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., §3.1, give 1e-4;
# for trust regions algorithm 4.1 allows any share below 1/4.
SUFFICIENT_DECREASE = 1e-4

# Largest number of halvings of a Newton step: 2⁻⁵⁰ of it is near the rounding of the parameters.
MAX_HALVINGS = 50
# Largest number of halvings of a step whose length is only a guess, and may be far too long.
MAX_HALVINGS_OF_A_GUESS = 60

# A step of this relative length, in the metric of the Hessian, is negligible: it would change no
# parameter by more than 1e-10 of the length of all. The gradient alone cannot decide: it is small
# wherever columns are.
NEGLIGIBLE_STEP = 1e-10


# Condition numbers of the design with columns of unit length. -------------------------------------

# The normal equations have the square of the condition number. With ε = 2e-16, up to this value
# small data may need no correction at all;
WELL_CONDITIONED = 50.0
# up to this one standard errors by their Cholesky factor have an error of about a hundred times κε
# (measured: at most 0.35 κ²ε),
NORMAL_CONDITION = 300.0
# or up to this one times the root of the number of values where a column takes few, whose rounding
# errors add up, and always up to the second (measured with two to ten values: at most 13 κ²ε in
# rows without an order, 270 κ²ε in sorted ones, which is 1e-12 of a standard error at κ = 5);
CONDITION_OF_VALUES, REPEATING_CONDITION = 2.0, 10.0
# up to this one it keeps nine digits for leverages and singular values, so that one pass over the
# rows may correct it;
CHOLESKY_CONDITION = 1e3
# beyond this one they lose ten digits.
ILL_CONDITIONED = 1e5

# Sizes of data. -----------------------------------------------------------------------------------

# Entries of a design for which extra precision takes no noticeable time.
SMALL_DESIGN = 2**10
# Entries of a design up to which a correction costs little.
MEDIUM_DESIGN = 2**18
# Entries of a design from which a pass over it costs more than the computations that may save one.
LARGE_DESIGN = 2**19

# Fewest rows for each parameter in a sample from which steps are estimated: its Hessian is that of
# all rows up to a relative error of about 2√(parameters / rows).
ROWS_PER_PARAMETER = 20

# Rows in a sample from which something simple is estimated: where columns lie, which intercept is
# a good start, whether every column has some curvature.
SAMPLE_ROWS = 4096
