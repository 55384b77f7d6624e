"""A conversation by text: a call without audio on a node of its own, in real time.

    async with TextCall(answering, settings, model) as call:
        print(await call.begun())            the agent's first words, sentence by sentence
        print(await call.say("Hello."))      its answer

The conversation is what it is on a call: the turn machine, the journal, the tools with their
consents, the model's ladder. In place of a recogniser and a voice stands text: what is said to
`say` is a whole turn of the caller's, and a sentence is heard at once. `happened` are the tools
that were used and the models that failed since it was asked for.

Errors: `TimeoutError` where no answer comes within `ANSWER_SECONDS`.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final, Self

from aybiza.actors import names
from aybiza.actors.call.call_actor import CallActor
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.speaker_actor import Speak, SpeakerUp
from aybiza.actors.measures import events
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.names import TOOL_SUPERVISOR
from aybiza.actors.placement.placement import Limits
from aybiza.actors.runtime import NORMAL, VM, GenServer, Process
from aybiza.actors.switchboard import Answering
from aybiza.config.settings import Settings
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import CallerFinished, CallerSaid, Heard, HungUp
from aybiza.speech.line import Line
from aybiza.speech.playout import Sentence
from aybiza.supervisors.application import Application, Parts
from aybiza.supervisors.task_supervisor import TaskSupervisor

CALL_ID: Final = "text"
ANSWER_SECONDS: Final = 120.0
STOP_SECONDS: Final = 2.5
PATIENCE_SECONDS: Final = 600.0
"""Who reads and types takes longer than who speaks."""
_LOOK_SECONDS: Final = 0.005
_SOUND: Final = b"\xff"


class TextSpeaker(GenServer):
    """Stands for the call's speaker: a sentence that is said has been heard."""

    async def init(self, line: Line, told: list[str]) -> None:
        self._line = line
        self._told = told
        self.vm.send(names.call(CALL_ID), SpeakerUp(self.pid))

    async def handle_cast(self, request: Any) -> None:
        if not isinstance(request, Speak) or request.generation != self._line.ledger.generation:
            return
        sentence = Sentence(request.turn, request.seq)
        if sentence in self._line.ledger.heard():
            return
        self._told.append(request.text)
        self._line.play(sentence, _SOUND, self.vm.now())
        self._line.finish(sentence)


class TextLine:
    """What goes to the caller, of which only the marks matter here: they come back at once."""

    def __init__(self) -> None:
        self.line: Line | None = None

    def media(self, mulaw: bytes) -> None:
        """Nobody listens."""

    def mark(self, name: str) -> None:
        """It is played."""
        assert self.line is not None
        sentence = self.line.ledger.marked(name)
        if sentence is not None:
            self.line.post(Heard(*sentence))

    def clear(self) -> None:
        """Nothing waits."""


class TextCall:
    """See the module. `model` asks the models, as `BedrockClient` does."""

    def __init__(self, answering: Answering, settings: Settings, model: Any) -> None:
        patient = {"silence_timeout_s": PATIENCE_SECONDS, "silence_again_s": PATIENCE_SECONDS}
        self._agent = answering.agent.model_copy(update=patient)
        self._answering = answering
        self._settings = settings
        self._model = model
        self._said: list[str] = []
        self._happened: list[str] = []
        self._closing = AsyncExitStack()
        self.ended: str | None = None
        """Why the call is over."""

    async def __aenter__(self) -> Self:
        sink = TextLine()
        self._line = line = Line(CALL_ID, sink)
        sink.line = line
        store = SqliteStore(":memory:")
        self._closing.callback(store.close)
        self.vm = await self._closing.enter_async_context(VM("text"))
        told = [events.TOOL_STOP, events.PROVIDER_ERROR]
        self.vm.telemetry.attach_many("text_call", told, self._note)
        who = self._answering
        parts = Parts(who.policy.ids, [store], Limits(1, 10**9, 10**9))
        await self.vm.start(Application, parts, name="application", timeout=None)
        context = CallContext(
            call_id=CALL_ID,
            line=line,
            agent=self._agent,
            policy=who.policy,
            bedrock=self._model,
            deepgram=None,  # type: ignore[arg-type]
            toolbox=who.toolbox,
            answer_seconds=self._settings.turn_deadline_ms / 1000.0,
            model_rounds=self._settings.model_rounds,
            opened=self.vm.now(),
            start_tool=partial(TaskSupervisor.async_nolink, self.vm, TOOL_SUPERVISOR),
            tenant=who.tenant,
        )
        await self.vm.start(TextSpeaker, line, self._said, name=names.speaker(CALL_ID))
        self._call = names.call(CALL_ID)
        await self.vm.start(CallActor, context, name=self._call)
        return self

    async def __aexit__(self, *_: object) -> None:
        pid = self.vm.whereis(self._call)
        if pid is not None:
            self._line.post(HungUp())
            await self.vm.join(pid, STOP_SECONDS)
        await self.vm.stop("application", NORMAL, STOP_SECONDS)
        await self._closing.aclose()

    async def begun(self) -> list[str]:
        """The first words, once they are said."""
        return await self._settled()

    async def say(self, text: str) -> list[str]:
        """A turn of the caller's; the answer's sentences, once they are said."""
        self._line.post(CallerSaid(text))
        self._line.post(CallerFinished())
        return await self._settled()

    @property
    def happened(self) -> list[str]:
        """See the module."""
        happened, self._happened = self._happened, []
        return happened

    def _note(self, event: Any, figures: Any, about: Any, config: Any) -> None:
        if event == events.TOOL_STOP:
            self._happened.append(f"{about['tool']}: {about.get('outcome', 'ok')}")
        else:
            self._happened.append(f"{about['model']} failed: {about['kind']}")

    async def _settled(self) -> list[str]:
        """Wait until it is the caller's turn, or the call is over."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while not self._is_callers_turn():  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(_LOOK_SECONDS)
        said, self._said[:] = list(self._said), []
        self.ended = self._line.ended
        return said

    def _is_callers_turn(self) -> bool:
        if self._line.ended is not None:
            return True
        process: Process | None = self.vm.find(self._call)
        machine = getattr(process.server, "machine", None) if process is not None else None
        if machine is None or len(self._line.inbox):
            return False
        turn = machine.conversation.turn
        done = turn is not None and turn.complete and not turn.unheard()
        return bool(done and machine.phase is Phase.LISTENING and not machine.conversation.segments)
