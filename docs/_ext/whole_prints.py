"""What a cell prints is shown as it was printed.

MyST-NB ends each piece of a stream with a new line. A kernel cuts long prints anywhere, so that
lines were broken in other places each time that the site was built.
"""

from __future__ import annotations

from typing import Any

from myst_nb.core import render
from sphinx.application import Sphinx

__all__ = ["joined", "setup"]


def joined(outputs: list[Any]) -> list[Any]:
    """The outputs of a cell, the pieces of each stream put together where the first one was."""
    found: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        name = output["name"] if output["output_type"] == "stream" else None
        if name in streams:
            streams[name]["text"] += output["text"]
            continue
        if name is not None:
            streams[name] = output
        found.append(output)
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Put it in the place of MyST-NB's own."""
    render.coalesce_streams = joined
    return {"parallel_read_safe": True, "parallel_write_safe": True}
