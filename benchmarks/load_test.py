"""Many callers at once at any media-stream server, and what they heard: times, gaps, failures.

    told = await load_test("ws://127.0.0.1:8080/media", Plan(calls=20, ramp=10.0, seconds=60.0))
    told["response_ms"]["p95"], told["failures"]

The callers are those of `load_caller`; the server is whatever answers at the address, on this
machine or another. An address of http or https is a voice webhook: each call asks it first and goes
where its TwiML leads. A response is the time from the last sample of a question to the first audio
behind it. A question that the end of the call cut short counts as none.

Errors: none; what fails is counted by its cause.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from websockets.exceptions import WebSocketException

from aybiza.benchmarks.load_caller import GREETING_SECONDS, Caller
from aybiza.claude.intervals import percentile
from aybiza.emulators.phone.messages import new_sid
from aybiza.emulators.phone.webhook import ConnectStream, WebhookError, post, read_twiml

LATE_MS: Final = 20.0
"""A machine on which frames leave so late is too busy to measure another."""
CAUSE_CHARACTERS: Final = 120

Said = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """So many calls, begun evenly over `ramp` seconds, each asking every `every` seconds for
    `seconds`. voice: the frames of a question, None for the codes that emulators understand;
    token: what signs requests to a webhook."""

    calls: int
    ramp: float = 5.0
    seconds: float = 60.0
    every: float = 8.0
    greeting: float = GREETING_SECONDS
    voice: Callable[[str], Sequence[str]] | None = None
    token: str | None = None


async def load_test(url: str, plan: Plan, over: Said = lambda: None) -> dict[str, Any]:
    """Place the calls; `over` is called as each of them ends. See `summed` for what is told."""
    callers = [Caller(number, plan.every, plan.greeting) for number in range(plan.calls)]
    for caller in callers:
        caller.voice = plan.voice or caller.voice
    began = time.monotonic()

    async def place(caller: Caller) -> None:
        await asyncio.sleep(plan.ramp * caller.number / plan.calls)
        try:
            await _call(caller, url, plan)
        except (WebSocketException, WebhookError, OSError, ValueError) as error:
            caller.failure = f"{type(error).__name__}: {error}"
        over()

    await asyncio.gather(*map(place, callers))
    return summed(callers, time.monotonic() - began)


async def _call(caller: Caller, url: str, plan: Plan) -> None:
    if not url.startswith(("http:", "https:")):
        await caller.call(url, plan.seconds)
        return
    call_sid, account = new_sid("CA"), new_sid("AC")
    fields = {"CallSid": call_sid, "AccountSid": account, "CallStatus": "ringing"}
    fields |= {"From": f"+1555{caller.number:07}", "To": "+15550100", "Direction": "inbound"}
    status, body = await post(url, fields, plan.token)
    if status != 200:
        raise WebhookError(f"the webhook answers {status}")
    streams = [verb for verb in read_twiml(body, url) if isinstance(verb, ConnectStream)]
    if not streams:
        raise WebhookError("the webhook's TwiML connects no stream: the node takes no call now")
    stream = streams[0]
    who = {"call_sid": call_sid, "account_sid": account}
    await caller.call(stream.url, plan.seconds, **who, parameters=stream.parameters)


def summed(callers: Sequence[Caller], seconds: float) -> dict[str, Any]:
    """What the callers heard: JSON's. Times are milliseconds; failures by cause, the most first."""
    asked = [turn for caller in callers for turn in caller.turns if _counts(caller, turn)]
    took = [1000.0 * (t.first_audio_at - t.said_at) for t in asked if t.first_audio_at is not None]
    failures = Counter(_cause(caller.failure) for caller in callers if caller.failure)
    late = [1000.0 * each for caller in callers for each in caller.late]
    return {
        "calls": len(callers),
        "failed": sum(failures.values()),
        "seconds": round(seconds, 1),
        "asked": len(asked),
        "unanswered": len(asked) - len(took),
        "gaps": sum(turn.gaps for turn in asked),
        "response_ms": {
            **{f"p{share}": _rounded(percentile(took, share)) for share in (50, 90, 95, 99)},
            "max": _rounded(max(took, default=None)),
        },
        "late_p95_ms": _rounded(percentile(late, 95)),
        "failures": dict(failures.most_common()),
    }


def _counts(caller: Caller, turn: Any) -> bool:
    return turn.first_audio_at is not None or turn is not caller.turns[-1]


def _cause(failure: str) -> str:
    """Calls that failed alike, but for what is each one's own, have one cause."""
    return " ".join(failure.split())[:CAUSE_CHARACTERS]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
