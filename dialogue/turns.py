"""Turn-taking: who speaks, who listens, what is answered. A pure state machine.

`TurnMachine.handle(event)` gives the commands to carry out, in order. The machine holds no clock
and does no I/O. Its state is the conversation, the fold of the journal: the phase is read off it,
so `TurnMachine(agent, conversation)` and `resume()` take a call up wherever its journal ends.

All transitions stand in `_TRANSITIONS`: of the rows of an event in a phase the first is taken whose
guard holds. An event without a row changes nothing. A row says which phases it may lead to; one
that led elsewhere is a fault of this file and raises `IllegalTransition`.

    GREETING     the caller has not yet heard all of the greeting
    LISTENING    the caller's turn; `endpoint` runs when words were heard, else `silence`
    THINKING     an answer is asked, and what there is of it has been heard; `wait` runs
    SPEAKING     the caller has not yet heard all that there is to say
    EAGER        the caller may be done, and an answer to that is begun: it is in no journal
    INTERRUPTED  the caller broke in; without words before `endpoint` it was a mistake
    CLOSING      the call ends behind its last words, unless the caller has something else to say
    ENDED        nothing happens any more

What the machine goes by is `aybiza.dialogue.turn_policy`, what words are worth that come while the
agent speaks is `aybiza.dialogue.overheard`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from aybiza.dialogue.answer_acts import AnswerActs
from aybiza.dialogue.caller_acts import CallerActs
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    CloseAsked,
    Command,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineFailed,
    SpeechTroubled,
    Started,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.line_acts import LineActs


class IllegalTransition(Exception):
    """An event has led to a phase that its row does not name."""


class TurnMachine(LineActs, CallerActs, AnswerActs):
    """See the module. `conversation` is for reading."""

    def handle(self, event: Event) -> list[Command]:
        """What to do now that `event` has happened."""
        trigger = event.name if isinstance(event, TimerFired) else type(event)
        for row in _TRANSITIONS.get((trigger, self.phase), ()):
            if row.guard is None or row.guard(self, event):
                return self._run(row, event)
        return []

    def watch(self) -> list[Command]:
        """What a restarted actor does first, before it deals with what has happened meanwhile: go
        on with the watch over the silence that the caller hears, or end it."""
        self._commands = []
        self._keep_watch()
        return self._commands or [StopTimer("wait")]

    def resume(self) -> list[Command]:
        """What to do to go on from the journal, for a restarted actor on a line that holds."""
        return self.handle(Started())

    def _run(self, row: _Row, event: Any) -> list[Command]:
        self._commands = []
        before = self.phase
        row.act(self, event)
        after = self.phase
        if after is not before and after not in row.leads_to:
            raise IllegalTransition(f"{event} led from {before.name} to {after.name}")
        self._keep_watch()
        return self._commands


class _Row(NamedTuple):
    """What an event does in a phase where `guard` holds, and into which others that may lead."""

    guard: Callable[[TurnMachine, Any], bool] | None
    act: Callable[[TurnMachine, Any], None]
    leads_to: tuple[Phase, ...]


def _rows(*rows: Any) -> dict[tuple[Any, Phase], tuple[_Row, ...]]:
    table: dict[tuple[Any, Phase], tuple[_Row, ...]] = {}
    for event, phases, guard, act, to in rows:
        for phase in phases:
            table[event, phase] = (*table.get((event, phase), ()), _Row(guard, act, to))
    return table


_G, _L, _P, _T, _S, _I, _C, _E = Phase
_TALKING = (_G, _S)
_ANSWERING = (_G, _T, _S)
_CALLERS = (_L, _I)
_OPEN = (_G, _L, _T, _S, _I)
# In which phase the caller has the turn is read off the journal when nothing is begun any more.
_BACK = _CALLERS
_LIVE = (*_OPEN, _C)
_M = TurnMachine

# event, or the name of the timer that fires · in these phases · if this holds · does this · may
# lead to these
_TRANSITIONS = _rows(
    (Started, (_G, _L, _T, _I), _M._is_returned, _M._start_returned, (_S,)),
    (Started, (_S,), _M._is_returned, _M._start_returned, ()),
    (Started, (_G, _L, _T, _I), _M._keys_are_lost, _M._ask_for_keys_again, (_S,)),
    (Started, (_S,), _M._keys_are_lost, _M._ask_for_keys_again, ()),
    (Started, (_L,), None, _M._start, (_G, _S, _C)),
    (Started, (_C,), None, _M._start, (_E,)),
    (Started, (_I,), None, _M._start, (_S,)),
    (Started, (_G, _T, _S, _E), None, _M._start, ()),
    (HungUp, (*_LIVE, _P), None, _M._hung_up, (_E,)),
    (SpeechTroubled, (*_CALLERS, _P), _M._may_fill, _M._fill, ()),
    (LineFailed, (_C,), None, _M._end_closed, (_E,)),
    (LineFailed, (*_OPEN, _P), None, _M._line_failed, (_C,)),
    (CallerSpeaking, _TALKING, _M._voice_cuts, _M._voice_breaks_in, ()),
    (CallerSpeaking, _ANSWERING, None, _M._voice, ()),
    (CallerSpeaking, (*_CALLERS, _P), None, _M._voice_waits, ()),
    (CallerInterim, (*_OPEN, _P), _M._is_nothing, _M._nothing, ()),
    (CallerInterim, (_P,), _M._is_as_begun, _M._interim, ()),
    (CallerInterim, (_P,), None, _M._interim_otherwise, _BACK),
    (CallerInterim, _OPEN, None, _M._interim, ()),
    (CallerInterim, (_C,), _M._takes_back, _M._take_back, (_T, _S)),
    (CallerSaid, (*_OPEN, _P), _M._is_nothing, _M._nothing, ()),
    (CallerSaid, (_P,), _M._is_as_begun, _M._said, ()),
    (CallerSaid, (_P,), None, _M._said_otherwise, _BACK),
    (CallerSaid, _OPEN, None, _M._said, ()),
    (CallerSaid, (_C,), _M._takes_back, _M._take_back, (_T, _S)),
    (CallerSaid, (_C,), None, _M._said_while_closing, ()),
    (DigitPressed, (*_OPEN, _C, _P), _M.is_end_of_all, _M._nothing, ()),
    (DigitPressed, _CALLERS, _M._is_last_key, _M._take_keys, (_T, _S, _C)),
    (DigitPressed, _OPEN, None, _M._pressed, ()),
    (DigitPressed, (_P,), None, _M._pressed_otherwise, _BACK),
    (DigitPressed, (_C,), None, _M._pressed_while_closing, ()),
    (TalkStopped, (_T, _S), _M._is_unheard_answer, _M._join, (_L,)),
    (TalkStopped, _ANSWERING, None, _M._talk_stopped, (_I,)),
    (TalkStopped, (_C,), None, _M._talk_stopped, ()),
    (CallerMayBeDone, _CALLERS, _M._may_begin, _M._begin_eagerly, (_P,)),
    (CallerGoesOn, (_P,), None, _M._goes_on, _BACK),
    (CallerFinished, _CALLERS, _M._may_go_on, _M._wait_on, (_P,)),
    (CallerFinished, (_P,), _M._may_go_on, _M._wait_on, ()),
    (CallerFinished, (*_CALLERS, _P), _M._gives_words, _M._finished, (_T, _S, _C)),
    (CallerFinished, _ANSWERING, _M._gives_words, _M._done_while_answering, ()),
    ("endpoint", (_L,), None, _M._quiet, (_T, _S, _C)),
    ("endpoint", (_P,), _M._has_words, _M._quiet, (_T, _S, _C)),
    ("endpoint", (_P,), None, _M._quiet_otherwise, _BACK),
    ("endpoint", (_I,), _M._has_words, _M._quiet, (_T, _S, _C)),
    ("endpoint", (_I,), None, _M._resume_talking, (_G, _L, _T, _S)),
    ("endpoint", _ANSWERING, None, _M._done_while_answering, ()),
    (AnswerSentence, (_T,), _M._is_next, _M._sentence, (_S,)),
    (AnswerSentence, (_S, _C), _M._is_next, _M._sentence, ()),
    (AnswerFinished, (_T,), _M._is_awaited, _M._answer_finished, (_L, _S)),
    (AnswerFinished, (_S,), _M._is_awaited, _M._answer_finished, ()),
    (AnswerFinished, (_C,), _M._is_awaited, _M._answer_finished, (_E,)),
    (AnswerFailed, (_T, _S), _M._is_worth_another, _M._ask_again, ()),
    (AnswerFailed, (_T,), _M._is_awaited, _M._apologise, (_S,)),
    (AnswerFailed, (_S,), _M._is_awaited, _M._apologise, ()),
    (AnswerFailed, (_C,), _M._is_awaited, _M._close_without, (_E,)),
    (CloseAsked, (_T,), _M._is_awaited, _M._close_asked, (_C, _E)),
    (CloseAsked, (_S,), _M._is_awaited, _M._close_asked, (_C,)),
    (ToolsUsed, (*_LIVE, _P), None, _M._tools_used, ()),
    (Heard, (_G,), None, _M._heard, (_L, _T, _S, _C)),
    (Heard, (_S,), None, _M._heard, (_L, _T, _C)),
    (Heard, (_C,), None, _M._heard, (_E,)),
    (Heard, (_L, _P, _T, _I), None, _M._heard, ()),
    (Unsaid, (_G,), None, _M._heard, (_L, _T, _S, _C)),
    (Unsaid, (_S,), None, _M._heard, (_L, _T, _C)),
    (Unsaid, (_C,), None, _M._heard, (_E,)),
    (Unsaid, (_L, _P, _T, _I), None, _M._heard, ()),
    ("silence", (_L,), _M._hears_voice, _M._give_it_time, ()),
    ("silence", (_L,), _M._may_ask, _M._ask_whether_there, (_S,)),
    ("silence", (_L,), None, _M._see_off, (_C,)),
    ("wait", (_T,), _M._has_filler, _M._fill, ()),
    ("wait", (_T,), None, _M._give_up, (_S,)),
    ("wait", (_C,), _M._is_unanswered, _M._close_late, (_E,)),
    ("wait", (_G, _S, _C), _M._has_filler, _M._fill, ()),
    ("voice", (*_LIVE, _P), None, _M._voice_lost, (_E,)),
    ("closing", (_C,), None, _M._end_closed, (_E,)),
    ("duration", (_C,), None, _M._hear_out, ()),
    ("duration", (*_OPEN, _P), None, _M._too_long, (_C,)),
)
