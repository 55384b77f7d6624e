"""The messages of a node as Thespian carries them, and the limits that a node is kept by."""

import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from aybiza.actors.cluster.membership import Card
from aybiza.actors.node import messages
from aybiza.actors.node.messages import (
    CarryNode,
    ControlReply,
    ControlRequest,
    FindNode,
    ForwardedHello,
    ForwardedRequest,
    Heartbeat,
    KeepNodes,
    Limits,
    ListNodes,
    Mail,
    NodeAddress,
    NodeDown,
    NodeDraining,
    NodeEnded,
    NodeGivenUp,
    NodeLeft,
    NodePlan,
    NodeReady,
    NodeStopped,
    NodeUp,
    OwnCertificate,
    ReleaseNode,
    StopNode,
)
from aybiza.console.run import run

REQUEST = ControlRequest({"op": "tree", "depth": [1, None]}, 0.5)
EXAMPLES: list[Any] = [
    NodePlan("a", {"AYBIZA_NODE_NAME": "a"}),
    KeepNodes(
        "module:function",
        Limits(start=1.5, backoff=(0.0, 2.0)),
        (NodePlan("a"), NodePlan("b")),
        "10.0.0.1:1900",
        (("10.0.0.2", 1900),),
    ),
    ListNodes(),
    FindNode("a"),
    NodeAddress("an address"),
    ForwardedHello(Card("a", 1, "m", ("10.0.0.1", 4000)), "an address"),
    Mail(("one", 2)),
    StopNode(),
    NodeUp(2, 77, {"node": "a@b", "http": "http://there"}),
    NodeDown(2, 77, "killed by SIGKILL", 0.1),
    NodeGivenUp("the node did not start"),
    NodeLeft("b", None),
    NodeStopped(None),
    NodeStopped("it did not stop"),
    CarryNode(2, "module:function"),
    NodeReady(2, {"node": "a@b"}),
    Heartbeat(2),
    NodeDraining(1, 60.0, "n"),
    NodeEnded(2, None),
    NodeEnded(2, "RuntimeError: crashed"),
    ReleaseNode(),
    REQUEST,
    ForwardedRequest(REQUEST, "an address"),
    ControlReply('{"a": 1}'),
    ControlReply(error="the node is starting"),
]


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    assert pickle.loads(pickle.dumps(message)) == message


def test_no_message_can_be_changed_by_who_gets_it() -> None:
    kinds = {value for value in vars(messages).values() if dataclasses.is_dataclass(value)}
    assert kinds == {Limits, OwnCertificate, *map(type, EXAMPLES)}
    for message in EXAMPLES:
        for field in dataclasses.fields(message):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(message, field.name, None)


def test_a_reply_without_an_answer_is_json_and_no_error() -> None:
    assert (ControlReply().reply, ControlReply().error) == ("null", None)


def test_the_limits_are_by_default_those_of_the_command() -> None:
    options = inspect.signature(run).parameters
    command = Limits(
        start=options["start_limit"].default,
        silence=options["silence_limit"].default,
        stop=options["stop_limit"].default,
        max_restarts=options["max_restarts"].default,
    )
    assert command == Limits() == Limits(20, 5, 3, 5, 30)


def test_the_first_restart_is_at_once_and_later_ones_wait_ever_longer() -> None:
    waits = Limits().backoff
    assert waits[0] == 0
    assert list(waits) == sorted(set(waits))
    assert sum(waits[: Limits().max_restarts]) < Limits().max_seconds
