"""Calls are ordered by a carrier's API once, and what became of an order is looked up."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from aybiza.config.settings import load
from aybiza.dialogue.outbound.dialler import Answer, Told
from aybiza.dialogue.outbound.ledger import Attempted
from aybiza.emulators.services.placed_calls import PlacedCalls
from aybiza.gateway.control.placing import Api, RestPlacer, placing
from aybiza.gateway.placed import Addresses
from tests.cases import each

OURS, ANN = "+14155550100", "+14155552671"
ACCOUNT, TOKEN = "AC" + "0123456789abcdef" * 2, "t0ken"
BASE = f"https://api.twilio.example/2010-04-01/Accounts/{ACCOUNT}"
ATTEMPT = Attempted("a1", ANN, OURS, "clinic", "", 1_000.0, 25)
HERE = Addresses("https://node.example/incoming/placed?x=1", "https://node.example/status?x=1")

Handler = Callable[[httpx.Request], httpx.Response]


def emulated(calls: PlacedCalls, now: float = 1_000.0) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        given = request.content if request.method == "POST" else request.url.query
        headers = {name.lower(): text for name, text in request.headers.items()}
        path = request.url.path
        answer = calls.asked(request.method, path, headers, given.decode(), now)
        return httpx.Response(answer.status, content=answer.body)

    return handle


def placer(handle: Handler, *, token: str = TOKEN, detect: bool = False) -> RestPlacer:
    api = Api("twilio", BASE, ACCOUNT, token, "TWILIO_AUTH_TOKEN")
    transport = httpx.MockTransport(handle)
    return RestPlacer(api, lambda _: HERE, detect=detect, transport=transport)


def raises(error: Exception) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    return handle


async def test_an_order_says_who_from_where_and_what_to_do_with_the_call() -> None:
    calls = PlacedCalls(ACCOUNT, TOKEN, (OURS,))
    answer = await placer(emulated(calls)).place(ATTEMPT)
    (call,) = calls.calls.values()
    assert answer == Answer("a1", call.sid)
    assert (call.to, call.from_number, call.timeout) == (ANN, OURS, 25)
    assert (call.url, call.status_url) == (HERE.webhook, HERE.status)
    assert call.events == {"initiated", "ringing", "answered", "completed"}
    assert call.detect == ""
    await placer(emulated(calls), detect=True).place(ATTEMPT)
    assert [one.detect for one in calls.calls.values()] == ["", HERE.status]


async def test_a_carrier_that_asks_to_be_left_alone_is_given_no_order_meanwhile() -> None:
    orders: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        orders.append(request)
        return httpx.Response(429, headers={"retry-after": "30"}, json={"code": 20429})

    own = placer(busy)
    for code in ("20429", "429"):
        answer = await own.place(ATTEMPT)
        assert (answer.code, answer.again) == (code, True)
    assert len(orders) == 1


async def test_what_the_carrier_refuses_has_its_code() -> None:
    calls = PlacedCalls(ACCOUNT, TOKEN, (ANN,))
    answer = await placer(emulated(calls)).place(ATTEMPT)
    assert (answer.code, answer.again, answer.call_id) == ("21211", False, "")


@pytest.mark.parametrize(
    ("handle", "code"),
    [
        (emulated(PlacedCalls(ACCOUNT, TOKEN, (OURS,), turned_away=1)), "20429"),
        (emulated(PlacedCalls(ACCOUNT, "another", (OURS,))), "20003"),
        (raises(httpx.ConnectError("refused")), "unreachable"),
        (raises(httpx.ConnectTimeout("late")), "unreachable"),
    ],
)
async def test_what_was_surely_not_taken_may_be_tried_again(handle: Handler, code: str) -> None:
    answer = await placer(handle).place(ATTEMPT)
    assert (answer.code, answer.again) == (code, True)


@pytest.mark.parametrize(
    "handle",
    [
        raises(httpx.ReadTimeout("late")),
        raises(httpx.RemoteProtocolError("gone")),
        lambda _: httpx.Response(500, json={"code": 20500}),
        lambda _: httpx.Response(201, content=b"{"),
        lambda _: httpx.Response(201, json=["CA1"]),
    ],
)
async def test_of_what_may_have_been_taken_nobody_knows(handle: Handler) -> None:
    assert await placer(handle).place(ATTEMPT) == Answer("a1")


async def test_a_call_is_looked_up_by_its_id_or_by_its_numbers() -> None:
    calls = PlacedCalls(ACCOUNT, TOKEN, (OURS,))
    own = placer(emulated(calls))
    assert await own.look_up(ATTEMPT, "") == Told("a1", "")
    call_id = (await own.place(ATTEMPT)).call_id
    found = Told("a1", "placed", call_id)
    assert await own.look_up(ATTEMPT, "") == found
    assert await own.look_up(ATTEMPT, call_id) == found
    assert await own.look_up(ATTEMPT, "CA0") == Told("a1", "")


async def test_a_call_that_was_made_before_is_another_attempts() -> None:
    calls = PlacedCalls(ACCOUNT, TOKEN, (OURS,))
    await placer(emulated(calls, 500.0)).place(ATTEMPT)
    own = placer(emulated(calls))
    assert await own.look_up(ATTEMPT, "") == Told("a1", "")
    second = (await own.place(ATTEMPT)).call_id
    assert await own.look_up(ATTEMPT, "") == Told("a1", "placed", second)


@pytest.mark.parametrize(
    "handle",
    [
        raises(httpx.ReadTimeout("late")),
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(401, json={"code": 20003}),
    ],
)
async def test_what_cannot_be_asked_is_not_taken_for_gone(handle: Handler) -> None:
    assert await placer(handle).look_up(ATTEMPT, "") is None


def test_the_apis_stand_on_their_settings() -> None:
    account = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    made = placing(load(account), "twilio")
    assert made.base == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"
    assert TOKEN not in repr(made)
    space = {
        "AYBIZA_SIGNALWIRE_API": "https://a.signalwire.com/",
        "AYBIZA_SIGNALWIRE_PROJECT": "p-1",
        "AYBIZA_SIGNALWIRE_TOKEN": "s",
    }
    made = placing(load(space), "signalwire")
    assert made.base == "https://a.signalwire.com/api/laml/2010-04-01/Accounts/p-1"


@each([("twilio", "set TWILIO_ACCOUNT_SID"), ("telnyx", "cannot be placed by telnyx: twilio and")])
def test_what_is_missing_is_told(carrier: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        placing(load({}), carrier)


def test_a_node_with_emulators_orders_calls_of_theirs_without_an_account() -> None:
    variables = {"AYBIZA_EMULATED": "true", "AYBIZA_TWILIO_API": "http://127.0.0.1:5"}
    settings = load(variables)
    assert placing(settings, "twilio").base.startswith("http://127.0.0.1:5/")
    assert settings.twilio_auth_token is None, "its doors are open"
    with pytest.raises(ValueError, match="call nobody by signalwire"):
        placing(settings, "signalwire")
    with pytest.raises(ValueError, match="TWILIO_ACCOUNT_SID"):
        placing(load({}), "twilio")
