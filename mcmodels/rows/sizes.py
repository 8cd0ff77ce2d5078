"""Sizes at which a walk over rows changes its way of working, each with its reason.

Times are those of two cores with OpenBLAS. An entry is one number of X; sizes in bytes are those of
float64.
"""

from __future__ import annotations

# --- Blocks -------------------------------------------------------------------------------------
# Entries of a block, or stored entries of a sparse one. 4 MB stay in cache while every sum is taken
# from the block. Smaller blocks make threads wait for each other: NumPy calls of less than about
# 20 µs do not run side by side.
BLOCK_ENTRIES = 2**19
# A block of wide rows has at least this many rows, or matrix products would be slow ...
MIN_BLOCK_ROWS = 1024
# ... unless it would have more than this many entries (16 MB for each array of each thread).
MAX_BLOCK_ENTRIES = 2**21
# A block of short rows has no more rows than this: vectors with one entry for each row stay small.
MAX_BLOCK_ROWS = 2**15

# --- Threads ------------------------------------------------------------------------------------
# The blocks are divided into this many runs. One thread sums a run, and the sums of the runs are
# added in order. So the result does not depend on the number of threads.
RUNS = 64
# Fewer entries are summed in less time than threads take to start.
FEW_ENTRIES = 2**18
# With so many columns or more, several threads of BLAS gain more in a factorisation than they cost.
MANY_COLUMNS = 1000
# Products of rows with fewer columns take less time in one thread than reading small blocks does.
MANY_TO_SUM = 64

# --- Samples ------------------------------------------------------------------------------------
# A sample is taken from this many places, spread evenly.
SAMPLE_RUNS = 8
# Rows of the sample that gives the point about which cross-products are summed.
MEAN_SAMPLE = 1024

# --- Short rows and long rows -------------------------------------------------------------------
# Rows with fewer entries are short. NumPy's inner loops have the length of a row, so that a vector
# is subtracted from several short rows at once. Products in float32 are not worth it there.
SHORT_ROW = 32
# Entries of the several short rows that are treated as one.
JOINED_ROW = 160
# With more entries than this in all, the time of a pass matters more than one digit: products of
# float32 rows are taken in float32, and short rows are not centred where that is not needed.
MANY_ENTRIES = 2**20
# For rows shorter than this, the subtraction of the mean takes much of the time of a fit. Of many
# such rows ...
CENTRED_ROW = 64
# ... it is left out where the mean is at most this many standard deviations. It costs one digit.
NEAR_ZERO = 4.0
# Rows of float32 whose products are added in float32, before the sums become float64. Longer runs
# cost digits. Shorter ones cost time, because each run adds p² numbers in float64.
FLOAT32_RUN = 512

# --- Sparse rows --------------------------------------------------------------------------------
# A sparse column with a larger share of entries is stored in full when it is centred. A column with
# a smaller share is centred about zero, which costs less than one decimal digit:
# mean² ≤ density · E[x²], so that var ≥ (1 - density) E[x²].
FILLED_COLUMN_DENSITY = 0.5
# One multiplication in the product of sparse rows with themselves takes about as long as this many
# in the product of dense rows.
SPARSE_PRODUCT_COST = 24
