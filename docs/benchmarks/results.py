"""The machine-readable results: what was measured, on what, when; runs replace what they redo."""

import json
import os
import platform
import re
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401  (its BLAS is described)
import scipy.linalg  # noqa: F401  (so is SciPy's)
import threadpoolctl

HERE = Path(__file__).parent
DEFAULT = HERE / "results.json"
PACKAGES = (
    "mcmodels",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "scikit-learn-intelex",
    "glum",
    "statsmodels",
    "matplotlib",
)
KEY = ("case", "task", "n", "p", "order", "dtype", "storage", "method")

Record = dict[str, Any]


def version(package: str) -> str | None:
    """The installed version, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _first(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        return "unknown"
    return found.group(1).strip() if found else "unknown"


def _blas() -> list[str]:
    """Every BLAS that is loaded: its name, version, kernels and threads."""
    found = []
    for pool in threadpoolctl.threadpool_info():
        if pool["user_api"] == "blas":
            kernels = f", {pool['architecture']} kernels" if pool.get("architecture") else ""
            found.append(
                f"{pool['internal_api']} {pool['version']}{kernels}, {pool['num_threads']} threads"
            )
    return sorted(set(found))


def about() -> Record:
    """The machine and the versions; nothing that names a host, a user or a path."""
    kilobytes = _first("/proc/meminfo", r"^MemTotal:\s+(\d+) kB")
    return {
        "date": str(date.today()),
        "processor": _first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "cache": _first("/proc/cpuinfo", r"^cache size\s*:\s*(.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(kilobytes) / 2**20) if kilobytes.isdigit() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": _blas(),
        "versions": {package: version(package) for package in PACKAGES},
    }


def stamp(script: str, packages: tuple[str, ...]) -> str:
    """A line for a page: which script made it, when, on what, with which versions."""
    found = about()
    versions = ", ".join(f"{name} {version(name) or '(not installed)'}" for name in packages)
    return (
        f"Made by `docs/benchmarks/{script}` on {found['date']}: {found['processor']}, "
        f"{found['cores']} cores, {found['memory_gb']} GB; {found['system']}; "
        f"Python {found['python']}; {'; '.join(found['blas'])}. {versions}.\n"
    )


def load(path: Path) -> Record:
    """The results so far, or none."""
    if not path.exists():
        return {"about": {}, "records": []}
    return json.loads(path.read_text())


def _key(record: Record) -> tuple:
    return tuple(record.get(name) for name in KEY)


def add(path: Path, records: list[Record]) -> None:
    """Write the records into the file, in place of those with the same key."""
    stored = load(path)
    stamp = {"date": str(date.today()), "mcmodels": version("mcmodels")}
    fresh = {_key(record): record | stamp for record in records}
    kept = [fresh.pop(_key(record), record) for record in stored["records"]]
    now, before = about(), stored["about"].get("versions", {})
    # A peer that is not installed now was measured earlier, if at all.
    now["versions"] = {name: v or before.get(name) for name, v in now["versions"].items()}
    stored = {"about": now, "records": kept + list(fresh.values())}
    lines = ",\n".join(json.dumps(record) for record in stored["records"])
    head = json.dumps(stored["about"], indent=1)
    path.write_text(f'{{"about": {head},\n"records": [\n{lines}\n]}}\n')


def select(stored: Record, case: str, **fields: Any) -> list[Record]:
    """Records of one case, with these values."""
    wanted = {"case": case} | fields
    return [r for r in stored["records"] if all(r.get(k) == v for k, v in wanted.items())]
