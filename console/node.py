"""What runs inside a node: where all floors are put together.

`node_main` is the main of a node process (`aybiza.actors.node.context`); `Node` is the same without
Thespian, for tests, benchmarks and scripts:

    async with Node(settings) as node:
        print(node.media_url)

Errors: `AgentError`, `ToolsError` and `ValueError` for agents, routes or tools that cannot be
read, or an agent that names tools that do not exist; `TlsError` and `CookieError` for files that
cannot be used; `CatalogueError` and `SelectionError` for models that cannot be chosen;
`OutboundError` for rules of outgoing calls, `QuotasError` and `PricesError` for quotas and prices
that cannot be read; `OSError` for a port that is taken.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date
from functools import partial
from typing import Any, Final, Self

import structlog

from aybiza.actors import names
from aybiza.actors.breaker_trials import BreakerTrials
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.call.phrase_keeper import PhraseKeeper
from aybiza.actors.call.speaker_voice import BREAKERS
from aybiza.actors.call.voice_trials import VoiceTrials
from aybiza.actors.cluster.carrier import Carrier
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.measures import events
from aybiza.actors.measures.costs_keeper import CostsFile, CostsKeeper, restore
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.provider_health import watch
from aybiza.actors.memory.stores import stores, warm
from aybiza.actors.node.context import NodeContext
from aybiza.actors.node.cookie import lines, read_cookie
from aybiza.actors.placement.drain_actor import drained, one_call
from aybiza.actors.placement.placement import Limits, Place
from aybiza.actors.recordings.bucket import bucket
from aybiza.actors.recordings.recordings_actor import RecordingsActor
from aybiza.actors.recordings.shelf import shelf
from aybiza.actors.recordings.uploads_actor import UploadsActor
from aybiza.actors.runtime import NORMAL, VM, CallExit
from aybiza.actors.runtime.collector import Collector, freeze
from aybiza.actors.switchboard import Switchboard
from aybiza.actors.switchboard_actor import SwitchboardActor
from aybiza.claude.chat.client import ChatClient
from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.claude.converse import Guardrail
from aybiza.claude.embedding import embedder_of
from aybiza.claude.ledger import Quotas
from aybiza.config import prices
from aybiza.config.agents import Agent
from aybiza.config.catalogue import load as load_catalogue
from aybiza.config.ports import SHARED, bound
from aybiza.config.routes import DEFAULT, Route, Routes, load_routes
from aybiza.config.settings import Settings, load
from aybiza.console import node_emulators, node_outbound, past_calls, sinks
from aybiza.console.answering import answering, tool_files
from aybiza.console.control import control
from aybiza.console.node_faults import allow
from aybiza.dialogue.toolbox import Toolbox
from aybiza.gateway.admission import stream_token
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.admission.tls import key_open_to_others
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.paths import chosen
from aybiza.gateway.certificate_keeper import NAME as CERTIFICATE_KEEPER
from aybiza.gateway.certificate_keeper import CertificateKeeper, DoorCertificate
from aybiza.gateway.console.actions import Console
from aybiza.gateway.control.controls import controls
from aybiza.gateway.gateway import Doors, gateway
from aybiza.gateway.http import HttpDoor
from aybiza.gateway.media_server import PATH
from aybiza.gateway.media_stream import SEAM, running_for
from aybiza.gateway.origin import caller_of, country_of, edge_of
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.elevenlabs import ElevenLabs
from aybiza.speech.line import Line
from aybiza.supervisors.application import Application, Parts, add_breakers
from aybiza.supervisors.child_spec import ChildSpec, child
from aybiza.supervisors.task_supervisor import TaskSupervisor

STOP_SECONDS = 2.5

log = structlog.get_logger(__name__)


class Node:
    """One node: its VM and the application in it. `vm`, `media_url`, `http_url` and `audio_socket`
    (host:port, empty if there is none) are for use.

    `agent` and `toolbox` take the place of what the settings name; `carrier` joins the node to its
    cluster. `shared`: listening sockets, `media` and `http`, that all nodes of the machine accept
    from; `shared_doors` has their addresses.
    """

    def __init__(
        self,
        settings: Settings,
        agent: Agent | None = None,
        toolbox: Toolbox | None = None,
        carrier: Carrier | None = None,
        shared: Mapping[str, socket.socket] = {},
    ) -> None:
        self._settings = settings
        self._tools = tool_files(settings)
        self._stores = stores(settings)
        self._quotas = Quotas.of(settings)
        self._prices = prices.load(settings.prices_file)
        self._costs = CostsFile(settings.memory_path.with_name(f"costs-{settings.node_name}.json"))
        self._policy = Policy.of(settings, load_catalogue(settings.models_file), today=date.today())
        self._read_routes = partial(load_routes, settings.routes_file, settings.agent)
        own = None if agent is None else Routes(Route(DEFAULT, agent, agent.name))
        self._switchboard = Switchboard(
            own or self._read_routes(),
            lambda route: answering(route, settings, self._policy, self._tools, toolbox),
        )
        self._services = sinks.sinks(settings)
        creation = carrier.card.incarnation if carrier is not None else 0
        self.vm = VM(
            settings.node_name,
            creation=creation,
            mailbox_alarm=settings.mailbox_alarm,
            show_values=settings.log_transcripts,
        )
        self._carrier = carrier
        # A node of one call has no callers but those that are sent to it.
        self._shared = {} if settings.one_call else shared
        self.shared_doors: Mapping[str, str] = {}
        self.cluster: Distribution | None = None
        self.media_url = self.http_url = self.audio_socket = ""
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for name, opening in OPENINGS:
            try:
                await opening(self)
            except BaseException as error:
                error.add_note(f"while a node opened: {name}")
                await self._closing.aclose()
                raise
        return self

    async def _own_stores(self) -> None:
        for store in self._stores:
            self._closing.callback(store.close)

    async def _make_clients(self) -> None:
        settings = self._settings
        self._bedrock = BedrockClient.of(settings)
        self._closing.push_async_callback(self._bedrock.aclose)
        secret = settings.deepgram_api_key
        self._answers = self._known_answers() if settings.edge_cache_enabled else None
        if self._answers is not None:
            self._closing.push_async_callback(self._answers.aclose)
        self._chat = self._chat_client()
        self._elevenlabs = self._further_voices()
        self._deepgram = Deepgram(
            url=settings.deepgram_url, api_key=secret.get_secret_value() if secret else ""
        )

    def _chat_client(self) -> ChatClient | None:
        settings = self._settings
        if settings.openai_api_key is None:
            return None
        client = ChatClient(
            settings.openai_base_url,
            settings.openai_api_key.get_secret_value(),
            pool_size=settings.bedrock_pool_size,
        )
        self._closing.push_async_callback(client.aclose)
        return client

    def _further_voices(self) -> ElevenLabs | None:
        settings = self._settings
        if settings.elevenlabs_api_key is None:
            return None
        secret = settings.elevenlabs_api_key.get_secret_value()
        # A call has one sentence under way, and may have given up another.
        size = 2 * settings.max_calls
        client = ElevenLabs(settings.elevenlabs_url, secret, pool_size=size)
        self._closing.push_async_callback(client.aclose)
        return client

    def _known_answers(self) -> KnownAnswers:
        url = self._settings.redis_url
        return KnownAnswers(
            redis_url=None if url is None else str(url),
            embedder=embedder_of(self._settings.embeddings, self._bedrock),
        )

    async def _bind_ports(self) -> None:
        settings = self._settings
        self._sockets = [
            self._bound(settings.media_port, "AYBIZA_MEDIA_PORT"),
            self._bound(settings.http_port, "AYBIZA_HTTP_PORT"),
        ]
        port = settings.audio_socket_port
        self._asterisk = None if port is None else self._bound(port, "AYBIZA_AUDIOSOCKET_PORT")

    async def _guard_doors(self) -> None:
        self._certificate = DoorCertificate.of(self._settings)
        self._admission = _admission(self._settings, self.vm, self._certificate)
        self._closing.push_async_callback(self._admission.aclose)
        s = "s" if self._admission.tls else ""
        media, http = map(_address, self._sockets)
        self.media_url = f"ws{s}://{media}{PATH}"
        self.http_url = f"http{s}://{http}"
        urls = {"media": f"ws{s}://{{}}{PATH}", "http": f"http{s}://{{}}"}
        self.shared_doors = {
            name: urls[name].format(_address(each)) for name, each in self._shared.items()
        }
        self.audio_socket = _address(self._asterisk) if self._asterisk is not None else ""

    async def _find_controls(self) -> None:
        self._controls = await asyncio.to_thread(controls, self._settings)
        for each in self._controls.values():
            self._closing.push_async_callback(each.aclose)

    async def _prepare_outbound(self) -> None:
        base = self._settings.public_http_url or self.http_url
        given = (self._settings, self._switchboard, self._admission, base)
        self._outbound = await node_outbound.prepared(self.vm, self._closing, *given)

    async def _warm_models(self) -> None:
        regions = (*self._policy.regions, self._settings.aws_fallback_region)
        await self._bedrock.warm(*dict.fromkeys(regions))
        if self._chat is not None:
            await self._chat.warm()

    async def _warm_tools(self) -> None:
        self._closing.push_async_callback(self._tools.aclose)
        await self._tools.warm()

    async def _warm_sinks(self) -> None:
        self._closing.push_async_callback(asyncio.to_thread, sinks.close, self._services)
        for service in self._services:
            if hasattr(service, "warm"):
                await asyncio.to_thread(service.warm)

    async def _warm_speech(self) -> None:
        await self._deepgram.warm()
        if self._elevenlabs is not None:
            await self._elevenlabs.warm()

    async def _warm_stores(self) -> None:
        await warm(self._stores, None if self._settings.one_call else time.time())

    async def _run_vm(self) -> None:
        await self._closing.enter_async_context(self.vm)
        node_emulators.keep(self.vm, self._settings)
        past_calls.keep(self.vm, self._settings)
        allow(self.vm, self._settings)

    async def _join(self) -> None:
        if self._carrier is not None:
            distribution = Distribution(self.vm, self._carrier)
            self.cluster = await self._closing.enter_async_context(distribution)
            await self.cluster.join()

    async def _open_doors(self) -> None:
        media, http = self._sockets
        door = self._door()
        doors = Doors(
            media, http, self._context, door, self._asterisk, self._controls, self._shared
        )
        await self._start(doors)

    def _bound(self, port: int, setting: str) -> socket.socket:
        return self._closing.enter_context(bound(self._settings.bind, port, setting))

    async def _start(self, doors: Doors) -> None:
        settings = self._settings
        watch(self.vm, settings.lost_after_failures, settings.lost_within_seconds)
        self._closing.callback(self._costs.let_go)
        await asyncio.to_thread(self._costs.take)
        await restore(self.vm, self._quotas, self._costs)
        keepers = [child(CostsKeeper, self._costs, name="costs_keeper")]
        keepers += sinks.children(self._services, settings)
        if settings.redis_url is not None:
            # redis-py takes 6 MB.
            from aybiza.actors.measures.costs_sharer import CostsSharer

            keepers.append(child(CostsSharer, settings.redis_url, name="costs_sharer"))
        if self._certificate is not None:
            keepers.append(child(CertificateKeeper, self._certificate, name=CERTIFICATE_KEEPER))
        if settings.recordings is not None:
            keepers.append(child(RecordingsActor, shelf(settings), name=names.RECORDINGS))
            to = bucket(settings)
            if to is not None:
                keepers.append(child(UploadsActor, shelf(settings), to, name=names.UPLOADS))
        limits = Limits(settings.max_calls, settings.max_loop_lag_ms, settings.max_memory_mb)
        place = self._place()
        keepers.append(child(BreakerTrials, self._bedrock, self._chat, name=names.BREAKER_TRIALS))
        last = [who.policy.last.id for who in self._switchboard if who.policy.last is not None]
        voices = BREAKERS.values() if self._elevenlabs is not None else ()
        if self._elevenlabs is not None:
            trials = child(VoiceTrials, self._deepgram, self._elevenlabs, name=names.VOICE_TRIALS)
            keepers.append(trials)
        parts = Parts(
            tuple(dict.fromkeys((*self._policy.ids, *last, *voices))),
            self._stores,
            limits,
            [gateway(doors), *node_outbound.children(self.vm, self._outbound)],
            keepers,
            place,
            self._phrases() if settings.keep_phrases else None,
            switchboard=self._switchboard_actor(),
        )
        self.root = await self.vm.start(Application, parts, name="application", timeout=None)

    def _phrases(self) -> ChildSpec:
        folder = self._settings.memory_path.with_name("phrases")
        board = self._switchboard

        def agents() -> list[Agent]:
            return [who.agent for who in board]

        return child(
            PhraseKeeper, agents, self._deepgram, folder, self._elevenlabs, name=names.PHRASES
        )

    def _switchboard_actor(self) -> ChildSpec | None:
        if not self._switchboard.routes.files:
            return None
        given = (self._switchboard, self._read_routes, partial(add_breakers, self.vm))
        return child(SwitchboardActor, *given, name=names.SWITCHBOARD)

    def _place(self) -> Place:
        settings, carrier = self._settings, self._carrier
        machine = carrier.card.machine if carrier is not None else ""
        # A node without a keeper has no others to lend.
        isolated = settings.isolation == "process" and carrier is not None
        # Its own doors, also where callers come by those of the whole machine.
        public, media = settings.public_http_url, settings.public_media_url
        urls = (public or self.http_url, f"{media}{PATH}" if media else self.media_url)
        return Place(*urls, machine, settings.one_call, isolated)

    def _door(self) -> HttpDoor:
        settings = self._settings
        media = settings.public_media_url
        own = {"media": self.media_url, "http": self.http_url, **self.shared_doors}
        return HttpDoor(
            self.vm,
            media_url=f"{media}{PATH}" if media else own["media"],
            public_url=settings.public_http_url or own["http"],
            switchboard=self._switchboard,
            admission=self._admission,
            carriers=chosen(settings.carriers),
            stream_codec=settings.stream_codec,
            console=Console(control, settings.allow_faults),
        )

    def _context(self, line: Line, start: Start) -> CallContext:
        settings = self._settings
        who = self._switchboard.answering(start.custom_parameters)
        return CallContext(
            call_id=start.call_sid,
            line=line,
            agent=who.agent,
            policy=who.policy,
            bedrock=self._bedrock,
            deepgram=self._deepgram,
            toolbox=who.toolbox,
            audio=who.audio,
            answer_seconds=settings.turn_deadline_ms / 1000.0,
            model_rounds=settings.model_rounds,
            opened=self.vm.now() - running_for(start, time.time()),
            at_seam=SEAM in start.custom_parameters,
            start_tool=partial(TaskSupervisor.async_nolink, self.vm, names.TOOL_SUPERVISOR),
            caller=caller_of(start.custom_parameters),
            country=country_of(start.custom_parameters),
            edge=edge_of(start.custom_parameters),
            prices=self._prices,
            log_transcripts=settings.log_transcripts,
            answers=self._answers,
            guardrail=Guardrail.of(settings.guardrail),
            tenant=who.tenant,
            retention_days=settings.retention_days,
            chat=self._chat,
            elevenlabs=self._elevenlabs,
        )

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.vm.stop(self.root or "application", NORMAL, STOP_SECONDS)
        except CallExit as failure:
            log.warning("application_not_stopped_in_order", reason=str(failure.reason))
        await self._closing.aclose()


OPENINGS: Final[Sequence[tuple[str, Callable[[Node], Awaitable[None]]]]] = (
    ("stores", Node._own_stores),
    ("clients", Node._make_clients),
    ("ports", Node._bind_ports),
    ("admission", Node._guard_doors),
    ("controls", Node._find_controls),
    ("outbound", Node._prepare_outbound),
    ("models", Node._warm_models),
    ("tools", Node._warm_tools),
    ("sinks", Node._warm_sinks),
    ("speech", Node._warm_speech),
    ("memory", Node._warm_stores),
    ("vm", Node._run_vm),
    ("cluster", Node._join),
    ("application", Node._open_doors),
)
"""What a node opens, in this order; when one fails, what was opened before is closed backwards. All
that can be refused comes before the first process."""


async def node_main(context: NodeContext) -> None:
    """Run a node until it is told to stop, or until its application gives up."""
    settings = load(context.settings)
    try:
        # Done before the node opens and again when it is up, because the first time is the long
        # one, and no loop with calls waits then.
        freeze()
        await _serve(settings, context)
    finally:
        gc.unfreeze()


async def _serve(settings: Settings, context: NodeContext) -> None:
    shared = {name: socket.socket(fileno=each) for name, each in context.shared.items()}
    async with Node(settings, carrier=context.carrier, shared=shared) as node:
        vm = node.vm
        collector = Collector(lambda: _nobody_calls(vm))
        collector.start(vm.loop)
        context.serve(lambda request: control(vm, request))
        doors = {"media": node.media_url, "http": node.http_url, "audio_socket": node.audio_socket}
        doors |= {f"{SHARED}{name}": address for name, address in node.shared_doors.items()}
        open_doors = {name: address for name, address in doors.items() if address}
        context.ready({**open_doors, "node": settings.node_name})
        root = node.root
        assert root is not None
        lost = node.cluster.lost if node.cluster is not None else vm.loop.create_future()
        stop = asyncio.ensure_future(context.stop.wait())
        gone = asyncio.ensure_future(vm.join(root, None))
        done = asyncio.ensure_future(one_call(vm) if settings.one_call else asyncio.Event().wait())
        try:
            # Bounded by the life of the node: one of the four ends it.
            ends = (stop, gone, lost, done)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            collector.stop()
            for end in (stop, gone, done):
                end.cancel()
        if lost.done():
            lost.result()
        if context.stop.is_set() and not context.at_once:
            await drained(vm, settings.drain_seconds, context.draining)
        if gone.done() and not gone.cancelled():
            raise RuntimeError("the application has given up; its last words are in the log")


def _nobody_calls(vm: VM) -> bool:
    """Whether no call would notice that the loop waits."""
    supervisor = vm.find(names.CALL_SUPERVISOR)
    # It is linked to its own supervisor, and to a session for each call.
    return supervisor is not None and len(supervisor.links or ()) <= 1


def _admission(settings: Settings, vm: VM, certificate: DoorCertificate | None) -> Admission:
    """The doors' defence. Reads files; warns of doors that are open to anybody."""

    def refused(door: str, reason: str) -> None:
        emit(vm, events.DOOR_REFUSED, door=door, reason=reason)

    if settings.twilio_auth_token is None and not settings.is_local:
        log.warning(
            "doors_open_to_anybody",
            why="others can reach this node, and nobody can tell Twilio's requests from theirs",
            do="set TWILIO_AUTH_TOKEN",
        )
    if certificate is not None and (open_to_others := key_open_to_others(certificate.key)):
        log.warning("tls_key_open_to_others", do=open_to_others)
    keys = []
    if settings.cookie_file.exists():
        keys = [stream_token.derived_key(each) for each in lines(read_cookie(settings.cookie_file))]
    tls = certificate.context if certificate is not None else None
    return Admission(Rules.of(settings), keys=keys, tls=tls, refusals=Refusals(refused), vm=vm)


def _address(socket: Any) -> str:
    host, port = socket.getsockname()[:2]
    return f"{host}:{port}"
