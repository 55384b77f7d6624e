"""CallActor: the conversation of one call. Turns, history, decisions; no sockets, no audio.

It tells what happens to the turn machine (`aybiza.dialogue.turns`) and carries out what that
orders. An entry stands in the journal before anything that follows it is done, and in the memory's
store before anything is done that the caller or the world can notice: a sentence, the call's end, a
tool. To ask the model is none of these, so the request does not wait for a disk: if the node dies
before the store has the caller's turn, the answer dies with it unheard, and the caller who comes
back is asked again, as one is whose node died a moment earlier.

It takes what has happened from the line's inbox and removes an event only when it has been dealt
with; the answer keeps its own events until they are taken. So a CallActor that crashes anywhere is
followed by one that reads the journal and goes on with the same turn: no turn of the caller is
lost, no sentence is said twice.

It ends with NORMAL when the call is over, which shuts its session down.

Source: specification 000, `handle_user_input`, `process_enhanced_streaming_response`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn

import structlog

from aybiza.actors import names
from aybiza.actors.call import across_lines, call_language
from aybiza.actors.call.answer_actor import BeginAnswer
from aybiza.actors.call.call_analysis import CallAnalysis
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.call_history import CallHistory
from aybiza.actors.call.call_outgoing import CallOutgoing
from aybiza.actors.call.call_recording import CallRecording
from aybiza.actors.call.call_timers import CallTimers
from aybiza.actors.call.eager_answer import EagerAnswer
from aybiza.actors.call.first_answers import Prepare
from aybiza.actors.call.speaker_actor import Finish, Speak, SpeakerUp
from aybiza.actors.call.summary_actor import Summarised
from aybiza.actors.measures import charges, costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.journals import append, begin_anew
from aybiza.actors.memory.memory_actor import Claim, Forget, kept
from aybiza.actors.runtime import NORMAL, CallExit, Continue, Down, GenServer, Pid, Stop, Via
from aybiza.config.catalogue import MICRO
from aybiza.config.hours import is_open
from aybiza.config.redact import masked
from aybiza.dialogue.barge_in import SAYING
from aybiza.dialogue.caller_acts import MASK
from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Phase
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    AskEagerly,
    CallerSaid,
    CancelAnswer,
    CloseAsked,
    Command,
    DigitPressed,
    DropAside,
    DropEager,
    EndCall,
    Event,
    Heard,
    Record,
    Say,
    SayAll,
    SpeakIn,
    Started,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.journal import TRANSFER, AgentSentence, CallerTurn, TurnJudged, decode, encode
from aybiza.dialogue.outbound.outgoing import turns_of
from aybiza.dialogue.prompt import clock_prompt, system_prompt
from aybiza.dialogue.turn_outcome import turn_over
from aybiza.speech.line import Line
from aybiza.speech.playout import Sentence

# Why a call has left the node, beside the reasons of `aybiza.dialogue.journal.Ended`.
HANDED_OVER = "handed_over"

MEMORY_SECONDS = 0.5
ASK_SECONDS = 2.0

log = structlog.get_logger(__name__)


class CallActor(GenServer):
    """See the module. The line wakes it with `"inbox"`, the answer and its timers send events."""

    lets_go = True

    async def init(self, context: CallContext) -> Continue:
        self.call_id = context.call_id
        self._context = context
        costs.reopen(self.vm, self.call_id)
        self._line = context.line
        self._timers = CallTimers(self, context.line)
        self._answers: dict[int, int] = {}
        self._eager = EagerAnswer(self.vm, self.pid, context)
        passed = self.vm.now() - context.opened
        self._began = datetime.fromtimestamp(time.time() - passed).astimezone(context.agent.zone)
        conversation = Conversation()
        self._written = self._event = 0
        for event, body in await self._remembered():
            self._written += 1
            self._event = max(self._event, event)
            if (entry := decode(body)) is not None:
                conversation.apply(entry)
        if not self._line.started:
            conversation.take_up()
        call_language.speak_in(self.vm, context, conversation.language)
        self.machine = turns_of(context.agent, conversation)
        self._recording = CallRecording(self.vm, context, conversation, self._remember)
        self._outgoing = CallOutgoing(self.vm, context, conversation)
        parts = (self.vm, self.pid, context, conversation, self._remember)
        self._history, self._analysis = CallHistory(*parts), CallAnalysis(*parts)
        if not self._line.started:
            self._line.inbox.start_behind(self._event)
        self._line.wake = self._woken
        self._owner = self.vm.monitor(self._line.owner) if self._line.owner else None
        return Continue("take_up")

    @property
    def line(self) -> Line:
        """The call's line, for who looks on."""
        return self._line

    def _woken(self) -> None:
        self.vm.send(self.pid, "inbox")

    def get_state(self) -> Any:
        """For people: where the call stands."""
        turn = self.machine.conversation.turn
        return {
            "call_id": self.call_id,
            "phase": self.machine.phase.value,
            "turn": turn.number if turn else None,
            "written": self._written,
            "caller": masked(self._context.caller),
            "seconds": round(self.vm.now() - self._context.opened),
        }

    async def handle_continue(self, value: Any) -> None:
        limit = self._context.agent.max_duration_s
        if limit is not None:
            passed = self.vm.now() - self._context.opened
            self._timers.start(StartTimer("duration", max(0.0, limit - passed)))
        self._speaker = self.vm.whereis(names.speaker(self.call_id))
        taken_up, self._line.started = self._line.started, True
        self._recording.go_on()
        if taken_up:
            log.info("call_taken_up", **self.get_state())
            turn = self.machine.conversation.turn
            if turn is not None and turn.complete:
                self.vm.cast(names.answer(self.call_id, turn.number), "done")
            await self._resume(self.machine.watch())
            # What has happened comes first: words that were silenced are not begun once more.
            await self._catch_up()
            self._say_aside()
            await self._resume(self.machine.resume())
        else:
            again = bool(self._written) and not self._context.at_seam
            agent = self._context.agent
            closed = not is_open(agent.hours, self._began)
            if agent.first_questions and not (again or closed):
                self.vm.cast(names.FIRST_ANSWERS, Prepare(self._context, self._began))
            await self._tell(Started(again, closed, *self._recording.opening))
            await self._catch_up()

    async def _resume(self, commands: list[Command]) -> None:
        self._timers.resuming = True
        await self._perform(commands)
        self._timers.resuming = False

    async def _catch_up(self) -> None:
        for sentence in sorted(self._line.ledger.heard()):
            await self._tell(Heard(*sentence))
        for sentence in sorted(self._line.ledger.unsaid()):
            await self._tell(Unsaid(*sentence))
        await self._drain()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "inbox":
                await self._drain()
            case AnswerSentence() | ToolsUsed() | CloseAsked() | AnswerFailed():
                await self._tell(message)
            case AnswerFinished(turn):
                await self._tell(message)
                self._forget_answer(turn)
                self.vm.cast(names.answer(self.call_id, turn), "done")
            case Down(ref, _, _) if ref == self._owner:
                # Not the end of the call: the caller may come back on a new line.
                self._timers.leave()
                self._leave("line_lost")
            case Down(ref, _, reason) if ref in self._answers.values():
                turn = next(turn for turn, held in self._answers.items() if held == ref)
                del self._answers[turn]
                await self._tell(AnswerFailed(turn, str(reason)))
            case TimerFired(name):
                ending = self.machine.phase is Phase.CLOSING
                if self._timers.has_come(name, all_out=self._is_all_out(), ending=ending):
                    await self._tell(message)
            case Summarised():
                self._history.summarised(message)
            case TurnJudged():
                self._analysis.judged(message)
            case SpeakerUp(pid):
                self._speaker = pid
                self._say_again()

    # Events

    async def _drain(self) -> None:
        """Deal with what the line has for us, oldest first."""
        inbox = self._line.inbox
        while (posted := inbox.begin()) is not None:
            if posted.number > self._event:
                try:
                    await self._tell(posted.event, posted.number)
                except Exception:
                    if inbox.failed():
                        kind = type(posted.event).__name__
                        log.error("event_set_aside", call_id=self.call_id, event_=kind)
                    raise
            inbox.done()

    async def _tell(self, event: Event, number: int | None = None) -> None:
        event = replace(event, at=event.at or self.vm.now())
        if isinstance(event, CallerSaid):
            self._log("caller_said", event.text)
        if isinstance(event, DigitPressed) and self.machine.is_secret(event):
            # The end key is no part of it, unless nothing was entered before.
            begun = bool(self._line.keys) and not self._line.keys_over
            ends = event.digit == self.machine.policy.keys_end and begun
            if not (ends or self.machine.is_end_of_all(event)):
                self._line.press(number or 0, event.digit)
        self._analysis.heard(event)
        commands = self.machine.handle(event)
        match commands:
            case [StopTalking() as stop, *_]:
                # At once, and told at once: what both have led to is one piece of the journal, in
                # the order in which it happened. A crash may bring silence twice, which is none.
                commands += self.machine.handle(self._stop_talking(stop))
        await self._perform(commands, number)

    def _log(self, event: str, text: str, **fields: Any) -> None:
        """What is said goes into the log only where it is asked for: it is the caller's."""
        shown = {"text": text} if self._context.logs_words else {"characters": len(text)}
        log.info(event, call_id=self.call_id, **fields, **shown)

    async def _perform(self, commands: list[Command], number: int | None = None) -> None:
        entries = [command.entry for command in commands if isinstance(command, Record)]
        if entries:
            self._remember([encode(entry) for entry in entries], number)
        # A caller's wait is counted from now, however long what follows takes, or fails.
        commands = sorted(commands, key=lambda command: type(command) not in _TIMERS)
        if any(type(command) in _NOTICED for command in commands):
            await kept(self.vm, self.call_id)
        for command in commands:
            act = _ACTS.get(type(command))
            if act is not None:
                result = act(self, command)
                if result is not None:
                    await result

    # Memory

    async def _remembered(self) -> list[tuple[int, dict[str, Any]]]:
        about = self._context.about(self._began.timestamp())
        try:
            journal: list[tuple[int, dict[str, Any]]] = await names.call_patiently(
                self.vm, names.MEMORY, Claim(self.call_id, about), MEMORY_SECONDS
            )
        except CallExit as error:
            if self._line.started:
                # There is a journal, and to begin again would be worse than to start again.
                raise
            log.error("memory_unavailable", call_id=self.call_id, reason=str(error.reason))
            return begin_anew(self.vm, self.call_id, about)
        return journal

    def _remember(self, entries: list[dict[str, Any]], number: int | None) -> None:
        if number is not None:
            self._event = number
        append(self.vm, self.call_id, self._written + 1, self._event, entries)
        self._written += len(entries)

    # Commands

    async def _ask(self, ask: Ask) -> None:
        """Attach to the answer of the turn, or have one begun."""
        if self._line.leaving and ask.after_seq == 0:
            # The caller waits for an answer anyway; the next node begins it.
            await kept(self.vm, self.call_id)
            costs.close(self.vm, self.call_id)
            self._leave(HANDED_OVER)
        eager = self._eager.taken()
        if eager is not None and await self._attach(eager, ask.turn):
            self._history.sum_up()
            return
        name = names.answer(self.call_id, ask.turn)
        if await self._attach(name, ask.turn):
            return
        self._history.shorten()
        conversation = self.machine.conversation
        messages = conversation.messages(continuing=ask.after_seq > 0)
        said = conversation.at(ask.turn).caller
        request = self._beginning(ask.turn, ask.after_seq + 1, messages, said)
        try:
            await names.call_patiently(self.vm, names.MODEL_SUPERVISOR, request, ASK_SECONDS)
        except CallExit as error:
            self.vm.send(self.pid, AnswerFailed(ask.turn, str(error)))
            return
        if not await self._attach(name, ask.turn):
            self.vm.send(self.pid, AnswerFailed(ask.turn, "the answer did not begin"))
        self._history.sum_up()

    def _beginning(
        self, turn: int, first_seq: int, messages: list[dict[str, Any]], said: str
    ) -> BeginAnswer:
        # A call that was placed may have none.
        greeting = self.machine.conversation.turns.get(GREETING_TURN)
        greeted = greeting.spoken(1, greeting.last_seq) if greeting is not None else ""
        prompt = system_prompt(self.machine.agent, greeted)
        clock = clock_prompt(self._began, self.vm.now() - self._context.opened)
        told = "\n\n".join(filter(None, (clock, self._analysis.hint(turn, said))))
        unheard = self.machine.conversation.taken_back()
        return BeginAnswer(
            self._context, turn, first_seq, messages, prompt, said, told, unheard=unheard
        )

    async def _ask_eagerly(self, ask: AskEagerly) -> None:
        self._history.shorten()
        messages = self.machine.conversation.messages_if(ask.text)
        await self._eager.begin(self._beginning(ask.turn, 1, messages, ask.text))

    async def _attach(self, name: Via | Pid, turn: int) -> bool:
        pid = name if isinstance(name, Pid) else self.vm.whereis(name)
        if pid is None:
            return False
        ref = self.vm.monitor(pid)
        try:
            await self.vm.call(pid, "attach", timeout=ASK_SECONDS)
        except CallExit:
            self.vm.demonitor(ref)
            return False
        self._forget_answer(turn)
        self._answers[turn] = ref
        return True

    def _forget_answer(self, turn: int) -> None:
        ref = self._answers.pop(turn, None)
        if ref is not None:
            self.vm.demonitor(ref)

    def _cancel_answer(self, cancel: CancelAnswer) -> None:
        self._forget_answer(cancel.turn)
        self.vm.cast(names.answer(self.call_id, cancel.turn), "cancel")

    def _say(self, say: Say) -> None:
        if say.seq > 0:
            self._speak(say.turn, say.seq, say.text)
        elif self._line.say_aside(say.turn, say.text):
            self._say_aside()

    def _speak(self, turn: int, seq: int, text: str) -> None:
        speak = Speak(turn, seq, text, self._line.ledger.generation)
        self._cast_speaker(speak)

    def _cast_speaker(self, request: Any) -> None:
        # To the speaker that has said it is there, not to its name: a new one is to be given all
        # that was not heard before anything that comes later.
        if self._speaker is not None:
            self.vm.cast(self._speaker, request)

    def _say_all(self, command: SayAll) -> None:
        self._cast_speaker(Finish(command.turn))

    def _say_again(self) -> None:
        """A speaker that has just started is given what was not heard; it knows what is out."""
        self._say_aside()
        turn = self.machine.conversation.turn
        if turn is None or self.machine.phase not in SAYING:
            return
        for seq in turn.unheard():
            self._speak(turn.number, seq, turn.sentences[seq])
        if turn.complete:
            self._cast_speaker(Finish(turn.number))

    def _say_aside(self) -> None:
        if self._line.aside is None:
            return
        sentence, text = self._line.aside
        if self._line.ledger.is_heard(sentence):
            self._line.aside = None
        else:
            self._speak(*sentence, text)
            self._say_all(SayAll(sentence.turn))

    def _drop_aside(self, _: DropAside) -> None:
        if self._line.drop_aside(self.vm.now()):
            self._cast_speaker("stop")
            self._say_again()

    def _stop_talking(self, stop: StopTalking) -> TalkStopped:
        cut = self._line.clear(self.vm.now())
        # A filler that was to be heard is silenced, too.
        self._timers.stop(StopTimer("voice"))
        self._cast_speaker("stop")
        stopped = TalkStopped(stop.turn, stop.seq, 0.0)
        if cut is not None and cut.sentence.turn == stop.turn:
            stopped = TalkStopped(stop.turn, cut.sentence.seq, cut.fraction)
        emit(self.vm, events.TURN_INTERRUPTED, call_id=self.call_id, turn=stop.turn)
        log.info("agent_interrupted", call_id=self.call_id, turn=stop.turn, seq=stopped.seq)
        return stopped

    def _is_all_out(self) -> bool:
        """Whether all that there is to say in this turn is with the carrier."""
        turn, is_out = self.machine.conversation.turn, self._line.ledger.is_complete
        if turn is None or not turn.complete:
            return False
        return all(is_out(Sentence(turn.number, seq)) for seq in turn.unheard())

    def _end_call(self, end: EndCall) -> None:
        turns = self.machine.conversation.turns.values()
        spoken = sum(bool(turn.caller) for turn in turns)
        charges.heard(self.vm, self._context)
        micro_usd = costs.close(self.vm, self.call_id)
        seconds = round(self.vm.now() - self._context.opened, 1)
        told = {"turns": spoken, "seconds": seconds}
        cost = micro_usd / MICRO
        log.info("call_ended", call_id=self.call_id, reason=end.reason, cost_usd=cost, **told)
        about = {"call_id": self.call_id, "outcome": end.reason, "micro_usd": micro_usd}
        emit(self.vm, events.CALL_STOP, **told, **about)
        self._analysis.over(end.reason)
        self.vm.cast(names.MEMORY, Forget(self.call_id))
        self._timers.leave(goes_on=end.reason == TRANSFER)
        across_lines.over(self.vm, self.call_id, end.reason)
        self._line.ended = end.reason
        raise Stop(NORMAL)

    def _leave(self, why: str) -> NoReturn:
        """End here; the conversation goes on from its journal."""
        log.info(why, **self.get_state())
        charges.heard(self.vm, self._context)
        self._analysis.over(why)
        self.vm.cast(names.MEMORY, Forget(self.call_id))
        self._line.ended = why
        raise Stop(NORMAL)

    def _recorded(self, record: Record) -> None:
        over = turn_over(self.machine.conversation, record.entry)
        if over is not None:
            turn, outcome = over
            emit(self.vm, events.TURN_ENDED, call_id=self.call_id, turn=turn, outcome=outcome)
        self._recording.entered(record.entry)
        self._outgoing.entered(record.entry)
        self._analysis.entered(record.entry)
        match record.entry:
            case CallerTurn(turn, text) if text:
                self._line.entry_over(text.split().count(MASK))
                emit(self.vm, events.TURN_START, call_id=self.call_id, turn=turn)
                charges.heard(self.vm, self._context, turn)
            case AgentSentence(turn, seq, text):
                self._log("agent_says", text, turn=turn, seq=seq)


# What the caller can notice.
_NOTICED = frozenset({Say, EndCall})
_TIMERS = frozenset({StartTimer, StopTimer})

_ACTS: dict[type[Any], Callable[[CallActor, Any], Awaitable[None] | None]] = {
    Ask: CallActor._ask,
    AskEagerly: CallActor._ask_eagerly,
    DropEager: lambda actor, _: actor._eager.drop(),
    CancelAnswer: CallActor._cancel_answer,
    DropAside: CallActor._drop_aside,
    EndCall: CallActor._end_call,
    Record: CallActor._recorded,
    Say: CallActor._say,
    SayAll: CallActor._say_all,
    SpeakIn: lambda a, to: call_language.speak_in(a.vm, a._context, to.language),
    StartTimer: lambda actor, start: actor._timers.start(start),
    StopTimer: lambda actor, stop: actor._timers.stop(stop),
}
