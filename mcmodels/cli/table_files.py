"""Files that are read in blocks: which they are, their columns, and errors in terms of options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from mcmodels.cli.codes import are_codes
from mcmodels.cli.files import is_parquet, is_text, require_file
from mcmodels.tables.files import SUFFIXES, expanded, of_files

__all__ = ["TableFiles", "in_options", "inputs", "is_one_file", "is_one_text"]

_OF_TEXT = ("sep", "decimal", "encoding")  # options
# What errors of a scan name, and what it is here.
_IN_OPTIONS = {
    r"^scan of ": "",
    r"pass missing='drop' to leave such rows out, or fill the values in\.": (
        "fill them in, or drop those rows with --drop-missing"
    ),
    r"pass unseen='baseline' to count it as the first\.": (
        "add --unseen baseline to count it as the first"
    ),
    r"name it in categorical=\['(.*)'\], leave it out, or convert it to numbers\.": (
        r"name it with --categorical \1, leave it out with --features, or convert it to numbers"
    ),
    r"pass dates='days' \(.*\) to count from 1970, or leave it out\.": (
        "convert it to a number, or leave it out with --features"
    ),
    r"\w+ names ('.*'), which (.*) lacks; ": r"unknown column \1 in \2; ",
    r"^where=": "--where ",
}


def is_one_text(files: Sequence[Path]) -> bool:
    """Whether the data are one text file, or standard input, and no directory or pattern."""
    return len(files) == 1 and is_text(files[0]) and not _is_several(files[0])


def is_one_file(files: Sequence[Path]) -> bool:
    """Whether the data are one file, or standard input, and no directory or pattern."""
    return len(files) == 1 and not _is_several(files[0])


def inputs(files: Sequence[Path]) -> list[Path]:
    """The files that are read; directories and patterns stand for theirs."""
    several = any(map(_is_several, files))
    return [Path(path) for file in files for path in expanded(str(file))] if several else [*files]


def _is_several(path: Path) -> bool:
    """Whether a path is a directory or a pattern."""
    return path.is_dir() or (not path.exists() and not set("*?[").isdisjoint(str(path)))


@contextmanager
def in_options() -> Iterator[None]:
    """Say in errors of a scan what to do in terms of options."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = str(error)
        for argument, option in _IN_OPTIONS.items():
            text = re.sub(argument, option, text, flags=re.DOTALL)
        raise ValueError(text) from error


class TableFiles:
    """Files of a table that are read in blocks; as text they are how messages name them.

    Parameters
    ----------
    options : Namespace
        Its files, and sep, decimal and encoding, which are refused.
    as_text : sequence of str, default=()
        Columns of text files that stay as they are written there.

    Attributes
    ----------
    source : DatasetSource
        What ``scan`` takes.
    columns : DataFrame
        A data frame without rows that has the columns, but the index that pandas has written.
    """

    is_parquet = True  # no separator is guessed

    def __init__(self, options: argparse.Namespace, as_text: Sequence[str] = ()) -> None:
        self.paths: list[Path] = options.files
        for path in self.paths:
            if str(path) == "-":
                raise ValueError(
                    "standard input gives its rows once, and here they are read in blocks, more "
                    "than once; write them to a file, and name that"
                )
            if not _is_several(path):
                require_file(path)
                if not path.name.lower().endswith(SUFFIXES):
                    kinds = ", ".join(SUFFIXES)
                    raise ValueError(f"{path} is of an unknown kind; use one of {kinds}")
        for name in _OF_TEXT:
            if getattr(options, name) is not None:
                one = len(self.paths) == 1 and not _is_several(self.paths[0])
                if one and not is_text(self.paths[0]) and is_parquet(self.paths[0]):
                    raise ValueError(f"--{name} is for text files, and {self} is Parquet")
                raise ValueError(
                    f"--{name} is for one text file that is read into memory, and {self} is read "
                    "in blocks; leave it out, and store other text as Parquet"
                )
        with in_options():
            self.source = of_files(self.paths, as_text=as_text)
        schema = self.source.schema
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        names = [*schema.names, *self.source.unreadable]  # a scan says why of the last ones
        self.columns = pd.DataFrame(columns=[n for n in names if n not in index])

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns of no single type, and why."""
        return self.source.unreadable

    def codes(self, names: Sequence[str]) -> list[str]:
        """Which of some columns look like numbers, but are names as they are written in the text.

        It reads these columns once, of text files alone.
        """
        schema = self.source.schema
        if not self.source.is_text:
            return []
        types = [(name, str(schema.field(name).type)) for name in names if name in schema.names]
        found = [name for name, kind in types if kind in ("int64", "double")]
        if not found:
            return []
        source = of_files(self.paths, as_text=found)
        are = set()
        with in_options():
            for _, batch in source.batches(found, None):
                are |= {name for name in found if are_codes(batch.column(name).to_pandas())}
        return [name for name in found if name in are]

    def __str__(self) -> str:
        return str(self.paths[0]) if len(self.paths) == 1 else f"{len(self.paths)} files"
