"""Running one command: its exit code, and a sentence instead of a traceback for whatever was refused.

Exit codes: 0 done, 1 refused (with a sentence on standard error), 2 usage, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from shipmend.cli.arguments import command_line
from shipmend.config import ConfigError
from shipmend.core.errors import Refused, shown
from shipmend.git.errors import GitError
from shipmend.git.remotes import RemoteRefused

REFUSALS = (Refused, ConfigError, RemoteRefused, GitError)
"""What is told in a sentence; anything else is a fault of ours, and shows where it happened."""
SURROUNDINGS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.EMFILE}
)
"""What of the machine can be in a command's way; any other number is a fault of ours as well."""
DONE = 0
REFUSED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name) and return the exit code."""
    try:
        return _run(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said, not even by Python's own flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except REFUSALS as refusal:
        print(f"shipmend: {sentence(refusal)}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        print(f"shipmend: {_of_the_machine(error)}", file=sys.stderr)
        return REFUSED


def _of_the_machine(error: OSError) -> str:
    where = f" at {error.filename}" if error.filename else ""
    return f"The machine said “{error.strerror}”{where}: `shipmend doctor` tells what it needs."


def sentence(refusal: Exception) -> str:
    """A refusal for the person at the terminal."""
    if isinstance(refusal, RemoteRefused):
        return f"The address {shown(refusal.shown)} {refusal.because}: {refusal.mend}."
    return refusal.for_people if isinstance(refusal, GitError) else str(refusal)


def _run(argv: Sequence[str] | None) -> int:
    arguments = vars(command_line().parse_args(argv))
    name, opens = arguments.pop("module"), arguments.pop("opens")
    # Imported now and not above, because models can't be loaded before their settings, and Django takes its time.
    if opens:
        import_module("shipmend.cli.opening").open_for_command(arguments.pop("data"))
    code: int = import_module(f"shipmend.cli.{name}").run(**arguments)
    return code
