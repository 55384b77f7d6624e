"""The components of an answer against their budgets."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.measures.turn_fold import STAGES
from aybiza.console.diagnosis.latency import BUDGETS, NETWORK, WHOLE, components, slowest, took
from tests.actors.measures.report_kit import turn

moments = st.dictionaries(st.sampled_from(STAGES), st.floats(-1.0, 9.0) | st.none())


def named(turns: list[dict[str, Any]], **budgets: float) -> dict[str, Any]:
    return {part.name: part for part in components(turns, {**BUDGETS, **budgets})}


@given(st.lists(st.tuples(moments, st.floats(0.0, 9.0)), min_size=1, max_size=9))
def test_components_add_up_to_the_response_whatever_is_missing_or_out_of_order(
    told: list[tuple[dict[str, float | None], float]],
) -> None:
    turns: list[dict[str, Any]] = [
        {"outcome": "answered", "edge_ms": None, **stages, "first_frame": end}
        for stages, end in told
    ]
    for each in turns:
        spent = took(each)
        assert abs(sum(spent.values()) - 1000 * each["first_frame"]) < 0.01
        assert min(spent.values()) >= 0.0
    parts = components(turns)
    shares = [part.share for part in parts if part.name != WHOLE and part.share is not None]
    waited = any(each["first_frame"] > 0.001 for each in turns)
    assert not waited or abs(sum(shares) - 1.0) < 0.01


def test_each_component_has_the_time_of_its_stages_and_its_share() -> None:
    found = named([turn(number, edge_ms=40.0) for number in range(3)])
    medians = {name: part.p50_ms for name, part in found.items()}
    assert medians == {
        "stt": 200.0,
        "node": 30.0,
        "llm": 190.0,
        "tts": 80.0,
        NETWORK: 40.0,
        WHOLE: 500.0,
    }
    assert [found[name].share for name in ("stt", "tts", NETWORK, WHOLE)] == [0.4, 0.16, None, 1.0]


def test_a_budget_is_met_by_all_by_the_middle_or_by_few() -> None:
    turns = [turn(n, end_of_turn=0.02 * n, first_frame=0.5) for n in range(10)]
    assert named(turns, stt=180.0)["stt"].verdict == "met"
    tail = named(turns, stt=100.0)["stt"]
    assert (tail.verdict, tail.over) == ("tail", 0.4)
    assert named(turns, stt=50.0)["stt"].verdict == "over"


def test_the_slowest_is_what_is_furthest_over_and_is_told_what_mends_its_slowest_stage() -> None:
    slow_token = [turn(1, first_token=3.0, first_sentence=3.1, first_audio=3.2, first_frame=3.2)]
    worst = slowest(components(slow_token))
    assert worst is not None and worst.name == "llm"
    assert "AWS_REGION" in worst.advice
    slow_sentence = [turn(1, first_sentence=3.1, first_audio=3.2, first_frame=3.2)]
    worst = slowest(components(slow_sentence))
    assert worst is not None and "short sentences" in worst.advice
    assert slowest(components([turn(1)], dict.fromkeys(BUDGETS, 9_000.0))) is None


def test_an_answer_that_was_begun_early_costs_no_more_than_it_took() -> None:
    early = turn(1, end_of_turn=0.4, request=0.1, first_token=0.3, first_sentence=0.35)
    assert took(early)["request"] == 0.0 and took(early)["first_token"] == 0.0


def test_turns_that_say_nothing_of_speed_are_left_out() -> None:
    turns = [turn(1, outcome="apology", first_frame=9.0), turn(2, first_frame=None)]
    assert all(part.turns == 0 and part.verdict == "unknown" for part in components(turns))
