"""What is made of a period's records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.measures.records import Records, reading
from aybiza.actors.measures.report import BUCKETS, Rows, report, rows_of
from tests.actors.measures.report_kit import DEEP, FAST, SINCE, UNTIL, calls_of, charge, turn


def told(*turns: Any, charges: Any = ()) -> dict[str, Any]:
    return report(Rows((), list(turns), list(charges)), SINCE, UNTIL)


def test_each_stage_is_told_with_what_it_took() -> None:
    latency = told(*(turn(number) for number in range(3)))["latency"]
    assert latency["first_frame"] == {
        "count": 3,
        "p50_ms": 500.0,
        "p95_ms": 500.0,
        "took_ms": pytest.approx(20.0),
    }
    assert latency["first_token"]["took_ms"] == pytest.approx(150.0)
    assert latency["edge"]["count"] == 0 and latency["edge"]["p50_ms"] is None


def test_an_apology_says_nothing_of_speed_or_choice() -> None:
    apology = turn(1, outcome="apology", first_frame=0.1, optimal=DEEP)
    made = told(turn(0), apology)
    assert made["latency"]["first_frame"]["count"] == 1
    assert made["selection"] == {"judged": 1, "fitting": 1, "share": 1.0, "instead": []}
    assert made["turns"]["outcomes"] == {"answered": 1, "apology": 1}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10**7)), max_size=40))
def test_the_sum_is_that_of_its_parts_to_the_micro_dollar(charges: Any) -> None:
    whats = ("model", "listen", "speak", "carrier")
    rows = [
        charge(number, micro, what=whats[number % 4], agent=f"agent {number % 3}")
        for number, micro in charges
    ]
    made = told(charges=rows)["cost"]
    total = sum(micro for _, micro in charges)
    assert round(made["usd"] * 1e6) == total
    for parts in (made["by_what"], made["by_agent"]):
        assert sum(round(usd * 1e6) for usd in parts.values()) == total
    by_time = told(charges=rows)["trend"]
    assert sum(round(part["usd"] * 1e6) for part in by_time) == total


def test_the_trend_goes_over_nodes_and_restarts_oldest_first() -> None:
    day = UNTIL - SINCE
    early = [turn(0, at=SINCE + 10, node="vm-1", first_frame=0.5)]
    late = [turn(1, at=UNTIL - 10, node="vm-2", first_frame=2.0)]
    trend = told(*early, *late)["trend"]
    assert len(trend) == BUCKETS
    assert [trend[0]["p50_ms"], trend[-1]["p50_ms"]] == [500.0, 2_000.0]
    assert trend[1]["p50_ms"] is None
    assert trend[1]["at"] - trend[0]["at"] == day / BUCKETS


def test_arms_of_an_experiment_are_told_apart_with_their_intervals() -> None:
    quick, slow = report(calls_of(1), SINCE, UNTIL)["experiments"]
    assert (quick["arm"], slow["arm"]) == ("quick", "slow")
    assert quick["response_interval"][1] < slow["response_interval"][0]
    for arm in (quick, slow):
        low, high = arm["answered_interval"]
        assert low <= arm["answered_share"] <= high
        low, high = arm["usd_interval"]
        assert low < arm["usd_a_turn"] < high
    # What a turn's speech costs is not its model's.
    assert quick["usd_a_turn"] < 0.005


ADVICE = [
    ("errors", {"outcome": "apology"}, "had no answer of a model"),
    (
        "latency",
        {"first_token": 2.5, "first_sentence": 2.6, "first_audio": 2.7, "first_frame": 2.8},
        "most of the median is first token (2,290 ms): put a faster model first",
    ),
    ("cost", {"micro_usd": 1_000, "optimal_micro_usd": 100}, "would not have been charged"),
    ("model_selection", {"model": DEEP, "optimal": FAST}, f"answered by {DEEP} where {FAST} fits"),
    ("edge", {"edge_ms": 400.0}, "take 400 ms or more from the edge"),
]


@pytest.mark.parametrize(("about", "told_of", "says"), ADVICE)
def test_what_could_be_better_is_said_with_its_numbers(
    about: str, told_of: dict[str, Any], says: str
) -> None:
    turns = [turn(number, **told_of) for number in range(30)]
    charges = [charge(number, one["micro_usd"]) for number, one in enumerate(turns)]
    advices = {each["about"]: each for each in told(*turns, charges=charges)["recommendations"]}
    assert says in advices[about]["says"]
    assert advices[about]["numbers"]
    healthy = [turn(number) for number in range(30)]
    good = [charge(number, 100) for number in range(30)]
    assert told(*healthy, charges=good)["recommendations"] == []
    assert told(*turns[:5], charges=charges[:5])["recommendations"] == []


def test_it_is_json_also_of_nothing() -> None:
    for rows in (Rows(), calls_of(2)):
        json.dumps(report(rows, SINCE, UNTIL))


def test_rows_are_read_from_files_and_taken_together(tmp_path: Path) -> None:
    whole = calls_of(3, 10)
    halves = []
    for part in (0, 1):
        records = Records(tmp_path / f"{part}.sqlite3", node="vm-1", days=3_650)
        batch = [
            (table, dict(each))
            for table in ("calls", "turns", "charges")
            for each in getattr(whole, table)[part::2]
        ]
        records.put(batch)
        records.close()
        with reading(records.path) as connection:
            halves.append(rows_of(connection, SINCE, UNTIL))
    together = halves[0] + halves[1]
    assert report(together, SINCE, UNTIL) == report(whole, SINCE, UNTIL)
    with reading(tmp_path / "0.sqlite3") as connection:
        assert rows_of(connection, SINCE, SINCE + 1).turns == [whole.turns[0]]
