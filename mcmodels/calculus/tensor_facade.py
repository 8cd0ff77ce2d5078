"""What a tensor offers beside its arithmetic: text, derivatives and numbers.

As in `facade`, each method imports what it calls when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcmodels.calculus.core.nesting import refuses_depth

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TensorMethods"]


class TensorMethods:
    """The methods of `Tensor` that call what is built on it."""

    __slots__ = ()

    @refuses_depth
    def __str__(self: Any) -> str:
        """Python text, which `parse` reads back."""
        from mcmodels.calculus.text.printing import tensor_text

        return tensor_text(self)

    @refuses_depth
    def __repr__(self: Any) -> str:
        return self.mathematics()

    @refuses_depth
    def mathematics(self: Any) -> str:
        """The tensor as mathematics in plain text, as in ``[Σᵣ Aᵢᵣ Bⱼᵣ Cₖᵣ]ᵢⱼₖ``."""
        from mcmodels.calculus.text.printing import tensor_mathematics

        return tensor_mathematics(self.entries)

    @refuses_depth
    def latex(self: Any) -> str:
        """The tensor as LaTeX, without dollar signs."""
        from mcmodels.calculus.text.printing import tensor_latex

        return tensor_latex(self.entries)

    def _repr_latex_(self: Any) -> str:
        return f"$\\displaystyle {self.latex()}$"

    @refuses_depth
    def jacobian(self: Any, x: Any) -> Any:
        """All derivatives: indices of this tensor first, then those of ``x``.

        Parameters
        ----------
        x : Expression, Tensor or str
            A symbol, or its name.

        Returns
        -------
        Tensor
            Of the rank of this tensor and that of ``x`` together.

        Raises
        ------
        DerivativeError
            If ``x`` is not a symbol, or a derivative has no closed form.
        """
        from mcmodels.calculus.derive.tensor_derivatives import tensor_derivative

        return tensor_derivative(self, x)

    @refuses_depth
    def hessian(self: Any, x: Any, y: Any = None) -> Any:
        """Refused: a Hessian is that of a scalar; `tensor_derivative` gives second derivatives."""
        from mcmodels.calculus.derive.tensor_derivatives import refuse_tensor

        refuse_tensor(self)

    gradient = derivation = hessian

    @refuses_depth
    def evaluate(self: Any, /, *, digits: Any = None, **values: Any) -> np.ndarray:
        """The value for given symbols; see `Expression.evaluate`."""
        if digits is not None:
            from mcmodels.calculus.compute.digits.evaluation import evaluate_tensor_in_digits

            return evaluate_tensor_in_digits(self, values, digits)
        value = self.entries.evaluate(**values)
        from mcmodels.calculus.compute.tensor_values import in_shape

        return in_shape(self, value, values)

    @refuses_depth
    def compile(self: Any, target: str = "numpy") -> Any:
        """A Python function of arrays that computes the value fast; see `Expression.compile`."""
        if target != "numpy":
            from mcmodels.calculus.compute.export.code import exported

            return exported(self.entries, target, self.dims)
        from mcmodels.calculus.compute.compiled import CompiledFunction

        return CompiledFunction(self.entries, self.dims)

    @refuses_depth
    def code(self: Any, language: str) -> str:
        """The tensor as code in a language; see `Expression.code`."""
        from mcmodels.calculus.compute.export.code import code

        if language == "latex":
            return self.latex()
        return code(self.entries, language, self.dims)

    @refuses_depth
    def check(self: Any, x: Any, /, *, seed: int = 0, **values: Any) -> float:
        """The error of the derivatives by ``x``, measured against differences.

        Parameters
        ----------
        x : Expression, Tensor or str
            A symbol, or its name.
        seed : int, default=0
            Of the random instance.
        **values : float or array-like
            Where to check; what is not given is drawn at random, symbolic sizes included.

        Returns
        -------
        float
            The largest deviation, relative to the largest entry. About 1e-9 or less when right.

        Raises
        ------
        DerivativeError
            As for `jacobian`.
        ValueError
            If a value does not fit, or no random point is found.
        """
        from mcmodels.calculus.study.tensor_checks import check

        return check(self, x, seed=seed, values=values)
