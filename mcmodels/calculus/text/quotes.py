"""Subscripts in quotes, as in einsum('ij,jk->ik', A, B): read before all else of a text.

Elsewhere ``'`` is a transpose, and nothing is quoted. So the quoted part is replaced by as many
zeros, a number that the grammar can read, and kept beside the text.
"""

from __future__ import annotations

import re

__all__ = ["Text"]

_QUOTED = re.compile(r"""(?<!\w)(einsum\s*\(\s*)(?P<whole>(['"])(?P<inside>[^'"]*)\3)""")


class Text(str):
    """A text whose quoted parts are zeros.

    Attributes
    ----------
    typed : str
        What was typed, for messages.
    quoted : dict of int to str
        The quoted parts, by the place of their first byte.
    """

    typed: str
    quoted: dict[int, str]

    @classmethod
    def of(cls, typed: str) -> Text:
        """What was typed, without its quoted parts."""
        quoted = {}
        shown = typed
        for found in _QUOTED.finditer(typed):
            start, stop = found.span("whole")
            quoted[len(typed[:start].encode())] = found["inside"]
            shown = shown[:start] + "0" * len(typed[start:stop].encode()) + shown[stop:]
        text = cls(shown)
        text.typed, text.quoted = typed, quoted
        return text

    @staticmethod
    def typed_in(text: str) -> str:
        """What was typed, of a text that may have been read."""
        return text.typed if isinstance(text, Text) else text
