"""A call's way through TwiML, as Twilio goes it: what to do next, and what comes of it. Pure.

    flow = Flow(parties)
    order = flow.begin(url)                  ask the voice webhook; or `flow.connect(stream)`
    order = flow.document(verbs)             what a `Fetch` brought, see `webhook.read_twiml`
    order = flow.failed(reason)              that a `Fetch` brought nothing
    order = flow.waited()                    a `Wait` is over
    order = flow.stream_ended(ending)        a `ConnectStream` is over

Contract: each method returns the one thing that is to be done next: `Fetch`, `Wait`,
`ConnectStream` or `Ending`, after which the flow is told nothing more. A `<Dial>` rings as long as
its party lets it, then talks, and asks its `action` with the `DialCallStatus`; without an `action`
the next verb follows, as Twilio has it. `told` collects what happened, for people. No clock is
read and no socket known.
Errors: none.
Source: Twilio, "TwiML Voice": Connect, Dial, Gather, Hangup, Pause, Play, Redirect, Reject, Say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aybiza.emulators.phone.webhook import (
    ConnectStream,
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Say,
    Verb,
)

MAX_REDIRECTS: Final = 100
IN_PROGRESS: Final = "in-progress"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call came to its end from the agent's side; `clean` if it meant to end it."""

    how: str
    clean: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who is dialled: what becomes of it (`DialCallStatus`), and after how long.

    `outcome`: completed, busy, no-answer, declined, failed or canceled; Twilio tells of who
    declines as of who is busy. `ring_s`: until it is answered or
    given up. `talk_s`: how long an answered call lasts. `key`: what they press if they are asked
    to; "" nothing.
    """

    outcome: str = "completed"
    ring_s: float = 1.0
    talk_s: float = 2.0
    key: str = ""

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome is one of {', '.join(OUTCOMES)}, not {self.outcome!r:.80}")


OUTCOMES: Final = ("completed", "busy", "no-answer", "declined", "failed", "canceled")
NOBODY: Final = Party("failed", ring_s=0.2)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Post to `url` with these fields beside the call's own, and say `status` of the call."""

    url: str
    status: str = IN_PROGRESS
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let so many seconds of call time go by, in which the carrier says `words`."""

    seconds: float
    words: str = ""


Order = Fetch | Wait | ConnectStream | Ending


class Flow:
    """See the module.

    `parties`: who answers at which number; a number that is not among them fails. `digits`: what
    the caller presses, one entry for each `<Gather>`. `voice`: how many characters the carrier says
    in a second; 0: what it says takes no time.
    """

    def __init__(
        self,
        parties: Mapping[str, Party] | None = None,
        digits: tuple[str, ...] = (),
        voice: float = 0.0,
    ) -> None:
        self.told: list[str] = []
        self.dialled: list[tuple[str, str]] = []
        self._voice = voice
        self._parties = parties or {}
        self._digits = deque(digits)
        self._verbs: deque[Verb] = deque()
        self._ending = Ending("the agent's TwiML had come to its end")
        self._redirects = 0
        # What is asked or done once a wait is over.
        self._then: Fetch | None = None
        self._after_stream = ""
        # Who has answered a `<Dial>` and hears something first.
        self._whispering: tuple[Dial, Party] | None = None

    def begin(self, url: str) -> Order:
        """The call comes in: ask the voice webhook."""
        return Fetch(url, "ringing")

    def connect(self, stream: ConnectStream) -> Order:
        """The call comes in on a stream, without a webhook."""
        return self._do(stream)

    def document(self, verbs: Sequence[Verb]) -> Order:
        """The webhook has answered: its verbs take the place of those that were left."""
        if self._whispering is not None:
            return self._whisper(self._whispering, verbs)
        self._verbs = deque(verbs)
        return self._next()

    def failed(self, reason: str) -> Order:
        """The webhook gave no TwiML, or none that Twilio would take."""
        if self._whispering is not None:
            return self._bridged(*self._whispering, False)
        return Ending(reason)

    def waited(self) -> Order:
        """A wait is over."""
        then, self._then = self._then, None
        return self._next() if then is None else self._asked(then)

    def stream_ended(self, ending: Ending) -> Order:
        """The stream is over: the action that was named, or the next verb."""
        self._ending = ending
        action, self._after_stream = self._after_stream, ""
        return self._asked(Fetch(action)) if action else self._next()

    def _next(self) -> Order:
        while self._verbs:
            order = self._do(self._verbs.popleft())
            if order is not None:
                return order
        return self._ending

    def _do(self, verb: Verb) -> Order:
        match verb:
            case ConnectStream():
                self._after_stream = verb.action
                return verb
            case Redirect(url):
                self.told.append(f"redirects to {url}")
                return self._asked(Fetch(url))
            case Say(text):
                self.told.append(f"says: {text}")
                return Wait(len(text) / self._voice, text) if self._voice else self._next()
            case Play(what):
                self.told.append(f"plays {what}")
                return self._next()
            case Pause(seconds):
                return Wait(seconds)
            case Dial():
                return self._dial(verb)
            case Gather():
                return self._gather(verb)
            case Hangup(reason):
                if reason:
                    return Ending(f"the agent rejected the call ({reason})")
                return Ending("the agent hung up", clean=True)

    def _dial(self, dial: Dial) -> Order:
        party = self._parties.get(dial.number, NOBODY)
        outcome, ring_s = party.outcome, party.ring_s
        outcome = "busy" if outcome == "declined" else outcome
        if ring_s > dial.timeout_s:
            outcome, ring_s = "no-answer", dial.timeout_s
        talk_s = party.talk_s if outcome == "completed" else 0.0
        self.told.append(f"dials {dial.number}: {outcome}")
        self.dialled.append((dial.number, outcome))
        if outcome == "completed" and dial.whisper:
            self._whispering = (dial, party)
            self._then = Fetch(dial.whisper, fields=self._leg(dial))
            return Wait(ring_s)
        fields = {"DialCallStatus": outcome, "DialCallSid": self._leg(dial)["CallSid"]}
        if outcome == "completed":
            fields |= {"DialCallDuration": str(round(talk_s)), "DialBridged": "true"}
            self._ending = Ending(f"the call with {dial.number} was over", clean=True)
        else:
            self._ending = Ending(f"{dial.number} could not be reached ({outcome})")
        self._then = Fetch(dial.action, fields=fields) if dial.action else None
        return Wait(ring_s + talk_s)

    def _leg(self, dial: Dial) -> dict[str, str]:
        """How the call to the person who is dialled is named."""
        return {"CallSid": f"CA{len(self.dialled):032x}", "To": dial.number}

    def _whisper(self, dialled: tuple[Dial, Party], verbs: Sequence[Verb]) -> Order:
        """What the person hears, and does, before the two are connected."""
        dial, party = dialled
        for verb in verbs:
            match verb:
                case Say(text):
                    self.told.append(f"says to {dial.number}: {text}")
                case Gather():
                    self.told += [f"says to {dial.number}: {text}" for text in verb.prompts]
                    if party.key:
                        fields = {**self._leg(dial), "Digits": party.key}
                        return self._asked(Fetch(verb.action, fields=fields))
                case Hangup():
                    return self._bridged(dial, party, False)
                case _:
                    continue
        return self._bridged(dial, party, True)

    def _bridged(self, dial: Dial, party: Party, bridged: bool) -> Order:
        self._whispering = None
        talk_s = party.talk_s if bridged else 0.0
        self.told.append(f"{dial.number} is {'connected' if bridged else 'not connected'}")
        fields = {
            "DialCallStatus": "completed",
            "DialCallSid": self._leg(dial)["CallSid"],
            "DialBridged": str(bridged).lower(),
            "DialCallDuration": str(round(talk_s)),
        }
        self._ending = Ending(f"the call with {dial.number} was over", clean=bridged)
        self._then = Fetch(dial.action, fields=fields) if dial.action else None
        return Wait(talk_s)

    def _gather(self, gather: Gather) -> Order:
        self.told += [f"says: {text}" for text in gather.prompts]
        pressed = self._digits.popleft() if self._digits else ""
        if not pressed:
            return Wait(gather.timeout_s)
        digits = pressed[: gather.digits] if gather.digits else pressed.split("#")[0]
        self.told.append("the caller presses keys")
        self._then = Fetch(gather.action, fields={"Digits": digits})
        return Wait(0.0)

    def _asked(self, fetch: Fetch) -> Order:
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            return Ending(f"the call was redirected more than {MAX_REDIRECTS} times")
        return fetch
