"""What the emulator can be told over HTTP, on its own port, and what it answers there.

    GET /_emulator/health                                      {"ok": true}
    GET /_emulator/journal[?what=speak]                        the journal as JSON
    GET /_emulator/fault?door=speak&kind=close&code=1011&after=0.5
    GET /_emulator/pace?first_ms=100&times_real_time=10        the pace now in force

Bad values are answered with 400 and what is allowed; nothing changes then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Response

from aybiza.emulators.deepgram.faults import Faults, Journal, fault, number
from aybiza.emulators.deepgram.speak import Pace

PREFIX = "/_emulator/"
MOST_MS = 600_000.0
FASTEST = 1e6


def control(
    path: str, options: Mapping[str, str], faults: Faults, journal: Journal, pace: Pace
) -> Response:
    """Do what a request asks for."""
    try:
        match path.removeprefix(PREFIX):
            case "health":
                return response(200, {"ok": True})
            case "journal":
                return response(200, journal.entries(options.get("what")))
            case "fault":
                door, kind = options.get("door", ""), options.get("kind", "")
                faults.add(fault(door, kind, options.get("code"), options.get("after")))
                return response(200, {"ok": True})
            case "pace":
                _set_pace(pace, options)
                return response(200, asdict(pace))
    except ValueError as error:
        return response(400, {"error": str(error)})
    return response(404, {"error": f"there is no {path}"})


def response(status: int, body: Any, more: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON, with `more` headers."""
    encoded = json.dumps(body).encode()
    headers = Headers({"content-type": "application/json", "content-length": str(len(encoded))})
    headers.update(more or {})
    return Response(status, HTTPStatus(status).phrase, headers, encoded)


def _set_pace(pace: Pace, options: Mapping[str, str]) -> None:
    first_ms = number("first_ms", options.get("first_ms", str(pace.first_ms)))
    speed = number("times_real_time", options.get("times_real_time", str(pace.times_real_time)))
    if not 0 <= first_ms <= MOST_MS:
        raise ValueError(f"first_ms is from 0 to {MOST_MS:.0f}, not {first_ms}")
    if not (0 < speed <= FASTEST and math.isfinite(speed)):
        raise ValueError(f"times_real_time is above 0 and up to {FASTEST:.0f}, not {speed}")
    pace.first_ms, pace.times_real_time = first_ms, speed
