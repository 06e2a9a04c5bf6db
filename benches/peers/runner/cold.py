"""From the start of a process to its first token."""

from dataclasses import replace
from time import perf_counter

from peers import OURS, Peer, SINGLE
from rows import row
from script import Script, used


def _start(language, script, what, *arguments):
    return (Peer(language, script, what), script, arguments)


EMPTY = [
    _start("javascript", "bare", "the bare runtime"),
    _start("javascript", "imported", "the library loaded"),
    _start("python", "bare", "the bare runtime"),
    _start("python", "imported", "the library loaded", "azure.identity"),
    _start("python", "imported", "the library loaded, aio", "azure.identity.aio"),
]


def cases(plan):
    chosen = [peer for peer in OURS + SINGLE if plan.kinds is None or peer.kind in plan.kinds]
    found = [(replace(peer, what=f"first token of {peer.what}"), "first", (peer.kind,)) for peer in chosen]
    if plan.kinds is None:
        found += EMPTY
    return found * plan.cold_rounds


def measure(case, plan, service, home):
    peer, script, arguments = case
    service.reset(0)
    with Script(peer.command(script, *arguments), service, home, peer.kind) as running:
        answer = running.line(60)
        took = perf_counter() - running.started
        used(answer, script)
    return took * 1000


def rows(samples):
    for (peer, _, _), found in samples.items():
        yield row("cold", peer, 1, "ms", found, "from before the process is made to its first line")
