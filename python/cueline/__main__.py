"""``python -m cueline``: the same as the command ``cueline``."""

import sys

from cueline.commands.cli import command

sys.exit(command())
