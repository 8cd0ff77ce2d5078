"""Summaries of fits: facts, tables and notes, as text, HTML, LaTeX or data frames."""

from __future__ import annotations

import html
import itertools
import textwrap
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.inference.short_names import short_names

__all__ = [
    "LINE_WIDTH",
    "NAME_WIDTH",
    "Summarised",
    "Summary",
    "facts_html",
    "flush_left",
    "latex_number",
    "latex_text",
    "number",
    "one_line",
    "p_value",
    "padded",
    "row_html",
    "scrolled",
    "short",
    "table_html",
    "table_text",
]

LINE_WIDTH = 100
NAME_WIDTH = 40
# Most lines of a printed summary, fewest rows of a table, and lines of a table beside its rows.
_MOST_LINES, _FEWEST_ROWS, _LINES_OF_TABLE = 100, 3, 4
_GAP = "padding-left: 1em"  # between columns, where a page has none
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        # Other signs stand there in the fonts that LaTeX takes by default.
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # At the start of a row they would belong to the end of the row before it.
        "[": "{[}",
        "*": "{*}",
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    }
)


@dataclass(frozen=True, repr=False, eq=False)
class Summary:
    """A summary of a fit, for people to read; ``print(summary)`` shows it.

    Where that would take more than 100 lines, it shows the beginning of each table, and only the
    first of very many tables, as a notebook does.
    :meth:`to_text` and :meth:`to_frame` have all of it.

    Parameters
    ----------
    title : str
        The model.
    facts : mapping of str to str
        About the data and the fit, above the tables.
    tables : mapping of DataFrames
        Tables of numbers by their headings, which are text or labels of classes; a single table may
        have the heading "".
    conclusions : mapping of str to str
        Statistics of the fit, below the tables.
    notes : tuple of str
        What the reader should know.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> summary = LinearRegression().fit(X, y).summary()
    >>> print(summary.to_frame().round(3))
                 coefficient  standard_error      t  p_value  lower  upper
    x0                 0.892           0.116  7.665    0.000  0.661  1.123
    x1                 0.175           0.119  1.463    0.147 -0.062  0.412
    (intercept)       -0.163           0.113 -1.448    0.151 -0.387  0.061
    """

    title: str
    facts: Mapping[str, str]
    tables: Mapping[Any, pd.DataFrame]
    conclusions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The numbers of the tables, unrounded; if there are several, with their headings."""
        tables = dict(self.tables)
        return next(iter(tables.values())).copy() if len(tables) == 1 else pd.concat(tables)

    def to_latex(self) -> str:
        r"""The tables as LaTeX, for a document with ``\usepackage{booktabs}``.

        Raises
        ------
        ImportError
            If Jinja2, which pandas needs for LaTeX, is not installed: ``pip install
            'mcmodels[latex]'``.
        """
        try:
            import jinja2  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "to_latex needs Jinja2; install it with: pip install 'mcmodels[latex]'"
            ) from error
        parts = []
        for heading, table in self.tables.items():
            caption = f"{self.title}: {one_line(heading)}" if heading != "" else self.title
            cells = [[latex_number(cell) for cell in _cells(column)] for _, column in table.items()]
            names = [latex_text(one_line(name)) for name in table.index]
            columns = [latex_text(_words(name)) for name in table.columns]
            written = pd.DataFrame(dict(enumerate(cells)), index=names).set_axis(columns, axis=1)
            parts.append(
                written.style.to_latex(
                    hrules=True,
                    column_format="l" + "r" * table.shape[1],
                    caption=latex_text(caption),
                )
            )
        return "\n".join(parts)

    def to_text(self) -> str:
        """All of the summary as text."""
        return self._text(*self._all)

    def __str__(self) -> str:
        return self._text(*self._room())

    def __repr__(self) -> str:
        return str(self)

    @property
    def _all(self) -> tuple[int | None, int]:
        return None, len(self.tables)

    def _room(self) -> tuple[int | None, int]:
        """How many rows of how many tables have room in 100 lines; None for all rows."""
        n_rows, n_tables = sum(map(len, self.tables.values())), len(self.tables)
        if not n_tables or (
            n_rows < _MOST_LINES and self._text(*self._all).count("\n") < _MOST_LINES
        ):
            return self._all
        beside = self._text(0, 0).count("\n") + 2
        rows = (_MOST_LINES - beside) // n_tables - _LINES_OF_TABLE
        if rows >= _FEWEST_ROWS:
            return rows, n_tables
        return _FEWEST_ROWS, max((_MOST_LINES - beside) // (_FEWEST_ROWS + _LINES_OF_TABLE), 1)

    def _text(self, rows: int | None, n_tables: int) -> str:
        """The text, with so many rows of so many tables."""
        parts = [self.title, _aligned(self.facts)]
        for heading, table in itertools.islice(self.tables.items(), n_tables):
            body = table_text(table) if rows is None else _beginning(table, rows)
            above = f"{short(heading, LINE_WIDTH)}\n" if heading != "" and body else ""
            parts.append(above + body)
        parts.append(_left_out(0, 0, len(self.tables) - n_tables))
        parts.append(_aligned(self.conclusions))
        parts += [textwrap.fill(note, LINE_WIDTH, break_on_hyphens=False) for note in self.notes]
        return "\n\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        parts = [f"<h4>{html.escape(self.title)}</h4>", facts_html(self.facts)]
        rows, n_tables = self._room()
        for heading, table in itertools.islice(self.tables.items(), n_tables):
            if heading != "":
                parts.append(f"<h5>{html.escape(str(heading))}</h5>")
            parts.append(table_html(table.iloc[:rows]))
            if rows is not None and rows < len(table):
                parts.append(f"<p>{_left_out(len(table) - rows)}</p>")
        if n_tables < len(self.tables):
            parts.append(f"<p>{_left_out(0, 0, len(self.tables) - n_tables)}</p>")
        parts.append(facts_html(self.conclusions))
        parts += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        return "\n".join(part for part in parts if part)


class Summarised:
    """A result that a terminal and a notebook show as its summary."""

    @abstractmethod
    def summary(self) -> Summary:
        """What is shown."""

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def number(value: float) -> str:
    """A number as text, with six digits."""
    return "undefined" if np.isnan(value) else f"{value:.6g}"


def p_value(value: float) -> str:
    """A p-value as text: four decimals; three digits below 1e-3; "<1e-16" below that."""
    if value < 1e-16:
        return "<1e-16"
    return f"{value:#.3g}" if value < 1e-3 else f"{value:.4f}"


def _cells(column: pd.Series) -> list[str]:
    """The numbers of a column as text; its name decides on the number of digits."""
    name, column = str(column.name), column.astype(float)
    if column.isna().any():
        known = iter(_cells(column.dropna()))
        return ["NA" if missing else next(known) for missing in column.isna()]
    if name == "p_value":
        return [p_value(value) for value in column]
    if name in ("t", "z"):
        return [f"{value:.2f}" for value in column]
    digits = 4 if name == "df" or name.endswith("standard_error") else 6
    return [f"{value:#.{digits}g}".removesuffix(".") for value in column]


def padded(cells: list[str]) -> list[str]:
    """Cells with spaces on the right, so that decimal points align when cells are flush right."""
    behind = [len(cell) - f"{cell}.".index(".") for cell in cells]
    most = max(behind, default=0)
    return [cell + " " * (most - length) for cell, length in zip(cells, behind, strict=True)]


def _columns(table: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Headings, and cells with aligned decimal points; p-values are only flush right."""
    return [
        (_words(name), _cells(column) if name == "p_value" else padded(_cells(column)))
        for name, column in table.items()
    ]


def table_text(table: pd.DataFrame) -> str:
    """The table as text; one that is too wide is continued below, with the names again."""
    if table.empty:
        return ""
    names = flush_left(["", *short_names(table.index, NAME_WIDTH)])
    parts: list[list[str]] = []
    for heading, cells in _columns(table):
        width = max(map(len, [heading, *cells]))
        if not parts or len(parts[-1][0]) + 2 + width > LINE_WIDTH:
            parts.append(names)
        lines = zip(parts[-1], [heading, *cells], strict=True)
        parts[-1] = [f"{line}  {cell:>{width}}" for line, cell in lines]
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts)


def _beginning(table: pd.DataFrame, rows: int) -> str:
    """The first rows of a table, the columns that fit beside each other, and what is left out."""
    shown = table.iloc[:rows]
    while shown.shape[1] > 1 and "\n\n" in table_text(shown):
        shown = shown.iloc[:, :-1]
    note = _left_out(len(table) - len(shown), table.shape[1] - shown.shape[1])
    return "\n".join(part for part in (table_text(shown), note) if part)


def _left_out(rows: int, columns: int = 0, tables: int = 0) -> str:
    """What is not shown, and where it is; empty if there is nothing."""
    counts = ((rows, "row"), (columns, "column"), (tables, "table"))
    parts = [f"{count} more {what}{'s' * (count > 1)}" for count, what in counts if count]
    return f"… {' and '.join(parts)}: to_text() or to_frame()" if parts else ""


def _aligned(facts: Mapping[str, str]) -> str:
    """One fact on each line, with the values aligned."""
    names = flush_left(facts)
    indent = " " * (len(names[0]) + 2) if names else ""
    return "\n".join(
        f"{name}  " + f"\n{indent}".join(_wrapped(value, LINE_WIDTH - len(indent)))
        for name, value in zip(names, facts.values(), strict=True)
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return text.translate(_LATEX)


def flush_left(names: Iterable[str]) -> list[str]:
    """Texts with spaces on the right, so that all have the same length."""
    names = list(names)
    width = max(map(len, names), default=0)
    return [f"{name:<{width}}" for name in names]


def short(name: object, width: int = NAME_WIDTH) -> str:
    """A name on one line; the middle of a long name is left out."""
    text = one_line(name)
    half = width // 2
    return text if len(text) <= width else f"{text[:half]}…{text[1 - half :]}"


def one_line(name: object) -> str:
    """A name without line ends and repeated spaces."""
    return " ".join(str(name).split())


def _words(column: object) -> str:
    return str(column).replace("_", " ").replace("p value", "p-value")


def latex_number(cell: str) -> str:
    """A number in LaTeX, with a minus sign and powers of ten."""
    if cell == "NA":
        return "--"
    mantissa, e, exponent = cell.replace("inf", r"\infty").partition("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$" if e else f"${mantissa}$"


def table_html(table: pd.DataFrame) -> str:
    """The table as HTML; in a monospaced font, so that decimal points align."""
    columns = _columns(table)
    lines = [row_html("", "th", [heading for heading, _ in columns])]
    for name, *row in zip(table.index, *(cells for _, cells in columns), strict=True):
        lines.append(row_html(str(name), "td", row))
    return scrolled('<table style="font-family: monospace">\n' + "\n".join(lines) + "\n</table>")


def scrolled(table: str) -> str:
    """A table in HTML that scrolls by itself where it is wider than its page."""
    return f'<div style="overflow-x: auto">{table}</div>'


def row_html(name: str, tag: str, cells: Iterable[str]) -> str:
    """A row of a table in HTML: the name flush left, and cells of this tag flush right."""
    start = f'<{tag} style="text-align: right; white-space: pre; {_GAP}">'
    row = "".join(f"{start}{html.escape(cell)}</{tag}>" for cell in cells)
    return (
        f'<tr><th style="text-align: left; white-space: nowrap">{html.escape(name)}</th>{row}</tr>'
    )


def facts_html(facts: Mapping[str, str]) -> str:
    """Facts as an HTML table, one in each row; empty if there are none."""
    if not facts:
        return ""
    rows = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left; {_GAP}">{html.escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f"<table>{rows}</table>"
