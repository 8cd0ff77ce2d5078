"""A bar in the terminal: rows of one pass over a table, and the number of the pass."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcmodels.rows import PassListener, passes_told_to

__all__ = ["bar_of_passes"]


@contextmanager
def bar_of_passes() -> Iterator[None]:
    """Show on standard error how far each pass over rows is that are read in blocks.

    It does so only if standard error is a terminal, and rich is installed.
    """
    shown = sys.stderr is not None and sys.stderr.isatty()
    if not shown or importlib.util.find_spec("rich") is None:
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    class Shown(Console):
        """A console that never hides the cursor: a signal could end the program meanwhile."""

        def show_cursor(self, show: bool = True) -> bool:
            return False

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(
            *columns,
            console=Shown(file=sys.stderr),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as bar,
        passes_told_to(_Bar(bar)),
    ):
        yield


class _Bar(PassListener):
    """Shows passes in a bar of rich.

    Parameters
    ----------
    bar : rich.progress.Progress
        The bar.
    """

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar, self._task, self._n_passes = bar, bar.add_task("rows", total=None), 0

    def begin_pass(self, n_rows: int | None) -> None:
        """The bar starts anew."""
        self._n_passes += 1
        self._bar.reset(self._task, total=n_rows, description=f"pass {self._n_passes}, rows")

    def add_rows(self, count: int) -> None:
        """The bar grows."""
        self._bar.advance(self._task, count)

    def end_pass(self) -> None:
        """The bar stays full until the next pass."""
