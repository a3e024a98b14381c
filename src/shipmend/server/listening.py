"""The one socket the front listens on."""

from __future__ import annotations

import errno
import os
import socket
from typing import ClassVar

from shipmend.core.errors import Refused

BACKLOG = 1024
MAX_PORT = 65535


class CannotListen(Refused):
    """The address can't be listened on; the message says why and what to do."""

    code: ClassVar[str] = "cannot_listen"


_MENDS = {
    errno.EADDRINUSE: "another program listens there: stop it, or choose another port",
    errno.EACCES: "this user may not: choose a port of 1024 or more",
    errno.EADDRNOTAVAIL: "the address is not this machine's: use one of its own, 127.0.0.1 or 0.0.0.0",
}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on the host's first address. Raises CannotListen."""
    if not 0 <= port <= MAX_PORT:  # getaddrinfo would take the port modulo 65536
        raise CannotListen(f"Can't listen on port {port}: choose one from 1 to {MAX_PORT}, or 0 for any free one.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CannotListen(f"Can't listen on {host}:{port}: write an address of this machine and a port.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it the port of a server that has just stopped stays taken for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"Can't listen on {host}:{port}: {_mend(error)}.") from error
    return listener


def _mend(error: OSError) -> str:
    return _MENDS.get(error.errno or 0, os.strerror(error.errno or 0))


def url(listener: socket.socket) -> str:
    """The address a browser on this machine could use."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
