"""A whole node in virtual time: application tree, providers, carrier and callers on one loop.

    async def talk(world: World) -> None:
        async with world.call(says("What are your hours?"), hangs_up()) as call:
            report = await call.over()
        assert call.heard == …

    in_world(talk, seed=1, answers={"What are your hours?": ["From nine to five."]})

Everything between the caller's telephone and the providers is what a node runs; Deepgram, Bedrock
and the telephone are the emulators, in memory. There is no socket, no thread and no file, and
nothing takes real time. The same seed gives the same trace, byte for byte.

Errors: `Deadlock` when nothing could ever happen again; AssertionError of what is awaited in vain.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any, Final, Self, TypeVar, cast

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures.provider_health import watch
from aybiza.actors.memory.memory_actor import TABLE as MEMORY_TABLE
from aybiza.actors.names import TOOL_SUPERVISOR
from aybiza.actors.placement.placement import Limits, Place
from aybiza.actors.placement.placement_actor import Gauge
from aybiza.actors.runtime import NORMAL
from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent
from aybiza.config.catalogue import load as load_catalogue
from aybiza.config.settings import Settings, load
from aybiza.dialogue.toolbox import Toolbox
from aybiza.emulators.bedrock import Pace
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Party
from aybiza.faults import provider_strikes
from aybiza.faults.bedrock import MemoryBedrock
from aybiza.faults.caller import Step, script_of
from aybiza.faults.deepgram import BYTES_PER_CHAR, MemoryDeepgram, MemoryEmulator
from aybiza.faults.desk import AGENT, Answers, Desk, answering
from aybiza.faults.entries import WatchedJournals
from aybiza.faults.fault import Fault
from aybiza.faults.logs import logs_in
from aybiza.faults.memory_store import MemoryStore
from aybiza.faults.pipe import End
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.telephone import HTTP_URL, Telephone
from aybiza.faults.trace import Trace
from aybiza.faults.virtual import ambient
from aybiza.faults.watched import WatchedVM, Watcher
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.twilio_codec import TwilioCodec
from aybiza.gateway.gateway import StreamSupervisor
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.gateway.media_server import STREAM_SUPERVISOR, carry
from aybiza.gateway.media_stream import SEAM, Connection
from aybiza.gateway.returning import Transfers
from aybiza.speech.line import Line
from aybiza.supervisors.application import Application, Parts
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.task_supervisor import TaskSupervisor

T = TypeVar("T")

MEDIA_URL: Final = "ws://node.world/media"
# Between two ticks of the node's own housekeeping, so that all its timers run.
SETTLE_SECONDS: Final = 1.05
STOP_SECONDS: Final = 5.0

_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "world",
    "AWS_SECRET_ACCESS_KEY": "world",
    "DEEPGRAM_API_KEY": "world",
    "AYBIZA_NODE_NAME": "world",
}


@functools.cache
def _settings() -> tuple[Settings, Policy]:
    settings = load(dict(_ENVIRONMENT))
    catalogue = load_catalogue(settings.models_file)
    return settings, Policy.of(settings, catalogue, today=date(2026, 1, 5))


class World:
    """See the module. `idle` is what a node without calls consists of.

    `agent` and `toolbox` are those of the node; `answers` is what its model says, or `responder`
    decides. `thinks_ms`: until the model's first token; `delta_ms`: between its pieces. `frames`:
    how many of the caller's frames of 20 ms travel together. `parties`: who answers at which
    number. `messages`: note them in the trace.
    """

    def __init__(
        self,
        *,
        agent: Agent = AGENT,
        toolbox: Toolbox | None = None,
        answers: Answers | None = None,
        responder: Responder | None = None,
        parties: Mapping[str, Party] | None = None,
        seed: int = 0,
        thinks_ms: float = 400.0,
        delta_ms: float = 30.0,
        voice_speed: float = 8.0,
        char_bytes: int = BYTES_PER_CHAR,
        frames: int = 5,
        messages: bool = False,
        watcher: Watcher | None = None,
    ) -> None:
        self._loop: Any = asyncio.get_running_loop()
        loop = self._loop
        self.trace = Trace(loop.time, messages=messages)
        self.agent = agent
        self.toolbox = toolbox or Desk()
        self.vm = WatchedVM("world", self.trace, watcher)
        self.store = MemoryStore()
        self.deepgram = MemoryEmulator(self._door, SpeakPace(120.0, voice_speed), char_bytes)
        self.bedrock = Bedrock(
            responder=responder or answering(answers or {}),
            pace=Pace(first_token_ms=thinks_ms, per_delta_ms=delta_ms),
            seed=seed,
            clock=loop.time,
        )
        self.calls: list[PlacedCall] = []
        self.lines: dict[str, Line] = {}
        self.idle: list[str] = []
        self._settings, self.policy = _settings()
        self.asked = MemoryBedrock(self.bedrock, self._settings.aws_region, self._door)
        self._listener = MemoryDeepgram(self.deepgram)
        self._frames = frames
        self._parties = parties
        self._tasks: set[asyncio.Task[None]] = set()
        self._logs = logs_in(self.trace)

    async def __aenter__(self) -> Self:
        vm = self.vm
        self._logs.__enter__()
        await vm.__aenter__()
        watch(vm, self._settings.lost_after_failures, self._settings.lost_within_seconds)
        self.journals = vm.tables[MEMORY_TABLE] = WatchedJournals(self.trace)
        agent = self.agent
        door = HttpDoor(
            vm,
            MEDIA_URL,
            HTTP_URL,
            agent.busy,
            wall=time.time,
            filler_text=agent.filler,
            closing_text=agent.closing,
            fallback_number=agent.fallback_number,
            transfers=Transfers.of(agent, {}),
        )
        self._application = http_app(door)
        streams = child(StreamSupervisor, name=STREAM_SUPERVISOR)
        # What this machine is busy with beside is not the world's.
        limits = Limits(1000, 10**9, 10**9)
        place = Place(HTTP_URL, MEDIA_URL)
        parts = Parts(
            self.policy.ids, self.store, limits, [streams], place=place, gauge=Gauge(1.0, lambda: 0)
        )
        self.root = await vm.start(Application, parts, name="application", timeout=None)
        await asyncio.sleep(SETTLE_SECONDS)
        self.idle = self.labels()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.vm.alive("application"):
            await self.vm.stop("application", NORMAL, STOP_SECONDS)
        await self.deepgram.stop()
        await self.vm.__aexit__(None, None, None)
        self.store.close()
        self._logs.__exit__(None, None, None)

    @asynccontextmanager
    async def call(
        self, *steps: Step, call_id: str | None = None, limit_s: float = 900.0
    ) -> AsyncIterator[PlacedCall]:
        """A caller who does `steps` (`aybiza.faults.caller`)."""
        name = call_id or f"CA{len(self.calls) + 1}"
        phone = Telephone(
            script_of(steps, limit_s),
            self._application,
            self._accept,
            frames=self._frames,
            parties=self._parties,
            call_sid=name,
            on_progress=lambda told: self.trace.note("line", name, f"{told.kind}: {told.text}"),
        )
        async with phone:
            call = PlacedCall(self, phone, name)
            self.calls.append(call)
            async with call:
                yield call

    def labels(self) -> list[str]:
        """What all living processes are, in order of their names."""
        processes = [self.vm.find(pid) for pid in self.vm.processes()]
        return sorted(process.label for process in processes if process)

    async def until(self, condition: Callable[[], Any], within: float = 60.0) -> None:
        """Wait until `condition` holds: it is looked at whenever the clock moves on."""
        loop: Any = asyncio.get_running_loop()
        assert await loop.until(condition, within), f"waited {within:g} s in vain: {self.labels()}"

    def phase(self) -> str:
        """What the first call that has begun is doing; `none` if there is none."""
        return next((str(call.state.get("phase")) for call in self.calls if call.state), "none")

    def stand_still(self, seconds: float) -> None:
        """Let `seconds` pass in which nothing runs."""
        self._loop.stand_still(seconds)

    def strike(self, fault: Fault) -> None:
        """Have something break that is around the actors."""
        provider_strikes.strike(self, self._loop, fault)

    def _door(self, what: str, **more: Any) -> None:
        told = " ".join(f"{name}={value}" for name, value in more.items())
        self.trace.note("door", what, told)

    def _accept(self, end: End) -> None:
        loop = asyncio.get_running_loop()
        connection = cast(Connection, end)
        task = loop.create_task(carry(self.vm, connection, TwilioCodec(), self._context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _context(self, line: Line, start: Start) -> CallContext:
        self.lines[start.call_sid] = line
        return CallContext(
            call_id=start.call_sid,
            line=line,
            agent=self.agent,
            policy=self.policy,
            bedrock=self.asked,  # type: ignore[arg-type]
            deepgram=self._listener,
            toolbox=self.toolbox,
            answer_seconds=self._settings.turn_deadline_ms / 1000.0,
            opened=self.vm.now(),
            at_seam=SEAM in start.custom_parameters,
            start_tool=partial(TaskSupervisor.async_nolink, self.vm, TOOL_SUPERVISOR),
            caller=start.custom_parameters.get("From", ""),
            tenant=self.agent.name,
        )


def in_world(main: Callable[[World], Awaitable[T]], *, seed: int = 0, **options: Any) -> T:
    """Run `main` in a new `World(seed=seed, **options)`, in no time, and return its result."""

    async def run() -> T:
        async with World(seed=seed, **options) as world:
            return await main(world)

    with ambient(seed) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run())
