"""What a call was about is told to whom its carrier has put it through, and to nobody else."""

from __future__ import annotations

import html
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from aybiza.actors import names
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Forget, kept
from aybiza.dialogue.journal import CallerTurn, Ended, Entry, Transferring, encode
from aybiza.emulators.phone.webhook import signature
from aybiza.faults.desk import agent
from aybiza.gateway.carriers.paths import CARRIERS, WHISPER
from tests.gateway.admission.carrier_keys import TELNYX_KEY, telnyx_headers
from tests.security.doors import BASE, CALL, FORM, SIGNALWIRE_KEY, TOKEN, Outside, outside

ALL = {
    "auth_token": TOKEN,
    "telnyx_public_key": TELNYX_KEY,
    "signalwire_signing_key": SIGNALWIRE_KEY,
}
SAID = "My tooth hurts."
LEG = {"CallSid": "CA" + "9" * 32, "AccountSid": "AC1", "CallStatus": "in-progress"}
DESK = agent(
    transfer_numbers={"front desk": "+14155550199"},
    transfer_style="accept",
    transfer_summary="They said:",
    transfer_accept="Press any key.",
)
PATHS = [carrier.webhook + WHISPER for carrier in CARRIERS.values() if carrier.webhook]


@asynccontextmanager
async def transferring(tmp_path: Path) -> AsyncIterator[tuple[Outside, str]]:
    """A node whose Twilio call is to be put through, and the query that Twilio was given."""
    async with outside(tmp_path, **ALL, who=DESK) as node:
        assert (await node.twilio(FORM)).status_code == 200
        entries: list[Entry] = [CallerTurn(1, SAID), Transferring("front desk"), Ended("transfer")]
        append(node.vm, CALL, 1, 1, [encode(entry) for entry in entries])
        await kept(node.vm, CALL)
        node.vm.cast(names.MEMORY, Forget(CALL))
        dialled = await node.twilio(FORM, "/incoming?again=1")
        given = re.search(r'<Number url="([^"]+)"', dialled.text)
        assert given is not None, dialled.text
        path, _, query = html.unescape(given[1]).removeprefix(BASE).partition("?")
        assert path == "/incoming" + WHISPER
        yield node, query


async def by(node: Outside, carrier: str, target: str, form: dict[str, str]) -> httpx.Response:
    """A webhook that this carrier has signed."""
    body = str(httpx.QueryParams(form)).encode()
    headers = {
        "twilio": {"x-twilio-signature": signature(TOKEN, BASE + target, form)},
        "signalwire": {"x-signalwire-signature": signature(SIGNALWIRE_KEY, BASE + target, form)},
        "telnyx": telnyx_headers(body, time.time()),
    }[carrier]
    return await node.ask("POST", target, body, headers)


async def test_whom_the_carrier_has_reached_hears_what_the_call_is_about(tmp_path: Path) -> None:
    async with transferring(tmp_path) as (node, query):
        answer = await by(node, "twilio", f"/incoming{WHISPER}?{query}", LEG)
        pressed = await by(node, "twilio", f"/incoming{WHISPER}?{query}", {**LEG, "Digits": "1"})
    assert (answer.status_code, pressed.status_code) == (200, 200)
    assert SAID in answer.text and SAID not in pressed.text


@pytest.mark.parametrize("carrier", ["telnyx", "signalwire"])
async def test_another_carrier_s_signature_does_not_tell_it(tmp_path: Path, carrier: str) -> None:
    async with transferring(tmp_path) as (node, query):
        path = CARRIERS[carrier].webhook + WHISPER
        for asked in (query, f"call={CALL}&node=here", f"call={CALL}"):
            answer = await by(node, carrier, f"{path}?{asked}", LEG)
            assert answer.status_code == 403
            assert SAID not in answer.text


async def test_another_account_of_the_carrier_is_not_told_it(tmp_path: Path) -> None:
    async with transferring(tmp_path) as (node, query):
        other = {**LEG, "AccountSid": "AC2"}
        answer = await by(node, "twilio", f"/incoming{WHISPER}?{query}", other)
    assert answer.status_code == 403
    assert SAID not in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_an_address_of_one_s_own_tells_nothing(tmp_path: Path, path: str) -> None:
    carrier = next(name for name, one in CARRIERS.items() if one.webhook + WHISPER == path)
    async with transferring(tmp_path) as (node, _):
        for asked in (f"call={CALL}&node=here&account=AC1&until=9999999999&seal=" + "0" * 64, ""):
            answer = await by(node, carrier, f"{path}?{asked}", LEG)
            assert answer.status_code == 403
            assert SAID not in answer.text
