"""Phone scripts played by telephones that call a node over its media websocket, in real time.

    verdicts = called(scripts, "ws://127.0.0.1:8080/media", Emulated(bedrock, deepgram))

With the addresses of the emulators behind the node, which must have the scripted engine, its model
gives the script's answers at the pace of a node in virtual time, and its voice speaks as slowly as
people do; any agent will do. Without them nothing is known of what the agent says: then only times
are judged, and a script that the agent's words do not lead through is skipped. What needs a fault,
another agent, tools, or a webhook is skipped, and the verdict says why.

When the calls are over the emulators answer and speak as they did before.

Errors: `OSError` where an emulator cannot be reached; `NotDialled`, with a text for people, where
it will not do what the scripts need.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from aybiza.emulators.phone import Phone
from aybiza.faults.caller import Step, script_of
from aybiza.faults.deepgram import BYTES_PER_CHAR
from aybiza.faults.phone_script import PhoneScript, Verdict, judged
from aybiza.faults.plan import Plan

LIMIT_S: Final = 120.0
CONTROL_SECONDS: Final = 10.0
_TOO_SHORT: Final = "of the agent's speech had been heard"


class NotDialled(Exception):
    """An emulator refuses what the scripts need; the text is for people."""


@dataclass(frozen=True, slots=True)
class Emulated:
    """Where the emulators of the node are: `http://…` of Bedrock's, `ws://…` of Deepgram's."""

    bedrock: str
    deepgram: str


def called(
    scripts: Sequence[PhoneScript],
    url: str,
    emulated: Emulated | None = None,
    *,
    at_once: int = 4,
    slack_ms: float = 500.0,
) -> list[Verdict]:
    """The verdicts, in the order of the scripts; see the module."""
    verdicts = {one.name: _skipped(one, why) for one in scripts if (why := unplayable(one.plan))}
    rest = [one for one in scripts if one.name not in verdicts]
    place = partial(_placed, url=url, known=emulated is not None, at_once=at_once)
    if emulated is None:
        placed = asyncio.run(place(rest, slack_ms=slack_ms))
    else:
        with _told(emulated) as tell:
            placed = []
            for batch in _batches(rest):
                tell({text: reply for one in batch for text, reply in _answers(one).items()})
                placed += asyncio.run(place(batch, slack_ms=slack_ms))
    verdicts |= {verdict.name: verdict for verdict in placed}
    return [verdicts[one.name] for one in scripts]


@contextmanager
def _told(emulated: Emulated) -> Iterator[Callable[[Mapping[str, list[str]]], None]]:
    """The emulators at the scripts' pace; what tells the model its answers."""
    model, voice = (f"{_http(url)}/_emulator" for url in (emulated.bedrock, emulated.deepgram))
    paces = {f"{at}/pace": _asked("GET", f"{at}/pace") for at in (model, voice)}
    if "bytes_per_char" not in paces[f"{voice}/pace"]:
        raise NotDialled(
            "these emulators hear speech, and scripts are texts: start the node with"
            " `aybiza run --emulated=scripted`"
        )
    try:
        _asked("PUT", f"{voice}/pace", _VOICE)
        _asked("PUT", f"{model}/pace", _MODEL)
        responder = f"{model}/responder"
        yield lambda said: _asked("PUT", responder, {"mode": "answers", "answers": said})
    finally:
        with suppress(OSError, NotDialled):
            _asked("PUT", f"{model}/responder", {"mode": "agent"})
            for door, pace in paces.items():
                _asked("PUT", door, pace)


_VOICE: Final = {"first_ms": 120.0, "times_real_time": 8.0, "bytes_per_char": BYTES_PER_CHAR}
_MODEL: Final = {"first_token_ms": 400.0, "per_delta_ms": 30.0}


def unplayable(plan: Plan) -> str:
    """Why a node elsewhere cannot be called by this plan; "" if it can."""
    usual = Plan()
    replies = (one for given in plan.answers.values() for one in given)
    reasons = {
        "needs a fault of a provider": plan.faults,
        "needs another agent": plan.agent,
        "needs a webhook": plan.parties or any("break_off" in step for step in plan.steps),
        "needs the tools of the desk": any(isinstance(one, Mapping) for one in replies),
        "needs a slower model": plan.thinks_ms != usual.thinks_ms,
    }
    return next((why for why, needed in reasons.items() if needed), "")


async def _placed(
    scripts: Iterable[PhoneScript], url: str, *, known: bool, at_once: int, slack_ms: float
) -> list[Verdict]:
    room = asyncio.Semaphore(at_once)

    async def place(script: PhoneScript) -> Verdict:
        steps = script.plan.script()
        if not known:
            script = replace(script, expect=replace(script.expect, **_UNKNOWN))
            steps = [_whatever_is_said(step) for step in steps]
        async with room, Phone(url, script_of(steps, LIMIT_S)) as phone:
            report = await phone.run()
        if not known and _TOO_SHORT in report.failure:
            return _skipped(script, "the agent says too little to be interrupted")
        return judged(script, report, slack_ms=slack_ms)

    return list(await asyncio.gather(*(place(script) for script in scripts)))


_UNKNOWN: Final[Mapping[str, Any]] = {"heard": (), "not_heard": (), "clears": None}


def _whatever_is_said(step: Step) -> Step:
    return {**step, "expect": r"\S"} if "expect" in step else step


def _skipped(script: PhoneScript, why: str) -> Verdict:
    return Verdict(script.name, script.plan.title, skipped=why)


def _answers(script: PhoneScript) -> dict[str, list[str]]:
    """What the model says to each text of the caller's."""
    said = [step["text"] for step in script.plan.script() if "text" in step]
    given = script.plan.answers
    # What is not in the table is said back; so is a text of another script's table here.
    return {text: list(given.get(text, [f"You said, {text}"])) for text in {*said, *given}}


def _batches(scripts: Iterable[PhoneScript]) -> list[list[PhoneScript]]:
    """The scripts parted so that in each part a text has one answer."""
    parts: list[list[PhoneScript]] = []
    known: list[dict[str, list[str]]] = []
    for script in scripts:
        own = _answers(script)
        fits = (
            at
            for at, answers in enumerate(known)
            if all(answers.get(text, reply) == reply for text, reply in own.items())
        )
        at = next(fits, len(parts))
        if at == len(parts):
            parts.append([])
            known.append({})
        parts[at].append(script)
        known[at].update(own)
    return parts


def _asked(method: str, url: str, members: Mapping[str, Any] | None = None) -> Any:
    """What a control door answers. Raises OSError or NotDialled."""
    body = None if members is None else json.dumps(members).encode()
    request = urllib.request.Request(url, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=CONTROL_SECONDS) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise NotDialled(f"{url}: {refusal.read(500).decode(errors='replace')}") from None
    except ValueError as error:
        raise NotDialled(f"{url}: {error}") from None


def _http(url: str) -> str:
    return url.rstrip("/").replace("ws://", "http://", 1)
