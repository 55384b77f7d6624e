"""How calls leave their streams: the carrier's API first, and never in its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.console.control import hang_up as hang_up_call
from aybiza.dialogue.journal import Ended
from aybiza.emulators.bedrock import use
from aybiza.emulators.services import ServicesEmulator
from aybiza.faults.desk import Answers
from aybiza.gateway.control import rest
from aybiza.gateway.leaving import Leaving
from tests.call.kit import world
from tests.call.steps import hang_up, stay, text

ANSWERS: Answers = {"That is all.": [use("end_call", {}), "Thank you and goodbye."]}
ENDS = (text("That is all.", after=r"today\?\s*$"), stay())
TOKEN = "t0ken-of-the-account"


async def ended(folder: Path, services: ServicesEmulator, *steps: Any, **more: str) -> Any:
    """A call over Twilio's wire to its end, what was logged, and how the stream ended."""
    settings: dict[str, Any] = {
        "TWILIO_ACCOUNT_SID": services.calls.account,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "AYBIZA_TWILIO_API": services.url,
        **more,
    }
    with capture_logs() as logs:
        async with (
            world(folder, answers=ANSWERS, **settings) as place,
            place.call(*steps, auth_token=TOKEN) as call,
        ):
            services.calls.live.add(call.call_id)
            report = await call.over(40.0)
            journal = call.journal()
    assert report.ok, report.failure
    return call, journal, [entry for entry in logs if entry["event"] == "hang_up_failed"]


async def test_the_carrier_ends_a_call_that_the_agent_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that runs other tests too is late.
    monkeypatch.setattr(rest, "HANG_UP_SECONDS", 15.0)
    async with ServicesEmulator() as services:
        call, journal, failed = await ended(tmp_path, services, *ENDS)
    assert services.calls.ended == [call.call_id]
    assert (journal[-1], failed) == (Ended("goodbye"), [])
    assert call.heard.rstrip().endswith("Thank you and goodbye.")


async def test_a_call_that_the_caller_has_ended_is_nobody_elses_to_end(tmp_path: Path) -> None:
    async with ServicesEmulator() as services:
        _, journal, failed = await ended(tmp_path, services, hang_up(after=r"today\?\s*$"))
        assert (list(services.journal), journal[-1], failed) == ([], Ended("hangup"), [])


async def test_a_call_that_an_operator_hangs_up_is_ended_by_its_carrier(tmp_path: Path) -> None:
    async with ServicesEmulator() as services:
        settings: dict[str, Any] = {
            "TWILIO_ACCOUNT_SID": services.calls.account,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "AYBIZA_TWILIO_API": services.url,
        }
        async with (
            world(tmp_path, **settings) as place,
            place.call(stay(), auth_token=TOKEN) as call,
        ):
            services.calls.live.add(call.call_id)
            await call.until(lambda: call.has_heard(0, 1))
            hang_up_call(place.vm, call.call_id)
            report = await call.over(40.0)
    assert services.calls.ended == [call.call_id]
    assert report.streams[-1].close_code == 1000


@pytest.mark.parametrize("trouble", ["401", "500", "stall", "drop"])
async def test_where_the_carrier_does_not_end_it_the_stream_does(
    tmp_path: Path, trouble: str
) -> None:
    async with ServicesEmulator() as services:
        for _ in range(2):
            if trouble.isdigit():
                services.fail("twilio", int(trouble))
            else:
                getattr(services, trouble)("twilio")
        call, journal, failed = await ended(tmp_path, services, *ENDS)
    assert journal[-1] == Ended("goodbye")
    assert [entry["call_id"] for entry in failed] == [call.call_id]
    assert call.report.streams[-1].close_code == 1000


def test_only_calls_that_ask_no_webhook_are_put_through_from_here() -> None:
    assert Leaving(asks=False).puts_through("transfer")
    assert not Leaving(asks=True).puts_through("transfer")
    assert not Leaving(asks=False).puts_through("goodbye")
