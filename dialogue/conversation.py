"""The conversation: what the journal adds up to, and what the model is told of it.

Pure: `apply` folds one entry; the same entries always give the same conversation. `messages`
gives the Converse messages, in which the agent has said exactly what the caller has heard.

Source: Bedrock, Converse, `messages`; specification 001, "Memory Implementation".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Any

from aybiza.dialogue.journal import (
    FAULT,
    REACHED,
    AgentSentence,
    Analysed,
    AnswerComplete,
    Answered,
    CallerSegment,
    CallerTurn,
    Closing,
    Condensed,
    Dialled,
    Ended,
    Entry,
    Interrupted,
    Joined,
    LanguageChanged,
    LineMeasured,
    MenuOpened,
    RecordingConsent,
    Reopened,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
    Transferred,
    Transferring,
    TurnJudged,
)

GREETING_TURN = 0

# What the model is asked when an answer broke off after some of it was spoken: newer models
# refuse a prefilled assistant message, so the request to go on is the caller's side.
CONTINUE = "(Continue exactly from where you stopped, do not repeat.)"


# Before the digest of turns that the model is no longer told of word for word.
EARLIER = "[Earlier in this call, in short:]\n"

# A guardrail looks at the whole history each time, so words that it has stopped once would stop
# every later turn. They stay in the journal; the model is told this in their place.
WITHHELD = "(I said something here that you cannot talk about.)"
SILENCE = "I can't talk about that."
LEFT_OUT = "(left out)"
CUT_OFF = " …"
TURNS_LOOKED_AT = 8
STOPPED_BY_A_FILTER = frozenset({"guardrail_intervened", "content_filtered", "refusal"})
"""The stop reasons of answers that were withheld."""


class Phase(Enum):
    """What the call is doing; `aybiza.dialogue.turns` says what each of them means."""

    GREETING = "greeting"
    LISTENING = "listening"
    EAGER = "eager"
    THINKING = "thinking"
    SPEAKING = "speaking"
    INTERRUPTED = "interrupted"
    CLOSING = "closing"
    ENDED = "ended"


@dataclass(slots=True)
class Turn:
    """A turn: what the caller said, and what the agent has said to it so far.

    `unmarked`: the sentences of `heard` of which only the clock says so; the model is told them as
    cut off, so that nothing is taken for agreed to that may not have been asked. `unsaid`: the
    sentences that no voice has said. `withheld`: a guardrail or a filter has stopped
    the answer, so what was said must not be told to the model again. `cut`: the caller broke in,
    and that was not noise. `resumed`: noise has broken in before. `joined`: the caller has gone on
    before anything of the answer was heard, so its words, and what its tools have done, are in the
    next turn of the caller (`into`). `judged`: how it sounds, and what it is about. `language`: the
    main tag of the one that the caller spoke, where that matters and is known. `menu`: the one
    that was open before it.
    """

    number: int
    caller: str = ""
    language: str = ""
    menu: str = ""
    sentences: dict[int, str] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)
    unmarked: set[int] = field(default_factory=set)
    unsaid: set[int] = field(default_factory=set)
    exchanges: list[ToolExchange] = field(default_factory=list)
    complete: bool = False
    withheld: bool = False
    cut: Interrupted | None = None
    resumed: bool = False
    joined: bool = False
    into: int | None = None
    judged: TurnJudged | None = None

    @property
    def last_seq(self) -> int:
        """The number of the last sentence; 0 when there is none."""
        return max(self.sentences, default=0)

    def unheard(self) -> list[int]:
        """The numbers of the sentences that are to be heard yet, in order."""
        return sorted(set(self.sentences) - self.heard - self.unsaid)

    @property
    def was_heard(self) -> bool:
        """Whether the caller has heard all that was to be said in it."""
        in_doubt = self.joined or self.unsaid or (self.cut is not None and self.unmarked)
        return not (in_doubt or self.unheard())

    def spoken(self, first: int, last: int) -> str:
        """What the caller heard, or is to hear, of the sentences `first` to `last`."""
        return " ".join(filter(None, (self._spoken(seq) for seq in range(first, last + 1))))

    def _spoken(self, seq: int) -> str:
        text = "" if seq in self.unsaid else self.sentences.get(seq, "")
        if text and self.cut is not None and seq in self.unmarked:
            return text + CUT_OFF
        if self.cut is None or seq in self.heard or seq < self.cut.seq:
            return text
        if seq > self.cut.seq:
            return ""
        # By letters: words are not of one length, least of all figures and names.
        until = int(len(text) * self.cut.fraction)
        kept = f"{text} "[: until + 1].rpartition(" ")[0].rstrip()
        return kept + CUT_OFF if kept else ""


@dataclass(slots=True)
class Conversation:
    """See the module. `turns` is in order; turn 0 is the greeting. `condensed`: up to which
    turn the model is told a digest only.

    `closing_to`: whom the call, when it closes, is put through to. `transfer`: whom the caller is
    being put through to, until it is known what came of it. `returned`: how that failed, until the
    agent has spoken of it. `recording`: how the caller has consented to be recorded, or that they
    have not; None: that is open. `faults`: how many lines have failed since the caller heard
    something. `measured`: what was measured on each of its lines; `analysis`: what was made of it
    when it was over.
    `language`: the one that the call has changed to; "": it is the agent's first. `tongues`: what
    was told of the language of each of `segments`.
    `menu`: the way to the menu of keys that is open (`aybiza.dialogue.menus`).
    `dialled`: which attempt to reach somebody the call is, "" if it was not placed by us;
    `answered`: who has answered then, "" while that is open.
    """

    turns: dict[int, Turn] = field(default_factory=dict)
    segments: list[str] = field(default_factory=list)
    tongues: list[str] = field(default_factory=list)
    language: str = ""
    menu: str = ""
    closing: str | None = None
    ended: str | None = None
    condensed: Condensed = field(default_factory=lambda: Condensed(GREETING_TURN, ""))
    _told: dict[int | None, list[dict[str, Any]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    closing_to: str = ""
    transfer: str | None = None
    returned: str | None = None
    faults: int = 0
    recording: str | None = None
    measured: list[dict[str, Any]] = field(default_factory=list)
    analysis: dict[str, Any] | None = None
    dialled: str = ""
    answered: str = ""

    @property
    def turn(self) -> Turn | None:
        """The turn that is going on."""
        return next(reversed(self.turns.values()), None)

    @property
    def phase(self) -> Phase:
        """What the call is doing, read off the turn that is going on."""
        turn = self.turn
        if self.ended is not None:
            return Phase.ENDED
        if turn is None:
            return Phase.LISTENING
        if self.closing is not None:
            return Phase.CLOSING
        if turn.cut is not None:
            return Phase.INTERRUPTED
        if turn.unheard():
            return Phase.GREETING if turn.number == GREETING_TURN else Phase.SPEAKING
        return Phase.LISTENING if turn.complete else Phase.THINKING

    def apply(self, entry: Entry) -> None:
        """Fold one entry of the journal."""
        if type(entry) not in _BESIDE:
            self.take_up()
            self._told.pop(getattr(entry, "turn", None), None)
        _APPLY[type(entry)](self, entry)

    def take_up(self) -> None:
        """It goes on, on another line: a fault of the last one is no end of it."""
        if self.ended == FAULT:
            self.ended = None

    def at(self, number: int) -> Turn:
        """The turn of this number; made if the journal begins in its midst."""
        return self.turns.setdefault(number, Turn(number))

    def worker(self, number: int) -> Turn | None:
        """The turn that has the tools of turn `number`: that one, or the one that it has joined."""
        turn = self.turns.get(number)
        while turn is not None and turn.into is not None:
            turn = self.turns.get(turn.into)
        return turn

    def messages(self, continuing: bool = False) -> list[dict[str, Any]]:
        """The Converse messages up to the turn that is going on.

        With `continuing` the agent has begun to answer it, and is asked to go on behind the last
        sentence that stands in the journal. The messages of earlier turns are the same objects each
        time, so that who makes them ready for a request need not do so again.
        """
        messages: list[dict[str, Any]] = []
        if self.condensed.text:
            messages.append(_text("user", EARLIER + self.condensed.text))
        for number, turn in self.turns.items():
            if number <= self.condensed.turn:
                continue
            of_turn = self.told(turn)
            messages += of_turn
            if continuing and turn is self.turn and of_turn and _is_agents(of_turn[-1]):
                messages.append(_text("user", CONTINUE))
        return messages

    def messages_if(self, text: str) -> list[dict[str, Any]]:
        """The messages, if the caller's next turn were `text`."""
        turn = Turn(max(self.turns, default=GREETING_TURN) + 1, text)
        turn.exchanges = self._of_joined()
        return [*self.messages(), *_told(turn)]

    def _of_joined(self) -> list[ToolExchange]:
        """What the tools of joined turns have done that no turn has yet."""
        joined = (turn for turn in self.turns.values() if turn.joined and turn.into is None)
        return [replace(one, after_seq=0) for turn in joined for one in turn.exchanges]

    def told(self, turn: Turn) -> list[dict[str, Any]]:
        """What the model is told of a turn; the same objects until the turn changes."""
        known = self._told.get(turn.number)
        if known is None:
            known = self._told[turn.number] = _told(turn)
        return known

    def taken_back(self) -> frozenset[int]:
        """The newest turns whose words the caller has not heard to their end, by their numbers."""
        newest = islice(reversed(self.turns.values()), TURNS_LOOKED_AT)
        return frozenset(turn.number for turn in newest if not turn.was_heard)

    def transcript(self) -> list[tuple[str, str]]:
        """Who said what: ("caller" | "agent", text), in order, as far as it was heard."""
        lines: list[tuple[str, str]] = []
        for turn in self.turns.values():
            if turn.caller and not turn.joined:
                lines.append(("caller", turn.caller))
            said = turn.spoken(1, turn.last_seq)
            if said:
                lines.append(("agent", said))
        return lines


class Told(dict[str, Any]):
    """A message of the history. `ready` is for who prepares it for requests, `characters` for who
    measures it; both are None at first."""

    __slots__ = ("characters", "ready")

    def __init__(self, role: str, content: list[dict[str, Any]]) -> None:
        super().__init__(role=role, content=content)
        self.ready: Any = None
        self.characters: int | None = None


def _is_agents(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def _told(turn: Turn) -> list[dict[str, Any]]:
    """A turn as the model is told of it."""
    if turn.joined:
        return []
    if turn.withheld:
        return _without_words(turn)
    messages: list[dict[str, Any]] = [_text("user", turn.caller)] if turn.caller else []
    first = 1
    for exchange in turn.exchanges:
        before = turn.spoken(first, exchange.after_seq)
        uses = [{"text": before}, *exchange.uses] if before else list(exchange.uses)
        messages.append(Told("assistant", uses))
        messages.append(Told("user", list(exchange.results)))
        first = exchange.after_seq + 1
    said = turn.spoken(first, turn.last_seq)
    return [*messages, _text("assistant", said)] if said else messages


def _without_words(turn: Turn) -> list[dict[str, Any]]:
    """A turn that was withheld: which tools were used, but nothing that was said or found."""
    messages = [_text("user", WITHHELD)]
    for exchange in turn.exchanges:
        results = [
            {"toolResult": {**block["toolResult"], "content": [{"text": LEFT_OUT}]}}
            for block in exchange.results
            if "toolResult" in block
        ]
        messages.append(Told("assistant", list(exchange.uses)))
        messages.append(Told("user", results))
    return [*messages, _text("assistant", SILENCE)]


def _text(role: str, text: str) -> dict[str, Any]:
    return Told(role, [{"text": text}])


def _segment(conversation: Conversation, entry: CallerSegment) -> None:
    conversation.segments.append(entry.text)
    conversation.tongues.append(entry.language)


def _caller_turn(conversation: Conversation, entry: CallerTurn) -> None:
    turn = conversation.at(entry.turn)
    turn.caller, turn.language = entry.text, entry.language
    if entry.text:
        turn.menu, conversation.menu = conversation.menu, ""
        conversation.segments.clear()
        conversation.tongues.clear()
        turn.exchanges += conversation._of_joined()
        for joined in conversation.turns.values():
            if joined.joined and joined.into is None:
                joined.into = turn.number
                joined.exchanges = []


def _exchange(conversation: Conversation, entry: ToolExchange) -> None:
    exchanges = conversation.at(entry.turn).exchanges
    for index, known in enumerate(exchanges):
        if known.uses == entry.uses:
            exchanges[index] = entry
            return
    exchanges.append(entry)


def _sentence(conversation: Conversation, entry: AgentSentence) -> None:
    conversation.at(entry.turn).sentences[entry.seq] = entry.text
    conversation.returned = None


def _heard(conversation: Conversation, entry: SentenceHeard) -> None:
    turn = conversation.at(entry.turn)
    turn.heard.add(entry.seq)
    if entry.marked:
        turn.unmarked.discard(entry.seq)
    else:
        turn.unmarked.add(entry.seq)
    conversation.faults = 0


def _unsaid(conversation: Conversation, entry: SentenceUnsaid) -> None:
    conversation.at(entry.turn).unsaid.add(entry.seq)


def _complete(conversation: Conversation, entry: AnswerComplete) -> None:
    turn = conversation.at(entry.turn)
    turn.complete = True
    turn.withheld = entry.stop_reason in STOPPED_BY_A_FILTER


def _interrupted(conversation: Conversation, entry: Interrupted) -> None:
    conversation.at(entry.turn).cut = entry


def _joined(conversation: Conversation, entry: Joined) -> None:
    turn = conversation.at(entry.turn)
    conversation.segments.insert(0, turn.caller)
    conversation.tongues.insert(0, turn.language)
    conversation.menu = turn.menu
    turn.sentences.clear()
    turn.heard.clear()
    turn.unmarked.clear()
    turn.joined = turn.complete = True


def _resumed(conversation: Conversation, entry: Resumed) -> None:
    turn = conversation.at(entry.turn)
    turn.cut, turn.resumed = None, True


def _condensed(conversation: Conversation, entry: Condensed) -> None:
    conversation.condensed = entry


def _closing(conversation: Conversation, entry: Closing) -> None:
    conversation.closing, conversation.closing_to = entry.reason, entry.to


def _reopened(conversation: Conversation, entry: Reopened) -> None:
    conversation.closing = None


def _ended(conversation: Conversation, entry: Ended) -> None:
    conversation.ended = entry.reason
    conversation.faults += entry.reason == FAULT


def _transferring(conversation: Conversation, entry: Transferring) -> None:
    conversation.transfer = entry.to


def _transferred(conversation: Conversation, entry: Transferred) -> None:
    conversation.transfer = None
    if entry.outcome != REACHED:
        conversation.closing = conversation.ended = None
        conversation.returned = entry.outcome


def _menu(conversation: Conversation, entry: MenuOpened) -> None:
    conversation.menu = entry.way


def _language(conversation: Conversation, entry: LanguageChanged) -> None:
    conversation.language = entry.language


def _recording(conversation: Conversation, entry: RecordingConsent) -> None:
    conversation.recording = entry.how


def _judged(conversation: Conversation, entry: TurnJudged) -> None:
    conversation.at(entry.turn).judged = entry


def _measured(conversation: Conversation, entry: LineMeasured) -> None:
    conversation.measured.append(entry.figures)


def _analysed(conversation: Conversation, entry: Analysed) -> None:
    conversation.analysis = entry.analysis


def _dialled(conversation: Conversation, entry: Dialled) -> None:
    conversation.dialled = entry.attempt


def _answered(conversation: Conversation, entry: Answered) -> None:
    conversation.answered = entry.by


_BESIDE = frozenset({TurnJudged, LineMeasured, Analysed})
"""Entries about the conversation: nothing in it goes on by them."""

_APPLY: dict[type[Any], Callable[[Conversation, Any], None]] = {
    CallerSegment: _segment,
    CallerTurn: _caller_turn,
    ToolExchange: _exchange,
    AgentSentence: _sentence,
    SentenceHeard: _heard,
    SentenceUnsaid: _unsaid,
    AnswerComplete: _complete,
    Interrupted: _interrupted,
    Joined: _joined,
    Resumed: _resumed,
    Condensed: _condensed,
    Closing: _closing,
    Reopened: _reopened,
    Ended: _ended,
    Transferring: _transferring,
    Transferred: _transferred,
    LanguageChanged: _language,
    MenuOpened: _menu,
    RecordingConsent: _recording,
    TurnJudged: _judged,
    Dialled: _dialled,
    Answered: _answered,
    LineMeasured: _measured,
    Analysed: _analysed,
}
