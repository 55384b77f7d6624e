"""What a turn machine does, act by act; when it does what is `aybiza.dialogue.turns`'s to say.

Each act takes the event, changes the conversation by entries of the journal, and orders commands.
The methods that answer a question are the guards of the table's rows.

Errors: none.
"""

from __future__ import annotations

from typing import Any, Literal

from aybiza.config.agents import Agent
from aybiza.dialogue.barge_in import ANSWERING, NO_TURN, SAYING, TALKING, BargeIn
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
    DropAside,
    EndCall,
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
    VoiceLost,
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
    Joined,
    Reopened,
    Resumed,
    SentenceHeard,
    ToolExchange,
    Transferring,
)
from aybiza.dialogue.transfer import words_after
from aybiza.dialogue.turn_policy import TurnPolicy

# Before any tool was used.
_NO_USE = ToolExchange(GREETING_TURN, 0, [], [])


class TurnActs:
    """See the module. `conversation` is for reading."""

    def __init__(self, agent: Agent, conversation: Conversation | None = None) -> None:
        self.agent = agent
        self.policy = TurnPolicy.of(agent)
        self.conversation = conversation or Conversation()
        self._commands: list[Command] = []
        self._barge_in = BargeIn(self.policy, self.conversation)
        # What a crash may lose: how often the answer failed, what the caller is at, which fillers
        # were said.
        self._failures = 0
        waiting = bool(self.conversation.segments)
        self._giving: Literal["words", "digits"] | None = "words" if waiting else None
        self._fillers = 0
        self._aside = False
        self._watched: tuple[int, ...] | None = None

    @property
    def phase(self) -> Phase:
        """What the call is doing; see the module."""
        return self.conversation.phase

    def _do(self, *commands: Command) -> None:
        self._commands.extend(commands)

    def _record(self, entry: Entry) -> None:
        self.conversation.apply(entry)
        self._commands.append(Record(entry))

    @property
    def _turn(self) -> Turn:
        return self.conversation.turn or NO_TURN

    # The line

    def _start(self, event: Started) -> None:
        conversation, turn = self.conversation, self.conversation.turn
        again, bridge = event.again, self.agent.bridge
        if conversation.ended is not None:
            self._do(EndCall(conversation.ended))
        elif turn is None:
            self._agent_turn(GREETING_TURN, self.agent.greeting)
        elif conversation.closing is not None:
            self._do(StartTimer("closing", self.policy.closing))
            self._go_on()
        elif again and self.phase is Phase.LISTENING and not conversation.segments:
            # What the caller said into the gap is lost.
            self._agent_turn(turn.number + 1, f"{bridge} {self.agent.ask_again}")
        else:
            if again:
                # Number 0 is in no history: this is about the line, not about the matter.
                self._do(Say(turn.number, 0, bridge), SayAll(turn.number))
            self._go_on()

    def _is_returned(self, _: Started) -> bool:
        return self.conversation.returned is not None and self.conversation.ended is None

    def _start_returned(self, _: Started) -> None:
        """The person whom the caller was put through to was not reached."""
        outcome = self.conversation.returned or ""
        self._agent_turn(self._turn.number + 1, words_after(self.agent, outcome))

    def _go_on(self) -> None:
        turn = self._turn
        if self.phase is Phase.INTERRUPTED:
            self._cancel_answer()
            self._await_caller()
        elif turn.complete and not turn.unheard():
            if turn.joined:
                self._do(CancelAnswer(turn.number))
            self._settle()
        else:
            for seq in turn.unheard():
                self._do(Say(turn.number, seq, turn.sentences[seq]))
            self._do(SayAll(turn.number) if turn.complete else Ask(turn.number, turn.last_seq))
            if self._giving:
                self._await_caller()

    def _settle(self) -> None:
        """All that there is to say has been heard."""
        if self.conversation.closing is not None:
            self._end(self.conversation.closing)
        elif self._giving:
            self._await_caller()
        elif self.conversation.segments:
            self._take_turn()
        else:
            asked = self._prompts_in_a_row() > 0
            seconds = self.policy.silence_again if asked else self.policy.silence
            self._do(StartTimer("silence", seconds))

    def _hung_up(self, _: HungUp) -> None:
        self._end("hangup")

    def _troubled(self, _: SpeechTroubled) -> None:
        # Number 0 is in no history: this is about the line, not about the matter.
        self._do(Say(self._turn.number, 0, self.agent.filler), SayAll(self._turn.number))

    def _voice_lost(self, _: VoiceLost) -> None:
        """Leave the line: only the carrier can speak, and brings the caller back."""
        self._end(self.conversation.closing or FAULT)

    def _line_failed(self, _: LineFailed) -> None:
        self._say_goodbye(FAULT, self.policy.last_words)

    def _close(self, reason: str, seconds: float, to: str = "") -> None:
        self._record(Closing(reason, to))
        self._do(StartTimer("closing", seconds))

    def _say_goodbye(self, reason: str, seconds: float) -> None:
        """End the call behind the agent's last words, whatever is going on."""
        turn = self._turn
        if self.phase in TALKING:
            self._silence_agent()
        if not turn.complete:
            self._cancel_answer()
            self._record(AnswerComplete(turn.number, "cancelled"))
        self._close(reason, seconds)
        self._agent_turn(turn.number + 1, self.agent.closing)

    def _end_closed(self, _: Any) -> None:
        self._end(self.conversation.closing or FAULT)

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

    def _voice_cuts(self, _: CallerSpeaking) -> bool:
        return self._barge_in.voice_cuts()

    def _voice(self, event: CallerSpeaking) -> None:
        self._barge_in.voice(event.at)

    def _voice_waits(self, event: CallerSpeaking) -> None:
        self._voice(event)
        if self.phase is Phase.INTERRUPTED or self._giving == "words":
            self._await_caller()

    def _voice_breaks_in(self, event: CallerSpeaking) -> None:
        self._voice(event)
        self._silence_agent()
        self._await_caller()

    def _is_nothing(self, event: CallerInterim | CallerSaid) -> bool:
        begun = isinstance(event, CallerInterim)
        return self._barge_in.is_nothing(event.text, begun=begun)

    def _nothing(self, _: Any) -> None:
        """Nobody has said anything to the matter."""

    def _interim(self, event: CallerInterim) -> None:
        self._giving = "words"
        self._break_in(self._barge_in.may_cut(event.text, event.at))
        self._await_caller()

    def _said(self, event: CallerSaid) -> None:
        may_cut = self._barge_in.may_cut(event.text, event.at)
        self._giving = "words"
        self._break_in(may_cut)
        self._record(CallerSegment(event.text))
        self._await_caller()

    def _pressed(self, event: DigitPressed) -> None:
        self._giving = "digits"
        self._break_in(not self._barge_in.is_protected())
        self._record(CallerSegment(event.digit))
        self._await_caller()

    def _break_in(self, allowed: bool) -> None:
        if allowed and self.phase in ANSWERING:
            self._silence_agent()

    def _silence_agent(self) -> None:
        turn = self._turn
        self._do(StopTalking(turn.number, min(turn.unheard(), default=turn.last_seq + 1)))

    def _is_unheard_answer(self, event: TalkStopped) -> bool:
        """Whether the words that silenced the agent go on with a turn whose answer is unheard."""
        unheard = self._barge_in.is_unheard(event.turn, event.seq, event.fraction)
        return self._giving is not None and unheard

    def _join(self, event: TalkStopped) -> None:
        cancelled = not self._turn.complete
        self._record(Joined(event.turn))
        if cancelled:
            self._do(CancelAnswer(event.turn))
        self._await_caller()

    def _talk_stopped(self, event: TalkStopped) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or turn.cut is not None or turn.joined:
            return
        for seq in turn.unheard():
            if seq < event.seq or (seq == event.seq and event.fraction >= 1.0):
                self._record(SentenceHeard(turn.number, seq))
        self._record(Interrupted(turn.number, event.seq, event.fraction))
        if turn is self._turn:
            self._cancel_answer()
            self._await_caller()

    def _await_caller(self) -> None:
        self._do(StopTimer("silence"), StartTimer("endpoint", self.policy.endpoint))

    def _is_in_pieces(self, _: CallerFinished) -> bool:
        return self._giving == "words" and self._barge_in.is_in_pieces()

    def _wait_on(self, _: CallerFinished) -> None:
        self._do(StartTimer("endpoint", self.policy.patience))

    def _gives_words(self, _: CallerFinished) -> bool:
        # The recogniser hears no end of keys; the next may take the caller a while.
        return self._giving != "digits"

    def _finished(self, _: CallerFinished) -> None:
        self._giving = None
        if self.conversation.segments:
            self._take_turn()

    def _done_while_answering(self, _: Any) -> None:
        self._giving = None

    def _quiet(self, _: TimerFired) -> None:
        self._giving = None
        self._settle()

    def _has_words(self, _: TimerFired) -> bool:
        return bool(self.conversation.segments)

    def _resume_talking(self, _: TimerFired) -> None:
        self._giving = None
        self._record(Resumed(self._turn.number))
        self._go_on()

    def _take_turn(self) -> None:
        self._do(StopTimer("endpoint"), StopTimer("silence"))
        number = self._turn.number + 1
        self._record(CallerTurn(number, " ".join(self.conversation.segments)))
        self._failures = self._fillers = 0
        self._barge_in.turn_taken()
        self._do(Ask(number, 0))

    # The answer

    def _is_awaited(self, event: Any) -> bool:
        return bool(event.turn == self._turn.number and not self._turn.complete)

    def _cancel_answer(self) -> None:
        if not self._turn.complete:
            self._do(CancelAnswer(self._turn.number))

    def _is_next(self, event: AnswerSentence) -> bool:
        return self._is_awaited(event) and event.seq == self._turn.last_seq + 1

    def _sentence(self, event: AnswerSentence) -> None:
        if self._aside:
            self._aside = False
            self._do(DropAside())
        self._record(AgentSentence(event.turn, event.seq, event.text))
        self._do(Say(event.turn, event.seq, event.text))
        if event.ends is not None:
            self._complete(event.turn, event.ends)

    def _tools_used(self, event: ToolsUsed) -> None:
        """What a tool did is done, whether its answer is still wanted or not."""
        turn = self.conversation.worker(event.turn)
        uses = [block for block in event.uses if "toolUse" in block]
        known = [(one.uses, one.results) for one in turn.exchanges] if turn is not None else []
        if turn is not None and (uses, event.results) not in known:
            after_seq = min(event.after_seq, turn.last_seq) if turn.number == event.turn else 0
            self._record(ToolExchange(turn.number, after_seq, uses, event.results))

    def _close_asked(self, event: CloseAsked) -> None:
        self._close(event.reason, self.policy.closing, event.to)
        if event.reason == "goodbye" and self._has_said_goodbye():
            self._cancel_answer()
            self._complete(event.turn, "end_turn")

    def _has_said_goodbye(self) -> bool:
        """Whether the message that ends the call had words of its own: no others are needed."""
        *before, last = (exchange.after_seq for exchange in self._turn.exchanges or [_NO_USE])
        return last > max(before, default=0)

    def _answer_finished(self, event: AnswerFinished) -> None:
        if not self._turn.sentences:
            self._sentence(AnswerSentence(event.turn, 1, self._instead_of_nothing()))
        self._complete(event.turn, event.stop_reason)

    def _complete(self, turn: int, stop_reason: str) -> None:
        self._record(AnswerComplete(turn, stop_reason))
        self._do(SayAll(turn))
        if not self._turn.unheard():
            self._settle()

    def _instead_of_nothing(self) -> str:
        words = {None: self.agent.error, TRANSFER: self.agent.filler}
        return words.get(self.conversation.closing, self.agent.closing)

    def _is_worth_another(self, event: AnswerFailed) -> bool:
        return self._is_awaited(event) and self._failures + 1 < self.policy.attempts

    def _ask_again(self, event: AnswerFailed) -> None:
        self._failures += 1
        self._do(Ask(event.turn, self._turn.last_seq))

    def _apologise(self, event: AnswerFailed) -> None:
        self._sentence(AnswerSentence(event.turn, self._turn.last_seq + 1, self.agent.error))
        self._complete(event.turn, "error")

    def _close_without(self, event: AnswerFailed) -> None:
        self._answer_finished(AnswerFinished(event.turn, "error"))

    def _heard(self, event: Heard) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or event.seq not in turn.unheard():
            return
        was = self.phase
        self._record(SentenceHeard(event.turn, event.seq))
        if was in SAYING and turn is self._turn and turn.complete and not turn.unheard():
            self._settle()

    # A call that closes

    def _takes_back(self, event: CallerInterim | CallerSaid) -> bool:
        begun = isinstance(event, CallerInterim)
        return self._barge_in.takes_back(event.text, begun=begun)

    def _take_back(self, event: CallerInterim | CallerSaid) -> None:
        self._giving = "words"
        if self.policy.barge_in:
            self._silence_agent()
        if isinstance(event, CallerSaid):
            self._record(CallerSegment(event.text))
        self._record(Reopened())
        self._do(StopTimer("closing"))
        self._await_caller()

    def _said_while_closing(self, event: CallerSaid) -> None:
        if event.text:
            self._record(CallerSegment(event.text))

    def _pressed_while_closing(self, event: DigitPressed) -> None:
        self._record(CallerSegment(event.digit))

    def _close_late(self, _: TimerFired) -> None:
        """The last words do not come from the model."""
        self._cancel_answer()
        self._answer_finished(AnswerFinished(self._turn.number, "late"))

    # The clock

    def _keep_watch(self) -> None:
        """The one watch over the silence that the caller hears while an answer is owed."""
        turn, policy = self._turn, self.policy
        owed = self.phase in (Phase.THINKING, Phase.CLOSING)
        owed = owed and not turn.complete and not turn.unheard()
        watched = (turn.number, len(turn.heard), self._fillers) if owed else None
        if watched == self._watched:
            return
        self._watched = watched
        first = not turn.heard and not self._fillers
        seconds = policy.filler_after if first else policy.filler_again
        self._do(StopTimer("wait") if watched is None else StartTimer("wait", seconds))

    def _has_filler(self, _: TimerFired) -> bool:
        return self._fillers < len(self.policy.fillers)

    def _fill(self, _: TimerFired) -> None:
        number = self._turn.number
        # Number 0 is in no history: the model has not said it.
        self._do(Say(number, 0, self.policy.fillers[self._fillers]), SayAll(number))
        self._fillers += 1
        self._aside = True

    def _give_up(self, _: TimerFired) -> None:
        turn = self._turn
        self._cancel_answer()
        self._sentence(AnswerSentence(turn.number, turn.last_seq + 1, self.policy.late))
        self._complete(turn.number, "late")

    def _hears_voice(self, event: TimerFired) -> bool:
        return self._barge_in.has_just_begun(event.at)

    def _give_it_time(self, _: TimerFired) -> None:
        self._do(StartTimer("silence", self.policy.voice_grace))

    def _may_ask(self, _: TimerFired) -> bool:
        return self._prompts_in_a_row() < self.policy.silence_prompts

    def _prompts_in_a_row(self) -> int:
        turns = self.conversation.turns.values()
        spoke = max((turn.number for turn in turns if turn.caller), default=GREETING_TURN)
        return self._turn.number - spoke

    def _ask_whether_there(self, _: TimerFired) -> None:
        self._agent_turn(self._turn.number + 1, self.agent.silence_prompt)

    def _see_off(self, _: TimerFired) -> None:
        self._close("silence", self.policy.closing)
        self._agent_turn(self._turn.number + 1, self.agent.closing)

    def _too_long(self, _: TimerFired) -> None:
        self._say_goodbye("duration", self.policy.closing)
