"""The command line: ``mcmodels fit``, ``mcmodels predict`` and ``mcmodels derive``."""

# Nothing else is imported before `main` has decided what an interrupt does.
import signal
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        Exit code: 0; 2 when the input was refused or the output could not be written; 130 when
        interrupted.
    """
    if argv is None and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C ends the program at once. As an exception it would surface in whatever is being
        # imported, and some libraries print or swallow it. `files.replacing` cleans up by itself.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mcmodels.cli.commands import run

    return run(argv)
