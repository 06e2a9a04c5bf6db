"""Many callers at one moment, and no token for them."""

from time import sleep

from peers import PROVIDER, SINGLE
from rows import row
from script import Script, used

# What the service takes for each answer.
DELAY_MS = 100

# Seconds by which the clock goes forward: past the half of a token's day, and past its end.
MOMENTS = {"cold": 0, "refresh": 43_300, "expired": 86_500}


def cases(plan):
    return _cases(plan, plan.callers) * plan.stampede_rounds


def cases_once(plan):
    """Those that take long, the shorter ones first."""
    found = _cases(plan, plan.callers_once)
    return sorted(found, key=lambda case: case[0] not in PROVIDER)


def _cases(plan, callers):
    chosen = [peer for peer in SINGLE + PROVIDER if plan.kinds is None or peer.kind in plan.kinds]
    # What has ended is like what never was, but for what a library has learned: once is enough.
    return [
        (peer, moment, count)
        for count in callers
        for moment in MOMENTS
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
            return counts | {"cut": cap, "failed": 0}
        return counts | used(answer, "stampede")


def rows(samples):
    for (peer, moment, callers), found in samples.items():
        note = _note(found)
        group = f"stampede-{moment}"

        def of(name, suffix, unit, found=found, note=note, group=group):
            told = [each[name] for each in found]
            return row(group + suffix, peer, callers, unit, told, note)

        yield of("tokens", "", "token requests")
        yield of("discoveries", "-discovery", "discovery requests")
        yield of("peak", "-peak", "token requests in flight")
        if not any("cut" in each for each in found):
            yield of("ms", "-last", "ms")


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
