"""Runs everything, and prints the rows as a JSON array. `benches/peers/run` starts this."""

import argparse
import json
import os
import random
import resource
import sys
import tempfile
from time import perf_counter

import cold
import hit
import memory
import stampede
from plan import CHECK, FULL, QUICK
from rows import wrong
from script import Failed
from service import Service

GROUPS = {"hit": hit, "cold": cold, "memory": memory, "stampede": stampede}

# How the time is shared, where all of it is needed.
WEIGHTS = {"hit": 5, "cold": 1, "memory": 2, "stampede": 6}

# Rounds are shuffled, and in the same way each time.
SEED = 1


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run", description="Measures the published SDKs.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="one round of everything that is short: within 90 s")
    size.add_argument("--check", action="store_true", help="shows that it works, and measures nothing")
    parser.add_argument("--only", default=",".join(GROUPS), help="some of hit, cold, memory, stampede; with commas")
    given = parser.parse_args()
    groups = list(dict.fromkeys(given.only.split(",")))
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; expected some of {', '.join(GROUPS)}")
    return (CHECK if given.check else QUICK if given.quick else FULL), groups


def allow_connections(plan, groups):
    """Each of the callers may open one, on both sides."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if "stampede" not in groups:
        return
    wanted = max(plan.callers + plan.callers_once) + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"peers: {wanted} open files are needed, and {hard} are allowed; see `ulimit -Hn`")


def rounds(cases):
    """Everyone once, then everyone once more: each time in another order."""
    everyone = list(dict.fromkeys(cases))
    draw = random.Random(SEED)
    shuffled = []
    for _ in range(len(cases) // len(everyone) if everyone else 0):
        draw.shuffle(everyone)
        shuffled += everyone
    return shuffled


def name_of(case):
    peer, *rest = case
    return " ".join([peer.language, peer.what, *(str(part) for part in rest)])


def names(group, case):
    return name_of(case if group == "stampede" else case[:1])


class Session:
    """One run: what it runs against, until when, and what went wrong in it."""

    def __init__(self, plan, service, home):
        self._plan = plan
        self._service = service
        self._home = home
        self.failures = 0

    def _measure(self, group, case, *more):
        try:
            return GROUPS[group].measure(case, self._plan, self._service, self._home, *more)
        except Failed as failed:
            # The others are worth having, and the run still ends with an error.
            self.failures += 1
            say(f"not measured: {failed}")
            return None

    def rounds(self, group, end):
        samples = {}
        cases = rounds(GROUPS[group].cases(self._plan))
        for number, case in enumerate(cases, 1):
            what = f"{group} {number}/{len(cases)}: {names(group, case)}"
            if perf_counter() > end:
                say(f"left out, for the time is up: {what}")
                continue
            say(what)
            answer = self._measure(group, case)
            if answer is not None:
                samples.setdefault(case, []).append(answer)
        return samples

    def once(self, end):
        """The stampedes that take long: each has its share of the time that is left, and enough."""
        samples = {}
        cases = stampede.cases_once(self._plan)
        for number, case in enumerate(cases):
            what = f"stampede, once: {name_of(case)}"
            left = end - perf_counter()
            if left < 3:
                say(f"left out, for the time is up: {what}")
                continue
            say(what)
            share = max(left / (len(cases) - number), min(left, self._plan.least))
            answer = self._measure("stampede", case, share)
            if answer is None:
                continue
            if "cut" in answer:
                say(f"cut after {answer['cut']:.0f} s, {answer['tokens']} token requests")
            samples[case] = [answer]
        return samples


def ends(groups, start, budget):
    """When each group has to end, so that there is time for the next. What one leaves is the next one's."""
    total = sum(WEIGHTS[group] for group in groups)
    so_far = 0
    for group in groups:
        so_far += WEIGHTS[group]
        yield group, start + budget * so_far / total


def main():
    plan, groups = arguments()
    allow_connections(plan, groups)
    start = perf_counter()
    found = []
    with tempfile.TemporaryDirectory(prefix="peers-") as home:
        with Service(os.environ["PEER_SERVICE"], home) as service:
            session = Session(plan, service, home)
            for group, end in ends(groups, start, plan.budget):
                if group == "stampede":
                    # Half of its time at least is for those that take long.
                    samples = session.rounds(group, (perf_counter() + end) / 2)
                    samples |= session.once(end)
                else:
                    samples = session.rounds(group, end)
                found += GROUPS[group].rows(samples)
    # One row a line.
    lines = ",\n".join(json.dumps(each) for each in found)
    print(f"[\n{lines}\n]")
    say(f"{len(found)} rows in {perf_counter() - start:.0f} s")
    for each in wrong(found):
        raise SystemExit(f"peers: {each}")
    if session.failures:
        raise SystemExit(f"peers: {session.failures} measurements failed")


main()
