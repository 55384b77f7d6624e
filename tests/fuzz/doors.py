"""What switches, browsers and web servers say, headers of a webhook, and words of a model."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from aybiza.claude.sentences import SentenceSplitter
from aybiza.dialogue.tools.http_api import _decoded, _detail
from aybiza.dialogue.tools.http_body import Decoder as Unpacked
from aybiza.dialogue.tools.http_body import TooMuch
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock import control as bedrock_control
from aybiza.emulators.deepgram import control as deepgram_control
from aybiza.emulators.deepgram.any_method import as_get, method_and_body
from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.service import Deepgram
from aybiza.emulators.phone.webhook import WebhookError, read_twiml
from aybiza.emulators.web_pages import refusal
from aybiza.gateway.admission.address_seals import AddressSeals
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.callers import Callers, limited_as
from aybiza.gateway.admission.carrier_signatures import CarrierSignatures, Signed
from aybiza.gateway.admission.guesses import Guesses
from aybiza.gateway.admission.http_admission import HttpAdmission, _token
from aybiza.gateway.admission.policy import HTTP, POLICY, WEBSOCKET, Proof, door
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.arrival import Arrival
from aybiza.gateway.control import esl, manager
from aybiza.gateway.control.control import ControlError, checked_number
from aybiza.gateway.control.text_door import TextDoor
from aybiza.gateway.origin import edge_of, origin
from aybiza.speech.spoken_text import spoken
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_bytes, broken_json, broken_text


def _switch(good: list[bytes], end: str, told: Callable[[Any], object]) -> Decoder:
    """A control door that says these blocks."""
    # What the decoder waits for has been said, so no step of it waits for a loop.
    loop = asyncio.new_event_loop()
    loop.close()

    def decode(data: bytes) -> None:
        reader = asyncio.StreamReader(limit=256 * 1024, loop=loop)
        reader.feed_data(data)
        reader.feed_eof()
        door = TextDoor(reader, cast(asyncio.StreamWriter, None), "switch", end)
        for _ in range(20):
            try:
                door.read().send(None)
            except StopIteration as done:
                told(done.value)

    return Decoder(
        lambda random: broken_bytes(random, random.choice(good), good), decode, (ControlError,)
    )


def _esl() -> Decoder:
    event = b"Event-Name: CHANNEL_BRIDGE\nUnique-ID: u-1\nApplication: bridge\n\n"
    good = [
        b"Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK\n\n",
        b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(event) + event,
        b"Content-Type: api/response\nContent-Length: 3\n\n+OK",
        b"Content-Type: text/disconnect-notice\n\n",
    ]
    return _switch(good, esl.END, lambda block: esl._outcome(block, "u-1"))


def _ami() -> Decoder:
    good = [
        b"Response: Success\r\nActionID: Login\r\nMessage: ok\r\n\r\n",
        b"Event: DialEnd\r\nChannel: SIP/1\r\nDialStatus: ANSWER\r\n\r\n",
        b"Event: UserEvent\r\nUserEvent: AybizaTransfer\r\nCall: u\r\nStatus: BUSY\r\n\r\n",
        b"Event: Status\r\nChannel: SIP/1\r\nVariable: CALL=u\r\n\r\n",
    ]
    return _switch(good, "\r\n", lambda block: manager._outcome(block, "SIP/1", "u"))


def _dialled() -> Decoder:
    good = ["+14155550123", "sip:anna@example.org", "200"]
    return Decoder(
        lambda random: broken_text(random, random.choice(good), good),
        checked_number,
        (ControlError,),
    )


def _headers() -> Decoder:
    good = {
        "host": "phone.example.org:443",
        "x-forwarded-for": "203.0.113.9, 10.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "phone.example.org",
        "origin": "https://evil.example",
        "sec-fetch-site": "cross-site",
        "x-twilio-signature": "AAAA",
        "x-signalwire-signature": "AAAA",
        "telnyx-timestamp": "1760000000",
        "telnyx-signature-ed25519": "AAAA" * 20,
        "content-type": "application/x-www-form-urlencoded",
    }
    callers = Callers(("10.0.0.0/8", "::1/128"))
    signatures = CarrierSignatures(
        {"twilio": "t", "telnyx": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "signalwire": "s"}
    )
    values = list(good.values())

    def make(random: Random) -> tuple[dict[str, str], bytes]:
        chosen = random.sample(list(good), 5)
        # Bytes of a header are read as Latin-1.
        made = {
            name: broken_text(random, good[name], values).encode(errors="replace").decode("latin-1")
            for name in chosen
        }
        return made, broken_bytes(random, b"CallSid=CA1&From=%2B1", [b"%ff", b"&="])

    def decode(given: tuple[dict[str, str], bytes]) -> None:
        headers, body = given
        caller = callers.caller("10.0.0.2", True, headers)
        limited_as(caller.address)
        assert isinstance(caller.host_is_sound and caller.host_is_loopback, bool)
        refusal(headers)
        for carrier in ("twilio", "telnyx", "signalwire"):
            url = caller.url("http", "/incoming")
            if signatures.fits(carrier, Signed(url, headers, body)):
                raise AssertionError("nobody has signed this")

    return Decoder(make, decode)


def _subprotocols() -> Decoder:
    """The console's token among the subprotocols of a handshake."""
    good = ["token.YWJj", "aybiza.console", "token."]

    def decode(texts: list[str]) -> None:
        token = _token(texts)
        assert token is None or isinstance(token.encode(errors="replace"), bytes)

    return Decoder(
        lambda random: [broken_text(random, each, good) for each in random.sample(good, 2)], decode
    )


def _http_door() -> Decoder:
    """Whole requests of strangers: nobody comes in by a path that is not open to all."""
    rules = Rules(
        auth_token="t" * 32,
        signalwire_signing_key="s" * 32,
        console_token="c" * 32,
        stream_tokens=True,
        trusted_proxies=("10.0.0.0/8",),
    )
    admission = Admission(rules)
    rows = [(row.method, row.path) for row in POLICY if row.listener == HTTP]
    paths = [path for _, path in rows]
    headers = {
        "host": "phone.example.org",
        "origin": "https://phone.example.org",
        "authorization": "Bearer abc",
        "x-aybiza-console": "1",
        "sec-fetch-site": "same-origin",
        "sec-websocket-protocol": "aybiza.console, token.YWJj",
        "x-forwarded-for": "203.0.113.9, 10.0.0.1",
        "x-forwarded-host": "phone.example.org",
        "x-twilio-signature": "AAAA",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "5",
        "transfer-encoding": "chunked",
    }
    values = list(headers.values())
    entered: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope["path"])

    async def send(message: Any) -> None:
        assert message["type"] in ("http.response.start", "http.response.body") or message[
            "type"
        ].startswith("websocket.http.response")

    middleware = HttpAdmission(app, admission, lambda query, body: "All lines are busy.")

    def make(random: Random) -> tuple[dict[str, Any], bytes]:
        method, path = random.choice(rows)
        if random.random() < 0.3:
            # As servers read it.
            path = broken_text(random, path, paths).encode(errors="replace").decode("utf-8")
        given = [
            (name, broken_text(random, headers[name], values) if random.random() < 0.5 else text)
            for name, text in random.choices(list(headers.items()), k=5)
        ]
        told = [text for name, text in given if name == "sec-websocket-protocol"]
        is_socket = method == WEBSOCKET or random.random() < 0.2
        scope = {
            "type": "websocket" if is_socket else "http",
            "method": method,
            "scheme": random.choice(("ws", "wss") if is_socket else ("http", "https")),
            "path": path,
            "raw_path": path.encode(errors="replace"),
            "query_string": broken_bytes(random, b"again=1&since=5", [b"%ff"]),
            "headers": [(name.encode(), text.encode(errors="replace")) for name, text in given],
            # As servers read them.
            "subprotocols": [
                one.strip()
                for text in told
                for one in text.encode(errors="replace").decode("latin-1").split(",")
            ],
            "client": random.choice((("203.0.113.9", 5), ("10.0.0.2", 5), ("127.0.0.1", 5), None)),
        }
        return scope, broken_bytes(random, b"CallSid=CA1&From=%2B1", [b"%ff", b"&="])

    def decode(given: tuple[dict[str, Any], bytes]) -> None:
        scope, body = given

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        entered.clear()
        admission._guesses = Guesses()
        with contextlib.suppress(StopIteration):
            # Without Redis nothing of it waits.
            middleware(scope, receive, send).send(None)
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        for path in entered:
            if door(HTTP, method, path).proof not in (Proof.NONE, Proof.SHELL):
                raise AssertionError(f"a stranger has come in at {method} {path!r}")

    return Decoder(make, decode)


def _addresses() -> Decoder:
    seals = AddressSeals([b"k" * 32], lambda: 1.7e9)
    sealed = seals.sealed({"call": "CA1", "node": "front"}, "twilio", "AC1")
    good = [sealed, "again=2&since=1700000000&at=1700000000&node=front&edge=1700000000000"]

    def decode(text: str) -> None:
        if seals.fits(text, "telnyx", "AC1") or seals.fits(text, "twilio", "AC2"):
            raise AssertionError("an address that was sealed for somebody else")
        query = dict(part.partition("=")[::2] for part in text.split("&"))
        Arrival.of(query, 1.7e9).back(1.7e9, "here")
        edge_of(origin(query.get("country", "US"), query, 1.7e9))

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


def _controls() -> Decoder:
    """The control paths of both emulators."""
    members: list[Any] = [
        {"kind": "fin", "after": 3},
        {"first_token_ms": 300, "per_delta_ms": 40, "jitter": 0.2},
        {"door": "speak", "kind": "stall"},
        {"first_ms": 100, "times_real_time": 10},
        {"input_tokens": 2000},
        {"identifier": "gr-1", "version": "1", "words": ["x"]},
        {"mode": "echo"},
    ]
    bedrock, deepgram = BedrockEmulator().service, Deepgram(ScriptedEngine())
    doors = [
        (method, path) for path, methods in bedrock_control._DOORS.items() for method in methods
    ]
    others = [
        (method, path) for path, methods in deepgram_control._DOORS.items() for method in methods
    ]

    def make(random: Random) -> tuple[int, int, bytes, str]:
        body = json.dumps(broken_json(random, random.choice(members), members)).encode()
        if random.random() < 0.2:
            body = broken_bytes(random, body, [body])
        query = broken_text(random, "since=1&door=speak&kind=stall&first_ms=5", ["bodies=1"])
        return random.randrange(len(doors)), random.randrange(len(others)), body, query

    def decode(given: tuple[int, int, bytes, str]) -> None:
        one, other, body, query = given
        method, path = doors[one]
        bedrock_control.handle(bedrock, method, bedrock_control.PREFIX + path, query, body)
        method, path = others[other]
        options = dict(part.partition("=")[::2] for part in query.split("&"))
        path = deepgram_control.PREFIX + path
        deepgram_control.control(method, path, options, body, deepgram)
        bedrock.faults.clear()
        deepgram.faults.clear()

    return Decoder(make, decode)


def _requests() -> Decoder:
    good = [
        b"PUT /_emulator/pace HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP",
    ]

    def decode(data: bytes) -> None:
        made = as_get(data)
        if made is not None and b"\r\n" in made:
            lines = made.decode("latin-1").split("\r\n")[1:]
            headers = dict(line.partition(": ")[::2] for line in lines if line)
            if "x-emulator-body" in headers and b"x-emulator-body" not in data:
                method_and_body({name.lower(): value for name, value in headers.items()})

    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), decode)


def _twiml() -> Decoder:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    good = [
        head + '<Response><Connect><Stream url="wss://x/media"><Parameter name="a" value="b"/>'
        "</Stream></Connect><Redirect>/incoming?again=1</Redirect></Response>",
        head + '<Response><Dial action="/a" timeout="25"><Number url="/w">+1415</Number></Dial>'
        '<Gather numDigits="1" timeout="8"><Say>Hello &amp; goodbye</Say></Gather></Response>',
        head
        + '<Response><Pause length="1"/><Say>Hi</Say><Hangup/><Reject reason="busy"/></Response>',
    ]
    return Decoder(
        lambda random: broken_text(random, random.choice(good), good),
        lambda text: read_twiml(text, "https://phone.example.org/incoming"),
        (WebhookError,),
    )


def _answers() -> Decoder:
    """What web servers answer to tools."""
    texts = [b'{"message": "Not found."}', b'{"error": {"detail": "x"}}', b"<html>"]
    good = [*texts, *(gzip.compress(text, mtime=0) for text in texts)]
    kinds = ("application/json", "text/plain", "application/problem+json", "")

    def make(random: Random) -> tuple[bytes, str, bool]:
        data = broken_bytes(random, random.choice(good), good)
        return data, random.choice(kinds), random.random() < 0.5

    def decode(given: tuple[bytes, str, bool]) -> None:
        data, kind, is_packed = given
        answer = Unpacked(10_000).decode(data) if is_packed else data
        _detail(kind, answer)
        _decoded(kind, answer)

    return Decoder(make, decode, (ValueError, TooMuch))


def _words() -> Decoder:
    """What a model says, on its way to a voice."""
    good = [
        "**Dr. Meyer** is there at 9:30 on 2026-03-05. Call +1 (415) 555-0123, or mail a@b.org!",
        "1. First, $12.50.\n2. Then 3/4 of it … see https://example.org/a?b=c#d.\n| a |\n```x```",
        "Ça coûte 1 234,56 €, n'est-ce pas ? « Oui. » 你好。 Il est 14h30 — à bientôt.",
    ]
    # What it takes grows with the length, and two sentences side by side are all that meets.
    parts = [text[at : at + 40] for text in good for at in range(0, len(text), 20)]

    def make(random: Random) -> tuple[str, str]:
        text = broken_text(random, random.choice(parts), good)
        return text, random.choice(("en", "de", "fr", "es", "ja", "xx"))

    def decode(given: tuple[str, str]) -> None:
        text, language = given
        splitter = SentenceSplitter()
        said = [*splitter.feed(text[: len(text) // 2]), *splitter.feed(text[len(text) // 2 :])]
        for sentence in [*said, *splitter.flush()]:
            spoken(sentence, language)

    return Decoder(make, decode)


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "esl": _esl,
    "ami": _ami,
    "dialled": _dialled,
    "headers": _headers,
    "subprotocols": _subprotocols,
    "http_door": _http_door,
    "addresses": _addresses,
    "controls": _controls,
    "requests": _requests,
    "twiml": _twiml,
    "answers": _answers,
    "words": _words,
}
