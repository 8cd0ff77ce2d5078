"""What is known of a language that code is written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["ARCS", "PHI_AT_0", "ROOT_2_OVER_PI", "ROOT_HALF", "Language", "of_each"]

ROOT_HALF = "0.7071067811865476"
ROOT_2_OVER_PI = "0.7978845608028654"
PHI_AT_0 = "0.3989422804014327"
ARCS = "arcsin=asin arccos=acos arctan=atan arcsinh=asinh arccosh=acosh arctanh=atanh"


@dataclass(frozen=True)
class Language:
    """The grammar of a language, and its templates.

    In a template, ``{0}`` is the text of the first argument, ``{g0}`` the same in parentheses where
    it needs them, and ``{n}`` a size. A template that begins with ``~`` is an operation, which
    needs parentheses beside another. What has no template, the language lacks. Arrays have two
    dimensions in the code; ``column`` makes a vector one of n×1, and ``line`` turns it back.

    Attributes
    ----------
    title : str
        The name, for messages.
    opening, closing : str
        Lines of a function, with ``{arguments}``, around its body.
    assign, give : str
        A line that gives a name to a value, and the line that returns one.
    times, over, power, plus : tuple of str
        Operators of scalars, and entry by entry of arrays; of ``plus``, where a scalar is added.
    divide_sizes : str
        A size over a whole number.
    templates : mapping
        For each function.
    helpers : mapping
        Definitions that stand before the function where they are used, by name.
    imports : mapping
        The line that imports a name, by what occurs in the code.
    reserved : str
        Words that cannot be names.
    helpers_first : bool
        Whether helpers stand before the function.
    first_index : int
        The index of the first entry.
    ascii : bool
        Whether names are of ASCII letters.
    letter_first : bool
        Whether names begin with a letter, and not with an underscore.
    space : str
        What stands between functions.
    """

    title: str
    opening: str
    closing: str
    assign: str
    give: str
    times: tuple[str, str]
    over: tuple[str, str]
    power: tuple[str, str]
    plus: tuple[str, str]
    divide_sizes: str
    templates: Mapping[str, str]
    helpers: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    reserved: str = ""
    helpers_first: bool = True
    first_index: int = 0
    ascii: bool = False
    letter_first: bool = False
    space: str = "\n\n"

    @cached_property
    def taken(self) -> frozenset[str]:
        """Names that the code may use itself."""
        texts = [*self.templates.values(), *self.helpers, *self.imports.values()]
        words = re.findall(r"[^\W\d]\w*", " ".join([*texts, self.reserved, self.opening]))
        return frozenset(words) - {"arguments", "g0", "g1", "g2", "m", "n"} | {"f", "result"}


def of_each(names: str, template: str) -> dict[str, str]:
    """Templates of functions: ``#`` stands for a name, or for theirs of ``ours=theirs``."""
    pairs = [name.split("=") for name in names.split()]
    return {pair[0]: template.replace("#", pair[-1]) for pair in pairs}
