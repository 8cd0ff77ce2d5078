"""The command line's derivations: what is printed, in which shapes, and how it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mcmodels.cli
from mcmodels.calculus import inv, matrix, norm, scalar, softmax, trace, vector
from tests.test_cli import accepted, refused, run


def derived(capsys, *argv):
    """The line of shapes, and the rest."""
    shapes, _, rest = accepted(capsys, "derive", *argv).partition("\n\n")
    return shapes, rest


class TestSteps:
    def test_the_example(self, capsys):
        shapes, steps = derived(capsys, "trace(X.T @ A @ X)", "--wrt", "X")
        assert shapes == "with X: matrix of m×n, A: matrix of m×m"
        X, A = matrix("X", "m", "n"), matrix("A", "m", "m")
        derivation = trace(X.T @ A @ X).derivation(X)
        assert steps == f"{derivation}\n".lstrip()
        assert "(A + Aᵀ)X" in steps.splitlines()[-1]

    def test_hessian(self, capsys):
        text = "norm(A @ x - b)**2 + c * norm(x)**2"
        shapes, steps = derived(capsys, text, "--wrt", "x", "--let", "c=scalar", "--hessian")
        assert shapes == "with A: matrix of m×n, x: vector of n, b: vector of m, c: scalar"
        A, x, b, c = matrix("A", "m", "n"), vector("x", "n"), vector("b", "m"), scalar("c")
        f = norm(A @ x - b) ** 2 + c * norm(x) ** 2
        assert f"= {f.hessian(x).mathematics()}" in steps

    def test_latex(self, capsys):
        shapes, steps = derived(capsys, "a.T @ inv(X) @ b", "--wrt", "X", "--latex")
        assert shapes.startswith("% ")  # a comment in LaTeX
        X, a, b = matrix("X", "n", "n"), vector("a", "n"), vector("b", "n")
        f = a.T @ inv(X) @ b
        assert steps.strip() == f.derivation(X).latex().strip()
        assert f.gradient(X).latex() in steps

    @pytest.mark.parametrize("order", [[], ["--hessian"]])
    def test_numpy_is_code_that_runs(self, capsys, order):
        text = "sum(softplus(X @ w)) - y.T @ X @ w"
        out = accepted(capsys, "derive", text, "--wrt", "w", "--numpy", *order)
        code = {}
        exec(out, code)
        rng = np.random.default_rng(0)
        X, w, y = rng.standard_normal((7, 3)), rng.standard_normal(3), rng.standard_normal(7)
        p = 1 / (1 + np.exp(-X @ w))
        expected = X.T * (p * (1 - p)) @ X if order else X.T @ (p - y)
        [function] = [made for name, made in code.items() if name == "f"]
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        values = {"X": X, "w": w, "y": y}
        # Sums of 7 products, each rounded to 2e-16, in another order.
        np.testing.assert_allclose(function(*(values[n] for n in names)), expected, rtol=1e-12)

    def test_numpy_says_for_which_sizes_it_was_written(self, capsys):
        argv = ("norm(T - U @ V.T)**2", "--wrt", "U", "--hessian", "--numpy")
        note = "of 100; declare other sizes"
        general, fitted = derived(capsys, *argv)[1], derived(capsys, *argv, "--let", "U=5,2")[1]
        code = {}
        exec(fitted, code)
        V = np.random.default_rng(0).standard_normal((4, 2))
        # Sums of 4 products, each rounded to 2e-16, in another order.
        np.testing.assert_allclose(code["f"](V), 2 * np.kron(V.T @ V, np.eye(5)), rtol=1e-12)
        assert note not in fitted
        exec(general, code)
        assert note in general or np.shape(code["f"](V, 5)) == (10, 10)

    def test_the_jacobian_of_an_array(self, capsys):
        shapes, steps = derived(capsys, "softmax(A @ x)", "--wrt", "x")
        assert shapes == "with A: matrix of m×n, x: vector of n"
        A, x = matrix("A", "m", "n"), vector("x", "n")
        assert softmax(A @ x).jacobian(x).mathematics() in steps.splitlines()[-1]

    def test_an_expression_may_start_with_a_minus(self, capsys):
        _, steps = derived(capsys, "-sum(x)", "--wrt", "x")
        assert steps.splitlines()[-1].endswith("−1ₙ")
        assert derived(capsys, "--wrt", "x", "--", "-sum(x)")[1] == steps

    def test_from_a_shell(self):
        command = [sys.executable, "-m", "mcmodels", "derive", "x.T @ A @ x", "--wrt", "x"]
        environment = {"PYTHONIOENCODING": "utf-8", "PATH": ""}
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert done.stdout.decode().splitlines()[-1].endswith("(A + Aᵀ)x")
        assert done.stderr == b""

    def test_deriving_loads_neither_scikit_learn_nor_pandas(self):
        # The package itself is a stub: what it imports is not the command line's concern.
        code = """if True:
            import sys, types
            package = types.ModuleType("mcmodels")
            package.__path__, package.__version__ = [sys.argv[1]], "0"
            sys.modules["mcmodels"] = package
            from mcmodels.cli import main
            assert main(["derive", "x.T @ x", "--wrt", "x"]) == 0
            print({"sklearn", "pandas", "joblib"} & sys.modules.keys())
        """
        folder = str(Path(mcmodels.cli.__file__).parent.parent)
        command = [sys.executable, "-c", code, folder]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stdout.decode("utf-8").splitlines()[-1] == "set()"

    def test_a_terminal_without_greek(self):
        command = [sys.executable, "-m", "mcmodels", "derive", "theta.T @ theta", "--wrt", "theta"]
        environment = {"PYTHONIOENCODING": "ascii", "PATH": ""}
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert b"2\\u03b8" in done.stdout


class TestDeclarations:
    @pytest.mark.parametrize(
        ("text", "let", "shapes"),
        [
            ("x.T @ S @ x", ["S=matrix:symmetric"], "x: vector of n, S: matrix of n×n (symmetric)"),
            ("x.T @ S @ x", ["S=3,3:symmetric"], "x: vector of 3, S: matrix of 3×3 (symmetric)"),
            ("c * (x.T @ x)", ["c=scalar"], "c: scalar, x: vector of n"),
            ("sum(A @ x) / n", ["A=n,p"], "A: matrix of n×p, x: vector of p"),
            ("-p.T @ log(x)", ["p=k:probability"], "p: vector of k (probability), x: vector of k"),
            (
                "trace(matrix_power(X, k)) + sum(x)",
                ["k=scalar:integer", "X = n , n"],
                "X: matrix of n×n, k: scalar (integer), x: vector of m",
            ),
            (
                "logdet(S) + x.T @ inv(S) @ x",
                ["S=d,d:positive_definite"],
                "S: matrix of d×d (positive definite), x: vector of d",
            ),
        ],
    )  # fmt: skip
    def test_shapes(self, capsys, text, let, shapes):
        argv = [argument for pair in let for argument in ("--let", pair)]
        assert derived(capsys, text, "--wrt", "x", *argv)[0] == f"with {shapes}"

    def test_a_declaration_changes_the_result(self, capsys):
        plain = derived(capsys, "x.T @ A @ x", "--wrt", "x")[1]
        symmetric = derived(capsys, "x.T @ A @ x", "--wrt", "x", "--let", "A=matrix:symmetric")[1]
        assert plain.splitlines()[-1].endswith("= (A + Aᵀ)x")
        assert symmetric.splitlines()[-1].endswith("= 2Ax")

    @pytest.mark.parametrize(
        "text",
        [
            "norm(A @ x - b)**2 + lam * norm(x)**2",
            "norm(A@x-b)^2 + lam*norm(x)^2",
            "(A@x-b)'@(A@x-b) + lam*x'@x",
        ],
    )
    def test_what_nothing_ties_to_a_shape_is_a_scalar(self, capsys, text):
        shapes, steps = derived(capsys, text, "--wrt", "x")
        assert shapes == "with A: matrix of m×n, x: vector of n, b: vector of m, lam: scalar"
        assert steps.splitlines()[-1].endswith("2Aᵀ(Ax − b) + 2λx")
        shapes, _ = derived(capsys, text, "--wrt", "lam")
        assert shapes.endswith("lam: scalar") or "**" in text or "^" in text

    def test_numbers_that_have_a_name(self, capsys):
        shapes, steps = derived(capsys, "log(2*pi) * norm(x)**2", "--wrt", "x")
        assert shapes == "with x: vector of n, pi: the number"
        assert steps.splitlines()[-1].endswith("2 log(2π) x")

    def test_a_vector_that_may_have_been_meant(self, capsys):
        shapes, _ = derived(capsys, "u.T * v", "--wrt", "u")
        assert shapes == "with u: vector of n, v: scalar (if it is a vector: --let v=n)"
        shapes, _ = derived(capsys, "norm(u) * v", "--wrt", "u")
        assert shapes == "with u: vector of n, v: scalar"

    def test_what_varies_may_be_a_number_or_a_vector(self, capsys):
        intercept = "sum(log(1 + exp(-y * (X @ w + b))))"
        shapes, _ = derived(capsys, intercept, "--wrt", "b")
        assert shapes.endswith("b: vector of m (if it is a scalar: --let b=scalar)")
        shapes, _ = derived(capsys, intercept, "--wrt", "b", "--let", "b=scalar")
        assert shapes.endswith("b: scalar")
        shapes, _ = derived(capsys, intercept, "--wrt", "w")
        assert shapes.endswith("w: vector of n, b: vector of m")
        shapes, _ = derived(capsys, "np.sum(np.tanh(X @ W + b))", "--wrt", "b")
        assert shapes.endswith("b: scalar (if it is a vector: --let b=n)")
        _, steps = derived(capsys, "np.sum(X @ W + b)", "--wrt", "b", "--let", "b=k")
        assert steps.splitlines()[-1].endswith("∂f/∂b = m 1ₖ")

    def test_lines_of_numpy_make_no_matrix_square(self, capsys):
        shapes, steps = derived(capsys, "np.sum((X - X.mean(axis=0))**2)", "--wrt", "X")
        assert shapes == "with X: matrix of m×n"
        assert steps.splitlines()[-1].endswith("= 2X − 2·11ᵀX/m")

    def test_a_matrix_product_that_may_have_been_meant(self, capsys):
        text = "(ones(n) @ x.T) * A * (x @ ones(n).T)"
        shapes, _ = derived(capsys, text, "--wrt", "x")
        assert shapes.endswith("; * works entry by entry: x.T @ A @ x is the quadratic form")
        message = refused(capsys, "derive", "sum(B.T * B)", "--wrt", "B", "--let", "B=3,4")
        assert "* works entry by entry, @ is the matrix product" in message

    def test_an_inverse_by_a_caret_is_refused_as_in_parse(self, capsys):
        assert "write inv(X) for the inverse" in refused(capsys, "derive", "X^-1", "--wrt", "X")
        shapes, _ = derived(capsys, "sum((X @ W - Y)^2)", "--wrt", "W")
        assert shapes == "with X: matrix of m×n, W: matrix of n×p, Y: matrix of m×p"

    def test_the_identity_is_pointed_to(self, capsys):
        shapes, _ = derived(capsys, "logdet(I + X)", "--wrt", "X")
        assert shapes == "with I: matrix of n×n (the identity is eye(n)), X: matrix of n×n"
        shapes, _ = derived(capsys, "logdet(I + X)", "--wrt", "X", "--let", "I=n,n")
        assert shapes == "with I: matrix of n×n, X: matrix of n×n"


class TestRefusals:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["pi * norm(x)", "--wrt", "pi2"], "it has x"),
            (["X @ X", "--wrt", "X", "--hessian"], "scalar"),
            (["trace(X)", "--wrt", "Y"], "--wrt Y: the expression has no Y; it has X"),
            (["sum(theta)", "--wrt", "thta"], "did you mean theta?"),
            (["1 + 1", "--wrt", "x"], "has no variables"),
            (["trace(X)", "--wrt", "X", "--let", "Y=n"], "'Y' is declared, but"),
            (["trace(X)", "--wrt", "X", "--let", "X"], "--let X: write NAME=SHAPE"),
            (["trace(X)", "--wrt", "X", "--let", "=n"], "write NAME=SHAPE"),
            (["trace(X)", "--wrt", "X", "--let", "X=n,n", "--let", "X=n,n"], "declared twice"),
            (["trace(X)", "--wrt", "X", "--let", "X=n,n:wide"], "may be symmetric or"),
            (["trace(X)", "--wrt", "X", "--let", "X=m,n"], "square"),
            (
                ["trace(X)", "--wrt", "X", "--let", "X=n,n,n"],
                "a square matrix; found a tensor of n×n×n",
            ),
            (["trace(X)", "--wrt", "X", "--let", "X=0,0"], "at least 1"),
            (["tracee(X)", "--wrt", "X"], "did you mean 'trace'?"),
            (["__import__('os').system('true')", "--wrt", "X"], "cannot read"),
            (["X.__class__", "--wrt", "X"], "the only attribute is .T"),
            (["x +\n\n foo(x)", "--wrt", "x"], "unknown function 'foo'"),
            (["sum(x", "--wrt", "x"], "a ')' is missing"),
            (["", "--wrt", "x"], "no text"),
            (["x" * 30_000, "--wrt", "x"], "30000 characters"),
            (["exp(" * 99 + "X" + ")" * 99, "--wrt", "Y"], "--wrt Y"),
            (["trace(matrix_power(X, k)) * sum(matrix_power(X, k))", "--wrt", "X"], "closed form"),
            (["trace(X)"], "--wrt"),
            (["--wrt", "X"], "EXPRESSION"),
            (["trace(X)", "--wrt", "X", "--latex", "--numpy"], "not allowed with"),
            (["trace(X)", "--wrt", "X", "--hess"], "--hess"),
        ],
    )
    def test_are_one_line(self, capsys, argv, message):
        assert message in refused(capsys, "derive", *argv)

    def test_a_deep_expression_is_derived_or_refused(self, capsys):
        text = "sum(" + "sin(" * 98 + "x" + ")" * 99
        code, out, err = run(capsys, "derive", text, "--wrt", "x")
        assert (code == 0 and "∂f/∂x" in out) or (code == 2 and "nested too deeply" in err)


def test_help_shows_the_shapes(capsys):
    out = accepted(capsys, "derive", "--help")
    for form in ("c=scalar", "A=m,n", "S=matrix:symmetric", "y=k:probability", "k=scalar:integer"):
        assert form in out
    assert "derive" in accepted(capsys, "--help")
