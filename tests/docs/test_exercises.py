"""The boxes and exercises of the book: answers are right, and mistakes have the names given.

Symbols are inferred from the expression, as on the page that a box opens: undeclared small letters
are vectors or scalars, capitals matrices, and ``:declare: A=n,n; S=p,p:symmetric`` says the rest.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcmodels.calculus import Expression, ParseError, ShapeError, diagnose, parse
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.shape_inference import infer_symbols

DOCS = Path(__file__).parents[2] / "docs"
CHAPTERS = sorted((DOCS / "book").glob("[0-9][0-9]_*.md"))
FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<kind>live|exercise)\}(?P<argument>.*)\n(?P<body>(?:.*\n)*?)(?P=fence)\s*$",
    re.MULTILINE,
)
OPTION = re.compile(r":(?P<name>\w+):\s*(?P<value>.*?)\s*")
NEEDED = {"live": {"expression", "variable"}, "exercise": {"expression", "variable", "answer"}}


@dataclass(frozen=True)
class Box:
    """A directive of the book, as it is written."""

    chapter: str
    line: int
    kind: str
    options: dict[str, str]
    question: str = ""

    def __str__(self) -> str:
        return f"{self.chapter}:{self.line}"


def boxes_of(text: str, chapter: str) -> list[Box]:
    """All boxes of a page."""
    found = []
    for match in FENCE.finditer(text):
        options = {"expression": match["argument"].strip()} if match["kind"] == "live" else {}
        lines = match["body"].splitlines()
        while lines and lines[0].startswith(":"):
            option = OPTION.fullmatch(lines.pop(0))
            assert option, f"{chapter}: cannot read an option of {match['kind']}"
            assert option["name"] not in options, f"{chapter}: {option['name']} is given twice"
            options[option["name"]] = option["value"]
        line = text.count("\n", 0, match.start()) + 1
        question = "\n".join(lines).strip()
        found.append(Box(chapter, line, match["kind"], options, question))
    return found


def accepted_options() -> dict[str, set[str]]:
    """The options of each directive, as docs/_ext/live.py accepts them."""
    accepted = {}
    for node in ast.parse((DOCS / "_ext" / "live.py").read_text()).body:
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "option_spec":
                    assert isinstance(part.value, ast.Dict)
                    names = {ast.literal_eval(key) for key in part.value.keys if key}
                    accepted[node.name.lower()] = names
    return accepted


def pairs(text: str, sign: str) -> list[tuple[str, str]]:
    """The parts of ``a sign b; c sign d``."""
    parts = [part.partition(sign) for part in text.split(";") if part.strip()]
    assert all(sign_found for _, sign_found, _ in parts), f"{text!r}: write a {sign} b; c {sign} d"
    return [(left.strip(), right.strip()) for left, _, right in parts]


def faults(box: Box) -> list[str]:
    """What is wrong with a box; nothing, if all is right."""
    missing = NEEDED[box.kind] - {name for name, value in box.options.items() if value}
    if missing:
        return [f"{name} is missing" for name in sorted(missing)]
    expression, variable = box.options["expression"], box.options["variable"]
    given = pairs(box.options.get("declare", ""), "=")
    try:
        declared = {name: declaration(name, shape) for name, shape in given}
        symbols = infer_symbols(expression, declared, variable)
        if variable not in symbols:
            return [f"{variable} is no symbol of {expression}"]
        f, x = parse(expression, **symbols), symbols[variable]
        right = f.gradient(x) if f.is_scalar else f.jacobian(x)
    except (ParseError, ShapeError, ValueError) as error:
        return [f"{expression}: {error}"]
    assert isinstance(right, Expression)
    if box.kind == "live":
        return []

    found = [] if box.question else ["no question is asked"]
    try:
        if not diagnose(f, x, parse(box.options["answer"], **symbols)).correct:
            found.append(f"answer {box.options['answer']} is wrong; right is {right}")
    except (ParseError, ShapeError, ValueError) as error:
        found.append(f"answer {box.options['answer']}: {error}")
    for wrong, name in pairs(box.options.get("mistakes", ""), "=>"):
        try:
            diagnosis = diagnose(f, x, parse(wrong, **symbols))
        except (ParseError, ShapeError, ValueError) as error:
            found.append(f"mistake {wrong}: {error}")
            continue
        if diagnosis.correct:
            found.append(f"mistake {wrong} is right")
        elif diagnosis.mistake != name:
            found.append(f"mistake {wrong} is called {diagnosis.mistake!r}, not {name!r}")
    return found


BOXES = [box for page in CHAPTERS for box in boxes_of(page.read_text(encoding="utf-8"), page.stem)]


@pytest.mark.parametrize("box", BOXES, ids=str)
def test_box(box: Box) -> None:
    assert not faults(box)


@pytest.mark.parametrize("box", BOXES, ids=str)
def test_options_are_known(box: Box) -> None:
    assert box.options.keys() - {"expression"} <= accepted_options()[box.kind]
    assert box.kind == "live" or "expression" in accepted_options()[box.kind]


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_each_chapter_has_three_exercises_and_a_box(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    boxes = boxes_of(text, page.stem)
    assert len(boxes) == len(re.findall(r"\{(?:live|exercise)\}", text))  # none was overlooked
    exercises = [box for box in boxes if box.kind == "exercise"]
    assert len(exercises) >= 3
    assert len(boxes) > len(exercises)
    assert all(box.options.get("mistakes") for box in exercises)


GOOD = """
```{live} x.T @ S @ x
:variable: x
:declare: S=p,p:symmetric
```

```{exercise}
:expression: norm(A @ x - b)**2
:variable: x
:answer: 2 * A.T @ (A @ x - b)
:mistakes: A.T @ (A @ x - b) => factor; 2 * (A @ x - b).T @ A => transposed layout
What is the gradient?
```
"""


def planted(old: str, new: str) -> list[str]:
    """What is found in GOOD with something exchanged."""
    assert old in GOOD
    return [fault for box in boxes_of(GOOD.replace(old, new), "planted") for fault in faults(box)]


def test_a_good_page_has_no_faults() -> None:
    live, exercise = boxes_of(GOOD, "good")
    assert (live.kind, live.line, exercise.line) == ("live", 2, 7)
    assert live.options["expression"] == "x.T @ S @ x"
    assert exercise.question == "What is the gradient?"
    assert not faults(live)
    assert not faults(exercise)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (":answer: 2 *", ":answer: 3 *", "is wrong; right is"),
        (":answer: 2 *", ":answer:", "is wrong; right is"),
        ("2 * A.T @ (A @ x - b)\n", "2 * A @ (A @ x - b)\n", "answer 2 * A @"),
        ("=> factor", "=> chain rule", "is called 'factor', not 'chain rule'"),
        (": A.T @ (A @ x - b) =>", ": (A + A).T @ (A @ x - b) =>", "is right"),
        (": A.T @ (A @ x - b) =>", ": A.T @ (A @ x - =>", "mistake A.T @ (A @ x -:"),
        ("norm(A @ x - b)**2", "norm(A @ x - )**2", "norm(A @ x - )**2:"),
        (":variable: x\n:answer", ":variable: z\n:answer", "z is no symbol"),
        (":variable: x\n:answer", ":answer", "variable is missing"),
        ("S=p,p:symmetric", "S=p,p:symmetrical", "'symmetrical'"),
        ("S=p,p:symmetric", "T=p,p", "'T' is declared, but"),
        ("What is the gradient?", "", "no question"),
    ],
)
def test_planted_faults_are_found(old: str, new: str, fault: str) -> None:
    (found,) = planted(old, new)
    assert fault in found
