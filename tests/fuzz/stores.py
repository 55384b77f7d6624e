"""What stores give back, as SQLite, Redis and DynamoDB have it, and what is asked of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from random import Random
from typing import Any, Final

from aybiza.actors.memory import dynamodb_store, redis_store, sqlite_store
from aybiza.actors.memory.context import fold, messages
from aybiza.actors.memory.store import Unreadable
from aybiza.claude.performance_trends import seconds_of
from aybiza.config.redact import without_numbers
from aybiza.console.calls import LONGEST_SECONDS
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Condensed,
    Ended,
    Entry,
    Interrupted,
    Joined,
    Reopened,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
    Transferred,
    Transferring,
    encode,
)
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_json, broken_text

_USES: Final = [{"toolUse": {"toolUseId": "t1", "name": "free_slots", "input": {"day": "x"}}}]
_RESULTS: Final = [{"toolResult": {"toolUseId": "t1", "content": [{"text": "ten"}]}}]
_ENTRIES: Final[tuple[Entry, ...]] = (
    AgentSentence(0, 1, "Welcome."),
    SentenceHeard(0, 1),
    CallerSegment("I need"),
    CallerTurn(1, "I need an appointment."),
    AgentSentence(1, 1, "One moment."),
    ToolExchange(1, 1, _USES, _RESULTS),
    AgentSentence(1, 2, "At ten."),
    SentenceUnsaid(1, 2),
    Interrupted(1, 1, 0.5),
    Resumed(1),
    AnswerComplete(1, "end_turn"),
    CallerTurn(2, "No."),
    Joined(2),
    CallerTurn(3, "No, at eleven."),
    Condensed(1, "They need an appointment."),
    Closing("transfer", "front desk"),
    Reopened(),
    Transferring("front desk"),
    Ended("transfer"),
    Transferred("front desk", "busy"),
)
JOURNAL: Final = [encode(entry) for entry in _ENTRIES]


def _journals() -> Decoder:
    def make(random: Random) -> list[Any]:
        few = random.sample(JOURNAL, random.randrange(2, len(JOURNAL)))
        return [broken_json(random, e, JOURNAL) if random.random() < 0.3 else e for e in few]

    def decode(entries: list[Any]) -> None:
        bodies = [entry for entry in entries if isinstance(entry, dict)]
        conversation = fold(enumerate(bodies, 1))
        conversation.transcript()
        messages(conversation, 10)
        for turn in conversation.turns.values():
            turn.unheard()
            turn.spoken(1, turn.last_seq)

    return Decoder(make, decode)


def _redis() -> Decoder:
    row = json.dumps([1, 1, 1.7e9, JOURNAL[3]])
    head = {"opened": "1.7e9", "updated": "1.8e9", "caller": "+1", "turns": "3", "outcome": ""}

    def make(random: Random) -> tuple[str, dict[str, str]]:
        made = {
            name: broken_text(random, value or "0", [*head.values()])
            for name, value in head.items()
        }
        return broken_text(random, row, [row]), made

    def decode(given: tuple[str, dict[str, str]]) -> None:
        text, told = given
        redis_store._record("CA1", told)
        redis_store._row("CA1", text)

    return Decoder(make, decode, (Unreadable,))


def _dynamodb() -> Decoder:
    row = {
        "call_id": {"S": "CA1"},
        "number": {"N": "1"},
        "event": {"N": "1"},
        "at": {"N": "1.7"},
        "entry": {"S": json.dumps(JOURNAL[3])},
    }
    head = {
        "call_id": {"S": "CA1"},
        "opened": {"N": "1.7"},
        "turns": {"N": "3"},
        "epoch": {"N": "2"},
    }

    def decode(item: Any) -> None:
        if isinstance(item, dict):
            dynamodb_store._record(item)
            dynamodb_store._head(item)
            dynamodb_store._row(item)

    return Decoder(
        lambda random: broken_json(random, random.choice((row, head)), [row, head]),
        decode,
        (Unreadable,),
    )


def _sqlite() -> Decoder:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE journal (call_id, number, event, at, entry)")
    text = json.dumps(JOURNAL[3])
    texts = [text, "", "[]", "5"]

    def decode(entry: Any) -> None:
        connection.execute("DELETE FROM journal")
        connection.execute("INSERT INTO journal VALUES ('CA1', 1, 1, 1.0, ?)", (entry,))
        sqlite_store._read(connection, "CA1")

    def make(random: Random) -> Any:
        broken = broken_text(random, text, texts).encode(errors="replace").decode()
        return random.choice((broken, broken, broken.encode(), None, 5, 1.5))

    return Decoder(make, decode, (Unreadable,))


def _periods() -> Decoder:
    good = ["24h", "7d", "30m", "90s", "1h"]
    return Decoder(
        lambda random: broken_text(random, random.choice(good), good),
        lambda text: seconds_of(text, LONGEST_SECONDS),
        (ValueError,),
    )


def _numbers() -> Decoder:
    good = ["Call me at +1 (415) 555-0123 or anna@example.org.", "It is 5, not 12345678."]
    return Decoder(lambda random: broken_text(random, random.choice(good), good), without_numbers)


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "journals": _journals,
    "redis": _redis,
    "dynamodb": _dynamodb,
    "sqlite": _sqlite,
    "periods": _periods,
    "numbers": _numbers,
}
