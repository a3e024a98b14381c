"""What ssh is told: a stand-in runs git on this machine, and the real ssh, where there is one, reads the options."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.gitworld import GitRepo

from shipmend.git.connect import Access, connect, ssh_command
from shipmend.git.mirror import Mirror
from shipmend.git.remotes import parse_remote


def found(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
    return [(2, 1, 6, "", ("140.82.112.3", port)), (2, 1, 6, "", ("140.82.112.4", port))]


@pytest.fixture
def ssh_dir(tmp_path: Path) -> Path:
    """A name that a shell and ssh's own settings would both stumble over."""
    ssh_dir = tmp_path / "keys of 100%h $(id) 'x'"
    ssh_dir.mkdir()
    (ssh_dir / "id_ed25519").touch()
    return ssh_dir


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that notes its arguments and its environment, and runs the command here."""
    said = tmp_path / "said"
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nprintf \'%s\\n\' "$@" >{said}\nenv >{said}.env\nfor last; do :; done\neval exec "$last"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return said


@pytest.mark.parametrize(
    "form", ["git@h.example:{path}", "ssh://git@h.example{path}", "ssh://git@h.example:2222{path}"]
)
def test_a_repository_is_fetched(form: str, world: GitRepo, mirror: Mirror, ssh_dir: Path, said: Path) -> None:
    sha = world.commit()
    remote = parse_remote(form.format(path=world.path), allow_local=False)
    assert mirror.fetch(remote, Access(ssh_dir=ssh_dir, resolve=found)).branches == {"main": sha}
    arguments = said.read_text().splitlines()
    assert arguments[:2] == ["-F", "/dev/null"]
    options = {arguments[i + 1] for i, word in enumerate(arguments) if word == "-o"}
    assert "HostName=140.82.112.3" in options
    alias = "[h.example]:2222" if "2222" in form else "h.example"
    assert f"HostKeyAlias={alias}" in options
    assert options >= {"BatchMode=yes", "IdentityAgent=none", "ProxyCommand=none", "StrictHostKeyChecking=accept-new"}
    assert "git@h.example" in arguments
    assert arguments[-1] == f"git-upload-pack '{world.path}'"


def test_no_agent_and_no_home_of_the_user_is_offered(
    world: GitRepo, mirror: Mirror, ssh_dir: Path, said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit()
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "GIT_SSH_COMMAND", "GIT_SSH"):
        monkeypatch.setenv(name, "/tmp/x")
    mirror.fetch(parse_remote(f"git@h.example:{world.path}", allow_local=False), Access(ssh_dir=ssh_dir, resolve=found))
    environment = said.with_name("said.env").read_text()
    assert "SSH_AUTH_SOCK" not in environment
    assert "ASKPASS" not in environment
    assert "HOME=/dev/null\n" in environment


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh on this machine to ask")
def test_the_real_ssh_understands_every_option(ssh_dir: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/config").write_text("Host *\n  ProxyCommand touch x\n  User evil\n")
    remote = parse_remote("ssh://git@h.example:2222/x", allow_local=False)
    command = shlex.split(ssh_command(remote, "140.82.112.3", Access(ssh_dir=ssh_dir)))
    done = subprocess.run(
        [*command, "-T", "-G", "-p", "2222", "git@h.example"],
        check=True,
        capture_output=True,
        text=True,
        env={"HOME": str(home)},
    )
    assert done.stderr == ""
    settings = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    wanted = {
        "user": "git",
        "port": "2222",
        "hostname": "140.82.112.3",
        "hostkeyalias": "[h.example]:2222",
        "batchmode": "yes",
        "identitiesonly": "yes",
        "stricthostkeychecking": "accept-new",
        "globalknownhostsfile": "/dev/null",
        "identityagent": "none",
        "preferredauthentications": "publickey",
        "permitlocalcommand": "no",
        "forwardagent": "no",
        "clearallforwardings": "yes",
        "controlmaster": "false",
        "updatehostkeys": "false",
        "connecttimeout": "20",
    }
    assert {name: settings.get(name) for name in wanted} == wanted
    assert "proxycommand" not in settings
    assert "proxyjump" not in settings
    for name, file in (("identityfile", "id_ed25519"), ("userknownhostsfile", "known_hosts")):
        assert settings[name].strip('"').replace("%%", "%") == str(ssh_dir / file)


def test_every_key_there_is_offered_and_none_needs_to_be(ssh_dir: Path) -> None:
    remote = parse_remote("git@h.example:x", allow_local=False)
    (ssh_dir / "id_rsa").touch()
    command = ssh_command(remote, "140.82.112.3", Access(ssh_dir=ssh_dir))
    assert command.count("IdentityFile=") == 2
    (ssh_dir / "id_rsa").unlink()
    (ssh_dir / "id_ed25519").unlink()
    assert ssh_command(remote, "140.82.112.3", Access(ssh_dir=ssh_dir)).count("IdentityFile=") == 1


def test_ssh_needs_a_place_for_its_keys() -> None:
    with pytest.raises(ValueError, match="ssh_dir"):
        connect(parse_remote("git@h.example:x", allow_local=False), Access(resolve=found))
