"""What a carrier brings beside letters travels as it is."""

import pickle

import pytest

from aybiza.actors.cluster.carrier import Gone, ProcessReply, ToProcess, Unreachable, Welcome
from tests.actors.cluster.kit import card


@pytest.mark.parametrize(
    "message",
    [
        Welcome("m", (card(1, "a"), card(2, "b"))),
        Unreachable(("10.0.0.1", 7)),
        Gone(card(1, "a")),
        ToProcess("name", {"a": 1}),
        ToProcess(("name", "node"), 1, "cast"),
        ProcessReply(error="no such process"),
    ],
)
def test_a_message_is_the_same_on_the_other_side(message: object) -> None:
    assert pickle.loads(pickle.dumps(message)) == message


def test_a_request_is_a_call_unless_it_says_otherwise() -> None:
    assert ToProcess("name", 1).kind == "call"
