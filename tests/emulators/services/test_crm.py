"""The demonstration business system."""

from __future__ import annotations

import httpx

from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.crm import OPENAPI, TIMES

BOOKING = {"customer_id": "41573", "start": "2026-12-01T09:00", "reason": "checkup"}


def token(services: ServicesEmulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {services.crm.token}"}


async def test_it_describes_itself_to_anybody(client: httpx.AsyncClient) -> None:
    assert (await client.get("/crm/openapi.json")).json() == OPENAPI


async def test_everything_else_needs_the_token_in_force(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    url, headers = "/crm/customers?identifier=41573", token(services)
    assert (await client.get(url)).status_code == 401
    assert (await client.get(url, headers=headers)).status_code == 200
    services.crm.rotate()
    assert (await client.get(url, headers=headers)).status_code == 401
    given = await client.post("/crm/token", auth=("id", "secret"))
    headers = {"Authorization": f"Bearer {given.json()['access_token']}"}
    assert (await client.get(url, headers=headers)).status_code == 200
    assert (await client.post("/crm/token")).status_code == 401


async def test_a_customer_is_found_and_noted_on(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    client.headers.update(token(services))
    found = await client.get("/crm/customers", params={"identifier": "+1 (415) 555-0123"})
    assert found.json()["customer_id"] == "41573"
    assert (await client.get("/crm/customers?identifier=555")).status_code == 404
    noted = await client.patch("/crm/customers/41573", json={"note": "Called."})
    assert noted.json()["note"] == "Called."
    assert (await client.patch("/crm/customers/1", json={})).status_code == 404
    assert (await client.patch("/crm/customers/41573", content=b"[")).status_code == 400


async def test_a_time_is_booked_once_and_a_repeated_key_changes_nothing(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    client.headers.update(token(services))
    free = (await client.get("/crm/appointments/free?day=2026-12-01")).json()["free"]
    assert len(free) == len(TIMES)
    key = {"Idempotency-Key": "one"}
    made = await client.post("/crm/appointments", json=BOOKING, headers=key)
    again = await client.post("/crm/appointments", json=BOOKING, headers=key)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    other = await client.post("/crm/appointments", json=BOOKING)
    assert other.status_code == 409
    free = (await client.get("/crm/appointments/free?day=2026-12-01")).json()["free"]
    assert BOOKING["start"] not in free
    assert (await client.get("/crm/appointments/free?day=soon")).status_code == 400
    nobody = await client.post("/crm/appointments", json={**BOOKING, "customer_id": "1"})
    assert nobody.status_code == 404
