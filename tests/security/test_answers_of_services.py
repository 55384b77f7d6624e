"""A service that tools and models stand on answers what it likes, and gets nothing by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aybiza.claude.chat.events import ChatEvents
from aybiza.claude.embedding import DIMENSIONS, embedding_of
from aybiza.claude.errors import BedrockError
from aybiza.dialogue.tools.http_auth import token_of
from aybiza.dialogue.tools.knowledge import passages_of


@pytest.mark.parametrize("token", ["", "a\r\nX-Admin: 1", "a\nb", "a b", "é", "\x00", 5, None, []])
def test_a_key_that_would_end_its_header_is_none(token: Any) -> None:
    with pytest.raises(ValueError):
        token_of(json.dumps({"access_token": token}).encode())


@pytest.mark.parametrize("told", [b"", b"[]", b"5", b'{"access_token": "a", "expires_in": "x"}'])
def test_what_gives_out_no_key_is_refused(told: bytes) -> None:
    with pytest.raises(ValueError):
        token_of(told)


def test_a_key_is_good_for_as_long_as_can_be() -> None:
    lives: list[Any] = [-5, 10**400, None, [], float("nan"), True]
    for life in lives:
        assert token_of(json.dumps({"access_token": "a", "expires_in": life}).encode())[1] == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], {}, {"embedding": None}, {"embedding": "x"}, {"embedding": {"a": 1}}),
        *({"embedding": ["x"] * DIMENSIONS}, {"embedding": [[1.0]] * DIMENSIONS}),
        *({"embedding": [1.0]}, {"embedding": [1.0] * (DIMENSIONS + 1)}),
        {"embedding": [10**400] * DIMENSIONS},
    ],
)
def test_an_embedding_that_could_be_compared_with_none_is_an_error(answer: Any) -> None:
    with pytest.raises(BedrockError):
        embedding_of(answer, "text")


def test_an_embedding_costs_no_less_than_nothing() -> None:
    for tokens in (-1, True, "5", None):
        told = {"embedding": [1.0] * DIMENSIONS, "inputTextTokenCount": tokens}
        assert embedding_of(told, "some text").tokens > 0


def test_a_passage_that_is_none_is_left_out() -> None:
    items: list[Any] = [
        None,
        5,
        {"DocumentTitle": None, "DocumentExcerpt": {"Text": 5}, "DocumentURI": []},
    ]
    (found,) = passages_of({"ResultItems": items}, 3)
    assert (found.title, found.text, found.source) == ("", "", "")
    nothing: list[Any] = [None, [], {}, {"ResultItems": {}}]
    assert [passages_of(each, 3) for each in nothing] == [[]] * 4


def test_a_tools_id_of_another_kind_is_nobodys() -> None:
    call = {"id": ["a"], "function": {"name": "find", "arguments": "{}"}}
    events = ChatEvents(lambda: "t1")
    told = events.feed({"choices": [{"delta": {"tool_calls": [call]}}]})
    assert any("contentBlockStart" in event for event in told)
