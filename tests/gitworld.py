"""Git repositories for tests: any history one can think of, in a few lines, quickly.

    repo = GitRepo(tmp_path / "shop")
    first = repo.commit("Start", at="2024-01-01T10:00:00Z")
    fix = repo.commit("Fix", branch="hotfix", author_at=1700000000, zone="+0530", files={"a.py": "1\\n"})
    both = repo.merge("hotfix")                   # into main
    repo.tag("v1", first)                         # light
    repo.tag("v2", both, annotated=True)
    repo.point("main", first)                     # a force-push backwards
    repo.git("rev-list", "--count", "main")       # any git command: the oracle

Objects are written straight into the repository (one small file each, some 0.1 ms), no process is started; the git
program then reads them like any others (`tests/git/test_gitworld.py` has `git fsck` say so). The same calls give the
same shas: nothing depends on the clock or on the machine. Instants are epoch seconds or ISO 8601 text with a zone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

Instant = int | str
Person = tuple[str, str]
Content = str | bytes | None
_Entry = tuple[str, str]  # mode, sha
_Tree = dict[str, _Entry]  # path → entry, files only

START = 1704103200  # 2024-01-01T10:00:00Z
STEP = 3600
ADA: Person = ("Ada Lovelace", "ada@example.com")
GRACE: Person = ("Grace Hopper", "grace@example.com")

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/dev/null",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def epoch(at: Instant) -> int:
    """Epoch seconds of an instant."""
    return at if isinstance(at, int) else int(dt.datetime.fromisoformat(at).timestamp())


class GitRepo:
    """A bare repository at `path`. Commits go to `main` unless a branch is named.

    Every commit is by default one hour (STEP) after the one made before it, on whatever branch.
    """

    def __init__(self, path: Path, *, head: str = "main") -> None:
        self.path = path
        self.head = head
        self._now = START - STEP
        self._trees: dict[str, _Tree] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={head}", str(path)],
            check=True,
            env=ENVIRONMENT,
        )

    @property
    def url(self) -> str:
        """What `parse_remote(…, allow_local=True)` takes."""
        return str(self.path)

    @property
    def commits(self) -> dict[str, tuple[str, ...]]:
        """Every commit made here (raw ones apart) with its parents, in the order they were made."""
        return dict(self._parents)

    def commit(
        self,
        message: str = "Change",
        *,
        at: Instant | None = None,
        author_at: Instant | None = None,
        zone: str = "+0000",
        author: Person = ADA,
        committer: Person | None = None,
        files: Mapping[str, Content] | None = None,
        branch: str | None = None,
        parents: Sequence[str] | None = None,
    ) -> str:
        """A commit on the tip of `branch`, which then points to it; its sha.

        A branch that isn't there yet starts at the tip of the default branch, if there is one. `at` is the committer
        time and `author_at` (the same unless given) the author time, both in `zone`. `files` are changes to the first
        parent's tree; None deletes. `parents` (branches or shas; empty for a new root) replace the tip.
        """
        branch = branch or self.head
        heads = self._tip_or_start(branch) if parents is None else [self.sha(parent) for parent in parents]
        committed = self._clock(at)
        authored = committed if author_at is None else epoch(author_at)
        tree = self._changed(heads, files or {})
        lines = [
            f"tree {self._write_tree(tree)}",
            *(f"parent {head}" for head in heads),
            f"author {_signature(author, authored, zone)}",
            f"committer {_signature(committer or author, committed, zone)}",
        ]
        sha = self.object("commit", ("\n".join(lines) + f"\n\n{message}\n").encode())
        self._trees[sha] = tree
        self._parents[sha] = tuple(heads)
        self.point(branch, sha)
        return sha

    def merge(self, *heads: str, into: str | None = None, message: str | None = None, at: Instant | None = None) -> str:
        """Merges branches or shas into a branch (the default one unless named): more than one is an octopus.

        Always a merge commit; files come from all heads, the later winning. Returns its sha.
        """
        into = into or self.head
        tips = [self.sha(head) for head in heads]
        files: dict[str, Content] = {}
        for tip in tips:
            files |= {path: self.read(sha) for path, (_, sha) in self._trees.get(tip, {}).items()}
        said = message or f"Merge {', '.join(heads)} into {into}"
        return self.commit(said, at=at, branch=into, parents=[into, *tips], files=files)

    def tag(
        self,
        name: str,
        target: str | None = None,
        *,
        annotated: bool = False,
        at: Instant | None = None,
        zone: str = "+0000",
        message: str | None = None,
    ) -> str:
        """A tag on a branch's tip or a sha (the default branch unless given).

        Returns what the ref holds: when annotated, a tag object.
        """
        sha = self.sha(target or self.head)
        if annotated:
            lines = [
                f"object {sha}",
                f"type {self.kind(sha)}",
                f"tag {name}",
                f"tagger {_signature(ADA, self._clock(at), zone)}",
                f"\n{message or name}",
            ]
            sha = self.object("tag", ("\n".join(lines) + "\n").encode())
        self._write_ref(f"refs/tags/{name}", sha)
        return sha

    def branch(self, name: str, at: str | None = None) -> str:
        """Makes a branch, or moves it: to another branch's tip or a sha (the default branch unless given)."""
        sha = self.sha(at or self.head)
        self.point(name, sha)
        return sha

    def point(self, branch: str, sha: str) -> None:
        """Moves a branch anywhere: a force-push."""
        self._write_ref(f"refs/heads/{branch}", sha)

    def delete_branch(self, name: str) -> None:
        """The commits stay in the repository."""
        self.git("update-ref", "-d", f"refs/heads/{name}")

    def delete_tag(self, name: str) -> None:
        """The tagged commits stay in the repository."""
        self.git("update-ref", "-d", f"refs/tags/{name}")

    def set_head(self, branch: str) -> None:
        """Makes another branch the default, for the repository and for the calls here."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        self.head = branch

    def sha(self, name: str) -> str:
        """The commit at the tip of a branch; a full sha is itself. KeyError when there is no such branch."""
        found = self._branch(name)
        if found is not None:
            return found
        if len(name) == 40:
            return name
        raise KeyError(name)

    def raw_commit(
        self,
        *,
        author: bytes | None = None,
        committer: bytes | None = None,
        headers: bytes = b"",
        message: bytes = b"Raw\n",
        branch: str | None = None,
        parents: Sequence[str] | None = None,
    ) -> str:
        """A commit as no git would write it. `author` and `committer` are all that follows that word, such as
        `b"A <a@b> 99999999999 +9999"`; `headers` are more lines, each with its line feed."""
        branch = branch or self.head
        heads = self._tip_or_start(branch) if parents is None else [self.sha(parent) for parent in parents]
        usual = _signature(ADA, self._clock(None), "+0000").encode()
        tree = self._changed(heads, {})
        sha = self.object(
            "commit",
            b"".join(
                (
                    b"tree %s\n" % self._write_tree(tree).encode(),
                    *(b"parent %s\n" % head.encode() for head in heads),
                    b"author %s\n" % (usual if author is None else author),
                    b"committer %s\n" % (usual if committer is None else committer),
                    headers + b"\n" + message,
                )
            ),
        )
        self._trees[sha] = tree
        self.point(branch, sha)
        return sha

    def object(self, kind: str, body: bytes) -> str:
        """Writes any object, valid or not; its sha."""
        data = b"%s %d\0%s" % (kind.encode(), len(body), body)
        sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        place = self.loose(sha)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(data, 1))
        return sha

    def read(self, sha: str) -> bytes:
        """The content of an object that was written here and not packed since."""
        return zlib.decompress(self.loose(sha).read_bytes()).partition(b"\0")[2]

    def kind(self, sha: str) -> str:
        """commit, tag, tree or blob."""
        return self.git("cat-file", "-t", sha)

    def loose(self, sha: str) -> Path:
        """The file of an object that isn't packed: to be removed or spoiled."""
        return self.path / "objects" / sha[:2] / sha[2:]

    def git(self, *args: str, stdin: str | bytes = b"") -> str:
        """What git prints, without the last line feed."""
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *args],
            check=True,
            env=ENVIRONMENT,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
        )
        return done.stdout.decode("utf-8", "replace").removesuffix("\n")

    def _clock(self, at: Instant | None) -> int:
        self._now = self._now + STEP if at is None else epoch(at)
        return self._now

    def _branch(self, name: str) -> str | None:
        place = self.path / "refs" / "heads" / name
        if place.is_file():
            return place.read_text().strip()
        packed = self.path / "packed-refs"
        if packed.is_file():
            for line in packed.read_text().splitlines():
                sha, _, ref = line.partition(" ")
                if ref == f"refs/heads/{name}":
                    return sha
        return None

    def _tip_or_start(self, branch: str) -> list[str]:
        tip = self._branch(branch) or self._branch(self.head)
        return [] if tip is None else [tip]

    def _write_ref(self, ref: str, sha: str) -> None:
        place = self.path / ref
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(sha + "\n")

    def _changed(self, heads: Sequence[str], files: Mapping[str, Content]) -> _Tree:
        tree = dict(self._trees.get(heads[0], {})) if heads else {}
        for path, content in files.items():
            if content is None:
                tree.pop(path, None)
            else:
                data = content.encode() if isinstance(content, str) else content
                tree[path] = ("100644", self.object("blob", data))
        return tree

    def _write_tree(self, tree: _Tree) -> str:
        here: dict[str, _Entry] = {}
        below: dict[str, _Tree] = {}
        for path, entry in tree.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        for name, subtree in below.items():
            here[name] = ("40000", self._write_tree(subtree))
        ordered = sorted(here.items(), key=lambda item: (item[0] + ("/" if item[1][0] == "40000" else "")).encode())
        return self.object(
            "tree", b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(sha) for name, (mode, sha) in ordered)
        )


def _signature(person: Person, at: int, zone: str) -> str:
    name, mail = person
    return f"{name} <{mail}> {at} {zone}"
