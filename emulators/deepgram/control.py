"""What the emulator can be told over HTTP, on its own port, and what it answers there.

    GET /_emulator/health                                      {"ok": true}
    GET /_emulator/journal[?what=speak]                        the journal as JSON
    GET /_emulator/kinds                                       the table of faults
    GET /_emulator/faults                                      those that wait
    GET /_emulator/fault?door=speak&kind=close&code=1011&after=0.5
    GET /_emulator/pace?first_ms=100&times_real_time=10        the pace now in force

Bad values are answered with 400 and what is allowed; nothing changes then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Response

from aybiza.emulators.deepgram.faults import KINDS, from_words, number
from aybiza.emulators.deepgram.service import Deepgram

PREFIX = "/_emulator/"
MOST_MS = 600_000.0
FASTEST = 1e6


def control(path: str, options: Mapping[str, str], service: Deepgram) -> Response:
    """Do what a request asks for."""
    door = _DOORS.get(path.removeprefix(PREFIX))
    if door is None:
        return response(404, {"error": f"there is no {path}"})
    try:
        return response(200, door(service, options))
    except ValueError as error:
        return response(400, {"error": str(error)})


def response(status: int, body: Any, more: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON, with `more` headers."""
    encoded = json.dumps(body).encode()
    headers = Headers({"content-type": "application/json", "content-length": str(len(encoded))})
    headers.update(more or {})
    return Response(status, HTTPStatus(status).phrase, headers, encoded)


def _health(service: Deepgram, options: Mapping[str, str]) -> Any:
    return {"ok": True}


def _journal(service: Deepgram, options: Mapping[str, str]) -> Any:
    return service.journal.entries(options.get("what"))


def _kinds(service: Deepgram, options: Mapping[str, str]) -> Any:
    return {name: asdict(kind) for name, kind in KINDS.items()}


def _fault(service: Deepgram, options: Mapping[str, str]) -> Any:
    service.faults.add(from_words(options))
    return {"ok": True}


def _faults(service: Deepgram, options: Mapping[str, str]) -> Any:
    return {"faults": [fault.as_json() for fault in service.faults.waiting()]}


def _pace(service: Deepgram, options: Mapping[str, str]) -> Any:
    pace = service.pace
    first_ms = number("first_ms", options.get("first_ms", str(pace.first_ms)))
    speed = number("times_real_time", options.get("times_real_time", str(pace.times_real_time)))
    if not 0 <= first_ms <= MOST_MS:
        raise ValueError(f"first_ms is from 0 to {MOST_MS:.0f}, not {first_ms}")
    if not (0 < speed <= FASTEST and math.isfinite(speed)):
        raise ValueError(f"times_real_time is above 0 and up to {FASTEST:.0f}, not {speed}")
    pace.first_ms, pace.times_real_time = first_ms, speed
    return asdict(pace)


_DOORS: dict[str, Callable[[Deepgram, Mapping[str, str]], Any]] = {
    "health": _health,
    "journal": _journal,
    "kinds": _kinds,
    "fault": _fault,
    "faults": _faults,
    "pace": _pace,
}
