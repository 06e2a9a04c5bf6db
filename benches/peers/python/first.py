"""first.py KIND: from nothing to the first token. The runner has the clock."""

import sys

from credentials import build
from protocol import done

kind = sys.argv[1]


async def awaited():
    return await build(kind)()


if kind.endswith("-aio"):
    import asyncio

    answer = asyncio.run(awaited())
else:
    answer = build(kind)()
done({"used": len(answer.token) > 0})
