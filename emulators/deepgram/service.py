"""Deepgram without sockets: handshakes, sessions, faults, journal, pace. Its engine alone waits.

    deepgram = Deepgram(ScriptedEngine(), clock=loop.time)
    refusal = deepgram.handshake(path, headers)       None: the door opens
    session = deepgram.session(path, headers)         a machine, see `session`

Contract: any API key is accepted, none or an empty one is refused with 401; audio is mu-law,
8000 Hz, and a connection that asks for other is refused with 400. Ids follow from `seed` and the
number of the connection. Times are those of `clock`; `today` is the wall clock's for `created`.
Errors: `ValueError` from `session` for a path that `handshake` refuses.
Source: Deepgram, listen v1, listen v2 and speak v1: handshake, parameters, errors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aybiza.config import clocks
from aybiza.emulators.deepgram.engine import Engine
from aybiza.emulators.deepgram.faults import KINDS, Door, Fault, Faults, Strike
from aybiza.emulators.deepgram.faulty import Faulty
from aybiza.emulators.deepgram.flux import Flux, Thresholds
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.journal import Journal
from aybiza.emulators.deepgram.listen import Parameters
from aybiza.emulators.deepgram.listen_session import SILENCE_SECONDS, ListenSession
from aybiza.emulators.deepgram.session import Note, Session
from aybiza.emulators.deepgram.speak import (
    IDLE_SECONDS,
    LIFETIME_SECONDS,
    PIECE_BYTES,
    Pace,
    Speaking,
)

PATHS: dict[str, Door] = {"/v1/listen": "listen", "/v2/listen": "flux", "/v1/speak": "speak"}

# The only audio there is, and what Deepgram takes where a connection does not say.
_AUDIO = {"encoding": "mulaw", "sample_rate": "8000"}
_UNSAID: dict[Door, dict[str, str]] = {
    "listen": {},
    "flux": {},
    "speak": {"encoding": "linear16", "sample_rate": "8000"},
}
_MODELS: dict[Door, str] = {"listen": "base-general", "flux": "", "speak": "aura-asteria-en"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """The handshake is answered with an HTTP status; `error` is told in `dg-error` too."""

    status: int
    error: str


@dataclass(slots=True)
class Limits:
    """How long a socket lives, in seconds: without audio or KeepAlive (listen), without a message
    (speak), and at most (speak). `piece_bytes`: the least and the most of a voice's audio that goes
    out together."""

    silence: float = SILENCE_SECONDS
    idle: float = IDLE_SECONDS
    lifetime: float = LIFETIME_SECONDS
    piece_bytes: tuple[int, int] = PIECE_BYTES


def _wall_clock() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Deepgram:
    """See the module."""

    def __init__(
        self,
        engine: Engine,
        *,
        pace: Pace | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = clocks.monotonic,
        today: Callable[[], str] = _wall_clock,
        seed: int = 0,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.faults = Faults()
        self.journal = Journal(clock)
        self.pace = pace or Pace()
        self.limits = limits or Limits()
        self._today = today
        self._seed = seed
        self._numbers = itertools.count(1)
        self._open: dict[Faulty, tuple[Door, str]] = {}

    def handshake(self, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a websocket to `path` is not opened; header names are lower case."""
        try:
            parts = urlsplit(path)
        except ValueError as error:
            return Refusal(400, str(error))
        door = PATHS.get(parts.path)
        if door is None:
            return Refusal(404, "no such endpoint")
        if not _authorised(headers):
            return Refusal(401, "INVALID_AUTH")
        try:
            _check(door, dict(parse_qsl(parts.query)), _hints(parts.query))
        except ValueError as error:
            return Refusal(400, str(error))
        fault = self.faults.take(door, refusing=True, session=session_id(headers))
        return Refusal(fault.code, "refused on demand") if fault else None

    def session(self, path: str, headers: Mapping[str, str]) -> Session:
        """The machine of a socket whose handshake was accepted; it has taken its fault."""
        parts = urlsplit(path)
        door, query = PATHS[parts.path], dict(parse_qsl(parts.query))
        name = session_id(headers)

        def note(what: str, /, **more: Any) -> None:
            self.journal.note(name, what, **more)

        number = next(self._numbers)
        model = query.get("model", _MODELS[door])
        identity = Identity.of(self._seed, number, model, self._today())
        hints, strike = _hints(parts.query), self.faults.strike(door, name)
        session = self._made(door, query, hints, identity, note, strike)
        fault = self.faults.take(door, refusing=False, session=name)
        faulty = Faulty(session, fault, self._gone)
        self._open[faulty] = (door, name)
        return faulty

    def _gone(self, socket: Faulty) -> None:
        self._open.pop(socket, None)

    def strike(self, *faults: Fault) -> None:
        """Have faults of sockets strike those that are open; what is left of them, and others,
        wait as `faults` do."""
        for fault in faults:
            left = fault.times
            if KINDS[fault.kind].group == "socket":
                for socket, (door, name) in self._open.items():
                    if left != 0 and door == fault.door and fnmatchcase(name, fault.session):
                        socket.strike(self.clock(), fault)
                        left = None if left is None else left - 1
            if left != 0:
                self.faults.add(replace(fault, times=left))

    def _made(
        self,
        door: Door,
        query: dict[str, str],
        hints: list[str],
        identity: Identity,
        note: Note,
        strike: Strike,
    ) -> Session:
        silence = self.limits.silence
        match door:
            case "listen":
                heard = self.engine.recogniser(), Parameters.of(query, hints)
                return ListenSession(*heard, identity, note, strike, silence_seconds=silence)
            case "flux":
                turns = self.engine.recogniser(), Thresholds.of(query, hints)
                return Flux(*turns, identity, note, strike, silence_seconds=silence)
            case "speak":
                return Speaking(
                    identity,
                    self.pace,
                    note,
                    strike,
                    lifetime_seconds=self.limits.lifetime,
                    idle_seconds=self.limits.idle,
                    piece_bytes=self.limits.piece_bytes,
                )

    def connected(self, path: str, headers: Mapping[str, str], what: str) -> None:
        """Note that a socket is `connected` or `disconnected`."""
        self.journal.note(session_id(headers), what, door=PATHS[urlsplit(path).path])


def session_id(headers: Mapping[str, str]) -> str:
    """The name that the client gave to its session."""
    return headers.get("x-deepgram-session-id", "")


def _hints(query: str) -> list[str]:
    """The languages that a connection expects: the one parameter that is told several times."""
    return [value for name, value in parse_qsl(query) if name == "language_hint"]


def _check(door: Door, query: dict[str, str], hints: list[str]) -> None:
    """Raise `ValueError` for a connection that Deepgram, or this emulator, would not take."""
    for name, only in _AUDIO.items():
        value = query.get(name, _UNSAID[door].get(name))
        if value != only:
            raise ValueError(f"{name} is {only} here, not {value!r}")
    if door == "listen":
        Parameters.of(query, hints)
    elif door == "flux":
        Thresholds.of(query, hints)


def _authorised(headers: Mapping[str, str]) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return scheme.lower() in ("token", "bearer") and bool(key.strip())
