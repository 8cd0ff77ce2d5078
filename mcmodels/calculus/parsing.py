"""stub."""

RESERVED = frozenset({"exp"})
