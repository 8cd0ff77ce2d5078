"""Programs as people write them for autograd and JAX, to be differentiated as they are.

Each module has the programs of one theme. They are functions of plain NumPy and SciPy; what is
expected of their derivatives comes from values of these functions alone.
"""
