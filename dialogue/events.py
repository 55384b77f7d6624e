"""What the turn machine is told and what it orders: plain values.

`Event`s come from the caller's line, the transcriber, the model's answer and the clock; each
carries when it happened (`at`, seconds of the call's clock), which makes no two of them different.
`Command`s are carried out in the order in which they are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from aybiza.dialogue.journal import Entry

TimerName = Literal["silence", "duration", "endpoint", "wait", "voice", "closing", "answering"]


@dataclass(frozen=True, slots=True)
class Happening:
    """What every event has; see the module."""

    at: float = field(default=0.0, kw_only=True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Started(Happening):
    """The line is open. `again`: it broke before, and the caller is back on a new one; `closed`:
    nobody is there at this hour. `before` and `behind` are said around the greeting."""

    again: bool = False
    closed: bool = False
    before: str = ""
    behind: str = ""


@dataclass(frozen=True, slots=True)
class CallerSpeaking(Happening):
    """The recogniser heard the onset of speech."""


@dataclass(frozen=True, slots=True)
class CallerInterim(Happening):
    """Words that may still change."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerSaid(Happening):
    """A final piece of the caller's words, and the language that the recogniser heard, "" if it
    tells none."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class CallerFinished(Happening):
    """The recogniser heard the end of the caller's turn, whose voice ended `seconds` before."""

    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class CallerMayBeDone(Happening):
    """The caller's turn may be over: `text` stands behind what was said in final words."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerGoesOn(Happening):
    """It was not."""


@dataclass(frozen=True, slots=True)
class DigitPressed(Happening):
    """A key of the caller's telephone."""

    digit: str


@dataclass(frozen=True, slots=True)
class ToneHeard(Happening):
    """A steady tone of so many Hz has been heard for so many seconds, and is over."""

    hertz: int
    seconds: float


@dataclass(frozen=True, slots=True)
class AnswerSentence(Happening):
    """The answer to `turn` has its sentence `seq`. `ends`: the stop reason, if that is known to be
    the last one; so an answer that dies behind its last word is not asked to go on."""

    turn: int
    seq: int
    text: str
    ends: str | None = None


@dataclass(frozen=True, slots=True)
class ToolsUsed(Happening):
    """The model of `turn` used tools behind sentence `after_seq`."""

    turn: int
    after_seq: int
    uses: list[dict[str, Any]]
    results: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CloseAsked(Happening):
    """The model asked by a tool to end the call when everything has been said. `to`: for a
    transfer, the name of the destination."""

    turn: int
    reason: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class AnswerFinished(Happening):
    """The answer to `turn` is complete."""

    turn: int
    stop_reason: str


@dataclass(frozen=True, slots=True)
class AnswerFailed(Happening):
    """The answer to `turn` broke off; `error` is for people."""

    turn: int
    error: str


@dataclass(frozen=True, slots=True)
class Heard(Happening):
    """The caller has heard the sentence."""

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class Unsaid(Happening):
    """No voice says the sentence: it is passed over."""

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class TalkStopped(Happening):
    """The line was silenced in sentence `seq` of `turn`, `fraction` (0 to 1) of it played.

    What stands before `seq` in the turn was played in whole.
    """

    turn: int
    seq: int
    fraction: float


@dataclass(frozen=True, slots=True)
class TimerFired(Happening):
    """A timer has run out: one that was started, or `duration`, which counts from the beginning."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class HungUp(Happening):
    """The caller is gone."""


@dataclass(frozen=True, slots=True)
class SpeechTroubled(Happening):
    """The caller cannot be heard for the time being; told again while it lasts. They have been
    quiet for `seconds`."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LineFailed(Happening):
    """The caller cannot be heard or spoken to any more, but perhaps in words that are kept; `what`
    is for people."""

    what: str


Event: TypeAlias = (
    Started
    | CallerSpeaking
    | CallerInterim
    | CallerSaid
    | CallerFinished
    | CallerMayBeDone
    | CallerGoesOn
    | DigitPressed
    | ToneHeard
    | AnswerSentence
    | ToolsUsed
    | CloseAsked
    | AnswerFinished
    | AnswerFailed
    | Heard
    | Unsaid
    | TalkStopped
    | TimerFired
    | HungUp
    | SpeechTroubled
    | LineFailed
)


@dataclass(frozen=True, slots=True)
class Record:
    """Write the entry into the journal before anything that follows is done."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Ask:
    """Have the model answer `turn`, behind sentence `after_seq` of it."""

    turn: int
    after_seq: int


@dataclass(frozen=True, slots=True)
class AskEagerly:
    """Have the model begin to answer `turn`, in case it will be `text`. Nothing of the answer is
    told, and no tool runs, before `Ask` for that turn takes it."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class DropEager:
    """What was begun by `AskEagerly` is not wanted."""

    turn: int


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """The answer to `turn` is not wanted any more."""

    turn: int


@dataclass(frozen=True, slots=True)
class Say:
    """Speak the sentence, behind all that were given before it; `seq` 0: words that stand in no
    history."""

    turn: int
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class SayAll:
    """Everything of `turn` that is to be said has been given: speak it to its end."""

    turn: int


@dataclass(frozen=True, slots=True)
class StopTalking:
    """Silence the line, and tell by `TalkStopped`, next of all events, where `turn` was cut.

    It stands first among the commands. If nothing of the turn was being played, it was cut at the
    begin of sentence `seq`.
    """

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class DropAside:
    """Words that are in no history are not needed any more, unless they are being heard."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start the timer, or start it anew, to fire in `seconds`.

    `wait` and `voice` count the silence that the caller hears: what is played on the line holds
    `wait` up, and stops `voice` for good.
    """

    name: TimerName
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the timer, if it runs."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class SpeakIn:
    """Hear and speak this language from now on."""

    language: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """The call is over."""

    reason: str


Command: TypeAlias = (
    Record
    | Ask
    | AskEagerly
    | DropEager
    | CancelAnswer
    | Say
    | SayAll
    | StopTalking
    | DropAside
    | StartTimer
    | StopTimer
    | SpeakIn
    | EndCall
)
