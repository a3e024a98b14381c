"""Branches and tags: what a mirror has, what a remote offers.

Names are text: bytes that aren't UTF-8 stand as \\xNN, which no other name can be, since git allows no backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipmend.git.parse import LATEST

BRANCH = "refs/heads/"
TAG = "refs/tags/"
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
LOCAL_FORMAT = (
    "--format=%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00%(creatordate:raw)%00%(refname)"
)
OBJECTS_FORMAT = "--format=%(objectname) %(refname)"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_USUAL_HEADS = ("main", "master", "trunk", "develop")


@dataclass(frozen=True, slots=True)
class TagRef:
    """A tag on a commit. `at` is when it was made (annotated) or the commit's committer time; epoch seconds."""

    name: str
    sha: str
    at: int | None


@dataclass(frozen=True, slots=True)
class RefState:
    """Branches and tags of a mirror. Tags on files and trees are left out of `tips` and `tags`."""

    tips: dict[str, str]
    """Full ref name → commit, through annotated tags."""
    head: str | None
    """The default branch (short name), if it has commits; when the remote names none: main, master or the only one."""
    tags: list[TagRef]
    objects: dict[str, str]
    """Full ref name → what the ref itself holds, as a remote lists it."""
    unreadable: tuple[str, ...] = ()
    """Full names of those that the remote offers and can't read, as the last fetch found."""

    @property
    def branches(self) -> dict[str, str]:
        """Short name → commit."""
        return {name.removeprefix(BRANCH): sha for name, sha in self.tips.items() if name.startswith(BRANCH)}


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """What a remote offers of branches and tags. Full ref name → object."""

    objects: dict[str, str]
    head: str | None
    """The default branch (short name); None when unknown or not asked for."""


@dataclass(frozen=True, slots=True)
class LocalRef:
    """One line of LOCAL_FORMAT. `sha` is a commit, or when `nested` a tag to be followed further, or None."""

    name: str
    object: str
    sha: str | None
    nested: bool
    at: int | None


def ref_name(raw: bytes) -> str:
    """The name as text."""
    return raw.decode("utf-8", "backslashreplace")


def ref_bytes(name: str) -> bytes:
    """The other way about."""
    return _ESCAPED.sub(lambda escaped: bytes([int(escaped[1], 16)]), name.encode("utf-8"))


def read_local(output: bytes) -> list[LocalRef]:
    """Reads what `for-each-ref` prints with LOCAL_FORMAT."""
    refs = []
    for line in output.splitlines():
        held, kind, peeled, peeled_kind, date, name = line.split(b"\0")
        sha = held if kind == b"commit" else peeled if peeled_kind in {b"commit", b"tag"} else None
        refs.append(
            LocalRef(
                name=ref_name(name),
                object=held.decode("ascii"),
                sha=None if sha is None else sha.decode("ascii"),
                nested=peeled_kind == b"tag",
                at=_time(date),
            )
        )
    return refs


def read_objects(output: bytes) -> dict[str, str]:
    """Reads what `for-each-ref` prints with OBJECTS_FORMAT: full ref name → what the ref itself holds."""
    pairs = (line.split(b" ", 1) for line in output.splitlines())
    return {ref_name(name): held.decode("ascii") for held, name in pairs}


def state_of(refs: list[LocalRef], head: str | None, followed: Mapping[str, str | None]) -> RefState:
    """`followed` gives, for each nested tag's `sha`, the commit at its end. `head` is a short branch name."""
    tips: dict[str, str] = {}
    tags: list[TagRef] = []
    for ref in refs:
        sha = followed[ref.sha] if ref.nested and ref.sha else ref.sha
        if sha is None:
            continue
        tips[ref.name] = sha
        if ref.name.startswith(TAG):
            tags.append(TagRef(ref.name.removeprefix(TAG), sha, ref.at))
    return RefState(tips, _default_branch(tips, head), tags, {ref.name: ref.object for ref in refs})


def read_remote(output: bytes) -> RemoteRefs:
    """Reads what `ls-remote --symref` prints."""
    objects: dict[str, str] = {}
    head: str | None = None
    detached: str | None = None
    for line in output.splitlines():
        value, _, raw = line.partition(b"\t")
        name = ref_name(raw)
        if name == "HEAD" and value.startswith(b"ref: "):
            head = ref_name(value[len(b"ref: ") :])
        elif name == "HEAD":
            detached = value.decode("ascii")
        elif name.startswith((BRANCH, TAG)) and not name.endswith("^{}"):
            objects[name] = value.decode("ascii")
    return RemoteRefs(objects, _remote_head(objects, head, detached))


def _remote_head(objects: Mapping[str, str], head: str | None, detached: str | None) -> str | None:
    """A detached HEAD (a checkout of a tag, say) means the usual one of the branches that stand at its commit."""
    if head is not None:
        return head.removeprefix(BRANCH) if head.startswith(BRANCH) else None
    there = [name.removeprefix(BRANCH) for name, sha in objects.items() if name.startswith(BRANCH) and sha == detached]
    return _usual(there)


def _default_branch(tips: Mapping[str, str], head: str | None) -> str | None:
    if head is not None and BRANCH + head in tips:
        return head
    return _usual([name.removeprefix(BRANCH) for name in tips if name.startswith(BRANCH)])


def _usual(branches: list[str]) -> str | None:
    usual = next((name for name in _USUAL_HEADS if name in branches), None)
    return branches[0] if usual is None and len(branches) == 1 else usual


def _time(raw: bytes) -> int | None:
    """git prints 0 for what it can't hold, and no tag was made in 1970."""
    digits = raw.partition(b" ")[0]
    time = int(digits) if digits.isdigit() and len(digits) <= 19 else 0
    return time if 0 < time <= LATEST else None
