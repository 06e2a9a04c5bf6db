"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    # Seconds after which nothing begins any more; the long stampedes that run are cut.
    budget: float
    # Hits: rounds, and seconds for each part of one.
    hit_rounds: int
    hit_seconds: float
    # Stampedes: rounds, moments, callers, and the callers that are measured once, at the end.
    stampede_rounds: int
    moments: tuple
    callers: tuple
    callers_once: tuple
    # Seconds after which a stampede is cut.
    cap: float
    # Process starts.
    cold_rounds: int
    # Memory: rounds, instances, and more tokens of one instance.
    memory_rounds: int
    instances: int
    tokens: int
    # Measures these kinds only; None: all.
    kinds: tuple | None = None


FULL = Plan(
    budget=690,
    hit_rounds=5,
    hit_seconds=0.4,
    stampede_rounds=3,
    moments=("cold", "refresh", "expired"),
    callers=(64, 1000),
    callers_once=(1, 10_000),
    cap=120,
    cold_rounds=7,
    memory_rounds=2,
    instances=1000,
    tokens=300,
)

QUICK = Plan(
    budget=80,
    hit_rounds=1,
    hit_seconds=0.2,
    stampede_rounds=1,
    moments=("cold", "refresh"),
    callers=(64,),
    callers_once=(1000,),
    cap=20,
    cold_rounds=2,
    memory_rounds=1,
    instances=200,
    tokens=100,
)

# Measures nothing worth telling: shows that all of it works.
CHECK = Plan(
    budget=60,
    hit_rounds=1,
    hit_seconds=0.02,
    stampede_rounds=1,
    moments=("cold", "refresh"),
    callers=(8,),
    callers_once=(),
    cap=20,
    cold_rounds=1,
    memory_rounds=1,
    instances=5,
    tokens=5,
    kinds=("bearer-token-provider", "client-secret", "managed-identity-aio"),
)
