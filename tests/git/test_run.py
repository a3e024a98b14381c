"""The runner: what git gets, what comes back, and that nothing outlives a call."""

from __future__ import annotations

import fcntl
import os
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gitworld import GitRepo

from shipmend.git import run
from shipmend.git.errors import readable
from shipmend.git.run import (
    GitFailed,
    GitLimits,
    GitMissing,
    GitTimeout,
    GitTooMuch,
    GitTooOld,
    git_version,
    redact,
    run_git,
    stream_git,
)

SLEEP = ("-c", "alias.nap=!sleep 60 & echo started; sleep 60", "nap")


def alive(marker: Path) -> list[int]:
    """Processes that have `marker` in their environment. One that was just killed gets a moment to vanish."""
    found: list[int] = []
    for _ in range(200):
        found = _with(marker)
        if not found:
            break
        time.sleep(0.01)
    return found


def _with(marker: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(marker).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_what_git_prints_comes_back() -> None:
    assert run_git(["version"]).startswith(b"git version 2.")
    assert git_version() >= (2, 37)


def test_stdin_of_any_size_is_fed_while_output_is_read(world: GitRepo) -> None:
    sha = world.commit()
    asked = f"{sha}\n".encode() * 200_000
    answer = run_git(["cat-file", "--batch-check=%(objectname)"], git_dir=world.path, stdin=asked)
    assert answer == asked


def test_git_may_close_its_stdin_early(world: GitRepo) -> None:
    assert run_git(["version"], stdin=b"x" * (8 << 20)).startswith(b"git version")


def test_a_stream_comes_in_chunks_and_whole(world: GitRepo) -> None:
    sha = world.object("blob", os.urandom(5 << 20))
    with stream_git(["cat-file", "blob", sha], git_dir=world.path) as chunks:
        sizes = [len(chunk) for chunk in chunks]
    assert sum(sizes) == 5 << 20
    assert max(sizes) <= 2 << 20
    assert min(sizes[:-1]) >= 1 << 20


def test_a_failure_tells_command_code_and_what_git_said(world: GitRepo) -> None:
    with pytest.raises(GitFailed, match=r"git cat-file blob main.*code 128.*[Nn]ot a valid") as failed:
        run_git(["cat-file", "blob", "main"], git_dir=world.path)
    assert failed.value.code == 128


def test_a_failure_while_streaming_is_raised_after_what_came_before(world: GitRepo) -> None:
    world.commit()
    broken = world.raw_commit(parents=["0" * 39 + "1"])
    with (
        pytest.raises(GitFailed) as failed,
        stream_git(["log", "--format=%H", "--stdin"], git_dir=world.path, stdin=broken.encode()) as chunks,
    ):
        assert b"".join(chunks)
    assert failed.value.kind == "damaged"


def test_the_time_is_up_and_the_whole_group_is_gone(tmp_path: Path) -> None:
    with pytest.raises(GitTimeout, match=r"no end after 0\.3 s"):
        run_git(SLEEP, limits=GitLimits(wall=0.3), env_extra={"MARKER": str(tmp_path)})
    assert alive(tmp_path) == []


def test_a_child_left_behind_by_a_finished_git_is_gone_too(tmp_path: Path) -> None:
    left = ("-c", "alias.leave=!sleep 60 >/dev/null 2>&1 <&1 & :", "leave")
    run_git(left, env_extra={"MARKER": str(tmp_path)})
    assert alive(tmp_path) == []


def test_leaving_a_stream_early_ends_git(tmp_path: Path) -> None:
    with stream_git(["-c", "alias.y=!yes", "y"], env_extra={"MARKER": str(tmp_path)}) as chunks:
        assert next(chunks).startswith(b"y\ny\n")
        assert _with(tmp_path)
    assert alive(tmp_path) == []


def test_an_exception_in_the_callers_block_ends_git(tmp_path: Path) -> None:
    with pytest.raises(KeyError), stream_git(SLEEP, env_extra={"MARKER": str(tmp_path)}):
        raise KeyError
    assert alive(tmp_path) == []


def test_what_the_listener_to_stderr_raises_ends_git(tmp_path: Path) -> None:
    def stop(_: bytes) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run_git(["-c", "alias.e=!echo hm >&2; sleep 60", "e"], on_stderr=stop, env_extra={"MARKER": str(tmp_path)})
    assert alive(tmp_path) == []


def test_the_callers_own_time_does_not_count(world: GitRepo) -> None:
    sha = world.object("blob", os.urandom(8 << 20))
    with stream_git(["cat-file", "blob", sha], git_dir=world.path, limits=GitLimits(wall=1)) as chunks:
        size = len(next(chunks))
        time.sleep(1.3)
        size += sum(map(len, chunks))
    assert size == 8 << 20


def test_stderr_is_heard_as_it_comes_and_kept_bounded() -> None:
    heard = bytearray()
    with pytest.raises(GitFailed) as failed:
        run_git(["-c", "alias.e=!seq 1 100000 >&2; exit 3", "e"], on_stderr=heard.extend)
    assert heard.startswith(b"1\n2\n3\n")
    assert len(heard) > 500_000
    assert failed.value.code == 3
    assert failed.value.stderr.endswith("99999\n100000")
    assert len(failed.value.stderr) <= 2 * run.KEPT_STDERR
    assert len(str(failed.value)) < 3000
    assert failed.value.for_people == "git stopped with code 3: 100000"


def test_output_beyond_the_limit_is_refused(world: GitRepo) -> None:
    sha = world.object("blob", b"x" * (3 << 20))
    with pytest.raises(GitTooMuch):
        run_git(["cat-file", "blob", sha], git_dir=world.path, limits=GitLimits(output=1 << 20))


def test_limits_reach_git_and_all_that_it_starts() -> None:
    limits = GitLimits(cpu=123, address_space=3 << 30, file_size=7 << 20)
    asked = "ulimit -t; ulimit -v; ulimit -f; ulimit -c"
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # an image of memory would hold the secrets
    try:
        answer = run_git(["-c", f"alias.limits=!sh -c '{asked}'", "limits"], limits=limits)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert answer.split() == [b"123", b"3145728", b"14336", b"0"]


def test_without_its_limits_git_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_within", lambda which, wanted: -4096)
    with pytest.raises(GitFailed) as failed:
        run_git(["version"])
    assert "ulimit" in failed.value.stderr


def test_a_processor_hog_is_ended() -> None:
    with pytest.raises(GitFailed) as failed:
        run_git(["-c", "alias.hog=!exec sh -c 'while :; do :; done'", "hog"], limits=GitLimits(cpu=1, wall=60))
    assert "limit" in failed.value.for_people


def test_threads_do_not_disturb_each_other(world: GitRepo) -> None:
    shas = [world.object("blob", b"%d" % number * 50_000) for number in range(8)]

    def read(number: int) -> bool:
        return run_git(["cat-file", "blob", shas[number % 8]], git_dir=world.path) == b"%d" % (number % 8) * 50_000

    before = threading.active_count()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(64)))
    assert threading.active_count() == before


def test_no_file_stays_open() -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    run_git(["version"])
    before = opened()
    for _ in range(5):
        run_git(["version"])
        with pytest.raises(GitFailed):
            run_git(["no-such-command"])
        with stream_git(["version"]):
            pass
    assert opened() == before


def test_only_named_files_are_inherited(tmp_path: Path) -> None:
    with (tmp_path / "kept").open("w") as kept, (tmp_path / "other").open("w") as other:
        fcntl.fcntl(other, fcntl.F_SETFD, 0)  # inheritable, as far as the system goes
        run_git(["-c", f"alias.w=!echo x >/dev/fd/{kept.fileno()}", "w"], keep_fds=[kept.fileno()])
        with pytest.raises(GitFailed):
            run_git(["-c", f"alias.w=!echo x >/dev/fd/{other.fileno()}", "w"])
    assert (tmp_path / "kept").read_text() == "x\n"


def test_a_missing_git_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing) as missing:
        run_git(["version"])
    assert "isn't installed" in missing.value.for_people


@pytest.mark.parametrize("said", ["2.37.0", "2.39.5 (Apple Git-154)", "3.0"])
def test_a_newer_git_is_accepted(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_git(said, tmp_path, monkeypatch)
    assert git_version() >= (2, 37)


@pytest.mark.parametrize("said", ["2.36.9", "1.9.5.msysgit.1"])
def test_a_git_without_a_defence_is_refused(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_git(said, tmp_path, monkeypatch)
    with pytest.raises(GitTooOld, match=r"2\.37"):
        git_version()


def _fake_git(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text(f"#!/bin/sh\necho 'git version {said}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@h/x", "https://***@h/x"),
        ("see 'https://tok@h/x' and http://a:b@c/", "see 'https://***@h/x' and http://***@c/"),
        ("HTTPS://u:p@q@h/x", "HTTPS://***@h/x"),
        ("ssh://git@h/x", "ssh://git@h/x"),
        ("ssh://git:p@h/x", "ssh://***@h/x"),
        ("git@h:x", "git@h:x"),
        ("https://h/a@b", "https://h/a@b"),
        ("> Authorization: Basic dTpw", "> Authorization: ***"),
        ("no secret", "no secret"),
    ],
)
def test_credentials_are_taken_out_of_text(text: str, shown: str) -> None:
    assert redact(text) == shown


@given(st.text(min_size=4, max_size=20), st.text(max_size=20))
def test_a_known_secret_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    shown = redact(f"{around}{secret}{around}", [secret])
    assert secret not in shown or secret in "***"


def test_a_secret_in_the_environment_is_hidden_in_errors() -> None:
    with pytest.raises(GitFailed) as failed:
        run_git(
            ["-c", "alias.leak=!echo $SHIPMEND_GIT_SECRET a%2Fsecret >&2; exit 9", "leak"],
            env_extra={run.SECRET_VARIABLE: "a/secret"},
        )
    assert failed.value.stderr == "*** ***"


def test_a_url_with_a_password_is_hidden_in_the_command_and_in_timeouts() -> None:
    with pytest.raises(GitTimeout) as late:
        run_git(["-c", "alias.e=!echo https://u:hunter2@h/ >&2; sleep 9", "e"], limits=GitLimits(wall=0.3))
    assert "hunter2" not in str(late.value) + late.value.for_people


def test_what_a_remote_says_cannot_drive_a_terminal() -> None:
    said = b"remote: 10%\rremote: 20%\rremote: \x1b[31mdanger\x1b]0;title\x07\r\n\n\xff\xe2\x80\xae end\n"
    assert readable(said) == "remote: [31mdanger]0;title\n\N{REPLACEMENT CHARACTER} end"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: Authentication failed for 'https://h/x/'", "auth"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "auth"),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", "auth"),
        ("fatal: unable to access 'https://h/x/': The requested URL returned error: 403", "auth"),
        ("fatal: unable to access 'https://h/x/': Could not resolve host: h", "host"),
        ("ssh: Could not resolve hostname h: Name or service not known", "host"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "host_key"),
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", "not_found"),
        ("fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repo", "not_found"),
        ("fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none", "certificate"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 301", "redirect"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 502", "network"),
        ("fatal: unable to access 'https://h/': Failed to connect to h port 443: Connection refused", "network"),
        ("error: RPC failed; curl 56 GnuTLS recv error\nfatal: early EOF\nfatal: index-pack failed", "network"),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec", "slow"),
        ("fatal: write error: No space left on device\nfatal: index-pack failed", "space"),
        ("error: index-pack died of signal 25\nfatal: index-pack failed", "limit"),
        ("fatal: Out of memory, malloc failed (tried to allocate 99 bytes)", "limit"),
        ("fatal: pack is corrupted (SHA1 mismatch)\nfatal: index-pack failed", "damaged"),
        ("fatal: bad object refs/heads/main", "damaged"),
        ("remote: aborting due to possible repository corruption on the remote side.", "upstream_damaged"),
        ("fatal: detected dubious ownership in repository at '/x'", "ownership"),
        ("fatal: mismatched algorithms: client sha1; server sha256", "object_format"),
        ("fatal: transport 'ext' not allowed", "protocol"),
        ("fatal: something new", "unknown"),
    ],
)
def test_the_cause_is_told_in_words(said: str, kind: str) -> None:
    failed = GitFailed("git fetch", 128, said)
    assert failed.kind == kind
    assert failed.for_people.rstrip(".")
    assert "signal" not in failed.for_people


@pytest.mark.parametrize(
    ("code", "kind"), [(-9, "limit"), (-24, "limit"), (-25, "limit"), (-11, "damaged"), (1, "unknown")]
)
def test_a_silent_death_is_told_by_its_signal(code: int, kind: str) -> None:
    assert GitFailed("git log", code, "").kind == kind
