"""``python -m mcmodels``: the command line."""

import sys

from mcmodels.cli import main

sys.exit(main())
