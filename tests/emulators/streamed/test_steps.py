"""Steps of a streamed answer."""

from __future__ import annotations

from collections.abc import Iterator

from aybiza.emulators.streamed.steps import JSON_TYPE, End, Step, Whole, error, let_go


def test_an_error_is_one_whole_answer_of_json() -> None:
    assert list(error(404, {"a": 1})) == [Step(0.0, Whole(404, JSON_TYPE, b'{"a": 1}'))]


def test_a_service_is_told_that_its_answer_is_wanted_no_more() -> None:
    told = []

    def steps() -> Iterator[Step]:
        try:
            yield Step(0.0, End())
        finally:
            told.append("over")

    made = steps()
    next(made)
    let_go(made)
    let_go(iter([]))
    assert told == ["over"]
