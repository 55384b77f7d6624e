"""The audit trail: who did what, in a file that tells whether it has been changed.

    child(MetricsSink, AuditTrail(path, node="vm-1"))
    verdict = verify(path.read_bytes())

One line of JSON an entry: its number `n`, `at`, `node`, `who` (`caller`, `agent`, `carrier`,
`plan`, `trail`, or the operator's name), `did` (`call.start`, `tool.write`, …), `about`, `before`,
the hash of the entry before it, and `hash`, the SHA-256 of all this. Calls stand in it by their
ids; there is no word and no number of a caller. What the trail could not keep is an entry, too
(`trail.lost`). The file is only ever appended to, is its owner's alone, and bears its node's name.

A machine that dies in the midst of a write leaves a last line without its end: `torn`, which is no
tampering; the node's next entry stands behind it and says so (`trail.torn`). A line that was
changed, removed or put in between breaks the chain. Lines that were cut off at the end do not:
`aybiza audit verify` prints number and hash of the last one, to be kept elsewhere and compared.

Nodes that were given one name and one folder write to one trail: each goes on behind what the
other has written, as long as that follows what it knew itself.

Errors: `SinkError`, tried again, for a disk that is full or away. A trail whose end cannot be
understood is set aside as `….damaged`, and the new one begins with an entry that says so.
Source: specification 000, "Phase 5" (audit trails); B. Schneier, J. Kelsey, "Secure Audit Logs to
Support Computer Forensics" (1999).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from aybiza.actors.measures import events
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.private_files import in_turn, private_file
from aybiza.config.settings import Settings

FIRST: Final = "0" * 64
"""What stands before the first entry."""
# Four texts of MAX_CHARACTERS, each of up to twelve bytes, and the rest.
MAX_ENTRY_BYTES: Final = 16_384
MAX_CHARACTERS: Final = 200

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trail is. entries: those that hold. wrong: the number of the first line that does not
    fit, and why; None if all do. torn: whether the last line has no end. last: the hash of the last
    entry that holds."""

    entries: int
    wrong: tuple[int, str] | None = None
    torn: bool = False
    last: str = FIRST


def _about(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda told: {name: told[name] for name in names if told.get(name) is not None}


def _wrote(told: Mapping[str, Any]) -> dict[str, Any] | None:
    if told.get("effect") != "write":
        return None
    crashed = {"outcome": "unknown"} if "error" in told else {}
    return {**_about("call_id", "turn", "tool", "outcome")(told), **crashed}


_ENTRIES: Final[
    Mapping[Event, tuple[str, str, Callable[[Mapping[str, Any]], dict[str, Any] | None]]]
] = {
    events.CALL_START: ("caller", "call.start", _about("call_id", "agent", "carrier", "country")),
    events.CALL_STOP: ("caller", "call.stop", _about("call_id", "outcome", "turns", "micro_usd")),
    events.CALL_REFUSED: ("caller", "call.refused", _about("call_id", "outcome")),
    events.CALL_TRANSFERRED: ("agent", "call.transfer", _about("call_id", "outcome")),
    events.CALL_ANSWERED: ("carrier", "call.answered", _about("call_id", "by")),
    events.OUTBOUND_PLACED: ("agent", "outbound.placed", _about("attempt", "campaign", "agent")),
    events.OUTBOUND_REFUSED: ("agent", "outbound.refused", _about("campaign", "reason")),
    events.OUTBOUND_SETTLED: (
        "carrier",
        "outbound.settled",
        _about("attempt", "campaign", "call_id", "outcome", "code"),
    ),
    events.TOOL_STOP: ("agent", "tool.write", _wrote),
    events.TOOL_EXCEPTION: ("agent", "tool.write", _wrote),
    events.QUOTA: ("agent", "quota.reached", _about("scope", "action")),
    events.FAULT_STRUCK: ("plan", "fault.struck", _about("what", "by")),
    events.OPERATOR: ("", "", _about("what")),
}
"""Who does what, and what is written of it."""


def path_of(settings: Settings) -> Path:
    """Where the trail of the settings' node is."""
    return settings.memory_path.parent / f"audit-{settings.node_name}.jsonl"


class AuditTrail:
    """See the module. `hear` is for the loop, the rest for threads."""

    name: ClassVar[str] = "audit"
    events: ClassVar[Sequence[Event]] = tuple(_ENTRIES)
    seconds: ClassVar[float | None] = 1.0

    def __init__(self, path: Path, *, node: str) -> None:
        self._path = path
        self._node = node
        self._last: tuple[int, str, int] | None = None
        self._heard = 0
        self._kept = 0

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Iterator[Item]:
        """The entry of an event, without its place in the chain."""
        who, did, about = _ENTRIES[event]
        kept = about({**measured, **told})
        if kept is not None:
            self._heard += 1
            who, did = who or _plain(told.get("who")), did or f"operator.{told.get('did')}"
            kept = {name: _plain(value) for name, value in kept.items()}
            yield {"seen": self._heard, "at": at, "who": who, "did": did, "about": kept}

    def put(self, batch: Sequence[Item]) -> None:
        """Append a batch. Raises SinkError."""
        try:
            private_file(self._path)
            with in_turn(self._path.parent):
                self._put(batch)
        except OSError as error:
            # What stands there now is looked up anew.
            self._last = None
            raise SinkError(f"{self._path}: {error.strerror}", again=True) from None

    def close(self) -> None:
        """Nothing stays open."""

    def _put(self, batch: Sequence[Item]) -> None:
        number, before, first = self._end()
        lines, kept = [*first], self._kept
        entries = []
        for item in batch:
            missing = item["seen"] - kept - 1
            if missing > 0:
                about = {"entries": missing}
                entries.append(
                    {"at": item["at"], "who": "trail", "did": "trail.lost", "about": about}
                )
            kept = item["seen"]
            entries.append(item)
        for entry in entries:
            number += 1
            line, before = _line(number, before, entry, self._node)
            lines.append(line)
        whole = b"".join(lines)
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(self._path, flags), "ab", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                if file.write(whole) != len(whole):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                # Sent again, it would stand there twice.
                os.ftruncate(file.fileno(), size)
                raise
        self._last, self._kept = (number, before, size + len(whole)), kept

    def _end(self) -> tuple[int, str, list[bytes]]:
        """Where the chain goes on: number and hash of the last entry, and what is to be written
        ahead of the next one."""
        number, before, size = self._last or (0, FIRST, 0)
        with open(self._path, "rb") as file:
            file.seek(size)
            verdict = verify(file.read(), number, before)
        if verdict.wrong is not None and self._last is not None:
            # What another hand has put there does not become part of the chain.
            return number, before, []
        if verdict.wrong is not None:
            aside = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
            os.replace(self._path, aside)
            private_file(self._path)
            line, before = self._note(1, FIRST, "trail.damaged", {"set_aside": aside.name})
            return 1, before, [line]
        if verdict.torn:
            number = verdict.entries + 1
            line, before = self._note(number, verdict.last, "trail.torn", {})
            return number, before, [b"\n", line]
        return verdict.entries, verdict.last, []

    def _note(self, number: int, before: str, did: str, about: dict[str, Any]) -> tuple[bytes, str]:
        entry = {"at": time.time(), "who": "trail", "did": did, "about": about}
        return _line(number, before, entry, self._node)


def verify(trail: bytes, number: int = 0, before: str = FIRST) -> Verdict:
    """Go through a trail from its beginning, or from behind entry `number` of hash `before`."""
    lines = trail.split(b"\n")
    end = lines.pop()
    torn_before = False
    for place, line in enumerate(lines, start=1):
        entry = _entry(line)
        if entry is None:
            follows = _entry(lines[place]) if place < len(lines) else None
            # What a dying machine has left: the next entry knows of it.
            if follows is not None and follows.get("did") == "trail.torn" and not torn_before:
                torn_before = True
                continue
            return Verdict(number, (place, "it is no entry"), bool(end), before)
        torn_before = False
        if entry["n"] != number + 1:
            why = f"it is entry {entry['n']} where {number + 1} should be"
            return Verdict(number, (place, why), bool(end), before)
        if entry["before"] != before:
            return Verdict(number, (place, "it does not follow the one before"), bool(end), before)
        if entry["hash"] != _hash(entry) or json.dumps(entry).encode("ascii") != line:
            return Verdict(number, (place, "it has been changed"), bool(end), before)
        number, before = entry["n"], entry["hash"]
    return Verdict(number, None, bool(end), before)


def _line(number: int, before: str, item: Item, node: str) -> tuple[bytes, str]:
    at = datetime.fromtimestamp(item["at"], UTC).isoformat(timespec="milliseconds")
    entry: dict[str, Any] = {"n": number, "at": at, "node": node}
    entry |= {name: item[name] for name in ("who", "did", "about")} | {"before": before}
    entry["hash"] = _hash(entry)
    return json.dumps(entry).encode("ascii") + b"\n", entry["hash"]


def _hash(entry: Mapping[str, Any]) -> str:
    told = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()


def _entry(line: bytes) -> dict[str, Any] | None:
    if len(line) > MAX_ENTRY_BYTES:
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match entry:
        case {"n": int(), "before": str(), "hash": str()}:
            return dict(entry)
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    return str(value)[:MAX_CHARACTERS]
