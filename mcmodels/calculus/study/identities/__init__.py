"""The catalogue: identities of matrix calculus that textbooks print, derived and checked.

>>> from mcmodels.calculus import identities
>>> identities.named("log determinant")
f = log|det X|
∂f/∂X = X⁻ᵀ
∂²f/∂X² = −Kₙₙ(X⁻ᵀ ⊗ X⁻¹)
>>> [identity.name for identity in identities.find("ridge")]
['ridge regression', 'ridge regression as traces']
>>> identities.named("quadratic form").derivation().result
A + Aᵀ
"""

from __future__ import annotations

import difflib
import re

from mcmodels.calculus.study.identities import (
    chain_rules,
    differential_rules,
    eigenproblems,
    gaussian,
    inverses_and_determinants,
    jacobians,
    linear_and_quadratic,
    networks,
    newton,
    regression,
    traces,
)
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["CATALOGUE", "Identity", "find", "named"]

CATALOGUE: tuple[Identity, ...] = (
    *linear_and_quadratic.IDENTITIES,
    *traces.IDENTITIES,
    *inverses_and_determinants.IDENTITIES,
    *differential_rules.IDENTITIES,
    *jacobians.IDENTITIES,
    *chain_rules.IDENTITIES,
    *regression.IDENTITIES,
    *gaussian.IDENTITIES,
    *eigenproblems.IDENTITIES,
    *networks.IDENTITIES,
    *newton.IDENTITIES,
)


def named(name: str) -> Identity:
    """The identity of that name.

    Raises
    ------
    LookupError
        If there is none; the message gives the closest names.

    Examples
    --------
    >>> from mcmodels.calculus import identities
    >>> identities.named("log determinant")
    f = log|det X|
    ∂f/∂X = X⁻ᵀ
    ∂²f/∂X² = −Kₙₙ(X⁻ᵀ ⊗ X⁻¹)
    """
    names = {identity.name: identity for identity in CATALOGUE}
    if name in names:
        return names[name]
    close = difflib.get_close_matches(name, names, 3, 0.4)
    advice = f"the closest: {', '.join(map(repr, close))}" if close else "find() searches by words"
    raise LookupError(f"there is no identity named {name!r}; {advice}")


def find(words: str) -> tuple[Identity, ...]:
    """The identities in whose name, theme or formula all the words occur.

    Parameters
    ----------
    words : str
        Letters and digits count, signs and spaces do not: "log det" finds log|det X|.

    Returns
    -------
    tuple of Identity
        In the order of the catalogue; empty where nothing fits.

    Examples
    --------
    >>> from mcmodels.calculus import identities
    >>> [identity.name for identity in identities.find("ridge")]
    ['ridge regression', 'ridge regression as traces']
    """
    wanted = [_letters(word) for word in words.split()]
    return tuple(
        identity
        for identity in CATALOGUE
        if all(
            word in _letters(f"{identity.name} {identity.theme} {identity.expression!r}")
            for word in wanted
        )
    )


def _letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text).casefold()
