"""MATLAB: its grammar, and its functions."""

from __future__ import annotations

from mcmodels.calculus.compute.export.language import (
    ARCS,
    PHI_AT_0,
    ROOT_2_OVER_PI,
    ROOT_HALF,
    Language,
    of_each,
)

__all__ = ["MATLAB"]

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
    letter_first=True,
    helpers_first=False,
    templates={
        **of_each("exp log=reallog sin cos tanh abs sign sqrt=realsqrt log1p expm1", "#({0})"),
        **of_each(f"tan sinh cosh {ARCS} erf erfc digamma=psi gammaln", "#({0})"),
        **of_each("sigmoid softplus step gelu norm_cdf norm_pdf norm_logcdf", "#({0})"),
        **of_each("inverse_mills inverse_mills_gap", "#({0})"),
        **of_each("maximum=max minimum=min hypot kron block_sum block_trace", "#({0}, {1})"),
        **of_each("inv det trace pinv expm logm sqrtm logdet positive_logdet", "#({0})"),
        **of_each("softmax softmax_rows log_sum_exp log_sum_exp_rows hardmax polar", "#({0})"),
        **of_each("eigvalsh eigvecsh reciprocal_gaps", "#({0})"),
        **of_each("diagonal=diag diagonal_matrix=diag", "#({0})"),
        **of_each("commutation", "#({m}, {n})"),
        **of_each("ones zeros", "#({m}, {n})"),
        **of_each("duplication elimination diagonal_selection eye", "#({n})"),
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
            ("norm_cdf", "z", f"y = 0.5 * erfc(-{ROOT_HALF} * z);"),
            ("norm_pdf", "z", f"y = {PHI_AT_0} * exp(-0.5 * z.^2);"),
            ("norm_logcdf", "z", f"y = log1p(-0.5 * erfc({ROOT_HALF} * z));\n"
             "far = z < -1;\n"
             f"y(far) = log(0.5 * erfcx(-{ROOT_HALF} * z(far))) - 0.5 * z(far).^2;"),
            ("inverse_mills", "z", f"y = {ROOT_2_OVER_PI} ./ erfcx(-{ROOT_HALF} * z);"),
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
