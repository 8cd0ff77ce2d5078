"""The differential of every kind of node: one line each, with name, statement and source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, scale, transpose, zeros_like
from mcmodels.calculus.core.axis_functions import (
    change_of_log_softmax,
    change_of_logsumexp,
    change_of_softmax,
)
from mcmodels.calculus.core.contraction import contraction_of
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.elementwise import FUNCTIONS, elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.pairwise import PAIRWISE
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.core.sources import BISHOP, BOYD, COOKBOOK, LAUE
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.core.summation import summed
from mcmodels.calculus.core.tensors import dims_of
from mcmodels.calculus.derive.function_rules import FUNCTION_RULES, trace_of_function
from mcmodels.calculus.derive.rule import DerivativeError, Rule

__all__ = ["RULES", "DerivativeError", "Rule", "rule_of"]


D = Callable[[Expression], Expression]


def _scaled(e: Any, d: D) -> Expression:
    """The product rule among scalars and one array."""
    terms = []
    children = e.children
    for i, child in enumerate(children):
        rest = (*children[:i], *children[i + 1 :])
        arrays = [part for part in rest if part.is_array]
        scalars = [part for part in rest if part.is_scalar]
        terms.append(scale(e.coefficient, *scalars, d(child), *arrays))
    return add(terms)


def _product(e: Any, d: D) -> Expression:
    c = e.children
    return add([matmul([*c[:i], d(c[i]), *c[i + 1 :]]) for i in range(len(c))])


def _hadamard(e: Any, d: D) -> Expression:
    c = e.children
    return add([hadamard([*c[:i], d(c[i]), *c[i + 1 :]]) for i in range(len(c))])


def _power(e: Any, d: D) -> Expression:
    slope = arithmetic.scale(e.exponent, arithmetic.power(e.base, add([e.exponent, number(-1)])))
    result = hadamard([slope, d(e.base)])
    change = d(e.exponent)
    if arithmetic.is_zero(change):
        return result
    return add([result, scale(change, hadamard([e, elementwise("log", e.base)]))])


def _matrix_power(e: Any, d: D) -> Expression:
    if not isinstance(e.exponent, N.Number):
        raise DerivativeError(
            f"the differential of {e} is a sum of {e.exponent} terms, which has no closed form "
            "outside a trace; give the exponent as a number"
        )
    k = int(e.exponent.value)
    X, dX = e.base, d(e.base)

    def power(j: int) -> Expression:
        return arithmetic.matrix_power(X, number(j))

    if k > 0:
        return add([matmul([power(i), dX, power(k - 1 - i)]) for i in range(k)])
    return scale(-1, add([matmul([power(-1 - i), dX, power(k + i)]) for i in range(-k)]))


def _trace(e: Any, d: D) -> Expression:
    X = e.argument
    if isinstance(X, N.MatrixPower) and not isinstance(X.exponent, N.Number):
        if not arithmetic.is_zero(d(X.exponent)):
            raise DerivativeError(
                f"{e} has no derivative by its exponent {X.exponent}, which is a whole number"
            )
        less = arithmetic.matrix_power(X.base, add([X.exponent, number(-1)]))
        return scale(X.exponent, functions.trace(matmul([less, d(X.base)])))
    if isinstance(X, F.MatrixFunction):
        return trace_of_function(X, d)
    return functions.trace(d(X))


def _elementwise(e: Any, d: D) -> Expression:
    if e.name == "log" and isinstance(e.argument, AxisSoftmax):
        return change_of_log_softmax(e.argument, d(e.argument.argument))
    slope = as_expression(FUNCTIONS[e.name].derivative(e.argument, e))
    if slope.is_scalar and e.is_array:
        slope = scale(slope, N.Ones(e.rows, e.cols))
    return zeros_like(e) if arithmetic.is_zero(slope) else hadamard([slope, d(e.argument)])


def _softmax(e: Any, d: D) -> Expression:
    dz = d(e.argument)
    if dims_of(e) is not None:
        return add([hadamard([e, dz]), scale(-1, arithmetic.total(hadamard([e, dz])), e)])
    if e.is_column:
        return add([hadamard([e, dz]), scale(-1, matmul([e, transpose(e), dz]))])
    one = arithmetic.ones(e.cols, ONE)
    means = matmul([hadamard([e, dz]), one, transpose(one)])
    return add([hadamard([e, dz]), scale(-1, hadamard([e, means]))])


def _logsumexp(e: Any, d: D) -> Expression:
    dz, y = d(e.argument), N.Softmax(e.argument)
    if dims_of(y) is not None:
        return arithmetic.total(hadamard([y, dz]))
    if e.argument.is_column:
        return matmul([transpose(y), dz])
    return matmul([hadamard([y, dz]), arithmetic.ones(dz.cols, ONE)])


def _norm(e: Any, d: D) -> Expression:
    X = e.argument
    if dims_of(X) is not None:
        return scale(arithmetic.power(e, number(-1)), arithmetic.total(hadamard([X, d(X)])))
    inner = matmul([transpose(X), d(X)])
    return scale(arithmetic.power(e, number(-1)), functions.trace(inner))


def _logdet(e: Any, d: D) -> Expression:
    return functions.trace(matmul([arithmetic.inverse(e.argument), d(e.argument)]))


def _det(e: Any, d: D) -> Expression:
    return scale(e, _logdet(e, d))


def _kron(e: Any, d: D) -> Expression:
    A, B = e.left, e.right
    return add([arithmetic.kron(d(A), B), arithmetic.kron(A, d(B))])


def _block(make: Callable[..., Expression]) -> Callable[[Any, D], Expression]:
    def apply(e: Any, d: D) -> Expression:
        C, A = e.children
        return add([make(d(C), A, e.rows, e.cols), make(C, d(A), e.rows, e.cols)])

    return apply


def _stack(e: Any, d: D) -> Expression:
    """A term for each block that changes, so that each holds one differential."""
    terms = []
    for i, block in enumerate(e.blocks):
        change = d(block)
        if not arithmetic.is_zero(change):
            blocks = [change if j == i else zeros_like(b) for j, b in enumerate(e.blocks)]
            terms.append(arithmetic.stack(blocks, e.axis))
    return add(terms) if terms else zeros_like(e)


def _einsum(e: Any, d: D) -> Expression:
    """A term for each operand that changes."""
    terms = []
    for i, operand in enumerate(e.operands):
        change = d(operand)
        if not arithmetic.is_zero(change):
            operands = (*e.operands[:i], change, *e.operands[i + 1 :])
            terms.append(contraction_of(e.subscripts, e.lengths, operands))
    return add(terms) if terms else zeros_like(e)


RULES: dict[type[Expression], Rule] = {
    N.Sum: Rule("sum", "d(A + B) = dA + dB", f"{COOKBOOK}, (35)",
                lambda e, d: add([d(c) for c in e.children])),
    N.Scaled: Rule("scalar multiple", "d(αA) = (dα)A + α dA", f"{COOKBOOK}, (34), (37)", _scaled),
    N.Product: Rule("product", "d(AB) = (dA)B + A dB", f"{COOKBOOK}, (37)", _product),
    N.Hadamard: Rule("elementwise product", "d(A∘B) = dA∘B + A∘dB", f"{COOKBOOK}, (38)",
                     _hadamard),
    N.Power: Rule("power", "d(xᵖ) = p xᵖ⁻¹ dx + xᵖ log x dp", f"{MN}, 8.2", _power),
    N.MatrixPower: Rule("matrix power", "d(X⁻¹) = −X⁻¹(dX)X⁻¹; d(Xᵏ) = Σ Xⁱ(dX)Xᵏ⁻¹⁻ⁱ",
                        f"{COOKBOOK}, (40), (37)", _matrix_power),
    N.Transpose: Rule("transpose", "d(Xᵀ) = (dX)ᵀ", f"{COOKBOOK}, (44)",
                      lambda e, d: transpose(d(e.argument))),
    N.Elementwise: Rule("elementwise function", "d f(X) = f′(X)∘dX", f"{MN}, chapter 5",
                        _elementwise),
    N.Trace: Rule("trace", "d tr X = tr dX; d tr Xᵏ = k tr(Xᵏ⁻¹ dX)",
                  f"{COOKBOOK}, (36), (121)", _trace),
    N.Det: Rule("determinant", "d det X = det X tr(X⁻¹ dX)", f"{COOKBOOK}, (42)", _det),
    N.LogDet: Rule("log determinant", "d log|det X| = tr(X⁻¹ dX)", f"{COOKBOOK}, (43)", _logdet),
    N.Norm: Rule("norm", "d‖X‖ = tr(Xᵀ dX)/‖X‖", f"{COOKBOOK}, (129)", _norm),
    N.Total: Rule("sum of entries", "d sum(X) = sum(dX)", f"{MN}, 8.2",
                  lambda e, d: functions.sum(d(e.argument))),
    N.DiagonalMatrix: Rule("diagonal matrix", "d diag(v) = diag(dv)", f"{MN}, 8.2",
                           lambda e, d: functions.diag(d(e.argument))),
    N.Diagonal: Rule("diagonal", "d diag(X) = diag(dX)", f"{MN}, 8.2",
                     lambda e, d: functions.diag(d(e.argument))),
    N.Vec: Rule("vec", "d vec X = vec dX", f"{MN}, 8.2",
                lambda e, d: arithmetic.vec(d(e.argument))),
    N.Unvec: Rule("unvec", "d unvec v = unvec dv", f"{MN}, 8.2",
                  lambda e, d: arithmetic.unvec(d(e.argument), e.rows, e.cols)),
    N.Kron: Rule("Kronecker product", "d(A⊗B) = dA⊗B + A⊗dB", f"{COOKBOOK}, (39)", _kron),
    N.Softmax: Rule("softmax", "dy = y∘dz − y(yᵀdz), y = softmax(z)", f"{BISHOP}, (4.106)",
                    _softmax),
    N.LogSumExp: Rule("log-sum-exp", "d logsumexp(z) = softmax(z)ᵀ dz",
                      f"{BOYD}, 3.1.5", _logsumexp),
    N.Stack: Rule("blocks", "d[A, B] = [dA, 0] + [0, dB]", f"{MN}, 8.2", _stack),
    N.BlockSum: Rule("sum of blocks", "d Σaᵢⱼ Cᵢⱼ = Σ(daᵢⱼ Cᵢⱼ + aᵢⱼ dCᵢⱼ)",
                     f"{COOKBOOK}, (37)", _block(arithmetic.block_sum)),
    N.BlockTrace: Rule("traces of blocks", "d tr(BᵀCᵢⱼ) = tr(dBᵀCᵢⱼ) + tr(Bᵀ dCᵢⱼ)",
                       f"{COOKBOOK}, (36), (37)", _block(arithmetic.block_trace)),
    SumOver: Rule("sum over an index", "d Σᵢ Aᵢ = Σᵢ dAᵢ", f"{COOKBOOK}, (35)",
                  lambda e, d: summed(d(e.body), e.condition, e.index)),
    **FUNCTION_RULES,
    AxisSoftmax: Rule("softmax", "dy = y∘dz − y Σⱼ yⱼ dzⱼ along an axis, y = softmax(z)",
                      f"{BISHOP}, (4.106)", lambda e, d: change_of_softmax(e, d(e.argument))),
    AxisLogSumExp: Rule("log-sum-exp", "d logsumexp(z) = Σⱼ softmax(z)ⱼ dzⱼ along an axis",
                        f"{BOYD}, 3.1.5", lambda e, d: change_of_logsumexp(e, d(e.argument))),
    Einsum: Rule("einsum", "d Σ aᵢbᵢ = Σ (daᵢ)bᵢ + Σ aᵢ dbᵢ", f"{LAUE}, 3", _einsum),
}  # fmt: skip


def rule_of(node: Expression) -> Rule:
    """The rule for the differential of a node; of an elementwise one, that of its function."""
    rule = RULES[type(node)]
    if isinstance(node, N.Elementwise):
        function = FUNCTIONS[node.name]
        statement = f"d f(z) = f′(z)∘dz, {function.statement}"
        return Rule(f"elementwise {node.name}", statement, function.source, rule.apply)
    if isinstance(node, F.Pairwise):
        pair = PAIRWISE[node.name]
        return Rule(f"elementwise {node.name}", pair.statement, pair.source, rule.apply)
    return rule
