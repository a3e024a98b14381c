"""One client's connection: bytes in, requests to the workers, answers out in order, all of it in time."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from wsgiref.types import WSGIApplication, WSGIEnvironment

from shipmend.server.environ import Networks, base_environ, is_trusted
from shipmend.server.exchange import Exchange
from shipmend.server.options import LINGER_BYTES, LINGER_SECONDS, SENT_AT_LEAST, ServerOptions
from shipmend.server.reader import BodyMemory, Phase, Receiver, RequestReader
from shipmend.server.refusals import Refusal, overloaded, too_slow
from shipmend.server.workers import LaneOf, Workers

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: throw away what is unsent and tell the client by a reset."""

ALIVE = "/healthz"
"""A refusal there would have a server restarted that is only busy."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class House:
    """What all connections share."""

    application: WSGIApplication
    options: ServerOptions
    trusted: Networks
    workers: Workers
    lane_of: LaneOf
    loop: asyncio.AbstractEventLoop
    memory: BodyMemory
    connections: set[Connection] = field(default_factory=set)
    stopping: bool = False
    read_until: float = math.inf
    """When a request that still arrives must be whole, whatever else it would be allowed; monotonic clock."""

    def is_behind(self, item: Exchange) -> bool:
        """Whether this request would wait too long for its turn. Whoever asks if we are alive waits all the same."""
        return self.workers.wait(item.lane) > self.options.wait_seconds and item.environ["PATH_INFO"] != ALIVE

    def work(self) -> tuple[int, int]:
        """Requests under way and connections open."""
        return self.workers.running, len(self.connections)


class Connection(asyncio.Protocol):
    """Lives in the event loop's thread, but for `send_part` and `is_gone`, which worker threads call."""

    __slots__ = (
        "_busy", "_deaf", "_ended", "_house", "_lingering", "_queue", "_reader", "_send_by", "_taken",
        "_transport", "_unheard", "_unsent",
    )  # fmt: skip

    _transport: asyncio.Transport
    _reader: RequestReader

    def __init__(self, house: House) -> None:
        self._house = house
        self._queue: deque[Exchange | Refusal] = deque()
        self._busy = False
        """Whether an answer is awaited or the connection is about to close."""
        self._deaf = False
        """Whether what still comes in is thrown away."""
        self._ended = False
        """Whether the client has said that it will send no more."""
        self._lingering = False
        """Whether the last answer was given."""
        self._unheard = 0
        """Bytes thrown away."""
        self._send_by = math.inf
        self._unsent = 0
        """Bytes that waited for the client when its time began."""
        self._taken: Callable[[], None] | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the first request's head has its time from now on."""
        house = self._house
        self._transport = cast("asyncio.Transport", transport)  # create_server makes no other kind
        self._transport.set_write_buffer_limits(high=0)  # pause_writing then means: something is unsent
        peer = str(transport.get_extra_info("peername")[0])
        trusted = house.trusted if is_trusted(peer, house.trusted) else ()
        receiver = Receiver(self._take, self._continue)
        self._reader = RequestReader(house.options, self._base(peer), trusted, house.memory, receiver)
        self._reader.await_next(house.options.head_seconds)
        house.connections.add(self)
        if len(house.connections) > house.options.max_connections:
            self._refuse(overloaded())

    def _base(self, peer: str) -> WSGIEnvironment:
        name, port = self._transport.get_extra_info("sockname")[:2]
        return {**base_environ(), "REMOTE_ADDR": peer, "SERVER_NAME": name, "SERVER_PORT": str(port)}

    def connection_lost(self, exc: Exception | None) -> None:
        """End: a request under way is still carried out, its answer goes nowhere."""
        self._house.connections.discard(self)
        self._queue.clear()
        self._reader.close()
        self._room()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the client was refused; one that does not wait for its answers is held back."""
        if self._deaf:
            self._throw_away(data)
            return
        if self._busy:
            self._transport.pause_reading()
        try:
            self._reader.feed(data)
        except Refusal as refusal:
            self._refuse(refusal)

    def eof_received(self) -> bool:
        """Keep a half-closed connection open as long as an answer is due. True: keep."""
        self._ended = True
        return self._busy and not self._lingering

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._unsent = self._transport.get_write_buffer_size()
        self._send_by = time.monotonic() + self._house.options.send_seconds

    def resume_writing(self) -> None:
        """All was sent."""
        self._send_by = math.inf
        self._room()

    # What the reader calls

    def _take(self, environ: WSGIEnvironment, keep: bool) -> None:
        keep = keep and not self._house.stopping
        house = self._house
        self._enqueue(Exchange(house.application, environ, self, keep=keep, lane=house.lane_of(environ)))

    def _continue(self) -> None:
        if not self._busy:  # else an answer is due first, and the client must wait for it
            self._transport.write(CONTINUE)

    # What an exchange calls

    def send_part(self, data: bytes, taken: Callable[[], None]) -> None:
        """See exchange.Client; from a worker thread."""
        self._house.loop.call_soon_threadsafe(self._send_part, data, taken)

    def is_gone(self) -> bool:
        """See exchange.Client; from a worker thread."""
        return self._transport.is_closing()

    def answered(self, data: bytes | None, *, keep: bool) -> None:
        """See exchange.Client."""
        if self._transport.is_closing():
            return
        if data is None:
            self.cut_off()
            return
        self._transport.write(data)
        if not keep or self._house.stopping or (self._ended and not self._queue):
            self._linger()
        elif self._queue:
            self._start(self._queue.popleft())
        else:
            self._rest()

    # What the front calls

    def check(self, now: float) -> None:
        """Act when something did not come or go in time."""
        if now > self._send_by:
            self._check_sending()
        elif now > self._due():
            self._expire()

    def stop(self) -> None:
        """Close if nothing has come that is not answered yet; else that is answered first, if it comes whole soon."""
        if not self._busy and self._reader.phase is Phase.BETWEEN:
            self._transport.close()

    def cut_off(self) -> None:
        """Close at once, and so that the client can't take what it has got for the whole."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()

    # The rest

    def _enqueue(self, item: Exchange | Refusal) -> None:
        if self._busy:
            self._queue.append(item)
        else:
            self._start(item)

    def _start(self, item: Exchange | Refusal) -> None:
        self._busy = True
        if isinstance(item, Exchange):
            if self._house.is_behind(item):
                self._turn_away(item)
            else:
                self._house.workers.submit(item, item.lane)
        else:
            self._transport.write(item.answer(self._reader.target, keep=False, bodiless=self._reader.is_head()))
            self._linger()

    def _turn_away(self, item: Exchange) -> None:
        """Answer for the application; the connection goes on. Not at once, lest a long queue of these recurse."""
        environ, keep = item.environ, item.keep
        answer = overloaded().answer(environ["PATH_INFO"], keep=keep, bodiless=environ["REQUEST_METHOD"] == "HEAD")
        self._house.loop.call_soon(partial(self.answered, answer, keep=keep))

    def _refuse(self, refusal: Refusal) -> None:
        self._deaf = True
        self._enqueue(refusal)

    def _rest(self) -> None:
        """Nothing is due: wait for the next request."""
        self._busy = False
        self._reader.release()
        self._reader.await_next(self._house.options.idle_seconds)
        self._transport.resume_reading()

    def _linger(self) -> None:
        """Say that this was all; close when the client has: closing with bytes unread can undo the answer."""
        self._deaf = self._lingering = True
        self._queue.clear()
        self._reader.close()
        self._reader.due = time.monotonic() + LINGER_SECONDS
        self._transport.resume_reading()
        if self._ended:
            self._transport.close()
        else:
            self._transport.write_eof()

    def _throw_away(self, data: bytes) -> None:
        self._unheard += len(data)
        if self._unheard > LINGER_BYTES:
            self.cut_off()

    def _due(self) -> float:
        """When what is awaited of the client must have come; while an answer is due it is we who keep it waiting."""
        if self._lingering:
            return self._reader.due
        return math.inf if self._busy else min(self._reader.due, self._house.read_until)

    def _expire(self) -> None:
        if self._lingering or self._reader.phase is Phase.BETWEEN:
            self._transport.close()  # what is unsent still goes out, in `send_seconds`
        else:
            self._refuse(too_slow(self._reader.seconds()))

    def _send_part(self, data: bytes, taken: Callable[[], None]) -> None:
        if self._transport.is_closing():
            taken()
            return
        self._taken = taken
        self._transport.write(data)
        if math.isinf(self._send_by):
            self._room()

    def _room(self) -> None:
        """Let the worker thread that waits for room go on."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken()

    def _check_sending(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if self._unsent - unsent < SENT_AT_LEAST:
            self.cut_off()
        else:
            self.pause_writing()
