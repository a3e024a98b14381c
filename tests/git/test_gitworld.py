"""The builder itself: what it writes is what git reads."""

from __future__ import annotations

from pathlib import Path

from tests.gitworld import START, STEP, GitRepo


def test_git_finds_nothing_to_complain_of(world: GitRepo) -> None:
    first = world.commit("Start", files={"a.py": "1\n", "lib/b.py": "2\n", "lib-c": "3\n", "lib/deep/d": "4\n"})
    world.commit("Side", branch="side", files={"lib/e.py": "5\n"})
    world.commit("Other", branch="other", files={"a.py": None})
    world.commit("Main", files={"lib/b.py": "6\n"})
    octopus = world.merge("side", "other")
    world.tag("light", first)
    world.tag("v1", octopus, annotated=True)
    assert world.git("fsck", "--strict", "--no-dangling") == ""
    assert world.git("ls-tree", "-r", "--name-only", octopus).split() == [
        "a.py", "lib-c", "lib/b.py", "lib/deep/d", "lib/e.py",
    ]  # fmt: skip
    assert world.git("rev-list", "--parents", "-1", octopus).split()[1:] == list(world.commits[octopus])
    assert world.git("cat-file", "-t", "refs/tags/v1") == "tag"


def test_times_and_zones_are_those_asked_for(world: GitRepo) -> None:
    world.commit("Start")
    world.commit("Next")
    sha = world.commit("Chosen", at="2024-05-01T00:00:00Z", author_at=1_700_000_000, zone="+0530")
    assert world.git("log", "-1", "--date=raw", "--format=%ad|%cd", sha) == "1700000000 +0530|1714521600 +0530"
    assert world.git("log", "--reverse", "--format=%ct").split()[:2] == [str(START), str(START + STEP)]


def test_a_branch_starts_at_the_default_one_and_can_be_pushed_by_force(world: GitRepo) -> None:
    first = world.commit()
    second = world.commit(branch="side")
    assert world.commits[second] == (first,)
    world.point("side", first)
    world.set_head("side")
    assert world.git("rev-parse", "side", "HEAD").split() == [first, first]
    world.delete_branch("main")
    assert world.git("branch", "--format=%(refname:short)") == "side"


def test_the_same_calls_give_the_same_shas(tmp_path: Path) -> None:
    assert GitRepo(tmp_path / "a").commit("One") == GitRepo(tmp_path / "b").commit("One")


def test_refs_are_found_after_packing(world: GitRepo) -> None:
    first = world.commit()
    world.git("pack-refs", "--all")
    assert world.sha("main") == first
    second = world.commit()
    assert world.commits[second] == (first,)
