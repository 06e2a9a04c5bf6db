"""stampede.py KIND CALLERS SHIFT: so many callers at one moment.

With a SHIFT above 0, there is a token in the cache, and the clock goes forward by so many seconds
before they come.
"""

import asyncio
import sys
import threading
from time import perf_counter

from clock import shift
from credentials import build
from protocol import ready, tell

kind, callers, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Outcome:
    def __init__(self):
        self.failed = 0
        self.failure = None
        self.lengths = []

    def got(self, answer):
        self.lengths.append(len(answer.token))

    def failed_with(self, error):
        self.failed += 1
        self.failure = self.failure or f"{type(error).__name__}: {error}"[:200]

    def tell(self, start):
        ms = (perf_counter() - start) * 1000
        used = sum(self.lengths) > 0
        tell({"ms": ms, "failed": self.failed, "failure": self.failure, "used": used})


def threads():
    threading.stack_size(256 * 1024)
    ask = build(kind)
    if seconds:
        ask()
        shift(seconds)
    outcome = Outcome()
    lock = threading.Lock()
    go = threading.Event()

    def caller():
        go.wait()
        try:
            outcome.got(ask())
        except Exception as error:
            with lock:
                outcome.failed_with(error)

    waiting = [threading.Thread(target=caller, daemon=True) for _ in range(callers)]
    for thread in waiting:
        thread.start()
    ready()
    start = perf_counter()
    go.set()
    for thread in waiting:
        thread.join()
    outcome.tell(start)
    threading.Event().wait()


async def tasks():
    ask = build(kind)
    if seconds:
        await ask()
        shift(seconds)
    outcome = Outcome()

    async def caller():
        try:
            outcome.got(await ask())
        except Exception as error:
            outcome.failed_with(error)

    ready()
    start = perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    outcome.tell(start)
    # What goes on in the background is the stampede's too. The runner ends this.
    await asyncio.Event().wait()


if kind.endswith("-aio"):
    asyncio.run(tasks())
else:
    threads()
