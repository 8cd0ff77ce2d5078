"""The decisions of numerical differentiation as numbers, each with its reason.

Steps are relative to the size of a coordinate; errors are absolute unless a comment says otherwise.
"""

from __future__ import annotations

from mcmodels.plain import np

EPSILON = float(np.finfo(float).eps)

# Differences, extrapolated to step zero. Each step is half the one before.
FIRST_STEP = 2.0**-4
QUOTIENT_STEPS = 8  # without a measured noise there is no better place to stop
JACOBIAN_STEPS = 24  # down to 2⁻²⁷; fewer if rounding exceeds the error before
HESSIAN_STEPS = 14  # down to 2⁻¹⁷; second differences of smaller steps are rounding alone
SMALLEST_SIZE = 1e-6  # of a coordinate, relative to the largest one
SECOND_SCALE = 0.7  # of a second set of steps; no power of 2, so that the two seldom err alike

# Errors and what they may be.
ERROR_FACTOR = 10  # an estimated error is multiplied by this, to be on the safe side
USEFUL_ERROR = 1e-3  # relative; above it a wrong derivative cannot be told from a right one
# Units of rounding of f that differences may show where f is constant. More is refused.
JACOBIAN_ROUNDING = 1e4
HESSIAN_ROUNDING = 1e6

# The complex step.
COMPLEX_STEP_SIZE = 2.0**-80  # its square is below rounding, and float32 can represent it
COMPLEX_STEP_TRIALS = 4  # how often the point is moved to measure the rounding
COMPLEX_STEP_UNITS = 2  # by at most so many units of rounding
COMPLEX_STEP_ERROR_FACTOR = 4  # few trials rarely show the largest error

# Noise, by sixth differences.
NOISE_STEP = 7.37e-7  # no power of 2, by whose multiples the point might move without rounding
NOISE_POINTS = 12
NOISE_ORDER = 6
NOISE_GAIN = 924.0  # 12!/6!², the sum of the squared weights of a sixth difference
NOISE_NEIGHBOURHOOD = 2.0**-6  # where the magnitude of f is looked up

# Kinks. Each step is a quarter of the one before.
KINK_FIRST_STEP = 2.0**-8
KINK_STEPS = 10  # down to 2⁻²⁶
KINK_LARGEST_STEP = 2.0**-14  # a bend seen at larger steps only is not at the point
KINK_NOISE_FACTOR = 20  # a bend below this multiple of the noise is not seen
KINK_SMALLEST_BEND = 1e-3  # relative to the derivatives; a smaller one makes none of them wrong
KINK_GAP_SPREAD = 0.2  # relative; for a smooth f the gap falls to a quarter from step to step
# A sharp kink this close to the point counts as one at it: the noise of f is measured across both.
KINK_DISTANCE = 5e-6
KINK_SHARP_BEND = 0.05  # relative to the larger of the derivatives on both sides
