"""From the lines of a request to the WSGI environ (PEP 3333), and who the client is behind a proxy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from shipmend.core.errors import Invalid
from shipmend.server.refusals import malformed

Networks = Sequence[IPv4Network | IPv6Network]
KeyOf = Callable[[bytes], str | None]

_BARE = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_ONCE = frozenset({"HTTP_HOST", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"})
_CLAIMS = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def networks(trusted_proxies: Sequence[str]) -> Networks:
    """The networks meant by addresses and networks as people write them. Raises Invalid for anything else."""
    return tuple(_network(text) for text in trusted_proxies)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise Invalid(
            "trusted_proxies",
            "is no address or network",
            mend="write one like 10.0.0.7 or 10.0.0.0/8",
            value=text,
        ) from error


def is_trusted(address: str, trusted: Networks) -> bool:
    """Whether an address belongs to a proxy that is believed."""
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=512)
def proxied_key(name: bytes) -> str | None:
    """The environ key of a header. None for a name with an underscore: it could pass for another header."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _BARE else f"HTTP_{key}"


@lru_cache(maxsize=512)
def direct_key(name: bytes) -> str | None:
    """The same for a client that is no trusted proxy: what it says about other clients is dropped."""
    key = proxied_key(name)
    return None if key is None or key.startswith(_CLAIMS) else key


def base_environ() -> WSGIEnvironment:
    """What is the same for every request."""
    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def add_header(environ: WSGIEnvironment, key: str, value: bytes) -> None:
    """Put one header in; lines of one name are joined as RFC 9110 5.3 and RFC 6265 5.4 say."""
    text = value.decode("latin-1").rstrip(" \t")
    if key not in environ:
        environ[key] = text
    elif key in _ONCE:
        raise malformed(f"{key.removeprefix('HTTP_').replace('_', '-').title()} is given twice")
    else:
        environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + text


def add_target(environ: WSGIEnvironment, target: str) -> None:
    """Put path and query in, from a path or from a whole URL (RFC 9112 3.2.2 asks servers to take both)."""
    scheme, found, rest = target.partition("://")
    if found and scheme.lower() in ("http", "https"):
        target = "/" + rest.partition("/")[2]
    if not target.startswith("/") or "#" in target:
        raise malformed("the address is neither a path nor a whole URL")
    path, _, query = target.partition("?")
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path
    environ["QUERY_STRING"] = query


def believe_proxy(environ: WSGIEnvironment, trusted: Networks) -> None:
    """Take client, scheme and host from a trusted proxy's headers, and drop those headers.

    The client is the last address in X-Forwarded-For that is not a trusted proxy itself: what stands
    before it was written by the client.
    """
    claims = {key: environ.pop(key) for key in [key for key in environ if key.startswith(_CLAIMS)]}
    for hop in reversed(claims.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = _address(_without_port(hop.strip()))
        if address is None:
            break
        environ["REMOTE_ADDR"] = str(address)
        if not is_trusted(str(address), trusted):
            break
    proto = _last(claims.get("HTTP_X_FORWARDED_PROTO", "")).lower()
    if proto in ("http", "https"):
        environ["wsgi.url_scheme"] = proto
    host = _last(claims.get("HTTP_X_FORWARDED_HOST", ""))
    if host:
        environ["HTTP_HOST"] = host


def _last(values: str) -> str:
    """What the nearest proxy wrote."""
    return values.rpartition(",")[2].strip()


def _without_port(hop: str) -> str:
    """`192.0.2.1:80` and `[2001:db8::1]:80` are written by some proxies."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
