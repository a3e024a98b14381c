"""Addresses: what is read, what is refused and in which words, and where a connection may lead."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.git.remotes import Remote, RemoteRefused, check_address, parse_remote
from shipmend.git.run import HostNotFound


def resolver(*addresses: str) -> Any:
    def resolve(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


def checked(text: str, *addresses: str, allow_private: bool = False) -> tuple[str, ...]:
    remote = parse_remote(text, allow_local=False)
    resolve = resolver(*addresses) if addresses else socket.getaddrinfo
    return check_address(remote, allow_private=allow_private, resolve=resolve)


@pytest.mark.parametrize(
    ("text", "kind", "url", "host", "port", "secret"),
    [
        ("https://github.com/pallets/flask", "https", "https://github.com/pallets/flask", "github.com", 443, None),
        (" HTTPS://GitHub.com:443/a/b.git/ ", "https", "https://github.com/a/b.git", "github.com", 443, None),
        ("https://h.example:8443/a", "https", "https://h.example:8443/a", "h.example", 8443, None),
        ("https://u:p@h.example/a", "https", "https://h.example/a", "h.example", 443, "u:p"),
        ("https://tok@h.example/a", "https", "https://h.example/a", "h.example", 443, "tok"),
        ("https://u:p@q@h.example/a", "https", "https://h.example/a", "h.example", 443, "u:p@q"),
        ("https://[2606:4700::0001]/a", "https", "https://[2606:4700::1]/a", "[2606:4700::1]", 443, None),
        ("https://140.82.112.3/a", "https", "https://140.82.112.3/a", "140.82.112.3", 443, None),
        ("ssh://git@h.example/a/b", "ssh", "ssh://git@h.example/a/b", "h.example", 22, None),
        ("ssh://h.example:2222/~me/b", "ssh", "ssh://h.example:2222/~me/b", "h.example", 2222, None),
        ("git@GitHub.com:a/b.git", "ssh", "git@github.com:a/b.git", "github.com", 22, None),
        ("git@h.example:/srv/a", "ssh", "git@h.example:/srv/a", "h.example", 22, None),
    ],
)
def test_an_address_is_read(text: str, kind: str, url: str, host: str, port: int, secret: str | None) -> None:
    remote = parse_remote(text, allow_local=False)
    assert (remote.kind, remote.url, remote.host, remote.port, remote.secret) == (kind, url, host, port, secret)
    assert remote.shown == url
    assert parse_remote(remote.url, allow_local=False).with_secret(secret) == remote


@pytest.mark.parametrize(
    "text", ["/srv/git/shop", "./shop", "shop", "~/shop", "file:///srv/shop", "file://localhost/a%20b"]
)
def test_a_local_path_is_for_the_operator_alone(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RemoteRefused) as refused:
        parse_remote(text, allow_local=False)
    assert "operator" in refused.value.mend
    remote = parse_remote(text, allow_local=True)
    assert remote.kind == "local"
    assert Path(remote.url).is_absolute()
    assert check_address(remote, allow_private=False) == ()


def test_a_local_path_is_the_same_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "a b")
    forms = ["a b", "./a b", "x/../a b", f"{tmp_path}/a b/", f"file://{tmp_path}/a%20b", "link"]
    assert {parse_remote(form, allow_local=True).url for form in forms} == {str(tmp_path / "a b")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-oProxyCommand=touch x",
        "--upload-pack=touch x",
        "ext::sh -c 'touch x'",
        "fd::3",
        "https::x",
        "http://h.example/a",
        "git://h.example/a",
        "ftp://h.example/a",
        "ext://h.example/a",
        "rsync://h.example/a",
        "javascript://h.example/a",
        "github.com/pallets/flask",
        "h.example:a/b",
        "https://",
        "https:///a",
        "https://h.example",
        "https://h.example/",
        "https://h.example//",
        "https://h.example:/a",
        "https://h.example:0/a",
        "https://h.example:65536/a",
        "https://h.example:²/a",
        "https://h.example:443x/a",
        "https://h.example/a b",
        "https://h.example/a?b=c",
        "https://h.example/a#b",
        "https://h.example/a\\b",
        "https://h.example\\@evil/a",
        "https://h.example/a\nb",
        "https://h.example/a\x00b",
        "https://h.example/\u202ea",
        "https://-h.example/a",
        "https://h..example/a",
        "https://h.example./a",
        "https://.h.example/a",
        "https://h%2eexample/a",
        "https://hä.example/a",
        "https://u:p%0aq@h.example/a",
        "https://u:p%00q@h.example/a",
        "https://u%0d:p@h.example/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://0x7f.1/a",
        "https://0177.0.0.1/a",
        "https://127.1/a",
        "https://1.2.3/a",
        "https://1.2.3.4.5/a",
        "https://h.0x/a",
        "https://256.1.1.1/a",
        "https://[::1/a",
        "https://[1.2.3.4]/a",
        "https://[fe80::1%25eth0]/a",
        "https://[fe80::1%eth0]/a",
        "ssh://git:pass@h.example/a",
        "ssh://-oProxyCommand=x@h.example/a",
        "ssh://-oProxyCommand=x/a",
        "ssh://@h.example/a b",
        "ssh://h.example",
        "git@h.example:-oProxyCommand=x",
        "-git@h.example:a",
        "git@-h.example:a",
        "git@h.example:",
        "git@h.example:a b",
        "g it@h.example:a",
        "git@0x7f.1:a",
        "file://h.example/a",
        "https://h.example/" + "a" * 2048,
        "https://" + "a" * 254 + "/a",
    ],
)
def test_an_address_is_refused_with_reason_and_mend(text: str) -> None:
    with pytest.raises(RemoteRefused) as refused:
        parse_remote(text, allow_local=False)
    sentence = str(Invalid("remote", refused.value.because, mend=refused.value.mend, value=refused.value.shown))
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert refused.value.for_people.startswith("The address ")


@pytest.mark.parametrize(
    "text",
    [
        "https://u:hunter2@h.example",
        "http://u:hunter2@h.example/a",
        "https://hunter2@h.example:x/a",
        "https://u:hunter2/@h.example/a",
        "https://u:x@hunter2@h..example/a",
        "ssh://git:hunter2@h.example/a",
        "https://u:hunter2@2130706433/a",
    ],
)
def test_a_refusal_never_repeats_a_password(text: str) -> None:
    with pytest.raises(RemoteRefused) as refused:
        parse_remote(text, allow_local=False)
    for shown in (str(refused.value), refused.value.shown, refused.value.for_people):
        assert "hunter2" not in shown


@given(st.text(max_size=60) | st.text("https:/@.[]-%1x\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        remote = parse_remote(text, allow_local=False)
    except RemoteRefused:
        return
    assert parse_remote(remote.url, allow_local=False).url == remote.url


@given(st.text(max_size=20), st.text(max_size=20))
def test_credentials_come_back_as_given(user: str, password: str) -> None:
    remote = parse_remote("https://h.example/a", allow_local=False)
    if not (user + password).isprintable():
        with pytest.raises(RemoteRefused):
            remote.with_credentials(user, password)
        return
    assert remote.with_credentials(user, password).credentials == (user, password)


def test_a_password_for_ssh_is_refused() -> None:
    with pytest.raises(RemoteRefused):
        parse_remote("git@h.example:a", allow_local=False).with_credentials("u", "p")


NEVER = {
    "0.0.0.0",  # noqa: S104  nothing is bound to it
    "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "192.0.0.192", "100.100.100.200", "168.63.129.16",
    "::", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0",
}  # fmt: skip
PRIVATE = {
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "100.127.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "::1", "fc00::1", "fd12:3456::1", "64:ff9b:1::1", "2001:db8::1", "2001:10::1", "3fff::1", "4000::1",
    "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::c0a8:1", "2002:7f00:1::",
    "2002:a00:1::1",
}  # fmt: skip
PUBLIC = {
    "140.82.112.3", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "11.0.0.1", "1.1.1.1",
    "223.255.255.255", "2606:4700::1", "2a04:4e42::81", "64:ff9b::8c52:7003", "2001:4860::1",
}  # fmt: skip


@pytest.mark.parametrize("address", sorted(NEVER))
@pytest.mark.parametrize("allow_private", [False, True])
def test_no_git_server_is_ever_there(address: str, *, allow_private: bool) -> None:
    with pytest.raises(RemoteRefused, match="leads to"):
        checked("https://h.example/a", address, allow_private=allow_private)


@pytest.mark.parametrize("address", sorted(PRIVATE))
def test_a_private_address_needs_the_operators_leave(address: str) -> None:
    with pytest.raises(RemoteRefused, match="leads to") as refused:
        checked("https://h.example/a", address)
    assert "operator" in refused.value.mend
    assert checked("git@h.example:a", address, allow_private=True) == (address,)


@pytest.mark.parametrize("address", sorted(PUBLIC))
def test_a_public_address_is_pinned(address: str) -> None:
    assert checked("https://h.example/a", address) == (address,)


def test_one_bad_address_among_good_ones_is_enough_to_refuse() -> None:
    with pytest.raises(RemoteRefused, match=r"10\.0\.0\.1"):
        checked("https://h.example/a", "8.8.8.8", "10.0.0.1")


def test_the_host_is_resolved_once_and_every_address_pinned() -> None:
    assert checked("https://h.example/a", "8.8.8.8", "1.1.1.1", "8.8.8.8") == ("8.8.8.8", "1.1.1.1")


@pytest.mark.parametrize("text", ["https://localhost/a", "https://127.0.0.1/a", "https://[::1]/a", "git@localhost:a"])
def test_the_systems_own_resolver_leads_to_the_same_refusal(text: str) -> None:
    with pytest.raises(RemoteRefused, match="loopback"):
        checked(text)


def test_a_host_that_is_not_found_is_a_temporary_git_error() -> None:
    with pytest.raises(HostNotFound) as failed:
        checked("https://nowhere.invalid/a")
    assert failed.value.kind == "host"
    assert failed.value.temporary
    assert "nowhere.invalid" in failed.value.for_people


def outcome(address: str) -> str:
    try:
        checked("https://h.example/a", address)
    except RemoteRefused as refused:
        return refused.because.partition(" (")[0]
    return "public"


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_form(address: IPv4Address) -> None:
    number = int(address)
    forms = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | number << 80),
    ]
    if number > 1:
        forms.append(IPv6Address(number))
    assert {outcome(str(form)) for form in forms} == {outcome(str(address))}


@given(st.ip_addresses())
def test_nothing_python_calls_private_is_taken_for_public(address: IPv4Address | IPv6Address) -> None:
    """An oracle for one direction; where newer Pythons know more special networks, so does our table."""
    inside = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour)
    if outcome(str(address)) == "public" and not inside and not str(address).startswith("64:ff9b::"):
        assert address.is_global
        assert not address.is_multicast


def test_the_private_networks_are_refused_from_end_to_end() -> None:
    for network in map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16")):
        for address in (network[0], network[-1]):
            assert outcome(str(address)) != "public"


def test_a_remote_shows_no_secret() -> None:
    remote = parse_remote("https://u:hunter2@h.example/a", allow_local=False)
    assert "hunter2" not in repr(remote) + str(remote) + remote.shown + remote.url
    assert remote.credentials == ("u", "hunter2")
    assert remote.with_secret(None) == Remote("https", "https://h.example/a", "h.example", 443)


def test_the_addresses_of_the_table_are_what_they_seem() -> None:
    assert all(ip_address(address.partition("%")[0]) for address in NEVER | PRIVATE | PUBLIC)
    assert len(NEVER | PRIVATE | PUBLIC) == len(NEVER) + len(PRIVATE) + len(PUBLIC)
