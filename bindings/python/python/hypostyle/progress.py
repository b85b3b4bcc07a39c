"""A line on a terminal that tells how far a run is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["shown"]

#: Seconds before the first line, so that short runs show nothing, and between two.
DELAY = 0.5
INTERVAL = 0.1
#: Characters of the bar.
WIDTH = 40


def line(share: float, seconds: float) -> str:
    """The share that is done as a bar, and the time that has passed.

    >>> line(0.5, 61)
    ' 50% ████████████████████                     1:01'
    """
    share = min(max(share, 0.0), 1.0)
    bar = "█" * round(share * WIDTH)
    minutes, rest = divmod(int(seconds), 60)
    return f"{share:4.0%} {bar:<{WIDTH}} {minutes:}:{rest:02}"


@contextmanager
def shown(share: Callable[[], float], to: TextIO | None = None) -> Iterator[None]:
    """Shows what ``share`` says, from 0 to 1, as long as the block runs; the line is wiped at its end."""
    stream = sys.stderr if to is None else to
    done = threading.Event()
    started = time.monotonic()

    def show() -> None:
        wait = DELAY
        while not done.wait(wait):
            stream.write("\r" + line(share(), time.monotonic() - started))
            stream.flush()
            wait = INTERVAL

    thread = threading.Thread(target=show, name="hypostyle-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if time.monotonic() - started > DELAY:
            stream.write("\r" + " " * (WIDTH + 12) + "\r")
            stream.flush()
