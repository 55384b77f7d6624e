"""The control door of the Bedrock emulator: `/_emulator/…`, JSON in and out.

    GET    /_emulator/health              is it there, and how much was asked of it
    GET    /_emulator/pace                the delays in force
    PUT    /_emulator/pace                {"first_token_ms": 300, "per_delta_ms": 40, "jitter": 0.2}
    GET    /_emulator/faults              the faults that wait
    POST   /_emulator/faults              {"kind": "fin", "after": 3} or a list of such
    DELETE /_emulator/faults              forget them
    GET    /_emulator/requests            the journal; ?since=N for what came later, ?bodies=1
    DELETE /_emulator/requests            forget it
    GET    /_emulator/kinds               the table of faults
    PUT    /_emulator/faults              the same as POST, in place of those that wait
    GET    /_emulator/limits              the limits in force
    PUT    /_emulator/limits              {"input_tokens": 2000}
    GET    /_emulator/guardrails          the guardrails that there are
    PUT    /_emulator/guardrails          {"identifier": "gr-1", "version": "1", "words": ["x"]}
    DELETE /_emulator/guardrails          have none
    PUT    /_emulator/responder           {"mode": "agent"}, clinic, scripted, answers, echo, long

Contract: `handle` maps a request onto the emulator's settings and returns status and JSON.
Errors: 403 for what a web page of others has a browser send (`emulators.web_pages`);
400 with what is wrong and what is allowed, 404 and 405 likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol
from urllib.parse import parse_qs

from aybiza.emulators.bedrock import guardrails
from aybiza.emulators.bedrock.faults import KINDS, Fault, FaultQueue, Pace
from aybiza.emulators.bedrock.guardrails import Guardrails
from aybiza.emulators.bedrock.journal import Journal
from aybiza.emulators.bedrock.limits import Limits

PREFIX = "/_emulator"

Query = dict[str, list[str]]
Answer = tuple[int, Any]


class Controlled(Protocol):
    """What the door can reach."""

    pace: Pace
    faults: FaultQueue
    journal: Journal
    guardrails: Guardrails
    limits: Limits

    def set_responder(self, members: object) -> None: ...


def handle(emulator: Controlled, method: str, path: str, query: str, body: bytes) -> Answer:
    """Status and JSON for one request to the control door."""
    doors = _DOORS.get(path.removeprefix(PREFIX))
    if doors is None:
        return 404, {"error": f"no door {path}; there are {sorted(PREFIX + d for d in _DOORS)}"}
    door = doors.get(method)
    if door is None:
        return 405, {"error": f"{method} {path} is not known; try {', '.join(doors)}"}
    try:
        members = json.loads(body) if body else None
        return 200, door(emulator, parse_qs(query), members)
    except ValueError as error:
        return 400, {"error": str(error)}


def _health(emulator: Controlled, query: Query, members: Any) -> Any:
    return {"ok": True, "requests": emulator.journal.count, "cancelled": emulator.journal.cancelled}


def _pace(emulator: Controlled, query: Query, members: Any) -> Any:
    return emulator.pace.as_json()


def _set_pace(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.pace = Pace.from_json(members)
    return emulator.pace.as_json()


def _faults(emulator: Controlled, query: Query, members: Any) -> Any:
    return {"faults": [fault.as_json() for fault in emulator.faults.waiting()]}


def _add_faults(emulator: Controlled, query: Query, members: Any) -> Any:
    added = members if isinstance(members, list) else [members]
    emulator.faults.add(*[Fault.from_json(fault) for fault in added])
    return _faults(emulator, query, members)


def _set_faults(emulator: Controlled, query: Query, members: Any) -> Any:
    made = [Fault.from_json(one) for one in (members if isinstance(members, list) else [members])]
    emulator.faults.clear()
    emulator.faults.add(*made)
    return _faults(emulator, query, members)


def _kinds(emulator: Controlled, query: Query, members: Any) -> Any:
    return {name: asdict(kind) for name, kind in KINDS.items()}


def _limits(emulator: Controlled, query: Query, members: Any) -> Any:
    return emulator.limits.as_json()


def _set_limits(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.limits = Limits.from_json(members)
    return emulator.limits.as_json()


def _guardrails(emulator: Controlled, query: Query, members: Any) -> Any:
    return {"guardrails": [guardrail.as_json() for guardrail in emulator.guardrails.known()]}


def _add_guardrail(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.guardrails.add(guardrails.from_json(members))
    return _guardrails(emulator, query, members)


def _clear_guardrails(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.guardrails.clear()
    return _guardrails(emulator, query, members)


def _clear_faults(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.faults.clear()
    return _faults(emulator, query, members)


def _requests(emulator: Controlled, query: Query, members: Any) -> Any:
    since = int(query.get("since", ["0"])[0])
    with_body = query.get("bodies", ["0"])[0] not in ("0", "")
    records = [r.as_json(with_body=with_body) for r in emulator.journal.since(since)]
    return {
        "count": emulator.journal.count,
        "cancelled": emulator.journal.cancelled,
        "requests": records,
    }


def _clear_requests(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.journal.clear()
    return {"count": emulator.journal.count}


def _set_responder(emulator: Controlled, query: Query, members: Any) -> Any:
    emulator.set_responder(members)
    return {"ok": True}


_Door = Callable[[Controlled, Query, Any], Any]
_DOORS: dict[str, dict[str, _Door]] = {
    "/health": {"GET": _health},
    "/pace": {"GET": _pace, "PUT": _set_pace},
    "/kinds": {"GET": _kinds},
    "/faults": {
        "GET": _faults,
        "POST": _add_faults,
        "PUT": _set_faults,
        "DELETE": _clear_faults,
    },
    "/limits": {"GET": _limits, "PUT": _set_limits},
    "/guardrails": {"GET": _guardrails, "PUT": _add_guardrail, "DELETE": _clear_guardrails},
    "/requests": {"GET": _requests, "DELETE": _clear_requests},
    "/responder": {"PUT": _set_responder},
}
