"""A signed webhook means what its carrier meant: names and values are signed without a sign between
them, and who moves letters from one to the other is refused."""

from __future__ import annotations

from pathlib import Path

import httpx

from aybiza.emulators.phone.webhook import signature
from tests.security.doors import BASE, CALL, SIGNALWIRE_KEY, TOKEN, outside

SIGNED = {
    "AccountSid": "AC1",
    "ApiVersion": "2010-04-01",
    "CallSid": CALL,
    "CallStatus": "ringing",
    "Direction": "inbound",
    "From": "+14155550123",
    "FromCity": "SAN",
    "To": "+14155550100",
    "ToZip": "94102",
}


def joined(*names: str) -> dict[str, str]:
    """The form, of which these are one: the first takes in the others."""
    first, *others = names
    taken = SIGNED[first] + "".join(name + SIGNED[name] for name in others)
    return {**{n: v for n, v in SIGNED.items() if n not in names}, first: taken}


MOVED = [
    joined("CallSid", "CallStatus"),
    joined("AccountSid", "ApiVersion"),
    joined("From", "FromCity"),
    joined("From", "FromCity", "To"),
    joined("To", "ToZip"),
]


def text(url: str, form: dict[str, str]) -> str:
    return url + "".join(name + form[name] for name in sorted(form))


async def test_letters_that_moved_from_a_name_to_a_value_are_refused_though_signed(
    tmp_path: Path,
) -> None:
    async with outside(tmp_path, auth_token=TOKEN, signalwire_signing_key=SIGNALWIRE_KEY) as node:
        for path, header, key in (
            ("/incoming", "x-twilio-signature", TOKEN),
            ("/incoming/signalwire", "x-signalwire-signature", SIGNALWIRE_KEY),
        ):
            seen = {header: signature(key, BASE + path, SIGNED)}
            for form in MOVED:
                assert text(BASE + path, form) == text(BASE + path, SIGNED)
                body = str(httpx.QueryParams(form)).encode()
                answer = await node.ask("POST", path, body, seen)
                assert answer.status_code == 400 and "another parameter" in answer.text


async def test_an_address_that_moved_into_a_name_is_refused_though_signed(tmp_path: Path) -> None:
    async with outside(tmp_path, auth_token=TOKEN) as node:
        target = "/incoming?again=2&since=1700000000&node=front"
        seen = {"x-twilio-signature": signature(TOKEN, BASE + target, SIGNED)}
        for kept in ("/incoming", "/incoming?again=2&since=17"):
            rest = target.removeprefix(kept)
            for name in ("", rest):
                form = {name: rest.removeprefix(name), **SIGNED}
                assert text(BASE + kept, form) == text(BASE + target, SIGNED)
                body = str(httpx.QueryParams(form)).encode()
                answer = await node.ask("POST", kept, body, seen)
                assert answer.status_code == 400 and "no carrier gives" in answer.text


async def test_what_the_carrier_meant_comes_in(tmp_path: Path) -> None:
    async with outside(tmp_path, auth_token=TOKEN) as node:
        for more in ({"SipHeader_X-From": "a", "my own": "b"}, {"From": "client:Caller_1"}):
            assert (await node.twilio({**SIGNED, **more})).status_code == 200
