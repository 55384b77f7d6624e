"""`/outbound/calls` and `/outbound/campaigns`: have the node place calls. JSON in, JSON out.

    POST /outbound/calls
    {"to": "+14155552671", "agent": "clinic", "from": "+14155550100"}      `from` may be left out
    202  {"attempt": "…"}                            the carrier is being asked

    POST /outbound/campaigns                         a campaign's file as JSON, its numbers a list
    {"name": "reminders", "agent": "clinic", "from": "+14155550100", "numbers": ["+14155552671"]}
    202  {"running": "reminders", "numbers": 1}      again after a stop: it goes on
    GET /outbound/campaigns?name=reminders           without a name: all, and single calls
    200  {"campaigns": […], "attempts": […]}         as `aybiza campaign status --json`
    DELETE /outbound/campaigns?name=reminders
    200  {"stopped": "reminders"}                    no further call; calls under way go on

    404, 409  {"refused": "hours", "words": "it is …"}   no such campaign; the rules say no
    400, 503  {"error": "…"}                         no such request; this node places no calls

A body has 32 KB at most: some 1,900 numbers. Longer lists are for `aybiza campaign run`.

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
from aybiza.actors.outbound.outbound_actor import Dial, RunCampaign, Status, StopCampaign
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
    return await _answered(door, Dial(*texts), 202, 409)


async def campaigns(door: HttpDoor, request: Request) -> Response:
    """See the module."""
    act = {"POST": _run, "DELETE": _stop}.get(request.method, _status)
    return await act(door, request)


async def _run(door: HttpDoor, request: Request) -> Response:
    spec = await json_of(request)
    if spec is None:
        return JSONResponse({"error": "the body is a campaign as JSON, of 32 KB at most"}, 400)
    return await _answered(door, RunCampaign(spec), 202, 409)


async def _status(door: HttpDoor, request: Request) -> Response:
    return await _answered(door, Status(_name(request)), 200, 404)


async def _stop(door: HttpDoor, request: Request) -> Response:
    name = _name(request)
    if not name:
        return JSONResponse({"error": "?name= says which campaign is to be stopped"}, 400)
    return await _answered(door, StopCampaign(name), 200, 404)


def _name(request: Request) -> str:
    return request.query_params.get("name", "")[:MOST_CHARACTERS]


async def _answered(door: HttpDoor, asked: Any, done: int, refused: int) -> Response:
    try:
        answer = await ask(door.vm, asked)
    except ValueError as failure:
        return JSONResponse({"error": str(failure)}, 503)
    return JSONResponse(answer, refused if "refused" in answer else done)
