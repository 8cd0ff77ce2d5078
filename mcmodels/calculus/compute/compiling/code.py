"""Code being written: lines, names for what is used again, texts that may need parentheses."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE

__all__ = ["Code", "Snippet", "is_line", "safe"]


# Names that the generated code uses itself, besides numbered ones.
_OURS = {
    "np",
    "f",
    "expit",
    "special",
    "unit",
    "expm",
    "logm",
    "sqrtm",
    "expm_frechet",
    "lu_factor",
    "lu_solve",
    "cho_factor",
    "cho_solve",
    "a",
    "blocks",
    "scaled",
}


def safe(name: str) -> str:
    """A name in code, with an underscore where it would hide one that the code uses."""
    while name in _OURS:
        name += "_"
    return name


def is_line(e: Expression) -> bool:
    """Whether the array of an expression has one dimension (or none)."""
    return e.is_column or e.rows == ONE


@dataclass(frozen=True)
class Snippet:
    """A piece of Python; ``atom`` where it never needs parentheses, ``product`` where a product."""

    text: str
    atom: bool = True
    fresh: bool = False  # an array of our own, which may be written into
    product: bool = False

    def __str__(self) -> str:
        return self.text

    @property
    def grouped(self) -> str:
        """The text in parentheses where it needs them."""
        return self.text if self.atom else f"({self.text})"

    @property
    def term(self) -> str:
        """The text as a term of a sum."""
        return self.text if self.product else self.grouped

    @property
    def transposed(self) -> Snippet:
        """The transpose."""
        if self.text.endswith(".T") and self.atom:
            return Snippet(self.text[:-2])
        return Snippet(f"{self.grouped}.T")


@dataclass
class Code:
    """Lines of a function body, and the modules and functions they use."""

    taken: set[str]
    lines: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)
    _count: int = 0

    def name(self, hint: str = "t") -> Snippet:
        """A new name, to which a line of its own assigns."""
        self._count += 1
        while f"{hint}{self._count}" in self.taken:
            self._count += 1
        return Snippet(f"{hint}{self._count}", fresh=True)

    def assign(self, text: Snippet | str, hint: str = "t") -> Snippet:
        """A new name for a value."""
        name = self.name(hint).text
        self.lines.append(f"{name} = {text}")
        return Snippet(name, fresh=not isinstance(text, Snippet) or text.fresh)

    def do(self, line: str) -> None:
        """A statement."""
        self.lines.append(line)

    def use(self, line: str) -> None:
        """Import something at the top."""
        self.imports.add(line)

    def define(self, source: str) -> None:
        """Put the source of a function of our own above."""
        self.helpers.add(source)

    @property
    def definitions(self) -> list[str]:
        """These sources, each with the empty lines after it."""
        return [f"{source}\n\n" for source in sorted(self.helpers)]
