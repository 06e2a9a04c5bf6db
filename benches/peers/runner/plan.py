"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    # Seconds after which no stampede of 10,000 begins any more, and those that run are cut.
    budget: float
    # Hits: rounds, and seconds for each part of one.
    hit_rounds: int
    hit_seconds: float
    # Stampedes: rounds, callers, and the callers that are measured once, at the end.
    stampede_rounds: int
    callers: tuple
    callers_once: tuple
    # Seconds after which a stampede is cut.
    cap: float
    # Process starts.
    cold_rounds: int
    # Memory: rounds and instances.
    memory_rounds: int
    instances: int
    # Measures these kinds only; None: all.
    kinds: tuple | None = None


FULL = Plan(
    budget=690,
    hit_rounds=7,
    hit_seconds=0.5,
    stampede_rounds=3,
    callers=(1, 64, 1000),
    callers_once=(10_000,),
    cap=120,
    cold_rounds=9,
    memory_rounds=3,
    instances=1000,
)

QUICK = Plan(
    budget=80,
    hit_rounds=1,
    hit_seconds=0.2,
    stampede_rounds=1,
    callers=(1, 64),
    callers_once=(1000,),
    cap=20,
    cold_rounds=2,
    memory_rounds=1,
    instances=200,
)

# Measures nothing worth telling: shows that all of it works.
CHECK = Plan(
    budget=60,
    hit_rounds=1,
    hit_seconds=0.02,
    stampede_rounds=1,
    callers=(8,),
    callers_once=(),
    cap=20,
    cold_rounds=1,
    memory_rounds=1,
    instances=5,
    kinds=("bearer-token-provider", "client-secret", "managed-identity-aio"),
)
