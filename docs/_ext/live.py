"""Directives of the book: a box in which a formula is derived, and an exercise that is marked.

.. code-block:: md

    ```{live} norm(A @ x - b)**2
    :variable: x
    ```

    ```{exercise}
    :expression: norm(A @ x - b)**2
    :variable: x
    :answer: 2 * A.T @ (A @ x - b)
    :mistakes: A.T @ (A @ x - b) => factor; 2 * A @ (A @ x - b) => mixed layout
    What is the gradient of the sum of squares?
    ```

Shapes are inferred, as in the shell. What cannot be is declared as there, with a semicolon between:
``:declare: S=n,n:symmetric; A=n,n``.

Both open ``derive.html`` in a frame. Nothing is loaded before the reader asks for it. Answers, and
wrong ones with the names of their mistakes, are checked by ``tests/docs/test_exercises.py``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]


def address(expression: str, variable: str, *, tab: str = "derive", declare: str = "") -> str:
    """The part of a permalink of derive.html after the #."""
    given = {"e": expression, "x": variable, "tab": tab}
    if declare:
        given["d"] = declare
    return urlencode(given)


class live_box(nodes.General, nodes.Element):
    """A frame that is opened by a button."""


class Live(SphinxDirective):
    """A box that derives an expression."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"variable": directives.unchanged_required, "declare": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The box."""
        expression, variable = self.arguments[0], self.options["variable"]
        where = address(expression, variable, declare=self.options.get("declare", ""))
        return [live_box(address=where, label=f"Derive {expression} by {variable}, here")]


class Exercise(SphinxDirective):
    """A question, whose answer the doctor marks."""

    has_content = True
    option_spec = {
        "expression": directives.unchanged_required,
        "variable": directives.unchanged_required,
        "declare": directives.unchanged,
        "answer": directives.unchanged_required,
        "mistakes": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """The question, the box, and the answer, which is folded away."""
        expression, variable = self.options["expression"], self.options["variable"]
        question = nodes.container(classes=["exercise"])
        number = self.env.new_serialno("exercise") + 1
        question += nodes.rubric("", f"Exercise {number}")
        self.state.nested_parse(self.content, self.content_offset, question)
        where = address(expression, variable, tab="doctor", declare=self.options.get("declare", ""))
        question += live_box(address=where, label="Type your answer, and the doctor marks it")
        answer = nodes.container(classes=["answer"])
        answer += nodes.literal(text=self.options["answer"])
        question += answer
        return [question]


def visit_live_box(self: Any, node: live_box) -> None:
    """Write the button."""
    root = self.builder.get_relative_uri(self.builder.current_docname, "index")
    root = root.rsplit("/", 1)[0] + "/" if "/" in root else ""
    self.body.append(
        f'<p class="live"><button type="button" data-derive="{self.attval(root)}derive.html#'
        f'{self.attval(node["address"])}">{self.encode(node["label"])}</button></p>'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the directives."""
    app.add_node(live_box, html=(visit_live_box, None))
    app.add_directive("live", Live)
    app.add_directive("exercise", Exercise)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
