"""The addresses of placed calls, what comes by them, and who else may not."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from aybiza.dialogue.outbound.dialler import Told
from aybiza.dialogue.outbound.ledger import Attempted
from aybiza.faults.telephone import HTTP_URL, post
from aybiza.faults.world import World, in_world
from aybiza.gateway.admission.address_seals import AddressSeals
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.placed import LIFE_SECONDS, Way, addresses, told_of, turned
from tests.cases import each

TWILIO, ACCOUNT = CARRIERS["twilio"], "AC" + "0" * 32
ATTEMPT = Attempted("0123456789abcdef", "+14155552671", "+14155550100", "clinic", "", 0.0)
FORM = {
    **{"CallSid": "CA1", "AccountSid": ACCOUNT, "CallStatus": "in-progress"},
    **{"From": "+14155550100", "To": "+14155552671", "Direction": "outbound-api"},
}


def test_both_addresses_are_sealed_for_the_carrier_and_the_account() -> None:
    now = [0.0]
    seals = AddressSeals([b"k" * 32], lambda: now[0])
    made = addresses(ATTEMPT, "https://n.example", TWILIO, seals, ACCOUNT)
    for url, path in ((made.webhook, "/placed"), (made.status, "/placed/status")):
        parts = urlsplit(url)
        assert parts.path == f"/incoming{path}"
        assert parse_qs(parts.query)["attempt"] == [ATTEMPT.id]
        assert seals.fits(parts.query, "twilio", ACCOUNT)
        assert not seals.fits(parts.query, "signalwire", ACCOUNT)
        assert not seals.fits(parts.query, "twilio", "AC" + "1" * 32)
        assert not seals.fits(parts.query.replace("0123", "4567"), "twilio", ACCOUNT)
    now[0] = 31 * 3_600.0
    assert not seals.fits(urlsplit(made.webhook).query, "twilio", ACCOUNT)


def test_a_call_comes_back_to_where_it_came_from() -> None:
    seals = AddressSeals([b"k" * 32], lambda: 0.0)
    assert Way(TWILIO, seals).url("https://n", "again=1") == "https://n/incoming?again=1"
    url = Way(TWILIO, seals, ACCOUNT, ATTEMPT.id).url("https://n", "again=1&node=a")
    query = urlsplit(url).query
    assert seals.fits(query, "twilio", ACCOUNT)
    told = {name: values[0] for name, values in parse_qs(query).items()}
    assert (told["again"], told["node"], told["attempt"]) == ("1", "a", ATTEMPT.id)
    assert told["until"] == str(int(LIFE_SECONDS))


def test_who_was_called_is_the_caller() -> None:
    form = turned({**FORM, "ToCountry": "US", "FromCountry": "DE"})
    assert (form["From"], form["To"], form["FromCountry"]) == ("+14155552671", "+14155550100", "US")
    assert form["CallSid"] == "CA1"


@each(
    [
        ({"CallStatus": "ringing"}, Told("a", "ringing", "CA1")),
        ({"CallStatus": "in-progress"}, Told("a", "answered", "CA1")),
        ({"CallStatus": "completed", "CallDuration": "61"}, Told("a", "completed", "CA1", "", 61)),
        ({"CallStatus": "busy", "SipResponseCode": "486"}, Told("a", "busy", "CA1", "486")),
        ({"CallStatus": "failed", "ErrorCode": "13224"}, Told("a", "failed", "CA1", "13224")),
        ({"AnsweredBy": "machine_end_beep"}, Told("a", "", "CA1", by="machine")),
        ({"AnsweredBy": "human", "CallStatus": "x"}, Told("a", "", "CA1", by="human")),
        ({"CallStatus": "completed", "CallDuration": "-1"}, Told("a", "completed", "CA1")),
    ]
)
def test_a_callback_tells_how_the_call_goes(form: dict[str, str], told: Told) -> None:
    assert told_of({"CallSid": "CA1", **form}, "a") == told


@pytest.mark.parametrize("path", ["/incoming/placed", "/incoming/placed/status"])
def test_an_address_that_was_not_given_out_is_refused(path: str) -> None:
    async def ask(world: World) -> list[int]:
        seals = world.nodes[0].door.admission.seals
        ours = addresses(ATTEMPT, HTTP_URL, TWILIO, seals, ACCOUNT)
        url = ours.webhook if path.endswith("placed") else ours.status
        other = {**FORM, "AccountSid": "AC" + "1" * 32}
        asked = [
            (f"{HTTP_URL}{path}?attempt={ATTEMPT.id}", FORM),
            (url.replace(ATTEMPT.id, "f" * 16), FORM),
            (url, other),
            (url, FORM),
        ]
        return [(await post(world.nodes[0].application, *one))[0] for one in asked]

    assert in_world(ask)[:3] == [403, 403, 403]
    assert in_world(ask)[3] in (200, 204)
