"""The page of guides has a line for each guide, and a place in a contents for each line."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_lines_and_contents_are_the_same():
    text = (DOCS / "guides.md").read_text()
    lines = re.findall(r"^\[[^\]]+\]\(([\w/]+)\.(?:md|ipynb)\)\n: [^\n]+[.?]$", text, re.MULTILINE)
    contents = re.findall(r"^([\w/]+)$", text.partition("```{toctree}")[2], re.MULTILINE)
    assert lines == contents
    assert len(lines) > 20
    assert all(list(DOCS.glob(f"{name}.*")) for name in lines)
