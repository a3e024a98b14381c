"""The command line.

`arguments` is all of it on one screen, `program` runs what was asked for, and each command is a module of its own
whose `run` is given the arguments by name. Nothing here imports Django before a command is chosen: a usage error or
`--help` answers at once.
"""

from shipmend.cli.program import main

__all__ = ["main"]
