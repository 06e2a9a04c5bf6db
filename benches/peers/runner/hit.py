"""A token from a warm cache."""

from peers import DEFAULTS, NOTHING, PROVIDER, SINGLE
from rows import row
from script import Failed, Script, used

# In which part of a script's answer a figure is: group, callers, unit.
FIGURES = {
    "wall": ("hit", 1, "ns"),
    "processor": ("hit-cpu", 1, "ns"),
    "p50": ("hit-p50", 1, "ns"),
    "p99": ("hit-p99", 1, "ns"),
    "64": ("hit", 64, "hits/s"),
    "1000": ("hit", 1000, "hits/s"),
    "floor": ("hit-timer-floor", 1, "ns"),
    "noise": ("hit-noise", 1, "ns"),
}


def cases(plan):
    everyone = NOTHING + SINGLE + PROVIDER + DEFAULTS
    chosen = [peer for peer in everyone if plan.kinds is None or peer.kind in plan.kinds]
    return [(peer,) for peer in chosen] * plan.hit_rounds


def measure(case, plan, service, home):
    (peer,) = case
    service.reset(0)
    script = "hit_aio" if peer.is_aio else "hit"
    command = peer.command(script, peer.kind, plan.hit_seconds)
    with Script(command, service, home, peer.kind) as running:
        running.wait_ready()
        running.go()
        answer = used(running.line(60 + 20 * plan.hit_seconds), script)
    # Had one of the hits been a miss, it would have come here.
    expected = 0 if peer.kind.startswith("nothing") else 1
    counts = service.counts()
    if (counts["tokens"], counts["refused"]) != (expected, 0):
        raise Failed(f"{peer.what}: the cache was to be warm, and the service saw {counts}")
    return answer


def rows(samples):
    for (peer,), answers in samples.items():
        for name, (group, callers, unit) in FIGURES.items():
            found = [answer[name] for answer in answers]
            yield row(group, peer, callers, unit, found, _note(name, peer, answers))


def _note(name, peer, answers):
    if name in ("p50", "p99"):
        calls = min(answer["timed"] for answer in answers)
        return f"each round: at least {calls} calls, timed alone; the timer floor is in it"
    if name in ("64", "1000") and peer.is_aio:
        return "closed loop; with an asyncio.sleep(0) after each hit"
    if name in ("64", "1000"):
        return "closed loop; threads" if peer.language == "python" else "closed loop"
    return {
        "processor": "time of the processor, of all threads of the process",
        "floor": "two readings of the clock",
        "noise": "a turn of a fixed loop over integers, in the same process",
    }.get(name, "")
