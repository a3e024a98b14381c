"""Start, watch over and stop the front."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
from wsgiref.types import WSGIApplication

from shipmend.server.connection import Connection, House
from shipmend.server.environ import networks
from shipmend.server.listening import BACKLOG, listen, url
from shipmend.server.options import STOP_READING_SECONDS, ServerOptions
from shipmend.server.reader import BodyMemory
from shipmend.server.turns import Turns
from shipmend.server.workers import Hand, LaneOf, Lanes, Workers

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 0.25
STOP_POLL_SECONDS = 0.02
OTHER_FILES = 256
"""Open files left to databases, mirrors and children."""


def no_lanes(_: Hand) -> LaneOf:
    """Every request takes a thread of the pool."""
    return lambda _: None


def serve(
    application: WSGIApplication,
    options: ServerOptions,
    *,
    on_ready: Callable[[str], None],
    lanes: Lanes = no_lanes,
) -> None:
    """Serve until SIGTERM or SIGINT, in the main thread; a second signal cuts off what is still under way.

    `on_ready` gets `http://host:port` once clients can connect; `lanes` says which requests are short, and where they
    run. Raises CannotListen, and Invalid for a trusted proxy that is no address.
    """
    most = min(options.max_connections, _files(options.max_connections + OTHER_FILES) - OTHER_FILES)
    front = Front(application, dataclasses.replace(options, max_connections=most), lanes)
    with listen(options.host, options.port) as listener, asyncio.Runner(loop_factory=front.new_loop) as runner:
        runner.run(_serve_until_signalled(front, listener, on_ready))


def _files(wanted: int) -> int:
    """Raise the process's limit of open files to what is wanted, as far as the system lets us; the limit then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


async def _serve_until_signalled(front: Front, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, front.stop)
    await front.run(listener, on_ready)


class Front:
    """The server without its signals: `run` in an event loop, `stop` from that loop's thread."""

    def __init__(self, application: WSGIApplication, options: ServerOptions, lanes: Lanes = no_lanes) -> None:
        self._application = application
        self._options = options
        self._turns = Turns()
        self._lane_of = lanes(self._turns.hand)
        self._trusted = networks(options.trusted_proxies)
        self._stop = asyncio.Event()
        self._hurried = False

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that takes turns with the lane of short reads."""
        return asyncio.SelectorEventLoop(self._turns.selector())

    def stop(self) -> None:
        """Finish what is under way, then return from `run`. Called again: don't wait for it."""
        self._hurried = self._stop.is_set()
        self._stop.set()

    async def run(self, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
        """Serve on a listening socket until stopped."""
        loop = asyncio.get_running_loop()
        house = self._house(loop)
        server = await loop.create_server(lambda: Connection(house), sock=listener, backlog=BACKLOG)
        sweeper = loop.create_task(_sweep(house))
        try:
            on_ready(url(listener))
            await self._stop.wait()
        finally:
            await _stop_listening(server, listener)
            await self._wind_down(house)
            sweeper.cancel()

    def _house(self, loop: asyncio.AbstractEventLoop) -> House:
        return House(
            application=self._application,
            options=self._options,
            trusted=self._trusted,
            workers=Workers(loop, self._options.threads),
            lane_of=self._lane_of,
            loop=loop,
            memory=BodyMemory(self._options.body_memory),
        )

    async def _wind_down(self, house: House) -> None:
        house.stopping = True
        house.read_until = time.monotonic() + STOP_READING_SECONDS
        for connection in list(house.connections):
            connection.stop()
        by = time.monotonic() + self._options.stop_seconds
        while any(house.work()) and not self._hurried and time.monotonic() < by:
            await asyncio.sleep(STOP_POLL_SECONDS)
        if any(house.work()):
            logger.warning("Stopped with %d requests and %d connections cut off.", *house.work())
        for connection in list(house.connections):
            connection.cut_off()
        await asyncio.sleep(0)  # the connections learn that they are lost, and free the threads that wait for them
        house.workers.stop()
        self._turns.stop()


async def _stop_listening(server: asyncio.Server, listener: socket.socket) -> None:
    """Take no more clients. A while passes first: asyncio loses what it accepts in the turn its server is closed."""
    asyncio.get_running_loop().remove_reader(listener)
    await asyncio.sleep(STOP_POLL_SECONDS)
    server.close()


async def _sweep(house: House) -> None:
    """Close connections whose time is up. One pass over all costs less than a timer for each request."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = time.monotonic()
        for connection in list(house.connections):
            try:
                connection.check(now)
            except Exception:
                logger.exception("A connection could not be closed in order and was cut off.")
                connection.cut_off()
