"""What is told of a call's journal, and how loud its two sides are."""

from __future__ import annotations

from typing import Any

from aybiza.actors.memory.store import Row
from aybiza.gateway.console.transcript import MOST_ROWS, Ear, told
from aybiza.speech.line import Line
from aybiza.speech.mulaw import SILENCE
from aybiza.speech.playout import Sentence


def row(number: int, **entry: Any) -> Row:
    return Row("CA1", number, 0, 100.0 + number, entry)


def test_rows_behind_a_number_are_told_in_order_and_so_many_at_once() -> None:
    rows = [row(number, type="caller_turn", turn=number, text="x") for number in range(1, 1000)]
    assert [one[0] for one in told(rows, 997)] == [998, 999]
    first = told(rows, 0)
    assert [one[0] for one in first] == list(range(1, MOST_ROWS + 1))
    assert told(rows, 999) == []
    assert first[0] == [1, 101.0, {"type": "caller_turn", "turn": 1, "text": "x"}]


def test_of_a_tool_its_name_is_told_and_not_what_it_was_given_and_gave_back() -> None:
    uses = [{"toolUse": {"name": "look_up", "input": {"who": "secret"}}}]
    results = [{"toolResult": {"status": "error", "content": [{"text": "secret"}]}}]
    rows = [row(1, type="tool_exchange", turn=2, after_seq=0, uses=uses, results=results)]
    ((_, _, shown),) = told(rows, 0)
    assert shown == {"type": "tool_exchange", "turn": 2, "tools": ["look_up"], "failed": True}


class Sink:
    """Takes what goes to the caller."""

    def media(self, mulaw: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


LOUD, QUIET = bytes([0x00]), bytes([SILENCE])


def test_each_step_of_both_sides_is_told_once_the_last_seconds_of_the_caller_first() -> None:
    line, ear = Line("CA1", Sink()), Ear()
    line.hear(QUIET * 400 + LOUD * 560)
    assert ear.levels(line, 10.0) == {"step": 0.05, "caller": [0, 99], "agent": []}
    line.hear(QUIET * 640)
    line.play(Sentence(1, 1), LOUD * 400, 10.0)
    assert ear.levels(line, 10.1) == {"step": 0.05, "caller": [99, 0], "agent": [99, 0]}
    assert ear.levels(line, 10.1) == {"step": 0.05, "caller": [], "agent": []}


def test_a_line_puts_nothing_down_any_more_when_nobody_looks() -> None:
    first, second, ear = Line("CA1", Sink()), Line("CA1", Sink()), Ear()
    ear.levels(first, 0.0)
    ear.levels(second, 1.0)
    assert first.said is None
    assert second.said is not None
    ear.close()
    assert second.said is None
