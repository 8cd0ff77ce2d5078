"""Matrix calculus: derive gradients and Hessians, show the steps, and check them."""

from mcmodels.calculus.expression import Expression
from mcmodels.calculus.functions import *  # noqa: F403
