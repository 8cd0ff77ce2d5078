"""What derive.html loads beside Pyodide: the calculus and mpmath as archives, the identities.

`docs.build` calls `bring`. Python is compiled by Pyodide itself, under Node, so that a browser need
not. The version in the name of the page's cache is a digest of all that the page loads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["bring", "remove_unserved", "sources_of_calculus", "sources_of_mpmath"]

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "derive"
WEB = DOCS / "_web"
ROOMS = ("calculus", "differences", "plain")
PAGE_FILES = (
    "derive.html",
    "derive.css",
    "derive.js",
    "derive-theme.js",
    "derive-worker.js",
    "derive-sw.js",
)
SERVICE_WORKER = "derive-sw.js"
STAMP = "sources.txt"

NOT_SERVED = ("README.md", "engine.py", "browser_test.mjs", "__pycache__")

Sources = Iterator[tuple[str, bytes]]


def _python_files(package: Path, without: tuple[str, ...] = ()) -> Sources:
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package.parent)
        if not set(without) & set(name.parts):
            yield name.as_posix(), path.read_bytes()


def sources_of_calculus() -> Sources:
    """The rooms of mcmodels that the page needs, and what it asks of them."""
    package = DOCS.parent / "mcmodels"
    for file in ("__init__.py", "user_warnings.py"):
        yield f"mcmodels/{file}", (package / file).read_bytes()
    for room in ROOMS:
        for name, text in _python_files(package / room):
            yield f"mcmodels/{name}", text
    yield "engine.py", (PAGE / "engine.py").read_bytes()


def sources_of_mpmath() -> Sources:
    """The installed package, without its tests."""
    found = importlib.util.find_spec("mpmath")
    if found is None or found.origin is None:
        raise SystemExit("mpmath was not found; install mcmodels[docs], which brings it")
    yield from _python_files(Path(found.origin).parent, without=("tests",))


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def _archive(sources: list[tuple[str, bytes]], target: Path) -> None:
    """Write sources, compiled by Pyodide, as an archive."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "sources.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for name, text in sources:
                archive.writestr(name, text)
        command = ["node", str(WEB / "compile.mjs"), str(given), str(target)]
        subprocess.run(command, cwd=WEB, check=True)


def _identities() -> str:
    """The catalogue as the page shows it; to derive it takes seconds, so it is done here."""
    program = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]; import engine; "
        "sys.stdout.reconfigure(encoding='utf-8'); "
        'print(engine.answer(\'{"what": "identities"}\'))'
    )
    command = [sys.executable, "-c", program, str(PAGE), str(DOCS.parent)]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    if not json.loads(found)["ok"]:
        raise SystemExit(found)
    return found


def bring(vendor: Path) -> None:
    """Write ``vendor/derive/``, where it is not of these sources already."""
    target = vendor / "derive"
    target.mkdir(parents=True, exist_ok=True)
    calculus, mpmath = list(sources_of_calculus()), list(sources_of_mpmath())
    own = [f"{name}\n".encode() + text for name, text in (*calculus, *mpmath)]
    pyodide = vendor / "pyodide"
    lock = (pyodide / "pyodide-lock.json").read_bytes()
    stamp = _digest(lock, (WEB / "compile.mjs").read_bytes(), *own)
    stamped = target / STAMP
    if not stamped.exists() or stamped.read_text() != stamp:
        _archive(calculus, target / "calculus.zip")
        _archive(mpmath, target / "mpmath.zip")
        (target / "identities.json").write_text(_identities(), encoding="utf-8")
        stamped.write_text(stamp)
    page = [(PAGE / file).read_bytes() for file in PAGE_FILES]
    katex = sorted((vendor / "katex" / "fonts").glob("*.woff2"))
    version = _digest(stamp.encode(), *page, *(path.read_bytes() for path in katex))
    files = [
        *(name for name in PAGE_FILES if name != SERVICE_WORKER),
        *(f"_static/vendor/derive/{name}" for name in ("calculus.zip", "mpmath.zip")),
        "_static/vendor/derive/identities.json",
        *(
            f"_static/vendor/pyodide/{name}"
            for name in (
                "pyodide.mjs",
                "pyodide.asm.mjs",
                "pyodide.asm.wasm",
                "pyodide-lock.json",
                "python_stdlib.zip",
            )
        ),
        "_static/vendor/katex/katex.min.js",
        "_static/vendor/katex/katex.min.css",
        *(f"_static/vendor/katex/fonts/{path.name}" for path in katex),
    ]
    text = f"self.MCMODELS = {json.dumps({'version': version, 'files': files}, indent=1)};\n"
    (target / "version.js").write_text(text)


def remove_unserved(site: Path) -> None:
    """Remove what Sphinx has copied with the page, and no reader asks for."""
    for name in NOT_SERVED:
        path = site / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
