"""A caller comes back from a person after long; meanwhile others came, one to take the call."""

from __future__ import annotations

from pathlib import Path

from aybiza.gateway.admission import account_calls, call_owners
from tests.security.doors import CALL, FORM, SIGNALWIRE_KEY, TOKEN, Outside, outside

TEN_MINUTES = 600.0


def later(node: Outside, seconds: float) -> None:
    """Let so much time pass for what the node remembers of calls."""
    for memory in (node.admission._owners, node.admission._accounts):
        timer = memory._timer
        memory._timer = lambda timer=timer: timer() + seconds  # type: ignore[misc]


async def test_who_comes_back_from_a_person_is_not_busy_and_the_call_is_still_theirs(
    tmp_path: Path,
) -> None:
    assert call_owners.KEPT_SECONDS > TEN_MINUTES > account_calls.RESERVED_SECONDS
    rules = {"auth_token": TOKEN, "account_calls": 1, "caller_calls": 1}
    async with outside(tmp_path, **rules) as node:
        assert "<Stream" in (await node.twilio(FORM)).text
        later(node, TEN_MINUTES)
        other = {**FORM, "CallSid": "CA" + "1" * 32, "From": "+14155550199"}
        assert "<Stream" in (await node.twilio(other)).text
        back = await node.twilio(FORM, "/incoming?again=1")
        assert "<Stream" in back.text
        third = {**FORM, "CallSid": "CA" + "2" * 32, "From": "+14155550177"}
        assert "<Say>All lines are busy.</Say>" in (await node.twilio(third)).text


async def test_nobody_takes_a_call_whose_caller_speaks_with_a_person(tmp_path: Path) -> None:
    async with outside(tmp_path, auth_token=TOKEN, signalwire_signing_key=SIGNALWIRE_KEY) as node:
        assert "<Stream" in (await node.twilio(FORM)).text
        later(node, TEN_MINUTES)
        taken = await node.signalwire({**FORM, "CallSid": CALL})
        assert taken.status_code == 409
