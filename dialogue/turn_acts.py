"""What all acts of a turn machine share: its state, its commands, and who goes on with what.

Each act takes an event, changes the conversation by entries of the journal, and orders commands;
methods that answer a question are guards of the rows in `aybiza.dialogue.turns`, which says when
what is done. The acts stand by whom they are about: `line_acts`, `caller_acts`, `answer_acts`.

Errors: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, Literal

from aybiza.config.agents import Agent
from aybiza.dialogue.barge_in import ANSWERING, NO_TURN, BargeIn
from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Phase, Turn
from aybiza.dialogue.events import (
    AnswerSentence,
    Ask,
    CancelAnswer,
    Command,
    DropAside,
    DropEager,
    EndCall,
    Record,
    Say,
    SayAll,
    SpeakIn,
    StartTimer,
    StopTalking,
    StopTimer,
)
from aybiza.dialogue.journal import (
    TRANSFER,
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    LanguageChanged,
    MenuOpened,
    SentenceUnsaid,
    Transferring,
)
from aybiza.dialogue.languages import Said, next_language, turn_language
from aybiza.dialogue.menus import Chosen, chosen, said
from aybiza.dialogue.overheard import is_same
from aybiza.dialogue.turn_policy import TurnPolicy

# In these phases the caller is owed something.
WATCHED = (*ANSWERING, Phase.CLOSING)
# What is there already goes before words for who waits.
AT_ONCE_SECONDS = 0.05


class TurnActs:
    """See the module. `conversation` is for reading."""

    def __init__(self, agent: Agent, conversation: Conversation | None = None) -> None:
        self.conversation = conversation or Conversation()
        self._first = agent
        self.agent = agent.speaking(self.conversation.language)
        self.policy = TurnPolicy.of(self.agent)
        self._commands: list[Command] = []
        self._barge_in = BargeIn(self.policy, self.conversation)
        # What a crash may lose: how often the answer failed, when keys were complete by their
        # number, what the caller is at, which fillers were said, how late their words came.
        self._failures = 0
        self._complete_at = -inf
        waiting = bool(self.conversation.segments)
        self._giving: Literal["words", "digits"] | None = "words" if waiting else None
        self._fillers = 0
        self._late = 0.0
        # To which words an answer was begun before it was sure that they are all, and how often.
        self._eager: str | None = None
        self._eager_begun = 0
        self._aside = False
        self._watched: tuple[int, ...] | None = None

    @property
    def phase(self) -> Phase:
        """What the call is doing; see the module."""
        return self.conversation.phase if self._eager is None else Phase.EAGER

    def _do(self, *commands: Command) -> None:
        self._commands.extend(commands)

    def _record(self, entry: Entry) -> None:
        self.conversation.apply(entry)
        self._commands.append(Record(entry))

    @property
    def _turn(self) -> Turn:
        return self.conversation.turn or NO_TURN

    def _is_awaited(self, event: Any) -> bool:
        return bool(event.turn == self._turn.number and not self._turn.complete)

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

    def _agent_turn(self, number: int, *texts: str) -> None:
        """The agent begins a turn by itself and says this."""
        if number != GREETING_TURN:
            self._record(CallerTurn(number, ""))
        self._tell(number, texts)

    def _tell(self, number: int, texts: Sequence[str]) -> None:
        """All that is said in this turn."""
        for seq, text in enumerate(texts, 1):
            self._record(AgentSentence(number, seq, text))
        self._record(AnswerComplete(number, "end_turn"))
        self._do(*(Say(number, seq, text) for seq, text in enumerate(texts, 1)), SayAll(number))

    def _silence_agent(self) -> None:
        turn = self._turn
        self._do(StopTalking(turn.number, min(turn.unheard(), default=turn.last_seq + 1)))

    def _await_caller(self) -> None:
        # Once the recogniser has told all of the words, the caller alone is waited for.
        told = " ".join(self.conversation.segments)
        eager = self._eager is not None and not is_same(self._eager, told)
        seconds = self.policy.eager_endpoint if eager else self.policy.endpoint
        if self._giving == "digits":
            seconds = 0.0 if self._chosen() else self.policy.keys_wait
        self._do(StopTimer("silence"), StartTimer("endpoint", seconds))

    def _take_turn(self, late: float = 0.0) -> None:
        """What the caller has said is a turn; `late`: they wait for so long more than is usual."""
        self._late = late
        self._do(StopTimer("endpoint"), StopTimer("silence"))
        number, text = self._turn.number + 1, " ".join(self.conversation.segments)
        language = self._language_of_turn()
        if self._eager is not None and not is_same(self._eager, text):
            self._drop_eager()
        choice = self._chosen()
        if choice is not None and choice.choice.ask is not None:
            text = choice.choice.ask
        self._record(CallerTurn(number, text, language))
        self._follow_language()
        self._eager = None
        self._failures = self._fillers = self._eager_begun = 0
        self._barge_in.turn_taken()
        if choice is None or choice.choice.ask is not None:
            self._do(Ask(number, 0))
        else:
            self._do_chosen(number, choice)

    def _chosen(self, *keys: str) -> Chosen | None:
        """What the keys that were pressed, with these behind them, choose from the open menu."""
        conversation = self.conversation
        pressed = [*conversation.segments, *keys]
        return chosen(self.agent.menus, conversation.menu, pressed) if conversation.menu else None

    def _do_chosen(self, number: int, choice: Chosen) -> None:
        """The agent does by itself what its menu has for a key."""
        if (to := choice.choice.transfer) is not None:
            self._close(TRANSFER, self.policy.closing, to)
        else:
            self._record(MenuOpened(choice.way))
        self._tell(number, said(self.agent.menus, choice, self.agent.filler))

    def _language_of_turn(self) -> str:
        conversation, offered = self.conversation, self.policy.languages
        if not offered:
            return ""
        pieces = zip(conversation.segments, conversation.tongues, strict=True)
        return turn_language(list(pieces), offered)

    def _follow_language(self) -> None:
        """Go on in the caller's language; what is begun is in another one."""
        turns = self.conversation.turns.values()
        told = [Said(turn.caller, turn.language) for turn in turns if turn.caller]
        wanted = next_language(self.policy.language, self.policy.languages, told)
        if wanted is None:
            return
        self._drop_eager()
        self._record(LanguageChanged(wanted))
        self.agent = self._first.speaking(wanted)
        self.policy = TurnPolicy.of(self.agent)
        self._barge_in.policy = self.policy
        self._do(SpeakIn(wanted))

    def _drop_eager(self) -> None:
        if self._eager is not None:
            self._eager = None
            self._do(DropEager(self._turn.number + 1))

    def _cancel_answer(self) -> None:
        if not self._turn.complete:
            self._do(CancelAnswer(self._turn.number))

    def _sentence(self, event: AnswerSentence) -> None:
        if self._aside:
            self._aside = False
            # What a sentence that does not come out was bridged by is needed all the same, and to
            # clear the line would begin that sentence anew.
            if not self._turn.unheard():
                self._do(DropAside())
        self._record(AgentSentence(event.turn, event.seq, event.text))
        self._do(Say(event.turn, event.seq, event.text))
        if event.ends is not None:
            self._complete(event.turn, event.ends)

    def _complete(self, turn: int, stop_reason: str) -> None:
        self._record(AnswerComplete(turn, stop_reason))
        self._do(SayAll(turn))
        if not self._turn.unheard():
            self._settle()

    def _close(self, reason: str, seconds: float, to: str = "") -> None:
        self._record(Closing(reason, to))
        self._do(StartTimer("closing", seconds))

    def _end(self, reason: str) -> None:
        self._drop_eager()
        self._cancel_answer()
        if reason == TRANSFER:
            for seq in self._turn.unheard():
                # Who is back from there has not heard it, and is told something else.
                self._record(SentenceUnsaid(self._turn.number, seq))
            self._record(Transferring(self.conversation.closing_to))
        self._record(Ended(reason))
        self._do(EndCall(reason))

    def _prompts_in_a_row(self) -> int:
        asked, prompt = 0, self.agent.silence_prompt
        for turn in reversed(self.conversation.turns.values()):
            if turn.caller:
                break
            asked += prompt in turn.sentences.values()
        return asked

    def _keep_watch(self) -> None:
        """The one watch over the silence that the caller hears while an answer is owed."""
        turn, policy = self._turn, self.policy
        owed = self.phase in WATCHED and (not turn.complete or bool(turn.unheard()))
        watched = (turn.number, len(turn.heard), self._fillers) if owed else None
        if watched == self._watched:
            return
        self._watched = watched
        first = not turn.heard and not self._fillers
        seconds = (
            max(AT_ONCE_SECONDS, policy.filler_after - self._late) if first else policy.filler_again
        )
        self._do(StopTimer("wait") if watched is None else StartTimer("wait", seconds))
