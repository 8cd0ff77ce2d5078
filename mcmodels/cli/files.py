"""Files of the command line: kinds, names, and output that is written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = [
    "SUFFIXES",
    "is_parquet",
    "is_text",
    "one_line",
    "quoted",
    "replacing",
    "require_file",
    "separator_of",
]

_TEXT, _PARQUET = (".csv", ".csv.gz", ".tsv", ".tsv.gz"), (".parquet", ".pq")
SUFFIXES = _TEXT + _PARQUET
_LONGEST = 60  # letters of a value that messages show
# What ends a program from outside; Windows lacks some.
_SIGNALS = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]


def require_file(path: Path) -> None:
    """Refuse a path that does not exist or is a directory."""
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file")
    if not path.exists():
        raise ValueError(f"no such file: {path}")


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet rather than text, judged by its name; other names are refused."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise ValueError(f"{path} is of an unknown kind; use one of {', '.join(SUFFIXES)}")
    return name.endswith(_PARQUET)


def is_text(path: Path) -> bool:
    """Whether a file is text by its name, or standard input."""
    return str(path) == "-" or path.name.lower().endswith(_TEXT)


def separator_of(path: Path) -> str | None:
    """The separator that a name promises."""
    return "\t" if path.name.lower().endswith((".tsv", ".tsv.gz")) else None


@contextmanager
def replacing(path: Path | None, *, sources: Sequence[Path]) -> Iterator[Path | None]:
    """A temporary path to write to, which is moved to ``path`` if the block ends without an error.

    Entered before any work, so that a place that cannot be written to is found at once. As if the
    file were opened, a link is followed, and a file that is there already keeps its permissions.
    """
    if path is None:
        yield None
        return
    if path.is_dir():
        raise ValueError(f"cannot write to {path}: it is a directory")
    if path.exists() and not path.is_file():
        raise ValueError(f"cannot write to {path}: it is not a regular file")
    if path.exists() and not os.access(path, os.W_OK):
        raise ValueError(f"cannot write to {path}: it is read-only")
    if path.exists() and any(source.exists() and path.samefile(source) for source in sources):
        raise ValueError(f"{path} is the input file; write to another")
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    with _temporary_folder(path) as folder:
        temporary = folder / path.name
        yield temporary
        with temporary.open("r+b") as written:
            os.fsync(written.fileno())  # else a crash could leave the new name without the content
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """A folder beside a path, which is gone at the end, also where a signal ends the program."""
    # Its name is known before it is made, so that a signal at any moment finds and removes it.
    folder = path.parent / f".mcmodels-{secrets.token_hex(8)}"
    before: dict[int, Any] = {}

    def clean(number: int, frame: FrameType | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, before[number])
        os.kill(os.getpid(), number)

    if threading.current_thread() is threading.main_thread():  # only there signals can be handled
        for number in filter(None, _SIGNALS):
            if signal.getsignal(number) not in (None, signal.SIG_IGN):
                before[number] = signal.getsignal(number)
                signal.signal(number, clean)
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise ValueError(f"cannot write to {path}: {error.strerror}") from error
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def quoted(value: object) -> str:
    """A value in quotation marks, cut where it is long."""
    text = str(value)
    return f"'{text}'" if len(text) <= _LONGEST else f"'{text[:_LONGEST]}…'"


def one_line(message: object) -> str:
    """A message without line breaks and without what a terminal would not show, or obey."""
    text = " ".join(str(message).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
