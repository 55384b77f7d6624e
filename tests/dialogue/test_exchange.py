"""What is read off the messages of a request about the caller's newest words."""

from __future__ import annotations

from typing import Any

from aybiza.dialogue.conversation import CONTINUE
from aybiza.dialogue.exchange import NOTHING_PUT, TURNS_BEFORE, last_heard, said_before

PROMPT = "Are you still there?"


def caller(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text}]}


def agent(*texts: str) -> dict[str, Any]:
    use = {"toolUse": {"toolUseId": "t1", "name": "book", "input": {}}}
    return {"role": "assistant", "content": [*({"text": text} for text in texts), use]}


def test_the_newest_words_of_the_agent_are_what_was_put() -> None:
    messages = [caller("The tenth."), agent("The tenth,", "is that right?"), caller("Yes.")]
    assert last_heard(messages) == "The tenth, is that right?"
    assert last_heard([caller("The tenth."), agent(), caller("Yes.")]) == NOTHING_PUT
    assert last_heard([caller("The tenth.")]) == NOTHING_PUT


def test_whether_the_caller_is_still_there_puts_nothing_to_them() -> None:
    messages = [caller("The tenth."), agent("The tenth?"), agent(PROMPT), caller("Yes.")]
    assert last_heard(messages, PROMPT) == NOTHING_PUT


def test_the_turns_before_have_the_callers_words_and_no_others() -> None:
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": []}}]}
    messages = [caller("One."), agent(), result, caller("Two."), agent("So?"), caller("Three.")]
    assert said_before(messages) == ("One.", "Two.")
    assert said_before([*messages, agent("I"), caller(CONTINUE)]) == ("One.", "Two.")
    assert len(said_before([caller("One.")] * 30)) == TURNS_BEFORE
