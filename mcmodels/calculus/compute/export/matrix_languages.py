"""Julia, MATLAB and R."""

from __future__ import annotations

from mcmodels.calculus.compute.export.language import Language

__all__ = ["JULIA", "MATLAB", "R"]

_ROOT_2 = "0.7071067811865476"
_ROOT_2_OVER_PI = "0.7978845608028654"
_PHI_AT_0 = "0.3989422804014327"


def _of_each(names: str, template: str) -> dict[str, str]:
    """Templates of functions whose names are those given, or ``ours=theirs``."""
    pairs = [name.split("=") for name in names.split()]
    return {pair[0]: template.replace("#", pair[-1]) for pair in pairs}


_ARCS = "arcsin=asin arccos=acos arctan=atan arcsinh=asinh arccosh=acosh arctanh=atanh"

JULIA = Language(
    title="Julia",
    opening="function f({arguments})",
    closing="end",
    assign="{} = {}",
    give="return {}",
    times=("*", ".*"),
    over=("/", "./"),
    power=("^", ".^"),
    plus=("+", ".+"),
    divide_sizes="div({}, {})",
    first_index=1,
    templates={
        **_of_each("exp log sin cos tanh abs sign sqrt log1p expm1 tan sinh cosh", "#.({0})"),
        **_of_each(f"{_ARCS} erf erfc digamma sigmoid softplus step gelu gammaln", "#.({0})"),
        **_of_each("norm_cdf norm_pdf norm_logcdf inverse_mills inverse_mills_gap", "#.({0})"),
        **_of_each("maximum=max minimum=min hypot", "#.({0}, {1})"),
        **_of_each("inv det trace=tr total=sum norm pinv amax=maximum", "#({0})"),
        **_of_each("eigvecsh reciprocal_gaps hardmax polar softmax softmax_rows", "#({0})"),
        **_of_each("log_sum_exp log_sum_exp_rows positive_logdet=logdet only expm=exp", "#({0})"),
        **_of_each("kron block_sum block_trace", "#({0}, {1})"),
        **_of_each("commutation", "#({m}, {n})"),
        **_of_each("duplication elimination diagonal_selection", "#({n})"),
        "relu": "max.({0}, 0)",
        "polygamma": "polygamma.({0}, {1})",
        "where": "ifelse.({g0} .> 0, {1}, {2})",
        "eye": "Matrix(1.0I, {n}, {n})",
        "ones": "ones({m}, {n})",
        "zeros": "zeros({m}, {n})",
        "triangle": "tril(ones({n}, {n}))",
        "side_by_side": "hcat({0})",
        "below": "vcat({0})",
        "solve": "~{g0} \\ {g1}",
        "matrix_power": "~{g0}^Int({1})",
        "logdet": "first(logabsdet({0}))",
        "diagonal_matrix": "diagm(vec({0}))",
        "diagonal": "reshape(diag({0}), :, 1)",
        "vec": "reshape({0}, :, 1)",
        "unvec": "reshape({0}, {m}, {n})",
        "transpose": "{g0}'",
        "matmul": "*",
        "all": ":",
        "take": "{0}[{1}, {2}]",
        "column": "reshape({0}, :, 1)",
        "line": "vec({0})",
        "rows": "size({0}, 1)",
        "cols": "size({0}, 2)",
        "scale_rows": "~{g0} .* {g1}",
        "nuclear_norm": "sum(svdvals({0}))",
        "eigvalsh": "reshape(eigvals(Symmetric({0})), :, 1)",
        "pi": "pi",
        "e": "2.718281828459045",
    },
    helpers={
        "sigmoid": "sigmoid(z) = 1 / (1 + exp(-z))",
        "softplus": "softplus(z) = max(z, 0) + log1p(exp(-abs(z)))",
        "step": "step(z) = z > 0 ? 1.0 : 0.0",
        "gelu": "gelu(z) = z * norm_cdf(z)",
        "gammaln": "gammaln(z) = first(logabsgamma(z))",
        "norm_cdf": f"norm_cdf(z) = 0.5 * erfc(-{_ROOT_2} * z)",
        "norm_pdf": f"norm_pdf(z) = {_PHI_AT_0} * exp(-0.5 * z^2)",
        "norm_logcdf": f"""\
function norm_logcdf(z)
    if z < -1
        return log(0.5 * erfcx(-{_ROOT_2} * z)) - 0.5 * z^2
    end
    return log1p(-0.5 * erfc({_ROOT_2} * z))
end""",
        "inverse_mills": f"inverse_mills(z) = {_ROOT_2_OVER_PI} / erfcx(-{_ROOT_2} * z)",
        "inverse_mills_gap": """\
function inverse_mills_gap(z)
    if z > -4
        return z + inverse_mills(z)
    end
    fraction = -z
    for k in 60:-1:2
        fraction = k / fraction - z
    end
    return 1 / fraction
end""",
        "softmax": """\
function softmax(z)
    weights = exp.(z .- maximum(z))
    return weights ./ sum(weights)
end""",
        "softmax_rows": """\
function softmax_rows(Z)
    weights = exp.(Z .- maximum(Z, dims=2))
    return weights ./ sum(weights, dims=2)
end""",
        "log_sum_exp": "log_sum_exp(z) = maximum(z) + log(sum(exp.(z .- maximum(z))))",
        "log_sum_exp_rows": """\
function log_sum_exp_rows(Z)
    largest = maximum(Z, dims=2)
    return largest .+ log.(sum(exp.(Z .- largest), dims=2))
end""",
        "hardmax": """\
function hardmax(X)
    result = zeros(size(X))
    place = argmax(permutedims(X))
    result[place[2], place[1]] = 1
    return result
end""",
        "polar": """\
function polar(X)
    parts = svd(X)
    parts.S[end] > 1e-14 * parts.S[1] || error("the matrix has not full rank")
    return parts.U * parts.Vt
end""",
        "eigvecsh": """\
function eigvecsh(S)
    vectors = eigvecs(Symmetric(S))
    for column in eachcol(vectors)
        column .*= sign(column[argmax(abs.(column))])
    end
    return vectors
end""",
        "reciprocal_gaps": """\
function reciprocal_gaps(v)
    gaps = v' .- v
    gaps[diagind(gaps)] .= Inf
    return 1 ./ gaps
end""",
        "block_sum": """\
function block_sum(C, A)
    m, n = div.(size(C), size(A))
    return sum(A[i, j] .* C[(i - 1) * m + 1:i * m, (j - 1) * n + 1:j * n]
               for i in axes(A, 1), j in axes(A, 2))
end""",
        "block_trace": """\
function block_trace(C, B)
    m, n = size(B)
    return [sum(B .* C[(i - 1) * m + 1:i * m, (j - 1) * n + 1:j * n])
            for i in 1:div(size(C, 1), m), j in 1:div(size(C, 2), n)]
end""",
        "commutation": """\
function commutation(m, n)
    places = vec(permutedims(reshape(1:m * n, m, n)))
    return Matrix(1.0I, m * n, m * n)[places, :]
end""",
        "diagonal_selection": """\
diagonal_selection(n) = Matrix(1.0I, n * n, n * n)[:, 1:n + 1:n * n]""",
        "elimination": """\
function elimination(n)
    places = [i + (j - 1) * n for j in 1:n for i in j:n]
    return Matrix(1.0I, n * n, n * n)[places, :]
end""",
        "duplication": """\
function duplication(n)
    mirrored = [j + (i - 1) * n for j in 1:n for i in j:n]
    return max.(elimination(n), Matrix(1.0I, n * n, n * n)[mirrored, :])'
end""",
    },
    imports={
        **dict.fromkeys(
            [
                "Matrix(",
                "diag",
                "tril(",
                "norm(",
                "logdet",
                "logabsdet",
                "det(",
                "tr(",
                "inv(",
                "pinv(",
                "svd",
                "kron(",
                "eig",
                "Symmetric",
                "\\",
            ],
            "using LinearAlgebra",
        ),
        **dict.fromkeys(["erf", "gamma"], "using SpecialFunctions"),
    },
    reserved=(
        "baremodule begin break catch const continue do else elseif end export false finally for "
        "function global if import in isa let local macro module quote return struct true try "
        "using where while I pi im Inf NaN LinearAlgebra SpecialFunctions"
    ),
)

MATLAB = Language(
    title="MATLAB",
    opening="function result = f({arguments})",
    closing="end",
    assign="{} = {};",
    give="result = {};",
    times=("*", ".*"),
    over=("/", "./"),
    power=("^", ".^"),
    plus=("+", "+"),
    divide_sizes="({}) / {}",
    first_index=1,
    ascii=True,
    helpers_first=False,
    templates={
        **_of_each("exp log=reallog sin cos tanh abs sign sqrt=realsqrt log1p expm1", "#({0})"),
        **_of_each(f"tan sinh cosh {_ARCS} erf erfc digamma=psi gammaln", "#({0})"),
        **_of_each("sigmoid softplus step gelu norm_cdf norm_pdf norm_logcdf", "#({0})"),
        **_of_each("inverse_mills inverse_mills_gap", "#({0})"),
        **_of_each("maximum=max minimum=min hypot kron block_sum block_trace", "#({0}, {1})"),
        **_of_each("inv det trace pinv expm logm sqrtm logdet positive_logdet", "#({0})"),
        **_of_each("softmax softmax_rows log_sum_exp log_sum_exp_rows hardmax polar", "#({0})"),
        **_of_each("eigvalsh eigvecsh reciprocal_gaps", "#({0})"),
        **_of_each("diagonal=diag diagonal_matrix=diag", "#({0})"),
        **_of_each("commutation", "#({m}, {n})"),
        **_of_each("ones zeros", "#({m}, {n})"),
        **_of_each("duplication elimination diagonal_selection eye", "#({n})"),
        "relu": "max({0}, 0)",
        "polygamma": "psi({0}, {1})",
        "where": "choose({0}, {1}, {2})",
        "triangle": "tril(ones({n}))",
        "side_by_side": "horzcat({0})",
        "below": "vertcat({0})",
        "solve": "~{g0} \\ {g1}",
        "matrix_power": "~{g0}^{g1}",
        "total": "sum({0}, 'all')",
        "amax": "max({0}, [], 'all')",
        "norm": "norm({0}, 'fro')",
        "vec": "reshape({0}, [], 1)",
        "unvec": "reshape({0}, {m}, {n})",
        "transpose": "{g0}'",
        "matmul": "*",
        "only": "{g0}",
        "all": ":",
        "take": "{0}({1}, {2})",
        "column": "{0}(:)",
        "line": "{0}",
        "rows": "size({0}, 1)",
        "cols": "size({0}, 2)",
        "scale_rows": "~{g0} .* {g1}",
        "nuclear_norm": "sum(svd({0}))",
        "pi": "pi",
        "e": "2.718281828459045",
    },
    helpers={
        name: f"function y = {name}({arguments})\n"
        + "\n".join(f"    {line}" for line in body.splitlines())
        + "\nend"
        for name, arguments, body in (
            ("sigmoid", "z", "y = 1 ./ (1 + exp(-z));"),
            ("softplus", "z", "y = max(z, 0) + log1p(exp(-abs(z)));"),
            ("step", "z", "y = double(z > 0);"),
            ("gelu", "z", "y = z .* norm_cdf(z);"),
            ("norm_cdf", "z", f"y = 0.5 * erfc(-{_ROOT_2} * z);"),
            ("norm_pdf", "z", f"y = {_PHI_AT_0} * exp(-0.5 * z.^2);"),
            ("norm_logcdf", "z", f"y = log1p(-0.5 * erfc({_ROOT_2} * z));\n"
             "far = z < -1;\n"
             f"y(far) = log(0.5 * erfcx(-{_ROOT_2} * z(far))) - 0.5 * z(far).^2;"),
            ("inverse_mills", "z", f"y = {_ROOT_2_OVER_PI} ./ erfcx(-{_ROOT_2} * z);"),
            ("inverse_mills_gap", "z", "y = z + inverse_mills(z);\n"
             "far = z < -4;\nx = -z(far);\nfraction = x;\n"
             "for k = 60:-1:2\n    fraction = x + k ./ fraction;\nend\n"
             "y(far) = 1 ./ fraction;"),
            ("choose", "condition, left, right", "y = right;\nchosen = condition > 0;\n"
             "if isscalar(condition)\n    chosen = repmat(chosen, size(left));\nend\n"
             "y(chosen) = left(chosen);"),
            ("softmax", "z", "y = exp(z - max(z));\ny = y ./ sum(y);"),
            ("softmax_rows", "Z", "y = exp(Z - max(Z, [], 2));\ny = y ./ sum(y, 2);"),
            ("log_sum_exp", "z", "y = max(z) + log(sum(exp(z - max(z))));"),
            ("log_sum_exp_rows", "Z",
             "largest = max(Z, [], 2);\ny = largest + log(sum(exp(Z - largest), 2));"),
            ("hardmax", "X", "flipped = X';\n[~, place] = max(flipped(:));\n"
             "y = zeros(size(flipped));\ny(place) = 1;\ny = y';"),
            ("polar", "X", "[U, S, V] = svd(X, 'econ');\nsizes = diag(S);\n"
             "if sizes(end) <= 1e-14 * sizes(1)\n"
             "    error('the matrix has not full rank');\nend\ny = U * V';"),
            ("logdet", "X", "[~, U, ~] = lu(X);\ny = sum(log(abs(diag(U))));"),
            ("positive_logdet", "X", "if det(X) <= 0\n"
             "    error('the determinant is not positive');\nend\ny = logdet(X);"),
            ("eigvalsh", "S", "y = sort(eig((S + S') / 2));"),
            ("eigvecsh", "S", "[y, values] = eig((S + S') / 2);\n"
             "[~, order] = sort(diag(values));\ny = y(:, order);\n"
             "for k = 1:size(S, 1)\n    [~, place] = max(abs(y(:, k)));\n"
             "    y(:, k) = y(:, k) * sign(y(place, k));\nend"),
            ("reciprocal_gaps", "v", "gaps = v' - v;\n"
             "gaps(1:size(gaps, 1) + 1:end) = Inf;\ny = 1 ./ gaps;"),
            ("block_sum", "C, A", "m = size(C, 1) / size(A, 1);\nn = size(C, 2) / size(A, 2);\n"
             "y = zeros(m, n);\nfor i = 1:size(A, 1)\n    for j = 1:size(A, 2)\n"
             "        y = y + A(i, j) * C((i - 1) * m + 1:i * m, (j - 1) * n + 1:j * n);\n"
             "    end\nend"),
            ("block_trace", "C, B", "[m, n] = size(B);\n"
             "y = zeros(size(C, 1) / m, size(C, 2) / n);\n"
             "for i = 1:size(y, 1)\n    for j = 1:size(y, 2)\n"
             "        part = C((i - 1) * m + 1:i * m, (j - 1) * n + 1:j * n);\n"
             "        y(i, j) = sum(B .* part, 'all');\n    end\nend"),
            ("commutation", "m, n", "places = reshape(1:m * n, m, n)';\ny = eye(m * n);\n"
             "y = y(places(:), :);"),
            ("diagonal_selection", "n", "y = eye(n * n);\ny = y(:, 1:n + 1:n * n);"),
            ("elimination", "n", "places = find(tril(ones(n)));\ny = eye(n * n);\n"
             "y = y(places, :);"),
            ("duplication", "n", "places = reshape(1:n * n, n, n)';\n"
             "mirrored = places(find(tril(ones(n))));\ny = eye(n * n);\n"
             "y = max(elimination(n), y(mirrored, :))';"),
        )
    },
    reserved=(
        "break case catch classdef continue else elseif end for function global if otherwise "
        "parfor persistent return spmd switch try while pi i j Inf NaN ans double size"
    ),
)  # fmt: skip

R = Language(
    title="R",
    opening="f <- function({arguments}) {{",
    closing="}",
    assign="{} <- {}",
    give="{}",
    times=("*", "*"),
    over=("/", "/"),
    power=("^", "^"),
    plus=("+", "+"),
    divide_sizes="(({}) / {})",
    first_index=1,
    templates={
        **_of_each("exp log sin cos tanh abs sign sqrt log1p expm1 tan sinh cosh", "#({0})"),
        **_of_each(f"{_ARCS} digamma gammaln=lgamma sigmoid=plogis erf erfc", "#({0})"),
        **_of_each("norm_cdf=pnorm norm_pdf=dnorm softplus gelu inverse_mills", "#({0})"),
        **_of_each("inv=solve det total=sum amax=max only=drop", "#({0})"),
        **_of_each("softmax softmax_rows log_sum_exp log_sum_exp_rows hardmax polar", "#({0})"),
        **_of_each("eigvalsh eigvecsh reciprocal_gaps positive_logdet", "#({0})"),
        **_of_each("maximum=pmax minimum=pmin hypot solve kron=kronecker", "#({0}, {1})"),
        **_of_each("block_sum block_trace matrix_power", "#({0}, {1})"),
        **_of_each("commutation", "#({m}, {n})"),
        **_of_each("duplication elimination diagonal_selection", "#({n})"),
        "relu": "pmax({0}, 0)",
        "step": "~({g0} > 0) * 1",
        "norm_logcdf": "pnorm({0}, log.p = TRUE)",
        "polygamma": "psigamma({1}, deriv = {0})",
        "where": "ifelse({g0} > 0, {1}, {2})",
        "eye": "diag(1, nrow = {n})",
        "ones": "matrix(1, {m}, {n})",
        "zeros": "matrix(0, {m}, {n})",
        "triangle": "lower.tri(diag(1, nrow = {n}), diag = TRUE)",
        "side_by_side": "cbind({0})",
        "below": "rbind({0})",
        "logdet": "c(determinant({0})$modulus)",
        "trace": "sum(diag({0}))",
        "norm": "sqrt(sum({g0}^2))",
        "diagonal_matrix": "diag(c({0}), nrow = length({0}))",
        "diagonal": "matrix(diag({0}), ncol = 1)",
        "vec": "matrix({0}, ncol = 1)",
        "unvec": "matrix({0}, nrow = {m}, ncol = {n})",
        "transpose": "t({0})",
        "matmul": "%*%",
        "all": "",
        "take": "{0}[{1}, {2}, drop = FALSE]",
        "column": "as.matrix({0})",
        "line": "c({0})",
        "rows": "nrow({0})",
        "cols": "ncol({0})",
        "scale_rows": "~c({0}) * {g1}",
        "nuclear_norm": "sum(svd({0})$d)",
        "pi": "pi",
        "e": "2.718281828459045",
    },
    helpers={
        name: f"{name} <- function({arguments}) {{\n"
        + "\n".join(f"    {line}" for line in body.splitlines())
        + "\n}"
        for name, arguments, body in (
            ("softplus", "z", "pmax(z, 0) + log1p(exp(-abs(z)))"),
            ("gelu", "z", "z * pnorm(z)"),
            ("erf", "z", "sign(z) * pgamma(z^2, 0.5)"),
            ("erfc", "z", "2 * pnorm(-1.4142135623730951 * z)"),
            ("inverse_mills", "z", "exp(dnorm(z, log = TRUE) - pnorm(z, log.p = TRUE))"),
            ("hypot", "a, b", "largest <- pmax(abs(a), abs(b), 1e-300)\n"
             "largest * sqrt((a / largest)^2 + (b / largest)^2)"),
            ("matrix_power", "A, k", "if (k < 0) {\n    A <- solve(A)\n}\n"
             "result <- diag(1, nrow = nrow(A))\nfor (i in seq_len(abs(k))) {\n"
             "    result <- result %*% A\n}\nresult"),
            ("softmax", "z", "weights <- exp(z - max(z))\nweights / sum(weights)"),
            ("softmax_rows", "Z", "weights <- exp(Z - apply(Z, 1, max))\n"
             "weights / rowSums(weights)"),
            ("log_sum_exp", "z", "max(z) + log(sum(exp(z - max(z))))"),
            ("log_sum_exp_rows", "Z", "largest <- apply(Z, 1, max)\n"
             "matrix(largest + log(rowSums(exp(Z - largest))), ncol = 1)"),
            ("hardmax", "X", "flipped <- t(0 * X)\nflipped[which.max(t(X))] <- 1\nt(flipped)"),
            ("polar", "X", "parts <- svd(X)\n"
             "stopifnot(min(parts$d) > 1e-14 * max(parts$d))\nparts$u %*% t(parts$v)"),
            ("positive_logdet", "X", "found <- determinant(X)\nstopifnot(found$sign > 0)\n"
             "c(found$modulus)"),
            ("eigvalsh", "S",
             "matrix(rev(eigen(S, symmetric = TRUE, only.values = TRUE)$values), ncol = 1)"),
            ("eigvecsh", "S", "n <- nrow(S)\n"
             "vectors <- eigen(S, symmetric = TRUE)$vectors[, n:1, drop = FALSE]\n"
             "signs <- apply(vectors, 2, function(v) sign(v[which.max(abs(v))]))\n"
             "vectors %*% diag(signs, nrow = n)"),
            ("reciprocal_gaps", "v", "gaps <- outer(c(v), c(v), function(a, b) b - a)\n"
             "diag(gaps) <- Inf\n1 / gaps"),
            ("block_sum", "C, A", "m <- nrow(C) / nrow(A)\nn <- ncol(C) / ncol(A)\n"
             "result <- matrix(0, m, n)\nfor (i in seq_len(nrow(A))) {\n"
             "    for (j in seq_len(ncol(A))) {\n"
             "        part <- C[(i - 1) * m + 1:m, (j - 1) * n + 1:n, drop = FALSE]\n"
             "        result <- result + A[i, j] * part\n    }\n}\nresult"),
            ("block_trace", "C, B", "m <- nrow(B)\nn <- ncol(B)\n"
             "result <- matrix(0, nrow(C) / m, ncol(C) / n)\n"
             "for (i in seq_len(nrow(result))) {\n    for (j in seq_len(ncol(result))) {\n"
             "        part <- C[(i - 1) * m + 1:m, (j - 1) * n + 1:n, drop = FALSE]\n"
             "        result[i, j] <- sum(B * part)\n    }\n}\nresult"),
            ("commutation", "m, n", "places <- c(t(matrix(seq_len(m * n), m, n)))\n"
             "diag(1, nrow = m * n)[places, , drop = FALSE]"),
            ("diagonal_selection", "n",
             "diag(1, nrow = n * n)[, seq(1, n * n, by = n + 1), drop = FALSE]"),
            ("elimination", "n", "places <- which(lower.tri(diag(1, nrow = n), diag = TRUE))\n"
             "diag(1, nrow = n * n)[places, , drop = FALSE]"),
            ("duplication", "n", "mirrored <- t(matrix(seq_len(n * n), n, n))\n"
             "places <- mirrored[lower.tri(mirrored, diag = TRUE)]\n"
             "t(pmax(elimination(n), diag(1, nrow = n * n)[places, , drop = FALSE]))"),
        )
    },
    reserved=(
        "if else repeat while function for next break TRUE FALSE NULL Inf NaN NA in T F pi "
        "nrow ncol"
    ),
)  # fmt: skip
