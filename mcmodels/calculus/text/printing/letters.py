"""Names as letters: Greek ones that are spelt, and indices at the end."""

from __future__ import annotations

import re

__all__ = ["GREEK", "split_name"]

_FROM_ALPHA = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi
rho final_sigma sigma tau upsilon phi chi psi omega"""
GREEK = {
    name: chr(0x3B1 + i) for i, name in enumerate(_FROM_ALPHA.split()) if name != "final_sigma"
}
GREEK |= {name.capitalize(): letter.upper() for name, letter in GREEK.items()}
GREEK |= {"lam": "λ", "lamda": "λ", "Lamda": "Λ"}


def split_name(name: str) -> tuple[str, str]:
    """Stem, with Greek letters as such, and index of a name: W1, W_1 and W_out have one."""
    found = re.fullmatch(r"([^\W\d_]+?)_?(\d*)_?", name) or re.fullmatch(
        r"([^\W\d_]+)_([^\W_]+)_?", name
    )
    if not found:
        return name, ""
    stem, index = found.groups()
    return GREEK.get(stem, stem), GREEK.get(index, index)
