"""The gate runs the same examples every time; elsewhere hypothesis looks for new ones."""

import os

from hypothesis import settings

settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")
