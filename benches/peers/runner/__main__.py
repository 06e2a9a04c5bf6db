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
    groups = given.only.split(",")
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; expected some of {', '.join(GROUPS)}")
    return (CHECK if given.check else QUICK if given.quick else FULL), groups


def allow_connections(plan):
    """Each of the callers may open one, on both sides."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
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


def left_out(what):
    say(f"left out, for the time is up: {what}")


def play(group, plan, service, home, end):
    samples = {}
    cases = rounds(GROUPS[group].cases(plan))
    for number, case in enumerate(cases, 1):
        what = f"{group} {number}/{len(cases)}: {names(group, case)}"
        if perf_counter() > end:
            left_out(what)
            continue
        say(what)
        samples.setdefault(case, []).append(GROUPS[group].measure(case, plan, service, home))
    return samples


def play_once(plan, service, home, end):
    """The stampedes that take long: each has its share of the time that is left."""
    samples = {}
    cases = stampede.cases_once(plan)
    for number, case in enumerate(cases):
        what = f"stampede, once: {name_of(case)}"
        left = end - perf_counter()
        if left < 3:
            left_out(what)
            continue
        say(what)
        try:
            answer = stampede.measure(case, plan, service, home, left / (len(cases) - number))
        except Failed as failed:
            # So many threads or connections may be more than this machine has.
            say(f"not measured: {failed}")
            continue
        samples[case] = [answer]
        if "cut" in answer:
            say(f"cut after {answer['cut']:.0f} s")
    return samples


def main():
    plan, groups = arguments()
    allow_connections(plan)
    start = perf_counter()
    end = start + plan.budget
    found = []
    with tempfile.TemporaryDirectory(prefix="peers-") as home:
        with Service(os.environ["PEER_SERVICE"], home) as service:
            for group in groups:
                samples = play(group, plan, service, home, end)
                if group == "stampede":
                    samples |= play_once(plan, service, home, end)
                found += GROUPS[group].rows(samples)
    for each in wrong(found):
        raise Failed(each)
    # One row a line.
    lines = ",\n".join(json.dumps(each) for each in found)
    print(f"[\n{lines}\n]")
    say(f"{len(found)} rows in {perf_counter() - start:.0f} s")


try:
    main()
except Failed as failed:
    raise SystemExit(f"peers: {failed}") from None
