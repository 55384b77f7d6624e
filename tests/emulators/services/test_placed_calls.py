"""Twilio's API for placing calls: what it refuses, how it queues, what it tells."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from aybiza.emulators.services.placed_calls import Callback, Party, Pickup, PlacedCalls, Step

ACCOUNT, TOKEN, OURS, ANN = "AC" + "a" * 32, "token", "+14155550100", "+14155552671"
KEY = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
HEADERS = {"authorization": f"Basic {KEY}", "content-type": "application/x-www-form-urlencoded"}
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
ORDER: dict[str, Any] = {
    "To": ANN,
    "From": OURS,
    "Url": "https://node.example/incoming/placed",
    "StatusCallback": "https://node.example/incoming/placed/status",
    "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
    "Timeout": "30",
}


def made(**options: Any) -> PlacedCalls:
    return PlacedCalls(ACCOUNT, TOKEN, (OURS,), **options)


def order(
    calls: PlacedCalls,
    now: float = 0.0,
    headers: Mapping[str, str] = HEADERS,
    path: str = PATH,
    **changes: Any,
) -> tuple[int, dict[str, Any]]:
    form = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
    answer = calls.asked("POST", path, headers, urlencode(form, doseq=True), now)
    return answer.status, json.loads(answer.body)


def told(steps: list[Step]) -> list[str]:
    return [
        step.form.get("CallStatus") or step.form["AnsweredBy"]
        if isinstance(step, Callback)
        else "pickup"
        for step in steps
    ]


def test_a_call_is_queued_rings_is_answered_and_ends() -> None:
    calls = made(parties={ANN: Party(rings=3.0)})
    status, call = order(calls)
    assert (status, call["status"], call["direction"]) == (201, "queued", "outbound-api")
    assert told(calls.due(1.0)) == ["initiated"]
    assert told(calls.due(2.0)) == ["ringing"]
    assert calls.due(4.0) == []
    steps = calls.due(4.6)
    assert told(steps) == ["in-progress", "pickup"]
    pickup = steps[-1]
    assert isinstance(pickup, Pickup) and (pickup.to, pickup.url) == (ANN, ORDER["Url"])
    (end,) = calls.ended(call["sid"], 14.5)
    assert isinstance(end, Callback)
    assert (end.form["CallStatus"], end.form["CallDuration"]) == ("completed", "10")
    assert calls.next_at() is None


@pytest.mark.parametrize(
    ("party", "status", "code"),
    [
        (Party("busy"), "busy", "486"),
        (Party("no_answer"), "no-answer", None),
        (Party(rings=40.0), "no-answer", None),
        (Party("failed", sip=404), "failed", "404"),
    ],
)
def test_a_call_that_is_not_answered_says_why(party: Party, status: str, code: str | None) -> None:
    calls = made(parties={ANN: party})
    order(calls)
    last = calls.due(100.0)[-1]
    assert isinstance(last, Callback)
    assert (last.form["CallStatus"], last.form.get("SipResponseCode")) == (status, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21201),
        ({"From": None}, 21213),
        ({"To": "4155552671"}, 21211),
        ({"To": OURS}, 21211),
        ({"From": "+14155550199"}, 21210),
        ({"Url": None}, 21205),
        ({"Url": "node"}, 21205),
        ({"StatusCallback": "node"}, 21609),
        ({"StatusCallbackEvent": ["busy"]}, 21626),
        ({"Timeout": "soon"}, 21220),
        ({"Timeout": "1000"}, 21220),
    ],
)
def test_an_order_that_is_none_is_refused_with_its_code(changes: dict[str, Any], code: int) -> None:
    calls = made()
    status, error = order(calls, **changes)
    assert (status, error["code"], error["status"]) == (400, code, 400)
    assert error["more_info"].endswith(f"/{code}")
    assert calls.calls == {}


def test_who_has_no_key_or_another_account_or_asks_too_often_is_refused() -> None:
    calls = made(turned_away=1)
    assert order(calls, headers={})[1]["code"] == 20003
    assert order(calls, path=PATH.replace("aaa", "bbb"))[1]["code"] == 20404
    assert order(calls)[1]["code"] == 20429
    assert order(calls, headers={**HEADERS, "content-type": "application/json"})[0] == 415
    assert order(calls)[0] == 201
    assert calls.asked("DELETE", PATH, HEADERS, "", 0.0).status == 405


def test_calls_beyond_the_rate_wait_in_a_queue() -> None:
    calls = made(cps=1.0)
    for _ in range(3):
        order(calls, 10.0)
    begun = [told(calls.due(10.0 + second)).count("initiated") for second in range(4)]
    assert begun == [1, 1, 1, 0]


def test_calls_are_found_by_id_and_by_their_numbers() -> None:
    calls = made()
    _, call = order(calls)
    path = PATH.replace("Calls.json", f"Calls/{call['sid']}.json")
    assert json.loads(calls.asked("GET", path, HEADERS, "", 0.0).body)["sid"] == call["sid"]
    gone = path.replace(call["sid"], "CA0")
    assert calls.asked("GET", gone, HEADERS, "", 0.0).status == 404
    listed = json.loads(calls.asked("GET", PATH, HEADERS, urlencode({"To": ANN}), 0.0).body)
    assert [one["sid"] for one in listed["calls"]] == [call["sid"]]
    other = json.loads(calls.asked("GET", PATH, HEADERS, urlencode({"To": OURS}), 0.0).body)
    assert other["calls"] == []


def test_the_carriers_own_detection_is_told_where_it_is_asked_for() -> None:
    calls = made(parties={ANN: Party(answered_by="machine_start")})
    order(calls, MachineDetection="Enable", AsyncAmdStatusCallback="https://node.example/amd")
    assert "machine_start" in told(calls.due(100.0))
    quiet = made(silent=True)
    order(quiet)
    assert told(quiet.due(100.0)) == ["pickup"]
