"""What all displays share: how they are made of fitted models, named, and shown."""

from __future__ import annotations

import inspect
import io
from typing import Any, Self

from mcmodels.plots.style import axes_of, save

__all__ = ["Display"]

_OPTIONS = inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD, annotation="Any")


class Display:
    """What the displays have in common: figures of their own, shown by notebooks.

    A subclass says what it ``draws``, has ``from_results``, and says ``_shows`` of its numbers.
    ``from_estimator`` takes the rows that its ``from_results`` takes, and passes options on.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Of the last ``plot``. A figure of its own is not known to pyplot, so that its state is as it
        was; ``figure_.savefig(path)`` writes it.
    axes_ : ndarray of matplotlib Axes
        Its panels.
    ax_ : matplotlib Axes
        The first of them.
    """

    figure_: Any
    axes_: Any
    _own = False

    def __init_subclass__(cls, draws: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if draws and "from_estimator" not in vars(cls):
            cls.from_estimator = classmethod(_from_estimator(cls, draws))  # type: ignore

    @classmethod
    def from_results(cls, results: Any, *rows: Any, **options: Any) -> Self:
        """Draw results of a fitted model."""
        raise NotImplementedError

    @classmethod
    def from_estimator(cls, estimator: Any, *rows: Any, **options: Any) -> Self:
        """Draw a fitted model or pipeline, or results of it; see :meth:`from_results`."""
        return cls.from_results(estimator, *rows, **options)

    @property
    def ax_(self) -> Any:
        """The first panel."""
        return self.axes_[0]

    def __repr__(self) -> str:
        """What is drawn, of what."""
        return f"<{type(self).__name__}: {self._shows()}>"

    def _shows(self) -> str:
        """What is drawn, in some words."""
        raise NotImplementedError

    def _start(self, ax: Any, height: float, columns: int = 1, rows: int = 1) -> list[Any]:
        """The panels to draw in: those of the user, or new ones."""
        self._own = ax is None
        self.axes_ = axes_of(ax, (rows, columns), height)
        self.figure_ = self.axes_[0].figure
        return list(self.axes_)

    def _repr_png_(self) -> bytes | None:
        if not (self._own and hasattr(self, "figure_")):
            return None  # the user's figure is shown by whoever made it
        content = io.BytesIO()
        save(self.figure_, content, "png")
        return content.getvalue()


def _from_estimator(display: type[Display], draws: str) -> Any:
    """``Display.from_estimator`` with the rows of ``from_results`` by name, and a docstring."""

    def from_estimator(cls: type[Display], estimator: Any, *rows: Any, **options: Any) -> Display:
        return cls.from_results(estimator, *rows, **options)

    made: Any = from_estimator
    asked = inspect.signature(display.__dict__["from_results"].__func__)
    rows = [one for one in asked.parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    parameters = [rows[0], rows[1].replace(name="estimator"), *rows[2:], _OPTIONS]
    made.__signature__ = asked.replace(parameters=parameters)
    made.__qualname__ = f"{display.__qualname__}.from_estimator"
    made.__module__ = display.__module__
    made.__doc__ = (
        f"Draw {draws}; see :meth:`from_results`.\n\nReturns\n-------\n{display.__name__}\n"
    )
    return made
