"""The books in which rules and identities are proved, as citations name them."""

__all__ = [
    "ABRAMOWITZ_STEGUN",
    "BISHOP",
    "BOYD",
    "COOKBOOK",
    "DEEP_LEARNING",
    "GOLUB_PEREYRA",
    "HIGHAM",
    "LAUE",
    "MAGNUS_NEUDECKER",
    "WATSON",
]

ABRAMOWITZ_STEGUN = "Abramowitz & Stegun (1964)"
BISHOP = "Bishop (2006)"
BOYD = "Boyd & Vandenberghe (2004)"
COOKBOOK = "Petersen & Pedersen (2012)"
DEEP_LEARNING = "Goodfellow, Bengio & Courville (2016)"
GOLUB_PEREYRA = "Golub & Pereyra (1973)"
HIGHAM = "Higham (2008)"
LAUE = "Laue, Mitterreiter & Giesen (2018)"
MAGNUS_NEUDECKER = "Magnus & Neudecker (2019)"
WATSON = "Watson (1992)"
