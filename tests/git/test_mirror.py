"""A mirror follows its remote through everything remotes do, and reads what git reads."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.git.helpers import by_sha, fetch, local, logged
from tests.gitserver import GitServer
from tests.gitworld import GRACE, START, GitRepo

from shipmend.git.connect import Access
from shipmend.git.mirror import GRAPH_LOCK, LOCK, Mirror
from shipmend.git.progress import Progress
from shipmend.git.remotes import parse_remote
from shipmend.git.run import AmbiguousSha, GitFailed, MirrorBusy, run_git


def test_branches_tags_and_the_default_branch_are_mirrored(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit(at="2024-01-01T00:00:00Z")
    side = world.commit(branch="feature/x")
    world.tag("light", first)
    held = world.tag("v1", first, annotated=True, at="2024-02-01T00:00:00+02:00")
    state = fetch(mirror, world)
    assert state.tips == {
        "refs/heads/main": first,
        "refs/heads/feature/x": side,
        "refs/tags/light": first,
        "refs/tags/v1": first,
    }
    assert state.branches == {"main": first, "feature/x": side}
    assert state.head == "main"
    assert {(tag.name, tag.sha, tag.at) for tag in state.tags} == {
        ("light", first, 1704067200),
        ("v1", first, 1706738400),
    }
    assert state.objects == mirror.remote_refs(local(world), Access()).objects
    assert state.objects["refs/tags/v1"] == held
    assert state == mirror.refs()


def test_only_branches_and_tags_come(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit()
    for ref in ("refs/pull/1/head", "refs/notes/commits", "refs/replace/" + sha, "refs/remotes/origin/main"):
        world.git("update-ref", ref, world.raw_commit(branch="away", parents=[]))
    world.delete_branch("away")
    assert fetch(mirror, world).tips == {"refs/heads/main": sha}
    assert run_git(["for-each-ref", "--format=%(refname)"], git_dir=mirror.git_dir) == b"refs/heads/main\n"


def test_an_empty_repository_is_an_empty_mirror(world: GitRepo, mirror: Mirror) -> None:
    state = fetch(mirror, world)
    assert (state.tips, state.head, state.tags) == ({}, None, [])
    assert logged(mirror) == []
    assert mirror.count([]) == 0
    mirror.write_commit_graph()
    mirror.repack()
    sha = world.commit()
    assert fetch(mirror, world).tips == {"refs/heads/main": sha}
    world.delete_branch("main")
    assert fetch(mirror, world).tips == {}


def test_a_force_push_a_deletion_and_a_new_default_branch_are_followed(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit()
    lost = world.commit()
    world.commit(branch="old")
    world.tag("moved", first)
    world.tag("gone", first)
    fetch(mirror, world)
    world.point("main", first)
    replaced = world.commit("Instead")
    world.delete_branch("old")
    world.tag("moved", replaced)
    world.delete_tag("gone")
    world.set_head("trunk")
    new = world.commit(branch="trunk", parents=[replaced])
    state = fetch(mirror, world)
    assert state.tips == {"refs/heads/main": replaced, "refs/heads/trunk": new, "refs/tags/moved": replaced}
    assert state.head == "trunk"
    assert mirror.resolve(lost) == lost
    mirror.repack()
    assert mirror.resolve(lost) == lost


def test_a_branch_may_become_a_directory_of_branches_and_back(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    world.branch("topic")
    fetch(mirror, world)
    world.delete_branch("topic")
    world.branch("topic/one")
    assert set(fetch(mirror, world).branches) == {"main", "topic/one"}
    world.delete_branch("topic/one")
    world.branch("topic")
    assert set(fetch(mirror, world).branches) == {"main", "topic"}


def test_the_default_branch_is_guessed_only_where_the_remote_names_none(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    world.branch("zoo")
    world.branch("master")
    world.delete_branch("main")
    assert fetch(mirror, world).head == "master"  # HEAD names main, which isn't there
    world.delete_branch("master")
    assert fetch(mirror, world).head == "zoo"  # the only one
    world.branch("ape", "zoo")
    assert fetch(mirror, world).head is None


def test_a_detached_head_means_the_branch_that_stands_there(world: GitRepo, mirror: Mirror) -> None:
    old = world.commit()
    world.branch("stable", old)
    world.commit()
    (world.path / "HEAD").write_text(old + "\n")
    assert fetch(mirror, world).head == "stable"


def test_a_tag_may_be_on_a_tag_on_a_file_or_undated(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit(files={"a": "1"})
    inner = world.tag("inner", sha, annotated=True, at=5)
    world.tag("outer", world.tag("middle", inner, annotated=True, at=6), annotated=True, at=7)
    world.tag("file", world.object("blob", b"1"))
    world.tag("tree", world.git("rev-parse", f"{sha}^{{tree}}"), annotated=True)
    undated = world.object("tag", f"object {sha}\ntype commit\ntag undated\n\nOld\n".encode())
    world.git("update-ref", "refs/tags/undated", undated)
    absurd = world.object(
        "tag", f"object {sha}\ntype commit\ntag x\ntagger A <a@b> 99999999999999999999 +0000\n\nx\n".encode()
    )
    world.git("update-ref", "refs/tags/absurd", absurd)
    state = fetch(mirror, world)
    assert {(tag.name, tag.sha, tag.at) for tag in state.tags} == {
        ("inner", sha, 5),
        ("middle", sha, 6),
        ("outer", sha, 7),
        ("undated", sha, None),
        ("absurd", sha, None),
    }
    assert "refs/tags/file" not in state.tips
    assert mirror.is_current(mirror.remote_refs(local(world), Access()))


def test_names_in_any_bytes_are_kept_apart(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    for name in ("zürich", "日本", "with-\udce9", "a&b<c>", "$(id)", "--upload-pack=x"):
        world.git("update-ref", f"refs/heads/{name}", "main")
    state = fetch(mirror, world)
    assert set(state.branches) == {"main", "zürich", "日本", "with-\\xe9", "a&b<c>", "$(id)", "--upload-pack=x"}
    assert mirror.is_current(mirror.remote_refs(local(world), Access()))


def test_a_question_for_news_is_answered_without_a_fetch(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    world.tag("v1", annotated=True)
    fetch(mirror, world)
    for with_head in (True, False):
        seen = mirror.remote_refs(local(world), Access(), with_head=with_head)
        assert mirror.is_current(seen)
        assert seen.head == ("main" if with_head else None)
    world.branch("other")
    assert not mirror.is_current(mirror.remote_refs(local(world), Access(), with_head=False))
    fetch(mirror, world)
    world.set_head("other")
    assert not mirror.is_current(mirror.remote_refs(local(world), Access()))


def test_nothing_new_is_not_fetched(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    state = fetch(mirror, world)
    heard: list[Progress] = []
    with mirror._owned():  # a fetch would need the lock
        assert mirror.fetch(local(world), Access(), on_progress=heard.append) == state
    assert heard == []


def test_progress_is_reported_by_phase(world: GitRepo, mirror: Mirror) -> None:
    for number in range(20):
        world.commit(files={f"f{number}": str(number)})
    heard: list[Progress] = []
    mirror.fetch(local(world), Access(), on_progress=heard.append)
    received = [step for step in heard if step.phase == "Receiving objects"]
    assert received[-1].done == received[-1].total == 60
    assert [step.done for step in received] == sorted(step.done for step in received)
    assert {step.phase for step in heard} >= {"Counting objects", "Receiving objects"}


def test_raising_in_the_progress_report_ends_the_fetch_and_it_can_be_repeated(world: GitRepo, mirror: Mirror) -> None:
    world.commit()

    def stop(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        mirror.fetch(local(world), Access(), on_progress=stop)
    assert fetch(mirror, world).head == "main"


@pytest.mark.parametrize("packed", [False, True])
def test_a_checkout_with_a_work_tree_is_a_remote_too(tmp_path: Path, mirror: Mirror, *, packed: bool) -> None:
    world = GitRepo(tmp_path / "bare")
    sha = world.commit(files={"a": "1"})
    subprocess.run(["git", "clone", "--quiet", str(world.path), str(tmp_path / "checkout")], check=True)
    if packed:
        subprocess.run(["git", "-C", str(tmp_path / "checkout"), "gc", "--quiet"], check=True)
    remote = parse_remote(str(tmp_path / "checkout"), allow_local=True)
    assert mirror.fetch(remote, Access()).branches == {"main": sha}


def test_what_is_no_repository_is_told_in_words(tmp_path: Path, mirror: Mirror) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(GitFailed) as failed:
            mirror.fetch(parse_remote(str(path), allow_local=True), Access())
        assert failed.value.kind == "not_found"


def test_a_shallow_remote_is_told_in_words(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    world.commit()
    url = f"file://{world.path}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", url, str(tmp_path / "shallow")], check=True)
    with pytest.raises(GitFailed) as failed:
        mirror.fetch(parse_remote(str(tmp_path / "shallow"), allow_local=True), Access())
    assert failed.value.kind == "shallow"
    assert "unshallow" in failed.value.for_people


def test_a_sha_256_repository_is_told_in_words(mirror: Mirror, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", "--object-format=sha256", str(tmp_path / "new")], check=True)
    tree = subprocess.run(
        ["git", "-C", str(tmp_path / "new"), "hash-object", "-w", "-t", "tree", "/dev/null"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    identity = ["-c", "user.name=A", "-c", "user.email=a@b"]
    commit = subprocess.run(
        ["git", *identity, "-C", str(tmp_path / "new"), "commit-tree", "-m", "x", tree],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    subprocess.run(["git", "-C", str(tmp_path / "new"), "update-ref", "refs/heads/main", commit], check=True)
    with pytest.raises(GitFailed) as failed:
        mirror.fetch(parse_remote(str(tmp_path / "new"), allow_local=True), Access())
    assert failed.value.kind == "object_format"


# Reading


def test_the_log_is_what_git_says_parents_first(world: GitRepo, mirror: Mirror) -> None:
    chance = random.Random(7)
    for number in range(80):
        branch = chance.choice(["main", "side", "other"])
        world.commit(
            f"Change {number}\n\nBody with ünïcode of {number}",
            branch=branch,
            at=START + chance.randint(-10_000, 10_000),
            author_at=START + chance.randint(-10_000, 10_000),
            zone=chance.choice(["+0000", "-0330", "+0545", "-1200", "+1400"]),
            author=("Zoë \N{SNOWMAN}", "zoe@example.com"),
            committer=GRACE,
        )
        if number % 10 == 9:
            world.merge("side", "other")
    fetch(mirror, world)
    found = logged(mirror)
    seen: set[bytes] = set()
    for commit in found:
        assert seen.issuperset(commit.parents)
        seen.add(commit.sha)
        said = world.git("log", "-1", "--date=raw", "--format=%P%n%ad%n%cd%n%an%n%ae%n%s", commit.sha.hex())
        parents, authored, committed, name, mail, subject = said.split("\n")
        assert [parent.hex() for parent in commit.parents] == parents.split()
        assert _raw(commit.authored, commit.author_offset) == authored
        assert _raw(commit.committed, commit.committer_offset) == committed
        assert (commit.author_name, commit.author_email, commit.subject) == (name, mail, subject)
        assert commit.message == world.git("log", "-1", "--format=%B", commit.sha.hex())
    assert {sha.hex() for sha in seen} == set(world.commits)


def _raw(time: int | None, offset: int | None) -> str:
    assert time is not None
    assert offset is not None
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{time} {'-' if offset < 0 else '+'}{hours:02}{minutes:02}"


def test_unsorted_the_log_has_the_same_commits(world: GitRepo, mirror: Mirror) -> None:
    for number in range(9):
        world.commit(str(number), branch=f"b{number % 3}")
    world.merge("b0", "b1", "b2", into="b0")
    fetch(mirror, world)
    unsorted = [c for batch in mirror.log(mirror.refs().tips.values(), sort=False) for c in batch.rows()]
    assert {c.sha: c for c in unsorted} == {c.sha: c for c in logged(mirror)}
    assert len(unsorted) == len(logged(mirror))


def test_only_what_is_new_is_logged_and_counted(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit()
    fetch(mirror, world)
    known = list(mirror.refs().tips.values())
    second = world.commit()
    third = world.commit(branch="side")
    world.point("main", first)
    fourth = world.commit("Instead")
    fetch(mirror, world)
    new = list(mirror.refs().tips.values())
    for graph in (False, True):
        if graph:
            mirror.write_commit_graph()
        assert {c.sha.hex() for c in logged(mirror, new, known)} == {second, third, fourth}
        assert mirror.count(new, known) == 3
        assert mirror.count(new) == 4
        assert logged(mirror, known, new) == []


def test_a_known_tip_that_is_gone_is_passed_over(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit()
    fetch(mirror, world)
    assert [c.sha.hex() for c in logged(mirror, [sha], ["1" * 40])] == [sha]
    assert mirror.count([sha], ["1" * 40]) == 1


def test_no_tips_means_no_commits_not_those_of_head(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit()
    fetch(mirror, world)
    assert logged(mirror, [], []) == []
    assert logged(mirror, [], [sha]) == []
    assert logged(mirror, ["1" * 40]) == []
    assert mirror.count([], [sha]) == 0


def test_closing_the_log_early_ends_git(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    fetch(mirror, world)
    log = mirror.log([world.sha("main")])
    assert len(next(log)) == 1
    log.close()
    assert next(log, None) is None


def test_a_short_sha_resolves_when_unambiguous(world: GitRepo, mirror: Mirror) -> None:
    shas = [world.commit(str(number)) for number in range(50)]
    fetch(mirror, world)
    for sha in shas:
        for text in (sha, sha[:7], sha[:20].upper(), f" {sha[:12]}\n"):
            assert mirror.resolve(text) == sha


def test_only_hex_of_seven_digits_and_more_is_looked_up(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit()
    world.branch("topic")
    fetch(mirror, world)
    for text in (
        "",
        sha[:6],
        sha + "0",
        "main",
        "HEAD",
        "topic",
        sha[:7] + "^",
        f"{sha}^{{tree}}",
        "@",
        "-1234567",
        "-" * 40,
        "é" * 8,
    ):
        assert mirror.resolve(text) is None
    assert mirror.resolve("0" * 40) is None
    assert mirror.resolve("0" * 7) is None


def test_a_sha_of_a_file_or_tree_is_none_and_of_a_tag_its_commit(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit(files={"a": "1"})
    tag = world.tag("v1", sha, annotated=True)
    fetch(mirror, world)
    assert mirror.resolve(world.git("rev-parse", f"{sha}:a")) is None
    assert mirror.resolve(world.git("rev-parse", f"{sha}^{{tree}}")[:12]) is None
    assert mirror.resolve(tag) == mirror.resolve(tag[:9]) == sha


def test_a_mirror_holds_the_commits_and_tags_that_it_has(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit()
    tag = world.tag("v1", annotated=True)
    blob = world.object("blob", b"text")
    world.git("update-ref", "refs/tags/file", blob)
    assert not mirror.holds([sha])
    fetch(mirror, world)
    assert mirror.holds([sha, tag])
    assert mirror.holds([])
    assert not mirror.holds([sha, "e" * 40])
    assert not mirror.holds([sha, blob])


def test_a_branch_named_like_a_sha_is_not_taken_for_it(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit("Right")
    wrong = world.commit("Wrong")
    world.branch(sha[:10], wrong)
    world.tag(sha[:12], wrong)
    fetch(mirror, world)
    assert mirror.resolve(sha[:10]) == sha
    assert mirror.resolve(sha[:12]) == sha


def test_an_ambiguous_prefix_names_its_candidates(world: GitRepo, mirror: Mirror) -> None:
    first, second = twins(world)
    fetch(mirror, world)
    assert first[:7] == second[:7]
    with pytest.raises(AmbiguousSha) as ambiguous:
        mirror.resolve(first[:7])
    assert ambiguous.value.candidates == tuple(sorted((first, second)))
    assert mirror.resolve(first[:12]) == first
    assert mirror.resolve(second) == second


def twins(world: GitRepo) -> tuple[str, str]:
    """Two commits that begin alike: found by trying committer times (some 2^14 of them), in memory."""
    tree = world.object("tree", b"")
    seen: dict[str, bytes] = {}
    for time_ in range(START, START + 200_000):
        body = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> {time_} +0000\n\nx\n".encode()
        sha = hashlib.sha1(b"commit %d\0%s" % (len(body), body), usedforsecurity=False).hexdigest()
        if other := seen.get(sha[:7]):
            pair = (world.object("commit", other), world.object("commit", body))
            world.point("one", pair[0])
            world.point("two", pair[1])
            return pair
        seen[sha[:7]] = body
    raise AssertionError("no twins")


def test_a_prefix_shared_with_a_file_is_not_ambiguous(world: GitRepo, mirror: Mirror) -> None:
    wanted: dict[str, bytes] = {}
    for number in range(60_000):
        content = b"%d" % number
        wanted[hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()[:7]] = content
    tree = world.object("tree", b"")
    for time_ in range(START, START + 400_000):
        body = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> {time_} +0000\n\nx\n".encode()
        sha = hashlib.sha1(b"commit %d\0%s" % (len(body), body), usedforsecurity=False).hexdigest()
        if sha[:7] in wanted:
            break
    else:
        raise AssertionError("no such pair")
    world.point("main", world.object("commit", body))
    world.commit(files={"twin": wanted[sha[:7]]})
    fetch(mirror, world)
    assert mirror.resolve(sha[:7]) == sha


def test_one_commit_is_read_by_its_sha(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit("First\n\nABC-1")
    world.commit()
    fetch(mirror, world)
    commit = mirror.commit(first)
    assert commit is not None
    assert (commit.sha.hex(), commit.message) == (first, "First\n\nABC-1\n")
    assert mirror.commit("1" * 40) is None
    with pytest.raises(ValueError, match="not a full sha"):
        mirror.commit("main")


# Life and upkeep


def test_creating_twice_keeps_what_is_there_and_deleting_takes_all(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    fetch(mirror, world)
    mirror.create()
    assert mirror.refs().head == "main"
    mirror.delete()
    assert not mirror.git_dir.exists()
    assert not mirror.exists
    mirror.delete()
    mirror.create()
    assert fetch(mirror, world).head == "main"


def test_a_mirror_is_readable_by_its_owner_only(mirror: Mirror) -> None:
    assert mirror.git_dir.stat().st_mode & 0o077 == 0


def test_a_deletion_that_was_cut_off_can_be_finished_or_undone(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    fetch(mirror, world)
    (mirror.git_dir / "HEAD").unlink()
    (mirror.git_dir / "packed-refs").unlink()
    assert not mirror.exists
    mirror.create()
    assert fetch(mirror, world).head == "main"
    (mirror.git_dir / "HEAD").unlink()
    mirror.delete()
    assert not mirror.git_dir.exists()


def test_writers_exclude_each_other_and_readers_nobody(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    state = fetch(mirror, world)
    world.commit()
    with mirror._owned():
        for write in (lambda: fetch(mirror, world), mirror.repack, mirror.delete):
            with pytest.raises(MirrorBusy) as busy:
                write()
            assert busy.value.temporary
        assert mirror.refs() == state
        assert len(logged(mirror)) == 1
        mirror.write_commit_graph()
    assert fetch(mirror, world) != state


def test_a_graph_is_written_by_one_at_a_time_while_fetches_go_on(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    fetch(mirror, world)
    sha = world.commit()
    half = mirror.git_dir / "objects/info/commit-graphs/tmp_graph_abc"
    half.parent.mkdir(parents=True)
    with mirror._owned(GRAPH_LOCK):
        half.touch()
        for write in (mirror.write_commit_graph, mirror.delete):
            with pytest.raises(MirrorBusy):
                write()
        assert fetch(mirror, world).branches == {"main": sha}
        assert half.exists()
    mirror.write_commit_graph()
    assert not half.exists()
    mirror.delete()
    assert not mirror.git_dir.exists()


def test_what_a_killed_git_left_is_cleaned_and_the_fetch_repeated(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    fetch(mirror, world)
    left = [
        "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "refs/heads/main.lock", "refs/heads/x/y.lock",
        "objects/info/commit-graphs/commit-graph-chain.lock", "objects/info/commit-graphs/tmp_graph_abc",
        "objects/pack/tmp_pack_abc", "objects/pack/tmp_idx_abc", "objects/pack/.tmp-12-pack-abc.pack",
        "objects/ab/tmp_obj_abc", "objects/pack/pack-abc.keep",
    ]  # fmt: skip
    for name in left:
        (mirror.git_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror.git_dir / name).touch()
    sha = world.commit()
    assert fetch(mirror, world).branches == {"main": sha}
    mirror.write_commit_graph()
    assert [name for name in left if (mirror.git_dir / name).exists()] == []
    assert (mirror.git_dir / LOCK).exists()


WORKER = """
import sys
from pathlib import Path
from shipmend.git.connect import Access
from shipmend.git.mirror import Mirror
from shipmend.git.remotes import parse_remote
def heard(step):
    print(step, flush=True)
Mirror(Path(sys.argv[1])).fetch(parse_remote(sys.argv[2], allow_local=True), Access(), on_progress=heard)
"""


@pytest.mark.parametrize("phase", ["Counting", "Receiving", "Resolving"])
def test_a_worker_killed_in_a_fetch_leaves_a_mirror_that_can_go_on(phase: str, world: GitRepo, mirror: Mirror) -> None:
    line = "".join(f"line {number}\n" for number in range(400))
    for number in range(150):
        world.commit(files={f"f{number}": line + str(number), "same": line + "x" * number})
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(mirror.git_dir), world.url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    ) as worker:
        assert worker.stdout is not None
        assert any(phase in step for step in worker.stdout)
        worker.send_signal(signal.SIGKILL)
    for _ in range(600):  # until the git it had started is gone, the mirror is busy
        try:
            state = fetch(mirror, world)
            break
        except MirrorBusy:
            time.sleep(0.05)
    else:
        raise AssertionError("the lock outlived the worker's git")
    assert state.branches == {"main": world.sha("main")}
    assert mirror.count(state.tips.values()) == 150
    assert list((mirror.git_dir / "objects/pack").glob("*tmp*")) == []
    run_git(["fsck", "--strict"], git_dir=mirror.git_dir)


def test_the_lock_lasts_as_long_as_a_git_that_inherited_it(mirror: Mirror) -> None:
    with mirror._owned() as lock:
        orphan = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
    with orphan:
        with pytest.raises(MirrorBusy):
            mirror.repack()
        orphan.kill()
    mirror.repack()


def test_git_inherits_the_lock_in_a_fetch(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    holders: set[str] = set()

    def look() -> None:
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if link.readlink() == mirror.git_dir / LOCK:
                    holders.add((link.parents[1] / "comm").read_text().strip())

    with GitServer(tmp_path) as server:
        seen = mirror.remote_refs(server.remote("upstream.git"), server.access())
        server.on_request = look
        mirror.fetch(server.remote("upstream.git"), server.access(), seen=seen)
    assert "git" in holders


def test_the_graph_changes_no_answer_and_paths_are_added_later(world: GitRepo, mirror: Mirror) -> None:
    for number in range(30):
        world.commit(files={f"f{number % 5}": str(number)}, branch="side" if number % 3 else "main")
    world.merge("side")
    fetch(mirror, world)
    before = logged(mirror)
    mirror.write_commit_graph(changed_paths=False)
    assert logged(mirror) == before
    assert mirror._graph_lacks_paths()
    mirror.write_commit_graph()
    assert not mirror._graph_lacks_paths()
    assert logged(mirror) == before
    world.commit()
    fetch(mirror, world)
    mirror.write_commit_graph()
    assert logged(mirror, known=[c.sha.hex() for c in before[-1:]])
    run_git(["commit-graph", "verify"], git_dir=mirror.git_dir)


def test_packs_of_many_fetches_become_few(world: GitRepo, mirror: Mirror) -> None:
    for number in range(12):
        world.commit(files={"a": str(number)})
        fetch(mirror, world)
    packs = mirror.git_dir / "objects/pack"
    assert len(list(packs.glob("*.pack"))) == 12
    mirror.repack()
    assert len(list(packs.glob("*.pack"))) < 5
    assert len(by_sha(mirror)) == 12
