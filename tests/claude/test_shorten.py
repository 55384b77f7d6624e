"""A history made shorter stays one that Converse takes, and keeps the turn that is going on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.messages import normalise_messages
from aybiza.claude.prompt_cache import estimated_tokens
from aybiza.claude.shorten import LEFT_OUT, _cut_block, shortened


def text(role: str, said: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": said}]}


def used(number: int, result: str) -> list[dict[str, Any]]:
    use = {"toolUseId": f"t{number}", "name": "look_up", "input": {}}
    answer = {"toolUseId": f"t{number}", "content": [{"text": result}], "status": "success"}
    return [
        {"role": "assistant", "content": [{"toolUse": use}]},
        {"role": "user", "content": [{"toolResult": answer}]},
    ]


def history(turns: list[tuple[str, list[str]]]) -> list[dict[str, Any]]:
    messages, number = [], 0
    for said, results in turns:
        messages.append(text("user", said))
        for result in results:
            messages += used(number, result)
            number += 1
        messages.append(text("assistant", "Yes."))
    return [*messages, text("user", "and now?")]


HISTORIES = st.lists(
    st.tuples(
        st.text("ab ", min_size=1, max_size=400).filter(str.strip),
        st.lists(st.text("xyz", min_size=1, max_size=3000), max_size=3),
    ),
    max_size=12,
).map(history)


def tokens(messages: list[dict[str, Any]]) -> int:
    return sum(estimated_tokens(message["content"]) for message in messages)


@given(HISTORIES, st.integers(50, 5000))
def test_what_is_left_is_taken_by_converse_as_it_is(
    messages: list[dict[str, Any]], budget: int
) -> None:
    left = shortened(messages, budget)
    assert normalise_messages(left) == left
    assert left[-1]["content"][-1] == {"text": "and now?"}


@given(HISTORIES, st.integers(200, 5000))
def test_it_is_within_the_budget(messages: list[dict[str, Any]], budget: int) -> None:
    assert tokens(shortened(messages, budget)) <= budget + len(LEFT_OUT)


@given(HISTORIES)
def test_a_history_within_the_budget_stays_as_it_is(messages: list[dict[str, Any]]) -> None:
    assert shortened(messages, tokens(messages)) == messages


def test_results_go_before_turns_and_the_oldest_turns_first() -> None:
    messages = history([("my name is Ann", ["x" * 4000]), ("book it", ["y" * 4000]), ("when", [])])
    less = shortened(messages, 400)
    assert less[0] == text("user", "my name is Ann")
    assert "characters left out" in str(less[2])
    least = shortened(messages, 160)
    assert least[0]["content"][0] == {"text": LEFT_OUT}
    assert "my name is Ann" not in str(least) and "when" in str(least)


def test_a_request_to_go_on_leaves_the_question_that_it_belongs_to() -> None:
    said = [
        *history([("my name is Ann", [])]),
        text("assistant", "Now we"),
        text("user", "(go on)"),
    ]
    less = shortened(said, 1, own=("(go on)",))
    assert less[0]["content"] == [{"text": LEFT_OUT}, {"text": "and now?"}]
    assert less[1:] == said[-2:]


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_result_that_alone_is_too_large_is_cut_in_the_turn_that_is_going_on(kind: str) -> None:
    messages = [text("user", "read it all"), *used(1, "z" * 900_000)]
    content = messages[-1]["content"][0]["toolResult"]
    content["content"] = [{kind: "z" * 900_000}]
    left = shortened(messages, 2_000)
    assert tokens(left) <= 2_000
    assert left[0] == text("user", "read it all")


def test_a_result_that_is_short_as_text_stays_as_it_is() -> None:
    # As JSON, and by the token, it counts for more than it has characters.
    result = {"toolUseId": "t", "content": [{"text": "x" * 30}, {"text": "y" * 30}]}
    block = {"toolResult": result}
    assert _cut_block(block, 61) == block
    assert _cut_block(block, 10)["toolResult"]["content"] == [
        {"text": "x" * 10 + " [cut: 50 characters left out]"}
    ]
