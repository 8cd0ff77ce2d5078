"""Julia: its grammar, and its functions."""

from __future__ import annotations

from mcmodels.calculus.compute.export.language import (
    ARCS,
    PHI_AT_0,
    ROOT_2_OVER_PI,
    ROOT_HALF,
    Language,
    of_each,
)

__all__ = ["JULIA"]

_OF_LINEAR_ALGEBRA = (
    *("Matrix(", "diag", "tril(", "norm(", "det(", "logabsdet", "tr(", "inv(", "svd", "kron("),
    *("eig", "Symmetric", "expm(", "logm(", "sqrtm("),
)

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
    letter_first=True,
    templates={
        **of_each("exp log sin cos tanh abs sign sqrt log1p expm1 tan sinh cosh", "#.({0})"),
        **of_each(f"{ARCS} erf erfc digamma sigmoid softplus step gelu gammaln", "#.({0})"),
        **of_each("norm_cdf norm_pdf norm_logcdf inverse_mills inverse_mills_gap", "#.({0})"),
        **of_each("maximum=max minimum=min hypot", "#.({0}, {1})"),
        **of_each("inv det trace=tr total=sum norm pinv amax=maximum", "#({0})"),
        **of_each("eigvecsh reciprocal_gaps hardmax polar softmax softmax_rows", "#({0})"),
        **of_each("log_sum_exp log_sum_exp_rows positive_logdet=logdet only", "#({0})"),
        **of_each("expm logm sqrtm", "#({0})"),
        **of_each("kron block_sum block_trace", "#({0}, {1})"),
        **of_each("commutation", "#({m}, {n})"),
        **of_each("duplication elimination diagonal_selection", "#({n})"),
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
        "norm_cdf": f"norm_cdf(z) = 0.5 * erfc(-{ROOT_HALF} * z)",
        "norm_pdf": f"norm_pdf(z) = {PHI_AT_0} * exp(-0.5 * z^2)",
        "norm_logcdf": f"""\
function norm_logcdf(z)
    if z < -1
        return log(0.5 * erfcx(-{ROOT_HALF} * z)) - 0.5 * z^2
    end
    return log1p(-0.5 * erfc({ROOT_HALF} * z))
end""",
        "inverse_mills": f"inverse_mills(z) = {ROOT_2_OVER_PI} / erfcx(-{ROOT_HALF} * z)",
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
        "expm": "expm(A) = exp(A)",
        "logm": "logm(A) = real_part(log(A))",
        "sqrtm": "sqrtm(A) = real_part(sqrt(A))",
        "real_part": """\
function real_part(A)
    all(isfinite, A) && maximum(abs.(imag.(A))) <= 1e-8 * maximum(abs.(A)) ||
        error("there are eigenvalues that are 0 or negative")
    return real.(A)
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
        **dict.fromkeys(_OF_LINEAR_ALGEBRA, "using LinearAlgebra"),
        **dict.fromkeys(["erf", "gamma"], "using SpecialFunctions"),
    },
    reserved=(
        "baremodule begin break catch const continue do else elseif end export false finally for "
        "function global if import in isa let local macro module quote return struct true try "
        "using where while I pi im Inf NaN LinearAlgebra SpecialFunctions"
    ),
)
