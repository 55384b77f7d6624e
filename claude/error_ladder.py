"""The error ladder: what is tried next when a model does not answer, until something is said.

    ladder = ErrorLadder(Rungs(models, regions), began=now, seconds=20.0, chance=random.random)
    attempt = ladder.begin(now)
    …                                        # the request of `attempt`
    step = ladder.failed(error.kind, now, spoken=something_was_said)
    match step:
        case Attempt():                      # wait `step.wait`, then try this
        case LastWords():                    # nothing is left: say a cached or generic answer

Contract: pure; clock and chance are handed in. What a kind of error is answered with is a row of
`LADDER`: steps in their order, of which the first is taken that leads to a request not made yet.
A whole answer has so many `seconds`, requests for tool rounds included; an attempt gets a share of
what is left, so that the last one still has time to say something, and more behind one that was too
slow, as long as the call knows of none in time. The ladder always ends: no
request is made twice but for the steps `SAME` and `BACK_OFF`, which have their own bounds. The
second one may follow at once; before further ones there is always a wait. A model that asks to be
left alone is, there: what may be tried in its place is, and it is waited for only where it asks for
little. All ladders of a call share its `Attempts`.
`handle_bedrock_error` and `throttling_fallback` are a step of it for who asks one at a time, by the
specification's rules or a call's.
Errors: `KeyError` for a context without the keys that `throttling_fallback` needs.
Source: specification 000, `handle_bedrock_error`; 001, "Error Handling"; Bedrock runtime errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal

from aybiza.claude.attempts import Attempts
from aybiza.claude.elixir import truthy
from aybiza.claude.errors import BedrockError, ErrorKind, kind_of_code
from aybiza.claude.models import ModelProfile, downwards, profile_of
from aybiza.config.catalogue import TIERS
from aybiza.config.rule_sets import BEDROCK_GUIDE, Rules

FIRST_EVENT_SHARE: Final = 0.4
"""The share of what is left that an attempt may take until its first event …"""
FIRST_EVENT_SECONDS: Final = 6.0
"""… and never more than that."""
SILENCE_SHARE: Final = 0.4
SILENCE_SECONDS: Final = 6.0
"""The same for a stream that falls silent in its midst."""
SLOW_SHARE: Final = 0.8
SLOW_SECONDS: Final = 10.0
"""Both, where the attempt before was too slow: a service that is slow each time would else never be
heard."""
LEAST_SECONDS: Final = 0.5
"""With less than that left no request is made."""
FAST_ATTEMPTS: Final = 2
"""What goes on without a wait …"""
MOST_ATTEMPTS: Final = 8
"""… and at most, in a row without an answer."""
BACKOFF_SECONDS: Final = 0.1
MOST_BACKOFF_SECONDS: Final = 1.0
MOST_BACKOFFS: Final = 4
MOST_ASKED_SECONDS: Final = 4.0
"""So long a model is waited for that asks to be left alone: who waits hears fillers meanwhile."""
MOST_HALVINGS: Final = 4
"""Of a history that is too long, in one answer."""


class Step(StrEnum):
    """One way to go on."""

    FALLBACK_MODEL = "fallback_model"
    FASTER_MODEL = "faster_model"
    OTHER_REGION = "other_region"
    REPAIR = "repair"
    SHORTEN = "shorten"
    SAME = "same"
    LAST_MODEL = "last_model"
    BACK_OFF = "back_off"


@dataclass(frozen=True, slots=True)
class Row:
    """What an error is answered with.

    `waits`: whether a wait with jitter goes before any next attempt (before `BACK_OFF`, and before
    whatever follows the second, one always does). `counts`: whether the error is held against the
    model.
    """

    steps: tuple[Step, ...]
    waits: bool = False
    counts: bool = True


Trouble = ErrorKind | Literal["lost_before", "lost_after"]

_MODEL, _FASTER, _REGION = Step.FALLBACK_MODEL, Step.FASTER_MODEL, Step.OTHER_REGION
_AGAIN, _LAST = Step.BACK_OFF, Step.LAST_MODEL

LADDER: Final[Mapping[Trouble, Row]] = {
    ErrorKind.THROTTLING: Row((_MODEL, _REGION, _LAST, _AGAIN), waits=True),
    ErrorKind.NOT_READY: Row((_MODEL, _REGION, _LAST, _AGAIN)),
    ErrorKind.UNAVAILABLE: Row((_REGION, _MODEL, _LAST, _AGAIN)),
    # A request that is refused says nothing about the model; others may take it as it is.
    ErrorKind.VALIDATION: Row((Step.REPAIR, _MODEL, _LAST), counts=False),
    # The same history is too long for others, too.
    ErrorKind.TOO_LONG: Row((Step.SHORTEN,), counts=False),
    ErrorKind.ACCESS_DENIED: Row((_MODEL, _REGION, _LAST)),
    ErrorKind.NOT_FOUND: Row((_MODEL, _REGION, _LAST)),
    ErrorKind.TIMEOUT: Row((_FASTER, _REGION, _MODEL, _LAST)),
    ErrorKind.STREAM_ERROR: Row((_MODEL, _REGION, _LAST, _AGAIN)),
    # The connection broke before anything was said: most likely one that had grown old.
    "lost_before": Row((Step.SAME, _REGION, _MODEL, _LAST, _AGAIN)),
    # In mid-answer: the caller is listening to what there is, so there is time to wait a little.
    "lost_after": Row((Step.SAME, _REGION, _MODEL, _LAST, _AGAIN), waits=True),
    ErrorKind.BREAKER_OPEN: Row((_MODEL, _LAST), counts=False),
    # Our own threads: every model and region of Bedrock's waits for the same ones.
    ErrorKind.BUSY: Row((_AGAIN, _LAST), counts=False),
    ErrorKind.CANCELLED: Row((), counts=False),
    ErrorKind.UNKNOWN: Row((_MODEL, _REGION, _LAST)),
}
_LOST: Final = (ErrorKind.TRANSPORT, ErrorKind.CUT)


def row_of(kind: ErrorKind, *, spoken: bool) -> Row:
    """The row of an error after which something of the answer has, or has not, been said."""
    if kind in _LOST:
        return LADDER["lost_after" if spoken else "lost_before"]
    return LADDER[kind]


def counts_against_model(kind: ErrorKind, *, repaired: bool = False) -> bool:
    """Whether the circuit breaker of the model is to hear of it as a failure. A model that refuses
    a `repaired` request too refuses them all."""
    return row_of(kind, spoken=False).counts or (kind is ErrorKind.VALIDATION and repaired)


@dataclass(frozen=True, slots=True)
class Rungs:
    """What there is to try.

    `models` in the order of preference, the chosen one first; `regions` likewise, None for the
    client's own. `speed` tells how fast a model is, for "a faster one"; equals stay in order.
    `last`: one of another service, which has no regions, to be asked when none of them answers.
    """

    models: Sequence[str]
    regions: Sequence[str | None] = (None,)
    speed: Mapping[str, float] = field(default_factory=dict)
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to make, after `wait` seconds.

    `seconds`: for the whole of it; `first_event_seconds`, `silence_seconds`: until its first event,
    and between two. `repair`: leave out all that a model may refuse; `shorter`: how many times the
    history is to be halved. `step`: how it came to this.
    """

    number: int
    model: str
    region: str | None
    seconds: float
    first_event_seconds: float
    silence_seconds: float
    wait: float = 0.0
    repair: bool = False
    shorter: int = 0
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class LastWords:
    """Nothing is left to try: say what there is to say without a model."""

    kind: ErrorKind
    attempts: int


@dataclass(frozen=True, slots=True)
class _Place:
    model: str
    region: str | None
    repaired: bool = False
    shorter: int = 0


def _door(place: _Place) -> tuple[str, str | None]:
    """Who is asked: whatever of the request is left out or shortened."""
    return place.model, place.region


# The last model has nobody behind it: what it cannot do, those before it are asked once more.
_OF_LAST: Final = (Step.REPAIR, Step.SHORTEN)
_BEHIND_LAST: Final = (_MODEL, _AGAIN)


class ErrorLadder:
    """The attempts of one answer. `chance` gives numbers from 0 to 1; `attempts` are the call's."""

    def __init__(
        self,
        rungs: Rungs,
        *,
        began: float,
        seconds: float,
        chance: Callable[[], float],
        attempts: Attempts | None = None,
    ) -> None:
        self._rungs = rungs
        self._call = attempts or Attempts()
        self._until = began + seconds
        self._chance = chance
        self._here = self._before_last = _Place(rungs.models[0], rungs.regions[0])
        self._tried: list[_Place] = []
        self._not_before: dict[tuple[str, str | None], float] = {}
        self._repeats = 0
        self._waits = 0
        self._number = 0

    @property
    def attempts(self) -> int:
        """How many attempts there were in the whole answer."""
        return self._number

    def left(self, now: float) -> float:
        """Seconds until the answer has to be over."""
        return self._until - now

    def begin(self, now: float) -> Attempt | LastWords:
        """The next request: the first one of the answer, or of a round of tools. It goes where the
        last one was answered."""
        self._tried = []
        self._repeats = self._waits = 0
        return self._attempt(self._here, now, 0.0, None)

    def failed(
        self, kind: ErrorKind, now: float, *, spoken: bool, asked: float = 0.0
    ) -> Attempt | LastWords:
        """What to do after the attempt under way failed. `spoken`: whether something of the model's
        answer has been said; `asked`: for so many seconds the model asks to be left alone there."""
        if kind is ErrorKind.TIMEOUT:
            self._call.slow = True
        row = row_of(kind, spoken=spoken)
        if asked:
            self._not_before[_door(self._here)] = now + asked
        for step in self._steps(row):
            place = self._place(step)
            if place is not None and self._left_alone(place, now) <= MOST_ASKED_SECONDS:
                soon = len(self._tried) < FAST_ATTEMPTS and step is not Step.BACK_OFF
                wait = 0.0 if soon and not row.waits else self._wait()
                return self._attempt(place, now, wait, step, kind)
        return LastWords(kind, self._number)

    def _steps(self, row: Row) -> tuple[Step, ...]:
        if self._is_last(self._here):
            own = tuple(step for step in row.steps if step in _OF_LAST)
            # What passes by itself may have passed by now, and there is no other like it.
            again = (Step.SAME,) if _AGAIN in row.steps else ()
            return (*own, *again, *_BEHIND_LAST) if row.steps else ()
        # However many models there are: the last one has its turn.
        if len(self._tried) >= MOST_ATTEMPTS - 1 and _LAST in row.steps:
            return (_LAST, *row.steps)
        return row.steps

    def _attempt(
        self,
        place: _Place,
        now: float,
        wait: float,
        step: Step | None,
        kind: ErrorKind = ErrorKind.TIMEOUT,
    ) -> Attempt | LastWords:
        wait = max(
            wait, self._call.wait(now, again=bool(self._tried)), self._left_alone(place, now)
        )
        left = self._until - now - wait
        if left < LEAST_SECONDS or len(self._tried) >= MOST_ATTEMPTS:
            return LastWords(kind, self._number)
        if not self._is_last(place):
            self._before_last = place
        self._here = place
        self._tried.append(place)
        self._number += 1
        return Attempt(
            number=self._number,
            model=place.model,
            region=place.region,
            seconds=left,
            # Behind the last model there is nobody to save time for.
            first_event_seconds=left
            if self._is_last(place)
            else self._patience(FIRST_EVENT_SHARE, FIRST_EVENT_SECONDS, left),
            silence_seconds=self._patience(SILENCE_SHARE, SILENCE_SECONDS, left),
            wait=wait,
            repair=place.repaired,
            shorter=place.shorter,
            step=step,
        )

    def _left_alone(self, place: _Place, now: float) -> float:
        """For how long a model is still to be left alone there."""
        return max(0.0, self._not_before.get(_door(place), now) - now)

    def _patience(self, share: float, most: float, left: float) -> float:
        if self._call.slow:
            share, most = SLOW_SHARE, SLOW_SECONDS
        return max(LEAST_SECONDS, min(most, share * left))

    def _place(self, step: Step) -> _Place | None:
        """Where the step leads, if that has not been tried."""
        here, rungs = self._here, self._rungs
        match step:
            case Step.SAME:
                return here if self._tried.count(here) == 1 else None
            case Step.BACK_OFF:
                self._repeats += 1
                return self._before_last if self._repeats <= MOST_BACKOFFS else None
            case Step.LAST_MODEL:
                last = rungs.last
                return self._new([_Place(last, None, shorter=here.shorter)] if last else [])
            case Step.REPAIR:
                return self._new([replace(here, repaired=True)])
            case Step.SHORTEN:
                shorter = here.shorter + 1
                return replace(here, shorter=shorter) if shorter <= MOST_HALVINGS else None
            case Step.OTHER_REGION:
                return self._new([replace(here, region=region) for region in rungs.regions])
            case Step.FALLBACK_MODEL:
                return self._new(self._others(rungs.models))
            case Step.FASTER_MODEL:
                speed = rungs.speed.get(here.model, 0.0)
                faster = [m for m in rungs.models if rungs.speed.get(m, 0.0) > speed]
                faster.sort(key=lambda model: -rungs.speed[model])
                return self._new(self._others(faster))

    def _others(self, models: Sequence[str]) -> list[_Place]:
        """These models here, and then elsewhere; ones that have failed at all come last."""
        here, regions = self._before_last, self._rungs.regions
        failed = {place.model for place in self._tried}
        ordered = sorted(
            (model for model in models if model != here.model), key=lambda model: model in failed
        )
        near = [_Place(model, here.region, shorter=here.shorter) for model in ordered]
        return near + [
            _Place(m, r, shorter=here.shorter) for m in ordered for r in regions if r != here.region
        ]

    def _is_last(self, place: _Place) -> bool:
        return place.model == self._rungs.last

    def _new(self, places: Sequence[_Place]) -> _Place | None:
        return next((place for place in places if place not in self._tried), None)

    def _wait(self) -> float:
        """Exponential, between half of it and all of it."""
        whole = min(MOST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2.0**self._waits)
        self._waits += 1
        return whole * (0.5 + 0.5 * self._chance())


# The specification's names for the first step of a row.
_NAMES: Final[Mapping[Step, str]] = {
    Step.FALLBACK_MODEL: "use_alternative_model_in_region",
    Step.OTHER_REGION: "switch_to_fallback_region",
    Step.REPAIR: "fix_payload_and_retry",
    Step.FASTER_MODEL: "switch_to_faster_model_and_retry",
}
# What the specification answers at all; any other error ends in words.
_SPECIFIED: Final = (
    "ThrottlingException",
    "ModelNotReadyException",
    "ServiceUnavailableException",
    "ValidationException",
)


def handle_bedrock_error(
    result: tuple[str, object],
    context: Mapping[str, Any] | None = None,
    *,
    rules: Rules = "specification",
) -> str:
    """The name of the step after a result `("error", reason)` or `("ok", value)`.

    reason: a mapping with Bedrock's error `type`, the word "timeout", or a `BedrockError`. The
    specification knows four types, letter by letter, and has the same first steps as a call, which
    knows them all. Steps without a name there have their own (`Step`).

    >>> handle_bedrock_error(("error", {"type": "ThrottlingException"}), {})
    'handle_throttling_with_model_fallback'
    >>> handle_bedrock_error(("error", {"type": "accessDeniedException"}), {}, rules="call")
    'use_alternative_model_in_region'
    """
    kind = _kind(result, rules)
    row = None if kind is None else row_of(kind, spoken=False)
    if row is None or not row.steps:
        return "use_cached_or_generic_response"
    if kind is ErrorKind.THROTTLING:
        return "handle_throttling_with_model_fallback"
    return _NAMES.get(row.steps[0], row.steps[0].value)


_CLAUDE_4_NAMES: Final = {
    "handle_throttling_with_model_fallback": "use_fallback_model",
    "use_alternative_model_in_region": "retry_in_alternate_region",
    "fix_payload_and_retry": "fix_and_retry",
}


def handle_claude4_errors(error: tuple[str, object]) -> str:
    """The Claude 4 guide's name of the step after `("error", "ThrottlingException")` and its like.

    >>> handle_claude4_errors(("error", "ValidationException"))
    'fix_and_retry'
    """
    kind, reason = error
    step = handle_bedrock_error((kind, {"type": reason}))
    return _CLAUDE_4_NAMES.get(step, "use_cached_response_or_default")


def _kind(result: tuple[str, object], rules: Rules) -> ErrorKind | None:
    match result:
        case ("error", BedrockError(kind=kind)):
            return kind
        case ("error", {"type": str(code)}):
            return kind_of_code(code) if rules == "call" or code in _SPECIFIED else None
        case ("error", "timeout"):
            return ErrorKind.TIMEOUT
    return None


_GUIDES_CHAIN: Final = tuple(map(profile_of, BEDROCK_GUIDE))


def throttling_fallback(
    context: Mapping[str, Any], *, models: Sequence[ModelProfile] = _GUIDES_CHAIN
) -> dict[str, Any]:
    """`current_model` and `retry_count` of a context after one throttled attempt: the next model of
    the chain, which goes down a tier at a time, and stays at its end.

    models: the chain; the Bedrock guide's unless a call's are given. A model that is not among them
    goes to the end at once; a retry count of None counts as 0.

    >>> throttling_fallback(
    ...     {"current_model": "anthropic.claude-3-7-sonnet-20250219-v1:0", "retry_count": None})
    {'current_model': 'anthropic.claude-3-5-sonnet-20241022-v2:0', 'retry_count': 1}
    """
    asked, retries = context["current_model"], context["retry_count"]
    last = min(models, key=_tier)
    current = next((profile for profile in models if profile.id == asked), None)
    following = last if current is None else current
    if current is not None:
        below = [each for each in downwards(models, current)[1:] if _tier(each) <= _tier(current)]
        following = below[0] if below else current
    return {
        "current_model": following.id,
        "retry_count": (retries if truthy(retries) else 0) + 1,
    }


def _tier(profile: ModelProfile) -> int:
    return TIERS.index(profile.model.tier)
