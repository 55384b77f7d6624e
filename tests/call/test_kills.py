"""Whatever is killed, and whenever: the caller hears what the caller of an undisturbed call hears.

A cell of the matrix is a call of its own in which one process is killed once, in one state of the
conversation. The cells run side by side, `AT_A_TIME` and those that need a node for themselves;
killing a process that belongs to the node kills it for the calls of its own node only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.runtime import Dest
from aybiza.dialogue.journal import CallerTurn, Interrupted, SentenceHeard
from aybiza.emulators.bedrock import use
from tests.call.caller import Call
from tests.call.kit import GREETING, Answers, World, world
from tests.call.steps import hang_up, interrupt, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_A_TIME = 14
CELL_SECONDS = 25.0
# A state lasts a fifth of a second; on a busy machine it may go by unseen, and is called again for.
TRIES = 3

QUESTION = "What are your opening hours, and are you open on Saturday as well as on Monday?"
FIRST = "Let me look that up for you right now, it will not take long."
REST = (
    "We open at eight in the morning on every working day. "
    "On Saturday we open at ten and close at noon. "
    "We are closed on Sunday and on public holidays."
)
THANKS = "Thank you."
GOODBYE = "You are welcome, goodbye."
STORY = "Tell me a very long story, please."
LONG = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
CHANGE = "Stop, what does it cost?"
COST = "A visit costs ten dollars, goodbye."

ANSWERS: Answers = {
    QUESTION: [use("look_up", {"what": "hours"}, FIRST), REST],
    THANKS: [GOODBYE],
    STORY: [LONG],
    CHANGE: [COST],
}
HEARD = f"{GREETING} {FIRST} {REST} {GOODBYE} "
TOLD = [
    ("user", QUESTION),
    ("assistant", FIRST),
    ("uses", "look_up"),
    ("result", "success"),
    ("assistant", REST),
    ("user", THANKS),
]
# A tool whose supervisor ends has failed: the model is told so.
TOLD_FAILED = [("result", "error") if line == ("result", "success") else line for line in TOLD]

STRAIGHT = (
    text(QUESTION, after=r"today\?\s*$"),
    text(THANKS, after=r"holidays\.\s*$"),
    hang_up(after=r"goodbye\.\s*$"),
)
BREAKING_IN = (
    text(STORY, after=r"today\?\s*$"),
    interrupt(CHANGE),
    hang_up(after=r"goodbye\.\s*$"),
)

STATES: dict[str, Callable[[Call], bool]] = {
    "greeting": lambda call: call.is_speaking(0, 1),
    "listening": lambda call: call.has(SentenceHeard(0, 1)),
    "caller in mid-utterance": lambda call: call.is_talking(for_ms=150),
    "thinking": lambda call: call.has(CallerTurn(1, QUESTION)) and bool(call.requests()),
    "first sentence": lambda call: call.is_speaking(1, 1),
    "tool running": lambda call: call.is_using_a_tool,
    "between sentences": lambda call: call.has_heard(1, 2) and not call.has_heard(1, 3),
    "last sentence": lambda call: call.is_speaking(1, 4),
    "barge-in": lambda call: call.has_any(Interrupted),
}
# An answer is a process only while the model has not said everything.
ANSWERING = ("thinking", "first sentence", "tool running", "between sentences")

Find = Callable[[Call], Iterable[Dest]]

OF_THE_CALL: dict[str, Find] = {
    "CallActor": lambda call: [names.call(call.call_id)],
    "TranscriberActor": lambda call: [names.transcriber(call.call_id)],
    "SpeakerActor": lambda call: [names.speaker(call.call_id)],
    "AnswerActor": lambda call: [names.answer(call.call_id, 1)],
    "CallSession": lambda call: [names.session(call.call_id)],
    "CallActor and SpeakerActor": lambda call: [
        names.call(call.call_id),
        names.speaker(call.call_id),
    ],
    "CallActor and AnswerActor": lambda call: [
        names.call(call.call_id),
        names.answer(call.call_id, 1),
    ],
    "CallActor and MemoryActor": lambda call: [names.call(call.call_id), names.MEMORY],
}
OF_THE_NODE: dict[str, Dest] = {
    "RegistryActor": "registry_actor",
    "MetricsActor": names.METRICS,
    "MemoryActor": names.MEMORY,
    "CircuitBreakerActor": names.breaker("global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    "ToolSupervisor": names.TOOL_SUPERVISOR,
    "ModelSupervisor": names.MODEL_SUPERVISOR,
    "CallSupervisor": names.CALL_SUPERVISOR,
    "MediaServer": "media_server",
    "HttpServer": "http_server",
}
# Their end disturbs every call of the node: their cells run one after the other on a few nodes.
ALONE = ("ToolSupervisor", "ModelSupervisor", "CallSupervisor")
NODES_EACH = 3


class Cell(NamedTuple):
    """A call of the matrix: which process ends in which state, killed or by a crash of its own."""

    actor: str
    state: str
    how: str = "kill"

    def __str__(self) -> str:
        return f"{self.actor}-{self.state}-{self.how}".replace(" ", "_")


def cells() -> list[Cell]:
    """The matrix."""
    made = [
        Cell(actor, state)
        for actor in (*OF_THE_CALL, *OF_THE_NODE)
        for state in (ANSWERING if "AnswerActor" in actor else STATES)
    ]
    crashing = ("CallActor", "TranscriberActor", "SpeakerActor", "AnswerActor", "MemoryActor")
    nobody = [Cell("nobody", state) for state in ("listening", "barge-in")]
    return (
        nobody
        + made
        + [
            Cell(actor, state, "crash")
            for actor in crashing
            for state in (ANSWERING if actor == "AnswerActor" else STATES)
        ]
    )


class Matrix:
    """The cells that run, each a task; nodes are shared by cells that do not disturb each other."""

    def __init__(self, folder: Path, nodes: AsyncExitStack) -> None:
        self._folder = folder
        self._nodes = nodes
        self._worlds: dict[str, asyncio.Task[World]] = {}
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._alone: dict[str, asyncio.Lock] = {}
        self.tasks: dict[Cell, asyncio.Task[None]] = {}

    def begin(self, cells: list[Cell]) -> None:
        """Let the cells run when their turn comes."""
        for cell in cells:
            self.tasks[cell] = asyncio.create_task(self._run(cell))

    async def outcome(self, cell: Cell) -> None:
        """Wait for a cell; one that has failed runs anew for whoever asks again."""
        try:
            await self.tasks[cell]
        except Exception:
            self.begin([cell])
            raise

    async def _run(self, cell: Cell) -> None:
        if cell.actor in ALONE:
            node = f"{cell.actor}{list(STATES).index(cell.state) % NODES_EACH}"
            place: asyncio.Semaphore | asyncio.Lock
            place = self._alone.setdefault(node, asyncio.Lock())
        else:
            node = cell.actor if OF_THE_NODE.keys() & {*cell.actor.split(" and ")} else "calls"
            place = self._places
        async with place, asyncio.timeout(CELL_SECONDS):
            await carry_out(await self.world(node), cell)

    async def world(self, name: str) -> World:
        """The node of this name, with its providers."""
        if name not in self._worlds:
            folder = self._folder / name
            opening = self._nodes.enter_async_context(
                world(folder, answers=ANSWERS, thinks_ms=120, delta_ms=110, voice_speed=2)
            )
            self._worlds[name] = asyncio.ensure_future(opening)
        return await self._worlds[name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Matrix]:
    """The cells of all tests that were asked for, running."""
    async with AsyncExitStack() as nodes:
        running = Matrix(tmp_path_factory.mktemp("matrix"), nodes)
        specs = [getattr(item, "callspec", None) for item in request.session.items]
        wanted = [spec.params.get("cell") for spec in specs if spec is not None]
        running.begin([cell for cell in wanted if isinstance(cell, Cell)])
        yield running
        for task in running.tasks.values():
            task.cancel()
        await asyncio.gather(*running.tasks.values(), return_exceptions=True)


def victims(call: Call, cell: Cell) -> list[Dest]:
    """Whom the cell is about."""
    if cell.actor in OF_THE_NODE:
        return [OF_THE_NODE[cell.actor]]
    return list(OF_THE_CALL[cell.actor](call)) if cell.actor in OF_THE_CALL else []


async def disturb(place: World, call: Call, cell: Cell) -> bool:
    """End the cell's processes in the cell's state; False if the call was never seen in it."""
    whom = victims(call, cell)

    def is_time() -> bool:
        return STATES[cell.state](call) and all(map(place.vm.alive, whom))

    await call.until(lambda: call.is_over or is_time())
    if call.is_over:
        return False
    for victim in whom:
        (place.kill if cell.how == "kill" else place.crash)(victim)
    return True


async def carry_out(place: World, cell: Cell) -> None:
    """Call until the cell's disturbance has happened, and look at what was heard then."""
    steps = BREAKING_IN if cell.state == "barge-in" else STRAIGHT
    for _ in range(TRIES):
        async with place.call(*steps, direct=True) as call:
            struck = await disturb(place, call, cell)
            report = await call.over()
            assert report.ok, call.summary()
            (assert_interrupted if cell.state == "barge-in" else assert_straight)(call, cell)
        if struck:
            return
    raise AssertionError(f"no call was ever seen in the state: {cell.state}")


def assert_straight(call: Call, cell: Cell) -> None:
    """Every sentence was heard once, and the model was told every turn once."""
    assert call.heard == HEARD, call.summary()
    assert call.told() in told_after(cell), call.summary()


def told_after(cell: Cell) -> list[list[tuple[str, str]]]:
    """What the model may have been told by the end of an undisturbed conversation."""
    if cell.actor != "ToolSupervisor":
        return [TOLD]
    # The tool may have begun while the first sentence is still being heard.
    either = {"tool running": [TOLD_FAILED], "first sentence": [TOLD, TOLD_FAILED]}
    return either.get(cell.state, [TOLD])


def assert_interrupted(call: Call, cell: Cell) -> None:
    """The answer was heard up to where it was cut, then the next one; the model knows it."""
    before, _, after = call.heard.partition(GREETING)
    assert before == ""
    told, cost = after.strip()[: -len(COST)].strip(), after.strip()[-len(COST) :]
    assert cost == COST, call.summary()
    assert told and LONG.startswith(told), call.summary()
    conversation = call.told()
    assert [role for role, _ in conversation] == ["user", "assistant", "user"], conversation
    assert conversation[0] == ("user", STORY)
    assert conversation[2] == ("user", CHANGE)
    said = conversation[1][1].removesuffix(" …")
    assert LONG.startswith(said)
    # The cut is measured by the clock, and many calls share this one: a word lasts 20 ms here.
    assert abs(len(said.split()) - len(told.split())) <= 10, (said, told)


@pytest.mark.parametrize("cell", cells(), ids=str)
async def test_the_caller_hears_the_same(matrix: Matrix, cell: Cell) -> None:
    await matrix.outcome(cell)
