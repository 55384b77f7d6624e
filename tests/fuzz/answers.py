"""What services answer: a last model, a voice, embeddings, an index, a collector, a carrier's API;
and what other nodes of the cluster, the console's page and the ledger of placed calls tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import httpx

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.membership import Card
from aybiza.actors.measures.otlp_door import _rejected
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import Shutdown
from aybiza.claude.chat.errors import broken, refused, told
from aybiza.claude.chat.events import ChatEvents, Lines, LineTooLong, error_of
from aybiza.claude.embedding import embedding_of
from aybiza.claude.errors import BedrockError
from aybiza.claude.stream import StreamDecoder
from aybiza.config.asked_waits import MOST_SECONDS, asked_wait
from aybiza.dialogue.outbound.ledger import Attempted, Begun, Halted, Ledger, Met, Moved, decode
from aybiza.dialogue.outbound.ledger import encode as encoded
from aybiza.dialogue.tools.http_auth import token_of
from aybiza.dialogue.tools.knowledge import passages_of
from aybiza.gateway.console.pages import wish_of
from aybiza.gateway.control.placing import _as_form, _since
from aybiza.gateway.placed import told_of
from aybiza.speech.elevenlabs import code_of
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_bytes, broken_json, broken_text

_CHUNKS: Final[list[dict[str, Any]]] = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"delta": {"content": "Hello. How"}, "finish_reason": None}], "usage": None},
    {"choices": [{"delta": {"refusal": "No."}}]},
    {
        "choices": [
            {
                "delta": {
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "t1",
                            "function": {"name": "find", "arguments": '{"day":'},
                        }
                    ]
                }
            }
        ]
    },
    {"choices": [{"delta": {"tool_calls": [{"id": "t1", "function": {"arguments": '"x"}'}}]}}]},
    {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
    {
        "choices": [],
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 1},
        },
    },
    {"error": {"code": "rate_limit_exceeded", "param": "messages", "type": "x", "message": "y"}},
]


def _chat() -> Decoder:
    """The events of a chat service, and what it answers to what it refuses."""
    lines = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in _CHUNKS]
    whole = b"".join(lines[:-1]) + b"data: [DONE]\n\n"

    def make(random: Random) -> bytes:
        if random.random() < 0.3:
            return broken_bytes(random, random.choice((whole, *lines)), lines)
        made = [
            broken_json(random, chunk, _CHUNKS) if random.random() < 0.4 else chunk
            for chunk in random.sample(_CHUNKS, 4)
        ]
        return b"".join(b"data: " + json.dumps(each).encode() + b"\n" for each in made)

    def decode(data: bytes) -> None:
        lines, events, decoder = Lines(), ChatEvents(lambda: "t"), StreamDecoder()
        refused(400, data.removeprefix(b"data: "), "m")
        try:
            for at in range(0, len(data), 300):
                for text in lines.feed(data[at : at + 300]):
                    chunk = json.loads(text)
                    if not isinstance(chunk, dict):
                        continue
                    if (error := error_of(chunk)) is not None:
                        told(error, "m", before_first_token=True)
                    for event in events.feed(chunk):
                        decoder.feed(event)
        except (LineTooLong, ValueError, RecursionError) as error:
            broken(error, "m", before_first_token=False)
        decoder.end()

    return Decoder(make, decode)


def _voices() -> Decoder:
    """What ElevenLabs answers to what it refuses."""
    good = [b'{"detail": {"status": "quota_exceeded", "message": "no"}}', b'{"detail": "x"}']

    def decode(data: bytes) -> None:
        assert isinstance(code_of(data), str)

    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), decode)


def _embeddings() -> Decoder:
    good = {"embedding": [0.5] * 256, "inputTextTokenCount": 3}
    others = [good, {"embedding": [1.0]}, [0.0] * 256]

    def decode(answer: Any) -> None:
        vector, tokens = embedding_of(answer, "When are you open?")
        assert vector.shape == (256,) and tokens >= 0

    return Decoder(lambda random: broken_json(random, good, others), decode, (BedrockError,))


def _passages() -> Decoder:
    """What Kendra finds."""
    item = {
        "DocumentTitle": {"Text": "Hours"},
        "DocumentExcerpt": {"Text": "We open at nine."},
        "DocumentId": "d1",
        "DocumentURI": "https://example.org/hours",
    }
    good = {"ResultItems": [item, item], "TotalNumberOfResults": 2}

    def decode(answer: Any) -> None:
        for passage in passages_of(answer, 3):
            assert (passage.title + passage.text + passage.source).encode(
                errors="replace"
            ) is not None

    return Decoder(lambda random: broken_json(random, good, [good, item]), decode)


def _collectors() -> Decoder:
    """What a collector of OTLP answers."""
    good = [b'{"partialSuccess": {"rejectedSpans": "5", "errorMessage": "x"}}', b"{}", b""]

    def decode(data: bytes) -> None:
        assert isinstance(_rejected(data), int)

    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), decode)


def _waits() -> Decoder:
    """For how long a service asks to be left alone."""
    date = b"Wed, 21 Oct 2026 07:28:30 GMT"
    good = [b"3", b"250", date, b"1e9", b""]

    def decode(data: bytes) -> None:
        text = data.decode("latin-1")
        for headers in ({"retry-after": text, "date": date.decode()}, {"retry-after-ms": text}):
            if not 0.0 <= asked_wait(headers) <= MOST_SECONDS:
                raise AssertionError("a wait without a bound")

    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), decode)


def _keys() -> Decoder:
    """What a service answers that gives out keys (OAuth)."""
    good = {"access_token": "abc", "expires_in": 3600, "token_type": "Bearer"}

    def make(random: Random) -> bytes:
        text = json.dumps(broken_json(random, good, [good]))
        return (
            broken_bytes(random, text.encode(), [b"{}"]) if random.random() < 0.3 else text.encode()
        )

    def decode(data: bytes) -> None:
        token, life = token_of(data)
        httpx.Request("GET", "https://example.org", headers={"Authorization": f"Bearer {token}"})
        assert life >= 0.0

    return Decoder(make, decode, (ValueError,))


def _orders() -> Decoder:
    """What a carrier's API tells of calls."""
    call = {
        "sid": "CA1",
        "status": "completed",
        "duration": "5",
        "answered_by": "human",
        "date_created": "Mon, 05 Jan 2026 10:00:00 +0000",
    }
    good = {"calls": [call, {**call, "date_created": "Mon, 05 Jan 2026 11:00:00 +0000"}]}

    def decode(answer: Any) -> None:
        found = _since(answer.get("calls") if isinstance(answer, dict) else None, 1.0)
        if found is not None:
            told_of(_as_form(found), "a1")

    return Decoder(lambda random: broken_json(random, good, [good, call]), decode)


def _wishes() -> Decoder:
    """What the console's page says on its websocket."""
    good = ['{"call": "CA0123456789", "listen": true}', '{"call": ""}', '{"call": "CA1"}']

    def decode(text: str) -> None:
        wish = wish_of(text)
        assert wish is None or (isinstance(wish.call_id, str) and type(wish.listens) is bool)

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


def _attempts() -> Decoder:
    """The ledger of placed calls."""
    entries = [
        encoded(entry)
        for entry in (
            Begun("spring", 1.0, {"name": "spring"}),
            Attempted("a1", "+14155550100", "+14155550101", "clinic", "spring", 2.0),
            Moved("a1", "placed", 3.0, "CA1"),
            Met("a1", "human"),
            Moved("a1", "completed", 9.0, seconds=5),
            Halted("spring", 10.0, "done"),
        )
    ]

    def make(random: Random) -> list[Any]:
        return [
            broken_json(random, each, entries) if random.random() < 0.4 else each
            for each in entries
        ]

    def fold(made: list[Any]) -> None:
        ledger = Ledger.of(entry for each in made if (entry := decode(each)) is not None)
        list(ledger.live())

    return Decoder(make, fold)


def _signals() -> Decoder:
    """What nodes of a cluster say. Bytes that no node has pickled do not come so far."""
    pid = Pid("front", 5)
    fields: list[list[Any]] = [
        [signals.Send, pid, {"a": [1]}],
        [signals.Ask, 1, pid, "name", {"b": "c"}, None],
        [signals.Answer, 1, [1, 2]],
        [signals.Died, 1, Shutdown("x")],
        [signals.ExitSignal, pid, "name", "kill", True],
        [signals.Introduce, [Card("front", 1, "10.0.0.1:1900", ("10.0.0.1", 4000))]],
        [signals.ForNames, {"name": "desk"}],
    ]

    def make(random: Random) -> bytes:
        kind, *given = random.choice(fields)
        given = broken_json(random, given, [given[-1]])
        values = given if isinstance(given, list) else [given]
        try:
            item = signals.packed(kind(*values))
        except TypeError:
            item = signals.packed(tuple(values))
        return item[: random.randrange(len(item))] if random.random() < 0.2 else item

    def read(item: bytes) -> None:
        signals.described(ValueError(signals.read(item)))

    return Decoder(make, read, (signals.ProtocolError, signals.UnknownKind))


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "chat": _chat,
    "voices": _voices,
    "embeddings": _embeddings,
    "passages": _passages,
    "collectors": _collectors,
    "waits": _waits,
    "keys": _keys,
    "orders": _orders,
    "wishes": _wishes,
    "attempts": _attempts,
    "signals": _signals,
}
