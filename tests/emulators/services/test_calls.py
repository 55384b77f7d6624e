"""The emulated APIs for calls under way refuse what the carriers refuse."""

from __future__ import annotations

import httpx
import pytest

from aybiza.emulators.services import ServicesEmulator

CALL = "CA" + "a" * 32


def path(services: ServicesEmulator, carrier: str, call: str = CALL) -> str:
    account = f"/2010-04-01/Accounts/{services.calls.account}/Calls/{call}.json"
    return {
        "twilio": account,
        "signalwire": f"/api/laml{account}",
        "telnyx": f"/v2/calls/{call}/actions/hangup",
    }[carrier]


@pytest.mark.parametrize("carrier", ["twilio", "signalwire"])
async def test_basic_authentication_a_form_and_a_status_are_needed(
    services: ServicesEmulator, client: httpx.AsyncClient, carrier: str
) -> None:
    services.calls.live.add(CALL)
    url, key = path(services, carrier), (services.calls.account, services.calls.token)
    done = {"Status": "completed"}
    assert (await client.post(url, data=done)).status_code == 401
    assert (await client.post(url, data=done, auth=("AC", "x"))).json()["code"] == 20003
    assert (await client.post(url, json=done, auth=key)).json()["code"] == 21218
    assert (await client.post(url, data={"Status": "x"}, auth=key)).status_code == 400
    unknown = await client.post(path(services, carrier, "CAx"), data=done, auth=key)
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
    assert services.calls.ended == []
    assert (await client.post(url, data=done, auth=key)).json()["status"] == "completed"
    again = await client.post(url, data=done, auth=key)
    assert (again.status_code, again.json()["code"]) == (400, 21220)
    assert services.calls.ended == [CALL]


async def test_telnyx_wants_its_key_and_knows_calls_that_are_over(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.calls.live.add(CALL)
    url = path(services, "telnyx")
    key = {"Authorization": f"Bearer {services.calls.token}"}
    assert (await client.post(url, json={})).status_code == 401
    assert (await client.post(url, content="{", headers=key)).status_code == 400
    assert (await client.post(path(services, "telnyx", "x"), headers=key)).status_code == 404
    assert (await client.post(url, json={}, headers=key)).json() == {"data": {"result": "ok"}}
    over = await client.post(url, json={}, headers=key)
    assert (over.status_code, over.json()["errors"][0]["code"]) == (422, "90018")
