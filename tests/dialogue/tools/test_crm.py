"""Customers and appointments over a business system's HTTP API."""

from __future__ import annotations

import pytest

from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.crm import (
    HttpCrm,
    appointment_booking_tool,
    crm_lookup_tool,
    free_times_tool,
)
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.emulators.services import ServicesEmulator
from tests.dialogue.tools.kit import used

DAY = "2026-12-01"
START = f"{DAY}T10:30"


@pytest.fixture
def crm(crm_api: HttpApi) -> HttpCrm:
    return HttpCrm(crm_api)


async def test_a_customer_is_found_by_number_or_by_the_callers_line(crm: HttpCrm) -> None:
    lookup = crm_lookup_tool(crm.find)
    assert (await used(lookup, identifier="20418"))["customer"]["name"] == "John Smith"
    assert (await used(lookup))["customer"]["name"] == "Maria Lopez"
    assert (await used(lookup, identifier="(415) 555-0144"))["customer"]["name"] == "John Smith"


async def test_nobody_and_somebody_unknown_are_told_apart(crm: HttpCrm) -> None:
    lookup = crm_lookup_tool(crm.find)
    assert (await used(lookup, ""))["error"] == "who"
    assert (await used(lookup, identifier="99999"))["error"] == "not_found"


async def test_a_system_that_is_down_is_told(services: ServicesEmulator, crm: HttpCrm) -> None:
    services.fail("crm", 503)
    assert (await used(crm_lookup_tool(crm.find)))["error"] == "busy"
    services.fail("crm", 500)
    assert (await used(crm_lookup_tool(crm.find)))["error"] == "failed"


async def test_what_is_booked_is_no_longer_free(services: ServicesEmulator, crm: HttpCrm) -> None:
    free, book = free_times_tool(crm.free), appointment_booking_tool(crm.book)
    assert START in (await used(free, day=DAY))["free"]
    booked = await used(book, customer_id="41573", start=START, reason="checkup")
    assert booked["booked"]["start"] == START
    assert START not in (await used(free, day=DAY))["free"]
    again = await used(book, customer_id="20418", start=START)
    assert again["error"] == "conflict"
    assert "taken" in again["message"]
    assert len(services.crm.appointments) == 1


async def test_the_caller_is_asked_before_something_is_booked(
    services: ServicesEmulator, crm: HttpCrm
) -> None:
    registry = ToolRegistry([appointment_booking_tool(crm.book)])
    given = {"customer_id": "41573", "start": START, "confirmed": True}
    use = ToolRun("book_appointment", "use1", given, "CA1", said="Half past ten.")
    assert "needs_confirmation" in await registry.run(use)
    assert services.crm.appointments == []


async def test_a_booking_whose_answer_is_lost_is_not_made_twice(
    services: ServicesEmulator, crm: HttpCrm
) -> None:
    registry = ToolRegistry([appointment_booking_tool(crm.book)])
    given = {"customer_id": "41573", "start": START, "confirmed": True}
    await registry.run(ToolRun("book_appointment", "use0", given, "CA1"))
    use = ToolRun("book_appointment", "use1", given, "CA1", turn=1, said="Yes.")
    services.drop("crm")
    assert (await registry.run(use))["error"] == "outcome_unknown"
    assert (await registry.run(use))["booked"]["start"] == START
    assert len(services.crm.appointments) == 1


async def test_an_answer_that_is_no_record_is_an_error(
    services: ServicesEmulator, crm: HttpCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(*asked: object, **more: object) -> list[str]:
        return ["Maria Lopez"]

    monkeypatch.setattr(HttpApi, "call", told)
    assert (await used(crm_lookup_tool(crm.find), identifier="41573"))["error"] == "failed"
