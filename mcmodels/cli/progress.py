"""A bar in the terminal: rows of one pass over a table, and the number of the pass."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from mcmodels.cli.files import is_text
from mcmodels.cli.table_files import TableFiles, inputs
from mcmodels.tables.datasets import DatasetSource
from mcmodels.tables.sources import Batches

__all__ = ["watched"]


@contextmanager
def watched(data: TableFiles, where: str | None = None) -> Iterator[DatasetSource]:
    """The source of some files, which shows on standard error how far each pass is.

    It does so only if standard error is a terminal, and rich is installed.
    """
    shown = sys.stderr is not None and sys.stderr.isatty()
    if not shown or importlib.util.find_spec("rich") is None:
        yield data.source
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    class Shown(Console):
        """A console that never hides the cursor: a signal could end the program meanwhile."""

        def show_cursor(self, show: bool = True) -> bool:
            return False

    # Parquet and Arrow say how many rows they have; text does not, nor do conditions.
    known = where is None and not is_text(inputs(data.paths)[0])
    total = data.source.dataset.count_rows() if known else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        console=Shown(file=sys.stderr),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        own = {field.name: getattr(data.source, field.name) for field in fields(data.source)}
        yield _Watched(**own, bar=bar, task=bar.add_task("rows", total=total), passes=[])


@dataclass(frozen=True)
class _Watched(DatasetSource):
    """Files whose passes a bar shows.

    Parameters
    ----------
    bar : rich.progress.Progress
        The bar.
    task : int
        Its only line.
    passes : list
        As long as the number of passes so far.
    """

    bar: Any = None
    task: Any = None
    passes: Any = None

    def batches(self, columns: Any, where: Any) -> Batches:
        """The rows of some columns; the bar starts anew."""
        self.passes.append(None)
        said = f"pass {len(self.passes)}, rows"
        self.bar.update(self.task, completed=0, description=said)
        with contextlib.closing(super().batches(columns, where)) as batches:
            for place, batch in batches:
                yield place, batch
                self.bar.advance(self.task, batch.num_rows)
