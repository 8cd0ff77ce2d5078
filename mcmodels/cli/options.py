"""The options of the command line."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import mcmodels
from mcmodels.cli.files import SUFFIXES, one_line

__all__ = ["parser"]

_DATA = (
    f"data: {', '.join(SUFFIXES)}, .feather, .arrow, .ipc; several files, a directory, or a "
    "quoted pattern such as 'trips/*.parquet'; - is text from standard input. One text file is "
    "read into memory, and all else in blocks."
)
_SHAPES = """shapes:
  A name is a vector if it starts with a small letter and a matrix if it starts with a
  capital, of sizes that make the expression fit. Small letters that nothing ties to a shape
  are scalars, as lam in lam*norm(x)^2; pi and e are numbers. Declare a name to say more:

  --let c=scalar                 a scalar
  --let x=n                      a vector of n, a name or a number
  --let A=m,n                    a matrix of m rows and n columns
  --let S=n,n:symmetric          a symmetric matrix; or S=matrix:symmetric, of any size
  --let S=n,n:positive_definite  a positive definite one
  --let L=n,n:lower_triangular   or upper_triangular, diagonal, orthogonal
  --let y=k:probability          a vector that sums to 1; or y=vector:probability
  --let k=scalar:integer         a whole number, for matrix_power(A, k)

examples:
  mcmodels derive 'trace(X.T @ A @ X)' --wrt X
  mcmodels derive 'norm(A @ x - b)**2 + c * norm(x)**2' --wrt x --hessian
  mcmodels derive 'x.T @ S @ x' --wrt x --let S=matrix:symmetric --numpy
"""


class _Parser(argparse.ArgumentParser):
    """A parser that takes no abbreviated options, and refuses in one line.

    Parameters
    ----------
    signed : bool
        Whether an argument that starts with a minus, such as -sum(x), is not an option.
    fill : callable, optional
        Adds the arguments to the parser when it is first used. So only the command that was chosen
        imports what its options need.
    **options
        Those of ArgumentParser.
    """

    def __init__(
        self,
        *,
        signed: bool = False,
        fill: Callable[[_Parser], None] | None = None,
        **options: Any,
    ) -> None:
        self.signed, self.fill = signed, fill
        super().__init__(allow_abbrev=False, **options)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        if self.fill is not None:
            self.fill(self)
            self.fill = None
        if self.signed and args is not None:
            args = [re.sub(r"^(?=-(?!-|h$))", " ", argument) for argument in args]
        return super().parse_known_args(args, namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse would ignore that the help could not be written.
        if message and (file is not None or sys.stderr is not None):
            print(message, end="", file=file or sys.stderr)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mcmodels: error: {one_line(message)} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The parser of ``mcmodels``; ``command`` is "fit", "predict", "plot", "derive" or None."""
    top = _Parser(prog="mcmodels", description="Models with exact gradients and Hessians.")
    top.add_argument("--version", action="version", version=f"mcmodels {mcmodels.__version__}")
    top.set_defaults(command=None)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    commands.add_parser("fit", help="fit a model to a file and print it", fill=_add_models)

    predict = commands.add_parser(
        "predict", help="predict with a saved model", description="Predict with a saved model."
    )
    predict.add_argument("model_file", type=Path, metavar="MODEL", help="from fit --save")
    predict.add_argument("files", type=Path, nargs="+", metavar="DATA", help=_DATA)
    predict.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help=f"file to write: {', '.join(SUFFIXES)}",
    )
    predict.add_argument(
        "--keep",
        nargs="+",
        default=[],
        metavar="COL",
        help="columns of DATA to write before the predictions, such as keys",
    )
    predict.add_argument(
        "--intervals",
        action="store_true",
        help="write intervals, too: of new observations (linear), of probabilities (logistic)",
    )
    _add_level(predict, default=None)
    _add_offset_options(predict)
    predict.add_argument(
        "--unseen",
        choices=("refuse", "baseline"),
        default="refuse",
        help="what levels are that the model was not fitted to: refused (the default), or counted "
        "as the baseline",
    )
    _add_reading_options(predict)
    predict.add_argument(
        "--trust-pickle",
        action="store_true",
        help="read MODEL even if it is a joblib file, as earlier versions wrote. Reading it runs "
        "any code that it holds: only load models that you trust.",
    )
    predict.set_defaults(command="predict")
    commands.add_parser("plot", help="draw a picture of a saved model", fill=_add_plot)
    _add_derive(commands)
    return top


def _add_models(fit: _Parser) -> None:
    models = fit.add_subparsers(title="models", metavar="MODEL", required=True)

    linear = models.add_parser("linear", help="least squares")
    _add_data_options(linear, "linear", "column to explain; numbers")
    linear.add_argument("--solver", choices=("auto", "refined", "normal", "pinv"), default="auto")

    logistic = models.add_parser("logistic", help="logistic regression of two or more classes")
    _add_data_options(logistic, "logistic", "column of classes; text or numbers")
    logistic.add_argument(
        "--C",
        type=float,
        default=1.0,
        help="inverse strength of the penalty, inf for none; default 1",
    )
    logistic.add_argument("--solver", choices=("auto", "newton", "newton-cholesky"), default="auto")
    logistic.add_argument(
        "--max-iter", type=int, default=100, metavar="N", help="Newton steps; default 100"
    )
    _add_exponentiate(logistic, "odds ratios")

    glm = models.add_parser("glm", help="generalized linear model: Poisson, gamma, binomial, …")
    _add_data_options(glm, "glm", "column to explain; numbers")
    _add_glm_options(glm)

    pca = models.add_parser("pca", help="principal components")
    _add_data_options(pca, "pca", None)
    pca.add_argument(
        "--n-components",
        type=_count_or_share,
        metavar="N",
        help="how many; or the share of variance to reach, in (0, 1); or mle; default all",
    )
    pca.add_argument("--whiten", action="store_true", help="scores of unit variance")
    pca.add_argument("--solver", choices=("auto", "eigh", "deflation"), default="auto")


def _add_glm_options(glm: argparse.ArgumentParser) -> None:
    from mcmodels.estimators.family_choice import FAMILIES
    from mcmodels.objectives.links import LINKS

    glm.add_argument(
        "--family", choices=FAMILIES, default="normal", help="distribution; default normal"
    )
    glm.add_argument(
        "--link", choices=("auto", *LINKS), default="auto", help="default: that of the family"
    )
    _add_offset_options(glm)
    glm.add_argument(
        "--alpha", type=float, default=0.0, help="strength of the penalty; default 0, none"
    )
    glm.add_argument("--prior", choices=("jeffreys",), help="Jeffreys' prior, for few rows")
    glm.add_argument("--power", type=float, default=1.5, help="of Tweedie's variance; default 1.5")
    glm.add_argument(
        "--theta",
        type=_number_or_name,
        default=1.0,
        help="of the negative binomial variance, or estimate; default 1",
    )
    glm.add_argument(
        "--dispersion",
        type=_number_or_name,
        default="auto",
        help="pearson, deviance or a number; default: 1 for counts and proportions, else pearson",
    )
    glm.add_argument(
        "--max-iter", type=int, default=100, metavar="N", help="Newton steps; default 100"
    )
    _add_exponentiate(glm, "rate ratios (link log) or odds ratios (link logit)")


def _add_exponentiate(parser: argparse.ArgumentParser, ratios: str) -> None:
    parser.add_argument(
        "--exponentiate",
        "--odds-ratios",
        action="store_true",
        help=f"print {ratios}: exp of the coefficients and of the ends of their intervals",
    )


def _add_offset_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--exposure", metavar="COL", help="column of factors of the mean, such as years (log link)"
    )
    parser.add_argument(
        "--offset", metavar="COL", help="column that is added to the linear predictor"
    )


def _add_plot(plot: _Parser) -> None:
    from mcmodels.cli.plots import OWN_OPTIONS, WHAT

    plot.set_defaults(command="plot")
    plot.add_argument("model_file", type=Path, metavar="MODEL", help="from fit --save")
    plot.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="the rows: one text or Parquet file"
    )
    plot.add_argument("--what", required=True, choices=WHAT, help="the picture")
    plot.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="file to write: .png, .svg or .pdf"
    )
    plot.add_argument(
        "--target", metavar="COL", help="column that the model explains; a formula names it itself"
    )
    plot.add_argument("--weights", metavar="COL", help="row weights of the fit")
    for name, (of, many, text) in OWN_OPTIONS.items():
        named: dict[str, Any] = {"nargs": 2} if many else {}
        plot.add_argument(f"--{name}", metavar="NAME", help=f"{text} ({', '.join(of)})", **named)
    plot.add_argument(
        "--exponentiate",
        action="store_true",
        help="odds ratios, or ratios of means, instead of coefficients",
    )
    _add_level(plot, default=None)
    _add_reading_options(plot)


def _add_derive(commands: Any) -> None:
    derive = commands.add_parser(
        "derive",
        help="derive a gradient or Hessian, step by step",
        description="Derive the gradient of a scalar, or the Jacobian of an array, step by step.",
        epilog=_SHAPES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        signed=True,
    )
    derive.add_argument(
        "expression",
        metavar="EXPRESSION",
        help="in NumPy notation, as in 'trace(X.T @ A @ X)'; it is parsed, never run as code",
    )
    derive.add_argument("--wrt", required=True, metavar="NAME", help="variable to differentiate by")
    derive.add_argument(
        "--let",
        action="append",
        default=[],
        metavar="NAME=SHAPE",
        help="declare a name, as shown below; may be given more than once",
    )
    derive.add_argument("--hessian", action="store_true", help="derive the second derivative, too")
    form = derive.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="print the steps as LaTeX")
    form.add_argument("--numpy", action="store_true", help="print the result as Python code")
    derive.set_defaults(command="derive")


def _add_data_options(parser: argparse.ArgumentParser, model: str, target: str | None) -> None:
    """The options that the models share; ``target`` is the help text for it, where there is one."""
    from mcmodels.inference.robust import HC_KINDS
    from mcmodels.inference.weighting import Weighting

    none = dict.fromkeys(("target", "cluster", "covariance", "offset", "exposure"))
    parser.set_defaults(command="fit", model=model, exponentiate=False, **none)
    parser.add_argument("files", type=Path, nargs="+", metavar="DATA", help=_DATA)
    formula = (
        "columns of the design, such as 'age + C(region)*sex'; needs formulaic. All rows of DATA "
        "are then read into memory, which takes about five times the size of text files, and more "
        "with splines"
    )
    if target is None:
        parser.add_argument("--formula", help=formula)
    else:
        named = parser.add_mutually_exclusive_group(required=True)
        named.add_argument("--target", metavar="COL", help=target)
        named.add_argument("--formula", help=f"target ~ {formula}")
        parser.add_argument("--no-intercept", dest="fit_intercept", action="store_false")
        parser.add_argument(
            "--weights-are",
            choices=tuple(kind.value for kind in Weighting),
            default=Weighting.FREQUENCY.value,
            help="what row weights are: counts of equal rows (default), inverse variances, or "
            "inverse probabilities of being sampled",
        )
        robust = parser.add_mutually_exclusive_group()
        robust.add_argument(
            "--covariance",
            choices=("nonrobust", *(["expected"] if model == "glm" else []), *HC_KINDS),
            default="nonrobust",
            help="covariance of the coefficients; HC0 to HC3 allow for unequal variances",
        )
        robust.add_argument(
            "--cluster", metavar="COL", help="column of groups whose rows depend on each other"
        )
    parser.add_argument(
        "--features",
        nargs="+",
        action="extend",
        metavar="COL",
        help="default: all other columns",
    )
    coding = "one 0/1 column for each level" + (
        " but the first" if target is not None else " (in blocks: but the first)"
    )
    parser.add_argument(
        "--categorical",
        nargs="+",
        action="extend",
        default=[],
        metavar="COL",
        help=f"features to code: {coding}",
    )
    parser.add_argument(
        "--weights", metavar="COL", help="row weights: 0 leaves a row out, 2 counts it twice"
    )
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help='which rows, such as \'distance > 0 and zone in ["A", "B"]\'; DATA is then read in '
        "blocks",
    )
    _add_level(parser, default=0.95)
    _add_reading_options(parser)
    parser.add_argument("--save", type=Path, metavar="MODEL", help="file to save the model to")
    parser.add_argument(
        "--format",
        choices=("text", "json", "csv"),
        default="text",
        help="how to print: json has the tables with every digit, csv has nothing else",
    )


def _add_level(parser: argparse.ArgumentParser, default: float | None) -> None:
    parser.add_argument(
        "--level",
        type=_level,
        default=default,
        help="confidence level of the intervals, in (0, 1); default 0.95",
    )


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sep",
        type=_separator,
        metavar="CHAR",
        help="what separates values in text files, tab for a tab; default: guessed from , ; tab",
    )
    parser.add_argument("--decimal", choices=(".", ","), help="decimal mark; default .")
    parser.add_argument("--encoding", metavar="NAME", help="of text files; default utf-8")
    parser.add_argument(
        "--drop-missing",
        action="store_true",
        help="leave out rows with missing values in the columns used, and say how many",
    )


def _separator(text: str) -> str:
    named = "\t" if text in ("tab", "\\t") else text
    if len(named) != 1 or named.isalnum() or named in '"\r\n.':
        message = f"{text!r} cannot separate values; write one character, such as ';', or tab"
        raise argparse.ArgumentTypeError(message)
    return named


def _level(text: str) -> float:
    from mcmodels.inference.estimate import check_level

    try:
        return check_level(float(text))
    except ValueError:
        message = f"{text!r} is not a number between 0 and 1, as 0.95 is"
        raise argparse.ArgumentTypeError(message) from None


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _count_or_share(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
