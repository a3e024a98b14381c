"""The HTTP/1.1 front: one event loop for the sockets, a bounded pool of threads for the application.

`docs/adr/0002-http-front.md` says why it is ours and what was measured. The parser is llhttp (by way of
httptools); what is here decides what to do with a request: its limits, its time, its answer.
"""

from shipmend.server.connection import ALIVE
from shipmend.server.front import serve
from shipmend.server.listening import CannotListen
from shipmend.server.options import ServerOptions
from shipmend.server.workers import Hand, LaneOf, Threads

__all__ = ["ALIVE", "CannotListen", "Hand", "LaneOf", "ServerOptions", "Threads", "serve"]
