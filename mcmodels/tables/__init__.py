"""Rows of tables: files, data frames and databases, read by the names of their columns."""

from mcmodels.tables.scan import TableStream, scan

__all__ = ["TableStream", "scan"]
