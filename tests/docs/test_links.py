"""The checker of the site's links finds planted faults, and no others."""

import pytest

from docs.check_links import faults_in, main

PAGE = """<html><head>{head}</head><body><h1 id="top-of-it">Title</h1>{body}</body></html>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "guide").mkdir()
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "a.woff2").write_bytes(b"")
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "style.css").write_text("@font-face { src: url('fonts/a.woff2'); }")
    (tmp_path / "guide" / "index.html").write_text(PAGE.format(head="", body="<p id=here>x</p>"))

    def with_index(body="", head=""):
        (tmp_path / "index.html").write_text(PAGE.format(head=head, body=body))
        return faults_in(tmp_path)

    with_index.root = tmp_path
    return with_index


@pytest.mark.parametrize(
    "body",
    [
        '<a href="guide/index.html#here">x</a>',
        '<a href="guide/">x</a>',
        '<a href="#top-of-it">x</a>',
        '<img src="logo.svg">',
        '<a href="https://example.org/">x</a>',
        '<a href="mailto:a@example.org">x</a>',
        '<img src="data:image/gif;base64,R0">',
    ],
)
def test_good_links(site, body):
    assert site(body) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="missing.html">x</a>', "missing.html leads to no file"),
        ('<a href="guide/index.html#gone">x</a>', "leads to no element of its page"),
        ('<a href="#gone">x</a>', "#gone leads to no element of its page"),
        ('<img src="gone.png">', "gone.png leads to no file"),
        ('<img srcset="logo.svg 1x, gone.png 2x">', "gone.png leads to no file"),
        ('<img src="https://example.org/a.png">', "is loaded from another host"),
        ('<script src="//example.org/a.js"></script>', "is loaded from another host"),
        ('<iframe src="https://example.org/"></iframe>', "is loaded from another host"),
        ('<p style="background: url(gone.png)">x</p>', "gone.png leads to no file"),
        ('<button data-derive="derive.html#e=x">x</button>', "derive.html#e=x leads to no file"),
    ],
)
def test_planted_faults(site, body, fault):
    (found,) = site(body)
    assert found.endswith(fault)
    assert found.startswith("index.html: ")


def test_style_sheets_of_other_hosts_are_loaded_and_canonical_addresses_are_not(site):
    (found,) = site(head='<link rel="stylesheet" href="https://example.org/a.css">')
    assert found.endswith("is loaded from another host")
    assert site(head='<link rel="canonical" href="https://example.org/">') == []


def test_fonts_that_a_style_sheet_names(site):
    (site.root / "style.css").write_text("@font-face { src: url(fonts/gone.woff2); }")
    assert site() == ["style.css: fonts/gone.woff2 leads to no file"]


def test_a_link_out_of_the_site(site, tmp_path_factory):
    outside = site.root.parent / "outside.txt"
    outside.write_text("x")
    (found,) = site('<a href="../outside.txt">x</a>')
    assert found.endswith("leads out of the site")


def test_the_command(site, capsys):
    site('<a href="gone.html">x</a>')
    assert main([str(site.root)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 pages, 1 faults"
    site()
    assert main([str(site.root)]) == 0
    with pytest.raises(SystemExit, match=r"python -m docs\.build"):
        main([str(site.root / "fonts")])
