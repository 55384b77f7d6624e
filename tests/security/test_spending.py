"""What one caller may cost is bounded without any setting, and said to them."""

from __future__ import annotations

from pathlib import Path

from aybiza.claude.ledger import Ledger, Quotas
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
