"""`python -m sampler` is `sampler`."""

from sampler.cli import command

command()
