"""The journal of a call: what happened, in order, as it is kept in memory and on disk.

An entry is written before what it stands for is acted on, so a conversation can be taken up from
its journal alone, by a restarted actor or by another node. Entries only ever get appended.

`encode` makes a JSON-able dict of an entry, `decode` reads it back; a dict of an unknown type (of
a newer version), or with values that no entry has, decodes to None and is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

# The caller could not be heard, or spoken to, any more. A carrier that comes back on its own finds
# the conversation as it was.
FAULT = "fault"
# The caller is put through to somebody else, and that person was reached.
TRANSFER = "transfer"
# Nobody is there at this hour.
CLOSED = "closed"
# The message is left on the machine that has answered a call of ours.
VOICEMAIL = "voicemail"
REACHED = "completed"
# How a caller has consented to be recorded, or has not.
TOLD = "told"
AGREED = "agreed"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CallerSegment:
    """A final piece of what the caller is saying; the turn goes on. `language`: what the recogniser
    has told of it, of an agent that speaks several."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """The caller has finished: turn `turn`, in whole. An empty text is a turn the agent begins.
    `language`: the main tag of the one it is in, where that matters and is known."""

    turn: int
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ToolExchange:
    """The model used tools: its content blocks `uses`, and the `results` it was given.

    `after_seq` is the number of the last sentence before it. A later entry of the same uses takes
    the place of an earlier one, whose results were not known yet.
    """

    turn: int
    after_seq: int
    uses: list[dict[str, Any]]
    results: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AgentSentence:
    """A sentence handed on to be spoken; `seq` counts from 1 in its turn."""

    turn: int
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class SentenceHeard:
    """The caller has heard all of the sentence.

    `marked`: the carrier has said so. Else only the clock has, when the line was silenced, and the
    carrier may have played less.
    """

    turn: int
    seq: int
    marked: bool = True


@dataclass(frozen=True, slots=True)
class SentenceUnsaid:
    """No voice has said the sentence, and none will: the caller has not heard it."""

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class AnswerComplete:
    """There will be no further sentence in the turn."""

    turn: int
    stop_reason: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller broke in during sentence `seq`, when `fraction` of it had been played.

    A number below 1 is of words beside the answer, whose sentences then are all unheard.
    """

    turn: int
    seq: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Joined:
    """The caller went on before anything of the answer to `turn` was heard: its words belong to the
    next turn, and its answer was never given. What its tools have done is done."""

    turn: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The interruption was noise; the agent goes on with what was not heard."""

    turn: int


@dataclass(frozen=True, slots=True)
class Condensed:
    """From now on the model is told of the turns up to `turn` by the digest `text` only."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The call ends as soon as everything has been heard; `reason` as in `Ended`. `to`: for a
    transfer, the name of the destination."""

    reason: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Reopened:
    """The caller has something else to say: the call does not close."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: `hangup`, `goodbye`, `transfer`, `silence`, `duration` or `closed`; of one
    that was placed, `machine` or `VOICEMAIL`; or its line is, by `FAULT`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Transferring:
    """The caller is put through to the destination of this name; `Ended` follows, for the agent."""

    to: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """What came of it, see `aybiza.dialogue.transfer`. Unless the person was reached, the
    conversation goes on."""

    to: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LanguageChanged:
    """From here on the call is in this language, one of those that the agent speaks."""

    language: str


@dataclass(frozen=True, slots=True)
class MenuOpened:
    """The menu of keys at the end of this way is open, until the caller speaks."""

    way: str


@dataclass(frozen=True, slots=True)
class RecordingConsent:
    """The caller was told that the call is recorded (`TOLD`), has agreed to it (`AGREED`), or has
    not when asked (`REFUSED`)."""

    how: str


@dataclass(frozen=True, slots=True)
class TurnJudged:
    """How turn `turn` of the caller sounds, -100 to 100 (`aybiza.dialogue.mood`), None: nobody has
    looked; and what it is about, "": nothing that the agent's file names."""

    turn: int
    mood: int | None = None
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """The agent has placed this call; `attempt`: which of the node's ledger of such calls it is."""

    attempt: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Who has answered a call that was placed, `human`, `machine` or `unknown`, and what tells it,
    in a word of `aybiza.dialogue.outbound`."""

    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class LineMeasured:
    """What was measured on a line of the call that has ended: numbers only, as
    `aybiza.speech.line_figures` tells them."""

    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Analysed:
    """What was made of the call when it was over (`aybiza.actors.call.analysis_actor`)."""

    analysis: dict[str, Any]


Entry: TypeAlias = (
    CallerSegment
    | CallerTurn
    | ToolExchange
    | AgentSentence
    | SentenceHeard
    | SentenceUnsaid
    | AnswerComplete
    | Interrupted
    | Joined
    | Resumed
    | Condensed
    | Closing
    | Reopened
    | Ended
    | Transferring
    | Transferred
    | LanguageChanged
    | MenuOpened
    | RecordingConsent
    | TurnJudged
    | Dialled
    | Answered
    | LineMeasured
    | Analysed
)

_TYPES: dict[str, type[Any]] = {
    "caller_segment": CallerSegment,
    "caller_turn": CallerTurn,
    "tool_exchange": ToolExchange,
    "agent_sentence": AgentSentence,
    "sentence_heard": SentenceHeard,
    "sentence_unsaid": SentenceUnsaid,
    "answer_complete": AnswerComplete,
    "interrupted": Interrupted,
    "joined": Joined,
    "resumed": Resumed,
    "condensed": Condensed,
    "closing": Closing,
    "reopened": Reopened,
    "ended": Ended,
    "transferring": Transferring,
    "transferred": Transferred,
    "language_changed": LanguageChanged,
    "menu_opened": MenuOpened,
    "recording_consent": RecordingConsent,
    "turn_judged": TurnJudged,
    "dialled": Dialled,
    "answered": Answered,
    "line_measured": LineMeasured,
    "analysed": Analysed,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}

MOST: Final = 1_000_000
"""No call has as many turns, and no turn as many sentences."""


def _is_content(value: Any) -> bool:
    """Whether it is a list of Converse's content blocks, as far as it is looked into."""
    return isinstance(value, list) and all(
        isinstance(block, dict)
        and all(isinstance(block.get(name, {}), dict) for name in ("toolUse", "toolResult"))
        for block in value
    )


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: type(value) is int and -MOST <= value <= MOST,
    "int | None": lambda value: value is None or _FITS["int"](value),
    "dict[str, Any]": lambda value: isinstance(value, dict),
    "float": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "bool": lambda value: isinstance(value, bool),
    "list[dict[str, Any]]": _is_content,
}
"""By the type that a field is written with; a store holds what others may have put there."""


_LASTING: Final = frozenset((str, int, float, bool, type(None)))


def encode(entry: Entry) -> dict[str, Any]:
    """The entry as a JSON-able dict with its `type`."""
    body: dict[str, Any] = {"type": _NAMES[type(entry)]}
    for name in entry.__dataclass_fields__:
        value = getattr(entry, name)
        body[name] = value if type(value) in _LASTING else deepcopy(value)
    return body


def decode(body: dict[str, Any]) -> Entry | None:
    """The entry that `encode` made `body` of; None if this version does not know it."""
    name = body.get("type")
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    known = kind.__dataclass_fields__
    fields = {name: value for name, value in body.items() if name in known}
    if not all(_FITS[known[name].type](value) for name, value in fields.items()):
        return None
    try:
        entry: Entry = kind(**fields)
    except TypeError:
        return None
    return entry
