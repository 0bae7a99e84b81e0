"""The command line: one module for each command, and what they share. The library does not import it."""
