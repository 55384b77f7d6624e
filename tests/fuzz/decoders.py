"""Everything that decodes what others send, and what it may say to an input that it cannot read.

Here is what comes over the cluster, from carriers and from providers, and the table of all. What is
read from files is in `files`, from stores in `stores`, from switches, webs and words in `doors`,
from models, tools and other nodes in `others`, from services in `answers`, and what operators write
in `operators`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from pydantic import ValidationError

from aybiza.actors.cluster.link import Link, Parcel
from aybiza.actors.cluster.membership import Card, Farewell, Letter, Refusal
from aybiza.actors.node.channel import ChannelFailed, Secrets
from aybiza.actors.node.frames import FrameCodec, FrameRefused, listener
from aybiza.actors.node.guard import GuardedBuffer
from aybiza.actors.node.messages import Hello
from aybiza.actors.node.wire import Message, Reader, WireFault, Writer
from aybiza.claude.stream import StreamDecoder
from aybiza.config.agents import FOLDER, Agent
from aybiza.faults.plan import PlanError, parse
from aybiza.gateway.admission.stream_token import StreamTokens, bound_names
from aybiza.gateway.admission.webhook_form import FormError, read_form
from aybiza.gateway.carriers.audio_socket_codec import AudioSocketCodec, Parser, message
from aybiza.gateway.carriers.codec import MAX_REASON_BYTES, Codec, ProtocolError
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.speech import deepgram_flux, deepgram_listen, deepgram_speak
from aybiza.speech.flux_hearing import FluxHearing
from aybiza.speech.hearing import NovaHearing
from tests.fuzz import answers, connections, doors, files, operators, others, stores
from tests.fuzz.decoder import Decoder
from tests.fuzz.diagnosis import sip, wav
from tests.fuzz.mutate import broken_bytes, broken_json, broken_text

ROOT = Path(__file__).resolve().parents[2]


# The cluster

_COOKIE = b"4fd1a0c37be952e8"
_HERE = listener("127.0.0.1", 1900)
_CARD = Card("front", 1_760_000_000_000, "10.0.0.1:1900", ("10.0.0.1", 40001))
_LETTERS = [
    Letter(_CARD, 0, Parcel(1, 0, 0, 0, 0)),
    Letter(_CARD, 7, Parcel(1, 1, 1, 1, 0, (b"an item", b"another", b""))),
    Letter(_CARD, 7, Parcel(2, 1, 2, 3, 1, (b"x" * 300,))),
]


def _frames() -> Decoder:
    # A clock that stands: what was signed at first is in time for all inputs.
    codec = FrameCodec(_COOKIE, clock=lambda: 1e9, timer=lambda: 0.0, quiet=True)
    codec.listen(_HERE)
    good = []
    for body in (b"", b"a message", b"x" * 500):
        frame = codec.sign(body, _HERE)
        good.append(b"%d>" % len(frame) + frame)
    good += [b"32>" + codec.token("ACK"), b"40>" + bytes(40), b"99999999999>"]

    def decode(data: bytes) -> None:
        coming = GuardedBuffer(codec.loads)
        for at in range(0, len(data), 50):
            coming.addMore(data[at : at + 50])
        if not coming.refused and len(data) > 200:
            coming.isDone()
        codec._nonces.clear()
        codec._expiring.clear()
        try:
            codec.body(data)
        except FrameRefused:
            return

    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), decode)


def _wire() -> Decoder:
    writer = Writer()
    said: list[Message] = [*_LETTERS, Refusal(_CARD), Farewell(_CARD), Hello(_CARD)]
    good = [b"".join(map(writer.written, said)), *(Writer().written(each) for each in said)]

    def decode(data: bytes) -> None:
        reader, link = Reader(), Link(0.0)
        for at in range(0, len(data), 100):
            for number, told in enumerate(reader.read(data[at : at + 100])):
                if isinstance(told, Letter):
                    link.take(float(number), told.parcel)
                    link.tick(float(number))
                    list(link.outgoing())

    return Decoder(
        lambda random: broken_bytes(random, random.choice(good), good), decode, (WireFault,)
    )


def _channel() -> Decoder:
    secrets = Secrets(_COOKIE)
    hello = secrets.dial()
    hello.feed(b"")
    good = [hello.take(), b"\x16\x03\x01\x00\x05hello", secrets.knock()]

    def decode(data: bytes) -> None:
        if secrets.answer(data[:48]) is not None and data[:48] != good[2][:48]:
            raise AssertionError("a stranger has been answered")
        answer = secrets.answer(good[2])
        assert answer is not None
        if answer.feed(data) or answer.open:
            raise AssertionError("a stranger has come in")

    return Decoder(
        lambda random: broken_bytes(random, random.choice(good), good), decode, (ChannelFailed,)
    )


# Carriers

_MEDIA: Final[Sequence[dict[str, Any]]] = (
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "stream_id": "s1",
        "start": {
            "streamSid": "MZ1",
            "callSid": "CA1",
            "accountSid": "AC1",
            "call_control_id": "v3:a",
            "user_id": "u",
            "tracks": ["inbound"],
            "customParameters": {"StreamToken": "t", "From": "+1"},
            "custom_parameters": {"StreamToken": "t"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        },
    },
    {
        "event": "media",
        "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": "//8="},
    },
    {"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "1"}},
    {"event": "mark", "streamSid": "MZ1", "mark": {"name": "1:1:0"}},
    {"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}},
    {"event": "error", "payload": {"code": 1, "title": "x", "detail": "y"}},
    {"call": "call-1", "from": "+1", "to": "+2", "token": "t"},
    {"type": "killAudio"},
)


def _media(codec: Callable[[], Codec]) -> Decoder:
    def make(random: Random) -> list[str | bytes]:
        frames: list[str | bytes] = []
        for good in random.choices(_MEDIA, k=random.randrange(1, 5)):
            match random.randrange(5):
                case 0:
                    frames.append(json.dumps(good))
                case 1:
                    frames.append(broken_text(random, json.dumps(good), [json.dumps(good)]))
                case 2:
                    frames.append(broken_bytes(random, json.dumps(good).encode(), [b"\xff\x7f"]))
                case _:
                    frames.append(json.dumps(broken_json(random, good, _MEDIA)))
        return frames

    def decode(frames: list[str | bytes]) -> None:
        made = codec()
        for frame in frames:
            try:
                repr(made.decode(frame))
            except ProtocolError as error:
                assert len(error.reason.encode()) <= MAX_REASON_BYTES

    return Decoder(make, decode)


def _audio_socket() -> Decoder:
    good = [
        message(1, bytes(range(16))) + message(0x10, bytes(320)) + message(0, b""),
        message(3, b"5"),
        message(0xFF, b"\x01"),
    ]

    def decode(data: bytes) -> None:
        codec, parser = AudioSocketCodec(), Parser()
        for at in range(0, len(data), 150):
            for frame in parser.feed(data[at : at + 150]):
                try:
                    codec.decode(frame)
                except ProtocolError as error:
                    assert len(error.reason.encode()) <= MAX_REASON_BYTES

    return Decoder(
        lambda random: broken_bytes(random, random.choice(good), good), decode, (ProtocolError,)
    )


_FORM = "application/x-www-form-urlencoded"


def _forms() -> Decoder:
    good = [
        "CallSid=CA0123456789abcdef0123456789abcdef&AccountSid=AC1&From=%2B14155550123&To=%2B1415",
        "CallSid=CA1&From=sip%3Aalice%40example.org&To=+1&CallStatus=ringing&Direction=inbound",
        "CallSid=v3%3Aabc&AccountSid=1&From=anonymous&To=%2B1&Digits=1&DialCallStatus=busy",
    ]
    types = [_FORM, f"{_FORM}; charset=utf-8", f'{_FORM};charset="x"', "text/plain", ""]

    def make(random: Random) -> tuple[bytes, dict[str, str], str, bool]:
        text = broken_text(random, random.choice(good), good)
        body = text.encode(errors="surrogatepass")
        headers = {"content-type": broken_text(random, random.choice(types[:2]), types)}
        if random.random() < 0.9:
            headers = {"content-type": _FORM}
        carrier = random.choice(("twilio", "telnyx", "signalwire"))
        return body, headers, carrier, random.random() < 0.5

    def decode(given: tuple[bytes, dict[str, str], str, bool]) -> None:
        body, headers, carrier, needs_call = given
        read_form(body, headers, carrier, needs_call=needs_call)

    return Decoder(make, decode, (FormError,))


def _tokens() -> Decoder:
    tokens = StreamTokens(b"k" * 32)
    told = {"Carrier": "twilio", "Account": "AC1", "From": "+1", "To": "+2"}
    good = [tokens.issue("CA1", told), tokens.issue("CA1"), "", "x" * 80]

    def decode(token: str) -> None:
        refusal = tokens.refusal(token, "CA1", told)
        tokens._used.clear()
        if refusal is None and bound_names(token) != (set(told) if token == good[0] else set()):
            raise AssertionError("a token that was never issued")

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


# Providers

_LISTEN: Final[Sequence[dict[str, Any]]] = (
    {
        "type": "Results",
        "start": 0.5,
        "duration": 1.2,
        "is_final": True,
        "speech_final": True,
        "from_finalize": False,
        "channel": {
            "alternatives": [
                {
                    "transcript": "hello there",
                    "confidence": 0.9,
                    "words": [{"word": "hello", "start": 0.5, "end": 0.9}],
                }
            ]
        },
    },
    {"type": "SpeechStarted", "timestamp": 1.5},
    {"type": "UtteranceEnd", "last_word_end": 2.5},
    {"type": "Metadata", "request_id": "r"},
    {
        "type": "TurnInfo",
        "event": "EndOfTurn",
        "transcript": "hello",
        "audio_window_end": 2.0,
        "words": [{"word": "hello", "end": 1.0}],
    },
    {"type": "Flushed", "sequence_id": 3},
    {"type": "Cleared", "sequence_id": 3},
    {"type": "Warning", "code": "W", "description": "slow"},
)


def _deepgram() -> Decoder:
    def make(random: Random) -> list[dict[str, Any]]:
        made = (
            broken_json(random, good, _LISTEN)
            for good in random.choices(_LISTEN, k=random.randrange(1, 5))
        )
        return [each for each in made if isinstance(each, dict)]

    def decode(messages: list[dict[str, Any]]) -> None:
        hearing, flux = NovaHearing(1.0), FluxHearing()
        for now, told in enumerate(messages):
            heard = deepgram_listen.decode(told)
            if heard is not None:
                hearing.handle(heard, float(now))
            hearing.tick(float(now))
            turn = deepgram_flux.decode(told)
            if turn is not None:
                flux.handle(turn, float(now))
            flux.tick(float(now))
            deepgram_speak.decode(told)

    return Decoder(make, decode)


_ANSWER: Final[Sequence[dict[str, Any]]] = (
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello. How are you? I"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {
        "contentBlockStart": {
            "contentBlockIndex": 1,
            "start": {"toolUse": {"toolUseId": "t1", "name": "free_slots"}},
        }
    },
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"day":"x"}'}}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {
        "contentBlockDelta": {
            "contentBlockIndex": 2,
            "delta": {"reasoningContent": {"text": "thinking", "signature": "s"}},
        }
    },
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8}}},
)


def _bedrock() -> Decoder:
    def make(random: Random) -> list[dict[str, Any]]:
        events = [
            broken_json(random, event, _ANSWER) if random.random() < 0.4 else event
            for event in _ANSWER
        ]
        if random.random() < 0.5:
            random.shuffle(events)
        return [each for each in events if isinstance(each, dict)]

    def decode(events: list[dict[str, Any]]) -> None:
        decoder = StreamDecoder()
        for event in events:
            decoder.feed(event)
        decoder.end()

    return Decoder(make, decode)


# Files

AGENTS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml"))]
PLANS = [
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests" / "faults" / "plans").glob("*.toml"))
]


def _agents() -> Decoder:
    tables = [tomllib.loads(text) for text in AGENTS]

    def decode(table: Any) -> None:
        Agent.model_validate(table)

    return Decoder(
        lambda random: broken_json(random, random.choice(tables), tables),
        decode,
        (ValidationError,),
    )


def _plans() -> Decoder:
    return Decoder(
        lambda random: broken_text(random, random.choice(PLANS), PLANS),
        lambda text: parse(text, "plan"),
        (PlanError,),
    )


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "frames": _frames,
    "wire": _wire,
    "channel": _channel,
    **{
        name: (lambda codec=carrier.codec: _media(codec))  # type: ignore[misc]
        for name, carrier in CARRIERS.items()
    },
    "audiosocket": _audio_socket,
    "forms": _forms,
    "tokens": _tokens,
    "deepgram": _deepgram,
    "bedrock": _bedrock,
    "agents": _agents,
    "plans": _plans,
    "sip": sip,
    "wav": wav,
    **files.DECODERS,
    **stores.DECODERS,
    **doors.DECODERS,
    **others.DECODERS,
    **answers.DECODERS,
    **operators.DECODERS,
    **connections.DECODERS,
}
"""All of them, by name; made when they are used."""
