"""A port that is Twilio's API for placing calls, and everybody who can be called.

    async with PlacedEmulator() as carrier:
        os.environ["AYBIZA_TWILIO_API"] = carrier.url

Whoever is ordered is called: the node is told how it goes and asked what to do with the call, and
whoever answers talks over its media websocket. The last digit of a number says who that is:

    0 to 6   a person: says hello, agrees, says goodbye
    7        a machine: asks to leave a message
    8        busy
    9        nobody answers, for as long as it may ring

Contract: orders are checked as `placed_calls` has it, for whatever account and token they come
with; what is told and asked is signed with that token. At most `MOST` calls are under way, more
orders are answered with 429. `stop` ends them. The speech of whoever answers is text, as the
scripted engine reads it. Errors: `start` raises `OSError` when the port is taken.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import structlog

from aybiza.emulators.bedrock.connection import Connection, HttpRequest
from aybiza.emulators.http_service import HttpService
from aybiza.emulators.phone.phone import Phone
from aybiza.emulators.phone.script import Script, parse
from aybiza.emulators.phone.webhook import WebhookError, post
from aybiza.emulators.services.placed_calls import Party, Pickup, PlacedCalls, Step

MOST: Final = 100
STEP_SECONDS: Final = 0.1
RING_SECONDS: Final = 2.0

PERSON: Final[dict[str, Any]] = {
    "title": "Answers, agrees and says goodbye",
    "limit_s": 60,
    "steps": [
        {"label": "answers", "text": "Hello?"},
        {"label": "agrees", "text": "Yes, that is fine.", "expect": ".", "after_quiet_ms": 900},
        {"label": "says goodbye", "text": "Thank you, goodbye.", "after_quiet_ms": 900},
        {"label": "hangs up", "after_quiet_ms": 3000, "hangup": True},
    ],
}
MACHINE: Final[dict[str, Any]] = {
    "title": "A machine that takes a message",
    "limit_s": 60,
    "steps": [
        {"label": "greets", "text": "You have reached us. Please leave a message."},
        {"label": "is full", "after_quiet_ms": 20000, "hangup": True},
    ],
}
PARTIES: Final = {
    "7": Party(rings=RING_SECONDS, answered_by="machine_end_other"),
    "8": Party("busy", rings=RING_SECONDS),
    "9": Party("no_answer"),
}
ANYBODY: Final = Party(rings=RING_SECONDS)

log = structlog.get_logger(__name__)


def script_of(number: str) -> Script:
    """What whoever answers at a number says."""
    said = MACHINE if number.endswith("7") else PERSON
    return parse(said, Path(said["title"]), "text")


class PlacedEmulator(HttpService):
    """See the module. `port` 0 takes a free one."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.accounts: dict[str, PlacedCalls] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._talking = 0

    async def start(self) -> None:
        """Listen, and call whoever is ordered."""
        await super().start()
        self._begin(self._call())

    async def stop(self) -> None:
        """End all calls, and listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        account, token = _key(request.headers.get("authorization", ""))
        calls = self.accounts.get(account)
        if calls is None or calls.token != token:
            calls = self.accounts[account] = PlacedCalls(account, token, own_numbers=None)
        form = request.body.decode() if request.method == "POST" else request.target.query
        calls.parties |= {to: PARTIES.get(to[-1:], ANYBODY) for to in parse_qs(form).get("To", ())}
        calls.turned_away = int(self._talking >= MOST)
        answer = calls.asked(
            request.method, request.target.path, request.headers, form, time.time()
        )
        await connection.answer(answer.status, answer.headers, answer.body)

    async def _call(self) -> None:
        while True:
            for calls in list(self.accounts.values()):
                for step in calls.due(time.time()):
                    self._begin(self._do(step, calls))
            await asyncio.sleep(STEP_SECONDS)

    async def _do(self, step: Step, calls: PlacedCalls) -> None:
        if isinstance(step, Pickup):
            await self._talk(step, calls)
            return
        try:
            await post(step.url, step.form, calls.token)
        except WebhookError as error:
            log.warning("status_not_told", error=str(error))

    async def _talk(self, pickup: Pickup, calls: PlacedCalls) -> None:
        phone = Phone(
            script=script_of(pickup.to),
            http=pickup.url,
            auth_token=calls.token,
            call_sid=pickup.sid,
            account_sid=calls.account,
            from_number=pickup.from_number,
            to_number=pickup.to,
        )
        self._talking += 1
        try:
            async with phone:
                await phone.run()
        finally:
            self._talking -= 1
            for step in calls.ended(pickup.sid, time.time()):
                self._begin(self._do(step, calls))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _key(header: str) -> tuple[str, str]:
    """The account and the token of a Basic authorization; "" for none."""
    kind, _, text = header.partition(" ")
    try:
        account, _, token = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (account, token) if kind == "Basic" else ("", "")
