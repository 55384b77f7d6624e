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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final, Self, TypeVar

from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.recordings.shelf import Shelf
from aybiza.actors.runtime import VM, Process
from aybiza.actors.switchboard import Answering, Switchboard
from aybiza.claude.chat.client import ChatClient
from aybiza.claude.chat.models import chat_profile
from aybiza.claude.choice import Policy
from aybiza.claude.converse import Guardrail
from aybiza.config.agents import Agent
from aybiza.config.catalogue import load as load_catalogue
from aybiza.config.prices import ServicePrices
from aybiza.config.prices import shipped as shipped_prices
from aybiza.config.routes import DEFAULT, Route, Routes
from aybiza.config.settings import Settings, load
from aybiza.dialogue.toolbox import Toolbox
from aybiza.emulators.bedrock import Guardrail as BedrockGuardrail
from aybiza.emulators.bedrock import Pace
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.chat.service import Chat
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.elevenlabs.service import ElevenLabs as ElevenLabsService
from aybiza.emulators.phone import Party
from aybiza.emulators.phone.player import Player
from aybiza.faults import provider_strikes
from aybiza.faults.bedrock import MemoryBedrock
from aybiza.faults.caller import Step, script_of
from aybiza.faults.deepgram import BYTES_PER_CHAR, MemoryDeepgram, MemoryEmulator, Voice
from aybiza.faults.desk import AGENT, Answers, Desk, answering
from aybiza.faults.entries import WatchedJournals
from aybiza.faults.fault import Fault
from aybiza.faults.logs import logs_in
from aybiza.faults.memory_http import MemoryHttp
from aybiza.faults.memory_store import MemoryRedis, MemoryStore
from aybiza.faults.network import Network
from aybiza.faults.pipe import End
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.plan import NODES
from aybiza.faults.telephone import HOST, Telephone
from aybiza.faults.trace import Trace
from aybiza.faults.virtual import ambient
from aybiza.faults.watched import Watcher
from aybiza.faults.world_node import WorldNode
from aybiza.speech.elevenlabs import ElevenLabs
from aybiza.speech.line import Line
from aybiza.speech.prompts import load_prompts

T = TypeVar("T")

# Between two ticks of the node's own housekeeping, so that all its timers run.
SETTLE_SECONDS: Final = 1.05

_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "world",
    "AWS_SECRET_ACCESS_KEY": "world",
    "DEEPGRAM_API_KEY": "world",
    "AYBIZA_NODE_NAME": "world",
    # What is said to one caller is no reason for what another one hears.
    "EDGE_CACHE_ENABLED": "false",
}


_NO_SETTINGS: Final[Mapping[str, str]] = {}


@functools.cache
def _settings(changes: tuple[tuple[str, str], ...]) -> tuple[Settings, Policy, ServicePrices]:
    settings = load({**_ENVIRONMENT, **dict(changes)})
    catalogue = load_catalogue(settings.models_file)
    policy = Policy.of(settings, catalogue, today=date(2026, 1, 5))
    return settings, policy, shipped_prices()


class World:
    """See the module. `idle` is what a node without calls consists of.

    `agent` and `toolbox` are those of the node; with `routes` it has those, and each a front desk
    of its own. `answers` is what the models say, or `responder` decides. `thinks_ms`: until the
    model's first token; `delta_ms`: between its pieces. `frames`: how many of the caller's frames
    of 20 ms travel together. `parties`: who answers at which number. `messages`: note them in the
    trace. `nodes`: how many there are; more than one are a cluster, and their names are those of
    `NODES`. `guardrail`: words that Bedrock blocks. `environment`: settings of the nodes, by their
    environment names. `recordings`: where calls are recorded. `redis`: whether there is one, ahead
    of the memory's file, and for what nodes tell each other: answers, costs, requests.
    """

    def __init__(
        self,
        *,
        agent: Agent = AGENT,
        toolbox: Toolbox | None = None,
        routes: Routes | None = None,
        answers: Answers | None = None,
        responder: Responder | None = None,
        parties: Mapping[str, Party] | None = None,
        seed: int = 0,
        thinks_ms: float = 400.0,
        delta_ms: float = 30.0,
        voice_speed: float = 8.0,
        char_bytes: int = BYTES_PER_CHAR,
        frames: int = 5,
        nodes: int = 1,
        guardrail: Sequence[str] = (),
        environment: Mapping[str, str] = _NO_SETTINGS,
        redis: bool = False,
        recordings: Shelf | None = None,
        messages: bool = False,
        watcher: Watcher | None = None,
    ) -> None:
        self._loop: Any = asyncio.get_running_loop()
        loop = self._loop
        self.trace = Trace(loop.time, messages=messages)
        self.agent = agent
        self.toolbox = toolbox or Desk()
        self.deepgram = MemoryEmulator(self._door, SpeakPace(120.0, voice_speed), char_bytes)
        self.bedrock = Bedrock(
            responder=responder or answering(answers or {}),
            pace=Pace(first_token_ms=thinks_ms, per_delta_ms=delta_ms),
            seed=seed,
            clock=loop.time,
        )
        self.guardrail = _guarded(self.bedrock, guardrail) if guardrail else None
        self.calls: list[PlacedCall] = []
        self.lines: dict[str, Line] = {}
        self.idle: list[str] = []
        self.settings, self.policy, self.prices = _settings(tuple(environment.items()))
        own = Routes(Route(DEFAULT, agent, agent.name))
        self.switchboard = Switchboard(routes or own, self._answering)
        self.asked = MemoryBedrock(self.bedrock, self.settings.aws_region, self._door)
        self.listener = MemoryDeepgram(self.deepgram)
        self.chat = Chat(
            responder=responder or answering(answers or {}),
            pace=Pace(first_token_ms=thinks_ms, per_delta_ms=delta_ms),
        )
        self.chat_line = MemoryHttp(self.chat)
        self.chat_client = ChatClient(api_key="world", transport=self.chat_line)
        self.eleven = ElevenLabsService(Voice(char_bytes), pace=SpeakPace(120.0, voice_speed))
        self.eleven_line = MemoryHttp(self.eleven)
        self.eleven_client = ElevenLabs(api_key="world", transport=self.eleven_line)
        self.network = Network()
        # Those of one machine share the memory's file.
        self.store, self.redis = MemoryStore(), MemoryRedis()
        self.has_redis = redis
        self._stores: list[MemoryStore] = [self.redis, self.store] if redis else [self.store]
        self.answers = self._known_answers()
        self.recordings = recordings
        self.nodes = self._made(nodes, watcher)
        first = self.nodes[0]
        self.vm, self.journals = first.vm, first.journals
        self._frames = frames
        self._parties = parties
        self._logs = logs_in(self.trace)

    def _known_answers(self) -> KnownAnswers | None:
        if self.has_redis:
            return KnownAnswers(client=self.redis.client)
        return KnownAnswers() if self.settings.edge_cache_enabled else None

    def _answering(self, route: Route) -> Answering:
        box = self.toolbox if route.agent is self.agent else Desk()
        who, policy = route.agent, self.policy
        if who.last_model is not None:
            policy = replace(policy, last=chat_profile(who.last_model, self.prices))
        return Answering(who, box, policy, route.tenant, route.name, audio=load_prompts(who))

    def _made(self, number: int, watcher: Watcher | None) -> list[WorldNode]:
        journals = WatchedJournals(self.trace)
        if number == 1:
            return [WorldNode(self, "world", HOST, journals, self._stores, watcher)]
        made: list[WorldNode] = []
        for name in NODES[:number]:
            own = journals if not made else WatchedJournals(self.trace, journals)
            host, carrier = f"{name}.{HOST}", self.network.carrier(name)
            made.append(WorldNode(self, name, host, own, self._stores, watcher, carrier))
        return made

    async def __aenter__(self) -> Self:
        self._logs.__enter__()
        for node in self.nodes:
            await node.open()
        self.root = self.nodes[0].root
        await asyncio.sleep(SETTLE_SECONDS)
        self.idle = self.labels()
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes:
            await node.close()
        await self.deepgram.stop()
        await self.chat_client.aclose()
        await self.eleven_client.aclose()
        self.store.close()
        self._logs.__exit__(None, None, None)

    @asynccontextmanager
    async def call(
        self,
        *steps: Step,
        call_id: str | None = None,
        limit_s: float = 900.0,
        to: str | None = None,
        query: str = "",
        country: str = "",
        from_number: str | None = None,
        player: Player | None = None,
    ) -> AsyncIterator[PlacedCall]:
        """A caller who does `steps` (`aybiza.faults.caller`), or what a `player` decides. `to`: the
        number that is called; `query`: of the webhook's address there, such as `desk=sales`;
        `country` and `from_number`: where from, as the carrier tells it."""
        name = call_id or f"CA{len(self.calls) + 1}"
        phone = Telephone(
            script_of(steps, limit_s),
            self._application,
            self._accept,
            frames=self._frames,
            query=query,
            parties=self._parties,
            to_number=to,
            call_sid=name,
            country=country,
            from_number=from_number,
            player=player,
            on_progress=lambda told: self.trace.note("line", name, f"{told.kind}: {told.text}"),
        )
        async with phone:
            call = PlacedCall(self, phone, name)
            self.calls.append(call)
            async with call:
                yield call

    @property
    def vms(self) -> list[VM]:
        """Those of the nodes that are not lost."""
        return [node.vm for node in self.nodes if not node.is_lost]

    def labels(self) -> list[str]:
        """What all living processes are, in order of their names."""
        processes = [vm.find(pid) for vm in self.vms for pid in vm.processes()]
        return sorted(process.label for process in processes if process)

    def find(self, name: Any) -> Process | None:
        """The process of this name on the first node that has one."""
        found = (vm.find(name) for vm in self.vms)
        return next((process for process in found if process is not None), None)

    def named(self, pattern: str) -> list[WorldNode]:
        """The nodes whose names fit, without those that are lost."""
        return [n for n in self.nodes if fnmatchcase(n.name, pattern) and not n.is_lost]

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

    def _at(self, host: str) -> WorldNode | None:
        """The node at a host's name; if that is lost, or none's, the first that there is."""
        living = [node for node in self.nodes if not node.is_lost]
        return next((node for node in living if node.host == host), living[0] if living else None)

    async def _application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        node = self._at(scope["server"][0])
        if node is None:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"nobody is there"})
        else:
            await node.application(scope, receive, send)

    def _accept(self, end: End) -> None:
        assert end.request is not None
        node = self._at(end.request.headers["host"])
        if node is None:
            end.transport.abort()
        else:
            node.accept(end)


def _guarded(bedrock: Bedrock, words: Sequence[str]) -> Guardrail:
    """Have Bedrock block these words; what a request names for it."""
    bedrock.guardrails.add(BedrockGuardrail("gr-world", "1", tuple(words)))
    return Guardrail("gr-world", "1")


def in_world(main: Callable[[World], Awaitable[T]], *, seed: int = 0, **options: Any) -> T:
    """Run `main` in a new `World(seed=seed, **options)`, in no time, and return its result."""

    async def run() -> T:
        async with World(seed=seed, **options) as world:
            return await main(world)

    with ambient(seed) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run())
