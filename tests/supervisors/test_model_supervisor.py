"""ModelSupervisor: begins answers on request, one for a turn, and never begins one again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.call.answer_actor import BeginAnswer
from aybiza.actors.runtime import KILL, CallExit, Pid
from aybiza.emulators.bedrock import Fault
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.speech.line import Line
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from tests.call.kit import World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), thinks_ms=5_000) as made:
        yield made


class NoSink:
    """A carrier that nobody speaks to."""

    def media(self, mulaw: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...


def request(place: World, turn: int) -> BeginAnswer:
    start = Start("MZ1", "CA1", "", ("inbound",), MULAW_8000_MONO, {})
    context = place.node._context(Line("CA1", NoSink()), start)
    messages = [{"role": "user", "content": [{"text": "Hello."}]}]
    return BeginAnswer(context, turn, 1, messages, "Be brief.")


async def begin(place: World, turn: int) -> Pid:
    verdict, pid = await place.vm.call(names.MODEL_SUPERVISOR, request(place, turn))
    assert verdict == "ok"
    assert place.vm.whereis(names.answer("CA1", turn)) == pid
    assert isinstance(pid, Pid)
    return pid


async def test_a_turn_has_one_answer(place: World) -> None:
    pid = await begin(place, 1)
    again = await place.vm.call(names.MODEL_SUPERVISOR, request(place, 1))
    assert again == ("error", ("already_started", pid))
    other = await begin(place, 2)
    for answer in (pid, other):
        await DynamicSupervisor.terminate_child(place.vm, names.MODEL_SUPERVISOR, answer)
    assert not place.vm.alive(names.answer("CA1", 1))


async def test_an_answer_that_dies_is_not_begun_again(place: World) -> None:
    pid = await begin(place, 1)
    place.vm.exit(pid, KILL)
    await place.vm.join(pid)
    counts = await DynamicSupervisor.count_children(place.vm, names.MODEL_SUPERVISOR)
    assert (counts.specs, counts.active) == (0, 0)


async def test_its_end_frees_the_threads_of_its_answers(place: World) -> None:
    place.bedrock.faults.add(Fault("stall", times=2))
    for turn in (1, 2):
        await begin(place, turn)
    await place.until(lambda: place.node._bedrock.statistics().busy == 2)
    await place.restart(names.MODEL_SUPERVISOR)
    await place.until(lambda: place.node._bedrock.statistics().busy == 0, 2.0)
    assert not place.vm.alive(names.answer("CA1", 1))


async def test_what_it_does_not_understand_is_refused(place: World) -> None:
    with pytest.raises(CallExit):
        await place.vm.call(names.MODEL_SUPERVISOR, "an answer, please")
    await place.until(lambda: place.vm.alive(names.MODEL_SUPERVISOR))
