"""`POST /outbound/calls`: have the node place a call. JSON in, JSON out.

    {"to": "+14155552671", "agent": "clinic", "from": "+14155550100"}      `from` may be left out
    202  {"attempt": "…"}                            the carrier is being asked
    409  {"refused": "hours", "words": "it is …"}    the rules say no, and why
    400, 503  {"error": "…"}                         no such request; this node places no calls

Who may ask is decided before: `aybiza.gateway.admission.policy`. What may be called, and when, is
decided by whoever places the calls (`aybiza.actors.outbound.outbound_actor`), as for the command
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aybiza.actors import names
from aybiza.actors.outbound.outbound_actor import Dial
from aybiza.actors.runtime import VM, CallExit, RemoteBusy
from aybiza.gateway.console.pages import json_of

if TYPE_CHECKING:
    from aybiza.gateway.http import HttpDoor

ASK_SECONDS: Final = 15.0
MOST_CHARACTERS: Final = 100
NOBODY: Final = "this node places no calls: set AYBIZA_OUTBOUND_FILE"

log = structlog.get_logger(__name__)


async def ask(vm: VM, request: Any) -> dict[str, Any]:
    """What whoever places calls answers. Raises ValueError where nobody does or answers."""
    try:
        answer: dict[str, Any] = await vm.call(names.outbound(vm), request, ASK_SECONDS)
    except RemoteBusy as busy:
        raise ValueError(str(busy)) from None
    except CallExit as failure:
        raise ValueError(
            NOBODY if vm.whereis(names.outbound(vm)) is None else str(failure)
        ) from None
    return answer


async def place_call(door: HttpDoor, request: Request) -> Response:
    """See the module."""
    asked = await json_of(request)
    given = [(asked or {}).get(key, "") for key in ("to", "agent", "from")]
    texts = [one for one in given if isinstance(one, str) and len(one) <= MOST_CHARACTERS]
    if len(texts) < len(given) or not (texts[0] and texts[1]):
        return JSONResponse({"error": 'the body is JSON with "to" and "agent"'}, 400)
    try:
        answer = await ask(door.vm, Dial(*texts))
    except ValueError as failure:
        return JSONResponse({"error": str(failure)}, 503)
    return JSONResponse(answer, 409 if "refused" in answer else 202)
