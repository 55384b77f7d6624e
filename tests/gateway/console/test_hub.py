"""The one picture that all viewers share: the same for all of them, and bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aybiza.actors.memory.journals import append
from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, GenServer
from aybiza.gateway.console.hub import MOST_FRAMES, MOST_VIEWERS, SLOW, Crowded, Hub, Viewer, frame


class Idle(GenServer):
    """Stands for a process."""


async def members() -> list[dict[str, Any]]:
    return [{"node": "test", "state": "here"}]


def hub(vm: VM) -> Hub:
    board(vm).limits = Limits(calls=1)
    return Hub(vm, members, {"faults": False}, lambda: 1000.0)


async def events(viewer: Viewer) -> list[tuple[str, Any]]:
    """What a viewer was given."""
    data = await viewer.next()
    assert data is not None
    found = []
    for line in data.strip().split("\n"):
        name, _, text = line.partition(" ")
        found.append((name, json.loads(text)))
    return found


async def test_who_comes_is_given_the_whole_picture_and_then_what_changes() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        await vm.start(Idle, name="one")
        viewer = held.enter("")
        await held.tick()
        first = await events(viewer)
        assert [name for name, _ in first] == [
            "about",
            "processes",
            "node",
            "cluster",
            "news",
            "points",
        ]
        assert first[0][1]["node"] == "test"
        assert [row[3] for row in first[1][1]["rows"]] == ["one"]
        pid = await vm.start(Idle, name="two")
        assert pid is not None
        held.heard.tell("call", "a call is over")
        await held.tick()
        told = await events(viewer)
        later = dict(told)
        assert told[0][0] == "processes"
        assert [row[:4] for row in told[0][1]["rows"]] == [[pid.serial, 0, "Idle", "two"]]
        assert [one["text"] for one in later["news"]["news"]] == ["a call is over"]


async def test_all_viewers_are_given_the_very_same_bytes() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        viewers = [held.enter("") for _ in range(MOST_VIEWERS)]
        with pytest.raises(Crowded):
            held.enter("")
        await held.tick()
        assert len({await viewer.next() for viewer in viewers}) == 1
        held.leave(viewers[0])
        held.enter("")


async def test_who_is_too_slow_is_given_the_whole_picture_again_and_no_queue_grows() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        slow = held.enter("")
        await held.tick()
        for number in range(3 * MOST_FRAMES):
            held.heard.tell("call", str(number))
            await held.tick()
        assert len(slow._frames) <= MOST_FRAMES
        await slow.next()
        slow.fresh = True
        await held.tick()
        told = await events(slow)
        assert told[0][0] == "about"
        assert dict(told)["news"]["news"][-1]["text"] == str(3 * MOST_FRAMES - 1)


async def test_a_whole_picture_fits_a_viewer_however_many_processes_there_are() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        for _ in range((MOST_FRAMES + 2) * 100):
            vm.spawn_process(_waits, label="Waits")
        viewer = held.enter("")
        await held.tick()
        assert not viewer.fresh
        assert [name for name, _ in await events(viewer)].count("processes") == MOST_FRAMES + 2


async def _waits(process: Any) -> None:
    await process.receive()


async def test_a_viewer_whom_nobody_tells_anything_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aybiza.gateway.console.hub.BEAT_SECONDS", 0.01)
    monkeypatch.setattr("aybiza.gateway.console.hub.LOST_SECONDS", 0.02)
    viewer = Viewer("")
    assert [await viewer.next() for _ in range(3)] == ["beat {}\n", "beat {}\n", None]


async def test_who_looks_at_another_call_is_told_its_journal_from_the_beginning() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        viewer = held.enter("")
        for call_id in ("CA1", "CA2"):
            append(vm, call_id, 1, 1, [{"type": "caller_turn", "turn": 1, "text": call_id}])
        for call_id in ("CA1", "CA2", "CA1"):
            viewer.look_at(call_id)
            await held.tick()
            told = dict(await events(viewer))["call"]
            assert (told["id"], told["rows"][0][2]["text"]) == (call_id, call_id)


async def test_only_who_looks_at_a_call_is_told_its_journal_and_each_entry_once() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        looks, other = held.enter("CA1"), held.enter("CA2")
        append(vm, "CA1", 1, 1, [{"type": "caller_turn", "turn": 1, "text": "Hello <b>you</b>"}])
        await held.tick()
        assert "Hello" not in str(await events(other))
        (told,) = [data for name, data in await events(looks) if name == "call"]
        assert [one[2]["text"] for one in told["rows"]] == ["Hello <b>you</b>"]
        append(vm, "CA1", 2, 1, [{"type": "answer_complete", "turn": 1, "stop_reason": "end"}])
        await held.tick()
        (told,) = [data for name, data in await events(looks) if name == "call"]
        assert [one[0] for one in told["rows"]] == [2]


async def test_an_end_reaches_who_waits() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        viewer = held.enter("")
        held.close()
        assert await viewer.next() is None
        assert held.viewers == []


async def test_points_say_how_it_went_since_the_last_one() -> None:
    async with VM("test") as vm:
        held = hub(vm)
        held.heard.responses.extend([(vm.now(), 0.5), (vm.now(), 0.7), (vm.now(), 0.9)])
        held.heard.restarted = 2
        held.point()
        held.point()
        (at, calls, restarts, median, p95, usd), again = held.points
        assert (at, calls, restarts, median, p95, usd) == (1000.0, 0.0, 2.0, 0.7, 0.9, 0.0)
        assert again[2] == 0.0


def test_a_frame_is_one_event_whatever_its_text_holds() -> None:
    made = frame("call", {"text": "two\nlines\r\n\ud800 and \u2028 more"})
    assert made.count("\n") == 1
    assert made.endswith("\n")
    assert json.loads(made.removeprefix("call "))["text"] == "two\nlines\r\n? and \u2028 more"


async def test_the_nodes_of_the_cluster_are_alarms_too_and_news_when_they_come_and_go() -> None:
    async with VM("test") as vm:
        load = {"refusal": "draining"}
        nodes: list[dict[str, Any]] = [
            {"node": "test", "state": "here"},
            {"node": "two", "state": "up", "load": load},
        ]

        async def told() -> list[dict[str, Any]]:
            return list(nodes)

        board(vm).limits = Limits(calls=1)
        held = Hub(vm, told, {}, lambda: 1000.0)
        held.enter("")

        async def alarms() -> list[str]:
            for _ in range(SLOW):
                await held.tick()
            return [each["text"] for each in held.alarms]

        assert await alarms() == ["the node two takes no calls: draining"]
        nodes[1] = {"node": "two", "state": "down"}
        nodes.append({"node": "three", "state": "up"})
        assert (await alarms())[:1] == ["the node two is not reached"]
        assert [each["text"] for each in held.heard.news] == [
            "the node two is not reached any more",
            "the node three has come",
        ]
        del nodes[1]
        assert await alarms() == ["nodes left the cluster: 1 in the last minute"]
