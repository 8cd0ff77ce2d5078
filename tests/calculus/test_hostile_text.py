"""Text that is no expression: refused with place and reason, in no time, and never run."""

import pickle
import sys

import pytest

from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.text.parsing import ParseError, parse

HOSTILE = [
    "__import__('os').system('true')",
    "__import__(os)",
    "x.__class__",
    "x.__class__.__bases__",
    "x.T.T.__dict__",
    "().__class__",
    "[].append(1)",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "getattr(x, x)",
    "print(x)",
    "eval('1')",
    "__builtins__",
    "__debug__",
    "_x",
    "os.system(x)",
    "np.load(x)",
    "np.linalg",
    "np.linalg(x)",
    "np.exp",
    "np.exp.T",
    "x.sum",
    "x.sum.sum()",
    "x.exp(x)(x)",
    "lambda: 1",
    "(lambda x: x)(x)",
    "[x for x in x]",
    "(x for x in x)",
    "{x}",
    "{x: 1}",
    "[x]",
    "(x, x)",
    "x, x",
    "()",
    "f'{x}'",
    "'x'",
    '"x"',
    "b'x'",
    "x if x else x",
    "x and x",
    "not x",
    "x == x",
    "x < x < x",
    "x == x",
    "x != x",
    "x is x",
    "x := 1",
    "(y := x)",
    "x = 1",
    "x; x",
    "import os",
    "x\nimport os",
    "del x",
    "yield x",
    "(yield)",
    "await x",
    "*x",
    "exp(*x)",
    "exp(**x)",
    "exp(x=x)",
    "sum(x, axis=x)",
    "sum(x, axis=1, axis=0)",
    "sum(x, axes=1)",
    "sum(x, 1.5)",
    "exp()",
    "exp(x, x)",
    "exp",
    "exp.T",
    "exp(exp)",
    "x.T()",
    "x(x)",
    "(x)(x)",
    "exp(x)(x)",
    "x.real",
    "x.t",
    "x[x]",
    "x['T']",
    "x[0:1:1]",
    "x[0.5:]",
    "x[eye(n):]",
    "hstack(x)",
    "hstack([x], x)",
    "[x, x]",
    "exp([x])",
    "block([x])",
    "hstack([*x])",
    "x[::2]",
    "x[:]",
    "x[:, :]",
    "x[()]",
    "x[...]",
    "x[0.5]",
    "x[0, 0, 0]",
    "x[True]",
    "True",
    "None",
    "...",
    "1j",
    "0x10",
    "0777",
    "1e999",
    "1e-999",
    "9" * 400,
    "1 / 0",
    "x / (c - c)",
    "x // x",
    "x % x",
    "x ^ x",
    "x | x",
    "x & x",
    "x << x",
    "~x",
    "!x",
    "x @@ x",
    "x +",
    "+",
    "",
    "   ",
    "\n",
    "(",
    ")",
    "x)",
    "(x",
    "x]",
    "(x]",
    "x # note",
    "x \\",
    "\0",
    "x\0",
    "x\u202e",
    "x\u200b",
    "\ud800",
    "`x`",
    "$x",
    "2x",
    "x x",
    "x 2",
    "x²",
    "xᵀ",
    "'x",
    "''",
    "2'",
    "x'y",
    "x + '",
    "^2",
    "x^",
    "x ^^ 2",
    "x'(2)",
    "A^2",
    "x .** x",
    "x . * x",
    ".* x",
    "x .* * x",
    "x.(x)",
    "x.^",
    "１",
    "-" * 5000 + "x",
    "(" * 5000 + "x" + ")" * 5000,
    "exp(" * 3000 + "x" + ")" * 3000,
    "[" * 9000,
    "x" + ".T" * 9000,
    "x" + "[0]" * 5000,
    "x" + "'" * 19_000,
    "x" + "^T" * 9000,
    "x^2" + " + x" * 4900 + " ^",
    "x" + "^2" * 9000,
    "x' @ " * 300 + "x",
    "x" + " + x" * 4900,
    "x" + " @ x" * 300,
    "x" + " ** 2" * 3000,
    "a" * 20_001,
    "x" * 10**6,
    "eye(" + "9*" * 5000 + "9)",
    "eye(-1)",
    "eye(1.5)",
    "eye(n ** 2)",
    "eye(n / m)",
    "eye(n - n)",
    "eye((a+b+c+d+e+f+g+h)*(a+b+c+d+e+f+g+h))",
    "eye(x.T)",
    "unit(x, n)",
    "d(x)",
    "softmx(x)",
    None,
    3,
    b"x",
    ["x"],
]


class TestHostileText:
    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
    def test_is_refused(self, text):
        with pytest.raises(ParseError) as caught:
            parse(text, x="n")
        assert len(str(caught.value)) < 700

    def test_is_never_run(self, tmp_path):
        watched, events = [True], []

        def hook(event, arguments):
            if watched:
                events.append(event)

        sentinel = tmp_path / "sentinel"
        attack = f"__import__('pathlib').Path({str(sentinel)!r}).touch()"
        for text in HOSTILE:  # whatever is imported late is imported here
            with pytest.raises(ParseError):
                parse(text, x="n")
        events.clear()
        sys.addaudithook(hook)
        for text in [*HOSTILE, attack]:
            with pytest.raises(ParseError):
                parse(text, x="n")
        watched.clear()  # a hook cannot be taken away again
        assert not sentinel.exists()
        # ast.parse announces itself as "compile"; code that runs would be "exec" or "import".
        assert set(events) <= {"compile"}

    def test_a_deep_stack_below_is_no_reason_to_crash(self):
        def call(depth):
            return parse("exp(" * 60 + "x" + ")" * 60, x="n") if depth == 0 else call(depth - 1)

        outcomes = set()
        for depth in range(0, sys.getrecursionlimit(), 20):
            try:
                outcomes.add(type(call(depth)).__name__)
            except ParseError:
                outcomes.add("ParseError")
            except RecursionError:
                break  # of this function's own, or of the first lines of parse
        assert outcomes <= {"Elementwise", "ParseError"}
        assert "Elementwise" in outcomes


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "column", "message"),
        [
            ("x + foo(x)", 5, "unknown function 'foo'; known: abs, amax"),
            ("x + softmx(x)", 5, "unknown function 'softmx'; did you mean 'softmax'"),
            ("x + x(x)", 5, "'x' is no function; write x * "),
            ("  x.shape", 5, "the only attribute is .T; found .shape"),
            ("np.exp", 1, r"write exp\("),
            ("x + np.dot(x)", 5, "dot takes 2, found 1 arguments"),
            ("x.*x + x' + foo(x)", 13, "unknown function 'foo'"),
            ("x.^2 .+ foo.(x)", 9, "unknown function 'foo'"),
            ("2'", 2, "the transpose of what it stands behind"),
            ("x' @ x + 'x", 10, "the transpose of what it stands behind"),
            ("x' @ foo(x^2)", 6, "unknown function 'foo'"),
            ("x^2 @ x.shape", 9, "the only attribute is .T; found .shape"),
            ("x .* x + x * x", 14, r"write @ for the matrix product, \.\* for each entry"),
            ("x .^ 2 / x", 10, r"\./ for each entry"),
            ("np.heaviside(x, 0)", 4, r"write step\(x\) without np\."),
            ("np.linalg.qr(x)", 11, r"factors are declared as symbols"),
            ("np.linalg.cond2(x)", 11, r"write the function without np\.linalg\."),
            ("x.dot", 3, r"write dot\("),
            ("x.square()", 3, r"write x \*\* 2"),
            ("max(x)", 1, r"amax\(x\) for the largest entry"),
            ("Trace(x)", 1, r"write trace\("),
            ("xᵀ", 1, "write .T for a transpose"),
            ("x − 1", 3, "write - for minus"),
            ("2x", 2, "expected \\* or @ before 'x'"),
            ("x +", 4, "missing at the end"),
            ("(x + 1", 7, r"a '\)' is missing"),
            ("lambda * x", 1, "write lambda_"),
            ("αβγ + foo(x)", 7, "unknown function 'foo'"),
            ("x[:, :]", 1, r"write x\[i\]"),
            ("det(x, x)", 1, "det takes 1, found 2 arguments"),
            ("ones()", 1, "ones takes 1 or 2, found 0 arguments"),
            ("eye(n ** 2)", 5, "a size is a number, a name, a product or a sum"),
            ("x[x - 0.5:]", 3, "a size is a number, a name, a product or a sum"),
            ("vstack(x)", 8, r"vstack takes a list, as in vstack\(\[A, B\]\)"),
            ("x + x / 0", 5, "division by zero"),
            ("1e999", 1, "at most 1e\\+300"),
        ],
    )
    def test_say_where_and_what(self, text, column, message):
        with pytest.raises(ParseError, match=message) as caught:
            parse(text, x="n")
        assert caught.value.column == column
        assert f"column {column}:" in str(caught.value)

    def test_a_long_text_is_shown_about_the_place(self):
        with pytest.raises(
            ParseError, match=r"cannot read '….*foo\(x\).*…', column 1205"
        ) as caught:
            parse("x + " * 300 + "    foo(x)" + " + x" * 300, x="n")
        assert len(str(caught.value)) < 500

    def test_errors_can_be_pickled(self):
        with pytest.raises(ParseError) as caught:
            parse("x +", x="n")
        back = pickle.loads(pickle.dumps(caught.value))
        assert (str(back), back.column) == (str(caught.value), 4)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("A @ b", r"n×n \(A\) @ vector of m \(b\)"),
            ("x + b", r"vector of n \(x\) and vector of m \(b\)"),
            ("trace(B)", "square"),
            ("x @ x", r"x.T @ x for the scalar"),
            ("unit(9, 3)", "outside a vector of 3"),
            ("x ** A", "an exponent must be a scalar"),
        ],
    )
    def test_shapes_that_clash_are_shape_errors(self, text, message):
        with pytest.raises(ShapeError, match=message):
            parse(text, x="n", b="m", A=("n", "n"), B=("m", "n"))


class TestLongText:
    """As long as can be, and read in the time of a keystroke or two; each took minutes at first."""

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            (" + ".join(f"a{i}" for i in range(1000)), "Sum"),
            (" + ".join(f"a{i}" for i in range(1000)) + " + x", "Sum"),
            (" + ".join(f"a{i} * x" for i in range(1000)), "Sum"),
            (" + ".join(f"a{i} + x" for i in range(1000)), "Sum"),
            (" * ".join(f"a{i}" for i in range(1000)), "Scaled"),
            (" * ".join(f"a{i} * x" for i in range(1000)), "Scaled"),
            ("x" + " / y" * 1000, "Scaled"),
            ("x" + ".T" * 1000, "Symbol"),
            (" @ ".join("AX"[i % 2] for i in range(200)), "Product"),
        ],
    )
    def test_is_read(self, text, kind):
        assert type(parse(text, x="n", A=("n", "n"), X=("n", "n"))).__name__ == kind
