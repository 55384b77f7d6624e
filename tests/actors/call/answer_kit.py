"""Answers without a telephone: AnswerActors on a VM of their own, over the Bedrock emulator.

async with stage(answers={"Hello.": ["Hi there."]}) as place:
    told = await place.answer("Hello.")
    assert told.said == ["Hi there."]
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from aybiza.actors import names
from aybiza.actors.call.answer_actor import BeginAnswer
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.circuit_breaker_actor import CircuitBreakerActor
from aybiza.actors.measures.metrics_actor import MetricsActor
from aybiza.actors.memory.memory_actor import MemoryActor
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM, CallExit, Down, GenServer, Pid
from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.claude.models import profile_of
from aybiza.config.agents import Agent
from aybiza.config.catalogue import shipped
from aybiza.dialogue.events import AnswerFinished, AnswerSentence, Event
from aybiza.dialogue.toolbox import Toolbox
from aybiza.emulators.bedrock import BedrockEmulator, Pace, Reply
from aybiza.emulators.bedrock.continuation import Body
from aybiza.emulators.bedrock.journal import Record
from aybiza.faults.desk import Answers, answering
from aybiza.speech.line import Line
from aybiza.supervisors.model_supervisor import ModelSupervisor
from aybiza.supervisors.task_supervisor import TaskSupervisor
from tests.call.kit import AGENT, Desk

LIMIT = 60.0
HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-6"
HOME, AWAY = "us-east-1", "us-west-2"
NEVER = 10**9
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass
class Told:
    """What came of an answer: its events, and the reason with which its process ended, if it did
    before it was complete."""

    call_id: str
    events: list[Event] = field(default_factory=list)
    ended: Any = None

    @property
    def said(self) -> list[str]:
        """The sentences, in order; that they are numbered without gap is checked."""
        sentences = [event for event in self.events if isinstance(event, AnswerSentence)]
        assert [s.seq for s in sentences] == [*range(1, len(sentences) + 1)]
        return [sentence.text for sentence in sentences]

    @property
    def stop_reason(self) -> str | None:
        """Why the answer was over; None if it was not."""
        last = self.events[-1] if self.events else None
        return last.stop_reason if isinstance(last, AnswerFinished) else None

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


class Listener(GenServer):
    """Stands for the CallActor: attaches to an answer and keeps what it is told, until it is
    over."""

    async def init(self, answer: Pid | None, told: Told, over: asyncio.Event) -> None:
        self.told, self.over = told, over
        self.answer = answer
        if answer is not None:
            self.vm.monitor(answer)
            with suppress(CallExit):
                await self.vm.call(answer, "attach")

    async def handle_info(self, message: Any) -> None:
        if isinstance(message, Down):
            if not self.over.is_set():
                self.told.ended = message.reason
                self.over.set()
            return
        self.told.events.append(message)
        if isinstance(message, AnswerFinished) and self.answer is not None:
            self.vm.cast(self.answer, "done")
            self.over.set()


class Stage:
    """See the module."""

    def __init__(self, vm: VM, bedrock: BedrockEmulator, context: CallContext, desk: Desk) -> None:
        self.vm = vm
        self.bedrock = bedrock
        self.context = context
        self.desk = desk
        self._calls = itertools.count(1)

    async def begin(
        self, said: str, *, call_id: str = "", turn: int = 1, asked: str = "", **changes: Any
    ) -> tuple[Told, Pid, asyncio.Event]:
        """An answer that has begun: what it tells, its process, and when it is over. `asked`: what
        the caller has heard of the agent before."""
        call_id = call_id or f"CA{next(self._calls)}"
        context = replace(self.context, call_id=call_id, **changes)
        before = [("user", "Hello."), ("assistant", asked)] if asked else []
        messages = [{"role": r, "content": [{"text": t}]} for r, t in [*before, ("user", said)]]
        begin = BeginAnswer(context, turn, 1, messages, "Be brief.", said)
        await self.vm.call(names.MODEL_SUPERVISOR, begin)
        answer = self.vm.whereis(names.answer(call_id, turn))
        assert answer is not None
        told, over = Told(call_id), asyncio.Event()
        if self.vm.whereis(names.call(call_id)) is not None:
            await self.vm.stop(names.call(call_id))
        await self.vm.start(Listener, answer, told, over, name=names.call(call_id))
        return told, answer, over

    async def listen(self, call_id: str) -> Told:
        """What a CallActor is told that has just been restarted."""
        told = Told(call_id)
        await self.vm.start(Listener, None, told, asyncio.Event(), name=names.call(call_id))
        return told

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(LIMIT):
            while not condition():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.002)

    async def answer(self, said: str, **how: Any) -> Told:
        """An answer, from its beginning to its end."""
        told, _, over = await self.begin(said, **how)
        async with asyncio.timeout(LIMIT):
            await over.wait()
        return told

    async def free(self) -> None:
        """Return when no thread has a stream any more."""
        async with asyncio.timeout(LIMIT):
            while self.context.bedrock.statistics().busy:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.002)

    def requests(self, told: Told) -> list[Record]:
        """What was asked of the model for an answer, oldest first."""
        return [r for r in self.bedrock.journal.records if told.call_id in r.call.values()]

    def conversation(self, told: Told, index: int = -1) -> list[tuple[str, str]]:
        """What the model was told, by default at the last request: ("user" | "assistant" | "uses" |
        "result", words)."""
        body = self.requests(told)[index].body
        assert body is not None
        lines: list[tuple[str, str]] = []
        for message in body["messages"]:
            for block in message["content"]:
                if "text" in block:
                    lines.append((message["role"], block["text"]))
                elif "toolUse" in block:
                    lines.append(("uses", block["toolUse"]["name"]))
                else:
                    lines.append(("result", str(block["toolResult"]["content"][0]["json"])))
        return lines

    def models(self, told: Told) -> list[str]:
        """Which models were asked for it."""
        return [record.model_id for record in self.requests(told)]


@asynccontextmanager
async def stage(
    answers: Answers | None = None,
    *,
    models: Sequence[str] = (HAIKU, SONNET),
    fallback_region: str | None = AWAY,
    seconds: float = 20.0,
    pool_size: int = 64,
    failures: int = NEVER,
    toolbox: Toolbox | None = None,
    pace: Pace | None = None,
    cache: KnownAnswers | None = None,
    agent: Agent = AGENT,
    store: SqliteStore | None = None,
    responder: Callable[[Body], Reply] | None = None,
    **context: Any,
) -> AsyncIterator[Stage]:
    """A stage whose model gives `answers`, or what `responder` makes of a request; breakers open
    after so many `failures`."""
    desk = Desk()
    async with (
        BedrockEmulator(
            responder=responder or answering(answers or {}), pace=pace or Pace(), seed=1
        ) as bedrock,
        BedrockClient(
            region=HOME, endpoint_url=bedrock.url, pool_size=pool_size, credentials=KEYS
        ) as client,
        VM("test") as vm,
    ):
        await client.warm()
        await vm.start(RegistryActor)
        await vm.start(MetricsActor, name=names.METRICS)
        await vm.start(MemoryActor, store or SqliteStore(":memory:"), name=names.MEMORY)
        for model in models:
            breaker = names.breaker(model)
            await vm.start(CircuitBreakerActor, model, name=breaker, failure_threshold=failures)
        await vm.start(ModelSupervisor, name=names.MODEL_SUPERVISOR)
        await vm.start(TaskSupervisor, name=names.TOOL_SUPERVISOR)
        made = CallContext(
            call_id="",
            line=Line("CA1", cast(Any, None)),
            agent=agent,
            policy=Policy(
                models=tuple(map(profile_of, models)),
                catalogue=shipped(),
                region=HOME,
                fallback_region=fallback_region,
            ),
            bedrock=client,
            deepgram=cast(Any, None),
            toolbox=toolbox or desk,
            answer_seconds=seconds,
            opened=0.0,
            start_tool=partial(TaskSupervisor.async_nolink, vm, names.TOOL_SUPERVISOR),
            answers=cache,
            **context,
        )
        yield Stage(vm, bedrock, made, desk)
