"""The clock, and what it can't see."""

from time import perf_counter

# So many hits between two looks at the clock: of one caller, and of each of many.
BATCH = 16
BATCH_OF_EACH = 4


def noise():
    """ns for a turn of a fixed loop over integers: tells how busy the machine is."""
    turns = 300_000
    start = perf_counter()
    state = 1
    for _ in range(turns):
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
    return (perf_counter() - start) * 1e9 / turns if state else 0.0


def quantile(found, share):
    """Of a sorted list."""
    return found[min(len(found) - 1, int(len(found) * share))]


def timer_floor():
    """ns that two readings of the clock cost: part of each call that is timed alone."""
    found = []
    for _ in range(20_000):
        start = perf_counter()
        found.append(perf_counter() - start)
    return quantile(sorted(found), 0.5) * 1e9


class Used:
    """Adds up the tokens that were handed out, so that each one was."""

    def __init__(self, one):
        self.one = one
        self.hits = 0
        self.length = 0

    def add(self, hits, length):
        self.hits += hits
        self.length += length

    def result(self):
        return {"hits": self.hits, "used": self.length == self.hits * self.one}
