"""The books in which rules and identities are proved, as citations name them."""

__all__ = ["BISHOP", "BOYD", "COOKBOOK", "DEEP_LEARNING", "MAGNUS_NEUDECKER"]

BISHOP = "Bishop (2006)"
BOYD = "Boyd & Vandenberghe (2004)"
COOKBOOK = "Petersen & Pedersen (2012)"
DEEP_LEARNING = "Goodfellow, Bengio & Courville (2016)"
MAGNUS_NEUDECKER = "Magnus & Neudecker (2019)"
