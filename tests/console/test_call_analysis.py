"""What was made of a call, in lines; whatever stands in a store."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.console.call_analysis import told

MADE: dict[str, Any] = {
    "summary": "A table\nfor two.",
    "data": {"seats": 2},
    "score": {"score": 82, "parts": {"response": 0.9, "ending": 1.0}},
    "figures": {"caller_s": 4.0, "interruptions": 1, "response_p50": 0.8, "mos": 4.4, "lost": 0.0},
    "turns": [[1, 20, "booking"], [2, None, "complaint"]],
}


def test_each_part_has_its_line() -> None:
    assert dict(told(MADE)) == {
        "summary": "A table for two.",
        "data": '{"seats": 2}',
        "score": "82 of 100: response 0.9, ending 1.0",
        "talk": "caller 4.0 s, 1 interrupted",
        "response": "0.80 s (p50)",
        "sound": "MOS 4.40, 0.00% lost",
        "moods": "1: 20",
        "intents": "1: booking, 2: complaint",
    }
    assert dict(told({"missing": "a quota is reached"})) == {
        "missing": "no summary and no data: a quota is reached"
    }


@pytest.mark.parametrize("value", [None, 3, "x", [1], {"a": 1}, [[1, 2]]])
def test_what_is_not_as_it_is_written_is_passed_over(value: Any) -> None:
    for key in MADE:
        if key != "data":
            list(told({**MADE, key: value}))
