"""No address given for a repository makes this machine connect to itself, its neighbours or its cloud's metadata.

Each is given to the API and to the page; what either takes is then fetched as the worker would. Canaries listen.
"""

from __future__ import annotations

import selectors
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipmend.catalog.models import Repo
from shipmend.core.values import Role
from shipmend.git.connect import Access
from shipmend.git.errors import GitError
from shipmend.git.mirror import Mirror
from shipmend.git.remotes import RemoteRefused, parse_remote
from tests.snapshot import stored_rows
from tests.web.cast import Person
from tests.world import Api, World

ADDRESSES = [
    "https://127.0.0.1:{port}/a.git",
    "https://127.0.0.2:{port}/a.git",
    "https://127.255.255.254:{port}/a.git",
    "https://localhost:{port}/a.git",
    "https://LocalHost:{port}/a.git",
    "https://localhost.:{port}/a.git",
    "https://127.0.0.1.:{port}/a.git",
    "https://127.1:{port}/a.git",
    "https://127.0.1:{port}/a.git",
    "https://127.000.000.001:{port}/a.git",
    "https://0:{port}/a.git",
    "https://0.0.0.0:{port}/a.git",
    "https://2130706433:{port}/a.git",
    "https://017700000001:{port}/a.git",
    "https://0177.0.0.1:{port}/a.git",
    "https://0177.0.0.01:{port}/a.git",
    "https://0x7f000001:{port}/a.git",
    "https://0x7F.0x0.0x0.0x1:{port}/a.git",
    "https://0x7f.1:{port}/a.git",
    "https://127.0x0.0.01:{port}/a.git",
    "https://4294967297:{port}/a.git",
    "https://[::1]:{port}/a.git",
    "https://[0:0:0:0:0:0:0:1]:{port}/a.git",
    "https://[::]:{port}/a.git",
    "https://[::ffff:127.0.0.1]:{port}/a.git",
    "https://[::ffff:7f00:1]:{port}/a.git",
    "https://[0000:0000:0000:0000:0000:ffff:7f00:0001]:{port}/a.git",
    "https://[::127.0.0.1]:{port}/a.git",
    "https://[64:ff9b::7f00:1]:{port}/a.git",
    "https://[2002:7f00:1::]:{port}/a.git",
    "https://[::1%25lo]:{port}/a.git",
    "https://[fe80::1%25eth0]:{port}/a.git",
    "https://%31%32%37.0.0.1:{port}/a.git",
    "https://%6cocalhost:{port}/a.git",
    "https://１２７.0.0.1:{port}/a.git",
    "https://127。0。0。1:{port}/a.git",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/a.git",
    "https://github.com@127.0.0.1:{port}/a.git",
    "https://github.com:443@127.0.0.1:{port}/a.git",
    "https://127.0.0.1:{port}@/a.git",
    "https://127.0.0.1:{port}\\@github.com/a.git",
    "https://github.com\\@127.0.0.1:{port}/a.git",
    "https://github.com#@127.0.0.1:{port}/a.git",
    "https://github.com?@127.0.0.1:{port}/a.git",
    "https://github.com:{port}@localhost:{port}/a.git",
    "https:127.0.0.1:{port}/a.git",
    "https:/127.0.0.1:{port}/a.git",
    "https:///127.0.0.1:{port}/a.git",
    "//127.0.0.1:{port}/a.git",
    "http://127.0.0.1:{port}/a.git",
    "git://127.0.0.1:{port}/a.git",
    "ftp://127.0.0.1:{port}/a.git",
    "gopher://127.0.0.1:{port}/_a",
    "ext::nc 127.0.0.1 {port}",
    "https::https://127.0.0.1:{port}/a.git",
    "file://127.0.0.1/a.git",
    "file:///etc",
    "/etc",
    "../../etc",
    "ssh://git@127.0.0.1:{port}/a.git",
    "ssh://git@[::1]:{port}/a.git",
    "ssh://git@localhost:{port}/a.git",
    "ssh://-oProxyCommand=nc%20127.0.0.1%20{port}/a.git",
    "ssh://git@0x7f.1:{port}/a.git",
    "git@127.0.0.1:a.git",
    "git@localhost:a.git",
    "git@[::1]:a.git",
    "-oProxyCommand=nc:a.git",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:169.254.169.254]/latest/meta-data",
    "https://[fd00:ec2::254]/latest/meta-data",
    "https://2852039166/latest/meta-data",
    "https://169.254.170.2/v2/credentials",
    "https://100.100.100.200/latest/meta-data",
    "https://168.63.129.16/metadata",
    "https://10.0.0.1/a.git",
    "https://172.16.0.1/a.git",
    "https://192.168.1.1/a.git",
    "https://100.64.0.1/a.git",
    "https://198.18.0.1/a.git",
    "https://224.0.0.1/a.git",
    "https://255.255.255.255/a.git",
    "https://[fc00::1]/a.git",
    "https://[ff02::1]/a.git",
]


class Canary:
    """Listens at one port of several addresses of this machine, and counts who connects."""

    def __init__(self, *addresses: str) -> None:
        self.visits = 0
        self._stack = ExitStack()
        self._selector = selectors.DefaultSelector()
        self.port = 0
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = self._stack.enter_context(socket.create_server((address, self.port), family=family))
            self.port = listener.getsockname()[1]
            self._selector.register(listener, selectors.EVENT_READ)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._stack.close()

    def _watch(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                listener.accept()[0].close()
                self.visits += 1


@contextmanager
def canary(*addresses: str) -> Iterator[Canary]:
    listening = Canary(*addresses)
    try:
        yield listening
    finally:
        listening.close()


@pytest.fixture(scope="module")
def inside() -> Iterator[Canary]:
    with canary("127.0.0.1", "127.0.0.2", "::1") as listening:
        yield listening


@pytest.fixture(scope="module")
def scene(instance: object) -> tuple[World, Api, Person]:
    world = World.make()
    world.repo()
    return world, world.api(), Person.of(world, Role.MEMBER)


def test_the_table_is_as_long_as_promised_and_the_canary_sings(inside: Canary) -> None:
    assert len(ADDRESSES) == len(set(ADDRESSES)) >= 60
    before = inside.visits
    socket.create_connection(("127.0.0.1", inside.port)).close()
    while inside.visits == before:
        pass


@pytest.mark.parametrize("form", ADDRESSES)
def test_an_inward_address_is_refused_or_never_connected_to(
    form: str, scene: tuple[World, Api, Person], inside: Canary
) -> None:
    world, api, member = scene
    text = form.format(port=inside.port)
    before, visits = stored_rows(world.tenant.id), inside.visits
    reply = api.post("imports", resource_path=str(world.repo_path("shop")), repo_path=text)
    assert reply.words == (400, "response_invalid_params"), reply.json
    assert "repo_path" in reply.json["response_detail"]
    seen = member.post(f"/settings/{world.tenant.slug}/repos", resource_path=world.repo_path("shop"), remote_url=text)
    assert seen.status == 400
    assert stored_rows(world.tenant.id) == before
    _fetch_as_if_it_had_been_stored(world, text)
    assert inside.visits == visits


def _fetch_as_if_it_had_been_stored(world: World, text: str) -> None:
    """Whatever let it in: the check before the connection stands alone."""
    repo = world.repo("smuggled")
    Repo.objects.filter(id=repo.id).update(remote_url=text)
    repo.refresh_from_db()
    with pytest.raises((GitError, RemoteRefused)):
        world.index(repo)


class Rebinding:
    """A name server of an attacker: a good address to the one who checks, another to whoever asks again."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        address = self.answers[min(self.asked, len(self.answers)) - 1]
        return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)


@pytest.mark.parametrize("form", ["https://rebinding.test:{port}/a.git", "ssh://git@rebinding.test:{port}/a.git"])
def test_a_name_that_changes_its_address_after_the_check_is_not_followed(
    form: str, tmp_path: Path, mirror: Mirror
) -> None:
    if form.startswith("ssh") and shutil.which("ssh") is None:
        pytest.skip("there is no ssh here")
    with canary("127.0.0.2") as checked, socket.create_server(("127.0.0.1", checked.port)) as other:
        other.settimeout(0)
        resolver = Rebinding("127.0.0.2", "127.0.0.1")
        access = Access(allow_private=True, ssh_dir=tmp_path, resolve=resolver)
        with pytest.raises(GitError):
            mirror.fetch(parse_remote(form.format(port=checked.port), allow_local=False), access)
        assert resolver.asked == 1
        assert checked.visits > 0
        with pytest.raises(BlockingIOError):
            other.accept()


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("::1",), ("::ffff:127.0.0.1",), ("169.254.169.254",)])
def test_a_name_that_leads_inward_is_refused_before_any_connection(
    answers: tuple[str, ...], mirror: Mirror, inside: Canary
) -> None:
    visits, resolver = inside.visits, Rebinding(*answers)
    remote = parse_remote(f"https://innocent.test:{inside.port}/a.git", allow_local=False)
    with pytest.raises(RemoteRefused):
        mirror.fetch(remote, Access(resolve=resolver))
    assert inside.visits == visits


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    mirror = Mirror(tmp_path / "mirror.git")
    mirror.create()
    return mirror
