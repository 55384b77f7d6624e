"""What nodes say to each other on a stream, in bytes. Pure.

    frame = length, 4 bytes | kind, 1 byte | body

A letter's body has the numbers of its parcel and its items as they are; the other kinds are rare
and are JSON. A `Letter` names its sender on every frame, which a connection says once (`CARD`).
Nothing here is pickled: what items hold is read behind the connection, by `signals`.

Contract: `Writer` and `Reader` belong to one direction of one connection. What a `Writer` writes a
`Reader` reads, in whatever pieces it comes. Errors: `WireFault` for bytes that are none of this,
after which the connection is of no use.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from aybiza.actors.cluster.carrier import Welcome
from aybiza.actors.cluster.link import Parcel
from aybiza.actors.cluster.membership import Card, Farewell, Letter, Refusal
from aybiza.actors.node.messages import Hello

MAX_FRAME: Final = 32 * 1024 * 1024
"""Longest frame in bytes; no parcel is near it."""
MAX_ITEMS: Final = 100_000
MAX_CARDS: Final = 10_000

Message: TypeAlias = Letter | Refusal | Farewell | Welcome | Hello

_FRAME = struct.Struct(">IB")
_NUMBERS = struct.Struct(">7Q")
_CARD, _LETTER, _REFUSAL, _FAREWELL, _HELLO, _WELCOME = range(1, 7)


class WireFault(Exception):
    """Bytes that no node writes."""


class Writer:
    """See the module."""

    def __init__(self) -> None:
        self._card: Card | None = None

    def written(self, message: Message) -> bytes:
        """The frames of a message; raises TypeError for what no node says."""
        match message:
            case Letter(card, to, parcel):
                letter = _letter(to, parcel)
                if card == self._card:
                    return letter
                self._card = card
                return _json(_CARD, card) + letter
            case Refusal(owner):
                return _json(_REFUSAL, owner)
            case Farewell(card):
                return _json(_FAREWELL, card)
            case Hello(card=card):
                return _json(_HELLO, card)
            case Welcome(machine, cards):
                return _json(_WELCOME, [machine, cards])
        raise TypeError(f"{type(message).__name__} is nothing that a node says to another")


class Reader:
    """See the module."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._card: Card | None = None

    def read(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole with these bytes; raises WireFault."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= _FRAME.size:
                length, kind = _FRAME.unpack_from(buffer, at)
                if length > MAX_FRAME:
                    raise WireFault(f"a frame of {length} bytes")
                end = at + _FRAME.size + length
                if len(buffer) < end:
                    break
                body = bytes(memoryview(buffer)[at + _FRAME.size : end])
                at = end
                message = self._message(kind, body)
                if message is not None:
                    yield message
        finally:
            del buffer[:at]

    def _message(self, kind: int, body: bytes) -> Message | None:
        if kind == _LETTER:
            if self._card is None:
                raise WireFault("a letter of nobody")
            return _read_letter(self._card, body)
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            raise WireFault("what should be JSON is none") from None
        match kind:
            case int() if kind == _CARD:
                self._card = _card(told)
                return None
            case int() if kind == _REFUSAL:
                return Refusal(_card(told))
            case int() if kind == _FAREWELL:
                return Farewell(_card(told))
            case int() if kind == _HELLO:
                return Hello(_card(told))
            case int() if kind == _WELCOME:
                return _welcome(told)
        # A newer version may say what this one does not know.
        return None


def _letter(to: int, parcel: Parcel) -> bytes:
    epoch, echo, number, last, ack, items = parcel
    numbers = _NUMBERS.pack(to, epoch, echo, number, last, ack, len(items))
    lengths = struct.pack(f">{len(items)}I", *map(len, items))
    length = len(numbers) + len(lengths) + sum(map(len, items))
    return b"".join((_FRAME.pack(length, _LETTER), numbers, lengths, *items))


def _read_letter(card: Card, body: bytes) -> Letter:
    try:
        to, epoch, echo, number, last, ack, count = _NUMBERS.unpack_from(body)
        if count > MAX_ITEMS:
            raise WireFault(f"a letter of {count} items")
        lengths = struct.unpack_from(f">{count}I", body, _NUMBERS.size)
    except struct.error:
        raise WireFault("a letter that is too short") from None
    at = _NUMBERS.size + 4 * count
    if at + sum(lengths) != len(body):
        raise WireFault("a letter of another length than its items")
    items = []
    for length in lengths:
        items.append(body[at : at + length])
        at += length
    return Letter(card, to, Parcel(epoch, echo, number, last, ack, tuple(items)))


def _json(kind: int, told: Any) -> bytes:
    body = json.dumps(told, separators=(",", ":")).encode()
    return _FRAME.pack(len(body), kind) + body


def _card(told: Any) -> Card:
    match told:
        case [str(name), int(incarnation), str(machine), [str(host), int(port)]]:
            return Card(name, incarnation, machine, (host, port))
    raise WireFault("a card that is none")


def _welcome(told: Any) -> Welcome:
    match told:
        case [str(machine), [*cards]] if len(cards) <= MAX_CARDS:
            return Welcome(machine, _cards(cards))
    raise WireFault("a welcome that is none")


def _cards(told: Sequence[Any]) -> tuple[Card, ...]:
    return tuple(map(_card, told))
