"""A grid of cells in sections, as text, HTML, LaTeX and Markdown."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcmodels.inference.short_names import short_names
from mcmodels.inference.summary import (
    LINE_WIDTH,
    NAME_WIDTH,
    flush_left,
    latex_number,
    latex_text,
    one_line,
    padded,
    row_html,
    scrolled,
)

__all__ = ["Grid"]

_NUMBER = re.compile(r"-?(?:\d[\d.]*(?:e[+-]?\d+)?|inf|nan)")
_MARKDOWN = re.compile(r"([\\`*_|<>$~])")


@dataclass(frozen=True)
class Grid:
    """A grid of cells in sections.

    Parameters
    ----------
    headings : tuple of str
        Headings of the columns.
    sections : tuple
        Sections of lines; a line is a name, and a text for each column.
    """

    headings: tuple[str, ...]
    sections: tuple[tuple[tuple[str, list[str]], ...], ...]

    def text(self, notes: Sequence[str]) -> str:
        """Text with aligned decimal points; columns that are too wide are continued below."""
        lines = [line for section in self._filled for line in section]
        named = dict.fromkeys(name for name, _ in lines if name)
        shown = dict(zip(named, short_names([*named], NAME_WIDTH), strict=True))
        names = flush_left(["", *(shown.get(name, "") for name, _ in lines)])
        headings = short_names(self.headings, NAME_WIDTH)
        columns = []
        for k, title in enumerate(headings):
            cells = padded([line[k] for _, line in lines])
            width = max(map(len, [title, *cells]))
            columns.append([f"{cell:>{width}}" for cell in (title, *cells)])
        parts: list[list[str]] = []
        for column in columns:
            if not parts or len(parts[-1][0]) + 2 + len(column[0]) > LINE_WIDTH:
                parts.append(list(names))
            parts[-1] = [f"{line}  {cell}" for line, cell in zip(parts[-1], column, strict=True)]
        blocks = ["\n".join(self._with_gaps(part)) for part in parts]
        blocks += ["\n".join(_wrapped(note)) for note in notes]
        return "\n\n".join(blocks)

    def html(self, notes: Sequence[str]) -> str:
        """A table in HTML, with a line above each section."""
        rows = [row_html("", "th", self.headings)]
        aligned = [
            padded([cells[k] for section in self._filled for _, cells in section])
            for k in range(len(self.headings))
        ]
        names = [name for section in self._filled for name, _ in section]
        rows += [row_html(name, "td", cells) for name, *cells in zip(names, *aligned, strict=True)]
        starts = {1} | {1 + len(self._filled[0])}
        for k in starts & set(range(len(rows))):
            rows[k] = rows[k].replace("<tr>", '<tr style="border-top: 1px solid">', 1)
        table = '<table style="font-family: monospace; border-collapse: collapse">\n'
        below = "".join(f"\n<p>{html.escape(note)}</p>" for note in notes)
        return scrolled(f"{table}{chr(10).join(rows)}\n</table>") + below

    def latex(self, notes: Sequence[str]) -> str:
        """A tabular with the rules of booktabs."""
        width = len(self.headings)
        lines = [rf"\begin{{tabular}}{{l{'r' * width}}}", r"\toprule"]
        lines.append(_latex_row("", [_in_latex(heading) for heading in self.headings]))
        for section in self._filled:
            lines.append(r"\midrule")
            lines += [
                _latex_row(_in_latex(one_line(name)), map(_latex_cell, cells))
                for name, cells in section
            ]
        lines.append(r"\bottomrule")
        for line in (line for note in notes for line in _wrapped(note)):
            text = rf"\footnotesize {_in_latex(line)}"
            lines.append(rf"\multicolumn{{{width + 1}}}{{l}}{{{text}}} \\")
        return "\n".join([*lines, r"\end{tabular}", ""])

    def markdown(self, notes: Sequence[str]) -> str:
        """A table in Markdown."""
        lines = [_markdown_row(["", *map(_in_markdown, self.headings)])]
        lines.append(_markdown_row([":--", *["--:"] * len(self.headings)]))
        lines += [
            _markdown_row([_in_markdown(name), *map(_in_markdown, cells)])
            for section in self._filled
            for name, cells in section
        ]
        return "\n".join([*lines, *(f"\n{_in_markdown(note)}" for note in notes), ""])

    @property
    def _filled(self) -> list[tuple[tuple[str, list[str]], ...]]:
        return [section for section in self.sections if section]

    def _with_gaps(self, lines: list[str]) -> Iterable[str]:
        """The lines of a text, with an empty one between sections."""
        yield lines[0].rstrip()
        at = 1
        for k, section in enumerate(self._filled):
            yield from ([""] if k else [])
            yield from (line.rstrip() for line in lines[at : at + len(section)])
            at += len(section)


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(note, LINE_WIDTH, break_on_hyphens=False)


def _in_latex(text: str) -> str:
    """Text for LaTeX, with the signs that stand in names of measures."""
    return latex_text(one_line(text)).replace("²", "$^2$").replace("χ", r"$\chi$")


def _latex_cell(cell: str) -> str:
    numbers = _NUMBER.sub(lambda found: latex_number(found.group()), cell.strip())
    return numbers.replace("[", "{[}")


def _latex_row(name: str, cells: Iterable[str]) -> str:
    return " & ".join([name, *cells]) + r" \\"


def _in_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
