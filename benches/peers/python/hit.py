"""hit.py KIND SECONDS: what a token from a warm cache costs, with threads."""

import sys
import threading
from time import perf_counter, process_time

from credentials import build
from protocol import done, ready
from yardstick import BATCH, BATCH_OF_EACH, Used, noise, quantile, timer_floor

kind, seconds = sys.argv[1], float(sys.argv[2])


def sequential(ask, used):
    """One caller after another: ns per hit, on the wall and of the processor."""
    before = process_time()
    start = now = perf_counter()
    hits = length = 0
    while now - start < seconds:
        for _ in range(BATCH):
            length += len(ask().token)
        hits += BATCH
        now = perf_counter()
    processor = process_time() - before
    used.add(hits, length)
    return {"wall": (now - start) * 1e9 / hits, "processor": processor * 1e9 / hits}


def timed(ask, used):
    """Each call timed alone: ns, sorted."""
    found = []
    length = 0
    end = perf_counter() + seconds / 2
    now = 0.0
    while now < end and len(found) < 50_000:
        start = perf_counter()
        answer = ask()
        now = perf_counter()
        length += len(answer.token)
        found.append((now - start) * 1e9)
    used.add(len(found), length)
    return sorted(found)


def together(ask, used, callers):
    """So many threads, each of which asks again as soon as it has its token: hits per second."""
    go = threading.Event()
    found = []
    end = 0.0

    def caller():
        go.wait()
        hits = length = 0
        while not hits or perf_counter() < end:
            for _ in range(BATCH_OF_EACH):
                length += len(ask().token)
            hits += BATCH_OF_EACH
        found.append((hits, length))

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    start = perf_counter()
    end = start + seconds
    go.set()
    for thread in threads:
        thread.join()
    took = perf_counter() - start
    for hits, length in found:
        used.add(hits, length)
    return sum(hits for hits, _ in found) / took


def main():
    threading.stack_size(256 * 1024)
    ready()
    ask = build(kind)
    used = Used(len(ask().token))
    warm_up = perf_counter() + seconds / 2
    while perf_counter() < warm_up:
        ask()
    result = {"noise": noise(), "floor": timer_floor()}
    result |= sequential(ask, used)
    calls = timed(ask, used)
    result |= {"p50": quantile(calls, 0.5), "p99": quantile(calls, 0.99), "timed": len(calls)}
    for callers in (64, 1000):
        result[str(callers)] = together(ask, used, callers)
    done(result | used.result())


main()
