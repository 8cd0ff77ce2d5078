"""Build the site: ``python -m docs.build`` writes docs/_build/html; warnings are errors.

``--part book`` builds some folders alone, while they are written; pages that are not there are then
not linked, and warnings are no errors.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
HTML = DOCS / "_build" / "html"
WEB = DOCS / "_web"
VENDOR = DOCS / "_static" / "vendor"
PARTS = ("start", "coming_from", "book", "examples", "reference")


def bring_vendor() -> None:
    """Bring KaTeX and Pyodide from their packages into what the site serves."""
    if not (WEB / "node_modules" / "pyodide").is_dir():
        if shutil.which("npm") is None:
            raise SystemExit("npm was not found; install Node.js, which brings it (version 18 on)")
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True)
    for source, target in (
        (WEB / "node_modules" / "katex" / "dist", VENDOR / "katex"),
        (WEB / "node_modules" / "pyodide", VENDOR / "pyodide"),
    ):
        if not target.is_dir():
            unneeded = shutil.ignore_patterns("*.map", "*.d.ts", "console*.html", "*.md")
            shutil.copytree(source, target, ignore=unneeded)


def build(parts: list[str]) -> int:
    """Run Sphinx; return its exit code."""
    bring_vendor()
    options = ["-W", "--keep-going"] if not parts else []
    environment = dict(os.environ)
    if parts:
        environment["MCMODELS_DOCS_PARTS"] = ",".join(parts)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-j", "auto", "-q", *options]
    return subprocess.run([*command, str(DOCS), str(HTML)], env=environment).returncode


def main(argv: list[str] | None = None) -> int:
    """Build the site, or parts of it."""
    parser = argparse.ArgumentParser(prog="python -m docs.build", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, default=[])
    parser.add_argument("--fresh", action="store_true", help="forget what was built before")
    arguments = parser.parse_args(argv)
    if arguments.fresh:
        for made in (HTML.parent, DOCS / "auto_examples", DOCS / "reference" / "generated", VENDOR):
            shutil.rmtree(made, ignore_errors=True)
    return build(arguments.part)


if __name__ == "__main__":
    raise SystemExit(main())
