"""What differs between two commits, with git's own `git diff` as the judge."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gitworld import ENVIRONMENT, GitRepo

from shipmend.git import diffs
from shipmend.git.diffs import Amount, Difference, FileChange, Pair, Told, changed_files, line_counts, path_text

FILE, PROGRAM, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
Snapshot = Mapping[bytes, tuple[str, bytes]]
"""Path → mode and content; a submodule's content is the 40 digits of a commit."""

# Each example starts some processes, on a machine that may be busy.
SLOW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def snapshot(repo: GitRepo, files: Snapshot) -> str:
    """A commit without parents that holds just these files."""
    tree = write_tree(repo, dict(files))
    said = "author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nx\n"
    return repo.object("commit", f"tree {tree}\n{said}".encode())


def write_tree(repo: GitRepo, files: dict[bytes, tuple[str, bytes]]) -> str:
    entries: dict[bytes, tuple[str, str]] = {}
    below: dict[bytes, dict[bytes, tuple[str, bytes]]] = {}
    for path, (mode, content) in files.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = (mode, content)
        else:
            sha = content.decode() if mode == SUBMODULE else repo.object("blob", content)
            entries[name] = (mode, sha)
    entries |= {name: ("40000", write_tree(repo, inside)) for name, inside in below.items()}
    ordered = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1][0] == "40000" else b""))
    return repo.object("tree", b"".join(b"%s %s\0%s" % (m.encode(), n, bytes.fromhex(s)) for n, (m, s) in ordered))


def plain(**lines: int) -> dict[bytes, tuple[str, bytes]]:
    """Files by name with so many lines each."""
    return {name.encode(): (FILE, b"".join(b"%d\n" % n for n in range(count))) for name, count in lines.items()}


def one(repo: GitRepo, before: str | None, after: str) -> Difference:
    (difference,) = line_counts(repo.path, [Pair(before, after)])
    return difference


def judged(repo: GitRepo, before: str, after: str) -> list[FileChange]:
    """The same from `git diff`, asked by itself for lines and by itself for statuses."""
    names = raw(repo, "diff", "--name-status", "--no-renames", "-z", before, after).split(b"\0")[:-1]
    status = dict(zip(names[1::2], names[::2], strict=True))
    counted = []
    for line in raw(repo, "diff", "--numstat", "--no-renames", "-z", before, after).split(b"\0")[:-1]:
        added, deleted, path = line.split(b"\t", 2)
        lines = (None if text == b"-" else int(text) for text in (added, deleted))
        counted.append((path, FileChange(path_text(path), status[path].decode(), *lines)))
    return [change for _, change in sorted(counted)]


def raw(repo: GitRepo, *args: str) -> bytes:
    """What git prints: paths in it may be no text."""
    command = ["git", f"--git-dir={repo.path}", *args]
    return subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True).stdout


NAMES = st.binary(min_size=1, max_size=6).filter(
    lambda name: not set(name) & set(b"\0/") and name not in (b".", b"..", b".git")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
CONTENTS = st.one_of(
    st.lists(st.sampled_from([b"a", b"b", b"", b"\xff"]), max_size=6).map(b"\n".join),
    st.just(b"bin\0ary"),
)
ENTRIES = st.one_of(
    st.tuples(st.sampled_from([FILE, PROGRAM]), CONTENTS),
    st.tuples(st.just(LINK), st.binary(min_size=1, max_size=5).filter(lambda target: b"\0" not in target)),
    st.tuples(st.just(SUBMODULE), st.sampled_from([b"1" * 40, b"2" * 40])),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Files of every kind; none lies where another has a directory."""
    files: dict[bytes, tuple[str, bytes]] = {}
    for path, entry in draw(st.dictionaries(PATHS, ENTRIES, max_size=6)).items():
        clash = any(path.startswith(other + b"/") or other.startswith(path + b"/") for other in files)
        if not clash:
            files[path] = entry
    return files


@SLOW
@given(states=st.lists(snapshots(), min_size=2, max_size=5))
def test_files_and_lines_are_those_of_git_diff(states: list[Snapshot], world: GitRepo) -> None:
    commits = [snapshot(world, state) for state in states]
    pairs = [Pair(before, after) for before, after in pairwise(commits)]
    pairs += [Pair(commits[0], commits[0]), pairs[0]]
    for pair, difference in zip(pairs, line_counts(world.path, pairs), strict=True):
        expected = judged(world, str(pair.before), pair.after)
        assert difference.told is Told.LINES
        assert sorted(difference.files) == sorted(expected)
        assert difference.total == Amount(
            len(expected), sum(each.insertions or 0 for each in expected), sum(each.deletions or 0 for each in expected)
        )


@SLOW
@given(states=st.lists(snapshots(), min_size=2, max_size=4))
def test_files_alone_are_the_same_without_their_lines(states: list[Snapshot], world: GitRepo) -> None:
    commits = [snapshot(world, state) for state in states]
    pairs = [Pair(None, commits[0]), *(Pair(before, after) for before, after in pairwise(commits))]
    both = zip(changed_files(world.path, pairs), line_counts(world.path, pairs), strict=True)
    for files, lines in both:
        assert files.told is Told.FILES
        assert files.files == tuple(FileChange(each.path, each.status) for each in lines.files)
        assert files.total == Amount(lines.total.files)


@SLOW
@given(state=snapshots())
def test_directories_add_up_to_the_total(state: Snapshot, world: GitRepo) -> None:
    difference = one(world, None, snapshot(world, state))
    amounts = difference.directories.values()
    assert sum(amount.files for amount in amounts) == difference.total.files
    assert sum(amount.insertions for amount in amounts) == difference.total.insertions
    above = Counter(change.path.rpartition("/")[0] for change in difference.files)
    assert {name: amount.files for name, amount in difference.directories.items()} == above


def test_what_the_second_commit_has_more_is_inserted(world: GitRepo) -> None:
    short, long = snapshot(world, plain(a=1)), snapshot(world, plain(a=4))
    assert one(world, short, long).files == (FileChange("a", "M", 3, 0),)
    assert one(world, long, short).files == (FileChange("a", "M", 0, 3),)


def test_compared_with_nothing_every_file_is_added(world: GitRepo) -> None:
    commit = snapshot(world, plain(a=1, b=2))
    assert one(world, None, commit).files == (FileChange("a", "A", 1, 0), FileChange("b", "A", 2, 0))


def test_each_kind_of_change_has_its_letter(world: GitRepo) -> None:
    before = snapshot(
        world,
        {
            b"binary": (FILE, b"\0\1"),
            b"gone": (FILE, b"x\n"),
            b"link": (LINK, b"target"),
            b"mode": (FILE, b"x\n"),
            b"sub": (SUBMODULE, b"1" * 40),
        },
    )
    after = snapshot(
        world,
        {
            b"binary": (FILE, b"\0\2"),
            b"link": (FILE, b"a file now\n"),
            b"mode": (PROGRAM, b"x\n"),
            b"new": (FILE, b"x\n"),
            b"sub": (SUBMODULE, b"2" * 40),
        },
    )
    assert one(world, before, after).files == (
        FileChange("binary", "M", None, None),
        FileChange("gone", "D", 0, 1),
        FileChange("link", "T", 1, 1),
        FileChange("mode", "M", 0, 0),
        FileChange("new", "A", 1, 0),
        FileChange("sub", "M", 1, 1),
    )


def test_a_moved_file_is_one_deleted_and_one_added(world: GitRepo) -> None:
    before, after = snapshot(world, plain(old=20)), snapshot(world, plain(new=20))
    assert one(world, before, after).files == (FileChange("new", "A", 20, 0), FileChange("old", "D", 0, 20))


def test_an_unreadable_file_costs_only_its_own_pair_the_lines(world: GitRepo) -> None:
    commits = [snapshot(world, plain(a=n, b=2 * n)) for n in range(1, 5)]
    world.loose(world.git("rev-parse", f"{commits[2]}:b")).unlink()
    pairs = [Pair(before, after) for before, after in pairwise([commits[0], commits[1], commits[0]])]
    pairs = [pairs[0], Pair(commits[0], commits[2]), pairs[1], Pair(commits[2], commits[3]), pairs[0]]
    found = list(line_counts(world.path, pairs))
    assert [difference.told for difference in found] == [Told.LINES, Told.FILES, Told.LINES, Told.FILES, Told.LINES]
    assert found[1].files == (FileChange("a", "M"), FileChange("b", "M"))
    assert found[0] == found[4]
    assert found[2].total == Amount(2, 0, 3)


def test_a_missing_directory_or_commit_costs_only_its_own_pair(world: GitRepo) -> None:
    whole = [snapshot(world, plain(a=n)) for n in (1, 2)]
    torn = snapshot(world, {b"d/x": (FILE, b"x\n")})
    rootless = snapshot(world, plain(c=1))
    world.loose(world.git("rev-parse", f"{torn}:d")).unlink()
    world.loose(world.git("rev-parse", f"{rootless}^{{tree}}")).unlink()
    lost = [Pair(whole[0], torn), Pair(whole[0], rootless), Pair(rootless, torn), Pair(whole[0], "1" * 40)]
    good = Pair(whole[0], whole[1])
    pairs = [pair for each in lost for pair in (each, good)] + lost
    for ask in (changed_files, line_counts):
        told = [difference.told is not Told.NOTHING for difference in ask(world.path, pairs)]
        assert told == [False, True] * len(lost) + [False] * len(lost)


def test_more_pairs_than_one_process_gets_come_in_their_order(world: GitRepo) -> None:
    commits = [snapshot(world, plain(a=n)) for n in range(2 * diffs.PAIRS_AT_ONCE + 3)]
    pairs = [Pair(commits[0], commit) for commit in commits]
    assert [found.total.insertions for found in line_counts(world.path, pairs)] == list(range(len(commits)))


def test_no_pairs_are_no_work(tmp_path: Path) -> None:
    assert list(line_counts(tmp_path / "there is no repository here", [])) == []


def test_only_full_shas_are_taken(world: GitRepo) -> None:
    commit = snapshot(world, plain(a=1))
    for given_as_sha in ("HEAD", commit[:12], f"--output={world.path}/x", commit + "\n"):
        with pytest.raises(ValueError, match="not full shas"):
            list(line_counts(world.path, [Pair(commit, given_as_sha)]))


def test_lines_that_take_too_long_are_left_out(world: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.which("git")
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *--numstat*) exec sleep 60;; esac\nexec {real} "$@"\n')
    slow.chmod(0o700)
    commits = [snapshot(world, plain(a=n)) for n in (1, 2, 3)]
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    found = list(line_counts(world.path, [Pair(*pair) for pair in pairwise(commits)], patience=0.3))
    assert [difference.told for difference in found] == [Told.FILES] * 2
    assert found[0].files == (FileChange("a", "M"),)


def test_of_very_many_files_those_with_the_most_lines_are_kept_and_all_are_counted(
    world: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffs, "MOST_FILES", 3)
    monkeypatch.setattr(diffs, "MOST_STATUSES", 9)
    commit = snapshot(world, {b"%02d" % n: (FILE, b"x\n" * n) for n in range(1, 21)})
    lines = one(world, None, commit)
    assert lines.files == (FileChange("18", "", 18, 0), FileChange("19", "", 19, 0), FileChange("20", "", 20, 0))
    assert lines.total == Amount(20, 210, 0)
    equal = snapshot(world, {b"%d" % n: (FILE, b"%d\n" % n) for n in range(1, 8)})
    assert [file.path for file in one(world, None, equal).files] == ["1", "2", "3"]
    (files,) = changed_files(world.path, [Pair(None, commit)])
    assert files.files == (FileChange("01", "A"), FileChange("02", "A"), FileChange("03", "A"))
    assert files.total == Amount(20)


def test_of_very_many_directories_the_last_ones_share_their_first_part(
    world: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffs, "MOST_DIRECTORIES", 2)
    commit = snapshot(world, {b"%c/%c/f" % (n, n): (FILE, b"x\n") for n in b"abcdef"})
    found = one(world, None, commit).directories
    assert {name: amount.files for name, amount in found.items()} == {"a/a": 1, "b/b": 1, "c": 1, "d": 1, "": 2}


def test_a_name_of_any_length_is_cut_and_the_next_ones_are_not(world: GitRepo) -> None:
    state = {b"a" * 3_000_000: (FILE, b"x\n"), b"b": (FILE, b"x\n" * 2)}
    found = one(world, None, snapshot(world, state))
    assert [(change.path[-3:], change.insertions) for change in found.files] == [("aa…", 1), ("b", 2)]
    assert len(found.files[0].path) <= diffs.PATH_CAP


def test_a_path_that_looks_like_the_line_of_a_pair_is_a_path(world: GitRepo) -> None:
    name = b"%s %s\nx" % (b"a" * 40, b"b" * 40)
    found = one(world, None, snapshot(world, {name: (FILE, b"x\n"), b"z": (FILE, b"x\n")}))
    assert [change.path for change in found.files] == [path_text(name), "z"]


A, B, C, D = (letter * 40 for letter in (b"a", b"b", b"c", b"d"))
SAID = b"".join(
    (
        b"%s %s\n" % (A, B),
        b":000000 100644 %s %s A\0a b\0" % (A, B),
        b":100644 100755 %s %s M\0%s %s\n\0" % (A, B, A, B),
        b"1\t0\ta b\0",
        b"-\t-\t%s %s\n\0" % (A, B),
        b"%s %s\n" % (A, C),
        b"%s %s\n" % (B, D),
        b":100644 000000 %s %s D\0c\0" % (A, B),
        b"0\t12\tc\0",
        b"%s %s\n" % (C, D),
    )
)


@given(cuts=st.lists(st.integers(0, len(SAID)), max_size=8))
def test_the_output_is_read_alike_however_it_is_cut(cuts: list[int]) -> None:
    reader = diffs._Reader(Told.LINES)
    parts = [SAID[start:end] for start, end in pairwise([0, *sorted(cuts), len(SAID)])]
    whole = [pair for part in parts for pair in reader.feed(part)] + reader.finish()
    assert [b"".join(sha[:1].encode() for sha in pair) for pair, _ in whole] == [b"ab", b"ac", b"bd", b"cd"]
    assert [difference.total for _, difference in whole] == [Amount(2, 1, 0), Amount(), Amount(1, 0, 12), Amount()]


@given(st.binary(max_size=40).filter(lambda path: b"\0" not in path))
def test_a_path_as_text_can_be_printed_and_turned_back(path: bytes) -> None:
    text = path_text(path)
    assert text.isprintable()
    letters = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b"\\": b"\\"}
    turned_back = re.sub(
        rb"\\([0-7]{3}|.)",
        lambda escape: bytes([int(escape[1], 8)]) if escape[1].isdigit() else letters[escape[1]],
        text.encode(),
    )
    assert turned_back == path


def test_ascii_is_escaped_as_git_does(world: GitRepo) -> None:
    names = [b"x%c" % code for code in range(1, 128) if code not in b"/"]
    commit = snapshot(world, dict.fromkeys(names, (FILE, b"")))
    listed = raw(world, "diff", "--name-only", "--no-renames", diffs.EMPTY_TREE, commit).decode().splitlines()
    quoted = {line[1:-1].replace('\\"', '"') if line.startswith('"') else line for line in listed}
    assert quoted == {path_text(name) for name in names}
