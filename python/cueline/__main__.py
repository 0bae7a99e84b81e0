"""``python -m cueline``: the same as the command ``cueline``."""

import sys

from cueline.cli import main

sys.exit(main())
