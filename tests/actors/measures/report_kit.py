"""Records for tests of the report: turns, charges and calls as the file has them."""

from __future__ import annotations

import random
from typing import Any

from aybiza.actors.measures.records import TABLES
from aybiza.actors.measures.report import Rows

SINCE, UNTIL = 1_800_000_000.0, 1_800_086_400.0
FAST, DEEP = "anthropic.fast", "anthropic.deep"


def row(table: str, **told: Any) -> dict[str, Any]:
    """A row with what is told; the rest is empty."""
    return {**dict.fromkeys(TABLES[table]), "at": SINCE, **told}


def turn(number: int, **told: Any) -> dict[str, Any]:
    """An answered turn of 500 ms in all."""
    stages = {"end_of_turn": 0.2, "request": 0.21, "first_token": 0.36}
    stages |= {"first_sentence": 0.4, "first_audio": 0.48, "first_frame": 0.5}
    about = {"call_id": f"CA{number}", "turn": 1, "outcome": "answered", "node": "vm-1"}
    money = {"model": FAST, "optimal": FAST, "micro_usd": 100, "optimal_micro_usd": 100}
    return row("turns", **{**stages, **about, **money, "at": SINCE + number * 60, **told})


def charge(number: int, micro_usd: int, **told: Any) -> dict[str, Any]:
    about = {"call_id": f"CA{number}", "turn": 1, "what": "model", "model": FAST, "quantity": 1.0}
    at = SINCE + number * 60
    return row("charges", **{**about, "agent": "Desk", "at": at, "micro_usd": micro_usd, **told})


def calls_of(seed: int, count: int = 60) -> Rows:
    """Calls of one turn each, in an experiment of two arms."""
    chance = random.Random(seed)
    turns, charges, calls = [], [], []
    for number in range(count):
        arm = "slow" if number % 2 else "quick"
        frame = max(0.3, chance.gauss(1.5 if arm == "slow" else 0.6, 0.1))
        outcome = "apology" if chance.random() < 0.05 else "answered"
        told = {"experiment": "speed", "arm": arm, "outcome": outcome, "first_frame": frame}
        told |= {"country": "DE" if number % 3 else "US", "edge_ms": 40.0, "region": "eu-west-1"}
        turns.append(turn(number, **told))
        charges.append(charge(number, chance.randrange(50, 5_000)))
        charges.append(charge(number, chance.randrange(1, 90), what="speak", model="aura-2"))
        about = {"call_id": f"CA{number}", "outcome": "goodbye", "turns": 1, "seconds": 30.0}
        calls.append(row("calls", at=SINCE + number * 60 + 30, micro_usd=0, **about))
    return Rows(calls, turns, charges)
