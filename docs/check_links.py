"""Check the links of the built site: ``python -m docs.check_links``.

Every link, picture, script, frame and font must lead to a file that was built and, after a #, to an
element of it. A page may link to other hosts, but loads nothing from them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HTML = Path(__file__).resolve().parent / "_build" / "html"

# Attributes with addresses; of these elements the address is loaded with the page.
_ADDRESSES = {"href", "src", "data", "poster", "data-derive"}
_LOADED = {"img", "script", "link", "iframe", "source", "video", "audio", "object", "embed"}
# A link of these kinds is only looked at when somebody follows it.
_NOT_LOADED = {"canonical", "alternate", "author", "license", "next", "prev", "help"}
_IN_STYLES = re.compile(r"url\(\s*['\"]?([^'\")]+)")


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, and the names of its elements."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def __hash__(self) -> int:
        return id(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses and the names of an element."""
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        loads = tag in _LOADED and given.get("rel") not in _NOT_LOADED
        for name in _ADDRESSES & given.keys():
            (self.loaded if loads else self.links).append(given[name])
        self.loaded += [part.split()[0] for part in given.get("srcset", "").split(",") if part]
        self.loaded += _IN_STYLES.findall(given.get("style", ""))


@cache
def page_at(path: Path) -> Page:
    """The page of a file."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def fault_of(address: str, path: Path, root: Path, *, loaded: bool) -> str | None:
    """What is wrong with an address on a page; None where nothing is."""
    parts = urlsplit(address)
    if parts.scheme in ("data", "mailto", "javascript", "blob"):
        return None
    if parts.scheme or parts.netloc:
        return "is loaded from another host" if loaded else None
    target = path
    if parts.path:
        below = root if parts.path.startswith("/") else path.parent
        target = (below / unquote(parts.path).lstrip("/")).resolve()
        target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "leads to no file"
    if not target.is_relative_to(root.resolve()):
        return "leads out of the site"
    name = unquote(parts.fragment)
    # What follows the # of the page that derives is what to derive.
    if name and target.suffix == ".html" and target.name != "derive.html":
        page = page_at(target)
        if name not in page.names and name != "top":
            return "leads to no element of its page"
    return None


def faults_in(root: Path) -> list[str]:
    """All faults of a site, as lines of text."""
    page_at.cache_clear()  # the site may have been built again
    found = []
    for path in sorted(root.rglob("*.html")):
        name = path.relative_to(root)
        if name.parts[0] == "_static":  # templates that the theme leaves there
            continue
        page = page_at(path)
        for addresses, loaded in ((page.links, False), (page.loaded, True)):
            for address in dict.fromkeys(addresses):
                fault = fault_of(address, path, root, loaded=loaded)
                if fault is not None:
                    found.append(f"{name}: {address} {fault}")
    for path in sorted(root.rglob("*.css")):
        for address in _IN_STYLES.findall(path.read_text(encoding="utf-8")):
            fault = fault_of(address, path, root, loaded=True)
            if fault is not None:
                found.append(f"{path.relative_to(root)}: {address} {fault}")
    return found


def main(argv: list[str] | None = None) -> int:
    """Print the faults of the built site, or of that in a folder; 1 if there are any."""
    given = sys.argv[1:] if argv is None else argv
    root = Path(given[0]) if given else HTML
    if not (root / "index.html").is_file():
        raise SystemExit(f"{root} holds no site; build it by python -m docs.build")
    found = faults_in(root)
    for line in found:
        print(line)
    count = sum(1 for _ in root.rglob("*.html"))
    print(f"{count} pages, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
