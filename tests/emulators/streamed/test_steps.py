"""Steps of a streamed answer."""

from __future__ import annotations

from aybiza.emulators.streamed.steps import JSON_TYPE, Step, Whole, error


def test_an_error_is_one_whole_answer_of_json() -> None:
    assert list(error(404, {"a": 1})) == [Step(0.0, Whole(404, JSON_TYPE, b'{"a": 1}'))]
