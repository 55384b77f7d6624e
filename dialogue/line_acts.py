"""What a turn machine does about the call itself: its beginning, its silence, its end.

Errors: none. What an act is says `aybiza.dialogue.turn_acts`.
"""

from __future__ import annotations

from typing import Any, Final

from aybiza.config.menus import MAIN
from aybiza.dialogue.barge_in import TALKING
from aybiza.dialogue.caller_acts import MASK
from aybiza.dialogue.conversation import GREETING_TURN, Phase
from aybiza.dialogue.events import (
    EndCall,
    HungUp,
    LineFailed,
    Say,
    SayAll,
    Started,
    StartTimer,
    TimerFired,
)
from aybiza.dialogue.journal import (
    CLOSED,
    FAULT,
    AnswerComplete,
    CallerTurn,
    MenuOpened,
)
from aybiza.dialogue.menus import opening
from aybiza.dialogue.transfer import words_after
from aybiza.dialogue.turn_acts import TurnActs

_CALLERS: Final = (Phase.LISTENING, Phase.INTERRUPTED)


class LineActs(TurnActs):
    """See the module."""

    def _start(self, event: Started) -> None:
        conversation, turn = self.conversation, self.conversation.turn
        again, bridge = event.again, self.agent.bridge
        if conversation.ended is not None:
            self._do(EndCall(conversation.ended))
        elif turn is None and event.closed:
            self._close(CLOSED, self.policy.closing)
            self._agent_turn(GREETING_TURN, self.agent.closed)
        elif turn is None:
            menus = self.agent.menus
            texts = (event.before, self.agent.greeting, event.behind, opening(menus))
            self._agent_turn(GREETING_TURN, *filter(None, texts))
            if menus:
                self._record(MenuOpened(MAIN))
        elif conversation.closing is not None:
            self._do(StartTimer("closing", self.policy.closing))
            self._go_on()
        elif again and self.phase in _CALLERS and not conversation.segments:
            # What the caller said into the gap, or broke in with before it, is lost.
            self._agent_turn(turn.number + 1, f"{bridge} {self.agent.ask_again}")
        else:
            if again:
                # Number 0 is in no history: this is about the line, not about the matter.
                self._do(Say(turn.number, 0, bridge), SayAll(turn.number))
                self._do(StartTimer("voice", self.policy.voice_lost))
            self._go_on()

    def _keys_are_lost(self, event: Started) -> bool:
        """Whether keys that nobody else was told went with the line, and nothing has been done with
        them yet."""
        conversation, turn = self.conversation, self._turn
        waits = MASK in turn.caller and not (turn.complete or turn.exchanges)
        return event.again and (MASK in conversation.segments or waits)

    def _ask_for_keys_again(self, _: Started) -> None:
        """Half a number is a wrong one, and a whole one is in nobody's hands any more."""
        turn, entered = self._turn, " ".join(self.conversation.segments)
        number = turn.number
        if not turn.complete:
            self._cancel_answer()
            self._record(AnswerComplete(number, "cancelled"))
        if entered:
            number += 1
            self._record(CallerTurn(number, entered))
            self._record(AnswerComplete(number, "cancelled"))
        self._giving = None
        self._agent_turn(number + 1, f"{self.agent.bridge} {self.agent.keys_again}")

    def _is_returned(self, _: Started) -> bool:
        return self.conversation.returned is not None and self.conversation.ended is None

    def _start_returned(self, _: Started) -> None:
        """The person whom the caller was put through to was not reached."""
        outcome = self.conversation.returned or ""
        self._agent_turn(self._turn.number + 1, words_after(self.agent, outcome))

    def _hung_up(self, _: HungUp) -> None:
        self._end("hangup")

    def _voice_lost(self, _: TimerFired) -> None:
        """The caller waits in silence and can be told nothing, not even in words that are kept.
        Leave the line: the carrier can speak, and brings the caller back."""
        self._end(self.conversation.closing or FAULT)

    def _line_failed(self, _: LineFailed) -> None:
        self._say_goodbye(FAULT, self.policy.last_words)

    def _say_goodbye(self, reason: str, seconds: float) -> None:
        """End the call behind the agent's last words, whatever is going on."""
        self._drop_eager()
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

    def _hears_voice(self, event: TimerFired) -> bool:
        return self._barge_in.has_just_begun(event.at)

    def _give_it_time(self, _: TimerFired) -> None:
        self._do(StartTimer("silence", self.policy.voice_grace))

    def _may_ask(self, _: TimerFired) -> bool:
        return self._prompts_in_a_row() < self.policy.silence_prompts

    def _ask_whether_there(self, _: TimerFired) -> None:
        self._agent_turn(self._turn.number + 1, self.agent.silence_prompt)

    def _see_off(self, _: TimerFired) -> None:
        self._close("silence", self.policy.closing)
        self._agent_turn(self._turn.number + 1, self.agent.closing)

    def _hear_out(self, _: TimerFired) -> None:
        """The call ends behind its last words anyway, which have a time of their own. If the caller
        has something else to say by then, it has lasted too long still."""
        self._do(StartTimer("duration", self.policy.closing))

    def _too_long(self, _: TimerFired) -> None:
        self._say_goodbye("duration", self.policy.closing)
