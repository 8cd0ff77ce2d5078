"""What derive.html asks of the calculus, without NumPy as in a browser, against Python with it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import browser_test, derive_files

ROOT = Path(browser_test.__file__).parent.parent
PAGE = ROOT / "docs" / "derive"
PROGRAM = """
import json, sys
for name in ("numpy", "scipy", "pandas", "sklearn"):
    sys.modules[name] = None
sys.path[:0] = sys.argv[1:]
import engine
for line in sys.stdin:
    print(engine.answer(line))
"""


def answers(questions):
    """What the engine answers in a process without NumPy."""
    found = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM, str(ROOT), str(PAGE)],
        input="\n".join(map(json.dumps, questions)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def question(text, *, what="derive", by="x", **more):
    return {"what": what, "expression": text, "variable": by, **more}


def test_derivatives_and_diagnoses_are_those_of_python():
    expected = browser_test.expected()
    assert len(expected["derivatives"]) >= 40
    assert len(expected["mistakes"]) >= 10
    found = answers(
        [{"what": "derive", **case} for case in expected["derivatives"]]
        + [{"what": "doctor", **case} for case in expected["mistakes"]]
        + [{"what": "doctor", **case, "claim": case["right"]} for case in expected["mistakes"]]
    )
    assert len({case["mistake"] for case in expected["mistakes"]}) >= 5
    for case, answer in zip(expected["derivatives"], found, strict=False):
        assert answer["result"]["python"] == case["python"]
        assert answer["steps"][-1]["lines"][-1]["latex"]
    wrong, right = found[len(expected["derivatives"]) :][: len(expected["mistakes"])], found[-10:]
    for case, answer in zip(expected["mistakes"], wrong, strict=True):
        assert (answer["mistake"], answer["explanation"]) == (case["mistake"], case["explanation"])
    assert all(answer["correct"] for answer in right)


def test_refusals_say_what_to_write():
    cases = [
        (question("sum(square(x))"), "write x ** 2"),
        (question("A @ x", order="Hessian"), "a Hessian is one of a scalar"),
        (question("x + y", declarations="z=3"), "'z' is declared"),
        (question("x + y", declarations="x"), "write NAME=SHAPE"),
        (question("x + y", declarations="x=n; x=m"), "declared twice"),
        (question("  "), "type an expression"),
        (question("3"), "no variables"),
        (question("x" * 2001), "at most 2000 characters"),
        (question("(" * 1900), "cannot read"),
        (question("x.T @ x", what="doctor", claim="2 * q"), "the expression has no q; it has x"),
        (question("x.T @ x", what="doctor", claim=" "), "type your derivative"),
        (question("x.T @ x", what="code", language="cobol"), "the language is one of numpy"),
        (question("__import__('os').system('ls')"), "cannot read"),
    ]
    for (_, part), answer in zip(cases, answers([case for case, _ in cases]), strict=True):
        assert not answer["ok"]
        assert part in answer["message"]
        assert "--let" not in answer["message"]


def test_a_claim_that_fits_no_shape_is_diagnosed_where_sizes_are_equal():
    shapes = {"declarations": "A=m,n; x=n; b=m", "what": "doctor"}
    mixed, nothing = answers(
        [
            question("norm(A @ x - b)**2", claim="2 * A @ (A @ x - b)", **shapes),
            question("norm(A @ x - b)**2", claim="A @ b @ x", **shapes),
        ]
    )
    assert mixed["mistake"] == "mixed layout"
    assert mixed["explanation"].startswith("your derivative does not fit the shapes: a matrix pro")
    assert mixed["right"]["python"] == "2 * A.T @ (A @ x - b)"
    assert nothing["message"].startswith("your derivative does not fit the shapes: a matrix pro")


def test_declarations_may_be_separated_in_several_ways():
    texts = [
        "A=n,n:symmetric; x=n",
        "A=n,n:symmetric, x=n",
        "A=n,n:symmetric x=n",
        "x=n\nA=n,n:symmetric",
    ]
    for answer in answers([question("x.T @ A @ x", declarations=text) for text in texts]):
        assert answer["result"]["python"] == "2 * A @ x"


def test_an_order_that_does_not_fit_is_said():
    jacobian, row, hessian, code = answers(
        [
            question("A @ x"),
            question("a.T @ x", order="Jacobian"),
            question("x.T @ A @ x", order="Hessian"),
            question("x.T @ A @ x", what="code", language="julia", order="Hessian"),
        ]
    )
    assert jacobian["kind"] == "Jacobian"
    assert "so that it has a Jacobian" in jacobian["notes"][0]
    assert (row["result"]["python"], row["result"]["shape"]) == ("a.T", "1×n")
    assert hessian["result"]["python"] == "A + A.T"
    assert "A + A'" in code["code"]


def test_every_identity_can_be_opened():
    (found,) = answers([{"what": "identities"}])
    assert len(found["identities"]) > 90
    opened = [case for case in found["identities"] if case["variable"]][::7]
    for case, answer in zip(
        opened, answers([{"what": "derive", **case} for case in opened]), strict=True
    ):
        assert answer["ok"], (case, answer)
        assert answer["variable"] == case["variable"]


def test_the_archives_hold_what_is_imported():
    names = {name for name, _ in derive_files.sources_of_calculus()}
    assert {"engine.py", "mcmodels/__init__.py", "mcmodels/plain/names.py"} <= names
    assert not any("linear.py" in name and "plain" not in name for name in names)
    mpmath = [name for name, _ in derive_files.sources_of_mpmath()]
    assert "mpmath/__init__.py" in mpmath
    assert not any("/tests/" in name for name in mpmath)


@pytest.mark.parametrize("file", ["derive.html", "derive.css", "derive.js", "derive-worker.js"])
def test_nothing_is_asked_of_another_host(file):
    text = (PAGE / file).read_text(encoding="utf-8")
    assert not re.search(r"https?://|//\w+\.\w+/", text)
    assert "innerHTML" not in text
    assert "eval(" not in text


def test_the_page_has_its_ids_and_its_policy():
    text = (PAGE / "derive.html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    wanted = {"expression", "variable", "order", "result", "steps", "code"}
    assert wanted | {"claim", "verdict", "permalink"} <= set(ids)
    assert "default-src 'none'" in text
    assert set(re.findall(r'at\("([\w-]+)"\)', (PAGE / "derive.js").read_text())) <= set(ids)


def test_the_examples_of_the_other_page_are_derived():
    readme = (PAGE / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| its example | typed here |")[2]
    typed = re.findall(r"\| `.*?` \| `(.*?)` \|", table)
    results = {
        "0.5*x'@A@x": ("x", "½(A + Aᵀ)x"),
        "A@exp(x)": ("x", "A diag(exp(x))"),
        "(y.*v)'@x": ("x", "y ∘ v"),
        "a^b": ("a", "baᵇ⁻¹"),
        "norm(A@x-y, 1)": ("x", "Aᵀ sign(Ax − y)"),
        "norm(A@x-y)^2": ("x", "2Aᵀ(Ax − y)"),
        "sum(log(exp(-y.*(X@w)) + 1))": ("w", "−Xᵀ(y ∘ σ(−y ∘ Xw))"),
        "tr(A@X'@B@X@C)": ("X", "BXCA + BᵀXAᵀCᵀ"),
        "log(det(inv(X)))": ("X", "−X⁻ᵀ"),
    }
    assert list(results) == typed
    found = answers([question(text, by=by) for text, (by, _) in results.items()])
    assert [answer["result"]["text"] for answer in found] == [text for _, text in results.values()]
