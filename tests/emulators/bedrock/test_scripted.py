"""Responders with exact answers."""

from typing import Any

import pytest

from aybiza.emulators.bedrock.reply import Reasoning, Reply, Text, ToolUse, say
from aybiza.emulators.bedrock.scripted import Scripted, echo, from_json, long


def asking(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def clinic(body: Any) -> Reply:
    return say("clinic")


def built(members: Any) -> Any:
    return from_json(members, clinic, lambda body: say("The agent's."))


def test_answers_come_in_order_and_the_last_one_stays() -> None:
    script = Scripted(["One.", "Two."])
    assert [script(asking(t)).text for t in ("a", "b", "c")] == ["One.", "Two.", "Two."]


def test_the_same_messages_get_the_same_answer_again() -> None:
    script = Scripted(["One.", "Two."])
    assert [script(asking(t)).text for t in ("a", "a", "b", "a")] == [
        "One.",
        "One.",
        "Two.",
        "One.",
    ]


def test_a_script_may_use_tools() -> None:
    reply = Reply((ToolUse("look", {"a": 1}),))
    assert Scripted([reply])(asking("a")) == reply


def test_an_empty_script_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one answer"):
        Scripted([])


def test_echo_says_the_last_words_back() -> None:
    assert echo(asking("good morning")).text == "good morning"


def test_long_counts_its_sentences() -> None:
    assert long(3)(asking("go")).text == "Sentence one. Sentence two. Sentence three."
    assert long(121)(asking("go")).text.endswith("Sentence one hundred twenty one.")


def test_modes_are_built_from_json() -> None:
    assert built({"mode": "clinic"})(asking("x")).text == "clinic"
    assert built({"mode": "echo"})(asking("x")).text == "x"
    assert built({"mode": "long", "sentences": 1})(asking("x")).text == "Sentence one."
    assert built({"mode": "scripted", "answers": ["One."]})(asking("x")).text == "One."


def test_an_answer_may_be_built_of_parts() -> None:
    tool = {"name": "look", "input": {"a": 1}}
    answer = {"reasoning": "Hm.", "text": "Wait.", "tools": [tool], "stop_reason": "tool_use"}
    reply = built({"mode": "scripted", "answers": [answer]})(asking("x"))
    blocks = (Reasoning("Hm."), Text("Wait."), ToolUse("look", {"a": 1}))
    assert reply == Reply(blocks, "tool_use")


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (None, "allowed: agent, clinic, scripted, answers, echo, long"),
        ({"mode": "poem"}, "mode is 'poem'"),
        ({"mode": "scripted"}, "needs `answers`"),
        ({"mode": "scripted", "answers": [""]}, "an answer is a text or an object"),
        ({"mode": "scripted", "answers": [{}]}, "at least one of text"),
        ({"mode": "scripted", "answers": [{"tools": ["look"]}]}, "a tool use is"),
        ({"mode": "scripted", "answers": [{"tools": [{"name": "a", "input": 1}]}]}, "a tool use"),
        ({"mode": "long", "sentences": 0}, "sentences is 0"),
    ],
)
def test_what_is_no_mode_is_refused_with_what_is_allowed(members: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        built(members)


def test_answers_go_by_the_callers_text_and_what_is_not_among_them_is_said_back() -> None:
    answers = {"Hello.": [{"tools": [{"name": "look"}]}, "Found."]}
    responder = from_json({"mode": "answers", "answers": answers}, echo, echo)

    def asked(*messages: dict[str, Any]) -> Any:
        return responder({"messages": list(messages)})

    hello = {"role": "user", "content": [{"text": "Hello."}]}
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": []}}]}
    assert asked(hello).blocks[0].name == "look"
    assert asked(hello, result).text == "Found."
    other = {"role": "user", "content": [{"text": "Bye."}]}
    assert asked(hello, other).text == "You said, Bye."
    with pytest.raises(ValueError, match="for each text a list"):
        from_json({"mode": "answers", "answers": ["Hello."]}, echo, echo)
