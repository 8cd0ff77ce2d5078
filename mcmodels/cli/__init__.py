"""The command line: ``mcmodels fit``, ``mcmodels predict`` and ``mcmodels derive``."""

from mcmodels.cli.commands import main

__all__ = ["main"]
