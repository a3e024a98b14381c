"""What an index finds to be amiss with a remote, in sentences for people. It is indexed all the same."""

from __future__ import annotations

from collections.abc import Iterator

from shipmend.core.errors import shown
from shipmend.git.refs import BRANCH, RefState

NAMED = 3
PARTIAL = (
    "The remote repository is damaged: it can't read some of its files, so changed lines can't be counted."
    " Once it is mended, have it indexed again under Settings → Repositories."
)
"""Stays until somebody asks for that: to try it means to fetch everything anew."""
_DAMAGED = "The remote repository is damaged: of its branches and tags it can't read "
_ASTRAY = "is not among the remote's branches"
_UNSAID = "The remote does not say which branch is its default one"
_UNPLACED = "so a release can't be placed by its time alone"


def faults_of(refs: RefState, *, release_branch: str, is_partial: bool) -> str:
    """What the next index may find mended; empty when there is none. `release_branch` is the one chosen, if any."""
    return " ".join(_faults(refs, release_branch, is_partial))


def with_undated(faults: str, undated: int) -> str:
    """The same, and what stays: how many commits have no usable time."""
    if not undated:
        return faults
    commits = "1 commit gives" if undated == 1 else f"{undated:,} commits give"
    return f"{faults} {commits} no usable time: the dates in the repository are missing or absurd.".lstrip()


def wants_branch(faults: str) -> bool:
    """Whether the release branch is to be chosen, or chosen anew."""
    return _ASTRAY in faults or _UNSAID in faults


def is_damaged(faults: str) -> bool:
    """Whether branches or tags are among them that the remote can't read."""
    return _DAMAGED in faults


def _faults(refs: RefState, release_branch: str, is_partial: bool) -> Iterator[str]:
    if release_branch and BRANCH + release_branch not in {*refs.tips, *refs.unreadable}:
        name = shown(release_branch)
        yield f"The release branch {name} {_ASTRAY}, {_UNPLACED}: choose another branch."
    if not release_branch and refs.tips and refs.head is None and not refs.unreadable:
        yield f"{_UNSAID}, {_UNPLACED}: choose the release branch."
    if refs.unreadable:
        names = [shown(name.removeprefix("refs/")) for name in refs.unreadable[:NAMED]]
        more = len(refs.unreadable) - len(names)
        listed = ", ".join(names) + (f" and {more:,} more" if more else "")
        yield f"{_DAMAGED}{listed}."
    if is_partial:
        yield PARTIAL
