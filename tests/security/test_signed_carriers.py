"""Who is not a carrier gets no token, and one carrier gets nothing of another's."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from aybiza.emulators.phone.webhook import signature
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start
from aybiza.gateway.carriers.paths import CARRIERS
from tests.gateway.admission.carrier_keys import TELNYX_KEY, telnyx_headers
from tests.security.doors import BASE, CALL, FORM, SIGNALWIRE_KEY, STRANGER, TOKEN, outside

ALL = {
    "auth_token": TOKEN,
    "telnyx_public_key": TELNYX_KEY,
    "signalwire_signing_key": SIGNALWIRE_KEY,
    "stream_tokens": True,
}
WEBHOOKS = [carrier.webhook for carrier in CARRIERS.values() if carrier.webhook]
BODY = f"CallSid={CALL}&From=%2B14155550123&To=%2B14155550100".encode()


def parameters(document: str) -> dict[str, str]:
    stream = ElementTree.fromstring(document).find("Connect/Stream")
    assert stream is not None, document
    return {each.attrib["name"]: each.attrib["value"] for each in stream}


def start(
    admission: Admission,
    given: dict[str, str],
    carrier: str = "twilio",
    call: str = CALL,
    account: str = "AC1",
) -> Start:
    told = Start("MZ1", call, account, ("inbound",), MULAW_8000_MONO, given)
    return admission.visit(STRANGER, carrier=carrier).start(told)


@pytest.mark.parametrize("keys", [("auth_token",), ("telnyx_public_key",), tuple(ALL)])
@pytest.mark.parametrize("webhook", WEBHOOKS)
@pytest.mark.parametrize("query", ["", "?again=1", "?again=1&node=here"])
async def test_an_unsigned_webhook_gives_no_token(
    tmp_path: Path, keys: tuple[str, ...], webhook: str, query: str
) -> None:
    async with outside(tmp_path, **{key: ALL[key] for key in keys}) as node:
        answer = await node.ask("POST", webhook + query, BODY)
    assert answer.status_code == 403
    assert "<Stream" not in answer.text


async def test_each_carrier_s_signature_is_good_at_its_own_door_only(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        telnyx = telnyx_headers(BODY, time.time())
        assert (await node.ask("POST", "/incoming/telnyx", BODY, telnyx)).status_code == 200
        for path in ("/incoming", "/incoming/signalwire", "/status"):
            assert (await node.ask("POST", path, BODY, telnyx)).status_code == 403
        old = telnyx_headers(BODY, time.time() - 3600)
        assert (await node.ask("POST", "/incoming/telnyx", BODY, old)).status_code == 403


async def test_what_telnyx_has_signed_is_not_sent_again_with_another_query(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        headers = telnyx_headers(BODY, time.time())
        assert (await node.ask("POST", "/incoming/telnyx", BODY, headers)).status_code == 200
        for query in ("?again=1", "?again=1&node=other", "?x"):
            answer = await node.ask("POST", f"/incoming/telnyx{query}", BODY, headers)
            assert answer.status_code == 403


async def test_a_second_carrier_does_not_take_a_live_call_over(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        given = parameters((await node.twilio(FORM)).text)
        start(node.admission, given)
        telnyx = telnyx_headers(BODY, time.time())
        taken = await node.ask("POST", "/incoming/telnyx?again=1", BODY, telnyx)
        also = await node.signalwire(FORM, "?again=1")
        again = await node.twilio(FORM, "/incoming?again=1")
    assert (taken.status_code, also.status_code, again.status_code) == (409, 409, 200)
    assert "another carrier" in taken.text


async def test_a_recorded_webhook_does_not_take_a_live_call_over(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        first = await node.twilio(FORM)
        # The answer was lost on its way: the carrier asks once more.
        again = await node.twilio(FORM)
        start(node.admission, parameters(again.text))
        assert (first.status_code, (await node.twilio(FORM)).status_code) == (200, 409)
        # The stream is broken, which the carrier has seen and the node has not.
        for _ in range(2):
            back = await node.twilio(FORM, "/incoming?again=1&at=1")
            assert back.status_code == 200
        visit = node.admission.visit(STRANGER)
        told = Start("MZ2", CALL, "AC1", ("inbound",), MULAW_8000_MONO, parameters(back.text))
        visit.start(told)
        assert (await node.twilio(FORM, "/incoming?again=1&at=1")).status_code == 409


RECORDED = str(httpx.QueryParams(FORM))
WRITTEN_ANEW = {
    "in another order": "&".join(reversed(RECORDED.split("&"))),
    "with a pair twice": f"{RECORDED}&To=%2B14155550100",
    "with other escapes": RECORDED.replace("CallSid", "%43allSid").replace("%2B", "%2b"),
    "with a letter moved": RECORDED.replace("AccountSid=AC1", "AccountSi=dAC1"),
}


@pytest.mark.parametrize("body", WRITTEN_ANEW.values(), ids=WRITTEN_ANEW)
async def test_a_recorded_webhook_that_is_written_anew_does_not_either(
    tmp_path: Path, body: str
) -> None:
    headers = {"x-twilio-signature": signature(TOKEN, f"{BASE}/incoming", FORM)}
    async with outside(tmp_path, **ALL) as node:
        start(node.admission, parameters((await node.twilio(FORM)).text))
        answer = await node.ask("POST", "/incoming", body.encode(), headers)
    assert answer.status_code == 409, answer.text


async def test_another_account_does_not_take_a_live_call_over(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        start(node.admission, parameters((await node.twilio(FORM)).text))
        other = await node.twilio({**FORM, "AccountSid": "AC2"}, "/incoming?again=1")
    assert other.status_code == 409


@pytest.mark.parametrize("carrier", [*CARRIERS, "audiosocket"])
async def test_a_token_of_one_carrier_is_none_on_another_s_path(
    tmp_path: Path, carrier: str
) -> None:
    async with outside(tmp_path, **ALL) as node:
        for origin in ("twilio", "telnyx", "signalwire"):
            given = node.admission.parameters(f"CA-{origin}", origin)
            if origin == carrier:
                continue
            with pytest.raises(ProtocolError, match="forged"):
                start(node.admission, given, carrier, f"CA-{origin}")


@pytest.mark.parametrize("name", ["From", "To", "Since", "Node"])
@pytest.mark.parametrize("value", ["1", "", "+19005550100"])
async def test_a_start_says_of_the_call_what_its_webhook_said(
    tmp_path: Path, name: str, value: str
) -> None:
    async with outside(tmp_path, **ALL) as node:
        query = "?again=1&node=other&since=1700000000"
        given = parameters((await node.twilio(FORM, f"/incoming{query}")).text)
        assert name in given
        with pytest.raises(ProtocolError, match="forged"):
            start(node.admission, {**given, name: value})


async def test_a_token_is_for_its_call_and_account(tmp_path: Path) -> None:
    async with outside(tmp_path, **ALL) as node:
        given = parameters((await node.twilio(FORM)).text)
        for call, account in ((CALL, "AC2"), ("CA2", "AC1"), (CALL, "")):
            with pytest.raises(ProtocolError, match="forged"):
                start(node.admission, given, call=call, account=account)
        assert start(node.admission, given).call_sid == CALL


async def test_a_caller_who_withheld_the_number_is_not_given_one_by_the_stream(
    tmp_path: Path,
) -> None:
    form = {"CallSid": CALL, "AccountSid": "AC1"}
    async with outside(tmp_path, **ALL) as node:
        given = parameters((await node.twilio(form)).text)
        told = start(node.admission, {**given, "From": "+14155550123"})
    assert "From" not in told.custom_parameters
