"""Remotes and repositories that mean harm, or are only absurd. Each test fails without the defence it names."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.git.helpers import by_sha, fetch, local, logged
from tests.gitserver import GitServer
from tests.gitworld import GitRepo

from shipmend.git import diffs, paths
from shipmend.git.connect import Access
from shipmend.git.mirror import Mirror
from shipmend.git.parse import LATEST, MESSAGE_CAP
from shipmend.git.remotes import Remote, parse_remote
from shipmend.git.run import GitFailed, GitLimits, run_git

REF = "+refs/heads/*:refs/heads/*"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that some attack would create."""
    return tmp_path / "canary"


@pytest.fixture
def trap(tmp_path: Path, canary: Path) -> Path:
    """A program that says it was run."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    trap.chmod(0o755)
    return trap


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port that must hear nothing, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                heard.append(b"connected")
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
        done.set()
        thread.join()


# Addresses as options and as programs: ours is refused by parse_remote, and harmless to git if it were not


@pytest.mark.parametrize("kind", ["https", "local"])
@pytest.mark.parametrize("form", ["--upload-pack={trap}", "-u{trap}", "ext::{trap}", "fd::0", "ext::{trap} %S"])
def test_no_address_starts_a_program(
    kind: str, form: str, mirror: Mirror, trap: Path, canary: Path, tmp_path: Path
) -> None:
    remote = Remote("https" if kind == "https" else "local", form.format(trap=trap), "h.example", 443)
    access = Access(resolve=lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 443))])
    for call in (mirror.remote_refs, mirror.fetch):
        with pytest.raises(GitFailed):
            call(remote, access)
    assert not canary.exists()


def test_ext_would_start_a_program_if_it_were_allowed(mirror: Mirror, trap: Path, canary: Path) -> None:
    """So the test above can fail."""
    with pytest.raises(GitFailed):
        run_git(["ls-remote", f"ext::{trap}"], env_extra={"GIT_ALLOW_PROTOCOL": "ext"})
    assert canary.exists()


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "ext::git-upload-pack {path}"])
def test_an_https_remote_never_reads_this_machine(form: str, world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    remote = Remote("https", form.format(path=world.path), "h.example", 443)
    with pytest.raises(GitFailed, match="not allowed") as failed:
        mirror.fetch(remote, Access(resolve=lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 443))]))
    assert failed.value.kind == "protocol"
    assert mirror.refs().tips == {}


@pytest.mark.parametrize("scheme", ["git", "http"])
def test_unencrypted_protocols_connect_nowhere(scheme: str, mirror: Mirror, listener: tuple[int, list[bytes]]) -> None:
    port, heard = listener
    remote = Remote("https", f"{scheme}://127.0.0.1:{port}/x", "127.0.0.1", port)
    with pytest.raises(GitFailed, match="not allowed"):
        mirror.remote_refs(remote, Access(allow_private=True))
    assert heard == []


def test_without_a_connection_no_protocol_is_allowed(world: GitRepo, mirror: Mirror) -> None:
    world.commit()
    with pytest.raises(GitFailed, match="not allowed"):
        run_git(["fetch", str(world.path), REF], git_dir=mirror.git_dir)


# Revisions as options


@pytest.mark.parametrize(
    "text", ["--output={canary}", "--all", "-1", "HEAD", "refs/heads/main", "main..side", ":/x", "@{0}"]
)
def test_no_revision_is_an_option_or_a_name(text: str, world: GitRepo, mirror: Mirror, canary: Path) -> None:
    world.commit()
    fetch(mirror, world)
    text = text.replace("{canary}", str(canary))
    assert mirror.resolve(text) is None
    for call in (
        lambda: logged(mirror, [text]),
        lambda: logged(mirror, [world.sha("main")], [text]),
        lambda: mirror.count([text]),
        lambda: mirror.commit(text),
    ):
        with pytest.raises(ValueError, match="not a full sha"):
            call()
    assert not canary.exists()


# The machine's settings


def test_nothing_of_the_users_or_the_machines_settings_reaches_git(
    world: GitRepo, mirror: Mirror, trap: Path, canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit()
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    evil = f'[url "/nowhere"]\n\tinsteadOf = {world.path}\n[core]\n\tsshCommand = {trap}\n\tfsmonitor = {trap}\n'
    (home / ".gitconfig").write_text(evil)
    (home / ".config/git/config").write_text(evil)
    (home / ".netrc").write_text("default login u password p\n")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").symlink_to(trap)
    inherited = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_SYSTEM": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(hooks),
        "GIT_CONFIG_PARAMETERS": f"'core.hooksPath={hooks}'",
        "GIT_DIR": str(tmp_path),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(canary),
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(tmp_path),
        "GIT_NAMESPACE": "away",
        "GIT_TEMPLATE_DIR": str(tmp_path),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_SSH": str(trap),
        "GIT_SSH_COMMAND": str(trap),
        "GIT_ASKPASS": str(trap),
        "SSH_ASKPASS": str(trap),
        "GIT_PROXY_COMMAND": str(trap),
        "GIT_EXTERNAL_DIFF": str(trap),
        "GIT_PAGER": str(trap),
        "GIT_TRACE": str(canary),
        "GIT_ALLOW_PROTOCOL": "ext:file:http",
        "GIT_TERMINAL_PROMPT": "1",
        "GIT_SSL_NO_VERIFY": "1",
        "https_proxy": "http://127.0.0.1:9",
        "LD_PRELOAD": "",
        "LC_ALL": "fr_FR.UTF-8",
        "LANGUAGE": "fr",
    }
    for name, value in inherited.items():
        monkeypatch.setenv(name, value)
    seen = run_git(["-c", "alias.env=!env", "env"]).decode()
    monkeypatch.undo()  # what follows starts git by hand as well
    for name, value in inherited.items():
        assert f"{name}={value}\n" not in seen
    for name, value in inherited.items():
        if not name.startswith(("GIT_DIR", "LD_")):
            monkeypatch.setenv(name, value)
    other = Mirror(tmp_path / "data/other.git")
    other.create()
    state = other.fetch(local(world), Access())
    settings = run_git(["config", "--list", "--show-origin"], git_dir=other.git_dir).decode()
    assert state.head == "main"
    assert str(home) not in settings
    assert not canary.exists()


def test_the_home_of_whoever_runs_the_service_is_not_gits() -> None:
    """Where it is not set at all, libcurl asks the machine for it, and reads the .netrc that lies there."""
    seen = run_git(["-c", "alias.env=!env", "env"]).decode().splitlines()
    homes = [Path(line.partition("=")[2]) for line in seen if line.startswith(("HOME=", "XDG_CONFIG_HOME="))]
    assert len(homes) == 2
    for home in homes:
        with pytest.raises(NotADirectoryError):
            (home / ".netrc").write_text("default login u password p\n")


def test_a_repository_around_the_current_directory_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", str(inside)], check=True)
    monkeypatch.chdir(inside)
    for args in (["rev-parse", "--git-dir"], ["-C", str(inside), "rev-parse", "--git-dir"]):
        with pytest.raises(GitFailed, match="not a git repository"):
            run_git(args)


def test_a_current_directory_that_is_gone_does_not_matter(
    tmp_path: Path, world: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run_git(["rev-parse", "--is-bare-repository"], git_dir=world.path) == b"true\n"


def test_an_embedded_bare_repository_is_not_stumbled_into(
    world: GitRepo, trap: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory of an upstream can look like a repository, with settings that start programs."""
    world.git("config", "core.fsmonitor", str(trap))
    world.git("config", "alias.boom", f"!{trap}")
    with pytest.raises(GitFailed):
        run_git(["-C", str(world.path), "boom"], env_extra={"GIT_DIR": ""})
    with pytest.raises(GitFailed, match=r"not a git command"):
        run_git(["-c", "alias.unset=!cd " + str(world.path) + " && unset GIT_DIR && git boom", "unset"])
    assert not canary.exists()


def test_hooks_in_the_mirror_do_not_run(world: GitRepo, mirror: Mirror, trap: Path, canary: Path) -> None:
    hooks = mirror.git_dir / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-fetch", "pre-auto-gc", "update", "post-update", "post-index-change"):
        (hooks / name).symlink_to(trap)
    sha = world.commit()
    assert fetch(mirror, world).branches == {"main": sha}
    mirror.write_commit_graph()
    assert not canary.exists()


def test_a_template_brings_no_hooks(tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = tmp_path / "template"
    (template / "hooks").mkdir(parents=True)
    (template / "hooks/reference-transaction").symlink_to(trap)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(template))
    mirror = Mirror(tmp_path / "data/m.git")
    mirror.create()
    assert not (mirror.git_dir / "hooks").exists()


def test_hooks_of_a_local_remote_do_not_run(world: GitRepo, mirror: Mirror, trap: Path, canary: Path) -> None:
    world.commit()
    world.git("config", "uploadpack.packObjectsHook", str(trap))
    (world.path / "hooks").mkdir()
    for name in ("pre-upload", "post-upload", "pre-receive", "upload-pack", "reference-transaction", "post-update"):
        (world.path / "hooks" / name).symlink_to(trap)
    assert fetch(mirror, world).head == "main"
    assert not canary.exists()


@pytest.mark.parametrize("command", [diffs._FILES, diffs._LINES, paths._MERGES], ids=["files", "lines", "merges"])
def test_no_program_compares_files(
    command: tuple[str, ...], world: GitRepo, mirror: Mirror, trap: Path, canary: Path
) -> None:
    """Neither a whole driver nor one that turns a file into text, though settings name both and they are asked for."""
    pair = [world.commit(files={"a": "1\n"}), world.commit(files={"a": "2\n"}, branch="topic")]
    pair.append(world.commit(files={"a": "3\n"}, parents=pair))
    fetch(mirror, world)
    (mirror.git_dir / "info").mkdir(exist_ok=True)
    (mirror.git_dir / "info/attributes").write_text("* diff=evil\n")
    for setting in ("diff.external", "diff.evil.command", "diff.evil.textconv"):
        run_git(["config", setting, str(trap)], git_dir=mirror.git_dir)

    def compare(*words: str) -> None:
        asked = f"{pair[2]} {pair[0]}\n{pair[2]}\n".encode()
        run_git(["diff-tree", "-p", "--ext-diff", "--textconv", *words], git_dir=mirror.git_dir, stdin=asked)

    compare(*command[1:])
    assert not canary.exists()
    with suppress(GitFailed):  # the trap tells of no difference
        compare("--stdin")
    assert canary.exists()


# Histories that lie


def test_replace_refs_change_nothing(world: GitRepo, mirror: Mirror) -> None:
    shas = [world.commit(str(number)) for number in range(5)]
    world.git("replace", shas[4], world.commit("Evil", branch="evil", parents=[]))
    fetch(mirror, world)
    run_git(["update-ref", f"refs/replace/{shas[4]}", world.sha("evil")], git_dir=mirror.git_dir)
    assert {c.sha.hex() for c in logged(mirror, [shas[4]])} == set(shas)
    assert mirror.count([shas[4]]) == 5


def test_a_graft_file_changes_nothing(world: GitRepo, mirror: Mirror) -> None:
    shas = [world.commit(str(number)) for number in range(5)]
    fetch(mirror, world)
    (mirror.git_dir / "info").mkdir(exist_ok=True)
    (mirror.git_dir / "info/grafts").write_text(shas[4] + "\n")
    assert {c.sha.hex() for c in logged(mirror, [shas[4]])} == set(shas)
    assert mirror.count([shas[4]]) == 5


def test_a_time_below_zero_does_not_stop_the_graph(world: GitRepo, mirror: Mirror) -> None:
    """With corrected commit dates (generation version 2), git 2.39 computes for ever: see the limit of time."""
    world.raw_commit(committer=b"A <a@b> -5 +0000")
    for number in range(7):
        world.commit(str(number))
    fetch(mirror, world)
    graph = ["commit-graph", "write", "--reachable", "--split", "--changed-paths", "--no-progress"]
    run_git(graph, git_dir=mirror.git_dir, limits=GitLimits(wall=20))
    mirror.write_commit_graph()
    assert mirror.count([world.sha("main")]) == 8
    assert [c.bad_date for c in logged(mirror)] == [True] + [False] * 7


def test_a_time_the_graph_cannot_hold_is_marked_bad_not_shortened(world: GitRepo, mirror: Mirror) -> None:
    """The graph keeps 34 bits, so times are taken from the log alone."""
    late = world.raw_commit(committer=b"A <a@b> %d +0000" % (2**34 + 1_700_000_000))
    edge = world.raw_commit(committer=b"A <a@b> %d +0000" % LATEST)
    fetch(mirror, world)
    mirror.write_commit_graph()
    found = by_sha(mirror)
    assert (found[late].committed, found[late].bad_date) == (None, True)
    assert (found[edge].committed, found[edge].bad_date) == (LATEST, False)
    alone = mirror.commit(late)
    assert alone is not None
    assert alone.committed is None


@pytest.mark.parametrize(
    ("author", "time", "offset", "name", "mail"),
    [
        (b"A <a@b> 1700000000 +0100", 1700000000, 3600, "A", "a@b"),
        (b"A <a@b> 9223372036854775808 +0000", None, 0, "A", "a@b"),
        (b"A <a@b> 99999999999999999999999 +0000", None, 0, "A", "a@b"),
        (b"A <a@b> 18446744073709551615 +0000", None, 0, "A", "a@b"),
        (b"A <a@b> -2147483648 +0000", None, None, "A", "a@b"),
        (b"A <a@b>", None, None, "A", "a@b"),
        (b"A <a@b> 1700000000", None, None, "A", "a@b"),
        (b"A <a@b> twelve +0000", None, None, "A", "a@b"),
        (b"A a@b 1700000000 +0000", None, None, "", ""),
        (b"", None, None, "", ""),
        (b"<> 0 +0000", 0, 0, "", ""),
        (b"A <a@b> 1700000000 +9999", 1700000000, None, "A", "a@b"),
        (b"A <a@b> 1700000000 +51800", 1700000000, None, "A", "a@b"),
        (b"A <a@b> 1700000000 -1401", 1700000000, None, "A", "a@b"),
        (b"A <a@b> 1700000000 -1400", 1700000000, -50400, "A", "a@b"),
        (b"A <a@b> 1700000000 +5", 1700000000, 300, "A", "a@b"),
        (b"A\x07\x1b[2J\xe2\x80\xae <a@\x01b> 5 +0000", 5, 0, "A[2J", "a@b"),
        (b"\xff\xfe <\xe9@b> 5 +0000", 5, 0, "\ufffd\ufffd", "\ufffd@b"),
        (b"A <a@b>> 5 +0000", 5, 0, "A", "a@b"),
        (b"A " + b"x" * 100_000 + b" <a@b> 5 +0000", 5, 0, "A " + "x" * 198, "a@b"),
    ],
)
def test_an_absurd_author_is_read_and_marked(
    author: bytes, time: int | None, offset: int | None, name: str, mail: str, world: GitRepo, mirror: Mirror
) -> None:
    before = world.commit("Before")
    bad = world.raw_commit(author=author)
    after = world.commit("After")
    fetch(mirror, world)
    found = by_sha(mirror)
    assert list(found) == [before, bad, after]
    commit = found[bad]
    assert (commit.authored, commit.author_offset, commit.author_name, commit.author_email) == (
        time,
        offset,
        name,
        mail,
    )
    assert commit.bad_date == (time is None)
    assert (found[after].subject, found[after].bad_date) == ("After", False)


@pytest.mark.parametrize(
    ("headers", "message", "subject"),
    [
        (b"encoding ISO-8859-1\n", b"Caf\xe9\n", "Café"),
        (b"", b"Caf\xe9\n", "Caf\ufffd"),
        (b"encoding x-klingon\n", b"Caf\xe9\n", "Caf\ufffd"),
        (b"encoding UTF-16\n", b"Caf\xe9\n", None),
        (b"", b"\xed\xa0\x80 lone surrogate\n", "\ufffd\ufffd\ufffd lone surrogate"),
        (b"", b"Before\0after\n", "Before"),
        (b"", b"", ""),
        (b"", b"\n\n\n", ""),
        (b"gpgsig -----BEGIN\n odd\n -----END\nmergetag x\n", b"Signed\n", "Signed"),
    ],
)
def test_an_absurd_message_is_read(
    headers: bytes, message: bytes, subject: str | None, world: GitRepo, mirror: Mirror
) -> None:
    bad = world.raw_commit(headers=headers, message=message)
    after = world.commit("After")
    fetch(mirror, world)
    found = by_sha(mirror)
    assert subject in {None, found[bad].subject}
    found[bad].message.encode("utf-8")  # no lone surrogate
    assert "\0" not in found[bad].message
    assert (len(found), found[after].subject) == (2, "After")


def test_text_comes_in_utf_8_whatever_a_repository_is_set_to(world: GitRepo, mirror: Mirror) -> None:
    sha = world.commit("Größe", author=("Zoë", "zoe@example.org"))
    fetch(mirror, world)
    for setting in ("i18n.logOutputEncoding", "i18n.commitEncoding"):
        run_git(["config", setting, "latin1"], git_dir=mirror.git_dir)
    assert (by_sha(mirror)[sha].subject, by_sha(mirror)[sha].author_name) == ("Größe", "Zoë")


def test_an_enormous_message_costs_little_memory_and_is_cut(world: GitRepo, mirror: Mirror) -> None:
    bad = world.raw_commit(message=b"Big\n\n" + b"x" * (40 << 20))
    after = world.commit("After")
    fetch(mirror, world)
    tracemalloc.start()
    try:
        found = by_sha(mirror)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found[bad].message) == MESSAGE_CAP
    assert found[after].subject == "After"
    assert peak < 12 << 20


def test_what_fsck_refuses_is_still_a_repository(world: GitRepo, mirror: Mirror) -> None:
    """As flask: transfer.fsckObjects=true refuses it."""
    blob = world.object("blob", b"1\n")
    padded = world.object(
        "tree", b"040000 d\0" + bytes.fromhex(world.object("tree", b"100644 a\0" + bytes.fromhex(blob)))
    )
    unsorted = world.object("tree", b"100644 b\0" + bytes.fromhex(blob) + b"100644 a\0" + bytes.fromhex(blob))
    twice = world.object("tree", (b"100644 a\0" + bytes.fromhex(blob)) * 2)
    for tree in (padded, unsorted, twice):
        body = f"tree {tree}\nauthor A <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\n\nx\n"
        world.point(f"b{tree}", world.object("commit", body.encode()))
    world.raw_commit(author=b"A <a@b> 007 +0000", headers=b"author B <b@c> 5 +0000\n", branch="authors")
    state = fetch(mirror, world)
    assert len(state.branches) == len(logged(mirror)) == 4


# Sizes


def test_an_endless_pack_ends_at_the_limit_of_a_file(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"big": os.urandom(8 << 20)})
    with pytest.raises(GitFailed) as failed:
        mirror.fetch(local(world), Access(), limits=GitLimits(file_size=1 << 20))
    assert failed.value.kind == "limit"
    assert "limit" in failed.value.for_people
    assert fetch(mirror, world).head == "main"
    assert list((mirror.git_dir / "objects/pack").glob("tmp_*")) == []


def test_a_bomb_ends_at_the_limit_of_memory(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"zeros": b"\0" * (200 << 20)})
    with pytest.raises(GitFailed) as failed:
        mirror.fetch(local(world), Access(), limits=GitLimits(address_space=180 << 20))
    assert failed.value.kind == "limit"
    assert mirror.refs().tips == {}


@pytest.mark.parametrize("alone", [False, True], ids=["log", "one"])
def test_no_list_of_other_names_is_read_out_of_a_repository(
    alone: bool, world: GitRepo, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git log would read a .mailmap of any size, for names that it then doesn't print."""
    sha = world.commit(files={".mailmap": b"\n" * (64 << 20)})
    fetch(mirror, world)
    monkeypatch.setattr("shipmend.git.mirror.LOG_LIMITS", GitLimits(address_space=60 << 20))
    found = mirror.commit(sha) if alone else by_sha(mirror)[sha]
    assert found is not None
    assert found.author_name == "Ada Lovelace"


# Damage


def test_a_damaged_pack_from_the_remote_is_refused_and_leaves_the_mirror_as_it_was(
    world: GitRepo, mirror: Mirror
) -> None:
    first = world.commit(files={"a": "1"})
    fetch(mirror, world)
    second = world.commit(files={"b": "2"})
    place = world.loose(second)
    good = place.read_bytes()
    place.write_bytes(good[:20])
    with pytest.raises(GitFailed) as failed:
        fetch(mirror, world)
    assert failed.value.kind in {"damaged", "upstream_damaged"}
    assert not mirror.is_partial
    assert mirror.refs().branches == {"main": first}
    place.write_bytes(good)
    assert fetch(mirror, world).branches == {"main": second}


def test_a_remote_without_some_files_gives_its_commits(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"kept": "1\n", "lost": "2\n"})
    lost = world.object("blob", b"2\n")
    world.loose(lost).unlink()
    assert fetch(mirror, world).head == "main"
    assert mirror.is_partial
    assert len(logged(mirror)) == 1
    for number in range(3):
        world.commit(files={f"f{number}": str(number)})
        fetch(mirror, world)
    assert len(logged(mirror)) == 4
    mirror.write_commit_graph()
    mirror.repack()
    assert mirror.count([world.sha("main")]) == 4
    with pytest.raises(GitFailed):
        run_git(["cat-file", "blob", lost], git_dir=mirror.git_dir)


def test_a_mirror_without_files_is_filled_up_once_its_remote_is_mended(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"kept": "1\n", "lost": "2\n"})
    lost = world.object("blob", b"2\n")
    content = world.loose(lost).read_bytes()
    world.loose(lost).unlink()
    fetch(mirror, world)
    mirror.fetch(local(world), Access(), refill=True)
    assert mirror.is_partial
    world.loose(lost).write_bytes(content)
    fetch(mirror, world)
    assert mirror.is_partial
    refs = mirror.fetch(local(world), Access(), refill=True)
    assert refs.objects == mirror.remote_refs(local(world), Access()).objects
    assert not Mirror(mirror.git_dir).is_partial
    assert run_git(["cat-file", "blob", lost], git_dir=mirror.git_dir) == b"2\n"
    world.commit(files={"more": "3\n"})
    fetch(mirror, world)
    mirror.repack()
    run_git(["fsck", "--connectivity-only", "--no-dangling"], git_dir=mirror.git_dir)


def test_a_remote_without_some_directories_gives_its_commits(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"d/a": "1"})
    tree = world.git("rev-parse", "main:d")
    world.commit(files={"d/a": "2"})
    world.loose(tree).unlink()
    assert fetch(mirror, world).head == "main"
    assert mirror.is_partial
    assert len(logged(mirror)) == 2
    world.commit(files={"e": "3"})
    fetch(mirror, world)
    assert len(logged(mirror)) == 3


def test_a_whole_mirror_survives_its_remote_losing_files(world: GitRepo, mirror: Mirror) -> None:
    world.commit(files={"a": "1"})
    fetch(mirror, world)
    world.commit(files={"b": "2"})
    world.loose(world.object("blob", b"2")).unlink()
    fetch(mirror, world)
    assert mirror.is_partial
    assert len(logged(mirror)) == 2
    assert run_git(["cat-file", "blob", "main:a"], git_dir=mirror.git_dir) == b"1"


def test_a_remote_without_some_commits_is_told_in_words(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit()
    world.commit()
    world.loose(first).unlink()
    with pytest.raises(GitFailed) as failed:
        fetch(mirror, world)
    assert failed.value.kind == "upstream_damaged"
    assert "damaged" in failed.value.for_people
    assert not mirror.is_partial
    assert mirror.refs().tips == {}


def test_branches_and_tags_that_a_remote_cannot_read_cost_only_themselves(world: GitRepo, mirror: Mirror) -> None:
    good = world.commit("One")
    lost = world.commit("Two", branch="broken")
    world.commit("Three", branch="broken")
    world.tag("v1", good)
    world.tag("lost", lost, annotated=True)
    for number in range(20):
        world.branch(f"b{number}", good)
    world.point("nothing", "1234567890" * 4)
    spoiled = world.loose(lost).read_bytes()
    world.loose(lost).unlink()
    damaged = ("refs/heads/broken", "refs/heads/nothing", "refs/tags/lost")
    refs = fetch(mirror, world)
    assert refs.unreadable == damaged
    assert refs.head == "main"
    assert set(refs.objects) == {"refs/heads/main", "refs/tags/v1", *(f"refs/heads/b{number}" for number in range(20))}
    assert not mirror.is_partial
    world.delete_branch("b3")
    later = world.commit("Four")
    refs = fetch(mirror, world)
    assert (refs.branches["main"], refs.unreadable) == (later, damaged)
    assert "b3" not in refs.branches
    world.loose(lost).write_bytes(spoiled)
    world.delete_branch("nothing")
    refs = fetch(mirror, world)
    assert refs.unreadable == ()
    assert refs.objects == mirror.remote_refs(local(world), Access()).objects


def test_a_branch_that_was_readable_once_stays_where_it_was(world: GitRepo, mirror: Mirror) -> None:
    first = world.commit("One")
    world.branch("topic")
    fetch(mirror, world)
    world.loose(world.commit("Two")).unlink()
    refs = fetch(mirror, world)
    assert (refs.branches, refs.unreadable) == ({"main": first, "topic": first}, ("refs/heads/main",))


@pytest.mark.parametrize("name", [b"x\xff", "größe".encode()])
def test_names_in_any_bytes_survive_being_fetched_apart(name: bytes, world: GitRepo, mirror: Mirror) -> None:
    good = world.commit("One")
    world.git("update-ref", "--stdin", stdin=b"create refs/heads/%s %s\n" % (name, good.encode()))
    world.point("nothing", "1234567890" * 4)
    refs = fetch(mirror, world)
    assert refs.unreadable == ("refs/heads/nothing",)
    assert set(refs.objects) == {"refs/heads/main", f"refs/heads/{name.decode('utf-8', 'backslashreplace')}"}


def test_nothing_is_fetched_behind_our_back(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    """A mirror with missing files never asks for them, not even when its settings name a place."""
    world.commit(files={"a": "1", "lost": "2"})
    blob = world.object("blob", b"2")
    spoiled = world.loose(blob).read_bytes()
    world.loose(blob).unlink()
    fetch(mirror, world)
    world.loose(blob).write_bytes(spoiled)
    run_git(["config", "remote.upstream.url", str(world.path)], git_dir=mirror.git_dir)
    with pytest.raises(GitFailed):
        run_git(["cat-file", "blob", blob], git_dir=mirror.git_dir, env_extra={"GIT_ALLOW_PROTOCOL": "file"})


# Ownership


def test_a_local_remote_of_another_user_is_read_for_the_operator(
    world: GitRepo, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit()
    others = Access(environment={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert mirror.fetch(local(world), others).head == "main"
    with pytest.raises(GitFailed) as failed:
        run_git(
            ["ls-remote", str(world.path)],
            env_extra={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_ALLOW_PROTOCOL": "file"},
        )
    assert failed.value.kind == "ownership"


# Questions, redirects, second addresses


def test_git_asks_nobody_for_a_password(
    world: GitRepo, mirror: Mirror, tmp_path: Path, trap: Path, canary: Path
) -> None:
    world.commit()
    for setting in ("credential.helper", "core.askPass"):
        run_git(["config", setting, str(trap)], git_dir=mirror.git_dir)
    with GitServer(tmp_path, login=("u", "p")) as server, pytest.raises(GitFailed) as failed:
        mirror.fetch(server.remote("upstream.git"), server.access())
    assert failed.value.kind == "auth"
    assert "terminal prompts disabled" in failed.value.stderr
    assert not canary.exists()


def test_redirects_are_not_followed(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    """To an address that no check has seen. By default git follows the first."""
    world.commit()
    with GitServer(tmp_path) as victim, GitServer(tmp_path, redirect_to=f"https://127.0.0.1:{victim.port}") as server:
        with pytest.raises(GitFailed) as failed:
            mirror.fetch(server.remote("upstream.git"), server.access())
        assert server.requests
        assert victim.requests == []
    assert failed.value.kind == "redirect"
    assert "final address" in failed.value.for_people


def test_a_static_server_cannot_name_alternates(
    world: GitRepo, mirror: Mirror, tmp_path: Path, listener: tuple[int, list[bytes]]
) -> None:
    """The old protocol over plain files lets a server name others to ask for objects."""
    port, heard = listener
    sha = world.commit()
    world.git("update-server-info")
    (world.path / "objects/info").mkdir(exist_ok=True)
    (world.path / "objects/info/http-alternates").write_text(f"https://127.0.0.1:{port}/objects\n")
    world.loose(sha).unlink()
    with GitServer(tmp_path, static=True) as server, pytest.raises(GitFailed):
        mirror.fetch(server.remote("upstream.git"), server.access())
    assert any("alternates" in request or sha[2:] in request for request in server.requests)
    assert heard == []


def test_a_server_cannot_name_bundles_to_be_brought_from_elsewhere(
    world: GitRepo, mirror: Mirror, tmp_path: Path, listener: tuple[int, list[bytes]]
) -> None:
    """Newer gits ask for such a list, where settings say so, and follow it to any address."""
    port, heard = listener
    sha = world.commit()
    for setting, value in (
        ("uploadpack.advertiseBundleURIs", "true"),
        ("bundle.version", "1"),
        ("bundle.mode", "all"),
        ("bundle.all.uri", f"http://127.0.0.1:{port}/bundle"),
    ):
        world.git("config", setting, value)
    run_git(["config", "transfer.bundleURI", "true"], git_dir=mirror.git_dir)
    with GitServer(tmp_path) as server:
        assert mirror.fetch(server.remote("upstream.git"), server.access()).branches == {"main": sha}
    assert heard == []
    assert run_git(["config", "--get", "transfer.bundleURI"], git_dir=mirror.git_dir) == b"false\n"


def test_a_remote_made_by_hand_is_what_these_tests_bypass() -> None:
    for text in ("--upload-pack=x", "ext::x", "git://h/x", "http://h/x", "/etc"):
        with pytest.raises(ValueError, match="address"):
            parse_remote(text, allow_local=False)
