"""What one caller may cost is bounded without any setting, and said to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.claude.ledger import Ledger, Quotas
from aybiza.config.settings import load
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rules import GUARDED_CALLER_CALLS, Rules
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start
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


def test_a_caller_who_comes_by_a_switch_has_no_more_calls_than_others() -> None:
    admission = Admission(Rules(stream_tokens=True, switches=("10.1.2.3/32",), caller_calls=2))

    def call(number: str, caller: str) -> None:
        told = {"From": caller} if caller else {}
        start = Start("s", f"call-{number}", "", ("inbound",), MULAW_8000_MONO, told)
        visit = admission.visit("10.1.2.3", carrier="freeswitch" if caller else "audiosocket")
        visit.start(start)
        visit.over()

    for number in "1212":
        call(number, "+14155550123")
    with pytest.raises(ProtocolError, match="1013"):
        call("3", "+14155550123")
    call("4", "+14155550199")
    # Asterisk's AudioSocket tells of nobody who calls.
    for number in "56789":
        call(number, "")


def test_a_call_that_has_cost_its_ceiling_is_ended_though_cheaper_models_are_left() -> None:
    ledger = Ledger(Quotas.of(load({})))
    assert ledger.verdict(call_id="CA1", now=0.0).action == "allow"
    ledger.charge(5_000_000, call_id="CA1", now=0.0)
    assert ledger.verdict(call_id="CA1", now=0.0).action == "refuse"
    assert ledger.verdict(call_id="CA2", now=0.0).action == "allow"


def test_a_file_of_quotas_does_not_lift_the_ceiling(tmp_path: Path) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text('[default]\ncall_usd = "unlimited"\n')
    environment = {"AYBIZA_QUOTAS_FILE": str(path), "AYBIZA_QUOTA_CALL_CEILING_USD": "0.50"}
    ledger = Ledger(Quotas.of(load(environment)))
    ledger.charge(500_000, call_id="CA1", now=0.0)
    assert ledger.verdict(call_id="CA1", now=0.0).action == "refuse"
