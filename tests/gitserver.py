"""A real git server over https on this machine, for tests: `git http-backend` behind Python's own server.

    with GitServer(tmp_path) as server:            # serves every repository below tmp_path
        remote = server.remote("upstream.git")     # https://git.test:PORT/upstream.git
        mirror.fetch(remote, server.access())

`git.test` exists in no name service: it is reached because the connection is pinned to the address that
`access().resolve` gave. The certificate (`tests/certificates`, for tests alone) is good for git.test and localhost.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from shipmend.git.connect import Access
from shipmend.git.remotes import Remote, parse_remote

HOST = "git.test"
CERTIFICATES = Path(__file__).parent / "certificates"


class GitServer:
    """Started by `with`. `requests` are the request lines seen, with the Authorization header's text after each;
    `on_request` is called at each, while the client waits."""

    def __init__(
        self,
        root: Path,
        *,
        login: tuple[str, str] | None = None,
        redirect_to: str | None = None,
        stall: bool = False,
        static: bool = False,
    ) -> None:
        """`login` is then demanded; `redirect_to` is put before every path; `stall` begins answers and never ends
        them; `static` serves files only, git's old protocol."""
        self.root = root
        self.login = login
        self.redirect_to = redirect_to
        self.stall = stall
        self.static = static
        self.on_request: Callable[[], None] = lambda: None
        self.requests: list[str] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "git.test.crt", CERTIFICATES / "git.test.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str, *, userinfo: str = "") -> str:
        return f"https://{userinfo}{HOST}:{self.port}/{path}"

    def remote(self, path: str, *, userinfo: str = "") -> Remote:
        return parse_remote(self.url(path, userinfo=userinfo), allow_local=False)

    def access(self) -> Access:
        """Trusts the certificate and finds git.test on this machine."""
        return Access(
            allow_private=True,
            resolve=lambda host, port, **_: socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM),
            environment={"GIT_SSL_CAINFO": str(CERTIFICATES / "git.test.crt")},
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: GitServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or distrusts the certificate, is a test's business and no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = cast("_Server", self.server).owner
        owner.requests.append(f"{self.requestline} {self.headers.get('Authorization', '')}".rstrip())
        owner.on_request()
        if owner.redirect_to is not None:
            self._answer(301, {"Location": owner.redirect_to + self.path}, b"")
        elif owner.login is not None and not self._authorized(owner.login):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        elif owner.stall:
            self._answer(200, {"Content-Type": "application/x-git-upload-pack-advertisement"}, b"001e#", more=True)
            owner.closing.wait()
        elif owner.static:
            self._file(owner.root / self.path.partition("?")[0].lstrip("/"))
        else:
            self._backend(owner.root)

    do_POST = do_GET  # noqa: N815  the name that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the standard library
        """Silent."""

    def _authorized(self, login: tuple[str, str]) -> bool:
        wanted = base64.b64encode(":".join(login).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _answer(self, status: int, headers: dict[str, str], body: bytes, *, more: bool = False) -> None:
        """With `more`, one byte is announced that never comes."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body) + more)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _file(self, path: Path) -> None:
        found = path.is_file()
        self._answer(200 if found else 404, {"Content-Type": "text/plain"}, path.read_bytes() if found else b"")

    def _backend(self, root: Path) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": "/dev/null",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
        self._answer(int(fields.pop("Status", "200").split()[0]), fields, content)
