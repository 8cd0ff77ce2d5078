"""Where the rows are: blocks of design rows, and the sums that are taken over them."""

from mcmodels.rows.blocks import DenseDesign, Design, RowBlock, SparseDesign
from mcmodels.rows.covariance import (
    Covariance,
    CovarianceMatrix,
    FactoredCovariance,
    RowsCovariance,
)
from mcmodels.rows.derivatives import Derivatives
from mcmodels.rows.moments import Moments
from mcmodels.rows.source import ArrayRows, Rows
from mcmodels.rows.transformed import TransformedRows
from mcmodels.rows.triangle import Triangle

__all__ = [
    "ArrayRows",
    "Covariance",
    "CovarianceMatrix",
    "DenseDesign",
    "Derivatives",
    "Design",
    "FactoredCovariance",
    "Moments",
    "RowBlock",
    "Rows",
    "RowsCovariance",
    "SparseDesign",
    "TransformedRows",
    "Triangle",
]
