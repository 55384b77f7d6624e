"""One node of a world: a VM with the application in it, and its doors.

A node of several has a carrier of the world's network. It can be frozen, so that nothing of it
runs, and lost: its processes are gone, its sockets are cut, and nobody is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.speaker_voice import BREAKERS
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.measures.costs_sharer import CostsSharer
from aybiza.actors.measures.provider_health import watch
from aybiza.actors.memory.journals import TABLE as MEMORY_TABLE
from aybiza.actors.names import RECORDINGS, TOOL_SUPERVISOR
from aybiza.actors.placement.placement import Limits, Place
from aybiza.actors.placement.placement_actor import LOOK_SECONDS, Gauge
from aybiza.actors.recordings.recordings_actor import RecordingsActor
from aybiza.actors.runtime import KILL, NORMAL
from aybiza.faults.acts import Planned
from aybiza.faults.entries import WatchedJournals
from aybiza.faults.memory_store import MemoryStore
from aybiza.faults.network import LoopCarrier
from aybiza.faults.pipe import End
from aybiza.faults.redis_client import Requests
from aybiza.faults.watched import WatchedVM, Watcher
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rate_limit import RateLimit
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.twilio_codec import TwilioCodec
from aybiza.gateway.gateway import StreamSupervisor
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.gateway.media_server import STREAM_SUPERVISOR, carry
from aybiza.gateway.media_stream import SEAM, Connection
from aybiza.gateway.origin import caller_of, country_of, edge_of
from aybiza.speech.line import Line
from aybiza.supervisors.application import Application, Parts
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.task_supervisor import TaskSupervisor

if TYPE_CHECKING:
    from aybiza.faults.world import World

STOP_SECONDS: Final = 5.0
ALONE_SECONDS: Final = 10.0
"""A node that has no others to tell of its calls looks seldom how many there are."""
PER_MINUTE: Final = 600
"""Webhooks of one address; there are fewer, and where they are counted can be lost."""


class WorldNode:
    """See the module. `host` is the name that its doors are found at."""

    def __init__(
        self,
        world: World,
        name: str,
        host: str,
        journals: WatchedJournals,
        stores: Sequence[MemoryStore],
        watcher: Watcher | None,
        carrier: LoopCarrier | None = None,
    ) -> None:
        self._world = world
        self.name = name
        self.host = host
        self.carrier = carrier
        creation = carrier.card.incarnation if carrier is not None else 0
        self.vm = WatchedVM(name, world.trace, watcher, creation=creation)
        self.vm.prefix = f"{name}/" if carrier is not None else ""
        self._stores = stores
        self.journals = journals
        self.is_lost = False
        self._ends: set[End] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = AsyncExitStack()

    async def open(self) -> None:
        """Start the application, and join the others."""
        vm, world = self.vm, self._world
        await self._closing.enter_async_context(vm)
        watch(vm, world.settings.lost_after_failures, world.settings.lost_within_seconds)
        vm.tables[MEMORY_TABLE] = self.journals
        if self.carrier is not None:
            cluster = await self._closing.enter_async_context(Distribution(vm, self.carrier))
            await cluster.join()
        place = Place(f"http://{self.host}", f"ws://{self.host}/media")
        door = HttpDoor(
            vm,
            place.media,
            place.http,
            world.switchboard,
            _admission(world),
            wall=time.time,
        )
        self.door = door
        self.application = http_app(door)
        streams = child(StreamSupervisor, name=STREAM_SUPERVISOR)
        # What this machine is busy with beside is not the world's.
        limits = Limits(1000, 10**9, 10**9)
        # Who has others tells them of its calls.
        gauge = Gauge(ALONE_SECONDS if self.carrier is None else LOOK_SECONDS, lambda: 0)
        keepers = []
        if world.has_redis:
            keepers.append(child(CostsSharer, client=world.redis.client, name="costs_sharer"))
        if world.recordings is not None:
            keepers.append(child(RecordingsActor, world.recordings, name=RECORDINGS))
        several = any(who.agent.second_voice for who in world.switchboard)
        voices = BREAKERS.values() if several else ()
        last = [who.policy.last.id for who in world.switchboard if who.policy.last is not None]
        parts = Parts(
            tuple(dict.fromkeys((*world.policy.ids, *last, *voices))),
            self._stores,
            limits,
            [streams],
            keepers,
            place,
            gauge=gauge,
        )
        self.root = await vm.start(Application, parts, name="application", timeout=None)

    async def close(self) -> None:
        """Stop what there is of it."""
        self.thaw()
        if self.vm.alive("application"):
            await self.vm.stop("application", NORMAL, STOP_SECONDS)
        await self._closing.aclose()

    def accept(self, end: End) -> None:
        """A media stream connects."""
        self._ends.add(end)
        connection = cast(Connection, end)
        task = asyncio.get_running_loop().create_task(
            carry(self.vm, connection, TwilioCodec(), self._context)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._ends.discard(end))

    def freeze(self, seconds: float) -> None:
        """Nothing of it runs for so long; what comes waits."""
        if self.is_lost or self.vm.held is not None:
            return
        self.vm.held = []
        if self.carrier is not None:
            self.carrier.frozen = []
        for end in self._ends:
            end.hold()
        asyncio.get_running_loop().call_later(seconds, Planned(self.thaw))

    def thaw(self) -> None:
        """Go on, with what has come meanwhile."""
        held, self.vm.held = self.vm.held, None
        if self.is_lost:
            return
        for process, message in held or ():
            process.arrive(message)
        for end in self._ends:
            end.hold(False)
        if self.carrier is not None:
            self.carrier.thaw()

    def lose(self) -> None:
        """The machine is gone."""
        self.is_lost = True
        self.journals.lose(self._kept)
        self.vm.held = []
        if self.carrier is not None:
            self.carrier.dead = True
        for end in list(self._ends):
            end.transport.abort()
        for pid in self.vm.processes():
            self.vm.exit(pid, KILL)

    def _kept(self, call_id: str) -> int:
        return max(store.last(call_id) for store in self._stores)

    def _context(self, line: Line, start: Start) -> CallContext:
        world = self._world
        world.lines[start.call_sid] = line
        who = world.switchboard.answering(start.custom_parameters)
        return CallContext(
            call_id=start.call_sid,
            line=line,
            agent=who.agent,
            policy=who.policy,
            bedrock=world.asked,  # type: ignore[arg-type]
            deepgram=world.listener,
            toolbox=who.toolbox,
            audio=who.audio,
            answer_seconds=world.settings.turn_deadline_ms / 1000.0,
            opened=self.vm.now(),
            at_seam=SEAM in start.custom_parameters,
            start_tool=partial(TaskSupervisor.async_nolink, self.vm, TOOL_SUPERVISOR),
            caller=caller_of(start.custom_parameters),
            country=country_of(start.custom_parameters),
            edge=edge_of(start.custom_parameters),
            prices=world.prices,
            guardrail=world.guardrail,
            tenant=who.tenant,
            answers=world.answers,
            chat=world.chat_client,
            elevenlabs=world.eleven_client,
        )


def _admission(world: World) -> Admission:
    """Who is counted is counted in the world's Redis, if there is one."""
    if not world.has_redis:
        return Admission()
    loop = asyncio.get_running_loop()
    shared = Requests(world.redis.client)
    return Admission(rate=RateLimit(PER_MINUTE, shared=shared, clock=time.time, timer=loop.time))
