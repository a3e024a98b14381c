"""Over real TLS, with a real git at the other end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.git.helpers import by_sha
from tests.gitserver import GitServer
from tests.gitworld import GitRepo

from shipmend.git import run
from shipmend.git.connect import Access, connect
from shipmend.git.mirror import Mirror
from shipmend.git.remotes import RemoteRefused
from shipmend.git.run import GitFailed, GitLimits, GitTimeout, HostNotFound, run_git

PASSWORD = "s3cret/with@odd:signs%"
QUOTED = "s3cret%2Fwith%40odd%3Asigns%25"


def test_a_repository_is_fetched_and_the_connection_goes_to_the_address_checked(
    world: GitRepo, mirror: Mirror, tmp_path: Path
) -> None:
    sha = world.commit()
    with GitServer(tmp_path) as server:
        state = mirror.fetch(server.remote("upstream.git"), server.access())
    assert state.branches == {"main": sha}
    assert server.requests


def test_without_the_pin_the_host_would_not_be_found(mirror: Mirror, tmp_path: Path) -> None:
    """So the tests here do show that the pin is what connects."""
    with GitServer(tmp_path) as server, pytest.raises(HostNotFound):
        mirror.remote_refs(server.remote("upstream.git"), Access(environment=server.access().environment))
    assert server.requests == []


def test_a_password_is_used_and_shows_nowhere(
    world: GitRepo, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit()
    argv: list[str] = []
    real = subprocess.Popen

    def spy(command: list[str], **kwargs: object) -> object:
        argv.extend(command)
        return real(command, **kwargs)  # type: ignore[call-overload]  # passed on as they came

    with GitServer(tmp_path, login=("ada", PASSWORD)) as server:
        remote = server.remote("upstream.git", userinfo=f"ada:{QUOTED}@")
        monkeypatch.setattr(subprocess, "Popen", spy)
        mirror.fetch(remote, server.access())
        monkeypatch.undo()
    assert len(by_sha(mirror)) == 1
    assert any("Basic" in request for request in server.requests)
    for text in (*argv, str(remote), repr(remote), remote.shown, remote.url):
        assert PASSWORD not in text
        assert QUOTED not in text
    stored = b"".join(path.read_bytes() for path in mirror.git_dir.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in stored
    assert b"ada" not in (mirror.git_dir / "config").read_bytes()


def test_a_token_alone_is_the_user(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    with GitServer(tmp_path, login=("tok3n", "")) as server:
        remote = server.remote("upstream.git", userinfo="tok3n@")
        assert mirror.fetch(remote, server.access()).head == "main"
    assert "tok3n" not in remote.shown


def test_credentials_can_be_given_apart_from_the_address(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    with GitServer(tmp_path, login=("ada", PASSWORD)) as server:
        remote = server.remote("upstream.git").with_credentials("ada", PASSWORD)
        assert remote == server.remote("upstream.git", userinfo=f"ada:{QUOTED}@")
        assert mirror.fetch(remote, server.access()).head == "main"


@pytest.mark.parametrize("userinfo", ["", "ada:wrong-pass@", "wrong-token@"])
def test_bad_credentials_are_told_in_words_without_them(
    userinfo: str, world: GitRepo, mirror: Mirror, tmp_path: Path
) -> None:
    world.commit()
    with GitServer(tmp_path, login=("ada", PASSWORD)) as server, pytest.raises(GitFailed) as failed:
        mirror.fetch(server.remote("upstream.git", userinfo=userinfo), server.access())
    assert failed.value.kind == "auth"
    assert "credentials" in failed.value.for_people
    assert not failed.value.temporary
    assert "wrong" not in str(failed.value)


def test_the_secret_goes_to_its_own_host_only(tmp_path: Path) -> None:
    """git asks its helpers for whatever host it meets; ours answers for one."""
    with GitServer(tmp_path) as server:
        connection = connect(server.remote("x.git", userinfo=f"ada:{QUOTED}@"), server.access())
    own = f"protocol=https\nhost=git.test:{server.port}\n\n".encode()

    def asked(stdin: bytes) -> bytes:
        return run_git([*connection.options, "credential", "fill"], stdin=stdin, env_extra=connection.environment)

    assert f"password={PASSWORD}\n".encode() in asked(own)
    for other in (own.replace(b".test", b".test.evil"), own.replace(b"https", b"http"), own.replace(b":", b":1")):
        with pytest.raises(GitFailed):
            asked(other)


def test_a_netrc_of_the_user_running_the_server_is_not_used(
    world: GitRepo, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or whoever may register a repository could read whatever that user may."""
    world.commit()
    (tmp_path / ".netrc").write_text(f"machine git.test login ada password {PASSWORD}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with GitServer(tmp_path, login=("ada", PASSWORD)) as server, pytest.raises(GitFailed):
        mirror.fetch(server.remote("upstream.git"), server.access())
    assert not any("Basic" in request for request in server.requests)


def test_a_repository_that_is_not_there_is_told_so(mirror: Mirror, tmp_path: Path) -> None:
    with GitServer(tmp_path) as server, pytest.raises(GitFailed) as failed:
        mirror.fetch(server.remote("nothing.git"), server.access())
    assert failed.value.kind == "not_found"


def test_an_unknown_certificate_is_refused(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    with GitServer(tmp_path) as server, pytest.raises(GitFailed) as failed:
        mirror.fetch(server.remote("upstream.git"), Access(allow_private=True, resolve=server.access().resolve))
    assert failed.value.kind == "certificate"
    assert server.requests == []


def test_a_closed_port_is_told_as_network_and_temporary(mirror: Mirror, tmp_path: Path) -> None:
    with GitServer(tmp_path) as server:
        remote, access = server.remote("upstream.git"), server.access()
    with pytest.raises(GitFailed) as failed:
        mirror.remote_refs(remote, access)
    assert failed.value.kind == "network"
    assert failed.value.temporary


def test_a_server_that_never_ends_its_answer_is_given_up(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    with GitServer(tmp_path) as server:
        remote, access = server.remote("upstream.git"), server.access()
        seen = mirror.remote_refs(remote, access)
        server.stall = True
        with pytest.raises(GitTimeout) as failed:
            mirror.fetch(remote, access, seen=seen, limits=GitLimits(wall=0.5))
        server.stall = False
        assert "0.5 seconds" in failed.value.for_people
        assert failed.value.temporary
        assert mirror.fetch(remote, access).head == "main"


def test_a_server_that_sends_nothing_is_given_up_by_git_itself(
    world: GitRepo, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the hours that a fetch may take. Here after a second instead of a minute."""
    world.commit()
    hasty = [setting.replace("lowSpeedTime=60", "lowSpeedTime=1") for setting in run._CONFIG]
    monkeypatch.setattr(run, "_CONFIG", hasty)
    with GitServer(tmp_path) as server:
        remote, access = server.remote("upstream.git"), server.access()
        seen = mirror.remote_refs(remote, access)
        server.stall = True
        with pytest.raises(GitFailed) as failed:
            mirror.fetch(remote, access, seen=seen, limits=GitLimits(wall=20))
    assert failed.value.kind == "slow"
    assert failed.value.temporary


def test_a_private_address_is_refused_before_any_connection(world: GitRepo, mirror: Mirror, tmp_path: Path) -> None:
    world.commit()
    with GitServer(tmp_path) as server:
        access = Access(resolve=server.access().resolve)
        with pytest.raises(RemoteRefused, match="loopback"):
            mirror.remote_refs(server.remote("upstream.git"), access)
        with pytest.raises(RemoteRefused, match="loopback"):
            mirror.fetch(server.remote("upstream.git"), access)
    assert server.requests == []
