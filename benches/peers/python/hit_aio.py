"""hit_aio.py KIND SECONDS: what a token from a warm cache costs, with asyncio."""

import asyncio
import sys
from time import perf_counter, process_time

from credentials import build
from protocol import done, ready
from yardstick import BATCH, BATCH_OF_EACH, Used, noise, quantile, timer_floor

kind, seconds = sys.argv[1], float(sys.argv[2])


async def sequential(ask, used):
    """One caller after another: ns per hit, on the wall and of the processor."""
    before = process_time()
    start = now = perf_counter()
    hits = length = 0
    while now - start < seconds:
        for _ in range(BATCH):
            length += len((await ask()).token)
        hits += BATCH
        now = perf_counter()
    processor = process_time() - before
    used.add(hits, length)
    return {"wall": (now - start) * 1e9 / hits, "processor": processor * 1e9 / hits}


async def timed(ask, used):
    """Each call timed alone: ns, sorted."""
    found = []
    length = 0
    end = perf_counter() + seconds / 2
    now = 0.0
    while now < end and len(found) < 50_000:
        start = perf_counter()
        answer = await ask()
        now = perf_counter()
        length += len(answer.token)
        found.append((now - start) * 1e9)
    used.add(len(found), length)
    return sorted(found)


async def together(ask, used, callers):
    """So many tasks, each of which asks again as soon as it has its token: hits per second.

    A hit never gives way to another task, so each caller does so itself after each hit: else they
    would run one after another, and be one caller.
    """
    start = perf_counter()
    end = start + seconds

    async def caller():
        hits = length = 0
        while not hits or perf_counter() < end:
            for _ in range(BATCH_OF_EACH):
                length += len((await ask()).token)
                await asyncio.sleep(0)
            hits += BATCH_OF_EACH
        return hits, length

    found = await asyncio.gather(*(caller() for _ in range(callers)))
    took = perf_counter() - start
    for hits, length in found:
        used.add(hits, length)
    return sum(hits for hits, _ in found) / took


async def main():
    ready()
    ask = build(kind)
    used = Used(len((await ask()).token))
    warm_up = perf_counter() + seconds / 2
    while perf_counter() < warm_up:
        await ask()
    result = {"noise": noise(), "floor": timer_floor()}
    result |= await sequential(ask, used)
    calls = await timed(ask, used)
    result |= {"p50": quantile(calls, 0.5), "p99": quantile(calls, 0.99), "timed": len(calls)}
    for callers in (64, 1000):
        result[str(callers)] = await together(ask, used, callers)
    done(result | used.result())


asyncio.run(main())
