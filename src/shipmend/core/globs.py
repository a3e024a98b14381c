"""The globs that say which paths of a repository belong to a part of it.

They mean what git's `:(glob)` pathspecs mean: `*` stays within a directory, `**` does not, a path without either
stands for itself and for all below it, and a leading `!` takes away again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from shipmend.core.errors import Invalid

MOST = 200
LONGEST = 500
"""Characters."""

EXCEPT = "!"
_BACKSLASH_FOR_SLASH = re.compile(r"\\\w")
_RIGHT = "write it from the top of the repository, as services/checkout/**"


def read_globs(lines: Iterable[str], *, parameter: str = "paths") -> tuple[str, ...]:
    """The globs of some lines as they are stored: trimmed, without empty and repeated ones.

    Raises Invalid, naming `parameter`, for one that could never match, and for too many.
    """
    globs = tuple(dict.fromkeys(_read(text, parameter) for line in lines if (text := line.strip())))
    if not globs:
        raise Invalid(parameter, "name nothing", mend="give at least one glob, as services/checkout/**")
    if len(globs) > MOST:
        raise Invalid(parameter, f"hold {len(globs)} globs", mend=f"give at most {MOST}, by wider ones")
    return globs


def _read(text: str, parameter: str) -> str:
    if len(text) > LONGEST:
        raise Invalid(parameter, "hold a glob that is too long", value=text, mend=f"give at most {LONGEST} characters")
    path = text.removeprefix(EXCEPT)
    because = next((because for because, is_so in _REFUSED.items() if is_so(path)), None)
    if because is not None:
        raise Invalid(parameter, because, value=text, mend=_RIGHT)
    # What names a directory means all in it, as it does in a .gitignore; to git it would mean nothing after a `*`.
    return f"{text}**" if text.endswith("/") else text


_REFUSED: dict[str, Callable[[str], bool]] = {
    "hold unprintable characters": lambda path: not path.isprintable(),
    "hold an exception of nothing": lambda path: not path,
    "hold an absolute path": lambda path: path.startswith("/"),
    "hold what begins as an option does": lambda path: path.startswith("-"),
    "hold what begins as git's magic words do": lambda path: path.startswith(":"),
    "hold an exception from an exception": lambda path: path.startswith(EXCEPT),
    "hold backslashes between the parts of a path": lambda path: _BACKSLASH_FOR_SLASH.search(path) is not None,
    "hold an empty part, or one of dots alone": lambda path: any(
        part in ("", ".", "..") for part in path.removesuffix("/").split("/")
    ),
}
