"""Faults on demand: one table of what can go wrong with Deepgram, and the faults that wait.

`KINDS` is the table: each kind with the doors at which it can strike, its parameters and its
meaning. There are three groups. A `refuse` meets a handshake; a fault of a socket is taken by the
next socket of its door and strikes `after` seconds of its life; a fault of what is said strikes
whenever the thing happens that it is about. Each strikes `times` times (None: always), and only
sockets whose session id matches `session`.

Errors: `ValueError` for a fault that there cannot be, naming what is allowed and, for a misspelt
name, the nearest ones.
Source: Deepgram, close codes and error codes of the streaming endpoints.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any, Literal, Protocol, cast, get_args

Door = Literal["listen", "flux", "speak"]
Group = Literal["handshake", "socket", "said"]
DOORS: tuple[Door, ...] = get_args(Door)

REFUSAL_STATUS = 503
CLOSE_CODE = 1011
MOST_SECONDS = 86_400.0

_FIRST_ERROR = 400
_REFUSALS = frozenset(status.value for status in HTTPStatus if status.value >= _FIRST_ERROR)
# Those that may stand in a close frame.
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. `parameters` are those beside door, kind, times and session."""

    group: Group
    doors: tuple[Door, ...]
    parameters: tuple[str, ...]
    meaning: str


_ANY = DOORS
_HEARD: tuple[Door, ...] = ("listen",)
_FLUX: tuple[Door, ...] = ("flux",)
_SPOKEN: tuple[Door, ...] = ("speak",)

KINDS: dict[str, Kind] = {
    "refuse": Kind("handshake", _ANY, ("code",), "the handshake is answered with HTTP status code"),
    "close": Kind("socket", _ANY, ("code", "after"), "the socket is closed with this code"),
    "abort": Kind("socket", _ANY, ("after",), "the connection is cut without a close"),
    "stall": Kind("socket", _ANY, ("after",), "nothing is sent any more, and nothing is closed"),
    "unknown": Kind("socket", _ANY, ("after",), "a message of an unknown type is sent"),
    "malformed": Kind("socket", _ANY, ("after",), "a message that is not JSON is sent"),
    "message": Kind("socket", _ANY, ("after", "text"), "the message that text holds is sent"),
    "no_final": Kind(
        "said", _HEARD, ("text",), "words stay interim: only Finalize makes them final"
    ),
    "late_final": Kind("said", _HEARD, ("seconds", "text"), "a final comes so much later"),
    "double_final": Kind("said", _HEARD, ("text",), "a final comes twice"),
    "no_finalize": Kind("said", _HEARD, (), "Finalize is not answered"),
    "stale_utterance_end": Kind(
        "said", _HEARD, (), "behind newer interim words an UtteranceEnd comes for the older ones"
    ),
    "no_utterance_end": Kind("said", _HEARD, (), "an UtteranceEnd does not come"),
    "unknown_word_end": Kind("said", _HEARD, (), "an UtteranceEnd has a last_word_end of -1"),
    "low_confidence": Kind(
        "said", ("listen", "flux"), ("value", "text"), "words have a confidence of value (0 to 1)"
    ),
    "repeat_interim": Kind(
        "said", _HEARD, ("seconds", "text"), "the same interim comes again every so many seconds"
    ),
    "no_end_of_turn": Kind("said", _FLUX, ("text",), "an EndOfTurn does not come"),
    "late_end_of_turn": Kind("said", _FLUX, ("seconds", "text"), "an EndOfTurn comes later"),
    "resume": Kind("said", _FLUX, ("text",), "an EagerEndOfTurn is taken back by a TurnResumed"),
    "refuse_text": Kind("said", _SPOKEN, ("code", "text"), "a Speak of text closes the socket"),
    "never_say": Kind(
        "said", _SPOKEN, ("text",), "a flush of text is never answered, nor what is behind it"
    ),
    "skip_text": Kind("said", _SPOKEN, ("text",), "a sentence with text makes no sound"),
    "slow": Kind("said", _SPOKEN, ("seconds", "text"), "a flush's first audio comes later"),
    "no_flushed": Kind("said", _SPOKEN, ("text",), "a flush is spoken, but Flushed does not come"),
    "early_flushed": Kind(
        "said", _SPOKEN, ("seconds", "text"), "Flushed comes so long ahead of the last audio"
    ),
    "pause": Kind(
        "said", _SPOKEN, ("seconds", "text"), "in the midst of a flush nothing comes for so long"
    ),
    "double_flushed": Kind("said", _SPOKEN, ("text",), "Flushed comes twice"),
    "no_cleared": Kind("said", _SPOKEN, (), "a Clear is obeyed, but Cleared does not come"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """See the module.

    `code`: an HTTP status for `refuse`, else a close code. `after`: seconds of the socket's life.
    `text`: only what contains it is struck ("" any); for `message` what is sent. `seconds`: how
    much later, or how often. `value`: a confidence. `times`: how often it strikes, None always.
    `session`: a glob over the `x-deepgram-session-id`.
    """

    door: Door
    kind: str
    code: int = CLOSE_CODE
    after: float = 0.0
    text: str = ""
    seconds: float = 1.0
    value: float = 0.0
    times: int | None = 1
    session: str = "*"

    def __post_init__(self) -> None:
        if self.door not in DOORS:
            raise ValueError(_not_among("door", self.door, DOORS))
        kinds = [name for name, kind in KINDS.items() if self.door in kind.doors]
        if self.kind not in kinds:
            raise ValueError(_not_among("kind", self.kind, kinds))
        for name in ("after", "seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= MOST_SECONDS):
                raise ValueError(f"{name} is a number of seconds from 0, not {value}")
        if not 0 <= self.value <= 1:
            raise ValueError(f"value is a number from 0 to 1, not {self.value}")
        if self.times is not None and self.times < 1:
            raise ValueError(
                f"times is a whole number from 1, or null for always, not {self.times}"
            )
        if self.kind == "refuse" and self.code not in _REFUSALS:
            raise ValueError(f"the code of a refusal is an HTTP status from 400, not {self.code}")
        if self.kind in ("close", "refuse_text") and self.code not in _CLOSE_CODES:
            raise ValueError(f"code is a close code that may be sent, not {self.code}")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Strike(Protocol):
    """Whether something goes wrong with what is being said now; it counts as struck once."""

    def __call__(self, kind: str, text: str, /) -> Fault | None: ...


def never(kind: str, text: str, /) -> Fault | None:
    """Nothing goes wrong."""
    return None


def fault(door: str, kind: str, code: str | None = None, after: str | None = None) -> Fault:
    """The fault that words describe."""
    members = {"door": door, "kind": kind, "code": code, "after": after}
    return from_words({name: word for name, word in members.items() if word is not None})


def from_words(words: Mapping[str, str]) -> Fault:
    """The fault that words describe, as they stand in a query; `times` may be `all`."""
    members: dict[str, Any] = dict(words)
    for name in ("after", "seconds", "value"):
        if name in words:
            members[name] = number(name, words[name])
    for name in ("code", "times"):
        if name in words and not (name == "times" and words[name] == "all"):
            members[name] = _whole(name, words[name])
    if words.get("times") == "all":
        members["times"] = None
    return from_json(members)


def from_json(members: object) -> Fault:
    """The fault that a JSON object describes. Parameters that its kind has not are refused."""
    if not isinstance(members, Mapping):
        raise ValueError(f"a fault is a JSON object, not {members!r:.80}")
    door, name = str(members.get("door", "")), str(members.get("kind", ""))
    probe = Fault(cast(Door, door), name, REFUSAL_STATUS if name == "refuse" else CLOSE_CODE)
    allowed = ["door", "kind", *KINDS[name].parameters, "times", "session"]
    for member in members:
        if member not in allowed:
            raise ValueError(_not_among(f"the parameter of {name}", str(member), allowed))
    given = {
        field.name: members.get(field.name, getattr(probe, field.name)) for field in fields(Fault)
    }
    for member, kinds in _TYPES.items():
        if isinstance(given[member], bool) or not isinstance(given[member], kinds):
            raise ValueError(f"{member} cannot be {given[member]!r:.80}")
    return Fault(**given)


_TYPES: dict[str, tuple[type, ...]] = {
    "code": (int,),
    "after": (int, float),
    "text": (str,),
    "seconds": (int, float),
    "value": (int, float),
    "times": (int, type(None)),
    "session": (str,),
}


def number(name: str, text: str) -> float:
    """The number that `text` says; `name` is for the error."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text!r}") from None


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is a whole number, not {text!r}") from None


def _not_among(what: str, given: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = difflib.get_close_matches(given, names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{what} is one of {', '.join(names)}, not {given[:80]!r}{hint}"


class Faults:
    """The faults that wait to be taken, in order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, list[int]]] = []

    def add(self, *faults: Fault) -> None:
        """Have the faults wait behind the others."""
        self._waiting += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """The faults that are not used up, oldest first."""
        return [fault for fault, _ in self._waiting]

    def take(self, door: Door, refusing: bool, session: str = "") -> Fault | None:
        """The next fault of `door`: a refusal, or one for an open socket."""
        group: Group = "handshake" if refusing else "socket"
        return self._take(lambda f: f.door == door and KINDS[f.kind].group == group, session)

    def strike(self, door: Door, session: str) -> Strike:
        """What goes wrong with what is said on one socket."""

        def struck(kind: str, text: str, /) -> Fault | None:
            return self._take(
                lambda f: f.door == door and f.kind == kind and f.text in text, session
            )

        return struck

    def _take(self, wanted: Any, session: str) -> Fault | None:
        for entry in self._waiting:
            fault, struck = entry
            if wanted(fault) and fnmatchcase(session, fault.session):
                struck[0] += 1
                if struck[0] == fault.times:
                    self._waiting.remove(entry)
                return fault
        return None
