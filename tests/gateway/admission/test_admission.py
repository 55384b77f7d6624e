"""Who may come in: each check in its place, and what the settings ask for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from aybiza.config.settings import load
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.admission.rules import BUSY, GUARDED_PER_MINUTE, Knock, Refusal, Rules
from aybiza.gateway.admission.signature import signature
from aybiza.gateway.admission.stream_token import PARAMETER
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start

TOKEN = "auth-token"
PUBLIC = {"http_base": "https://phone.example.org", "media_base": "wss://phone.example.org"}
FORM = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+14155550123"}
BODY = urlencode(FORM).encode()
STRANGER = "203.0.113.9"


class Door:
    """An admission, and what it refused."""

    def __init__(self, **rules: Any) -> None:
        self.refused: list[tuple[str, str]] = []
        count = Refusals(lambda door, reason: self.refused.append((door, reason)))
        self.admission = Admission(Rules(**rules), refusals=count)

    async def webhook(
        self, target: str = "/incoming", body: bytes = BODY, peer: str = STRANGER, **headers: Any
    ) -> Refusal | None:
        return await self.admission.webhook(knock(target, peer, headers), body)

    async def handshake(self, target: str = "/media", **headers: str) -> Refusal | None:
        return await self.admission.handshake(knock(target, STRANGER, headers))

    async def page(
        self, target: str = "/metrics", peer: str = STRANGER, **headers: str
    ) -> Refusal | None:
        return await self.admission.page(knock(target, peer, headers))

    def start(self, token: str = "", call: str = "CA1", address: str = STRANGER) -> Start:
        parameters = {"From": "+1", PARAMETER: token} if token else {"From": "+1"}
        start = Start("MZ1", call, "AC1", ("inbound",), MULAW_8000_MONO, parameters)
        return self.admission.visit(address).start(start)


def knock(target: str, peer: str, headers: dict[str, str]) -> Knock:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    path = target.partition("?")[0]
    return Knock(peer, False, target, path, {"host": "127.0.0.1:3000", **names})


def signed(url: str, form: dict[str, str] | None = None) -> str:
    return signature(TOKEN, url, (form or {}).items())


async def test_a_signed_webhook_comes_in_and_no_other() -> None:
    door = Door(auth_token=TOKEN, **PUBLIC)
    good = signed("https://phone.example.org/incoming", FORM)
    assert await door.webhook(x_twilio_signature=good) is None
    for given in ("", "x", signed("/incoming")):
        refusal = await door.webhook(x_twilio_signature=given)
        assert refusal is not None
        assert refusal.status == 403
    assert door.refused == [("http", "signature")] * 3
    other_call = BODY.replace(b"CA1", b"CA2")
    assert await door.webhook(body=other_call, x_twilio_signature=good) is not None


async def test_a_signature_is_over_the_query_too() -> None:
    door = Door(auth_token=TOKEN, **PUBLIC)
    good = signed("https://phone.example.org/incoming?again=1", FORM)
    assert await door.webhook("/incoming?again=1", x_twilio_signature=good) is None
    assert await door.webhook("/incoming?again=2", x_twilio_signature=good) is not None


async def test_without_a_public_url_the_request_s_own_counts() -> None:
    door = Door(auth_token=TOKEN)
    good = signed("http://127.0.0.1:3000/incoming", FORM)
    assert await door.webhook(x_twilio_signature=good) is None


async def test_behind_a_trusted_proxy_the_forwarded_url_counts() -> None:
    door = Door(auth_token=TOKEN, trusted_proxies=("127.0.0.1/32",))
    forwarded: dict[str, Any] = {
        "x_twilio_signature": signed("https://a.example/incoming", FORM),
        "x_forwarded_proto": "https",
        "x_forwarded_host": "a.example",
    }
    assert await door.webhook(peer="127.0.0.1", **forwarded) is None
    assert await door.webhook(peer=STRANGER, **forwarded) is not None


async def test_another_carrier_s_webhook_is_not_twilio_s() -> None:
    door = Door(auth_token=TOKEN, **PUBLIC)
    refusal = await door.webhook("/incoming/telnyx")
    assert refusal is not None
    assert (refusal.status, "no key" in refusal.text) == (403, True)
    assert await door.handshake("/media/telnyx") is None
    assert await door.webhook("/incoming?telnyx") is not None
    assert await door.handshake("/media?telnyx") is not None


async def test_a_handshake_is_signed_over_the_url_of_the_stream() -> None:
    door = Door(auth_token=TOKEN, **PUBLIC)
    good = signed("wss://phone.example.org/media")
    assert await door.handshake(x_twilio_signature=good) is None
    for headers in ({}, {"x_twilio_signature": signed("https://phone.example.org/media")}):
        refusal = await door.handshake(**headers)
        assert refusal is not None
        assert refusal.status == 403
    assert door.refused == [("media", "signature")] * 2


async def test_the_unproven_are_counted_and_the_proven_are_not() -> None:
    door = Door(auth_token=TOKEN, console_token="console", per_minute=2, **PUBLIC)
    statuses = []
    for ask in (door.webhook, door.handshake, door.page):
        refusal = await ask()
        statuses.append(refusal.status if refusal else 0)
    assert statuses == [403, 403, 429]
    last = await door.webhook()
    assert last is not None
    assert 1 <= int(last.headers["retry-after"]) <= 60
    good = signed("https://phone.example.org/incoming", FORM)
    assert await door.webhook(x_twilio_signature=good) is None
    assert await door.handshake(x_twilio_signature=signed(f"{PUBLIC['media_base']}/media")) is None
    assert await door.page(authorization="Bearer console") is None
    assert await door.page("/healthz") is None
    assert await door.page("/readyz") is None
    assert door.refused[2:] == [("http", "rate"), ("http", "rate")]


async def test_each_address_behind_a_proxy_is_counted_by_itself() -> None:
    door = Door(per_minute=1, trusted_proxies=("10.0.0.0/8",))
    assert await door.webhook(peer="10.0.0.1", x_forwarded_for="198.51.100.1") is None
    assert await door.webhook(peer="10.0.0.2", x_forwarded_for="198.51.100.2") is None
    refusal = await door.webhook(peer="10.0.0.2", x_forwarded_for="198.51.100.1")
    assert refusal is not None
    assert refusal.status == 429


async def test_pages_are_for_this_machine_or_for_who_has_the_token() -> None:
    door = Door(console_token="console")
    assert await Door().page(peer="127.0.0.1") is None
    assert await Door().page(peer="::1") is None
    assert await door.page(authorization="bearer console") is None
    for headers in (
        {},
        {"peer": "127.0.0.1"},
        {"authorization": "Bearer consol"},
        {"authorization": "Bearer"},
        {"authorization": "Basic console"},
    ):
        refusal = await door.page(**headers)
        assert refusal is not None
        assert (refusal.status, refusal.headers) == (401, {"www-authenticate": "Bearer"})
    assert await Door().page(peer="127.0.0.1", x_forwarded_for="127.0.0.1") is not None
    assert await Door().page(authorization="Bearer ") is not None


async def test_an_account_has_its_calls_and_no_more() -> None:
    door = Door(account_calls=1)
    assert await door.webhook() is None
    assert await door.webhook(body=BODY.replace(b"CA1", b"CA2")) is BUSY
    assert await door.webhook("/status", BODY.replace(b"CA1", b"CA2")) is None
    assert await door.webhook(body=b"CallSid=CA2&AccountSid=AC2") is None
    assert door.refused == [("http", "account")]


async def test_an_account_s_call_that_ends_makes_room() -> None:
    door = Door(account_calls=1)
    visit = door.admission.visit(STRANGER)
    visit.start(Start("MZ1", "CA1", "AC1", (), MULAW_8000_MONO, {}))
    assert await door.webhook(body=BODY.replace(b"CA1", b"CA2")) is BUSY
    visit.over()
    assert await door.webhook(body=BODY.replace(b"CA1", b"CA2")) is None


def test_a_stream_starts_with_the_token_of_its_webhook_once() -> None:
    door = Door(stream_tokens=True)
    token = door.admission.parameters("CA1", told={"From": "+1"})[PARAMETER]
    assert door.start(token).custom_parameters == {"From": "+1"}
    for attempt, why in ((token, "used"), ("", "missing"), ("x", "forged")):
        with pytest.raises(ProtocolError, match=f"1008 the stream's token is {why}"):
            door.start(attempt)
    other = door.admission.parameters("CA1")[PARAMETER]
    with pytest.raises(ProtocolError, match="forged"):
        door.start(other, call="CA2")
    assert door.refused == [("media", "token")] * 4


def test_a_switch_of_one_s_own_needs_no_token() -> None:
    door = Door(stream_tokens=True, switches=("10.0.0.0/8",))
    door.start(address="10.1.2.3")
    behind = knock("/media", "10.1.2.3", {"x_forwarded_for": STRANGER})
    proxied = Door(stream_tokens=True, switches=("10.0.0.0/8",), trusted_proxies=("10.1.2.3/32",))
    start = Start("MZ1", "CA1", "AC1", (), MULAW_8000_MONO, {})
    with pytest.raises(ProtocolError, match="missing"):
        proxied.admission.visit(proxied.admission.caller(behind).address).start(start)
    with pytest.raises(ProtocolError, match="missing"):
        door.start()


def test_a_visit_tells_when_its_stream_has_started() -> None:
    started: list[bool] = []
    door = Door(stream_tokens=True)
    visit = door.admission.visit(STRANGER, lambda: started.append(True))
    start = Start("MZ1", "CA1", "AC1", (), MULAW_8000_MONO, {})
    with pytest.raises(ProtocolError):
        visit.start(start)
    assert not started
    token = door.admission.parameters("CA1")
    visit.start(Start("MZ1", "CA1", "AC1", (), MULAW_8000_MONO, token))
    assert started


@pytest.mark.parametrize(
    ("environment", "tokens", "per_minute"),
    [
        ({}, False, 0),
        ({"AYBIZA_PUBLIC_URL": "http://localhost:3000"}, False, 0),
        ({"TWILIO_AUTH_TOKEN": TOKEN}, True, GUARDED_PER_MINUTE),
        ({"AYBIZA_BIND": "0.0.0.0"}, True, GUARDED_PER_MINUTE),
        ({"AYBIZA_PUBLIC_URL": "https://a.example"}, True, GUARDED_PER_MINUTE),
        ({"AYBIZA_RATE_LIMIT": "7"}, False, 7),
        ({"AYBIZA_BIND": "0.0.0.0", "AYBIZA_RATE_LIMIT": "0"}, True, 0),
    ],
)
def test_what_is_asked_for_follows_from_the_settings(
    environment: dict[str, str], tokens: bool, per_minute: int
) -> None:
    rules = Rules.of(load(environment))
    assert (rules.stream_tokens, rules.per_minute) == (tokens, per_minute)
    assert bool(Admission(rules).parameters("CA1")) == tokens


def test_rules_and_requests_show_no_secret() -> None:
    rules = Rules(auth_token="s3cret", console_token="s3cret", redis_url="redis://:s3cret@host")
    request = knock("/metrics", STRANGER, {"authorization": "Bearer s3cret"})
    assert "s3cret" not in repr((rules, request))
