"""The gallery: every picture is on its page, small, and made again by its script."""

import importlib.util
import re
from pathlib import Path

import pytest

from mcmodels import plots
from tests.plots.pictures import faults

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_folder_and_script_have_the_same_pictures(script):
    page = (DOCS / "gallery.md").read_text()
    files = {path.stem for path in (DOCS / "gallery").iterdir()}
    assert set(re.findall(r"\(gallery/(\w+)\.png\)", page)) == files == set(script.PICTURES)
    assert all(f"`{name}`" in page for name in plots.__all__)
    for path in (DOCS / "gallery").iterdir():
        assert path.stat().st_size < 60_000
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_script_makes_them(script, tmp_path):
    script.main(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(script.PICTURES)


def test_their_texts_are_apart(script):
    for name, make in script.PICTURES.items():
        assert faults(make().figure_) == [], name
