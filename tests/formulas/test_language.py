"""What a formula may say: it is evaluated, and comes from shells and files."""

import builtins
import random

import numpy as np
import pandas as pd
import pytest

from mcmodels import Formula
from mcmodels.formulas.language import parsed, sides, without_dot

pytest.importorskip("formulaic")

KNOWN = ["x", "y", "age", "class", "odd name", "a.b", "log", "C", "os", "real", "Größe", "1st"]
DATA = pd.DataFrame({name: np.arange(6.0) + 1 for name in KNOWN} | {"g": list("abcabc")})


def terms(text, known=KNOWN):
    found = parsed(text, known)
    return [found.shown(str(term)) for term in found.terms if str(term) != "1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", ["x", "y"]),
        ("x*y", ["x", "y", "x:y"]),
        ("x/y", ["x", "x:y"]),
        ("(x + y)^2", ["x", "y", "x:y"]),
        ("(x + y + age)**2", ["x", "y", "age", "x:y", "x:age", "y:age"]),
        ("x*y - x:y", ["x", "y"]),
        ("y %in% x", ["x", "x:y"]),
        ("x**2", ["x"]),  # as in R: a column beside itself
        ("I(x**2)", ["I(x ** 2)"]),
        ("C(class)", ["C(class)"]),  # a word of Python
        ("class", ["class"]),
        ("`odd name` + log(`odd name`)", ["odd name", "log(odd name)"]),
        ("Q('odd name') + Q(\"odd name\"):x", ["odd name", "odd name:x"]),
        ("a.b + log(a.b)", ["a.b", "log(a.b)"]),  # as R names columns
        ("log + log(log)", ["log", "log(log)"]),  # a function and a column
        ("C + C(C)", ["C", "C(C)"]),
        ("Größe + `1st`", ["Größe", "1st"]),
        ("np.log(x) + np.sqrt(y)", ["np.log(x)", "np.sqrt(y)"]),
        ("{x + y}", ["x + y"]),
        ("I(x > 1)", ["I(x > 1)"]),
        ("I((x > 1) & (y < 2))", ["I((x > 1) & (y < 2))"]),
        ("C(x, Treatment(2))", ["C(x, Treatment(2))"]),
        ("C(x, levels=[3, 1])", ["C(x, levels=[3, 1])"]),
        ("bs(x, df=4, degree=2)", ["bs(x, df=4, degree=2)"]),
        ("1 + x", ["x"]),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize("text", ["0 + x", "x - 1", "-1 + x", "x + 0"])
def test_no_intercept(text):
    assert not parsed(text, KNOWN).has_intercept
    assert parsed(f"1 + {text.replace('0', 'y').replace('-1', 'y').replace('- 1', '')}", KNOWN)


def test_sides():
    assert sides("y ~ x") == ("y", "x")
    assert sides("~ x") == (None, "x")
    assert sides("log(`a~b`) ~ C(x, Treatment('~'))") == ("log(`a~b`)", "C(x, Treatment('~'))")
    with pytest.raises(ValueError, match="2 signs ~"):
        sides("a ~ b ~ c")
    with pytest.raises(TypeError, match=r"formula=3 must be text"):
        sides(3)
    with pytest.raises(ValueError, match="20001 characters"):
        sides("x" * 20001)


def test_a_dot_is_every_column():
    assert without_dot(".", ["a", "b c"]) == "(`a` + `b c`)"
    assert without_dot(". - x + .5 + a.b", ["a"]) == "(`a`) - x + .5 + a.b"
    assert terms(without_dot(". - x", ["x", "y"])) == ["y"]


# Each of these would run, or reach, code that is not arithmetic.
HOSTILE = [
    "__import__('os').system('true')",
    "__import__('os')",
    "x + __import__('os')",
    "I(__import__('os').getpid() + x)",
    "{__import__('os')}",
    "eval('1')",
    "exec('1') + x",
    "open('f')",
    "getattr(x, 'real')",
    "x.sum()",
    "(x).real",
    "{(x).real}",
    "I(x.real)",
    "I(`x`.real)",
    "np.load('f')",
    "np.log.__class__(x)",
    "np.log .__class__(x)",
    "np",
    "np.log",
    "np.linalg.inv(x)",
    "x.__class__",
    "{x.__class__.__mro__}",
    "(lambda: 1)()",
    "I((lambda z: z)(x))",
    "I([z for z in x])",
    "I(x if x else y)",
    "I(x and y)",
    "x[0]",
    "I(x[0])",
    "I(x := y)",
    "f'{x}'",
    "I(f'{x}')",
    "(__import__('os').system)(x)",
    "{(__import__('os').getpid)()}",
    "C(x, __builtins__)",
    "C(x, levels=__import__('os'))",
    "scale(x, _state={})",
    "scale(x, **{'ddof': 1})",
    "scale(*[x])",
    # A text that would end the quotation marks of formulaic.
    'C(g, Treatment(\'"] or __import__("os").getpid() or ["\'))',
    "C(g, Treatment('a\\'))",
    'C(g, Treatment("\\""), Treatment(", __import__(\'os\'), "))',
    "C(g, Treatment('''a'''))",
    'C(g, Treatment("it\'s"))',
    "I(x # ' \n + __import__('os').getpid() # ')",
    "C(g, Treatment('`'), x + `x`)",
    "I(9**9**9)",
    "I(x**9**9**9)",
    "I(x**1000)",
    "(x + y + age)**64",
    "(x + y)^9",
    "(x + y)**y",
    "I(2**x)",
    "I('a'*1000000000 == x)",
    "I(1)",
    "x + 'a'",
    "hashed(x, levels=3)",
    "lag(x)",
    "x; y",
    "x | y",
    "x ~ y",
    "[x ~ y]",
    "x + (",
    "x +",
    "3 + x",
    "I(" * 300 + "x" + ")" * 300,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_arithmetic_is_refused(text):
    """Before formulaic sees it: its parser evaluates the names of functions."""
    with pytest.raises(ValueError, match=r"."):
        Formula(text).fit(DATA)


@pytest.mark.parametrize("text", [t for t in HOSTILE if "__" in t or "eval" in t or "open" in t])
def test_refusal_comes_before_evaluation(text, monkeypatch):
    called = []
    for name in ("__import__", "eval", "open", "exec", "getattr"):
        real = getattr(builtins, name)

        def watched(*args, _name=name, _real=real, **kwargs):
            if args and args[0] in ("os", "1", "f"):
                called.append(_name)
            return _real(*args, **kwargs)

        monkeypatch.setattr(builtins, name, watched)
    try:
        with pytest.raises((ValueError, TypeError)):
            parsed(text, [*KNOWN, "g"])
    finally:
        monkeypatch.undo()
    assert not called


def test_the_watch_sees_what_formulaic_would_run(monkeypatch):
    """The planted error: without our check, the code of a formula runs."""
    import formulaic

    called = []
    monkeypatch.setattr(builtins, "getpid_of_test", lambda: called.append(1) or 1.0, raising=False)
    formulaic.model_matrix("I(x + getpid_of_test())", DATA)
    assert called
    called.clear()
    with pytest.raises(ValueError, match="'getpid_of_test' is not a function of formulas"):
        Formula("I(x + getpid_of_test())").fit(DATA)
    assert not called


def test_random_texts_are_formulas_or_refused():
    """Pieces in any order: nothing but a ValueError or columns of numbers comes out."""
    rng = random.Random(0)
    pieces = [*"xyg.~+-*/:()[]{}'`,=10#&|éﬁ\n\\\"", "log(", "C(", "I(", "np.", "**", "2.5", "__"]
    pieces += ["lambda", " if ", " in ", "%in%", "bs(", "df=4", "Treatment(", "'a'", "_column0_"]
    pieces += ["x", "y", "g", " + ", "*", ":", ")", "==", "²"]
    n_fitted = 0
    for _ in range(2000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 7)))
        try:
            made = Formula(text).fit_transform(DATA[["x", "y", "g"]])
        except ValueError:
            continue
        n_fitted += 1
        assert np.isfinite(made.to_numpy()).all()
    assert n_fitted > 25


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agee", r"'agee', which is not a column of the data\. Did you mean 'age'\?"),
        ("log(agee)", "Did you mean 'age'"),
        ("x + offset(y)", "pass offset= with the name of the column to fit_formula"),
        ("ns(x, df=3)", "cr\\(x, df=3, constraints='center'\\) spans natural cubic splines"),
        ("factor(x)", r"write C\(…\)"),
        ("sqr(x)", r"did you mean 'sqrt'\?$"),
        ("1 + sqr(x)", r"did you mean 'sqrt'\?$"),
        ("spline(x)", r"bs\(x, df=4\) is a spline of fixed knots\.$"),
        ("x + (", "is not a formula"),
        ("lag(x)", "a row must not depend on the rows around it"),
        ("0", "makes no column; '1' makes a column of ones"),
        ("", "makes no column; '1' makes a column of ones"),
    ],
)
def test_errors_say_what_to_do(text, message):
    with pytest.raises(ValueError, match=message):
        Formula(text).fit(DATA)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "1st",
            r"'st', which .* Did you mean `1st`\? Names that are no words stand in backticks\.$",
        ),
        ("body mass", r"'body', which .* Did you mean `body mass \(g\)`\? .*backticks\.$"),
        ("`body mas (g)`", r"Did you mean `body mass \(g\)`\?"),
        ("a.c", r"Did you mean 'a\.b'\?$"),
        ("zzz", r"The data have 1st, body mass \(g\), a\.b\.$"),
    ],
)
def test_names_that_need_backticks_are_told_with_them(text, hint):
    data = pd.DataFrame({"1st": [1.0, 2], "body mass (g)": [1.0, 2], "a.b": [1.0, 2]})
    with pytest.raises(ValueError, match=hint):
        Formula(text).fit(data)
