"""Where the rows are: blocks of design rows, and the sums that are taken over them."""

from mcmodels.rows.blocks import DenseDesign, Design, RowBlock, SparseDesign
from mcmodels.rows.coded import CodedBlock
from mcmodels.rows.columns import ColumnMoments
from mcmodels.rows.covariance import (
    Covariance,
    CovarianceMatrix,
    FactoredCovariance,
    RowsCovariance,
)
from mcmodels.rows.cross_sums import CrossSums, OffsetSums, RowsWithCrossSums
from mcmodels.rows.gathering import Chunk, Gatherer, gathered
from mcmodels.rows.moments import Moments
from mcmodels.rows.pairs import PairRows
from mcmodels.rows.parted import PartedRows, PartOfStream, Parts
from mcmodels.rows.passes import PassListener, passes_told_to, told
from mcmodels.rows.scratch import Scratch
from mcmodels.rows.selected import SelectedRows, WithoutColumn
from mcmodels.rows.slopes import Derivatives, Slope
from mcmodels.rows.source import ArrayRows, Extent, Rows
from mcmodels.rows.spread import SpreadSample
from mcmodels.rows.stream import RowStream, StreamedMatrix, StreamRows, offsets_of, rows_of
from mcmodels.rows.streamed import (
    Seen,
    StreamedMoments,
    StreamedSums,
    StreamedTriangle,
    added,
    with_rows,
)
from mcmodels.rows.threads import in_one_thread, in_place_sum, single_threaded_blas, sum_behind
from mcmodels.rows.transformed import (
    RowsOfColumns,
    RowsOfOutcomes,
    RowsWithoutWeights,
    RowsWithTargets,
    TransformedRows,
    WithoutFeatures,
)
from mcmodels.rows.triangle import FactoredMoments, Triangle
from mcmodels.rows.walk_sums import SameStamp, WalkSums

__all__ = [
    "ArrayRows",
    "Chunk",
    "CodedBlock",
    "ColumnMoments",
    "Covariance",
    "CovarianceMatrix",
    "CrossSums",
    "DenseDesign",
    "Derivatives",
    "Design",
    "Extent",
    "FactoredCovariance",
    "FactoredMoments",
    "Gatherer",
    "Moments",
    "OffsetSums",
    "PairRows",
    "PartOfStream",
    "PartedRows",
    "Parts",
    "PassListener",
    "RowBlock",
    "RowStream",
    "Rows",
    "RowsCovariance",
    "RowsOfColumns",
    "RowsOfOutcomes",
    "RowsWithCrossSums",
    "RowsWithTargets",
    "RowsWithoutWeights",
    "SameStamp",
    "Scratch",
    "Seen",
    "SelectedRows",
    "Slope",
    "SparseDesign",
    "SpreadSample",
    "StreamRows",
    "StreamedMatrix",
    "StreamedMoments",
    "StreamedSums",
    "StreamedTriangle",
    "TransformedRows",
    "Triangle",
    "WalkSums",
    "WithoutColumn",
    "WithoutFeatures",
    "added",
    "gathered",
    "in_one_thread",
    "in_place_sum",
    "offsets_of",
    "passes_told_to",
    "rows_of",
    "single_threaded_blas",
    "sum_behind",
    "told",
    "with_rows",
]
