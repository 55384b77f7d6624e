"""Real nodes of several machines: they find each other, lose each other, and say so."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from aybiza.actors.cluster.carrier import ProcessReply, ToProcess
from aybiza.actors.node.client import NodeNotRunning, ask_node, joined
from aybiza.actors.node.messages import FindNode, NodeAddress
from tests.actors.cluster.machines import Machine, quietly
from tests.actors.node.kit import LIMIT, cookie, until
from tests.slowness import slowness

pytestmark = pytest.mark.real_time


@pytest.fixture(scope="module")
def front() -> Iterator[Machine]:
    """A machine with three nodes."""
    with Machine("front", "--max-restarts", "100", nodes=3) as machine:
        assert [each["node"] for each in machine.ready()["nodes"]] == machine.names
        for name in machine.names:
            machine.sees(name, *(other for other in machine.names if other != name))
        yield machine


@pytest.fixture(scope="module")
def back(front: Machine) -> Iterator[Machine]:
    """A machine with one node that has joined the first."""
    with Machine("back", join=front) as machine:
        machine.ready()
        machine.sees("back", *front.names)
        yield machine


def test_nodes_of_two_machines_reach_each_other(front: Machine, back: Machine) -> None:
    assert back.ask("back", op="call", node="front-2", request="x")["reply"] == ["echo", "x"]
    assert front.ask("front-3", op="call", node="back", request="y")["reply"] == ["echo", "y"]
    for name in front.names:
        assert front.ask(name, op="call", node="front-1", request=1)["reply"] == ["echo", 1]


def test_a_killed_node_is_down_on_all_others_within_two_seconds_and_back(
    front: Machine, back: Machine
) -> None:
    back.ask("back", op="monitor", node="front-3")
    before = {node: machine.seen(node) for machine, node in _others(front, back)}
    killed = time.time()
    os.kill(front.pid("front-3"), signal.SIGKILL)
    for machine, node in _others(front, back):

        def told(machine: Machine = machine, node: str = node) -> object:
            new = machine.seen(node)[len(before[node]) :]
            return [event for event in new if event[1:] == ["down", "front-3"]]

        [event] = until(told, f"{node} is told")
        assert event[0] - killed < 2 * slowness()
        machine.sees(node, *(other for other in [*front.names, "back"] if other != node))
    new = back.seen("back")[len(before["back"]) :]
    assert sorted(event[1:] for event in new) == [
        ["died", "noconnection"],
        ["down", "front-3"],
        ["up", "front-3"],
    ]


def _others(front: Machine, back: Machine) -> list[tuple[Machine, str]]:
    return [(front, "front-1"), (front, "front-2"), (back, "back")]


def test_a_frozen_node_is_down_and_up_again_when_it_goes_on(front: Machine, back: Machine) -> None:
    before = len(front.seen("front-1"))
    pid = back.pid("back")
    frozen = time.time()
    os.kill(pid, signal.SIGSTOP)
    down = until(lambda: [e for e in front.seen("front-1")[before:] if e[1] == "down"], "down")
    assert down[0][0] - frozen < 2.5 * slowness()  # heartbeats of half a second
    os.kill(pid, signal.SIGCONT)
    back.sees("back", *front.names)
    front.sees("front-1", "front-2", "front-3", "back")
    assert back.pid("back") == pid
    assert back.ask("back", op="call", node="front-1", request=1)["reply"] == ["echo", 1]


def test_messages_arrive_in_order_and_all_of_them(front: Machine, back: Machine) -> None:
    first = len(front.ask("front-1", op="seen")["numbers"])
    assert back.ask("back", op="cast", node="front-1", numbers=[0, 5000]) == {"busy": 0}

    def arrived() -> object:
        numbers = front.ask("front-1", op="seen")["numbers"][first:]
        return numbers if len(numbers) >= 5000 else None

    assert until(arrived, "all have arrived") == list(range(5000))


def test_a_name_has_one_owner_in_the_cluster(front: Machine, back: Machine) -> None:
    assert back.ask("back", op="register", name="leader") == {"owner": "back"}
    for name in front.names:
        # A node that a stall of this machine has cut off learns it when it is reached again.
        until(
            lambda name=name: front.ask(name, op="whereis", name="leader") == {"owner": "back"},
            f"{name} knows the owner",
        )
        assert front.ask(name, op="register", name="leader") == {"owner": "back"}


def test_a_thespian_program_asks_a_process_through_its_node_actor(front: Machine) -> None:
    with joined(front.port, cookie=cookie()) as (system, keeper):
        found = system.ask(keeper, FindNode("front-2"), LIMIT)
        assert isinstance(found, NodeAddress)
        answer = system.ask(found.address, ToProcess("witness", "hello"), LIMIT)
        assert answer == ProcessReply(["echo", "hello"])
        answer = system.ask(found.address, ToProcess(("witness", "front-1"), "there"), LIMIT)
        assert answer == ProcessReply(["echo", "there"])
        system.tell(found.address, ToProcess("witness", 4711, "cast"))
        until(lambda: 4711 in front.ask("front-2", op="seen")["numbers"], "the cast has come")


def test_the_singleton_of_a_killed_node_runs_on_another_within_three_seconds(
    front: Machine, back: Machine
) -> None:
    places = [(front, "front-2"), (front, "front-3"), (back, "back"), (front, "front-1")]
    for machine, node in places:
        machine.ask(node, op="singleton")

    def who(machine: Machine, node: str) -> list[Any] | None:
        reply: list[Any] | None = machine.ask(node, op="call", node="single", request=0).get(
            "reply"
        )
        return reply

    assert {who(machine, node)[0] for machine, node in places} == {"front-2"}  # type: ignore[index]
    killed = time.time()
    os.kill(front.pid("front-2"), signal.SIGKILL)
    others = [place for place in places if place[1] != "front-2"]

    def elsewhere() -> Any:
        found = [who(*place) for place in others]
        moved = all(each is not None and each[0] != "front-2" for each in found)
        return found if moved else None

    found = until(quietly(elsewhere), "it runs elsewhere")
    assert found.count(found[0]) == len(found)  # one, and the same for all
    assert 0 < found[0][1] - killed < 3.0 * slowness()
    front.sees("front-1", "front-2", "front-3", "back")


def test_a_second_node_of_a_name_is_refused(front: Machine) -> None:
    before = front.seen("front-1")
    with Machine("front-2", join=front) as machine:
        assert machine.wait() == 1
        assert "the node name 'front-2' belongs to a node of the machine" in machine.log()
    assert front.seen("front-1") == before


def test_a_machine_with_another_cookie_gets_nothing(
    front: Machine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "cookie"
    nodes = front.nodes("front-1")
    with Machine("stranger", "--cookie-file", str(other), join=front) as machine:
        machine.ready()
        assert machine.event("cluster_not_all_reached")["nodes"] == []
        while "cookie" not in front.event("frames_refused")["counts"]:
            continue
    assert front.nodes("front-1") == nodes
    with pytest.raises(NodeNotRunning):
        ask_node(front.port, {}, LIMIT, cookie=b"not the cookie of these")


def test_a_machine_with_another_time_joins_and_the_log_says_how_far_they_are_apart(
    front: Machine,
) -> None:
    with Machine("late", join=front, TEST_CLOCK_AHEAD="-300") as machine:
        machine.ready()
        reached = quietly(lambda: set(front.names) <= set(machine.nodes("late")))
        until(reached, "it reaches all, and answers a program that has our time")
        apart = machine.event("clocks_apart")
        assert abs(apart["seconds"] - 300) < 10
        assert machine.ask("late", op="call", node="front-1", request=1)["reply"] == ["echo", 1]
        assert front.ask("front-2", op="call", node="late", request=2)["reply"] == ["echo", 2]


def test_the_loss_of_the_machine_that_was_joined_parts_nobody_else() -> None:
    with ExitStack() as stack:
        first = stack.enter_context(Machine("first"))
        first.ready()
        others = [stack.enter_context(Machine(name, join=first)) for name in ("second", "third")]
        for other in others:
            other.ready()
        second, third = others
        second.sees("second", "first", "third")
        first.process.kill()
        second.sees("second", "third")
        third.sees("third", "second")
        assert second.ask("second", op="call", node="third", request=1)["reply"] == ["echo", 1]


def test_a_node_that_ends_in_order_is_down_at_once_and_may_come_again(front: Machine) -> None:
    for _ in range(2):
        with Machine("guest", join=front) as machine:
            machine.ready()
            until(lambda: "guest" in front.nodes("front-1"), "it is there")
            machine.process.send_signal(signal.SIGTERM)
            assert machine.wait() == 0
            until(quietly(lambda: "guest" not in front.nodes("front-1")), "it is gone")
            assert front.event("node_down", node="guest")["reason"] == "it has ended in order"


def test_a_machine_whose_name_does_not_resolve_holds_nobody_up() -> None:
    with Machine("early", "--join", "nowhere.invalid:1900") as machine:
        machine.ready()
        told = machine.event("join_name_not_resolved")
        assert told["host"] == "nowhere.invalid"
        assert "tried again" in told["advice"]
        assert machine.nodes("early") == []
