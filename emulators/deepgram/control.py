"""What the emulator can be told over HTTP, on its own port: `/_emulator/…`, JSON in and out.

    GET    /_emulator/health                         {"ok": true}
    GET    /_emulator/journal[?what=speak]           the journal
    GET    /_emulator/kinds                          the table of faults
    GET    /_emulator/faults                         the faults that wait
    POST   /_emulator/faults                         {"door": "speak", "kind": "stall"} or a list
    PUT    /_emulator/faults                         the same, in place of those that wait
    DELETE /_emulator/faults                         forget them
    POST   /_emulator/strikes                        the same as POST of faults, but sockets that
                                                     are open are struck before those to come
    GET    /_emulator/pace                           the pace now in force
    PUT    /_emulator/pace                           {"first_ms": 100, "times_real_time": 10}, and
                                                     "bytes_per_char" of the scripted engine

A browser can do the same with its address line alone:

    GET    /_emulator/fault?door=speak&kind=close&code=1011&after=0.5
    GET    /_emulator/pace?first_ms=100&times_real_time=10

Contract: `control` maps a request onto the service and returns status and JSON.
Errors: 403 for what a web page of others has a browser send (`emulators.web_pages`);
400 with what is wrong and what is allowed, 404, 405 and 413 likewise; nothing changes then.
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

from aybiza.emulators.deepgram.any_method import MOST_BODY, TOO_LARGE
from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.faults import KINDS, Fault, from_json, from_words, number
from aybiza.emulators.deepgram.service import Deepgram

PREFIX = "/_emulator/"
MOST_MS = 600_000.0
FASTEST = 1e6
MOST_BYTES_PER_CHAR = 8000

Options = Mapping[str, str]


def control(
    method: str, path: str, options: Options, body: bytes, service: Deepgram
) -> tuple[int, Any]:
    """Do what a request asks for; status and JSON."""
    doors = _DOORS.get(path.removeprefix(PREFIX))
    if doors is None:
        return 404, {"error": f"there is no {path}"}
    if method == TOO_LARGE:
        return 413, {"error": f"a body has at most {MOST_BODY} bytes, and says how many"}
    door = doors.get(method)
    if door is None:
        return 405, {"error": f"{method} {path} is not known; try {', '.join(doors)}"}
    try:
        return 200, door(service, options, json.loads(body) if body else None)
    except (ValueError, RecursionError) as error:
        return 400, {"error": str(error)}


def response(status: int, body: Any, more: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON, with `more` headers."""
    encoded = json.dumps(body).encode()
    headers = Headers({"content-type": "application/json", "content-length": str(len(encoded))})
    headers.update(more or {})
    return Response(status, HTTPStatus(status).phrase, headers, encoded)


def _health(service: Deepgram, options: Options, members: Any) -> Any:
    return {"ok": True}


def _journal(service: Deepgram, options: Options, members: Any) -> Any:
    return service.journal.entries(options.get("what"))


def _kinds(service: Deepgram, options: Options, members: Any) -> Any:
    return {name: asdict(kind) for name, kind in KINDS.items()}


def _fault(service: Deepgram, options: Options, members: Any) -> Any:
    service.faults.add(from_words(options))
    return {"ok": True}


def _faults(service: Deepgram, options: Options, members: Any) -> Any:
    return {"faults": [fault.as_json() for fault in service.faults.waiting()]}


def _add_faults(service: Deepgram, options: Options, members: Any) -> Any:
    service.faults.add(*_made(members))
    return _faults(service, options, members)


def _strike(service: Deepgram, options: Options, members: Any) -> Any:
    service.strike(*_made(members))
    return _faults(service, options, members)


def _set_faults(service: Deepgram, options: Options, members: Any) -> Any:
    made = _made(members)
    service.faults.clear()
    service.faults.add(*made)
    return _faults(service, options, members)


def _clear_faults(service: Deepgram, options: Options, members: Any) -> Any:
    service.faults.clear()
    return _faults(service, options, members)


def _made(members: Any) -> list[Fault]:
    return [from_json(one) for one in (members if isinstance(members, list) else [members])]


def _pace(service: Deepgram, options: Options, members: Any) -> Any:
    pace = service.pace
    first_ms = number("first_ms", options.get("first_ms", str(pace.first_ms)))
    speed = number("times_real_time", options.get("times_real_time", str(pace.times_real_time)))
    if not 0 <= first_ms <= MOST_MS:
        raise ValueError(f"first_ms is from 0 to {MOST_MS:.0f}, not {first_ms}")
    if not (0 < speed <= FASTEST and math.isfinite(speed)):
        raise ValueError(f"times_real_time is above 0 and up to {FASTEST:.0f}, not {speed}")
    engine = service.engine
    length = options.get("bytes_per_char")
    if length is not None:
        if not isinstance(engine, ScriptedEngine):
            raise ValueError("bytes_per_char is for the scripted engine")
        engine.bytes_per_char = _length(length)
    pace.first_ms, pace.times_real_time = first_ms, speed
    told = asdict(pace)
    if isinstance(engine, ScriptedEngine):
        told["bytes_per_char"] = engine.bytes_per_char
    return told


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 3 <= int(text) <= MOST_BYTES_PER_CHAR):
        raise ValueError(f"bytes_per_char is from 3 to {MOST_BYTES_PER_CHAR}, not {text!r:.20}")
    return int(text)


def _set_pace(service: Deepgram, options: Options, members: Any) -> Any:
    known = ("first_ms", "times_real_time", "bytes_per_char")
    if not isinstance(members, Mapping) or set(members) - set(known):
        raise ValueError(f"a pace has {', '.join(known)}, not {members!r:.80}")
    return _pace(service, {name: str(value) for name, value in members.items()}, None)


_Door = Callable[[Deepgram, Options, Any], Any]
_DOORS: dict[str, dict[str, _Door]] = {
    "health": {"GET": _health},
    "journal": {"GET": _journal},
    "kinds": {"GET": _kinds},
    "fault": {"GET": _fault},
    "faults": {
        "GET": _faults,
        "POST": _add_faults,
        "PUT": _set_faults,
        "DELETE": _clear_faults,
    },
    "strikes": {"POST": _strike},
    "pace": {"GET": _pace, "PUT": _set_pace},
}
