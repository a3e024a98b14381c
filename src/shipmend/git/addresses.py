"""Which addresses a remote may have: the table behind `remotes.check_address`.

From the IANA special-purpose registries, and the places where cloud providers serve credentials to their machines.
Written out rather than taken from `ipaddress.is_global`, whose answers differ between Python's patch releases.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_Networks = tuple[tuple[IPv4Network | IPv6Network, str], ...]


def _table(*rows: tuple[str, str]) -> _Networks:
    return tuple((ip_network(network), words) for network, words in rows)


# No git server is ever there, whatever the operator allows.
_NEVER = _table(
    ("0.0.0.0/8", "an unspecified address"),
    ("169.254.0.0/16", "a link-local address, where cloud metadata is served"),
    ("192.0.0.192/32", "a cloud metadata address"),
    ("100.100.100.200/32", "a cloud metadata address"),
    ("168.63.129.16/32", "a cloud metadata address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/128", "an unspecified address"),
    ("fd00:ec2::/32", "a cloud metadata address"),
    ("fd20:ce::254/128", "a cloud metadata address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
    ("2001::/32", "a Teredo address"),
)
_PRIVATE = _table(
    ("127.0.0.0/8", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("100.64.0.0/10", "an address behind a provider's NAT"),
    ("192.0.0.0/24", "a special address"),
    ("192.0.2.0/24", "a documentation address"),
    ("192.88.99.0/24", "a special address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("::1/128", "a loopback address"),
    ("fc00::/7", "a private address"),
    ("64:ff9b:1::/48", "an address of a local NAT64"),
    ("2001::/23", "a special address"),
    ("2001:db8::/32", "a documentation address"),
    ("3fff::/20", "a documentation address"),
)
_GLOBAL_V6 = IPv6Network("2000::/3")
# IPv4 inside IPv6: network, and how many bits lie to the right of the embedded address.
_EMBEDDED = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)


def why_refused(text: str, *, allow_private: bool) -> str | None:
    """What kind of address `text` (as a resolver gives it) is, when it must not be connected to; else None."""
    address = _innermost(ip_address(text.partition("%")[0]))
    kind = _kind(address, _NEVER)
    if kind is not None or allow_private:
        return kind
    kind = _kind(address, _PRIVATE)
    if kind is None and isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return "a reserved address"
    return kind


def _kind(address: IPv4Address | IPv6Address, table: _Networks) -> str | None:
    return next((words for network, words in table if address in network), None)


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 form leads to. `::` and `::1` are themselves, not forms."""
    if isinstance(address, IPv4Address) or int(address) <= 1:
        return address
    for network, shift in _EMBEDDED:
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address
