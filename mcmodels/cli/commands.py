"""What the entry point does: options are parsed, and the command chosen is run."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from mcmodels.cli.files import one_line
from mcmodels.cli.options import parser

__all__ = ["run"]

_NO_PARQUET = "Parquet files need pyarrow; install it with: pip install 'mcmodels[parquet]'"


def run(argv: Sequence[str] | None) -> int:
    """Run the command line; see :func:`mcmodels.cli.main`."""
    if sys.stdout is None:
        return _refused("cannot write the output: standard output is closed")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _refused(f"cannot write the output: {error.strerror or one_line(error)}")
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    options = parser().parse_args(argv)
    if options.command is None:
        parser().print_help()
        return 2
    try:
        with warnings.catch_warnings(record=True) as caught:
            for_programmers: tuple[type[Warning], ...] = (DeprecationWarning, FutureWarning)
            for category in for_programmers:
                warnings.simplefilter("ignore", category)
            text = _command(options.command)(options)
    except (ImportError, MemoryError, OSError, ValueError) as error:
        needs_parquet = isinstance(error, ImportError) and "pyarrow" in str(error)
        return _refused(_NO_PARQUET if needs_parquet else one_line(error))
    # Each block of rows may give the same one.
    for line in dict.fromkeys(one_line(warning.message) for warning in caught):
        _say(f"mcmodels: warning: {line}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names may have letters that the encoding of the terminal lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text)
    return 0


def _refused(reason: str) -> int:
    _say(f"mcmodels: error: {reason}")
    return 2


def _say(line: str) -> None:
    """A line on standard error; where that is closed or full there is nobody to tell."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(line, file=sys.stderr)


def _discard_output() -> None:
    """Lead what is still in the buffer to nowhere: Python flushes once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _command(name: str) -> Callable[[argparse.Namespace], str]:
    """The function of a command. Deriving needs no estimators, so that it starts without them."""
    if name == "derive":
        from mcmodels.cli.derive import derive

        return derive
    if name == "predict":
        from mcmodels.cli.predictions import predict

        return predict
    if name == "plot":
        from mcmodels.cli.plots import plot

        return plot
    from mcmodels.cli.models import fit

    return fit
