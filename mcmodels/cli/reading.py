"""Data files, read completely or refused in one line that says where the fault is."""

from __future__ import annotations

import argparse
import codecs
import csv
import gzip
import io
import itertools
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import pandas as pd

from mcmodels.cli.files import is_parquet, require_file, separator_of

__all__ = ["DataFile"]

# Before pandas 3.1, which has no such choice, the last bit of a number may be read wrongly.
_IS_EXACT = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
_EXACT = {} if _IS_EXACT else {"float_precision": "round_trip"}
# Rows of a text file that are in memory at a time, where not all of them are needed together.
_BLOCK_ROWS = 2**16
_SEPARATORS = (",", ";", "\t")
# The mark of UTF-16 begins that of UTF-32.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_N_RECORDS = 20  # that a separator is guessed from


class DataFile:
    """A file of rows, or standard input; as text it is how messages name it.

    Parameters
    ----------
    path : Path
        The file; "-" is standard input.
    options : Namespace
        Its sep, decimal and encoding.
    """

    unreadable: Mapping[str, str] = {}  # a file has one type for each column

    def __init__(self, path: Path, options: argparse.Namespace) -> None:
        self.path = path
        self.decimal: str = options.decimal or "."
        self._encoding: str = options.encoding or "utf-8"
        self._is_stdin = str(self.path) == "-"
        if not self._is_stdin:
            require_file(self.path)
            if not self.path.is_file():
                # A pipe gives its rows once, and they are needed more than once.
                raise ValueError(f"{self} is not a regular file; lead it to standard input, -")
        self.is_parquet = not self._is_stdin and is_parquet(self.path)
        for name in ("sep", "decimal", "encoding"):
            if self.is_parquet and getattr(options, name) is not None:
                raise ValueError(f"--{name} is for text files, and {self} is Parquet")
        self._named_separator = options.sep or separator_of(self.path)
        if self._named_separator == self.decimal:
            raise ValueError(f"--sep and --decimal are both '{self.decimal}'; they must differ")

    def __str__(self) -> str:
        return "standard input" if self._is_stdin else str(self.path)

    def frame(self, text: Iterable[str] = ()) -> pd.DataFrame:
        """The rows, numbered from 0 by their index; the columns named in ``text`` stay text."""
        with self._faults_named():
            frame = self._parquet() if self.is_parquet else self._parsed(text)
        return self._with_sound_names(frame.reset_index(drop=True).rename(columns=str))

    def blocks(self, text: Iterable[str], keep: list[str]) -> Iterator[tuple[pd.DataFrame, Any]]:
        """The rows in blocks, and columns of them as they are written, or None.

        A Parquet file is one block.
        """
        if self.is_parquet:
            frame = self.frame()
            yield frame, frame[keep] if keep else None
            return
        with ExitStack() as opened:

            def reader(text: Iterable[str], **options: Any) -> Any:
                return opened.enter_context(self._parsed(text, chunksize=_BLOCK_ROWS, **options))

            with self._faults_named():
                frames = reader(text)
                kept = reader(keep, usecols=keep, keep_default_na=False) if keep else None
            while True:
                with self._faults_named():
                    frame = next(frames, None)
                    beside = None if kept is None else next(kept, None)
                if frame is None:
                    return
                yield self._with_sound_names(frame.rename(columns=str)), beside

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Say in one line what cannot be read, and where."""
        try:
            yield
        except ImportError:
            raise
        except pd.errors.EmptyDataError:
            raise ValueError(f"{self} is empty") from None
        except pd.errors.ParserWarning:
            raise ValueError(f"the rows of {self} have more values than its header names") from None
        except pd.errors.ParserError as error:
            raise ValueError(f"cannot read {self}: {self._fault(error)}") from None
        except UnicodeError as error:
            raise ValueError(f"cannot read {self}: {error}; {self._name_it()}") from error
        except Exception as error:  # each format and each compression has its own errors
            raise ValueError(f"cannot read {self}: {error}") from error

    def _with_sound_names(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = list(frame.columns) if self.is_parquet else list(filter(None, self._header))
        if any("\0" in name for name in names):
            raise ValueError(f"{self} has NUL characters in its header; {self._name_it()}")
        name, count = Counter(names).most_common(1)[0] if names else ("", 0)
        if count > 1:
            raise ValueError(f"{self} has {count} columns named {name!r}; rename them")
        return frame

    def where(self, row: int) -> str:
        """Where a row of the frame stands: a line of text, as editors count them."""
        if not self.is_parquet:
            records = self._records(self._separator)
            for line, _ in itertools.islice(records, row + 1, row + 2):
                return f"line {line}"
        return f"data row {row + 1}"

    def _parquet(self) -> pd.DataFrame:
        return pd.read_parquet(self.path, dtype_backend="numpy_nullable")

    def _parsed(self, text: Iterable[str], **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(self._content) if self._is_stdin else self.path,
                sep=self._separator,
                decimal=self.decimal,
                encoding=self._encoding,
                dtype=dict.fromkeys(text, str),
                dtype_backend="numpy_nullable",  # a missing value leaves whole numbers whole
                index_col=False,  # else rows longer than the header shift all columns by one
                skipinitialspace=True,
                low_memory=False,
                **_EXACT,
                **options,
            )

    @cached_property
    def _content(self) -> bytes:
        """What standard input holds; it can be read only once."""
        if sys.stdin is None:
            raise ValueError("it is closed")
        return sys.stdin.buffer.read()

    @cached_property
    def _separator(self) -> str:
        """The separator that was named, or the first by which all records are equally long."""
        if self._named_separator is not None:
            return self._named_separator
        widths = {}
        for separator in _SEPARATORS:
            if separator != self.decimal:
                records = itertools.islice(self._records(separator), _N_RECORDS)
                widths[separator] = [len(fields) for _, fields in records] or [0]
        regular = [s for s, found in widths.items() if found[0] > 1 and len(set(found)) == 1]
        return regular[0] if regular else max(widths, key=lambda s: widths[s][0])

    @cached_property
    def _header(self) -> list[str]:
        return next(self._records(self._separator), (1, []))[1]

    def _fault(self, error: Exception) -> str:
        """What cannot be parsed, and where. The parser miscounts lines after quoted ones."""
        n_names, line = len(self._header), 1
        for line, fields in self._records(self._separator):
            if len(fields) > n_names:
                return f"Expected {n_names} fields in line {line}, saw {len(fields)}"
        if "EOF inside string" in str(error):
            return f"EOF inside string: the record of line {line} has an unclosed quotation mark"
        return str(error)

    def _name_it(self) -> str:
        """The advice to name the encoding: that of which the first bytes are the mark."""
        with self._opened() as binary:
            start = binary.read(4)
        marked = [encoding for mark, encoding in _MARKS.items() if start.startswith(mark)]
        zero = start.find(b"\0")
        other = "latin-1" if self._encoding == "utf-8" else "utf-8"
        likely = other if zero < 0 else ("utf-16-be", "utf-16-le")[zero % 2]
        return f"name its encoding, as in --encoding {[*marked, likely][0]}"

    def _records(self, separator: str) -> Iterator[tuple[int, list[str]]]:
        """The records that pandas does not skip as blank: their first lines, from 1, and fields."""
        csv.field_size_limit(2**31 - 1)  # pandas has no limit
        blank = " \t\r\n".replace(separator, "")
        taken: list[str] = []

        def lines(source: Iterable[str]) -> Iterator[str]:
            for line in source:
                taken.append(line)
                yield line

        with self._opened() as binary:
            utf_8 = codecs.lookup(self._encoding).name == "utf-8"
            encoding = "utf-8-sig" if utf_8 else self._encoding
            text = io.TextIOWrapper(binary, encoding, errors="replace", newline="")
            reader = csv.reader(lines(text), delimiter=separator, skipinitialspace=True)
            for fields in reader:
                if len(taken) > 1 or taken[0].strip(blank):
                    yield reader.line_num - len(taken) + 1, fields
                taken.clear()

    def _opened(self) -> IO[bytes]:
        if self._is_stdin:
            return io.BytesIO(self._content)
        if self.path.name.lower().endswith(".gz"):
            return gzip.open(self.path)  # type: ignore[return-value]
        return self.path.open("rb")
