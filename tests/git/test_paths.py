"""Which commits touch some paths, against git's own log and diff."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gitworld import Content, GitRepo

from shipmend.core.errors import Invalid
from shipmend.core.globs import read_globs
from shipmend.git import paths
from shipmend.git.errors import GitFailed
from shipmend.git.paths import pathspecs, touching

PATHS = (
    "services/a/x.py",
    "services/a/docs/x.md",
    "services/b/x.py",
    "services/b",
    "top.md",
    "a*b/[x]",
    "!odd",
    ":(top)x",
)
GLOBS = (
    ("services/a/**",),
    ("services/a",),
    ("services/b",),
    ("services/*",),
    ("services/*/x.py",),
    ("**/*.md",),
    ("*.md",),
    ("!services/**",),
    ("services/**", "!**/*.md"),
    ("**", "!services/a/**", "!top.md"),
    (r"a\*b/\[x\]",),
    (r"\!odd",),
    ("nothing/**",),
    ("*",),
)


def any_history(git: GitRepo, chance: random.Random, steps: int) -> None:
    """Commits, some of them empty, and merges, some of which change files that no parent has so."""
    branches: set[str] = set()
    for n in range(steps):
        branch = chance.choice(["main", "one", "two"])
        files: dict[str, Content] = {
            path: None if chance.random() < 0.2 else f"{chance.randrange(3)}\n"
            for path in chance.sample(PATHS, chance.choice([0, 1, 1, 1, 2, 3]))
        }
        made = list(git.commits)
        parents: Sequence[str] | None = None
        if branch in branches and len(made) > 2 and chance.random() < 0.35:
            parents = [branch, *chance.sample(made, chance.choice([1, 1, 1, 2]))]
        elif chance.random() < 0.05:
            parents = []
        git.commit(f"c{n}", branch=branch, parents=parents, files=apart(files))
        branches.add(branch)


def apart(files: dict[str, Content]) -> dict[str, Content]:
    """No tree holds `services/b` as a file and as a directory."""
    if files.get("services/b") is not None:
        files["services/b/x.py"] = None
    elif files.get("services/b/x.py") is not None:
        files["services/b"] = None
    return files


def merges_of(git: GitRepo) -> list[str]:
    return [sha for sha, parents in git.commits.items() if len(parents) > 1]


def plain_of(git: GitRepo) -> list[str]:
    return [sha for sha, parents in git.commits.items() if len(parents) < 2]


def by_log(git: GitRepo, globs: Sequence[str]) -> set[str]:
    """The commits, merges apart, that git's log tells of these paths."""
    log = ["log", "--full-history", "--no-merges", "--format=%H", *git.commits]
    return set(git.git(*log, "--", *pathspecs(globs)).split())


def by_diffs(git: GitRepo, globs: Sequence[str]) -> set[str]:
    """The merges in which one of these paths differs from every parent."""
    found = set()
    for merge in merges_of(git):
        changed = [
            set(git.git("diff-tree", "-r", "-z", "--name-only", parent, merge, "--", *pathspecs(globs)).split("\0"))
            for parent in git.commits[merge]
        ]
        if set.intersection(*changed) - {""}:
            found.add(merge)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_commits_and_merges_are_those_that_git_tells_of_the_paths(seed: int, git_repo: GitRepo) -> None:
    any_history(git_repo, random.Random(seed), 40)
    new_merges = 0
    for globs in GLOBS:
        expected = by_log(git_repo, globs) | by_diffs(git_repo, globs)
        assert touching(git_repo.path, plain_of(git_repo), merges_of(git_repo), globs) == expected, globs
        new_merges += len(by_diffs(git_repo, globs))
    assert new_merges > 5


def test_the_answer_is_the_same_with_an_index_of_changed_paths(git_repo: GitRepo) -> None:
    any_history(git_repo, random.Random(7), 40)
    commits, merges = plain_of(git_repo), merges_of(git_repo)
    before = [touching(git_repo.path, commits, merges, globs) for globs in GLOBS]
    git_repo.git("commit-graph", "write", "--reachable", "--changed-paths")
    assert [touching(git_repo.path, commits, merges, globs) for globs in GLOBS] == before


def test_a_merge_that_only_takes_from_its_parents_touches_nothing(git_repo: GitRepo) -> None:
    base = git_repo.commit("Base", files={"a/x": "0", "b/x": "0", "a/y": "0"})
    one = git_repo.commit("One", files={"a/x": "1"})
    two = git_repo.commit("Two", branch="side", parents=[base], files={"b/x": "2", "a/y": "2"})
    clean = git_repo.merge("side")
    resolved = git_repo.commit("Resolved", branch="other", parents=[one, two], files={"a/x": "both", "b/x": "2"})
    merges = [clean, resolved]
    assert touching(git_repo.path, [], merges, ["**"]) == {resolved}
    assert touching(git_repo.path, [], merges, ["b/**"]) == set()


def test_a_path_can_not_be_taken_for_a_commit(git_repo: GitRepo) -> None:
    """In a record for a merge, a file's name may look like anything."""
    base = git_repo.commit("Base")
    other = git_repo.commit("Other", branch="side")
    quiet = git_repo.commit("Quiet", branch="quiet", parents=["main", "side"])
    names = [quiet, f"\n{quiet}", ":100644", "::100644 100644 100644 M", "x" * 200]
    loud = git_repo.commit("Loud", parents=[base, other], files=dict.fromkeys(names, "new"))
    assert touching(git_repo.path, [], [quiet, loud, quiet], ["**"]) == {loud}


def test_output_may_be_cut_anywhere_and_long_names_cut_short(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = git_repo.commit("One"), git_repo.commit("Two", branch="side")
    first = git_repo.commit("First", parents=[one, two], files={"x" * 250: "1", "y": "1"})
    quiet = git_repo.commit("Quiet", parents=[first, two])
    second = git_repo.commit("Second", parents=[quiet, two], files={"z" * 250: "2"})
    monkeypatch.setattr(paths, "RECORD_CAP", 40)
    for size in (3, 41, 1000):
        monkeypatch.setattr("shipmend.git.run.CHUNK", size)
        assert touching(git_repo.path, [], [first, quiet, second], ["**"]) == {first, second}


def test_commits_that_are_not_there_touch_nothing(git_repo: GitRepo) -> None:
    there = git_repo.commit("There", files={"a": "1"})
    merge = git_repo.commit("Merge", parents=[there, there], files={"a": "2"})
    gone = ["0" * 40, "e" * 40]
    assert touching(git_repo.path, [gone[0], there, gone[1]], [gone[0], merge, gone[1]], ["a"]) == {there, merge}


def test_directories_that_are_missing_are_a_fault_and_not_an_answer(git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"a/b/c": "1"})
    tip = git_repo.commit("Two", files={"a/b/c": "2"})
    tree = git_repo.git("rev-parse", f"{tip}:a")
    git_repo.loose(tree).unlink()
    with pytest.raises(GitFailed):
        touching(git_repo.path, [tip], [], ["a/**"])


@pytest.mark.parametrize("shas", [["HEAD"], ["--all"], ["0" * 39], ["A" * 40], [f"{'0' * 40}\n--all"]])
def test_anything_but_full_shas_never_reaches_git(git_repo: GitRepo, shas: list[str]) -> None:
    git_repo.commit()
    for commits, merges in ((shas, []), ([], shas)):
        with pytest.raises(ValueError, match="not full shas"):
            touching(git_repo.path, commits, merges, ["a"])


@pytest.mark.parametrize("globs", [[], ["a\nb"], ["a\0b"]])
def test_no_globs_and_broken_lines_never_reach_git(git_repo: GitRepo, globs: list[str]) -> None:
    with pytest.raises(ValueError, match="not globs"):
        touching(git_repo.path, [git_repo.commit()], [], globs)


@pytest.fixture(scope="module")
def some_history(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    git = GitRepo(tmp_path_factory.mktemp("some") / "history.git")
    any_history(git, random.Random(3), 12)
    return git


@settings(deadline=None, max_examples=60)  # each starts git, which takes what it takes
@given(st.lists(st.text(st.sampled_from("ab*?[]!\\/. -:()^sx"), max_size=6), min_size=1, max_size=3))
def test_whatever_is_taken_as_globs_means_to_git_what_it_means_in_a_log(
    some_history: GitRepo, lines: list[str]
) -> None:
    try:
        globs = read_globs(lines)
    except Invalid:
        return
    found = touching(some_history.path, plain_of(some_history), merges_of(some_history), globs)
    assert found == by_log(some_history, globs) | by_diffs(some_history, globs)


def test_git_dir_may_lie_anywhere(tmp_path: Path) -> None:
    git = GitRepo(tmp_path / "a folder -- with spaces.git")
    sha = git.commit("One", files={"a": "1"})
    assert touching(git.path, [sha], [], ["a"]) == {sha}
