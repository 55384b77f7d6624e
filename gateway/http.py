"""The HTTP door: Twilio's webhooks, health, metrics. Starlette on uvicorn.

    POST /incoming   a call comes in: TwiML that connects its media stream; behind that stands a
                     `<Redirect>` back to here, so a caller whose stream breaks lands on a live
                     gateway again. A node that refuses sends the caller to one with room; where
                     nobody has any, all are busy, but who comes back is held a while. A call that
                     has ended is hung up, put through or given its last words
                     (`aybiza.gateway.returning`). One that comes back again and again is ended
                     in words. Other carriers' calls come in at /incoming/telnyx and
                     /incoming/signalwire, if `AYBIZA_CARRIERS` lets them
    POST /incoming/placed          what to do with a call that the node has placed, and
    POST /incoming/placed/status   how it goes; SignalWire's stand below its own webhook
    POST /outbound/calls           have the node place a call (`aybiza.gateway.outbound_api`)
    POST /status     Twilio's status callbacks, logged
    GET  /healthz    200 while the loop runs
    GET  /readyz     200 while the node takes calls, 503 with the reason when it does not, or when
                     a provider is lost (`aybiza.actors.measures.provider_health`)
    GET  /metrics    Prometheus text
    GET  /console    the console and all that is below it (`aybiza.gateway.console.pages`)

Source: Twilio, TwiML `<Connect>`, `<Stream>`, `<Redirect>`; design, "Doors".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from aybiza.actors import names
from aybiza.actors.call import across_lines
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.provider_health import lost
from aybiza.actors.placement.drain_actor import Left, adopt
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, CallExit
from aybiza.actors.switchboard import Answering, Switchboard
from aybiza.config import clocks
from aybiza.config.routes import ROUTE
from aybiza.dialogue.journal import Dialled
from aybiza.gateway import twiml
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.form_pairs import pairs
from aybiza.gateway.admission.http_admission import HttpAdmission
from aybiza.gateway.admission.policy import (
    ACT,
    CALLS,
    CAMPAIGNS,
    DIAL,
    EVENTS,
    HTTP,
    WEBSOCKET,
    paths,
)
from aybiza.gateway.admission.webhook_form import FormError, read_form
from aybiza.gateway.arrival import Arrival
from aybiza.gateway.carriers.line_formats import CODEC_PARAMETER, PCMU, stream_attributes
from aybiza.gateway.carriers.paths import CARRIERS, TWILIO, WHISPER, Carrier
from aybiza.gateway.console import pages
from aybiza.gateway.console.actions import Console
from aybiza.gateway.console.assets import ASSETS
from aybiza.gateway.known_of import known_of, note, remembered
from aybiza.gateway.media_stream import NODE, SEAM, SINCE
from aybiza.gateway.origin import origin
from aybiza.gateway.outbound_api import campaigns, place_call
from aybiza.gateway.placed import ATTEMPT, BEHIND, STATUS, Way, told_of, turned
from aybiza.gateway.returning import Next, Transfers, returning, whispered
from aybiza.supervisors.application import count_calls

ASK_SECONDS = 1.0
WAIT_SECONDS = 1
MOST_LOGGED = 200
"""Characters of a value that a carrier tells, in a line of the log."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """What the routes need: the VM, where Twilio finds the media door and this one, who answers
    which call, who may come in; the node's console, None where there is none. `stream_codec`: as
    `AYBIZA_STREAM_CODEC`. `wall` is the unix time."""

    vm: VM
    media_url: str
    public_url: str
    switchboard: Switchboard
    admission: Admission = field(default_factory=Admission)
    carriers: Sequence[Carrier] = TWILIO
    stream_codec: str = PCMU
    wall: Callable[[], float] = clocks.wall
    console: Console | None = None


def http_app(door: HttpDoor) -> Starlette:
    """The application that answers the routes of the module."""
    answers = {**ANSWERS}
    for carrier in CARRIERS.values():
        answers |= {carrier.webhook: incoming, carrier.webhook + WHISPER: whisper}
        answers |= {carrier.webhook + BEHIND: placed, carrier.webhook + STATUS: placed_status}
    routes: list[BaseRoute] = [
        Route(row.path, door_route(door, answers[row.path]), methods=[row.method])
        for row in paths(HTTP)
        if row.method != WEBSOCKET
    ]
    routes.append(WebSocketRoute(EVENTS, door_socket(door, pages.events)))

    def busy_text(query: bytes, body: bytes) -> str:
        # The form was read before; it is the query that may be anything.
        told = dict([*pairs(body), *parse_qsl(query.decode("latin-1"))])
        return door.switchboard.answering(_told(told, {})).agent.busy

    admitted = Middleware(HttpAdmission, admission=door.admission, busy_text=busy_text)
    return Starlette(routes=routes, middleware=[admitted])


def _told(form: Mapping[str, str], query: Mapping[str, str]) -> dict[str, str]:
    """What a webhook tells of a call, for the switchboard: its form and its address, and the route
    of an earlier stream. A carrier's own parameters are not to be had by an address."""
    told = {**query, **form}
    return {**told, ROUTE: told.pop("route", "")}


def door_route(door: HttpDoor, answer: Callable[[HttpDoor, Request], Any]) -> Any:
    """A Starlette endpoint that hands the door to `answer`."""

    async def endpoint(request: Request) -> Response:
        response: Response = await answer(door, request)
        return response

    return endpoint


def door_socket(door: HttpDoor, answer: Callable[[HttpDoor, WebSocket], Any]) -> Any:
    """A Starlette endpoint of a websocket that hands the door to `answer`."""

    async def endpoint(socket: WebSocket) -> None:
        await answer(door, socket)

    return endpoint


async def incoming(door: HttpDoor, request: Request) -> Response:
    """TwiML for a call, new or back from a broken stream."""
    carrier = _carrier(door, request)
    if carrier is None:
        return PlainTextResponse("AYBIZA_CARRIERS does not let this carrier in.\n", 404)
    try:
        form = read_form(await request.body(), request.headers, carrier.name, needs_call=True)
    except FormError as error:
        return PlainTextResponse(error.text, error.status)
    way = Way(carrier, door.admission.seals)
    return await _answered(door, request, form, way)


async def placed(door: HttpDoor, request: Request) -> Response:
    """TwiML for a call that was placed from here, once somebody has answered it."""
    carrier = _carrier(door, request, BEHIND)
    if carrier is None:
        return PlainTextResponse("AYBIZA_CARRIERS does not let this carrier in.\n", 404)
    try:
        form = read_form(await request.body(), request.headers, carrier.name, needs_call=True)
    except FormError as error:
        return PlainTextResponse(error.text, error.status)
    attempt = request.query_params.get(ATTEMPT, "")
    conversation, journal = await remembered(door.vm, form["CallSid"])
    if not conversation.dialled:
        await note(door.vm, form["CallSid"], journal, (Dialled(attempt),))
    door.vm.cast(names.outbound(door.vm), told_of(form, attempt))
    way = Way(carrier, door.admission.seals, form.get("AccountSid", ""), attempt)
    return await _answered(door, request, turned(form), way)


async def placed_status(door: HttpDoor, request: Request) -> Response:
    """How a call goes that was placed from here: told to whoever places calls."""
    carrier = _carrier(door, request, STATUS)
    if carrier is None:
        return PlainTextResponse("AYBIZA_CARRIERS does not let this carrier in.\n", 404)
    try:
        form = read_form(await request.body(), request.headers, carrier.name, needs_call=True)
    except FormError as error:
        return PlainTextResponse(error.text, error.status)
    told = told_of(form, request.query_params.get(ATTEMPT, ""))
    door.vm.cast(names.outbound(door.vm), told)
    return Response(status_code=204)


async def _answered(
    door: HttpDoor, request: Request, form: Mapping[str, str], way: Way
) -> Response:
    carrier, call_sid = way.carrier, form["CallSid"]
    told = _told(form, request.query_params)
    who, named = door.switchboard.answering(told), door.switchboard.named(told)
    arrival = replace(Arrival.of(request.query_params, door.wall()), route=named.get(ROUTE, ""))
    taken, words = None, ""
    if arrival.again:
        taken = await adopt(door.vm, call_sid, arrival.node)
        if taken is not None:
            arrival = replace(arrival, node=door.vm.node)
        following = await _after_stream(door, call_sid, way, arrival, form, who)
        if following.document is not None:
            return _twiml(following.document)
        if following.entries:
            # The last stream was not broken: it ended in order.
            arrival = replace(arrival, again=1)
        words = following.words
        if arrival.is_hopeless:
            log.error("call_given_up", call_id=call_sid, returns=arrival.again)
            return _twiml(twiml.say_hangup(who.agent.busy))
    media_url, node, refusal = await _stream_door(door, call_sid)
    if refusal:
        elsewhere = _elsewhere(door, call_sid, way, arrival, refusal)
        if elsewhere is None and arrival.again:
            media_url, node, refusal = await _stream_door(door, call_sid, back=True)
        if refusal:
            if arrival.again:
                # The journal is here, for the next node to take.
                at_seam = taken.at_seam if taken is not None else None
                door.vm.cast(names.DRAIN, Left(call_sid, at_seam))
            return elsewhere or _nowhere(door, call_sid, way, arrival, refusal, who)
    log.info(
        "call_incoming",
        call_id=call_sid,
        again=arrival.again,
        carrier=carrier.name,
        agent=who.agent.name,
        tenant=who.tenant,
    )
    parameters = {name: form[name] for name in ("From", "To") if form.get(name)}
    parameters = {"CallSid": call_sid, **parameters} if carrier.names_the_call else parameters
    parameters |= named | _passed_on(arrival, at_seam=taken is not None and taken.at_seam)
    if way.attempt:
        # Its journal says that it was placed, and begins here.
        parameters.setdefault(NODE, door.vm.node)
    parameters |= origin(form.get("FromCountry", ""), request.query_params, door.wall())
    back = way.url(door.public_url, arrival.back(door.wall(), node))
    url = media_url.removesuffix(TWILIO[0].path) + carrier.path
    account = form.get("AccountSid", "")
    attributes = stream_attributes(carrier, door.stream_codec)
    parameters |= {CODEC_PARAMETER: door.stream_codec} if attributes != carrier.stream else {}
    parameters |= door.admission.parameters(call_sid, carrier.name, account, parameters)
    return _twiml(twiml.connect_stream(url, parameters, back, attributes, words))


def _passed_on(arrival: Arrival, *, at_seam: bool) -> dict[str, str]:
    """What the stream is to know of the call's earlier streams."""
    known = {SINCE: str(arrival.since), NODE: arrival.node if arrival.again else ""}
    known[SEAM] = "1" if at_seam else ""
    return {name: value for name, value in known.items() if value}


async def _stream_door(
    door: HttpDoor, call_sid: str, *, back: bool = False
) -> tuple[str, str, str]:
    """The media door for the call and the name of its node, or why it gets none here.

    `back`: as `Board.refusal` has it.
    """
    vm, own, now = door.vm, board(door.vm), door.vm.now()
    # While the supervisor of the calls restarts, the last count holds; the stream waits for it.
    with contextlib.suppress(CallExit):
        own.calls = await count_calls(vm)
    calls, most = own.carried(now, but=call_sid)
    # What is left of the call's last stream here makes room for it.
    calls -= not own.place.isolated and vm.whereis(names.session(call_sid)) is not None
    refusal = own.refusal(calls, most, back=back)
    if refusal:
        return "", "", refusal
    if not own.place.isolated:
        own.admit(call_sid, now)
        return door.media_url, vm.node, ""
    lent = own.lend(now)
    return (lent.place.media, lent.node, "") if lent else ("", "", "full")


def _elsewhere(
    door: HttpDoor, call_sid: str, way: Way, arrival: Arrival, refusal: str
) -> Response | None:
    """Send the caller to a node with room; None if there is none."""
    other = board(door.vm).elsewhere() if arrival.may_go_on else None
    if other is None:
        return None
    log.info("call_sent_on", call_id=call_sid, to=other.node, reason=refusal)
    board(door.vm).sent(other.node)
    url = way.url(other.place.http, arrival.onward())
    fallback = way.url(door.public_url, arrival.finally_here())
    return _twiml(twiml.redirect(url, fallback))


def _nowhere(
    door: HttpDoor,
    call_sid: str,
    way: Way,
    arrival: Arrival,
    refusal: str,
    who: Answering,
) -> Response:
    """Nobody has room: hold a caller who comes back, and send a new one away."""
    own = board(door.vm)
    # The last node to end has nobody to wait for.
    held = arrival.may_wait and bool(own.others or not own.ending)
    log.warning("call_refused", call_id=call_sid, reason=refusal, held=held)
    if held:
        return _twiml(twiml.wait(WAIT_SECONDS, way.url(door.public_url, arrival.later())))
    emit(door.vm, events.CALL_REFUSED, call_id=call_sid, outcome="refused")
    if way.attempt:
        # Whom we have called is not told to call again.
        return _twiml(twiml.hangup())
    return _twiml(twiml.say_hangup(who.agent.busy))


def _carrier(door: HttpDoor, request: Request, behind: str = "") -> Carrier | None:
    """Whose webhook it is, with this `behind` its path; None if it has no business here."""
    # The URL of a request holds what its Host says; the path by which it was let in is this one.
    asked = request.scope["path"]
    return next((one for one in door.carriers if one.webhook + behind == asked), None)


async def status(door: HttpDoor, request: Request) -> Response:
    """Twilio tells how a call or a stream went."""
    try:
        form = read_form(await request.body(), request.headers, "twilio", needs_call=False)
    except FormError:
        return Response(status_code=204)
    told = ("CallSid", "CallStatus", "StreamSid", "StreamEvent", "StreamError")
    log.info("twilio_status", **{name: form[name][:MOST_LOGGED] for name in told if name in form})
    return Response(status_code=204)


async def healthz(door: HttpDoor, request: Request) -> Response:
    """The loop runs, or this would not be answered."""
    return PlainTextResponse("ok\n")


async def readyz(door: HttpDoor, request: Request) -> Response:
    """Whether the node takes calls."""
    own = board(door.vm)
    try:
        own.calls = await count_calls(door.vm)
    except CallExit:
        return PlainTextResponse("the call supervisor is restarting\n", 503)
    refusal = own.refusal(*own.carried(door.vm.now())) or _lost(door.vm)
    return PlainTextResponse(f"{refusal or 'ready'}\n", 503 if refusal else 200)


def _lost(vm: VM) -> str:
    """Which providers are lost, in words; empty if none is."""
    return ", ".join(
        f"{provider} is lost: {count} failures and no success"
        for provider, count in lost(vm).items()
    )


async def metrics(door: HttpDoor, request: Request) -> Response:
    """Prometheus text."""
    try:
        text = await names.call_patiently(door.vm, names.METRICS, "render", ASK_SECONDS)
    except CallExit as error:
        return PlainTextResponse(f"metrics are not to be had: {error.reason}\n", 503)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def whisper(door: HttpDoor, request: Request) -> Response:
    """What a person hears whom a caller is put through to, before the two are connected."""
    carrier = _carrier(door, request, WHISPER)
    if carrier is None:
        return PlainTextResponse("AYBIZA_CARRIERS does not let this carrier in.\n", 404)
    try:
        form = read_form(await request.body(), request.headers, carrier.name, needs_call=True)
    except FormError as error:
        return PlainTextResponse(error.text, error.status)
    asked = request.query_params
    conversation = await known_of(door.vm, asked.get("call", ""), asked.get("node", ""))
    query = request.scope["query_string"].decode("latin-1")
    url = f"{door.public_url}{carrier.webhook}{WHISPER}?{query}"
    who = door.switchboard.answering(_told(form, asked))
    return _twiml(whispered(conversation, form, Transfers.of(who), url))


async def _after_stream(
    door: HttpDoor,
    call_sid: str,
    way: Way,
    arrival: Arrival,
    form: Mapping[str, str],
    who: Answering,
) -> Next:
    """What becomes of a call that is back; see `aybiza.gateway.returning`."""
    vm, carrier = door.vm, way.carrier
    conversation, journal = await remembered(vm, call_sid)
    webhook = f"{door.public_url}{carrier.webhook}"
    after = replace(arrival, again=0).back(door.wall(), vm.node)
    silent = across_lines.silent_since(vm, call_sid)
    following = returning(
        conversation,
        form,
        Transfers.of(who),
        way.url(door.public_url, after),
        whisper=f"{webhook}{WHISPER}?{_which(door, call_sid, carrier, arrival, form)}",
        wait_words=who.agent.filler,
        last_words=who.agent.closing,
        fallback_number=who.agent.fallback_number,
        silent=0.0 if silent is None else vm.now() - silent,
    )
    if following.entries:
        await note(vm, call_sid, journal, following.entries)
    if following.words or following.document is not None:
        # The carrier speaks, rings or hangs up.
        across_lines.leave_silent(vm, call_sid, None)
    return following


def _which(
    door: HttpDoor, call_sid: str, carrier: Carrier, arrival: Arrival, form: Mapping[str, str]
) -> str:
    """The query by which whatever node is asked finds the call, and who answers it."""
    asked = {"call": call_sid, "node": door.vm.node, "route": arrival.route}
    told = {name: value for name, value in asked.items() if value}
    return door.admission.seals.sealed(told, carrier.name, form.get("AccountSid", ""))


def _twiml(document: str) -> Response:
    return Response(document, media_type=twiml.CONTENT_TYPE)


ANSWERS: Final[Mapping[str, Callable[[HttpDoor, Request], Any]]] = {
    "/status": status,
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
    **dict.fromkeys(ASSETS, pages.asset),
    ACT: pages.action,
    CALLS: place_call,
    CAMPAIGNS: campaigns,
    DIAL: pages.dial,
}
"""What answers at the paths of the door policy that are no call's."""
