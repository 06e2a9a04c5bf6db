"""What credentials and tokens weigh."""

import sys
from dataclasses import replace

from peers import DEFAULTS, SINGLE
from rows import row
from script import Script, used

WHAT = {
    "constructed": ("a {} without a token", "instances"),
    "filled": ("a {} with a token", "instances"),
    "token": ("one more token in a {}", "tokens"),
}

GROUPS = {"rss": ("memory", "resident set"), "heap": ("memory-heap", "heap, by V8's own count")}


def cases(plan):
    # Linux tells a process at once what it has; elsewhere, Python can only learn its peak.
    if not sys.platform.startswith("linux"):
        print("peers: memory is measured on Linux only", file=sys.stderr)
        return []
    chosen = [peer for peer in SINGLE + DEFAULTS if plan.kinds is None or peer.kind in plan.kinds]
    return [(peer,) for peer in chosen] * plan.memory_rounds


def measure(case, plan, service, home):
    (peer,) = case
    service.reset(0)
    command = peer.command("memory", peer.kind, plan.instances, plan.tokens)
    with Script(command, service, home, peer.kind) as running:
        running.wait_ready()
        running.go()
        answer = used(running.line(120), "memory")
    return answer | {"instances": plan.instances, "tokens": plan.tokens}


def rows(samples):
    for (peer,), answers in samples.items():
        for stage, (what, of) in WHAT.items():
            named = replace(peer, what=what.format(peer.what))
            for measure_of, (group, how) in GROUPS.items():
                if measure_of not in answers[0][stage]:
                    continue
                found = [answer[stage][measure_of] for answer in answers]
                note = f"{how}, over {answers[0][of]}"
                yield row(group, named, 1, "bytes", found, note)
