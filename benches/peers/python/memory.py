"""memory.py KIND COUNT TOKENS: bytes for each of COUNT credentials, without and with a token, and
for each of TOKENS more tokens of one credential. Reads /proc, so it needs Linux.
"""

import asyncio
import gc
import inspect
import os
import sys

from credentials import SCOPE, build
from protocol import done, ready

kind, count, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PAGE = os.sysconf("SC_PAGE_SIZE")


def used():
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * PAGE


async def length_of(answer):
    if inspect.isawaitable(answer):
        answer = await answer
    return len(answer.token)


async def main():
    first = build(kind)
    ready()
    # Code and connections that all share are there before the first measurement.
    length = await length_of(first())
    empty = used()
    all_of_them = [build(kind) for _ in range(count)]
    constructed = used()
    for ask in all_of_them:
        length += await length_of(ask())
    filled = used()
    for number in range(tokens):
        length += await length_of(first(SCOPE.replace("vault", f"v{number}")))
    more = used()
    done(
        {
            "constructed": {"rss": (constructed - empty) / count},
            "filled": {"rss": (filled - empty) / count},
            "token": {"rss": (more - filled) / tokens},
            "used": length > 0 and len(all_of_them) == count,
        }
    )


asyncio.run(main())
