"""The rows of the turn machine that calls go through are counted, and the others named."""

from aybiza.dialogue.turns import TurnMachine
from aybiza.faults.plan import Plan
from aybiza.faults.transitions import Row, noted, table, untaken
from aybiza.faults.trial import tried


def test_the_rows_of_a_call_are_counted_and_the_machine_is_as_it_was() -> None:
    before = TurnMachine.handle
    rows = tried(Plan(steps=[{"say": "Hello."}, {"hang_up": True}])).rows
    assert TurnMachine.handle is before
    assert rows[Row("Started", "listening")] == 1
    assert rows[Row("AnswerSentence", "thinking")] == 1
    assert set(rows) < table()


def test_what_was_not_taken_is_told_by_its_event() -> None:
    lines = untaken(table() - {Row("HungUp", "closing"), Row("HungUp", "greeting")})
    assert lines == ["HungUp: closing, greeting"]
    assert untaken(table()) == []


def test_an_event_without_a_row_is_not_counted() -> None:
    with noted() as rows:
        pass
    assert rows == {}
