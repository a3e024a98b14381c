"""A made-up history in the language of git's fast-import, up to an instant."""

from __future__ import annotations

from collections.abc import Iterator

from shipmend.demo.history import TRUNK, History, Lines, Made

PASSING = "refs/passing"
"""Where fast-import, which asks for a reference, puts each commit; the branches are set at the end."""


def commands(history: History, until: int) -> Iterator[str]:
    """What fast-import reads to make all that was there at an instant."""
    there = [made for made in history.made if made.at <= until]
    yield from _commits(there)
    for name, tip in _tips(history, there, until).items():
        yield f"reset refs/heads/{name}\nfrom :{tip}\n\n"
    for tag in history.tags:
        if tag.at <= until:
            yield f"tag {tag.name}\nfrom :{tag.commit}\ntagger {tag.by.signed(tag.at)}\n{_data(tag.name)}"
    yield f"reset {PASSING}\nfrom {'0' * 40}\n\n"


def _commits(there: list[Made]) -> Iterator[str]:
    trees: dict[int, dict[str, Lines]] = {0: {}}
    for made in there:
        tree = trees[made.number] = dict(trees[made.parents[0] if made.parents else 0])
        for edit in made.edits:
            before = tree.get(edit.path, ())
            tree[edit.path] = edit.undo(before) if made.reverts else edit.apply(before)
        yield _head(made)
        for path in sorted({edit.path for edit in made.edits}):
            text = "".join(f"{line}\n" for line in tree[path])
            yield f"M 100644 inline {path}\n{_data(text)}"


def _tips(history: History, there: list[Made], until: int) -> dict[str, int]:
    """Where each branch stood. One whose tip has a child has been merged, and was deleted then."""
    lines = {name: [made.number for made in line if made.at <= until] for name, line in history.branches.items()}
    merged = {parent for made in there for parent in made.parents}
    tips = {name: line[-1] for name, line in lines.items() if line and line[-1] not in merged}
    return {TRUNK: history.tip_at(until).number, **tips}


def _head(made: Made) -> str:
    lines = [
        f"commit {PASSING}",
        f"mark :{made.number}",
        f"author {made.author.signed(made.authored_at)}",
        f"committer {made.committer.signed(made.at)}",
        _data(made.message + "\n"),
    ]
    if not made.parents:
        return f"reset {PASSING}\n" + "\n".join(lines)
    words = ("from", *("merge" for _ in made.parents[1:]))
    return "\n".join(lines) + "".join(f"{word} :{number}\n" for word, number in zip(words, made.parents, strict=True))


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
