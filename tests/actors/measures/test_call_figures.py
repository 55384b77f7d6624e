"""A call's figures are those of its lines; its score has parts that one can look at."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.measures.call_figures import PARTS, Call, combined, score

LINE: dict[str, Any] = {
    **{"seconds": 60.0, "caller_s": 10.0, "agent_s": 20.0, "talk_over_s": 1.0, "talk_overs": 1},
    **{"dead_air_s": 4.0, "dead_airs": 1, "owed_s": 4.0},
    **{"frames": 100, "jitter_ms": 2.0, "lost": 0.0, "responses": [0.7, 0.9, 2.0]},
}


def test_lines_add_up_and_what_is_no_number_is_passed_over() -> None:
    other = {**LINE, "frames": 300, "jitter_ms": 6.0, "responses": [1.0, "x"], "agent_s": None}
    told = combined([LINE, other])
    assert (told["seconds"], told["agent_s"], told["jitter_ms"]) == (120.0, 20.0, 5.0)
    assert (told["responses"], told["response_p50"], told["response_max"]) == (5, 0.9, 2.0)
    assert 4.3 < told["mos"] < 4.5
    assert combined([]) == {}
    assert "mos" not in combined([{"frames": "many", "responses": {}}])


def test_each_part_goes_down_with_what_it_tells() -> None:
    best = Call(combined([{**LINE, "owed_s": 0, "talk_over_s": 0}]), 5, 0, [50], "goodbye")
    poor = {**LINE, "owed_s": 20.0, "talk_over_s": 5.0, "lost": 0.3, "responses": [4.0]}
    worst = Call(combined([poor]), 5, 4, [-90], "fault")
    high, low = score(best), score(worst)
    assert set(high["parts"]) == set(low["parts"]) == set(PARTS)
    assert high["score"] > 95 and low["score"] < 10
    assert all(low["parts"][name] < high["parts"][name] for name in PARTS)


def test_of_what_is_not_known_there_is_no_part() -> None:
    assert score(Call({}, 0, 0, [], "hangup")) == {"score": 100, "parts": {"ending": 1.0}}
    assert score(Call({}, 3, 0, [-25] * 3, "silence"))["parts"]["mood"] == pytest.approx(0.5)
