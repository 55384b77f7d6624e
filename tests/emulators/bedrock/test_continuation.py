"""Going on with an answer that was cut."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock.continuation import NOTHING_LEFT, continuing, merged, rest_of
from aybiza.emulators.bedrock.reply import Reply, Text, ToolUse, say, use

ANSWER = "We open at eight. We close at six, from Monday to Friday. Anything else?"
CONTINUE = "(Continue exactly from where you stopped, do not repeat.)"


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text}]}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"text": text}]}


async def respond(body: Mapping[str, Any]) -> Reply:
    assert body["messages"][-1]["role"] == "user"
    return say(ANSWER)


async def test_a_whole_answer_is_given_when_nothing_asks_to_continue() -> None:
    reply = await continuing(respond)({"messages": [user("when?")]})
    assert reply.text == ANSWER


@pytest.mark.parametrize(
    ("spoken", "rest"),
    [
        ("We open at eight.", "We close at six, from Monday to Friday. Anything else?"),
        ("we open at eight we close", "at six, from Monday to Friday. Anything else?"),
        ("We open at eight. We close at six …", "from Monday to Friday. Anything else?"),
        (
            "We open at nine on most days.",
            "eight. We close at six, from Monday to Friday. Anything else?",
        ),
        ("", ANSWER),
    ],
)
async def test_the_rest_follows_on_what_was_spoken(spoken: str, rest: str) -> None:
    messages = [user("when?"), assistant(spoken or "…"), user(CONTINUE)]
    assert (await continuing(respond)({"messages": messages})).text == rest


@pytest.mark.parametrize(
    "request_text", ["Please continue exactly from where you stopped", CONTINUE]
)
async def test_nothing_is_repeated_when_everything_was_spoken(request_text: str) -> None:
    messages = [user("when?"), assistant(ANSWER), user(request_text)]
    assert (await continuing(respond)({"messages": messages})).text == NOTHING_LEFT


async def test_an_answer_can_be_cut_twice() -> None:
    messages = [
        user("when?"),
        assistant("We open at eight."),
        user(CONTINUE),
        assistant("We close at six,"),
        user(CONTINUE),
    ]
    reply = await continuing(respond)({"messages": messages})
    assert reply.text == "from Monday to Friday. Anything else?"


async def test_a_request_that_follows_no_answer_is_left_out() -> None:
    seen: list[Any] = []

    def remember(body: Mapping[str, Any]) -> Reply:
        seen.append(body["messages"])
        return say(ANSWER)

    both = {"role": "user", "content": [{"text": "when?"}, {"text": CONTINUE}]}
    assert (await continuing(remember)({"messages": [both]})).text == ANSWER
    assert seen == [[user("when?")]]


async def test_a_request_alone_has_nothing_to_continue() -> None:
    assert (await continuing(respond)({"messages": [user(CONTINUE)]})).text == NOTHING_LEFT


def test_the_history_shows_a_cut_answer_as_one() -> None:
    messages = [
        user("when?"),
        assistant("We open at eight."),
        user(CONTINUE),
        assistant("We close at six."),
        user("thanks"),
    ]
    joined = {
        "role": "assistant",
        "content": [{"text": "We open at eight."}, {"text": "We close at six."}],
    }
    assert merged(messages) == [user("when?"), joined, user("thanks")]


def test_a_tool_that_was_not_used_yet_is_used_after_the_rest() -> None:
    whole = use("look", {"day": "Friday"}, "One moment, please.")
    rest = rest_of(whole, "One moment")
    assert rest.blocks == (Text("please."), ToolUse("look", {"day": "Friday"}))
    assert rest_of(whole, "One moment, please.").blocks == (ToolUse("look", {"day": "Friday"}),)


@given(
    st.lists(st.from_regex(r"[a-z]{1,6}[.,!?]?", fullmatch=True), min_size=1, max_size=30),
    st.data(),
)
def test_spoken_words_and_the_rest_are_the_whole_answer(words: list[str], data: Any) -> None:
    cut = data.draw(st.integers(0, len(words) - 1))
    rest = rest_of(say(" ".join(words)), " ".join(words[:cut]))
    assert [*words[:cut], *rest.text.split()] == words
