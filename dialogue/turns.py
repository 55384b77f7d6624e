"""Turn-taking: who speaks, who listens, what is answered. A pure state machine.

`TurnMachine.handle(event)` gives the commands to carry out, in order. The machine holds no clock
and does no I/O. Its state is the conversation, the fold of the journal: the phase is read off it,
so `TurnMachine(agent, conversation)` and `resume()` take a call up wherever its journal ends.

All transitions stand in `_TRANSITIONS`; an event that has no row in a phase changes nothing.

    LISTENING    the caller's turn; `endpoint` runs when the caller was heard, else `silence`
    THINKING     an answer is asked, and what there is of it has been heard
    SPEAKING     the caller has not yet heard all that there is to say
    INTERRUPTED  the caller broke in; without words before `endpoint` it was noise
    ENDED        nothing happens any more
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from aybiza.config.agents import Agent
from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Phase, Turn
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    Command,
    DigitPressed,
    EndCall,
    Event,
    Heard,
    HungUp,
    LineFailed,
    Record,
    Say,
    SayAll,
    SpeechTroubled,
    Started,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
)
from aybiza.dialogue.journal import (
    FAULT,
    TRANSFER,
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    Interrupted,
    Resumed,
    SentenceHeard,
    ToolExchange,
    Transferring,
)
from aybiza.dialogue.transfer import words_after

# Without a sign of the caller for so long, words are a turn and a sound without words was noise.
# The recogniser's own end of turn comes earlier, unless it was lost with its socket.
ENDPOINT_SECONDS = 2.0
DEFAULT_SILENCE_SECONDS = 30.0
SILENCE_PROMPTS = 1
ANSWER_ATTEMPTS = 2
# The last words of a call have been heard by then, or never will be.
CLOSING_SECONDS = 30.0
# The same, on a line that has failed.
LAST_WORDS_SECONDS = 5.0


class TurnMachine:
    """See the module. `conversation` is for reading."""

    def __init__(self, agent: Agent, conversation: Conversation | None = None) -> None:
        self.agent = agent
        self.conversation = conversation or Conversation()
        self._commands: list[Command] = []
        # Two things that a crash may lose: how often the answer failed, what the caller is at.
        self._failures = 0
        waiting = bool(self.conversation.segments)
        self._giving: Literal["words", "digits"] | None = "words" if waiting else None

    @property
    def phase(self) -> Phase:
        """What the call is doing; see the module."""
        return self.conversation.phase

    def handle(self, event: Event) -> list[Command]:
        """What to do now that `event` has happened."""
        trigger = event.name if isinstance(event, TimerFired) else type(event)
        row = _TRANSITIONS.get((trigger, self.phase))
        return self._collect(row.act, event) if row else []

    def resume(self) -> list[Command]:
        """What to do to go on from the journal, for a restarted actor on a line that holds."""
        return self._collect(TurnMachine._start, Started())

    def _collect(self, act: Callable[[TurnMachine, Any], None], event: Any) -> list[Command]:
        self._commands = []
        act(self, event)
        return self._commands

    def _do(self, *commands: Command) -> None:
        self._commands.extend(commands)

    def _record(self, entry: Entry) -> None:
        self.conversation.apply(entry)
        self._commands.append(Record(entry))

    @property
    def _turn(self) -> Turn:
        return self.conversation.turn or _NO_TURN

    # The line

    def _start(self, event: Started) -> None:
        conversation, turn = self.conversation, self.conversation.turn
        again, bridge = event.again, self.agent.bridge
        if conversation.ended is not None:
            self._do(EndCall(conversation.ended))
        elif turn is None:
            self._agent_turn(GREETING_TURN, self.agent.greeting)
        elif conversation.returned is not None:
            self._agent_turn(turn.number + 1, words_after(self.agent, conversation.returned))
        elif conversation.closing is not None:
            self._do(StartTimer("duration", CLOSING_SECONDS))
            self._go_on()
        elif again and self.phase is Phase.LISTENING and not conversation.segments:
            # What the caller said into the gap is lost.
            self._agent_turn(turn.number + 1, f"{bridge} {self.agent.ask_again}")
        else:
            if again:
                # Number 0 is in no history: this is about the line, not about the matter.
                self._do(Say(turn.number, 0, bridge), SayAll(turn.number))
            self._go_on()

    def _go_on(self) -> None:
        turn = self._turn
        match self.phase:
            case Phase.LISTENING:
                self._listen()
            case Phase.INTERRUPTED:
                self._cancel_answer()
                self._await_caller()
            case _:
                for seq in turn.unheard():
                    self._do(Say(turn.number, seq, turn.sentences[seq]))
                said = SayAll(turn.number) if turn.complete else Ask(turn.number, turn.last_seq)
                self._do(said)
                if self._giving:
                    self._await_caller()

    def _listen(self) -> None:
        if self.conversation.closing is not None:
            self._end(self.conversation.closing)
        elif self._giving:
            self._await_caller()
        elif self.conversation.segments:
            self._take_turn()
        else:
            seconds = self.agent.silence_timeout_s or DEFAULT_SILENCE_SECONDS
            self._do(StartTimer("silence", seconds))

    def _hung_up(self, _: HungUp) -> None:
        self._end("hangup")

    def _troubled(self, _: SpeechTroubled) -> None:
        # Number 0 is in no history: this is about the line, not about the matter.
        self._do(Say(self._turn.number, 0, self.agent.filler), SayAll(self._turn.number))

    def _line_failed(self, _: LineFailed) -> None:
        """Say goodbye; who fails at that, too, is let go."""
        if self.conversation.closing is not None:
            self._end(self.conversation.closing)
        else:
            self._say_goodbye(FAULT, LAST_WORDS_SECONDS)

    def _close(self, reason: str, seconds: float = CLOSING_SECONDS, to: str = "") -> None:
        self._record(Closing(reason, to))
        self._do(StartTimer("duration", seconds))

    def _say_goodbye(self, reason: str, seconds: float = CLOSING_SECONDS) -> None:
        """End the call behind the agent's last words, whatever is going on."""
        turn = self._turn
        if self.phase is Phase.SPEAKING:
            self._silence_agent()
        if not turn.complete:
            self._cancel_answer()
            self._record(AnswerComplete(turn.number, "cancelled"))
        self._close(reason, seconds)
        self._agent_turn(turn.number + 1, self.agent.closing)

    def _end(self, reason: str) -> None:
        self._cancel_answer()
        if reason == TRANSFER:
            self._record(Transferring(self.conversation.closing_to))
        self._record(Ended(reason))
        self._do(EndCall(reason))

    def _agent_turn(self, number: int, text: str) -> None:
        """The agent begins a turn by itself and says one thing."""
        if number != GREETING_TURN:
            self._record(CallerTurn(number, ""))
        self._record(AgentSentence(number, 1, text))
        self._record(AnswerComplete(number, "end_turn"))
        self._do(Say(number, 1, text), SayAll(number))

    # The caller

    def _onset(self, _: CallerSpeaking) -> None:
        # A second sound in the same turn must have words to it: a noisy line is no caller.
        self._break_in(self.agent.barge_in and not self._turn.resumed)
        self._await_caller()

    def _interim(self, event: CallerInterim) -> None:
        if event.text:
            self._giving = "words"
            self._break_in(self.agent.barge_in)
            self._await_caller()

    def _said(self, event: CallerSaid) -> None:
        if event.text:
            self._record(CallerSegment(event.text))
            self._interim(CallerInterim(event.text))

    def _pressed(self, event: DigitPressed) -> None:
        self._record(CallerSegment(event.digit))
        self._giving = "digits"
        self._break_in(True)
        self._await_caller()

    def _break_in(self, allowed: bool) -> None:
        if allowed and self.phase in _ANSWERING and self.conversation.closing is None:
            self._silence_agent()

    def _silence_agent(self) -> None:
        turn = self._turn
        self._do(StopTalking(turn.number, min(turn.unheard(), default=turn.last_seq + 1)))

    def _talk_stopped(self, event: TalkStopped) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or turn.cut is not None:
            return
        for seq in turn.unheard():
            if seq < event.seq or (seq == event.seq and event.fraction >= 1.0):
                self._record(SentenceHeard(turn.number, seq))
        self._record(Interrupted(turn.number, event.seq, event.fraction))
        if turn is self._turn:
            self._cancel_answer()
            self._await_caller()

    def _await_caller(self) -> None:
        self._do(StopTimer("silence"), StartTimer("endpoint", ENDPOINT_SECONDS))

    def _finished(self, _: CallerFinished) -> None:
        if self._giving == "digits":
            # The recogniser hears no end of these; the next may take the caller a while.
            return
        self._giving = None
        if self.conversation.segments:
            self._take_turn()

    def _done_while_answering(self, _: Any) -> None:
        self._giving = None

    def _quiet(self, _: TimerFired) -> None:
        self._giving = None
        self._listen()

    def _quiet_after_break_in(self, _: TimerFired) -> None:
        self._giving = None
        if self.conversation.segments:
            self._take_turn()
        else:
            self._record(Resumed(self._turn.number))
            self._go_on()

    def _take_turn(self) -> None:
        self._do(StopTimer("endpoint"), StopTimer("silence"))
        number = self._turn.number + 1
        self._record(CallerTurn(number, " ".join(self.conversation.segments)))
        self._failures = 0
        self._do(Ask(number, 0))

    # The answer

    def _is_awaited(self, turn: int) -> bool:
        return turn == self._turn.number and not self._turn.complete

    def _cancel_answer(self) -> None:
        if not self._turn.complete:
            self._do(CancelAnswer(self._turn.number))

    def _sentence(self, event: AnswerSentence) -> None:
        if self._is_awaited(event.turn) and event.seq == self._turn.last_seq + 1:
            self._record(AgentSentence(event.turn, event.seq, event.text))
            self._do(Say(event.turn, event.seq, event.text))
            if event.ends is not None:
                self._complete(event.turn, event.ends)

    def _tools_used(self, event: ToolsUsed) -> None:
        """What a tool did is done, whether its answer is still wanted or not."""
        turn = self.conversation.turns.get(event.turn)
        uses = [block for block in event.uses if "toolUse" in block]
        known = [(one.uses, one.results) for one in turn.exchanges] if turn is not None else []
        if turn is not None and (uses, event.results) not in known:
            after_seq = min(event.after_seq, turn.last_seq)
            self._record(ToolExchange(turn.number, after_seq, uses, event.results))

    def _close_asked(self, event: CloseAsked) -> None:
        if self._is_awaited(event.turn) and self.conversation.closing is None:
            self._close(event.reason, to=event.to)

    def _answer_finished(self, event: AnswerFinished) -> None:
        if not self._is_awaited(event.turn):
            return
        if not self._turn.sentences:
            self._sentence(AnswerSentence(event.turn, 1, self._instead_of_nothing()))
        self._complete(event.turn, event.stop_reason)

    def _complete(self, turn: int, stop_reason: str) -> None:
        self._record(AnswerComplete(turn, stop_reason))
        self._do(SayAll(turn))
        if self.phase is Phase.LISTENING:
            self._listen()

    def _instead_of_nothing(self) -> str:
        words = {None: self.agent.error, TRANSFER: self.agent.filler}
        return words.get(self.conversation.closing, self.agent.closing)

    def _answer_failed(self, event: AnswerFailed) -> None:
        if not self._is_awaited(event.turn):
            return
        closing = self.conversation.closing is not None
        self._failures += 1
        if self._failures < ANSWER_ATTEMPTS and not closing:
            self._do(Ask(event.turn, self._turn.last_seq))
            return
        if not closing:
            self._sentence(AnswerSentence(event.turn, self._turn.last_seq + 1, self.agent.error))
        self._answer_finished(AnswerFinished(event.turn, "error"))

    def _heard(self, event: Heard) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or event.seq not in turn.unheard():
            return
        was = self.phase
        self._record(SentenceHeard(event.turn, event.seq))
        if was is Phase.SPEAKING and self.phase is Phase.LISTENING:
            self._listen()

    # The clock

    def _silent(self, _: TimerFired) -> None:
        turns = self.conversation.turns.values()
        spoke = max((turn.number for turn in turns if turn.caller), default=GREETING_TURN)
        number = self._turn.number + 1
        if self._turn.number - spoke < SILENCE_PROMPTS:
            self._agent_turn(number, self.agent.silence_prompt)
        else:
            self._close("silence")
            self._agent_turn(number, self.agent.closing)

    def _too_long(self, _: TimerFired) -> None:
        if self.conversation.closing is not None:
            self._end(self.conversation.closing)
            return
        self._say_goodbye("duration")


# Before anything was said.
_NO_TURN = Turn(GREETING_TURN, complete=True)

_ANSWERING = (Phase.THINKING, Phase.SPEAKING)
_CALLERS = (Phase.LISTENING, Phase.INTERRUPTED)
_LIVE = (*_ANSWERING, *_CALLERS)


class _Row(NamedTuple):
    """What an event does in a phase, and into which other phases that may lead."""

    act: Callable[[TurnMachine, Any], None]
    leads_to: tuple[Phase, ...]


def _rows(*rows: Any) -> dict[tuple[Any, Phase], _Row]:
    return {(event, phase): _Row(act, to) for event, phases, act, to in rows for phase in phases}


_L, _T, _S, _I, _E = Phase

# event, or the name of the timer that fires · in these phases · does this · may lead to these
_TRANSITIONS = _rows(
    (Started, (_L,), TurnMachine._start, (_S,)),
    (Started, (_T, _S, _I, _E), TurnMachine._start, ()),
    (HungUp, _LIVE, TurnMachine._hung_up, (_E,)),
    (SpeechTroubled, (_L, _S), TurnMachine._troubled, ()),
    (LineFailed, (_S,), TurnMachine._line_failed, (_E,)),
    (LineFailed, (_T,), TurnMachine._line_failed, (_S, _E)),
    (LineFailed, _CALLERS, TurnMachine._line_failed, (_S,)),
    (CallerSpeaking, _LIVE, TurnMachine._onset, ()),
    (CallerInterim, _LIVE, TurnMachine._interim, ()),
    (CallerSaid, _LIVE, TurnMachine._said, ()),
    (DigitPressed, _LIVE, TurnMachine._pressed, ()),
    (TalkStopped, _ANSWERING, TurnMachine._talk_stopped, (_I,)),
    (CallerFinished, _CALLERS, TurnMachine._finished, (_T,)),
    (CallerFinished, _ANSWERING, TurnMachine._done_while_answering, ()),
    ("endpoint", (_L,), TurnMachine._quiet, (_T,)),
    ("endpoint", (_I,), TurnMachine._quiet_after_break_in, (_L, _T, _S)),
    ("endpoint", _ANSWERING, TurnMachine._done_while_answering, ()),
    (AnswerSentence, (_T,), TurnMachine._sentence, (_S,)),
    (AnswerSentence, (_S,), TurnMachine._sentence, ()),
    (AnswerFinished, (_T,), TurnMachine._answer_finished, (_L, _S, _E)),
    (AnswerFinished, (_S,), TurnMachine._answer_finished, ()),
    (AnswerFailed, (_T,), TurnMachine._answer_failed, (_S, _E)),
    (AnswerFailed, (_S,), TurnMachine._answer_failed, ()),
    (CloseAsked, _ANSWERING, TurnMachine._close_asked, ()),
    (ToolsUsed, _LIVE, TurnMachine._tools_used, ()),
    (Heard, (_S,), TurnMachine._heard, (_L, _T, _E)),
    (Heard, (_L, _T, _I), TurnMachine._heard, ()),
    ("silence", (_L,), TurnMachine._silent, (_S,)),
    ("duration", (_S,), TurnMachine._too_long, (_E,)),
    ("duration", (_T,), TurnMachine._too_long, (_S, _E)),
    ("duration", _CALLERS, TurnMachine._too_long, (_S,)),
)
