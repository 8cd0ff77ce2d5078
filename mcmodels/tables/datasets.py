"""Files and tables in memory that ``pyarrow.dataset`` reads, a few batches at a time."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcmodels.tables.packages import imported, pyarrow
from mcmodels.tables.read_ahead import read_ahead
from mcmodels.tables.sources import BATCH_ROWS, Batches

__all__ = ["DatasetSource", "stamp_of"]

# Batches and files that are read ahead, so that decoding does not wait for the sums. With 4 batches
# a fit to 24 million rows of 20 columns took 1.0 GB at its peak; with one it takes 0.7, and less
# time. The defaults of Arrow are 16 batches of 4 files.
_BATCHES_AHEAD, _FILES_AHEAD = 1, 1
# Batches of Parquet that a thread takes from Arrow while others are summed. A linear fit to 10
# million rows of 20 columns took 1.23 s with three, 1.49 s without (medians of 7).
_READ_AHEAD = 3
# Rows of Parquet that are scanned at a time; row groups are not cut.
_PART_ROWS = 2**19
# Bytes of a text file that are decoded at a time.
_PART_BYTES = 2**22


@dataclass(frozen=True)
class DatasetSource:
    """Files, or tables in memory, that ``pyarrow.dataset`` reads.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        The files or tables.
    description : str
        What and where it is.
    at_scan : object, default=None
        The stamp of the files when they were scanned: Arrow keeps what it has read of them.
    is_text : bool, default=False
        Whether they are text files in UTF-8 with the names of the columns in the first line.
    """

    dataset: Any
    description: str
    at_scan: Any = None
    is_text: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def filters(self) -> bool:
        """Whether it needs no columns of a condition beside those that are asked for."""
        return not self.is_text

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.dataset.schema

    def stamp(self) -> Any:
        """Size and time of each local file; tables of Arrow do not change."""
        files = getattr(self.dataset, "files", None)
        if files is not None:
            return stamp_of(files)
        in_memory = isinstance(self.dataset, pyarrow("scan").dataset.InMemoryDataset)
        return "in memory" if in_memory else None

    def count(self) -> int | None:
        """The number of rows, which files of Parquet and Arrow say without being read."""
        says = self._is_of("ParquetFileFormat") or self._is_of("IpcFileFormat")
        return self.dataset.count_rows() if says else None

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """None: rows are grouped as they are read."""
        return None

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        arrow = pyarrow("scan")
        if self.at_scan is not None and self.stamp() != self.at_scan:
            raise ValueError(f"{self.description} has changed since it was scanned; scan it again.")
        place = self.description
        read = self._read_text if self.is_text else self._scanned
        batches = read(list(columns), where)
        if self._is_of("ParquetFileFormat"):
            batches = read_ahead(batches, _READ_AHEAD)
        try:
            with contextlib.closing(batches):
                for path, batch in batches:
                    place = path or self.description
                    yield place, batch
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            remedy = ""
            if self.is_text:
                remedy = (
                    " The type of a column is that in the first rows of all files; text files may "
                    "need other types further down: store them as Parquet, or pass a "
                    "pyarrow.dataset with a schema."
                )
            raise ValueError(
                f"{self.description} cannot be read further than {place}: {error}.{remedy}"
            ) from error
        except OSError as error:
            raise OSError(
                f"{self.description} cannot be read further than {place}: {error}"
            ) from error

    def _is_of(self, form: str) -> bool:
        found = getattr(self.dataset, "format", None)
        return isinstance(found, getattr(pyarrow("scan").dataset, form))

    def _scanned(self, columns: list[str], where: Any) -> Generator[tuple[str, Any]]:
        options = None
        if self._is_of("ParquetFileFormat"):
            # Buffers are kept until all of a file is read.
            parquet = pyarrow("scan").dataset.ParquetFragmentScanOptions
            options = parquet(pre_buffer=False)
        for part in self._parts(where):
            scanner = part.scanner(
                columns=columns,
                filter=where,
                batch_size=BATCH_ROWS,
                batch_readahead=_BATCHES_AHEAD,
                fragment_readahead=_FILES_AHEAD,
                fragment_scan_options=options,
                # Threads read an Arrow file ahead of the sums without a limit. It needs no
                # decoding, so that one thread takes no longer.
                use_threads=not self._is_of("IpcFileFormat"),
            )
            for tagged in scanner.scan_batches():
                yield getattr(tagged.fragment, "path", ""), tagged.record_batch

    def _parts(self, where: Any) -> Iterator[Any]:
        """Parts to be scanned one after another: a few row groups of Parquet.

        Where rows are used more slowly than they are decoded, a scan is half a gigabyte ahead,
        whatever it is told. It cannot be further ahead than the end of its part.
        """
        dataset = self.dataset
        if not self._is_of("ParquetFileFormat"):
            yield dataset
            return
        for file in dataset.get_fragments(filter=where):
            held: list[int] = []
            n_rows, groups = 0, file.row_groups
            for group in groups:
                held.append(group.id)
                n_rows += group.num_rows
                if n_rows >= _PART_ROWS or group is groups[-1]:
                    part = file.subset(row_group_ids=held)
                    yield type(dataset)([part], dataset.schema, dataset.format)
                    held, n_rows = [], 0

    def _read_text(self, columns: list[str], where: Any) -> Generator[tuple[str, Any]]:
        """Text files part by part; a scan would be all of a file ahead of the sums.

        With ``where``, ``columns`` have those of the condition, too.
        """
        arrow, schema = pyarrow("scan"), self.dataset.schema
        for file in self.dataset.get_fragments(filter=where):
            keys = arrow.dataset.get_partition_keys(file.partition_expression)
            in_file = {name: schema.field(name).type for name in columns if name not in keys}
            for table in _parts_of_text(file, self.dataset.format, in_file):
                for name in columns:
                    if name in keys:
                        value = arrow.scalar(keys[name], schema.field(name).type)
                        table = table.append_column(name, arrow.repeat(value, table.num_rows))
                table = table.select(columns)
                table = table if where is None else table.filter(where)
                for batch in table.to_batches(BATCH_ROWS):
                    yield file.path, batch


def _parts_of_text(file: Any, form: Any, types: Mapping[str, Any]) -> Iterator[Any]:
    """Tables of some columns of a text file, each of whole lines, which threads decode together."""
    text = imported("pyarrow.csv", "tables", "a scan of text files")
    parse, convert = form.parse_options, form.default_fragment_scan_options.convert_options
    convert.column_types, convert.include_columns = types, list(types)
    convert.include_missing_columns = True

    def decoded(lines: bytes, names: list[str] | None) -> Any:
        # Arrow, too, cuts lines into blocks, which must not end inside a quoted value. It takes
        # longer to see to that, so only where there are quotes.
        parse.newlines_in_values = b'"' in lines
        return text.read_csv(
            io.BytesIO(lines), text.ReadOptions(column_names=names), parse, convert
        )

    names = None  # those of the first line
    with file.filesystem.open_input_stream(file.path) as stream:
        left = b""
        while more := stream.read(_PART_BYTES):
            lines = left + more
            end = lines.rfind(b"\n") + 1
            if b'"' in lines:  # the line break may be inside a quoted value
                end = _end_of_records(lines[:end], parse.delimiter)
            left = lines[end:]
            if end:
                yield decoded(lines[:end], names)
                if names is None:
                    with text.open_csv(io.BytesIO(lines[:end]), parse_options=parse) as reader:
                        names = reader.schema.names
        if left:
            yield decoded(left, names)


def _end_of_records(lines: bytes, delimiter: str) -> int:
    """Where the last record of some lines begins: those before it are complete.

    A quotation mark opens a value at its beginning alone, as in Arrow's reader.
    """
    # One character for each byte; a carriage return is no end of a part.
    text = re.findall("[^\n]*\n", lines.decode("latin-1").replace("\r", " "))
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(text, delimiter=delimiter)
    begin = end = 0
    for _ in reader:
        begin, end = end, reader.line_num
    return sum(map(len, text[:begin]))


def stamp_of(files: Sequence[str]) -> Any:
    """Size and time of each file; None where one is not on this machine."""
    try:
        found = [os.stat(path) for path in files]
    except OSError:
        return None
    return [(file.st_size, file.st_mtime_ns) for file in found]
