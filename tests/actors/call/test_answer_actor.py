"""The answer: told again to who asks for it, bounded in time, and its thread is never kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.call import answer_actor
from aybiza.actors.call.answer_actor import BeginAnswer
from aybiza.actors.runtime import KILL, CallExit, GenServer, Pid, Shutdown
from aybiza.dialogue.events import AnswerFinished, AnswerSentence, ToolsUsed
from aybiza.emulators.bedrock import Fault, ToolUse, use
from aybiza.emulators.bedrock.reply import Reply, Text
from aybiza.faults.desk import Answers
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.speech.line import Line
from tests.call.kit import AGENT, World, side_by_side, world
from tests.call.steps import hang_up, text

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

TWO = "Tell me two things."
ONE_AND_TWO = "The first thing is here. The second thing is there."
TOOLS = "Use three tools."
ANSWERS: Answers = {
    TWO: [ONE_AND_TWO],
    TOOLS: [
        Reply(
            (
                Text("Let me see."),
                ToolUse("look_up", {"what": "a"}),
                ToolUse("break_down", {}),
                ToolUse("look_up", {"what": "b"}),
            )
        ),
        "That was it.",
    ],
    "Loop.": [use("look_up", {})],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, answers=ANSWERS, thinks_ms=30, delta_ms=60) as made:
        made.desk.seconds = 0.05
        yield made


@pytest.fixture(autouse=True)
def no_faults(place: World) -> None:
    """A fault that its test did not use up is not the next one's."""
    place.bedrock.faults.clear()


class Listener(GenServer):
    """Attaches to an answer and keeps what it is told."""

    async def init(self, answer: Pid) -> None:
        self.events: list[Any] = []
        await self.vm.call(answer, "attach")

    async def handle_info(self, message: Any) -> None:
        self.events.append(message)


async def begin(place: World, words: str, call_id: str = "CA1") -> Pid:
    """Have an answer begun, as a CallActor does."""
    start = Start("MZ1", call_id, "", ("inbound",), MULAW_8000_MONO, {})
    line = Line(call_id, NoSink())
    context = place.node._context(line, start)
    messages = [{"role": "user", "content": [{"text": words}]}]
    await place.vm.call(names.MODEL_SUPERVISOR, BeginAnswer(context, 1, 1, messages, "Be brief."))
    pid = place.vm.whereis(names.answer(call_id, 1))
    assert pid is not None
    return pid


class NoSink:
    """A carrier that nobody speaks to."""

    def media(self, mulaw: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...


async def listen(place: World, answer: Pid) -> tuple[Pid, list[Any]]:
    pid = await place.vm.start(Listener, answer)
    assert pid is not None
    process = place.vm.find(pid)
    assert process is not None
    return pid, process.server.events


def busy(place: World) -> int:
    return place.node._bedrock.statistics().busy


async def test_who_comes_back_is_told_everything_again(place: World) -> None:
    answer = await begin(place, TWO)
    first, heard = await listen(place, answer)
    await place.until(lambda: len(heard) == 1)
    place.vm.exit(first, KILL)
    _, again = await listen(place, answer)
    await place.until(lambda: any(isinstance(event, AnswerFinished) for event in again))
    one, two = ONE_AND_TWO.split(". ")
    sentences = [AnswerSentence(1, 1, f"{one}."), AnswerSentence(1, 2, two, "end_turn")]
    assert heard == sentences[:1]
    assert again == [*sentences, AnswerFinished(1, "end_turn")]
    place.vm.cast(answer, "done")
    assert await place.vm.join(answer) == "normal"


async def test_an_answer_whose_call_has_ended_in_order_ends(place: World) -> None:
    answer = await begin(place, TWO)
    listener, _ = await listen(place, answer)
    await place.vm.stop(listener)
    assert await place.vm.join(answer) == "normal"
    await place.until(lambda: busy(place) == 0, 1.0)


async def test_an_answer_that_nobody_asks_for_ends(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_actor, "ORPHAN_SECONDS", 0.05)
    place.bedrock.faults.add(Fault("stall", call="CA1"))
    answer = await begin(place, TWO)
    assert await place.vm.join(answer) == "normal"
    answer = await begin(place, TWO)
    listener, _ = await listen(place, answer)
    place.vm.exit(listener, KILL)
    assert await place.vm.join(answer) == "normal"
    await place.until(lambda: busy(place) == 0, 1.0)


async def test_an_answer_is_bounded_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_actor, "ORPHAN_SECONDS", 0.2)
    async with world(tmp_path, answers=ANSWERS, AYBIZA_TURN_DEADLINE_MS="1000") as place:
        place.desk.seconds = None
        place.bedrock.faults.add(Fault("slow_header", seconds=30.0, times=None))
        answer = await begin(place, TWO)
        await listen(place, answer)
        reason = await place.vm.join(answer, 4.0)
        assert (
            isinstance(reason, Shutdown)
            and isinstance(reason.detail, tuple)
            and reason.detail[0] == "answer_failed"
        )
        await place.until(lambda: busy(place) == 0, 1.0)


async def test_a_killed_answer_frees_its_thread(place: World) -> None:
    place.bedrock.faults.add(Fault("stall", call="CA1"))
    answer = await begin(place, TWO)
    await listen(place, answer)
    await place.until(lambda: busy(place) == 1)
    place.vm.exit(answer, KILL)
    await place.until(lambda: busy(place) == 0, 1.0)


async def test_tools_run_side_by_side_and_their_results_keep_their_order(place: World) -> None:
    answer = await begin(place, TOOLS)
    _, heard = await listen(place, answer)
    await place.until(lambda: any(isinstance(event, AnswerFinished) for event in heard))
    (used,) = [event for event in heard if isinstance(event, ToolsUsed)]
    assert [block["toolUse"]["name"] for block in used.uses] == ["look_up", "break_down", "look_up"]
    results = [block["toolResult"] for block in used.results]
    assert [result["status"] for result in results] == ["success", "error", "success"]
    asked = [block["toolUse"]["toolUseId"] for block in used.uses]
    assert [result["toolUseId"] for result in results] == asked
    place.vm.cast(answer, "done")


async def test_tool_input_that_is_no_json_is_told_to_the_model(place: World) -> None:
    place.bedrock.faults.add(Fault("garbage_tool_json"))
    runs = len(place.desk.runs)
    async with place.call(text(TOOLS, after=r"today\?\s*$"), hang_up("was it")) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert [line for line in call.told() if line[0] == "result"] == [("result", "error")] * 3
    assert len(place.desk.runs) == runs


async def test_a_model_that_only_uses_tools_is_stopped(place: World) -> None:
    async with place.call(text("Loop.", after=r"today\?\s*$"), hang_up("say that again")) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard.endswith(f"{AGENT.error} ")


async def test_more_answers_than_threads_wait_or_apologise(tmp_path: Path) -> None:
    async with world(tmp_path, answers=ANSWERS, delta_ms=20, BEDROCK_POOL_SIZE="1") as place:

        async def call(_: str) -> None:
            steps = text(TWO, after=r"today\?\s*$"), hang_up(after=r"(there|again)[.?]\s*$")
            async with place.call(*steps, direct=True) as call:
                report = await call.over()
            assert report.ok, call.summary()

        await side_by_side(call, "abc")


async def test_what_an_answer_does_not_understand_is_its_crash(place: World) -> None:
    answer = await begin(place, TWO)
    with capture_logs(), pytest.raises(CallExit):
        await place.vm.call(answer, "nonsense")
    assert not place.vm.alive(answer)
    await place.until(lambda: busy(place) == 0, 1.0)
    await asyncio.sleep(0)
