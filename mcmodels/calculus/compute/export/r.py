"""R: its grammar, and its functions."""

from __future__ import annotations

from mcmodels.calculus.compute.export.language import (
    ARCS,
    Language,
    of_each,
)

__all__ = ["R"]

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
    letter_first=True,
    templates={
        **of_each("exp log sin cos tanh abs sign sqrt log1p expm1 tan sinh cosh", "#({0})"),
        **of_each(f"{ARCS} digamma gammaln=lgamma sigmoid=plogis erf erfc", "#({0})"),
        **of_each("norm_cdf=pnorm norm_pdf=dnorm softplus gelu inverse_mills", "#({0})"),
        **of_each("inv=solve det total=sum amax=max only=drop", "#({0})"),
        **of_each("softmax softmax_rows log_sum_exp log_sum_exp_rows hardmax polar", "#({0})"),
        "pinv": "pinv({0})",
        **of_each("eigvalsh eigvecsh reciprocal_gaps positive_logdet", "#({0})"),
        **of_each("maximum=pmax minimum=pmin hypot solve kron=kronecker", "#({0}, {1})"),
        **of_each("block_sum block_trace matrix_power", "#({0}, {1})"),
        **of_each("commutation", "#({m}, {n})"),
        **of_each("duplication elimination diagonal_selection", "#({n})"),
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
            ("pinv", "X", "parts <- svd(X)\n"
             "kept <- parts$d > 1e-15 * max(dim(X)) * max(parts$d)\n"
             "parts$v[, kept, drop = FALSE] %*% "
             "(t(parts$u[, kept, drop = FALSE]) / parts$d[kept])"),
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
