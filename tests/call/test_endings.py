"""How a call ends, or its line breaks, in every state: nothing is left, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.dialogue.journal import CallerTurn, Ended, Interrupted, SentenceHeard
from aybiza.emulators.bedrock import use
from aybiza.faults.desk import AGENT, Answers
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.testing import (
    Caller,
    Node,
    assert_no_orphans,
    eventually,
    hangs_up,
    interrupts,
    says,
    stays,
)
from aybiza.faults.world import World, in_world
from aybiza.gateway.media_server import STREAM_SUPERVISOR
from tests.call.quick import GREETING, PACE, heard

GONE_SECONDS = 2.0

ASK = "Will you look something up for me, please?"
FIRST = "Let me look that up for you right now, it will not take long."
REST = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."

ANSWERS: Answers = {ASK: [use("look_up", {}, FIRST), REST], CHANGE: [COST]}

STATES: dict[str, Callable[[PlacedCall], bool]] = {
    "connecting": lambda call: call.phone.line is not None,
    "greeting": lambda call: call.is_speaking(0, 1),
    "listening": lambda call: call.has(SentenceHeard(0, 1)),
    "caller in mid-utterance": lambda call: call.is_talking(for_ms=50),
    "thinking": lambda call: call.has(CallerTurn(1, ASK)) and bool(call.requests()),
    "first sentence": lambda call: call.is_speaking(1, 1),
    "tool running": lambda call: call.is_using_a_tool,
    "last sentence": lambda call: call.is_speaking(1, 3),
    "interrupted": lambda call: any(isinstance(entry, Interrupted) for entry in call.journal),
}
STEPS = (
    says(ASK, when=r"today\?\s*$"),
    interrupts(CHANGE, after_ms=400),
    hangs_up(when=r"goodbye\.\s*$"),
)


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return PACE


async def leave(call: PlacedCall, stops: int, *, talking: bool = False, how: str = "") -> None:
    """The caller hangs up at this very moment, which is told by so many `stop` messages, behind
    which audio may follow; then the connection is closed, or cut."""
    assert call.phone._line is not None
    socket, writer = call.phone._line
    for _ in range(stops):
        await socket.send(writer.stop())
    if talking:
        await socket.send(writer.media("/w=="))
    if how == "abort":
        socket.transport.abort()
    else:
        await socket.close()


WAYS: dict[str, dict[str, Any]] = {
    "stop": {"stops": 1},
    "two stops": {"stops": 2},
    "stop and talk": {"stops": 1, "talking": True},
    "stop and abort": {"stops": 1, "how": "abort"},
    "close without stop": {"stops": 0},
    "abort": {"stops": 0, "how": "abort"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", WAYS)
def test_whenever_and_however_the_caller_leaves_nothing_is_left(
    node: Node, call: Caller, way: str, state: str
) -> None:
    placed = call.placed(*STEPS)
    call.until(lambda: STATES[state](placed))
    placed.phone.stay_away()
    node.time.run(leave(placed, **WAYS[way]))
    if WAYS[way]["stops"]:
        assert_no_orphans(GONE_SECONDS)
        assert placed.journal[-1] == Ended("hangup")
    else:
        # What it has cost is kept for a caller who comes back.
        eventually(lambda: set(node.level.left(node.world)) <= {"1 more costs"}, 40.0)


LOST_IN = ("greeting", "listening", "thinking", "first sentence", "tool running", "last sentence")
LOST_BY: dict[str, Callable[[Node, PlacedCall], object]] = {
    "the socket": lambda node, call: node.time.run(leave(call, 0, how="abort")),
    "MediaStream": lambda node, call: node.kill(names.stream(call.call_id)),
    "MediaStream and CallActor": lambda node, call: (
        node.kill(names.stream(call.call_id)),
        node.kill(names.call(call.call_id)),
    ),
    "StreamSupervisor": lambda node, call: node.kill(STREAM_SUPERVISOR),
}


@pytest.mark.parametrize("state", LOST_IN)
@pytest.mark.parametrize("how", LOST_BY)
def test_a_caller_whose_line_broke_comes_back_to_the_same_conversation(
    node: Node, call: Caller, how: str, state: str
) -> None:
    asked = r"say\?" if state == "listening" else r"today\?"
    placed = call.placed(says(ASK, when=asked), hangs_up(when=r"many years\.\s*$"))
    call.until(lambda: STATES[state](placed))
    LOST_BY[how](node, placed)
    report = call.over(placed)
    assert report.ok, report.failure
    words = heard(placed)
    assert words.count(AGENT.bridge) == 1, words
    bridge = f"{AGENT.bridge} {AGENT.ask_again} " if state == "listening" else f"{AGENT.bridge} "
    before, _, after = words.partition(bridge)
    spoken = f"{GREETING} {FIRST} {REST}"
    assert spoken.startswith(before.strip()), words
    # A sentence that broke off is said again from its beginning; none is lost.
    assert spoken.endswith(after), words
    assert len(before) + len(after) >= len(spoken), words
    assert placed.told().count(("user", ASK)) == 1
    assert_no_orphans(GONE_SECONDS)


def test_a_second_line_takes_the_call_over_from_the_first() -> None:
    async def talk(world: World) -> None:
        steps = says(ASK, when=r"say\?"), hangs_up(when=r"many years\.\s*$")
        async with world.call(stays(), call_id="CA1") as first:
            await first.until(lambda: first.has(SentenceHeard(0, 1)))
            first.phone.stay_away()
            async with world.call(*steps, call_id="CA1") as second:
                report = await second.over()
                assert report.ok, report.failure
                assert heard(second) == f"{AGENT.bridge} {AGENT.ask_again} {FIRST} {REST}"
        assert [stream.close_code for stream in first.report.streams] == [1001]
        await world.until(lambda: world.labels() == world.idle, GONE_SECONDS)

    in_world(talk, answers=ANSWERS, **PACE)


def test_many_short_calls_leave_nothing_behind(node: Node, call: Caller) -> None:
    def registered() -> dict[str, int]:
        return {name: table.count() for name, table in node.vm.registries.items()}

    call(hangs_up())
    assert_no_orphans()
    before = registered()
    for _ in range(2):
        for placed in [call.placed(hangs_up(when=r"today\?\s*$")) for _ in range(25)]:
            assert call.over(placed).ok
    assert_no_orphans()
    assert registered() == before
