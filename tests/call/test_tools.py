"""Tools of one's own in whole calls: looked up, read back, agreed to, done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from dialogue.tools.catalogue import load_tools
from emulators.bedrock import use
from emulators.services import ServicesEmulator
from tests.call.kit import GREETING, Answers, world
from tests.call.steps import hang_up, text

FILE = """
[crm]
base_url = "{url}"
auth = {{ bearer = "CRM_TOKEN" }}
"""
CALLER = "+14155550123"
BOOK = "Book me in for ten thirty on the first."
START = "2026-12-01T10:30"
ASKED_BACK = "The first of December at ten thirty, is that right?"
WRITE = {"customer_id": "41573", "start": START}
ANSWERS: Answers = {
    BOOK: [use("lookup_customer", {}), use("book_appointment", WRITE), ASKED_BACK],
    "Yes, please.": [use("book_appointment", {**WRITE, "confirmed": True}), "It is booked."],
    "No, wait.": [use("book_appointment", {**WRITE, "confirmed": True}), "I have not booked."],
}


async def test_a_booking_is_made_when_the_caller_has_agreed_and_not_before(tmp_path: Path) -> None:
    async with ServicesEmulator() as services:
        path = tmp_path / "tools.toml"
        path.write_text(FILE.format(url=f"{services.url}/crm"))
        tools = load_tools(path, region="us-east-1", environment=services.environment())
        async with world(tmp_path, answers=ANSWERS, desk=cast(Any, tools.registry)) as place:
            steps = (
                text(BOOK, after=r"today\?\s*$"),
                text("No, wait.", after=r"right\?\s*$"),
                text("Yes, please.", after=r"not booked\.\s*$"),
                hang_up("is booked"),
            )
            async with place.call(*steps, from_number=CALLER) as call:
                await call.until(lambda: "not booked" in call.heard)
                assert services.crm.appointments == []
                report = await call.over()
        await tools.aclose()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {ASKED_BACK} I have not booked. It is booked. "
    assert [made["start"] for made in services.crm.appointments] == [START]
    asked = [entry.path for entry in services.journal if entry.method == "GET"]
    assert asked == ["/crm/customers?identifier=%2B14155550123"]
