"""What one caller may cost is bounded without any setting, and said to them."""

from __future__ import annotations

from pathlib import Path

from aybiza.config.settings import load
from aybiza.gateway.admission.rules import GUARDED_CALLER_CALLS, Rules
from tests.security.doors import FORM, TOKEN, outside


async def test_a_caller_who_calls_without_end_is_told_that_all_are_busy(tmp_path: Path) -> None:
    rules = Rules.of(load({"TWILIO_AUTH_TOKEN": TOKEN}))
    async with outside(tmp_path, auth_token=TOKEN, caller_calls=rules.caller_calls) as node:
        answers = [
            (await node.twilio({**FORM, "CallSid": f"CA{number}"})).text
            for number in range(GUARDED_CALLER_CALLS + 1)
        ]
        another = await node.twilio({**FORM, "CallSid": "CAx", "From": "+14155550199"})
    assert all("<Stream" in answer for answer in answers[:-1])
    assert "<Say>All lines are busy.</Say><Hangup/>" in answers[-1]
    assert "<Stream" in another.text
