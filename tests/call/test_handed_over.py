"""Calls that leave their node, and what the caller hears of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from aybiza.actors import names
from aybiza.actors.placement import drain
from aybiza.actors.placement.drain_actor import adopt, drained, streams
from aybiza.actors.runtime import KILL
from aybiza.emulators.phone import Phone
from tests.actors.cluster.kit import until
from tests.call.caller import LIMIT
from tests.call.kit import AGENT, GREETING, agent, world
from tests.call.site import AFTER, ASKED, HEARD, QUESTIONS, TOLD, Site, call, heard, site
from tests.call.steps import hang_up, script_of, stay, text

pytestmark = pytest.mark.real_time


@pytest.fixture(autouse=True)
def seams_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine finds them late; what is done without one has its own tests."""
    monkeypatch.setattr(drain, "SEAM_SECONDS", LIMIT)


STORY = "There was a lighthouse on a rock far out in the sea. The keeper was all alone."
ANSWERS = {"Tell me a story.": [STORY]}
LISTEN = text("Tell me a story.", after=AFTER[0]), hang_up(after=r"all alone\.\s*$")


async def speaking(place: Site, node: str, words: str) -> None:
    """Wait until a call of the node says these words."""
    vm = place.nodes[node].vm

    def said() -> bool:
        found = [vm.find(names.call(call_id)) for call_id in streams(vm)]
        machines = [getattr(each.server, "machine", None) for each in found if each]
        turns = [each.conversation.turn for each in machines if each]
        return any(turn and words in turn.sentences.values() for turn in turns)

    await until(said)


async def test_a_call_that_finds_no_seam_is_cut_off_and_goes_on_with_a_bridge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "SEAM_SECONDS", 0.2)
    async with site(tmp_path, "one", "two", answers=ANSWERS, voice_speed=1.5) as place:
        calling = asyncio.create_task(call(place, "one", *LISTEN))
        await speaking(place, "one", STORY.partition(". ")[0] + ".")
        progress = await place.drained("one", 0.0, by="two")
        assert (progress["handed_over"], progress["lost"]) == (1, 0)
        assert streams(place.nodes["one"].vm) == {}
        report = await calling
    assert report.ok, (report.failure, heard(report))
    before, _, after = heard(report).partition(f"{AGENT.bridge} ")
    assert f"{GREETING} {STORY} ".startswith(before)
    assert STORY.endswith(after.strip())
    assert len(before) + len(after) >= len(GREETING) + len(STORY) + 2


async def test_nodes_of_one_machine_hand_over_with_one_memory_file(tmp_path: Path) -> None:
    memory = str(tmp_path / "memory.sqlite3")
    async with site(tmp_path, "one", "two", AYBIZA_MEMORY_PATH=memory) as place:
        calls = [asyncio.create_task(call(place, "one")) for _ in range(3)]
        await until(lambda: len(streams(place.nodes["one"].vm)) == len(calls))
        there = await place.drained("one", 0.0)
        await place.ask("one", op="undrain", node="one")
        back = await place.drained("two", 0.0)
        for report in await asyncio.gather(*calls):
            assert heard(report) == HEARD, report.failure
    assert (there["handed_over"], there["lost"], back["lost"]) == (3, 0, 0)
    assert back["handed_over"] + back["ended"] == 3


async def test_calls_that_end_in_time_are_not_handed_over(tmp_path: Path) -> None:
    async with site(tmp_path, "one", "two") as place:
        calling = asyncio.create_task(call(place, "one"))
        await until(lambda: streams(place.nodes["one"].vm))
        progress = await place.drained("one", 60.0)
        assert (progress["ended"], progress["handed_over"]) == (1, 0)
        report = await calling
        assert (heard(report), len(report.streams)) == (HEARD, 1)
        late = await call(place, "one", hang_up(after=AFTER[0]))
        assert late.ok
        assert late.streams[0].url == place.nodes["two"].media_url


async def test_without_room_elsewhere_calls_stay_and_new_ones_are_told_so(tmp_path: Path) -> None:
    async with site(tmp_path, "one") as place:
        calling = asyncio.create_task(call(place, "one"))
        await until(lambda: streams(place.nodes["one"].vm))
        await place.ask("one", op="drain", node="one", seconds=0.0)
        refused = await call(place, "one", stay())
        assert refused.streams == []
        assert (await place.ask("one", op="members"))["members"][0]["load"]["draining"]
        report = await calling
        assert (heard(report), len(report.streams)) == (HEARD, 1)
        assert (await place.drained("one", 0.0))["state"] == "drained"


async def test_a_drain_that_is_undone_takes_calls_again_and_keeps_those_it_has(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, "one", "two") as place, httpx.AsyncClient() as client:
        ready = f"{place.nodes['one'].http_url}/readyz"
        calling = asyncio.create_task(call(place, "one"))
        await speaking(place, "one", TOLD[1])
        await place.ask("two", op="drain", node="one", seconds=0.0)
        assert (await client.get(ready)).text == "draining\n"
        answer = await place.ask("two", op="undrain", node="one")
        assert answer["progress"]["state"] == "up"
        assert (await client.get(ready)).status_code == 200
        report = await calling
    assert heard(report) == HEARD
    assert len(report.streams) <= 2


async def test_a_call_that_would_not_come_back_stays_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has not come by a webhook, but from a switch of one's own."""
    monkeypatch.setattr(drain, "SEAM_SECONDS", 0.2)
    async with site(tmp_path, "one", "two") as place:
        script = script_of([*QUESTIONS, hang_up(after=AFTER[-1])])
        async with Phone(place.nodes["one"].media_url, script) as phone:
            calling = asyncio.create_task(phone.run())
            await speaking(place, "one", TOLD[0])
            progress = await place.drained("one", 0.0)
            report = await calling
    assert (heard(report), len(report.streams)) == (HEARD, 1)
    assert (progress["ended"], progress["handed_over"]) == (1, 0)


async def test_a_drain_outlives_its_actor(tmp_path: Path) -> None:
    async with site(tmp_path, "one", "two") as place:
        calling = asyncio.create_task(call(place, "one"))
        await speaking(place, "one", TOLD[0])
        vm = place.nodes["one"].vm
        await place.ask("one", op="drain", node="one", seconds=0.0)
        for name in (names.DRAIN, names.PLACEMENT):
            vm.exit(name, KILL)
        report = await calling
        assert (heard(report), len(report.streams)) == (HEARD, 2)
        await until(lambda: vm.alive(names.DRAIN))
        answer = await place.ask("one", op="drain_progress", node="one")
        assert answer["progress"]["handed_over"] == 1


async def test_a_node_that_ends_cuts_off_what_nobody_has_room_for(tmp_path: Path) -> None:
    async with site(tmp_path, "one") as place:
        calling = asyncio.create_task(call(place, "one", *QUESTIONS, stay()))
        await speaking(place, "one", TOLD[0])
        waits: list[float] = []
        progress = await drained(place.nodes["one"].vm, 0.0, waits.append)
        assert progress.state == "drained"
        assert progress.lost == 1
        assert waits == [drain.HAND_OVER_SECONDS]
        report = await calling
        assert [stream.close_code for stream in report.streams] == [1001]
        again: list[float] = []
        assert (await drained(place.nodes["one"].vm, 60.0, again.append)).state == "drained"
        assert again == []


async def test_there_is_nothing_to_take_from_a_node_that_is_gone(tmp_path: Path) -> None:
    async with site(tmp_path, "one", "two") as place:
        vm = place.nodes["one"].vm
        assert await adopt(vm, "CA1", "one") is None
        assert await adopt(vm, "CA1", "nobody") is None
        taken = await adopt(vm, "CA1", "two")
        assert taken is not None and taken.journal == []
        answer = await place.ask("one", op="drain", node="nobody", seconds=0.0)
        assert answer == {"unknown": "nobody", "nodes": ["one", "two"]}


async def test_a_caller_at_the_media_door_of_another_node_finds_the_conversation(
    tmp_path: Path,
) -> None:
    """As behind a load balancer: the webhook answers on one node, the stream comes to another."""
    async with site(tmp_path, "one", "two") as place:
        one, two = place.nodes["one"], place.nodes["two"]
        calling = asyncio.create_task(call(place, "one", *QUESTIONS[:1], stay()))
        await speaking(place, "one", TOLD[0])
        (call_id,) = streams(one.vm)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        script = script_of([text(ASKED[1], after=r"well\.\s*$"), hang_up(after=AFTER[2])])
        parameters = {"Node": "one"}
        async with Phone(two.media_url, script, call_sid=call_id, parameters=parameters) as phone:
            report = await phone.run()
        assert report.ok, (report.failure, heard(report))
        assert heard(report).endswith(f"{TOLD[1]} ")
        assert AGENT.bridge in heard(report)
        assert streams(one.vm) == {}


async def test_the_longest_duration_counts_from_the_call_s_first_line(tmp_path: Path) -> None:
    async with world(tmp_path, agent=agent(max_duration_s=30.0)) as place:
        began = {"Since": str(int(time.time()) - 40)}
        async with place.call(stay(), direct=True, parameters=began) as called:
            report = await called.over()
        assert heard(report).endswith(f"{AGENT.closing} ")
        for nonsense in ("soon", "-5", "99999999999"):
            since = {"Since": nonsense}
            step = hang_up(after=AFTER[0])
            async with place.call(step, direct=True, parameters=since) as called:
                assert heard(await called.over()) == f"{GREETING} "
