"""The rows that come out: one shape for all benches of this repository."""

import statistics

KEYS = {
    "group": str,
    "who": str,
    "what": str,
    "callers": int,
    "unit": str,
    "median": float,
    "low": float,
    "high": float,
    "samples": int,
    "note": str,
}


def row(group, peer, callers, unit, samples, note=""):
    """Median and quartiles of what was measured in `samples` rounds."""
    low, median, high = _quartiles(samples)
    return {
        "group": group,
        "who": peer.who,
        "what": peer.what,
        "callers": callers,
        "unit": unit,
        "median": median,
        "low": low,
        "high": high,
        "samples": len(samples),
        "note": note,
    }


def _quartiles(samples):
    found = [float(sample) for sample in samples]
    if len(found) == 1:
        return found * 3
    return statistics.quantiles(found, n=4, method="inclusive")


def wrong(rows):
    """What is wrong with their shape, in words; empty where nothing is."""
    found = []
    seen = set()
    for each in rows:
        if {key: type(value) for key, value in each.items()} != KEYS:
            found.append(f"not of the shape: {each}")
            continue
        if not each["low"] <= each["median"] <= each["high"]:
            found.append(f"quartiles out of order: {each}")
        name = tuple(each[key] for key in ("group", "who", "what", "callers", "unit"))
        if name in seen:
            found.append(f"twice: {name}")
        seen.add(name)
    return found
