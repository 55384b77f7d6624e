"""What a node answers about itself: its tree, its calls, the end of a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.metrics_actor import render
from aybiza.actors.runtime import CallExit, Pid, Via, sys
from aybiza.console.control import control
from tests.call.kit import World, world
from tests.call.steps import hang_up, stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), voice_speed=2) as made:
        yield made


async def ask(place: World, **request: Any) -> dict[str, Any]:
    """The answer, as it comes over the wire."""
    answer = await control(place.vm, json.loads(json.dumps(request)))
    decoded: dict[str, Any] = json.loads(json.dumps(answer))
    return decoded


async def test_the_tree_shows_a_call_below_its_supervisors(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        lines = (await ask(place, op="tree"))["processes"]
        await call.hang_up()
    assert len(lines) == len({line["pid"] for line in lines})
    path: list[str] = []
    below: dict[str, list[str]] = {}
    for line in lines:
        assert line["depth"] <= len(path)
        path = [*path[: line["depth"]], line["server"]]
        below[line["server"]] = path
    assert below["CallActor"] == ["Application", "CallSupervisor", "CallSession", "CallActor"]
    assert below["SpeakerActor"][:-1] == below["TranscriberActor"][:-1] == below["CallActor"][:-1]
    assert below["MediaStream"] == ["Application", "Gateway", "StreamSupervisor", "MediaStream"]
    named = {line["server"]: line["name"] for line in lines}
    assert named["MemoryActor"] == "memory"
    assert named["CallActor"] == f"call:{call.call_id}"


async def test_the_node_s_load_is_shown_and_it_drains(place: World) -> None:
    (here,) = (await ask(place, op="members"))["members"]
    assert (here["node"], here["load"]["max_calls"], here["load"]["refusal"]) == ("test", 100, "")
    answer = await ask(place, op="drain", node="test", seconds=60)
    while answer["progress"]["state"] == "draining":
        await asyncio.sleep(0.01)
        answer = await ask(place, op="drain_progress", node="test")
    assert answer["progress"]["state"] == "drained"
    (here,) = (await ask(place, op="members"))["members"]
    assert here["load"]["refusal"] == "draining"
    assert (await ask(place, op="undrain", node="test"))["progress"]["state"] == "up"
    assert (await ask(place, op="drain_progress", node="test"))["progress"]["state"] == "up"
    unknown = {"unknown": "other", "nodes": ["test"]}
    assert await ask(place, op="drain", node="other", seconds=0) == unknown


async def test_calls_are_shown_with_where_they_stand(place: World) -> None:
    async with place.call(stay()) as one, place.call(stay()) as two:
        for call in (one, two):
            await call.until(lambda call=call: call.state.get("phase") == "listening")  # type: ignore[misc]
        shown = {call["call_id"]: call for call in (await ask(place, op="calls"))["calls"]}
        assert set(shown) == {one.call_id, two.call_id}
        assert {call["phase"] for call in shown.values()} == {"listening"}
        assert {call["caller"] for call in shown.values()} == {"…01"}
        assert all(0 <= call["seconds"] < 60 for call in shown.values())
        for call in (one, two):
            await call.hang_up()


async def test_a_call_that_does_not_answer_is_shown_too(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.console.control.LOOK_SECONDS", 0.05)
    monkeypatch.setattr(sys, "get_state", _never_answers)
    async with place.call(stay()) as call:
        await call.until(lambda: call.has_heard(0, 1))
        (shown,) = (await ask(place, op="calls"))["calls"]
        assert shown["phase"] == "unknown: timeout"
        await call.hang_up()


async def _never_answers(vm: Any, pid: Pid, timeout: float) -> Any:
    raise CallExit("timeout", pid)


@pytest.mark.parametrize("form", ["name", "pid", "bare serial", "Erlang's"])
async def test_a_process_is_killed_by_its_name_or_its_pid(place: World, form: str) -> None:
    before = place.vm.whereis(names.METRICS)
    assert before is not None
    which = {
        "name": names.METRICS,
        "pid": str(before),
        "bare serial": str(before.serial),
        "Erlang's": f"<0.{before.serial}>",
    }[form]
    answer = await ask(place, op="kill", process=which, reason="kill")
    assert answer["killed"] == str(before)
    assert answer["name"] == "metrics"
    assert answer["back"] == str(place.vm.whereis(names.METRICS)) != str(before)
    assert 0 <= answer["after_ms"] < 1000


PARTS = {
    "call": names.call,
    "transcriber": names.transcriber,
    "speaker": names.speaker,
    "session": names.session,
}


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_of_a_call_is_killed_and_the_call_goes_on(place: World, part: str) -> None:
    name: Via = PARTS[part]("")
    async with place.call(hang_up(after=r"today\?"), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        name = PARTS[part](call.call_id)
        before = place.vm.whereis(name)
        answer = await ask(place, op="kill", process=f"{part}:{call.call_id}", reason="kill")
        assert answer["killed"] == str(before)
        assert answer["back"] == str(place.vm.whereis(name))
        report = await call.over()
    assert report.ok, call.summary()


async def test_a_process_that_nobody_restarts_is_gone(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.console.control.BACK_SECONDS", 0.1)
    pid = place.vm.spawn(_wait)
    answer = await ask(place, op="kill", process=str(pid), reason="kill")
    assert (answer["back"], answer["after_ms"]) == (None, None)
    assert answer["name"] == "_wait"
    assert await place.vm.join(pid) in ("killed", "noproc")


async def _wait() -> None:
    await asyncio.Event().wait()


async def test_a_reason_can_be_given_and_one_that_is_trapped_is_survived(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.console.control.BACK_SECONDS", 0.05)
    before = place.vm.whereis(names.MEMORY)
    answer = await ask(place, op="kill", process=names.MEMORY, reason="a whim")
    assert answer["back"] is None
    assert place.vm.whereis(names.MEMORY) == before


BAD = ["nobody", "", "call:", "call:CA0", "speaker:nobody", "<test.999999>", "²", "-1", "a:b:c"]


@pytest.mark.parametrize("which", BAD)
async def test_a_process_that_does_not_exist_is_refused_in_words(place: World, which: str) -> None:
    with pytest.raises(ValueError, match=r"no process is called .*`aybiza tree`"):
        await ask(place, op="kill", process=which, reason="kill")


@pytest.mark.parametrize(
    "request_", [{}, {"op": "fly"}, {"op": "kill"}, {"op": "kill", "process": 1, "reason": "kill"}]
)
async def test_what_is_not_a_request_is_refused_in_words(
    place: World, request_: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="does not understand"):
        await ask(place, **request_)


async def test_a_restart_ends_a_process_in_order_and_another_takes_its_place(place: World) -> None:
    before = place.vm.whereis(names.METRICS)
    answer = await ask(place, op="restart", process=names.METRICS)
    assert answer["killed"] == repr(before)
    assert answer["back"] == repr(place.vm.whereis(names.METRICS)) != repr(before)


async def test_a_call_is_read_as_it_is_spoken_and_hung_up(place: World) -> None:
    async with place.call(text("Hello.", after=r"today\?"), stay()) as call:
        await call.until(lambda: call.has_heard(1, 1))
        told = await ask(place, op="transcript", call=call.call_id, after=0)
        said = [entry["text"] for _, _, entry in told["rows"] if "text" in entry]
        assert (said[-1], told["over"]) == ("You said, Hello.", False)
        last = told["rows"][-1][0]
        assert (await ask(place, op="transcript", call=call.call_id, after=last))["rows"] == []
        answer = await ask(place, op="hangup", call=call.call_id)
        assert answer == {"hung_up": call.call_id}
        report = await call.over()
    assert report.streams[-1].close_code == 1000
    for op in ("hangup", "transcript"):
        with pytest.raises(ValueError, match="no call"):
            await ask(place, op=op, call="CAnobody", after=0)


async def test_what_an_operator_does_is_told_with_who_they_say_they_are(place: World) -> None:
    told: list[dict[str, Any]] = []
    place.vm.telemetry.attach(
        "operators", events.OPERATOR, lambda _, __, metadata, ___: told.append(dict(metadata))
    )
    await ask(place, op="kill", process="metrics", reason="a whim", by="maria")
    await ask(place, op="tree", by="maria")
    async with place.call(stay()) as call:
        await call.until(lambda: call.has_heard(0, 1))
        for after in (0, 1):
            await ask(place, op="transcript", call=call.call_id, after=after, by="maria")
        await ask(place, op="hangup", call=call.call_id, by="maria")
        await call.over()
    with pytest.raises(ValueError, match="nobody"):
        await ask(place, op="kill", process="nobody", reason="a whim", by="maria")
    place.vm.telemetry.detach("operators")
    assert [(each["who"], each["did"], each["what"]) for each in told] == [
        ("maria", "kill", "metrics"),
        ("maria", "transcript", call.call_id),
        ("maria", "hangup", call.call_id),
    ]


async def test_a_trace_is_looked_at_and_ends(place: World) -> None:
    heard: list[str] = []
    place.vm.telemetry.attach(
        "t", events.OPERATOR, lambda _e, _m, told, _c: heard.append(told["did"])
    )
    first = await ask(place, op="traced", process=names.METRICS, after=0)
    place.vm.cast(names.METRICS, ("increment", "my secret", {}, 1))
    await render(place.vm)
    later = await ask(place, op="traced", process=names.METRICS, after=first["last"])
    place.vm.telemetry.detach("t")
    assert later["rows"][0][2:] == ["cast", "(<str of 9>, <str of 9>, {}, 1)", ""]
    assert "secret" not in json.dumps(later)
    pid = place.vm.whereis(names.METRICS)
    assert pid is not None and pid.serial in place.vm.debugged
    await ask(place, op="trace", process=names.METRICS, on=False)
    assert pid.serial not in place.vm.debugged
    assert heard == ["trace"]


async def test_what_waits_is_told_by_type_and_a_trace_begins_and_ends(place: World) -> None:
    pid = place.vm.whereis(names.METRICS)
    assert pid is not None
    await sys.suspend(place.vm, pid)
    for word in ("my secret", "other"):
        place.vm.cast(pid, ("increment", word, {}, 1))
        place.vm.send(pid, word)
    told = await ask(place, op="observe", process=names.METRICS)
    await sys.resume(place.vm, pid)
    assert told["waiting"] == {"cast tuple": 2, "str": 2}
    for on in (True, False):
        answer = await ask(place, op="trace", process=names.METRICS, on=on)
        assert answer == {"traced": repr(pid), "on": on}
        assert (pid.serial in place.vm.debugged) is on
