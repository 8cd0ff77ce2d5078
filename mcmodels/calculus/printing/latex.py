"""LaTeX."""

from __future__ import annotations

from mcmodels.calculus.printing.plain import PlainPrinter

__all__ = ["LatexPrinter"]


class LatexPrinter(PlainPrinter):
    """Stub."""
