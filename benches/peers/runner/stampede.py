"""Many callers at one moment, and no token for them."""

from time import sleep

from peers import PROVIDER, SINGLE
from rows import row
from script import Script, used

# What the service takes for each answer.
DELAY_MS = 100

# Seconds by which the clock goes forward: past the half of a token's day, and past its end.
MOMENTS = {"cold": 0, "refresh": 43_300, "expired": 86_500}

# In which part of an answer a figure is: what its group's name ends in, its unit.
FIGURES = {
    "tokens": ("", "token requests"),
    "discoveries": ("-discovery", "discovery requests"),
    "peak": ("-peak", "token requests in flight"),
    "ms": ("-last", "ms"),
}


def cases(plan):
    return _cases(plan, plan.callers) * plan.stampede_rounds


def cases_once(plan):
    """Those that take long, the shorter ones first: time that one does not need is the next one's."""
    return sorted(_cases(plan, plan.callers_once), key=_length)


def _length(case):
    peer, moment, callers = case
    return (callers, peer not in PROVIDER, peer.kind.startswith("client-secret"), moment == "cold")


def _cases(plan, callers):
    chosen = [peer for peer in SINGLE + PROVIDER if plan.kinds is None or peer.kind in plan.kinds]
    # What has ended is like what never was, but for what a library has learned: one size is enough.
    return [
        (peer, moment, count)
        for count in callers
        for moment in plan.moments
        for peer in chosen
        if moment != "expired" or count == 64
    ]


def measure(case, plan, service, home, cap=None):
    peer, moment, callers = case
    cap = min(plan.cap, cap or plan.cap)
    service.reset(0)
    command = peer.command("stampede", peer.kind, callers, MOMENTS[moment])
    with Script(command, service, home, peer.kind) as running:
        running.wait_ready()
        service.reset(DELAY_MS)
        running.go()
        answer = running.line(cap)
        if answer is not None:
            # Refreshes in the background are on their way.
            sleep(3 * DELAY_MS / 1000)
        counts = service.counts()
    if answer is None:
        # What those who are gone had sent must not be counted for the next ones.
        service.settle()
        return counts | {"cut": cap, "failed": 0}
    return counts | used(answer, "stampede")


def rows(samples):
    for (peer, moment, callers), found in samples.items():
        is_cut = any("cut" in each for each in found)
        for name, (suffix, unit) in FIGURES.items():
            # When the last caller had its token is not known of a stampede that was cut.
            if not (is_cut and name == "ms"):
                told = [each[name] for each in found]
                yield row(f"stampede-{moment}{suffix}", peer, callers, unit, told, _note(found))


def _note(found):
    notes = [f"the service answers after {DELAY_MS} ms"]
    cut = [each["cut"] for each in found if "cut" in each]
    if cut:
        notes.append(f"cut after {max(cut):.0f} s: at least so many")
    failed = max(each["failed"] for each in found)
    if failed:
        error = next(each["failure"] for each in found if each["failed"])
        notes.append(f"up to {failed} callers got an error ({error})")
    return "; ".join(notes)
