"""`shipmend worker`: a worker by itself."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from shipmend.worker import make_worker


def run() -> int:
    """Work until SIGTERM or SIGINT; what runs then is given back for another worker to take."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worker = make_worker()
    worker.start()
    print("The worker is running.", flush=True)
    stopping.wait()
    worker.stop()
    return 0
